"""The second step of a log-in: a code of six digits that an app shows for half a minute (TOTP).

The secret that app and vault share is sealed under the vault's master key. Ten recovery codes
stand in for a lost device; the vault keeps their keyed hashes only. A code works once: the vault
remembers the half minute of the last one. All of it runs on real time (the guarded clock), also in
a store whose clock is simulated: the officer's telephone knows no other.

That a log-in name has a second factor is a fact (`LoginName.SecondFactorSet`), and the fact comes
first. What takes one away is a fact too, and the vault follows it (`eventstore.effects`).
"""

import hashlib
import hmac
import threading
import time
from collections.abc import Callable
from typing import Any, NamedTuple
from uuid import UUID, uuid4

import pyotp

from eventstore.codes import grouped, made, plain
from eventstore.patience import FORGIVEN_SECONDS, LoginLocked, delay_after
from eventstore.sql import DATABASE_ERRORS, Sql, explain, transaction
from eventstore.vault import Vault

STEP_SECONDS = 30
DIGITS = 6
RECOVERY_CODES = 10
RECOVERY_SIGNS = 12
"""60 random bits."""
RECOVERY_SECRET = "recovery-codes"  # noqa: S105 - the name of a secret


class SecondFactorNeeded(Exception):
    """The password is right; a code is asked for besides. ``officer`` and ``login``: of whom."""

    zh = "请输入两步验证码"
    en = "Enter the code of your second factor."

    def __init__(self, officer: UUID, login: str) -> None:
        super().__init__(self.en)
        self.officer, self.login = officer, login


class SecondFactorRefused(Exception):
    """Wrong, used already, or of another time."""

    zh = "验证码不正确或已用过；请等下一个验证码再试，并核对手机时间"
    en = "Wrong code, or used already: wait for the next one, and compare your telephone's clock."


class SecondFactorThere(Exception):
    """It is ended first: whoever finds an open session must not put another in its place."""

    zh = "已设置两步验证；如需更换，请先停用"
    en = "A second factor is set already: end it first."


class NoFactorBegun(Exception):
    """There is nothing to confirm or to end."""

    zh = "没有待确认的两步验证，请重新开始"
    en = "There is no second factor to confirm: begin again."


class _Row(NamedTuple):
    factor: UUID
    secret: bytes
    confirmed: bool
    step: int
    failures: int
    locked_until: float


