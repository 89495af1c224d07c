"""Findings about situation reports: a parent that does not tell what its children told; twins."""

from collections.abc import Callable, Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    Select,
    String,
    and_,
    case,
    cast,
    func,
    literal,
    or_,
    select,
)
from sqlalchemy.sql.selectable import FromClause

from domain.casualties import CASUALTIES
from domain.lateness import HeldTime
from domain.report_filing import Kind, Review
from projections.areas import AREAS
from projections.asking.counted import over
from projections.asking.figures import text
from projections.asking.finding_rows import finding
from projections.asking.report_sums import (
    ReportSums,
    hosted,
    hundredths,
    real,
    same_occurrence,
    shares_of,
)
from projections.asking.scope import Scope
from projections.folding.base import Row
from projections.folding.dialects import JoinedText, JsonMember, JsonPairs
from projections.situation import REPORTS, VERSIONS


def _beside(own: Any, theirs: Any, key: Any) -> JoinedText:
    """The figures that differ, as text: key=own<theirs, … (`of_figures` reads it)."""
    pair = cast(own, String) + "<" + cast(theirs, String)
    return JoinedText(key + "=" + pair)


def split_differs(reports: ReportSums) -> Select[Any]:
    """An area's share in the report of the area above is not what it reported itself.

    Both accepted, of one occurrence: a share that is smaller, at any time; another one, as of the
    same time or where both are verified (domain.md §1.6: the parent is the sum of its children at
    the same as-of time; that its total is the sum of its shares is checked as it is filed). What
    was adjudicated 核定 counts in place of what was reported. ``number``: how many figures differ;
    ``reason``: their names.
    """
    shares, told = shares_of(reports.scope), reports.told
    above, below = reports.heads.alias(), reports.heads.alias()
    verified = str(Kind.VERIFIED)
    all_verified = [h.c[name] == verified for h in (above, below) for name in ("kind", "last_kind")]
    same_time = or_(above.c.as_of == below.c.as_of, and_(*all_verified))
    source = (
        shares.join(told, and_(told.c.area == shares.c.part, same_occurrence(told, shares)))
        .join(above, and_(above.c.area == shares.c.area, same_occurrence(above, shares)))
        .join(below, and_(below.c.area == shares.c.part, same_occurrence(below, shares)))
    )
    return (
        finding(
            literal("split_differs"),
            above.c.report + ":" + below.c.report,
            source,
            area=above.c.area,
            number=func.count(),
            reason=JoinedText(shares.c.key),
            since=above.c.since,
            reports=above.c.reports,
            parts=below.c.reports,
            figures=_beside(shares.c.value, told.c.value, shares.c.key),
        )
        .where(
            told.c.key == shares.c.key,
            or_(
                told.c.value > shares.c.value,
                and_(same_time, told.c.value != shares.c.value),
            ),
        )
        .group_by(
            above.c.report,
            below.c.report,
            above.c.area,
            above.c.since,
            above.c.reports,
            below.c.reports,
        )
    )


def split_leaves_out(scope: Scope) -> Select[Any]:
    """A split that was accepted says nothing of an area below that has reported (domain.md §1.6).

    ``number``: how many areas; ``reason``: their names.
    """
    above, below = REPORTS.alias("above"), REPORTS.alias("below")
    part = AREAS.alias("part")
    share = JsonPairs(VERSIONS.c.split).table_valued("key", "value", name="share")
    named = select(share.c.key).where(share.c.key == below.c.area).correlate(VERSIONS, below)
    told, occurrence = hosted(below)
    reported = select(below.c.area, below.c.report, occurrence.label("occurrence"))
    source, own = hosted(above)
    source = (
        source.join(
            VERSIONS,
            and_(VERSIONS.c.report == above.c.report, VERSIONS.c.number == above.c.accepted_number),
        )
        .join(part, part.c.parent == above.c.area)
        .join(below, below.c.area == part.c.id)
    )
    others = (
        reported.select_from(told).where(scope.covers(below.c.area), real(scope, below)).subquery()
    )
    source = source.join(
        others, and_(others.c.report == below.c.report, others.c.occurrence == own)
    )
    return (
        finding(
            literal("split_leaves_out"),
            above.c.report,
            source,
            area=above.c.area,
            number=func.count(part.c.id.distinct()),
            reason=JoinedText(part.c.name),
            since=func.max(above.c.accepted_at),
            reports=above.c.report,
            parts=JoinedText(below.c.report),
        )
        .where(
            scope.covers(above.c.area),
            real(scope, above),
            VERSIONS.c.split != "{}",
            ~named.exists(),
        )
        .group_by(above.c.report, above.c.area)
    )


