"""Follow-ups that duties ask for day by day, whether somebody sent them or nobody did."""

from collections.abc import Iterator
from heapq import merge
from itertools import islice
from typing import Any

from sqlalchemy import (
    Connection,
    Select,
    and_,
    func,
    literal,
    or_,
    select,
    tuple_,
)

from domain.report_filing import Review
from domain.rules.deadlines import FollowUpDuty, Occurrence, next_occurrence, occurrences
from projections.areas import AREAS
from projections.asking.deadline_rows import (
    BY_DAY,
    FOLLOW_UP,
    Asked,
    key_of,
    named,
    plain,
    shaped,
)
from projections.asking.paging import values_of
from projections.asking.scope import Scope
from projections.deadlines import ANSWERS, DUTIES, NEVER
from projections.folding.base import Row, when
from projections.sections.duties import rule_of
from projections.situation import REPORTS, VERSIONS

LONGEST_DUTY = 400
"""A duty that nobody ended is enumerated this many times at most."""
DUTIES_AT_ONCE = 250


def follow_ups(db: Connection, scope: Scope, asked: Asked) -> list[Row]:
    """What duties ask for: those first that have waited longest, until the page is full."""
    d, now = DUTIES.c, asked.now
    query = named(select(DUTIES), d.area).join(REPORTS, REPORTS.c.report == d.report)
    query = query.where(
        scope.covers(d.area),
        plain(scope, d.exercise).is_(asked.exercise),
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
    # Answered since: at the time that is asked about it still waited.
    later = query.where(plain(scope, d.answered_at) > now)
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
        rows = (row for row in merge(found, *each, key=key_of) if row["state"] in states)
        found = list(islice((row for row in rows if key_of(row) > after), asked.limit + 1))
        if len(duties) < step:
            return found
        last = duties[-1]
        upto_here = (last[begin.name], FOLLOW_UP, last["report"], last["start"])
        if len(found) > asked.limit and key_of(found[-1])[:-1] <= upto_here:
            return found


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
        yield shaped(row, asked, missing=ended or one.number < last, closed=closed)


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
