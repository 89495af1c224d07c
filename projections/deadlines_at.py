"""What is due, overdue, missing or late at a given time, from the rows of `projections.deadlines`.

Kept beside the view for its length: it has no table of its own.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from itertools import islice
from typing import Any

import msgspec
from sqlalchemy import Connection, or_, select

from domain.rules.deadlines import FollowUpDuty, Occurrence, next_occurrence, occurrences
from projections.areas import AREAS
from projections.base import Row, when
from projections.deadlines import ANSWERS, DUE, DUTIES
from projections.paging import Page, cut
from projections.scope import Scope
from projections.situation import REPORTS, VERSIONS

LONGEST_DUTY = 400
"""A duty that nobody ended is enumerated this many times at most."""


def deadlines(
    db: Connection,
    scope: Scope,
    *,
    at: datetime | None = None,
    kind: str | None = None,
    overdue_only: bool = False,
    done: bool = False,
    exercise: bool = False,
    cursor: str | None = None,
    limit: int = 100,
) -> Page:
    """What is due at a time (now, unless ``at`` is given), by when; what was done with ``done``.

    ``state``: open, overdue, missing (a follow-up nobody sent, though later ones were), ended (a
    notice that hung its days: the next step may be taken), done or done_late. ``kind``:
    initial_report, follow_up, verified_report, forward_report, notice_end, season_assessment,
    season_delivery, list_delivery, goods_needed, goods_arrival.
    """
    assert at is not None, "the edge fills in its clock"
    found = [
        *_once(db, scope, at, exercise),
        *_forwards(db, scope, at, exercise),
        *_follow_ups(db, scope, at, exercise),
    ]
    wanted = ("overdue", "missing") if overdue_only else ("open", "ended", "overdue", "missing")
    if done:
        wanted = (*wanted, "done", "done_late")
    found = [r for r in found if r["state"] in wanted and kind in (None, r["kind"])]
    order = ("due_at", "kind", "subject", "start", "number")
    return cut(found, order, cursor=cursor, limit=limit)


def _shaped(row: Any, at: datetime, *, missing: bool = False) -> Row:
    """With its state at that time; what was done later is not done yet."""
    found = {"start": "", **dict(row)}
    now = when(at.astimezone(UTC))
    done_at = found["done_at"]
    if done_at is not None and done_at > now:
        done_at = found["done_at"] = None
    found["late_minutes"] = 0
    overdue = now > found["due_at"]
    if found["kind"] == "notice_end":
        found["state"] = "done" if done_at else "ended" if overdue else "open"
    elif done_at is None and not overdue:
        found["state"] = "open"
    else:
        late = _moment(done_at or now) - _moment(found["due_at"])
        found["late_minutes"] = max(0, -(-late // timedelta(minutes=1)))
        if done_at is not None:
            found["state"] = "done_late" if late > timedelta(0) else "done"
        else:
            found["state"] = "missing" if missing else "overdue"
    if isinstance(found["detail"], str):
        found["detail"] = msgspec.json.decode(found["detail"])
    return found


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _named(query: Any, area: Any) -> Any:
    names = (AREAS.c.name.label("area_name"), AREAS.c.level.label("level"))
    return query.add_columns(*names).join(AREAS, AREAS.c.id == area)


def _once(db: Connection, scope: Scope, at: datetime, exercise: bool) -> Iterator[Row]:
    query = _named(select(DUE), DUE.c.area).where(
        scope.covers(DUE.c.area),
        DUE.c.exercise == exercise,
        DUE.c.kind != "forward_report",
        DUE.c.since <= when(at.astimezone(UTC)),
    )
    for row in db.execute(query).mappings():
        yield _shaped(row, at)


def _forwards(db: Connection, scope: Scope, at: datetime, exercise: bool) -> Iterator[Row]:
    """Accepted reports that the area above passes on by a report of its own on that hazard."""
    below, above = AREAS.alias("below"), REPORTS.alias("above")
    told = (
        select(VERSIONS.c.recorded_at)
        .join(above, above.c.report == VERSIONS.c.report)
        .where(
            scope.covers(VERSIONS.c.area),
            VERSIONS.c.area == below.c.parent,
            above.c.hazard == REPORTS.c.hazard,
            above.c.exercise == DUE.c.exercise,
            or_(
                above.c.disaster == REPORTS.c.disaster,
                above.c.disaster.is_(None),
                REPORTS.c.disaster.is_(None),
            ),
            VERSIONS.c.recorded_at >= DUE.c.since,
        )
        .order_by(VERSIONS.c.recorded_at)
        .limit(1)
        .correlate(DUE, REPORTS, below)
        .scalar_subquery()
    )
    columns = [c for c in DUE.columns if c.name not in ("area", "done_at")]
    query = (
        select(*columns, below.c.parent.label("area"), told.label("done_at"))
        .join(REPORTS, REPORTS.c.report == DUE.c.subject)
        .join(below, below.c.id == DUE.c.area)
    )
    query = _named(query, below.c.parent).where(
        scope.covers(below.c.parent),
        DUE.c.exercise == exercise,
        DUE.c.kind == "forward_report",
        DUE.c.since <= when(at.astimezone(UTC)),
    )
    for row in db.execute(query).mappings():
        yield _shaped(row, at)


def _follow_ups(db: Connection, scope: Scope, at: datetime, exercise: bool) -> Iterator[Row]:
    query = _named(select(DUTIES), DUTIES.c.area).where(
        scope.covers(DUTIES.c.area),
        DUTIES.c.exercise == exercise,
        DUTIES.c.start <= when(at.astimezone(UTC)),
    )
    duties = db.execute(query).mappings().all()
    answers: dict[tuple[str, str], dict[int, Any]] = {}
    asked = select(ANSWERS).join(DUTIES, DUTIES.c.report == ANSWERS.c.report)
    for answer in db.execute(asked.where(scope.covers(DUTIES.c.area)).distinct()).mappings():
        answers.setdefault((answer["report"], answer["start"]), {})[answer["number"]] = answer
    for duty in duties:
        yield from _asked_for(duty, answers.get((duty["report"], duty["start"]), {}), at)


def _asked_for(duty: Any, answers: dict[int, Any], at: datetime) -> Iterator[Row]:
    """Each report this duty asked for by then, and the next one."""
    rule = FollowUpDuty(
        level=duty["duty_level"],
        due=time.fromisoformat(duty["due"]),
        every_days=duty["every_days"],
        start=_moment(duty["start"]),
        end=_moment(duty["end"]) if duty["end"] else None,
    )
    past = list(islice(occurrences(rule, at), LONGEST_DUTY))
    upcoming = next_occurrence(rule, at) if len(past) < LONGEST_DUTY else None
    asked: list[Occurrence] = [*past, upcoming] if upcoming else past
    now = when(at.astimezone(UTC))
    last = max((n for n, a in answers.items() if a["reported_at"] <= now), default=0)
    for one in asked:
        answer = answers.get(one.number)
        row = {
            "kind": "follow_up",
            "subject": duty["report"],
            "start": duty["start"],
            "number": one.number,
            "area": duty["area"],
            "area_name": duty["area_name"],
            "level": duty["level"],
            "due_at": when(one.due_at),
            "since": duty["start"],
            "done_at": answer["reported_at"] if answer else None,
            "exercise": duty["exercise"],
            "detail": {"as_of": when(one.as_of), "version": answer["version"] if answer else None},
        }
        yield _shaped(row, at, missing=one.number < last)