class SecondFactors:
    """Of one store's vault."""

    def __init__(self, vault: Vault, clock: Callable[[], float] = time.time) -> None:
        self._vault, self._db, self._clock = vault, vault.db, clock
        self._trying = threading.Lock()

    def has(self, login: str) -> bool:
        """Whether log-ins under this name ask for a code."""
        sql = "SELECT confirmed FROM second_factors WHERE login=?"
        return any(confirmed for (confirmed,) in self._vault.fetch(sql, (login,)))

    def recovery_left(self, login: str) -> int:
        sql = "SELECT count(*) FROM recovery_codes WHERE login=?"
        return int(self._vault.fetch(sql, (login,))[0][0])

    def begin(self, login: str) -> str:
        """A new secret, which counts once it is confirmed. Raises `SecondFactorThere`."""
        if self.has(login):
            raise SecondFactorThere
        secret, factor = pyotp.random_base32(), uuid4()
        sealed = self._vault.wrapping.wrap(secret.encode(), bound_to(login))
        self._write(
            "INSERT INTO second_factors VALUES (?,?,?,0,0,0,0) ON CONFLICT (login) DO UPDATE SET"
            " factor=excluded.factor, secret=excluded.secret, step=0"
            " WHERE second_factors.confirmed=0",
            (login, factor.bytes, sealed),
        )
        return secret

    def begun(self, login: str) -> str | None:
        """The secret that waits to be confirmed."""
        row = self._row(login)
        return None if row is None or row.confirmed else self._secret(login, row)

    def prove_new(self, login: str, code: str) -> UUID:
        """Whose secret an app shows codes of. Raises `NoFactorBegun`, and what `check` does."""
        row = self._row(login)
        if row is None or row.confirmed:
            raise NoFactorBegun
        self._try(login, code)
        return row.factor

    def confirm(self, login: str, factor: UUID) -> list[str]:
        """From now on log-ins ask for it. The recovery codes, which are shown this once."""
        codes = [made(RECOVERY_SIGNS) for _ in range(RECOVERY_CODES)]
        rows = [(self._recovery(login, code), login) for code in codes]
        with self._vault.lock, transaction(self._db) as db:
            set_ = db.execute(
                "UPDATE second_factors SET confirmed=1"
                " WHERE login=? AND factor=? AND confirmed=0 RETURNING 1",
                (login, factor.bytes),
            ).fetchone()
            if not set_:
                raise NoFactorBegun  # begun anew meanwhile, or confirmed: those codes were shown
            db.execute("DELETE FROM recovery_codes WHERE login=?", (login,))
            db.executemany("INSERT INTO recovery_codes VALUES (?,?)", rows)
        return [grouped(code) for code in codes]

    def check(self, login: str, code: str) -> None:
        """Use a code up, of the app or for recovery.

        Raises `SecondFactorRefused`, `LoginLocked`, and `NoFactorBegun` without a second factor.
        """
        if not self.has(login):
            raise NoFactorBegun
        self._try(login, code)

    def require(self, officer: UUID, login: str, code: str) -> None:
        """The second step of a log-in, if the name has one. Raises `SecondFactorNeeded` without a
        code, and what `check` does."""
        if self.has(login):
            if not code.strip():
                raise SecondFactorNeeded(officer, login)
            self._try(login, code)

    def _try(self, login: str, code: str) -> None:
        with self._trying:  # one after the other: a delay holds for whoever asks at the same time
            row, now, typed = self._row(login), self._clock(), plain(code)
            if row is None:
                raise NoFactorBegun
            if row.locked_until > now:
                raise LoginLocked(int(row.locked_until - now) + 1)
            if not (self._of_app(login, row, typed, now) or self._of_recovery(login, row, typed)):
                self._failed(login, now)
                raise SecondFactorRefused
        self._write("UPDATE second_factors SET failures=0, locked_until=0 WHERE login=?", (login,))

    def _of_app(self, login: str, row: _Row, typed: str, now: float) -> bool:
        if len(typed) != DIGITS or not typed.isascii():
            return False
        app, step = pyotp.TOTP(self._secret(login, row)), int(now) // STEP_SECONDS
        fitting = [
            one
            for one in (step - 1, step, step + 1)
            if hmac.compare_digest(app.at(one * STEP_SECONDS), typed) and one > row.step
        ]
        return bool(fitting) and self._took(
            "UPDATE second_factors SET step=? WHERE login=? AND step < ? RETURNING 1",
            (fitting[-1], login, fitting[-1]),
        )

    def _of_recovery(self, login: str, row: _Row, typed: str) -> bool:
        return (
            row.confirmed
            and len(typed) == RECOVERY_SIGNS
            and self._took(
                "DELETE FROM recovery_codes WHERE code=? AND login=? RETURNING 1",
                (self._recovery(login, typed), login),
            )
        )

    def _failed(self, login: str, now: float) -> None:
        self._write(
            "UPDATE second_factors SET failures = CASE WHEN locked_until > 0 AND locked_until < ?"
            " THEN 1 ELSE failures + 1 END WHERE login=?",
            (now - FORGIVEN_SECONDS, login),
        )
        row = self._row(login)
        until = now + delay_after(row.failures if row else 0)
        self._write("UPDATE second_factors SET locked_until=? WHERE login=?", (until, login))

    def _row(self, login: str) -> _Row | None:
        with self._vault.lock:
            found = self._db.execute(
                "SELECT factor, secret, confirmed, step, failures, locked_until"
                " FROM second_factors WHERE login=?",
                (login,),
            ).fetchone()
        if found is None:
            return None
        factor, secret, confirmed, *rest = found
        return _Row(UUID(bytes=bytes(factor)), bytes(secret), bool(confirmed), *rest)

    def _secret(self, login: str, row: _Row) -> str:
        return self._vault.wrapping.unwrap(row.secret, bound_to(login)).decode()

    def _recovery(self, login: str, code: str) -> bytes:
        key = self._vault.secret(RECOVERY_SECRET)
        return hmac.new(key, f"{login}/{code}".encode(), hashlib.sha256).digest()

    def _took(self, sql: str, args: tuple[Any, ...]) -> bool:
        try:
            with self._vault.lock:
                return self._db.execute(sql, args).fetchone() is not None
        except DATABASE_ERRORS as problem:
            raise explain(problem) from problem

    def _write(self, sql: str, args: tuple[Any, ...]) -> None:
        try:
            with self._vault.lock:
                self._db.execute(sql, args)
        except DATABASE_ERRORS as problem:
            raise explain(problem) from problem


def bound_to(login: str) -> bytes:
    """What a sealed secret belongs to: nobody moves it to another log-in name."""
    return f"second-factor/{login}".encode()


def drop_factor(db: Sql, login: str, factor: UUID) -> None:
    """In a transaction of the vault: this one, and not another that was set since."""
    gone = db.execute(
        "DELETE FROM second_factors WHERE login=? AND factor=? RETURNING 1", (login, factor.bytes)
    ).fetchone()
    if gone:
        db.execute("DELETE FROM recovery_codes WHERE login=?", (login,))
