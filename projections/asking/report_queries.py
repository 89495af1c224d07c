"""Situation reports as they are asked for: lists of them, and one with all its versions.

Kept beside the view `projections.situation` for its length: it has no table of its own.
"""

from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, Connection, Select, func, select

from domain.report_filing import OFFICIAL, Review
from projections.areas import AREAS, at_seat
from projections.asking.figures import differences
from projections.asking.looked_for import Meant, Source, looked_for, names_in
from projections.asking.paging import Page, page
from projections.asking.report_findings import same_as
from projections.asking.report_parts import parts_beside
from projections.asking.scope import Scope
from projections.disasters import DISASTERS, absorbed_into
from projections.folding.base import Row
from projections.officers import OFFICERS
from projections.situation import REPORTS, VERSIONS

JSON_COLUMNS = (
    "figures",
    "flags",
    "wants_reason",
    "questions",
    "set_aside",
    "withdrawn",
    "accepted_figures",
    "official_figures",
    "accepted_questions",
    "adjudicated",
    "rosters",
    "split",
    "jumps",
    "basis",
    "also_to",
)


REPORTER = OFFICERS.alias("reporter")
REVIEWER = OFFICERS.alias("reviewer")


def _shaped(row: Any) -> Row:
    """A row as callers see it: structured columns read, versions told apart by name."""
    found = dict(row)
    for name in JSON_COLUMNS:
        if isinstance(found.get(name), str):
            found[name] = msgspec.json.decode(found[name])
    return found


def _reports() -> Any:
    return (
        select(
            REPORTS,
            at_seat(REPORTS.c.area).label("at_seat"),
            AREAS.c.name.label("area_name"),
            AREAS.c.level.label("level"),
            REPORTER.c.masked_name.label("reporter_name"),
            REVIEWER.c.masked_name.label("accepted_by_name"),
        )
        .join(AREAS, AREAS.c.id == REPORTS.c.area)
        .outerjoin(REPORTER, REPORTER.c.id == REPORTS.c.reported_by)
        .outerjoin(REVIEWER, REVIEWER.c.id == REPORTS.c.accepted_by)
    )


def situation_reports(
    db: Connection,
    scope: Scope,
    *,
    disaster: UUID | None = None,
    hazard: str | None = None,
    review: str | None = None,
    itself: UUID | None = None,
    search: str | None = None,
    meant: Meant | None = None,
    exercise: bool = False,
    cursor: str | None = None,
    limit: int = 100,
) -> Page:
    """Situation reports: the latest version of each beside the latest accepted one.

    ``review``: pending 未审, accepted, issued 签发 by the seat, returned, or withdrawn (else those
    are left out). ``at_seat``: it is the seat's own, which a second person there issues.
    ``itself``: only those of that area itself, none from below. ``search``: the place (name,
    pinyin, initials or code), the disaster, the hazard. Exercise reports only with ``exercise``; a
    named disaster is an exercise or in earnest by itself.
    """
    query = _reports().where(scope.covers(REPORTS.c.area))
    if itself is not None:
        query = query.where(REPORTS.c.area == str(itself))
    if disaster is not None:
        query = query.where(REPORTS.c.disaster.in_(absorbed_into(db, disaster)))
    else:
        query = query.where(REPORTS.c.exercise == exercise)
    if hazard is not None:
        query = query.where(REPORTS.c.hazard == hazard)
    if review is not None:
        query = query.where(REPORTS.c.review == review)
    else:
        query = query.where(REPORTS.c.review != str(Review.WITHDRAWN))
    if search:
        query = query.where(_called(db, query, search, meant))
    order = [REPORTS.c.occurred_at, REPORTS.c.report]
    found = page(db, query, order, cursor=cursor, limit=limit, descending=True)
    return found.of([_shaped(row) for row in found.items])


def _called(
    db: Connection, query: Select[Any], search: str, meant: Meant | None
) -> ColumnElement[bool]:
    of = query.with_only_columns(REPORTS.c.disaster, maintain_column_froms=True)
    named = select(DISASTERS.c.id, DISASTERS.c.name).where(DISASTERS.c.id.in_(of))
    sources = [*names_in(query, AREAS.c.name), Source(REPORTS.c.disaster, named)]
    keys = (REPORTS.c.hazard.in_, REPORTS.c.sub_hazard.in_)
    return looked_for(db, search, sources, codes=[AREAS.c.code], keys=keys, meant=meant)


def situation_report(db: Connection, scope: Scope, *, report: UUID) -> Row | None:
    """One report: current and accepted version, and every version with what it changed.

    ``version`` is the current version's number, to be sent back with a review. ``parts``, ``sums``
    and ``hidden`` are what the areas below had accepted (`projections.asking.report_parts`).
    ``likely_same``: other reports of the area and hazard, at most an hour apart, of the
    ``likely_same_count`` that there are.
    """
    query = _reports().where(scope.covers(REPORTS.c.area), REPORTS.c.report == str(report))
    row = db.execute(query).mappings().first()
    if row is None:
        return None
    found = _shaped(row)
    found["version"] = found["number"]
    found["versions"] = _versions(db, scope, str(report))
    found["accepted"] = next(
        (v for v in found["versions"] if v["number"] == found["accepted_number"]), None
    )
    found["likely_same"], found["likely_same_count"] = likely_same_reports(db, scope, report=report)
    return found | parts_beside(db, scope, found)


MOST_SAME = 20
"""Reports that may be the same as one, told beside it. A storm of them is counted: each told with
each would be a hundred thousand lines for three hundred reports."""


def likely_same_reports(db: Connection, scope: Scope, *, report: UUID) -> tuple[list[Row], int]:
    """Other reports that stand of its area and hazard, at most an hour apart: the first
    `MOST_SAME`, and how many there are."""
    mine, other = REPORTS.alias("mine"), REPORTS.alias("other")
    columns = (other.c.report, other.c.occurred_at, other.c.recorded_at, other.c.review)
    query = (
        select(*columns, other.c.number, func.count().over().label("in_all"))
        .join(mine, same_as(mine, other))
        .where(
            scope.covers(other.c.area),
            mine.c.report == str(report),
            other.c.report != mine.c.report,
            mine.c.review != str(Review.WITHDRAWN),
            other.c.review != str(Review.WITHDRAWN),
        )
        .order_by(other.c.recorded_at, other.c.report)
        .limit(MOST_SAME)
    )
    rows = [dict(row) for row in db.execute(query).mappings()]
    counts = [row.pop("in_all") for row in rows]
    return rows, counts[0] if counts else 0


def _versions(db: Connection, scope: Scope, report: str) -> list[Row]:
    """All versions, the first first; ``changes`` to the version before, ``against_accepted``."""
    query = (
        select(
            VERSIONS,
            REPORTER.c.masked_name.label("reporter_name"),
            REVIEWER.c.masked_name.label("reviewer_name"),
        )
        .outerjoin(REPORTER, REPORTER.c.id == VERSIONS.c.reported_by)
        .outerjoin(REVIEWER, REVIEWER.c.id == VERSIONS.c.reviewed_by)
        .where(scope.covers(VERSIONS.c.area), VERSIONS.c.report == report)
        .order_by(VERSIONS.c.number)
    )
    versions: list[Row] = []
    accepted: Row | None = None
    for row in db.execute(query).mappings():
        version = _shaped(row)
        before = versions[-1] if versions else None
        version["changes"] = differences(before and before["figures"], version["figures"])
        version["against_accepted"] = differences(
            accepted and accepted["figures"], version["figures"]
        )
        if version["review"] in OFFICIAL:
            accepted = version
        versions.append(version)
    return versions
