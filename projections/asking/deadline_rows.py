"""What a question for deadlines asks, and how a row that answers it is shaped at that time."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import (
    ColumnElement,
    Select,
    String,
    func,
    literal,
    true,
    type_coerce,
)

from domain.lateness import IN_TIME, NEVER_HELD, HeldTime, whole_minutes
from projections.areas import AREAS
from projections.asking.paging import beyond
from projections.asking.scope import Scope
from projections.deadlines import DUE
from projections.folding.base import Row, when
from projections.situation import REPORTS

ORDER = ("due_at", "kind", "subject", "start", "number")
FOLLOW_UP = "follow_up"
BY_DAY = (
    DUE.c.due_at,
    DUE.c.kind,
    DUE.c.subject,
    type_coerce(literal(""), String),
    DUE.c.number,
)
DUE_ORDER = (DUE.c.due_at, DUE.c.kind, DUE.c.subject, DUE.c.number)
"""What has no start is ordered by ``ORDER`` as if it were empty."""


@dataclass(frozen=True)
class Asked:
    """One question."""

    at: datetime
    kind: str | None
    overdue_only: bool
    done: bool
    exercise: bool
    cursor: str | None
    limit: int
    disasters: tuple[str, ...] | None = None
    itself: UUID | None = None
    held: HeldTime = NEVER_HELD

    def owed_by(self, area: Any) -> ColumnElement[bool]:
        """Whether the area that was asked about owes it by itself (any, if none was)."""
        return true() if self.itself is None else area == str(self.itself)

    def about(self, reports: Any) -> ColumnElement[bool]:
        """Whether a row is of the disaster that was asked about (all, if none was)."""
        if self.disasters is None:
            return true()
        found: ColumnElement[bool] = reports.c.disaster.in_(self.disasters)
        return found

    @property
    def now(self) -> str:
        return when(self.at)

    @property
    def states(self) -> tuple[str, ...]:
        found = ("overdue", "missing") if self.overdue_only else OPEN
        return (*found, "done", "done_late", "closed") if self.done else found


OPEN = ("open", "ended", "overdue", "missing")


def shaped(row: Any, asked: Asked, *, missing: bool = False, closed: bool = False) -> Row:
    """With its state at that time; what was done later is not done yet."""
    found = {"start": "", **dict(row)}
    counts = found.pop("counts", True)
    if isinstance(found["detail"], str):
        found["detail"] = msgspec.json.decode(found["detail"])
    told = found["detail"].pop("late", None)
    done_at = found["done_at"]
    if done_at is not None and done_at > asked.now:
        done_at = found["done_at"] = None
    if found["kind"] == "notice_end":
        ended = asked.held.left(_moment(found["due_at"]), _moment(asked.now)) < IN_TIME
        found |= {"late_minutes": 0, "state": "done" if done_at else "ended" if ended else "open"}
        return found
    upto = _moment(done_at or asked.now)
    late = asked.held.late_by(_moment(found["due_at"]), upto) if counts else IN_TIME
    if done_at is not None and told is not None:
        late = timedelta(minutes=told)
    if closed and done_at is None:
        late, state = IN_TIME, "closed"
    elif done_at is None:
        state = "open" if late == IN_TIME else "missing" if missing else "overdue"
    else:
        state = "done" if late == IN_TIME else "done_late"
    found |= {"late_minutes": whole_minutes(late), "state": state}
    return found


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def named(query: Any, area: Any) -> Any:
    names = (
        AREAS.c.name.label("area_name"),
        AREAS.c.level.label("level"),
        REPORTS.c.hazard,
        REPORTS.c.sub_hazard,
        REPORTS.c.occurred_at,
        REPORTS.c.disaster,
        REPORTS.c.review,
    )
    return query.add_columns(*names).join(AREAS, AREAS.c.id == area)


def plain(scope: Scope, column: Any) -> Any:
    """A column whose index serves wide scopes only: others are read area by area."""
    return column if scope.wide else func.coalesce(column, column)


def paged(query: Select[Any], asked: Asked) -> Select[Any]:
    """One row more than a page of what comes after the cursor."""
    if asked.cursor is not None:
        query = query.where(beyond(asked.cursor, BY_DAY))
    return query.order_by(*DUE_ORDER).limit(asked.limit + 1)


def key_of(row: Row) -> tuple[Any, ...]:
    return tuple(row[name] for name in ORDER)
