"""Setting up a store in which nobody is in post yet: behind one door, then nothing.

`relief serve` prints the code of the door where only who keeps the machine sees it
(`api.setup_door`). All of it is gone for good once the administrator has accepted the invitation
(decision 0050). How far a run has come stands in a mark of the log, so that every process of the
store shows the same; the code of an invitation is sealed there under the secret of the session,
which only its browser has.
"""

import base64
import hashlib
import os
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, Final

import msgspec
import structlog
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from msgspec.structs import replace

from api.beginning import Administrator, Beginning, checked
from api.begun import DEMO, begun_here, not_set_up
from api.choosing import Choice
from api.invitations import page_of
from api.problems import ApiProblem
from api.setup_door import Door
from api.system import System
from domain.refusal import Refusal
from eventstore.clock import machine_now
from eventstore.codes import plain
from eventstore.errors import StoreError
from eventstore.invitations import Invitation
from eventstore.outcomes import Refused
from intake.register import Register

log = structlog.get_logger("relief.setup")
RUN: Final = "setup-run"
NONCE: Final = 12
QUIET: Final = timedelta(minutes=1)
"""A run of another process that said nothing for so long has ended with that process."""
CLOSING_SECONDS: Final = 30.0


def setup_over() -> ApiProblem:
    return ApiProblem(
        410,
        "setup-over",
        "建账入口已关闭：账本已有管理员，或启动码已用过；如须继续，请在服务器上重启 relief serve",
        "Setting up is closed: there is an administrator, or the code was used. To go on, start "
        "relief serve again on the server.",
    )


CLOCKS_APART: Final = timedelta(minutes=5)


@dataclass(eq=False)
class ClocksDiffer(Refusal):
    """Facts are stamped by the server's clock for ever: somebody looks at it before the first."""

    zh: ClassVar[str] = (
        "服务器时间是 {server}，您的设备是 {device}。请先校准服务器时钟；"
        "如果是您的设备不准，请确认后继续"
    )
    en: ClassVar[str] = (
        "The server says that it is {server}, your device {device}. Set the server's clock right "
        "first; if it is your device that is wrong, confirm and go on."
    )
    server: datetime
    device: datetime


class Run(msgspec.Struct, frozen=True):
    """A beginning under way, as the pages tell of it. ``failed``: why it stopped, zh and en.

    ``by``: the process, and ``at`` when it said so. ``invitation``: the code, sealed for the
    session, until ``expires``.
    """

    by: str = ""
    at: datetime = datetime(1970, 1, 1, tzinfo=UTC)
    running: bool = False
    done: int = 0
    of: int = 0
    failed: tuple[str, str] | None = None
    invitation: str = ""
    login: str = ""
    expires: float = 0.0