def casualties_hidden(reports: ReportSums) -> Select[Any]:
    """An own accepted report has fewer dead or missing than the areas below have accepted.

    Boards show those of the areas below until somebody decides in writing (decision 0027).
    ``number``: how many are missing from it; ``reason``: the figure.
    """
    sums = reports.below
    settled = and_(
        sums.c.kept.is_not(None),
        hundredths(JsonMember(sums.c.kept, "parts")) >= sums.c.theirs,
        hundredths(JsonMember(sums.c.kept, "kept")) <= sums.c.own,
    )
    pair = cast(sums.c.own, String) + "<" + cast(sums.c.theirs, String)
    return finding(
        literal("casualties_hidden"),
        sums.c.report + ":" + cast(sums.c.key, String),
        sums,
        area=sums.c.area,
        number=cast((sums.c.theirs - sums.c.own) // 100, Integer),
        reason=cast(sums.c.key, String),
        since=sums.c.since,
        reports=sums.c.reports,
        parts=sums.c.parts,
        figures=cast(sums.c.key, String) + "=" + pair,
    ).where(sums.c.key.in_(CASUALTIES), func.coalesce(settled, False).is_(False))


def parts_larger(reports: ReportSums) -> Select[Any]:
    """An own accepted report is older than those below and smaller than their sum.

    ``number``: in how many figures; ``reason``: their names.
    """
    sums = reports.below
    return (
        finding(
            literal("parts_larger"),
            sums.c.report,
            sums,
            area=sums.c.area,
            number=func.count(),
            reason=JoinedText(sums.c.key),
            since=func.max(sums.c.since),
            reports=sums.c.reports,
            parts=JoinedText(sums.c.parts),
            figures=_beside(sums.c.own, sums.c.theirs, sums.c.key),
        )
        .where(sums.c.key.not_in(CASUALTIES), sums.c.as_of >= sums.c.own_as_of)
        .group_by(sums.c.report, sums.c.area, sums.c.reports)
    )


def same_as(first: FromClause, second: FromClause) -> ColumnElement[bool]:
    """Whether two reports are likely the same: one area and hazard, no more than an hour apart."""
    return and_(
        second.c.area == first.c.area,
        second.c.hazard == first.c.hazard,
        second.c.exercise == first.c.exercise,
        second.c.occurred_at <= first.c.same_until,
        first.c.occurred_at <= second.c.same_until,
    )


def likely_same(scope: Scope) -> Select[Any]:
    """Reports of one area on one hazard, each within an hour of the next: filed again, it seems.

    One finding for all of them, however many: by pairs, thirty would make 435. ``number``: how
    many they are; ``reports``: which.
    """
    r = REPORTS.c
    before = func.lag(r.same_until).over(
        partition_by=(r.area, r.hazard), order_by=(r.occurred_at, r.report)
    )
    near = r.occurred_at <= before
    columns = (r.report, r.area, r.hazard, r.occurred_at, r.recorded_at)
    each = (
        select(*columns, case((near, None), else_=1).label("begins"))
        .where(scope.covers(r.area), real(scope, REPORTS))
        .subquery()
    )
    e = each.c
    group = func.count(e.begins).over(  # so many groups have begun by then
        partition_by=(e.area, e.hazard), order_by=(e.occurred_at, e.report)
    )
    grouped = select(*[e[column.name] for column in columns], group.label("group")).subquery()
    g = grouped.c
    return (
        finding(
            literal("likely_same"),
            func.min(g.report) + ":" + func.max(g.report),
            grouped,
            area=g.area,
            number=func.count(),
            reason=g.hazard,
            since=func.max(g.recorded_at),
            reports=JoinedText(g.report),
        )
        .group_by(g.area, g.hazard, g.group)
        .having(func.count() > 1)
    )


def never_sent_upward(scope: Scope, held: HeldTime, at: datetime) -> Select[Any]:
    """签发后未上报: the seat has issued a version, and nobody has noted that it, or a later one,
    was sent to the level above, though it was due there (without a due time: at once)."""
    r, v = REPORTS.c, VERSIONS.c
    issued = and_(v.report == r.report, v.number == r.accepted_number)
    due = func.coalesce(v.upward_due_at, r.accepted_at)
    return finding(
        literal("never_sent_upward"),
        r.report + ":" + cast(r.accepted_number, String),
        REPORTS.join(VERSIONS, issued),
        area=r.area,
        number=r.accepted_number,
        reason=r.hazard,
        since=due,
        reports=r.report,
    ).where(
        scope.covers(r.area),
        real(scope, REPORTS),
        r.accepted_how == str(Review.ISSUED),
        func.coalesce(r.sent_number, 0) < r.accepted_number,
        over(due, held, at),
    )


REPORT_FINDINGS: dict[str, Callable[[ReportSums], Select[Any]]] = {
    "casualties_hidden": casualties_hidden,
    "likely_same": lambda reports: likely_same(reports.scope),
    "parts_larger": parts_larger,
    "split_differs": split_differs,
    "split_leaves_out": lambda reports: split_leaves_out(reports.scope),
}
"""Every kind of finding about reports."""


def tell_reports(db: Connection, scope: Scope, rows: list[Row]) -> None:
    """Each finding about figures says which they are, and by which reports.

    ``figures``: ``key``, ``own`` and ``parts``. ``reports``: of the area itself (of those that are
    likely the same, all), ``parts``: of the areas below; each with what a link to it says.
    """
    for row in rows:
        for name in ("reports", "parts"):
            row[name] = sorted(set((row[name] or "").split(",")) - {""})
        row["figures"] = of_figures(row["figures"])
        if row["figures"]:
            row["reason"] = ",".join(one["key"] for one in row["figures"])
        elif row["kind"] == "split_leaves_out":
            row["reason"] = ",".join(sorted(set(row["reason"].split(","))))
    known = _named(db, scope, {id for row in rows for id in (*row["reports"], *row["parts"])})
    for row in rows:
        for name in ("reports", "parts"):
            row[name] = [known[id] for id in row[name] if id in known]


def of_figures(told: str | None) -> list[Row]:
    """What `_beside` wrote, in hundredths, as figures."""
    found = []
    for one in sorted((told or "").split(",")):
        key, _, pair = one.partition("=")
        if key:
            own, theirs = (_figure(value) for value in pair.split("<"))
            found.append({"key": key, "own": own, "parts": theirs})
    return found


def _figure(value: str) -> str | None:
    """A sum of hundredths as a figure."""
    return text((Decimal(value) / 100).normalize() + 0)


def _named(db: Connection, scope: Scope, reports: Iterable[str]) -> dict[str, Row]:
    r = REPORTS.c
    columns = (r.report, r.area, r.hazard, r.sub_hazard, r.occurred_at, r.kind, r.number, r.as_of)
    query = (
        select(*columns, AREAS.c.name.label("area_name"), AREAS.c.level)
        .join(AREAS, AREAS.c.id == r.area)
        .where(scope.covers(r.area), r.report.in_(sorted(reports)))
    )
    return {row["report"]: dict(row) for row in db.execute(query).mappings()}
