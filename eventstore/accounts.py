"""Log-ins: passwords (argon2id), sessions and tokens. In the vault's file, on machine time.

Who guesses waits longer and longer, but nobody can lock somebody else out: a device that an
officer has logged in from before (it keeps a signed cookie) has a delay of its own, which the
guesses of strangers do not lengthen; and an address that fails too often is refused before it
reaches any account.

A log-in is not a fact of relief work, so nothing of it enters the log. What an officer may do is
decided by the Officer stream at every command, not by anything kept here.
"""

import hashlib
import hmac
import secrets
import threading
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple
from uuid import UUID

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError

from domain.base import NOBODY
from domain.login_name import LoginTaken, as_typed
from eventstore.lately import Lately
from eventstore.limiter import Limit, Limiter
from eventstore.limits_reached import limit_reached
from eventstore.passwords import check_password
from eventstore.patience import FORGIVEN_SECONDS, LoginLocked, LoginRefused, delay_after
from eventstore.second_factor import SecondFactorRefused, SecondFactors
from eventstore.sql import DATABASE_ERRORS, explain, transaction
from eventstore.vault import Vault

ADDRESS_WINDOW = 600.0
ADDRESS_FAILURES = 20
DEVICE_SECRET = "device-cookies"  # noqa: S105 - the name of a secret
SESSION_SECONDS = 12 * 3600.0
TOKEN_SECONDS = 3600.0
HALF_SECONDS = 300.0
VOUCHED = "vouched"
LASTS = {
    "session": SESSION_SECONDS,
    VOUCHED: SESSION_SECONDS,
    "token": TOKEN_SECONDS,
    "half": HALF_SECONDS,
}
"""Seconds, by the kind of a session. A half one has shown the password and no code yet; of a
vouched one the identity provider has asked for a second factor, and is trusted to have done so."""
ONCE = "once"
"""In the table of sessions, of nobody: something that is good for one use, and was used."""
STRANGERS = 10_000
KNOWN_SECONDS = 1.0
KNOWN_SESSIONS = 10_000


@dataclass(frozen=True, slots=True)
class Session:
    """Who is logged in. ``csrf`` guards writes of a cookie session; a bearer token needs none.

    ``vouched``: the identity provider has asked for a second factor.
    """

    officer: UUID
    login: str
    kind: str  # "session", "token" or "half"
    csrf: str
    expires: float
    vouched: bool = False


class OpenSession(NamedTuple):
    """A session for its owner to see. Times in seconds since 1970, of the machine."""

    id: str
    login: str
    kind: str
    begun: float
    expires: float
    device: str
    current: bool


