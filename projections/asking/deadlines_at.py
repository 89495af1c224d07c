"""What is due, overdue, missing or late at a given time, from the rows of `projections.deadlines`.

Kept beside the view for its length: it has no table of its own. Each source of rows is read in the
order of a page and no further than the page wants.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from heapq import merge
from itertools import islice
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    String,
    and_,
    case,
    func,
    literal,
    or_,
    select,
    true,
    tuple_,
    type_coerce,
)

from domain.lateness import IN_TIME, NEVER_HELD, HeldTime, whole_minutes
from domain.report_filing import Review
from domain.rules.deadlines import FollowUpDuty, Occurrence, next_occurrence, occurrences
from projections.areas import AREAS
from projections.asking.counted import over
from projections.asking.paging import Page, allowed, beyond, cut, values_of
from projections.asking.scope import Scope
from projections.deadlines import ANSWERS, DUE, DUTIES, FORWARD, NEVER
from projections.disasters import absorbed_into
from projections.folding.base import Row, when
from projections.sections.duties import rule_of
from projections.situation import REPORTS, VERSIONS

LONGEST_DUTY = 400
"""A duty that nobody ended is enumerated this many times at most."""
DUTIES_AT_ONCE = 250
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


def deadlines(
    db: Connection,
    scope: Scope,
    *,
    at: datetime | None = None,
    held: HeldTime = NEVER_HELD,
    kind: str | None = None,
    disaster: UUID | None = None,
    itself: UUID | None = None,
    overdue_only: bool = False,
    done: bool = False,
    exercise: bool = False,
    cursor: str | None = None,
    limit: int = 100,
) -> Page:
    """What is due at a time (now, unless ``at`` is given), by when; what was done with ``done``.

    ``state``: open, overdue, missing (a follow-up nobody sent and nobody can send any more: later
    ones were, or the situation is stable), ended (a notice that hung its days: the next step may
    be taken), done, done_late, or closed (a follow-up that the area above has answered for by one
    of its own). ``disaster``: only what its reports owe; ``itself``: only what that area owes, not
    those below it. ``level`` is that of the ``area`` that owes it to the one above. ``kind``:
    initial_report, follow_up, verified_report, forward_report, send_upward, notice_end,
    season_assessment, season_delivery, list_delivery, goods_needed, goods_arrival.
    In ``detail``: ``unconfirmed``, ``plain_weekends``: what is amiss with how the time was set.
    """
    assert at is not None, "the edge fills in its clock"
    within = None if disaster is None else tuple(absorbed_into(db, disaster))
    asked = Asked(
        at,
        kind,
        overdue_only,
        done,
        exercise,
        cursor,
        allowed(limit),
        within,
        itself,
        held,
    )
    scope = scope.on(db)
    found: list[Row] = []
    if kind not in (FOLLOW_UP, FORWARD):
        found += _once(db, scope, asked)
    if kind in (None, FORWARD):
        found += _forwards(db, scope, asked)
    if kind in (None, FOLLOW_UP):
        found += _follow_ups(db, scope, asked)
    return cut(found, ORDER, cursor=cursor, limit=limit)


def _shaped(row: Any, asked: Asked, *, missing: bool = False, closed: bool = False) -> Row:
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


def _named(query: Any, area: Any) -> Any:
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


def _plain(scope: Scope, column: Any) -> Any:
    """A column whose index serves wide scopes only: others are read area by area."""
    return column if scope.wide else func.coalesce(column, column)


def _paged(query: Select[Any], asked: Asked) -> Select[Any]:
    """One row more than a page of what comes after the cursor."""
    if asked.cursor is not None:
        query = query.where(beyond(asked.cursor, BY_DAY))
    return query.order_by(*DUE_ORDER).limit(asked.limit + 1)


def _once(db: Connection, scope: Scope, asked: Asked) -> Iterator[Row]:
    """What waits by the day it is due; what was done, or was done after the time asked about."""
    d, now = DUE.c, asked.now
    columns = [c for c in DUE.columns if c is not d.waits]
    query = _named(select(*columns), d.area).outerjoin(REPORTS, REPORTS.c.report == d.subject)
    query = query.where(
        scope.covers(d.area),
        _plain(scope, d.exercise).is_(asked.exercise),
        d.kind != FORWARD,
        d.since <= now,
        asked.about(REPORTS),
        asked.owed_by(d.area),
    )
    if asked.kind is not None:
        query = query.where(_plain(scope, d.kind) == asked.kind)
    late = and_(over(d.due_at, asked.held, asked.at), d.kind != "notice_end")
    waiting = query.where(d.waits.is_(True))
    past = query.where(d.waits.is_(False))
    if not asked.done:
        past = past.where(_plain(scope, d.done_at) > now)
    if asked.overdue_only:
        waiting = waiting.where(late)
        past = past.where(or_(d.done_at <= now, late))
    for one in (waiting, past):
        for row in db.execute(_paged(one, asked)).mappings():
            yield _shaped(row, asked)


def _forwards(db: Connection, scope: Scope, asked: Asked) -> Iterator[Row]:
    """Accepted reports that the area above passes on by a report of its own on that occurrence."""
    below, above = AREAS.alias("below"), REPORTS.alias("above")
    d, now = DUE.c, asked.now
    first = (
        select(VERSIONS)
        .join(above, above.c.report == VERSIONS.c.report)
        .where(
            VERSIONS.c.area == below.c.parent,
            above.c.exercise == d.exercise,
            above.c.review != str(Review.WITHDRAWN),
            or_(
                above.c.occurrence == REPORTS.c.occurrence,
                and_(  # one of the two stands on its disaster, the other not yet
                    or_(above.c.disaster.is_(None), REPORTS.c.disaster.is_(None)),
                    above.c.hazard == REPORTS.c.hazard,
                    above.c.year == REPORTS.c.year,
                ),
            ),
            VERSIONS.c.recorded_at >= d.since,
        )
        .order_by(VERSIONS.c.recorded_at, VERSIONS.c.position)
        .limit(1)
        .correlate(DUE, REPORTS, below)
    )
    told = first.with_only_columns(VERSIONS.c.recorded_at).scalar_subquery()
    told_held = first.with_only_columns(VERSIONS.c.clock_held).scalar_subquery()
    counts = and_(d.counts, or_(told.is_(None), told > now, told_held.is_(False)))
    columns = [c for c in DUE.columns if c.name not in ("area", "done_at", "waits", "counts")]
    query = (
        select(
            *columns,
            below.c.parent.label("area"),
            told.label("done_at"),
            case((counts, True), else_=False).label("counts"),
        )
        .join(REPORTS, REPORTS.c.report == d.subject)
        .join(below, below.c.id == d.area)
    )
    query = _named(query, below.c.parent).where(
        scope.covers(below.c.parent),
        _plain(scope, d.exercise).is_(asked.exercise),
        d.waits.is_(False),
        _plain(scope, d.kind) == FORWARD,
        d.since <= now,
        asked.about(REPORTS),
        asked.owed_by(below.c.parent),
    )
    if not asked.done:
        query = query.where(func.coalesce(told, "never") > now)
    if asked.overdue_only:
        late = and_(over(d.due_at, asked.held, asked.at), d.counts)
        query = query.where(or_(told <= now, late) if asked.done else late)
    for row in db.execute(_paged(query, asked)).mappings():
        yield _shaped(row, asked)


def _follow_ups(db: Connection, scope: Scope, asked: Asked) -> list[Row]:
    """What duties ask for: those first that have waited longest, until the page is full."""
    d, now = DUTIES.c, asked.now
    query = _named(select(DUTIES), d.area).join(REPORTS, REPORTS.c.report == d.report)
    query = query.where(
        scope.covers(d.area),
        _plain(scope, d.exercise).is_(asked.exercise),
        d.start <= now,
        asked.about(REPORTS),
        asked.owed_by(d.area),
    )
    after: tuple[Any, ...] = ()
    if asked.cursor is not None:
        day, *_ = values = values_of(asked.cursor, BY_DAY)
        after = tuple(one.value for one in values)
        query = query.where(or_(d.end.is_(None), d.end >= day))
    if asked.done:
        return _owed(db, scope, query, d.first_due, asked, after)
    waiting = query.where(d.owed_from < NEVER, or_(d.answered_at.is_(None), d.answered_at <= now))
    later = query.where(
        _plain(scope, d.answered_at) > now
    )  # then it had waited for what is there by now
    return [
        *_owed(db, scope, waiting, d.owed_from, asked, after),
        *_owed(db, scope, later, d.first_due, asked, after),
    ]


def _owed(
    db: Connection, scope: Scope, query: Select[Any], begin: Any, asked: Asked, after: Any
) -> list[Row]:
    """A page of what these duties ask for, duty by duty in the order of ``begin``: nothing of a
    duty is due before that, so that the rest is beyond the page when the page is full."""
    order = (begin, DUTIES.c.report, DUTIES.c.start)
    step = max(asked.limit + 1, DUTIES_AT_ONCE)
    query = query.order_by(*order).limit(step)
    found: list[Row] = []
    last: Any = None
    while True:
        part = query
        if last is not None:
            upto = tuple_(*[literal(last[c.name], c.type) for c in order])
            part = query.where(begin >= last[begin.name], tuple_(*order) > upto)
        duties = db.execute(part).mappings().all()
        reports = [duty["report"] for duty in duties]
        answers, above = _answers(db, reports), _told_above(db, scope, reports, asked)
        each = [
            _asked_for(
                duty,
                answers.get((duty["report"], duty["start"]), {}),
                above.get(duty["report"], ""),
                asked,
            )
            for duty in duties
        ]
        states = asked.states
        rows = (row for row in merge(found, *each, key=_key) if row["state"] in states)
        found = list(islice((row for row in rows if _key(row) > after), asked.limit + 1))
        if len(duties) < step:
            return found
        last = duties[-1]
        upto_here = (last[begin.name], FOLLOW_UP, last["report"], last["start"])
        if len(found) > asked.limit and _key(found[-1])[:-1] <= upto_here:
            return found


def _key(row: Row) -> tuple[Any, ...]:
    return tuple(row[name] for name in ORDER)


def _answers(db: Connection, reports: list[str]) -> dict[tuple[str, str], dict[int, Any]]:
    """What was filed for the duties of these reports, by duty and number."""
    found: dict[tuple[str, str], dict[int, Any]] = {}
    query = select(ANSWERS).where(ANSWERS.c.report.in_(reports))
    for answer in db.execute(query).mappings():
        found.setdefault((answer["report"], answer["start"]), {})[answer["number"]] = answer
    return found


def _told_above(db: Connection, scope: Scope, reports: list[str], asked: Asked) -> dict[str, str]:
    """As of when the area above has by then reported on the same occurrence."""
    below, above = REPORTS.alias("below"), REPORTS.alias("above")
    query = (
        select(below.c.report, func.max(VERSIONS.c.as_of).label("as_of"))
        .join(AREAS, AREAS.c.id == below.c.area)
        .join(
            above,
            and_(
                above.c.area == AREAS.c.parent,
                above.c.exercise == below.c.exercise,
                above.c.occurrence == below.c.occurrence,
                above.c.review != str(Review.WITHDRAWN),
            ),
        )
        .join(VERSIONS, VERSIONS.c.report == above.c.report)
        .where(
            scope.covers(below.c.area),
            below.c.report.in_(reports),
            VERSIONS.c.recorded_at <= asked.now,
        )
        .group_by(below.c.report)
    )
    return {row.report: row.as_of for row in db.execute(query)}


def _asked_for(duty: Any, answers: dict[int, Any], told_above: str, asked: Asked) -> Iterator[Row]:
    """Each report this duty asked for by then, and the next one.

    ``told_above``: what the area above has told as of that time closes what was asked up to it.
    """
    rule = rule_of(duty)
    now = asked.now
    ended = duty["end"] is not None and duty["end"] <= now
    last = max((n for n, a in answers.items() if a["reported_at"] <= now), default=0)
    for one in _asked_by(rule, asked, answers):
        answer = answers.get(one.number)
        row = {
            "kind": FOLLOW_UP,
            "subject": duty["report"],
            "start": duty["start"],
            "number": one.number,
            "area": duty["area"],
            "area_name": duty["area_name"],
            "level": duty["level"],
            "hazard": duty["hazard"],
            "sub_hazard": duty["sub_hazard"],
            "occurred_at": duty["occurred_at"],
            "disaster": duty["disaster"],
            "review": duty["review"],
            "due_at": when(one.due_at),
            "since": duty["start"],
            "done_at": answer["reported_at"] if answer else None,
            "exercise": duty["exercise"],
            "detail": {
                "as_of": when(one.as_of),
                "version": answer["version"] if answer else None,
                "late": answer["late"] if answer else None,
                **({"unconfirmed": True} if duty["unconfirmed"] else {}),
            },
        }
        closed = when(one.as_of) <= told_above
        yield _shaped(row, asked, missing=ended or one.number < last, closed=closed)


def _asked_by(rule: FollowUpDuty, asked: Asked, answers: dict[int, Any]) -> Iterator[Occurrence]:
    """What it asked for by then, and the next. Not of days that did not count, but what came."""
    counted = (
        one
        for one in occurrences(rule, asked.at)
        if one.number in answers or not asked.held.left_out(one.due_at, asked.at)
    )
    count = 0
    for one in islice(counted, LONGEST_DUTY):
        count += 1
        yield one
    upcoming = next_occurrence(rule, asked.at) if count < LONGEST_DUTY else None
    if upcoming is not None:
        yield upcoming
