"""What is done by itself when its time has come: by the system, never before it, and once."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar
from uuid import UUID

from domain.lateness import IN_TIME, Counting
from domain.refusal import Refusal

SAME = timedelta(milliseconds=1)
"""Views keep moments to the millisecond, and what is due is read from them."""


@dataclass(eq=False)
class NotDueYet(Refusal):
    """The clock has not reached it. It may be asked for again."""

    zh: ClassVar[str] = "此事项（{subject}）到 {due_at} 才到期，现为 {now}"
    en: ClassVar[str] = "This matter ({subject}) falls due on {due_at}; it is {now}."
    subject: UUID
    due_at: datetime
    now: datetime


@dataclass(eq=False)
class NothingDue(Refusal):
    """It was done, or what it was due for has changed, before the system came to it."""

    zh: ClassVar[str] = "此事项（{subject}）已无 {due_at} 到期的步骤：已办理或已变更"
    en: ClassVar[str] = (
        "Nothing of this matter ({subject}) is due since {due_at}: it is done or has changed."
    )
    subject: UUID
    due_at: datetime


def check_due(subject: UUID, due_at: datetime, awaited: datetime | None, now: Counting) -> None:
    """Refuse what is not awaited for that very time, and what is not due yet."""
    if awaited is None or abs(awaited - due_at) >= SAME:
        raise NothingDue(subject=subject, due_at=due_at)
    if now.left(awaited) > IN_TIME:
        raise NotDueYet(subject=subject, due_at=awaited, now=now.at)
