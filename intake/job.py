"""One import that an officer sent: its states, and why something cannot be done to it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, Final, Literal
from uuid import UUID

import msgspec

from domain.refusal import Refusal
from intake.results import Report
from intake.rows import HiddenRows


class State(StrEnum):
    CHECKING = "checking"
    CHECKED = "checked"
    CONFIRMED = "confirmed"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


OPEN: Final = (State.CHECKING, State.CHECKED, State.CONFIRMED, State.RUNNING)
IN_HAND: Final = (State.CHECKING, State.CONFIRMED, State.RUNNING)
"""What a process has to do something for."""
UNDER_WAY: Final = (State.CONFIRMED, State.RUNNING)
"""What somebody has confirmed: of an area, one after the other."""


@dataclass(eq=False)
class TooManyImports(Refusal):
    status: ClassVar[int] = 429
    zh: ClassVar[str] = "等待处理的导入已有 {most} 份，请先确认或取消已有的，稍后再试"
    en: ClassVar[str] = (
        "There are {most} {most:import|imports} waiting: confirm or cancel some, or try later."
    )
    most: int


@dataclass(eq=False)
class ImportNotChecked(Refusal):
    status: ClassVar[int] = 409
    zh: ClassVar[str] = "名单还在核对，请等核对结束后再确认"
    en: ClassVar[str] = "The list is still being checked: confirm it when that has ended."


@dataclass(eq=False)
class ImportOver(Refusal):
    status: ClassVar[int] = 410
    zh: ClassVar[str] = "这次导入已经结束，请重新上传名单"
    en: ClassVar[str] = "This import is over: send the list again."


@dataclass(eq=False)
class RefusedRowsGone(Refusal):
    status: ClassVar[int] = 410
    zh: ClassVar[str] = "未导入的行只保留一天，现已删除，请重新上传名单"
    en: ClassVar[str] = "The refused rows are kept for a day and were deleted: send the list again."


@dataclass(eq=False)
class RefusedRowsOfOthers(Refusal):
    """They name people with their ID numbers, which others see household by household only, each
    with a reason that is kept (`Household.Revealed`)."""

    status: ClassVar[int] = 403
    zh: ClassVar[str] = "未导入的行含身份证号，只有上传或确认这份名单的人员可以下载"
    en: ClassVar[str] = (
        "The refused rows have ID numbers: they are for who sent or confirmed the list."
    )


class Why(msgspec.Struct, frozen=True):
    """Why a job failed."""

    rule: str
    zh: str
    en: str


class Job(msgspec.Struct):
    """One list on its way. ``figures`` are those of the check, then of the run, without the single
    faults. ``batches``, ``rows``: how far the present step has come, of ``of`` rows.

    ``waits_until``: the officer's quota is used up until then (seconds since 1970).
    """

    id: UUID
    officer: UUID
    area: UUID
    file: str
    category: str
    begun: float
    digest: str
    ignore_columns: bool = False
    hidden_rows: HiddenRows = HiddenRows.ASK
    state: State = State.CHECKING
    changed: float = 0.0
    confirmed_by: UUID | None = None
    confirmed: float = 0.0
    checked: Report | None = None
    ran: Report | None = None
    batches: int = 0
    rows: int = 0
    of: int = 0
    refused_rows: int = 0
    position: int = 0
    waits_until: float = 0.0
    why: Why | None = None
    holder: str = ""

    def shows_rows_to(self, officer: UUID) -> bool:
        """Whether the officer may have its refused rows in plain: to mend them."""
        return officer in (self.officer, self.confirmed_by)

    @property
    def figures(self) -> Report | None:
        return self.ran or self.checked


Part = Literal["file", "ran", "reasons-checked", "reasons-ran", "faults", "refused-rows"]
"""What lies sealed beside a job: its list; while it is written, its report and what every batch
refused; of the step that ended last, the report with every fault, and the refused rows."""


MADE_ROOM: Final = Why(
    "import-made-room",
    "等待确认的名单太多，这份一直没有确认，已删除，请重新上传",
    "Too many lists wait for a confirmation: this one was not confirmed, and was deleted. Send it"
    " again.",
)
TOO_LATE: Final = Why(
    "import-too-late",
    "上传后一天内没有完成，名单已删除，请重新上传",
    "It was not done within a day, and the list was deleted: send it again.",
)
