"""Imports being done: one thread a process takes the jobs of the store, one after the other.

A thread of its own, so that no read and no other command waits for a list; the parsing of a
workbook is a child's (`intake.sandbox`). What a thread leaves undone another process takes up.
"""

import threading
from collections.abc import Sequence
from typing import Final

import structlog

from api.auth import Caller
from api.limits import Taken
from api.system import System
from domain.access import posts_at
from domain.commands.households import REGISTRARS
from domain.officer import Officer, OfficerSuspended
from domain.posts import post_of
from domain.refusal import NotFound, Refusal
from domain.rules.base import china_day
from eventstore.accounts import Session
from eventstore.batch import Answer
from eventstore.errors import StoreError
from eventstore.limiter import LimitReached
from eventstore.outcomes import Envelope, Receipt, Refused
from eventstore.sql import DATABASE_ERRORS
from intake.guard import IntakeLimits
from intake.job import Job, State, Why
from intake.job_work import Ground, Work
from intake.jobs import JobLost, Jobs
from intake.known_places import kinds_in_force, places_below

log = structlog.get_logger("relief.imports")

IDLE_SECONDS: Final = 5.0
"""How long a job waits that another process took in, or that was broken off."""
SWEEP_SECONDS: Final = 300.0
"""How often lists that have lain for a day are looked for."""
CLOSING_SECONDS: Final = 20.0
"""How long a process that stops waits for the present batch."""
FAILED: Final = Why(
    "import-broken",
    "程序出错，请联系管理员查看服务器日志",
    "The program failed. Tell your administrator: the server's log says why.",
)
SUSPENDED: Final = Why(
    OfficerSuspended.code(),
    "上传或确认这份名单的人员现在不能办理，名单没有导入完，请由其他人员重新上传",
    "Who sent or confirmed the list may not act now, and it was not imported to the end: let"
    " somebody else send it again.",
)


class Importing:
    """The imports of one process."""

    def __init__(self, system: System) -> None:
        self._system = system
        limits = system.limits
        self.jobs = Jobs(
            system.store.vault,
            lambda area, root: system.tree.inside(area, (root,)),
            an_officer=limits.imports_an_officer,
            waiting=limits.imports_waiting,
        )
        self._lock = threading.Lock()
        self._come = threading.Event()
        self._over = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to take up jobs. Called twice, there is still one thread."""
        with self._lock:
            if self._thread is not None and self._thread.is_alive():
                return
            self._over.clear()
            thread = threading.Thread(target=self._run, name="imports", daemon=True)
            thread.start()
            self._thread = thread

    def wake(self) -> None:
        """There is something to do."""
        self._come.set()

    def close(self) -> None:
        """Stop after the present batch."""
        with self._lock:
            self._over.set()
        self._come.set()
        if self._thread is not None:
            self._thread.join(CLOSING_SECONDS)

    def _run(self) -> None:
        swept = 0.0
        while not self._over.is_set():
            try:
                now = self.jobs.now()
                if now - swept > SWEEP_SECONDS:
                    self.jobs.sweep()
                    swept = now
                job = self.jobs.claim()
                if job is not None:
                    self._do(job)
                    continue
            except (StoreError, *DATABASE_ERRORS) as problem:
                log.warning("imports-wait", why=type(problem).__name__)
            self._come.wait(IDLE_SECONDS)
            self._come.clear()

    def _do(self, job: Job) -> None:
        try:
            self._work(job).go()
        except JobLost:
            return
        except OfficerSuspended:  # its sentence is for that officer, and says why
            self._fail(job, SUSPENDED)
        except Refusal as refused:  # the officer's post has ended, or the area's rules
            self._fail(job, Why(refused.code(), refused.sentence("zh"), refused.sentence("en")))
        except (StoreError, *DATABASE_ERRORS):
            raise
        except Exception:
            log.exception("import-failed", job=str(job.id))
            self._fail(job, FAILED)

    def _fail(self, job: Job, why: Why) -> None:
        job.state, job.why = State.FAILED, why
        try:
            self.jobs.end(job)
        except JobLost:
            return

    def _work(self, job: Job) -> Work:
        system = self._system
        store = system.store
        system.look_again()
        officer = system.officer(job.confirmed_by or job.officer)
        if officer is None:
            raise NotFound(kind="Officer", id=job.officer)
        nobody = Session(officer.id, "", "token", "", 0.0)
        scope = Caller(system, nobody, officer).scope(REGISTRARS, job.area)
        with system.reader() as db:
            places = places_below(store, db, scope, job.area)
        kinds = kinds_in_force(store, system.tree.lineage(job.area))
        ground = Ground(places, kinds, china_day(store.clock.now()), limits_of(system))
        return Work(store, self.jobs, job, ground, _Counted(system, officer), self._over.is_set)


def limits_of(system: System) -> IntakeLimits:
    """What one list may cost."""
    limits = system.limits
    return IntakeLimits(packed_bytes=limits.import_bytes, rows=limits.import_rows)


class _Counted:
    """`Store.run_many` within the quota of an officer, as if each command were sent by itself.

    Raises `LimitReached` once what the quota leaves is done.
    """

    def __init__(self, system: System, officer: Officer) -> None:
        self._system = system
        self._officer = officer

    def __call__(self, envelopes: list[Envelope]) -> Sequence[Answer]:
        quotas = self._system.quotas
        held = posts_at(self._officer, self._system.store.clock.now())
        roles = REGISTRARS & {post_of(post).role for post in held}
        taken: list[Taken] = []
        beyond: LimitReached | None = None
        for one in envelopes:
            try:
                taken.append(quotas.take(self._officer.id, one.command, roles, saves_lives=False))
            except LimitReached as reached:
                beyond = reached
                break
        answers = self._system.store.run_many(envelopes[: len(taken)])
        for answer, price in zip(answers, taken, strict=True):
            self._count(answer, price)
        if beyond is not None:
            raise beyond
        return answers

    def _count(self, answer: Answer, taken: Taken) -> None:
        if not isinstance(answer, Receipt) or answer.repeated:
            taken.give_back()
        if isinstance(answer, Receipt | Refused):
            self._system.quotas.contested(self._officer.id, answer)
