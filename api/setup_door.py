"""The way into a store in which nobody is in post yet: one code a store, ten tries, one session.

Every API process of a store knows the same code and the same session, whichever of them prints it
and whichever answers: what they share stands in a mark of the log, without a secret. The code
follows from a secret of the vault and from how many were used up before it (decision 0050).
"""

import hashlib
import hmac
import secrets
import threading
from typing import Final

import msgspec
import structlog

from api.problems import ApiProblem
from domain.plurals import counted
from eventstore.codes import ALPHABET, grouped, plain
from eventstore.store import Store

log = structlog.get_logger("relief.setup")
DOOR: Final = "setup-door"
CODE_LENGTH: Final = 8
TRIES: Final = 10


class _State(msgspec.Struct, frozen=True):
    """``number``: which code counts. ``wrong``: tries that were wrong. ``entered``: the number of
    the code that opened the session, whose secret has this hash. One that was opened goes on when
    another code has come to count, until that one is entered."""

    number: int = 1
    wrong: int = 0
    entered: int = 0
    session: str = ""


class Door:
    """The door of one store, as one process keeps it."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._began = False
        self._lock = threading.Lock()

    @property
    def code(self) -> str:
        """The code that opens it now. The first to ask after a start makes another one, if the
        one before is used up."""
        with self._lock:
            return self._code(self._now().number)

    def closed(self) -> bool:
        """Whether the code opens nothing: used, or guessed at too often."""
        with self._lock:
            return self._closed(self._now())

    def enter(self, code: str) -> str | None:
        """The secret of the one session for the right code; None if the door is closed. 403 if
        the code is wrong."""
        with self._lock:
            now = self._now()
            if self._closed(now):
                return None
            if not hmac.compare_digest(
                plain(code).encode(), plain(self._code(now.number)).encode()
            ):
                self._keep(msgspec.structs.replace(now, wrong=now.wrong + 1))
                raise _wrong(TRIES - now.wrong - 1)
            token = secrets.token_urlsafe(32)
            self._keep(_State(now.number, now.wrong, now.number, _hash(token)))
            return token

    def session(self, token: str) -> str | None:
        """The form token of the session; None if this is not its secret."""
        kept = self._read().session
        if not kept or not hmac.compare_digest(_hash(token), kept):
            return None
        return self._derived(f"form {token}").hex()

    # -- what is shared -----------------------------------------------------------------------

    def _read(self) -> _State:
        found = self._store.log.mark(DOOR)
        return msgspec.json.decode(found, type=_State) if found is not None else _State()

    def _now(self) -> _State:
        now = self._read()
        if not self._began:
            self._began = True
            if self._closed(now):
                now = msgspec.structs.replace(now, number=now.number + 1, wrong=0)
                self._keep(now)
        return now

    def _closed(self, now: _State) -> bool:
        return now.entered == now.number or now.wrong >= TRIES

    def _keep(self, state: _State) -> None:
        self._store.log.set_mark(DOOR, msgspec.json.encode(state).decode())

    def _code(self, number: int) -> str:
        made = self._derived(f"code {number}")
        return grouped("".join(ALPHABET[byte % len(ALPHABET)] for byte in made[:CODE_LENGTH]))

    def _derived(self, text: str) -> bytes:
        return hmac.digest(self._store.vault.secret("setup-door"), text.encode(), "sha256")


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _wrong(left: int) -> ApiProblem:
    log.warning("setup_code_wrong", left=left)
    return ApiProblem(
        403,
        "setup-code-wrong",
        f"启动码不对，还可再试 {left} 次",
        f"This is not the code. {counted(left, 'try is|tries are')} left.",
    )
