"""The way into a store in which nobody is in post yet: a code, one session, then nothing.

`relief serve` prints the code where only who keeps the machine sees it. Ten wrong tries, or one
right one, and it is of no use any more: another start prints another code. All of it is gone for
good once the administrator has accepted the invitation (decision 0050). It lives in this process:
nothing of it is in the log or the vault.
"""

import hmac
import secrets
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, Final

import structlog

from api.beginning import Administrator, Beginning, checked
from api.begun import DEMO, begun_here, not_set_up
from api.choosing import Choice
from api.invitations import page_of
from api.problems import ApiProblem
from api.system import System
from domain.refusal import Refusal
from eventstore.errors import StoreError
from eventstore.invitations import ALPHABET, Invitation, grouped, plain
from eventstore.outcomes import Refused
from intake.register import Register

log = structlog.get_logger("relief.setup")
CODE_LENGTH: Final = 8
TRIES: Final = 10
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


@dataclass
class Run:
    """A beginning under way, as the pages tell of it. ``failed``: why it stopped, zh and en."""

    done: int = 0
    of: int = 0
    running: bool = False
    failed: tuple[str, str] | None = None
    invitation: Invitation | None = None


@dataclass
class Setup:
    """The door and what goes on behind it. One object serves one process."""

    system: System
    register: Register = field(default_factory=Register)
    run: Run = field(default_factory=Run)

    def __post_init__(self) -> None:
        self.beginning = Beginning(self.system, self.register)
        self.code = grouped("".join(secrets.choice(ALPHABET) for _ in range(CODE_LENGTH)))
        self._tries = TRIES
        self._token = ""
        self._csrf = secrets.token_urlsafe(24)
        self._ended = False
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    # -- the door -----------------------------------------------------------------------------

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
        return self.ended() or bool(self._token) or self._tries <= 0

    def enter(self, code: str) -> str:
        """The secret of the one session, for the right code. 410 if closed, 403 if it is wrong."""
        if self.ended():
            raise setup_over()
        with self._lock:
            if self.closed():
                raise setup_over()
            if not hmac.compare_digest(plain(code).encode(), plain(self.code).encode()):
                self._tries -= 1
                log.warning("setup_code_wrong", left=self._tries)
                raise ApiProblem(
                    403,
                    "setup-code-wrong",
                    f"启动码不对，还可再试 {self._tries} 次",
                    f"This is not the code. {self._tries} tries are left.",
                )
            self._token = secrets.token_urlsafe(32)
            return self._token

    def session(self, token: str) -> str:
        """The form token of the session. 410 if all is over, 401 if it is not this session."""
        if self.ended():
            raise setup_over()
        if self._token and hmac.compare_digest(token.encode(), self._token.encode()):
            return self._csrf
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

    def begin(self, choice: Choice, admin: Administrator) -> None:
        """Start the steps, beside the requests. Raises a `Refusal` for what can never be done."""
        checked(admin)
        self.beginning.require_fit(choice)
        with self._lock:
            if self.run.running:
                return
            self.run = Run(running=True, invitation=self.run.invitation)
            self._thread = threading.Thread(
                target=self._begin, args=(choice, admin), name="beginning"
            )
            self._thread.start()

    def _begin(self, choice: Choice, admin: Administrator) -> None:
        run = self.run

        def told(done: int, of: int) -> None:
            run.done, run.of = done, of

        try:
            made = self.beginning.run(choice, admin, told=told).invitation
            run.invitation = made or run.invitation  # a run that has nothing to do makes none
        except Refusal as refusal:
            run.failed = refusal.sentence("zh"), refusal.sentence("en")
        except Refused as refused:
            run.failed = refused.problem.zh, refused.problem.en
        except StoreError as problem:
            run.failed = problem.zh, str(problem)
        finally:
            run.running = False

    def renew(self) -> Invitation:
        """Another code for the administrator, in place of one that was lost."""
        if begun_here(self.system.store.log) is None or self.beginning.login() is None:
            raise ApiProblem(409, "not-set-up", "账本尚未建好", "The store is not set up yet.")
        self.run.invitation = self.beginning.invite()
        return self.run.invitation

    def state(self) -> dict[str, Any]:
        """How it stands, as `GET /v1/setup` says it."""
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
            "admin": {"login": None, "invitation": None, "path": None, "expires_at": None},
            "keys": self.beginning.key_file()
            | {"sealing_fingerprint": self.beginning.sealing_fingerprint()},
            "rehearsal": None
            if rehearsal is None
            else {"at": rehearsal.at, "head": rehearsal.head},
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
            found["admin"] = {"login": self.beginning.login(), **invited(run.invitation)}
        return found

    def close(self) -> None:
        """Wait for a beginning that is under way."""
        if self._thread is not None:
            self._thread.join(CLOSING_SECONDS)


def invited(made: Invitation | None) -> dict[str, Any]:
    if made is None:
        return {"invitation": None, "path": None, "expires_at": None}
    return {
        "invitation": made.code,
        "path": page_of(plain(made.code)),
        "expires_at": datetime.fromtimestamp(made.expires, UTC),
    }
