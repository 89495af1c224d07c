"""What a process does for an import that it holds: check the list, or write it, batch by batch.

After each batch it is kept how far the job has come (`intake.jobs`). Broken off in between, the
next process begins with that batch: its commands are the same, so that they are carried out once.
"""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import PurePath
from typing import Final, Literal

import msgspec

from domain.rules.household_kinds import HouseholdKinds
from eventstore.limiter import LimitReached
from eventstore.limits_reached import limit_reached
from eventstore.store import Store
from intake.guard import IntakeLimits
from intake.job import Job, Part, State, Why
from intake.jobs import JobLost, Jobs
from intake.placing import Places
from intake.refused import FileRefused
from intake.refused_rows import refused_workbook
from intake.results import Report, RowReport
from intake.runner import Importer, Resumed
from intake.sending import RunMany
from intake.sent import SentFile, sent_file

Step = Literal["checked", "ran"]
REASONS: Final[dict[Step, Part]] = {"checked": "reasons-checked", "ran": "reasons-ran"}


class _Reasons(msgspec.Struct, frozen=True):
    """Of one row that was not taken. ``doubted``: it may be somebody who is known already."""

    sheet: str
    row: int
    why: list[str]
    doubted: bool


_REASONS = msgspec.msgpack.Decoder(list[_Reasons])


@dataclass(frozen=True, slots=True)
class Ground:
    """What a list is read against: the place it is about, and how much it may cost."""

    places: Places
    kinds: HouseholdKinds
    today: date
    limits: IntakeLimits


class Work:
    """One job in hand. Raises `JobLost` when it is taken away meanwhile, or the process stops
    (``stopping``): then somebody else goes on."""

    def __init__(
        self,
        store: Store,
        jobs: Jobs,
        job: Job,
        ground: Ground,
        run_many: RunMany,
        stopping: Callable[[], bool] = lambda: False,
    ) -> None:
        self._store = store
        self._jobs = jobs
        self._job = job
        self._ground = ground
        self._run_many = run_many
        self._stopping = stopping
        self._batch: list[_Reasons] = []

    def go(self) -> None:
        """The step that is next for the job."""
        job = self._job
        try:
            with self._file() as file:
                if job.state is State.CHECKING:
                    self._check(file)
                else:
                    self._run(file)
        except FileRefused as refused:
            job.state = State.FAILED
            job.why = Why(refused.code, refused.reason_zh, refused.reason_en)
            if refused.code == "too-many-rows":
                limit_reached("import_rows")
            self._jobs.end(job)
        except LimitReached as reached:
            job.waits_until = self._jobs.now() + reached.retry_after
            self._jobs.keep(job, release=True)

    @contextlib.contextmanager
    def _file(self) -> Iterator[SentFile]:
        content = self._jobs.whole(self._job.id, "file")
        if content is None:
            raise FileRefused("file-missing")
        with sent_file(PurePath(self._job.file).name, content) as file:
            del content
            yield file

    def _check(self, file: SentFile) -> None:
        """From the beginning: nothing that it does lasts."""
        job = self._job
        job.batches = job.rows = job.of = 0
        self._jobs.drop(job, "reasons-checked")
        report = self._importer("checked", None).check(
            file, self._ground.today, self._ground.limits
        )
        job.of, job.rows = report.rows, report.rows
        job.state = State.CHECKED
        self._end("checked", report, file)

    def _run(self, file: SentFile) -> None:
        job = self._job
        job.state, job.waits_until = State.RUNNING, 0.0
        self._jobs.keep(job)
        resumed = None
        kept = self._jobs.whole(job.id, "ran")
        if kept is not None:
            report = msgspec.msgpack.decode(kept, type=Report)
            doubted = frozenset((one.sheet, one.row) for one in self._reasons("ran") if one.doubted)
            resumed = Resumed(job.batches, report, doubted)
        ground = self._ground
        report = self._importer("ran", resumed).run(file, ground.today, ground.limits)
        job.state, job.position = State.DONE, self._store.head()
        self._end("ran", report, file)

    def _importer(self, step: Step, resumed: Resumed | None) -> Importer:
        job = self._job

        def kept(report: Report) -> None:
            reasons = msgspec.msgpack.encode(self._batch)
            number, job.batches, job.rows = job.batches, job.batches + 1, report.rows
            parts: list[tuple[Part, int, bytes]] = [(REASONS[step], number, reasons)]
            if step == "ran":
                job.ran = _figures(report)
                parts.append(("ran", 0, msgspec.msgpack.encode(report)))
            self._batch = []
            self._jobs.keep(job, *parts, release=self._stopping())
            if self._stopping():
                raise JobLost

        return Importer(
            self._store,
            job.confirmed_by or job.officer,
            self._ground.places,
            self._ground.kinds,
            default_category=job.category,
            progress=kept,
            sink=self._take,
            ignore_columns=job.ignore_columns,
            hidden_rows=job.hidden_rows,
            job=job.id,
            run_many=self._run_many,
            resumed=resumed,
        )

    def _take(self, row: RowReport) -> None:
        if row.problems:
            why = list(dict.fromkeys(one.zh for one in row.problems))
            doubted = any(one.rule.startswith("head-") for one in row.problems)
            self._batch.append(_Reasons(row.sheet, row.row, why, doubted))

    def _reasons(self, step: Step) -> list[_Reasons]:
        pieces = self._jobs.pieces(self._job.id, REASONS[step]) or ()
        return [one for piece in pieces for one in _REASONS.decode(piece)]

    def _end(self, step: Step, report: Report, file: SentFile) -> None:
        """The step is done: its figures, its faults, and the rows that were refused."""
        job = self._job
        reasons = {(one.sheet, one.row): one.why for one in self._reasons(step)}
        job.refused_rows = len(reasons)
        workbook = None
        if reasons:
            ground = self._ground
            workbook = refused_workbook(file, reasons, ground.today, ground.limits)
        if step == "checked":
            job.checked = _figures(report)
        else:
            job.ran = _figures(report)
        self._jobs.end(job, faults=msgspec.msgpack.encode(report), workbook=workbook)


def _figures(report: Report) -> Report:
    """Without the single faults, which are kept for a day only."""
    return msgspec.structs.replace(report, faults=[], differences=[])