@dataclass
class Setup:
    """The door and what goes on behind it. Any number of processes serve one store."""

    system: System
    register: Register = field(default_factory=Register)

    def __post_init__(self) -> None:
        self.beginning = Beginning(self.system, self.register)
        self.door = Door(self.system.store)
        self._me = os.urandom(8).hex()
        self._failed: tuple[str, str] | None = None
        self._ended = False
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    # -- the door -----------------------------------------------------------------------------

    @property
    def code(self) -> str:
        return self.door.code

    def ended(self) -> bool:
        """Whether there is nothing to set up here any more. Once so, always so."""
        if not self._ended:
            log_ = self.system.store.log
            kept = begun_here(log_)
            if kept is None:
                self._ended = log_.mark(DEMO) is not None or log_.head() > 0
            else:
                self._ended = self.beginning.accepted()
        return self._ended

    def closed(self) -> bool:
        """Whether the code opens nothing: used, guessed at too often, or nothing left to do."""
        return self.ended() or self.door.closed()

    def enter(self, code: str) -> str:
        """The secret of the one session, for the right code. 410 if closed, 403 if it is wrong."""
        token = None if self.ended() else self.door.enter(code)
        if token is None:
            raise setup_over()
        return token

    def session(self, token: str) -> str:
        """The form token of the session. 410 if all is over, 401 if it is not this session."""
        if self.ended():
            raise setup_over()
        csrf = self.door.session(token)
        if csrf is not None:
            return csrf
        if self.closed():
            raise setup_over()
        raise ApiProblem(
            401, "setup-code-missing", "请先输入启动码", "Enter the code that relief serve printed."
        )

    # -- what goes on -------------------------------------------------------------------------

    def check_clock(self, browser_time: datetime | None) -> None:
        """`ClocksDiffer` if the browser's clock says another time than the server's."""
        now = self.system.store.clock.now()
        if browser_time is None:
            return
        if abs(now - browser_time) > CLOCKS_APART:
            raise ClocksDiffer(server=now, device=browser_time)

    @property
    def run(self) -> Run:
        """The newest run, whichever process it is in."""
        found = self.system.store.log.mark(RUN)
        run = msgspec.json.decode(found, type=Run) if found is not None else Run()
        mine = run.by == self._me
        lives = self._lives() if mine else machine_now() - run.at < QUIET
        if mine and self._failed is not None:  # also where the log could not take it down
            return replace(run, running=False, failed=self._failed)
        return run if lives or not run.running else replace(run, running=False)

    def _lives(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def _say(self, **changed: Any) -> None:
        said = replace(self.run, by=self._me, at=machine_now(), **changed)
        self.system.store.log.set_mark(RUN, msgspec.json.encode(said).decode())

    def begin(self, choice: Choice, admin: Administrator, token: str) -> None:
        """Start the steps, beside the requests. Raises a `Refusal` for what can never be done."""
        checked(admin)
        self.beginning.require_fit(choice)
        with self._lock:
            if self.run.running:
                return
            self._thread = threading.Thread(
                target=self._begin, args=(choice, admin, token), name="beginning"
            )
            self._failed = None
            self._say(running=True, done=0, of=0, failed=None)
            self._thread.start()

    def _begin(self, choice: Choice, admin: Administrator, token: str) -> None:
        failed: tuple[str, str] | None = None
        made: Invitation | None = None
        try:
            made = self.beginning.run(
                choice, admin, told=lambda done, of: self._say(running=True, done=done, of=of)
            ).invitation
        except Refusal as refusal:
            failed = refusal.sentence("zh"), refusal.sentence("en")
        except Refused as refused:
            failed = refused.problem.zh, refused.problem.en
        except StoreError as problem:
            failed = problem.zh, str(problem)
        except Exception as problem:  # whatever it is, somebody sits before the page and waits
            log.exception("setup_failed")
            failed = unforeseen(problem)
        new = {} if made is None else _sealed(made, token)  # a run with nothing to do makes none
        self._failed = failed
        with suppress(StoreError):
            self._say(running=False, failed=failed, **new)

    def renew(self, token: str) -> Invitation:
        """Another code for the administrator, in place of one that was lost."""
        if begun_here(self.system.store.log) is None or self.beginning.login() is None:
            raise ApiProblem(409, "not-set-up", "账本尚未建好", "The store is not set up yet.")
        made = self.beginning.invite()
        self._say(**_sealed(made, token))
        return made

    def state(self, token: str) -> dict[str, Any]:
        """How it stands, as `GET /v1/setup` says it to the session of that secret."""
        choice, run = begun_here(self.system.store.log), self.run
        rehearsal = self.beginning.rehearsed()
        found: dict[str, Any] = {
            "county": None,
            "exercise": choice is not None and choice.training,
            "running": run.running,
            "done": run.done,
            "of": run.of,
            "failed": None
            if run.failed is None
            else dict(zip(("zh", "en"), run.failed, strict=True)),
            "ready": not not_set_up(self.system.store.log),
            "steps": [] if run.running else self.beginning.steps(),
            "admin": {"login": None, **invited(None)},
            "keys": self.beginning.key_file()
            | {"sealing_fingerprint": self.beginning.sealing_fingerprint()},
            "rehearsal": None
            if rehearsal is None
            else {"at": rehearsal.at, "head": rehearsal.head},
            "rulebooks": [],
        }
        if choice is not None:
            seat = self.beginning.seat(choice)
            found["county"] = {
                "code": seat.code,
                "name": seat.name,
                "level": seat.level,
                "path": seat.path,
            }
            divided = self.beginning.divided(choice)
            found["areas"] = {"townships": divided.townships, "villages": divided.villages}
            made = _opened(run, token)
            found["admin"] = {"login": self.beginning.login(), **invited(made)}
            if found["ready"]:
                found["rulebooks"] = self.beginning.rulebooks(choice)
        return found

    def close(self) -> None:
        """Wait for a beginning that is under way."""
        if self._thread is not None:
            self._thread.join(CLOSING_SECONDS)


def unforeseen(problem: Exception) -> tuple[str, str]:
    """What to say of a fault of the program itself, and how to go on, zh and en."""
    name = type(problem).__name__
    return (
        f"程序出现意外错误（{name}），建账没有完成。已建好的部分不会丢失："
        "请再点一次“开始建账”，从中断处继续。若仍然出错，请在服务器上重启 relief serve 后再试，"
        "并把服务器日志交给维护人员",
        f"A fault of the program ({name}) stopped the setting up. What was made is kept: press "
        "Begin once more to go on from there. If it comes again, start relief serve again on the "
        "server and try; give whoever looks after the program the server's log.",
    )


def _sealed(made: Invitation, token: str) -> dict[str, Any]:
    nonce = os.urandom(NONCE)
    box = nonce + _cipher(token).encrypt(nonce, made.code.encode(), None)
    told = base64.b64encode(box).decode()
    return {"invitation": told, "login": made.login, "expires": made.expires}


def _opened(run: Run, token: str) -> tuple[str, float] | None:
    """The code of the newest invitation and until when it is good, for the session it is for."""
    box = base64.b64decode(run.invitation)
    try:
        code = _cipher(token).decrypt(box[:NONCE], box[NONCE:], None) if box else b""
    except InvalidTag:  # of an earlier session: another one is made by a click
        return None
    return (code.decode(), run.expires) if code else None


def _cipher(token: str) -> AESGCM:
    return AESGCM(hashlib.sha256(f"setup invitation {token}".encode()).digest())


def invited(made: tuple[str, float] | None) -> dict[str, Any]:
    if made is None:
        return {"invitation": None, "path": None, "expires_at": None}
    code, expires = made
    return {
        "invitation": code,
        "path": page_of(plain(code)),
        "expires_at": datetime.fromtimestamp(expires, UTC),
    }