class Accounts:
    """Accounts, sessions and tokens of one store."""

    def __init__(
        self,
        vault: Vault,
        hasher: PasswordHasher | None = None,
        clock: Callable[[], float] | None = None,
        *,
        address_failures: int = ADDRESS_FAILURES,
    ) -> None:
        self._vault = vault
        self._db = vault.db
        self._lock = vault.lock
        self._hasher = hasher or PasswordHasher()
        self._clock = clock = clock or vault.seconds
        self._decoy = self._hasher.hash(secrets.token_hex(16))
        self._asking = threading.Lock()
        self._verifying = threading.BoundedSemaphore(2)
        limit = Limit(
            "address_failures", address_failures, ADDRESS_WINDOW, "登录失败", "failing to log in"
        )
        self._addresses = Limiter(limit, clock)
        self._delays: dict[tuple[str, str], tuple[int, float]] = {}
        self._known = Lately[bytes, Session](KNOWN_SECONDS, KNOWN_SESSIONS)
        self.factors = SecondFactors(vault, clock)

    def set_password(
        self, login: str, officer: UUID, password: str, *, by: bytes | None = None
    ) -> bool:
        """Open an account or change its password; sessions and invitations of the login end.

        ``by``: the hash of an invitation's code, which is used up with it. False, and nothing is
        changed, if it is used up already. A log-in name stays its first officer's: `LoginTaken`
        for another one. Raises `PasswordRefused`.
        """
        check_password(login, password)
        if self.officer_of(login) not in (None, officer):
            raise LoginTaken(login=login)
        login = self.spelled(login) if self.officer_of(login) else login
        row = (login, officer.bytes, self._hasher.hash(password))
        with self._lock, transaction(self._db) as db:
            if (
                by is not None
                and not db.execute(
                    "UPDATE invitations SET used=1 WHERE code=? AND used=0 RETURNING 1", (by,)
                ).fetchone()
            ):
                return False
            db.execute(
                "INSERT INTO accounts (login, officer, password) VALUES (?,?,?) ON CONFLICT (login)"
                " DO UPDATE SET officer=excluded.officer, password=excluded.password, failures=0,"
                " locked_until=0",
                row,
            )
            db.execute("UPDATE invitations SET used=1 WHERE login=?", (login,))
            db.execute("DELETE FROM sessions WHERE login=?", (login,))
        self._known.clear()
        return True

    def spelled(self, typed: str) -> str:
        """The account's name as it was opened, however its letters are typed; what is no account's
        in small letters, so that all spellings of it wait alike.

        Names are unique without case. Older stores may hold two that differ in it alone: there
        each is typed as it was opened.
        """
        login = as_typed(typed)
        sql = "SELECT login FROM accounts WHERE login IN (?,?) OR LOWER(login)=?"
        with self._lock:
            rows = self._db.execute(sql, (login, typed, login.lower())).fetchall()
        names = {name for (name,) in rows}
        for name in (typed, login):
            if name in names:
                return name
        return names.pop() if len(names) == 1 else login.casefold()

    def officer_of(self, login: str) -> UUID | None:
        with self._lock:
            row = self._db.execute(
                "SELECT officer FROM accounts WHERE login=?", (self.spelled(login),)
            ).fetchone()
        return UUID(bytes=row[0]) if row else None

    def logins(self) -> dict[UUID, list[str]]:
        with self._lock:
            rows = self._db.execute("SELECT officer, login FROM accounts ORDER BY login").fetchall()
        found: dict[UUID, list[str]] = {}
        for officer, login in rows:
            found.setdefault(UUID(bytes=officer), []).append(login)
        return found

    def log_in(
        self,
        login: str,
        password: str,
        kind: str = "session",
        *,
        address: str = "",
        device: str = "",
        agent: str = "",
        code: str = "",
    ) -> tuple[str, Session]:
        """The secret token and its session. Raises what `verify` and `SecondFactors.require` do.

        ``agent``: what kind of device it is, in words for its owner. ``code``: of the second step.
        """
        login = self.spelled(login)  # the second factor knows the name as it was opened
        officer = self.verify(login, password, address=address, device=device)
        self.second_step(officer, login, code, address=address, device=device)
        return self.begin(officer, login, kind, agent=agent)

    def second_step(
        self, officer: UUID, login: str, code: str, *, address: str = "", device: str = ""
    ) -> None:
        """`SecondFactors.require`; a wrong code counts for its address as a wrong password does."""
        try:
            self.factors.require(officer, login, code)
        except SecondFactorRefused:
            if not self.knows(device, login):
                self.failed_from(address)
            raise

    def verify(self, login: str, password: str, *, address: str = "", device: str = "") -> UUID:
        """Whose name and password these are. Raises `LoginRefused` or `LoginLocked`.

        ``address``: where it comes from. ``device``: what `device_cookie` once gave that browser.
        """
        login = self.spelled(login)
        known = self.knows(device, login)
        if not known:
            self.require_patience(address)
        with self._verifying:  # argon2 takes 64 MiB; and the delay is asked when the turn has come
            now = self._clock()
            with self._lock:
                row = self._db.execute(
                    "SELECT officer, password, locked_until FROM accounts WHERE login=?",
                    (login,),
                ).fetchone()
            here = (login, device if known else "") if known or row is None else None
            until = row[2] if here is None else self._delays.get(here, (0, 0.0))[1]
            if until > now:
                raise LoginLocked(int(until - now) + 1)
            if not self._verify(row[1] if row else self._decoy, password) or row is None:
                self._failed(login, here, now)
                if not known:
                    self.failed_from(address)
                raise LoginRefused
        if known:
            self._delays.pop((login, device), None)
        else:
            self._write("UPDATE accounts SET failures=0, locked_until=0 WHERE login=?", (login,))
        return UUID(bytes=row[0])

    def require_patience(self, address: str) -> None:
        """`LoginLocked` if too much has failed from there lately."""
        wait = self._addresses.reached(address) if address else None
        if wait is not None:
            limit_reached("address_failures")
            raise LoginLocked(wait)

    def failed_from(self, address: str) -> None:
        """Count a failure of an address: a wrong password, or a code that nobody has."""
        if address:
            self._addresses.try_take(address)

    def device_cookie(self, login: str) -> str:
        """What a browser keeps, to be known as one that logged in under this name before."""
        nonce = secrets.token_urlsafe(16)
        return f"{nonce}.{self._device_mac(login, nonce)}"

    def knows(self, device: str, login: str) -> bool:
        """Whether ``device`` is a cookie that was given for this log-in name."""
        nonce, _, mac = device.partition(".")
        return bool(mac) and hmac.compare_digest(
            mac.encode(), self._device_mac(login, nonce).encode()
        )

    def _device_mac(self, login: str, nonce: str) -> str:
        text = f"{nonce}/{login}".encode()
        return hmac.new(self._device_secret, text, hashlib.sha256).hexdigest()

    @cached_property
    def _device_secret(self) -> bytes:
        return self._vault.secret(DEVICE_SECRET)

    def _failed(self, login: str, here: tuple[str, str] | None, now: float) -> None:
        """Count a failure and say until when to wait.

        ``here`` is who is remembered in this process: a known device, or a name that is no
        account, which waits alike, so that nobody learns which names are accounts.
        """
        if here is not None:
            with self._lock:
                failures, until = self._delays.pop(here, (0, 0.0))
                failures = 1 if until and now - until > FORGIVEN_SECONDS else failures + 1
                self._delays[here] = failures, now + delay_after(failures)
                if len(self._delays) > STRANGERS:
                    self._delays.pop(next(iter(self._delays)))
            return
        self._write(  # counted in the database: others guess at the same time, here and elsewhere
            "UPDATE accounts SET failures = CASE WHEN locked_until > 0 AND locked_until < ?"
            " THEN 1 ELSE failures + 1 END WHERE login=?",
            (now - FORGIVEN_SECONDS, login),
        )
        with self._lock:
            (failures,) = self._db.execute(
                "SELECT failures FROM accounts WHERE login=?", (login,)
            ).fetchone()
        until = now + delay_after(failures)
        self._write("UPDATE accounts SET locked_until=? WHERE login=?", (until, login))

    def _verify(self, hashed: str, password: str) -> bool:
        try:
            return self._hasher.verify(hashed, password)
        except (VerifyMismatchError, InvalidHashError):
            return False

    def _write(self, sql: str, args: tuple[Any, ...]) -> None:
        try:
            with self._lock:
                self._db.execute(sql, args)
        except DATABASE_ERRORS as problem:
            raise explain(problem) from problem

    def begin(
        self, officer: UUID, login: str, kind: str = "session", *, agent: str = ""
    ) -> tuple[str, Session]:
        """A session for whoever has shown who they are: by password, by an invitation, or by the
        identity provider. ``kind``: of `LASTS`."""
        now = self._clock()
        token, csrf = secrets.token_urlsafe(32), secrets.token_urlsafe(24)
        session = _session(officer, login, kind, csrf, now + LASTS[kind])
        row = (_digest(token), officer.bytes, login, kind, csrf, session.expires, now, agent)
        self._write("DELETE FROM sessions WHERE expires < ?", (now,))
        self._write("INSERT INTO sessions VALUES (?,?,?,?,?,?,?,?)", row)
        return token, session

    def lasts(self, session: Session) -> int:
        """For how many seconds more a session lives."""
        return int(session.expires - self._clock())

    def session(self, token: str, kind: str) -> Session | None:
        """The living session of a secret token of that kind.

        Remembered for a second: what ended in another process ends here within that second.
        """
        digest = _digest(token)
        found = self._known.get(digest)
        if found is None:
            with self._asking:  # many ask at once as the second ends
                found = self._known.get(digest) or self._stored(digest)
                if found is None:
                    return None
                self._known.keep(digest, found)
        return self._living(found, kind)

    def remembered(self, token: str, kind: str) -> Session | None:
        """`session`, if it answers without asking the vault."""
        found = self._known.get(_digest(token))
        return None if found is None else self._living(found, kind)

    def _living(self, found: Session, kind: str) -> Session | None:
        return None if found.kind != kind or found.expires < self._clock() else found

    def _stored(self, digest: bytes) -> Session | None:
        with self._lock:
            row = self._db.execute(
                "SELECT officer, login, kind, csrf, expires FROM sessions WHERE token=?",
                (digest,),
            ).fetchone()
        return _session(UUID(bytes=row[0]), *row[1:]) if row and row[2] in LASTS else None

    def sessions_of(self, officer: UUID, token: str = "") -> list[OpenSession]:
        """Where an officer is logged in, the newest first. ``token``: the one that asks."""
        return [one for _, one in self._open(" AND officer=?", officer.bytes, own=_digest(token))]

    def open_sessions(self) -> list[tuple[UUID, OpenSession]]:
        """Everybody who is logged in, with the officer, the newest first."""
        return self._open()

    def _open(
        self, of: str = "", *values: bytes, own: bytes = b""
    ) -> list[tuple[UUID, OpenSession]]:
        with self._lock:
            rows = self._db.execute(
                "SELECT officer, token, login, kind, begun, expires, device"  # noqa: S608
                " FROM sessions WHERE expires > ? AND kind IN ('session', 'vouched', 'token')"
                f"{of} ORDER BY begun DESC, token",
                (self._clock(), *values),
            ).fetchall()
        return [
            (
                UUID(bytes=officer),
                OpenSession(
                    _public(digest),
                    login,
                    _shown(kind),
                    begun,
                    expires,
                    device,
                    bytes(digest) == own,
                ),
            )
            for officer, digest, login, kind, begun, expires, device in rows
        ]

    def end_sessions(self, officer: UUID, ids: Collection[str]) -> int:
        """End these sessions of an officer (ids of `sessions_of`); how many there were."""
        with self._lock, transaction(self._db) as db:
            rows = db.execute(
                "SELECT token FROM sessions WHERE officer=?", (officer.bytes,)
            ).fetchall()
            ended = [bytes(row[0]) for row in rows if _public(row[0]) in ids]
            for digest in ended:
                db.execute("DELETE FROM sessions WHERE token=?", (digest,))
        self._known.clear()
        return len(ended)

    def end_others(self, login: str, token: str) -> None:
        """End all sessions of a log-in name but the one of this secret token ("": all)."""
        self._write("DELETE FROM sessions WHERE login=? AND token<>?", (login, _digest(token)))
        self._known.clear()

    def log_out(self, token: str) -> None:
        self._write("DELETE FROM sessions WHERE token=?", (_digest(token),))
        self._known.clear()

    def use_once(self, text: str, seconds: float) -> bool:
        """Use something up that is good once, in all processes; False if it was used before.

        ``seconds``: for how long it could be shown again.
        """
        now = self._clock()
        row = (_digest(text), NOBODY.bytes, "", ONCE, "", now + seconds, now, "")
        self._write("DELETE FROM sessions WHERE expires < ?", (now,))
        sql = "INSERT INTO sessions VALUES (?,?,?,?,?,?,?,?) ON CONFLICT DO NOTHING RETURNING 1"
        try:
            with self._lock:
                return self._db.execute(sql, row).fetchone() is not None
        except DATABASE_ERRORS as problem:
            raise explain(problem) from problem


def _session(officer: UUID, login: str, kind: str, csrf: str, expires: float) -> Session:
    """As it is stored: a vouched one is a session like others, and says so besides."""
    return Session(officer, login, _shown(kind), csrf, expires, kind == VOUCHED)


def _shown(kind: str) -> str:
    return "session" if kind == VOUCHED else kind


def _public(digest: bytes) -> str:
    """A name for a session: enough of the token's hash to tell it from others."""
    return bytes(digest).hex()[:16]


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
