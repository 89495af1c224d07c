"""Findings about situation reports: a parent that does not tell what its children told; twins."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    Connection,
    Float,
    Integer,
    Select,
    String,
    and_,
    cast,
    func,
    literal,
    or_,
    select,
    true,
    union_all,
)
from sqlalchemy.sql.selectable import FromClause

from domain.casualties import CASUALTIES
from domain.report_filing import Kind, Review
from projections.areas import AREAS
from projections.disasters import DISASTERS
from projections.figures import text
from projections.finding_rows import finding
from projections.folding.base import Row
from projections.folding.dialects import JoinedText, JsonMember, JsonMerged, JsonPairs
from projections.scope import Scope
from projections.situation import REPORTS, VERSIONS

# What is counted together: the same answer of `_occurrence` (see `situation.counted_with`), so
# that a finding compares what a board adds up.


def _hosts() -> FromClause:
    """Each disaster that was merged into another: ``id``, and the ``host`` it is counted under."""
    into, last = DISASTERS.alias("into"), DISASTERS.alias("last")
    start = select(DISASTERS.c.id, DISASTERS.c.merged_into.label("host"))
    all_ = start.where(DISASTERS.c.merged_into.is_not(None)).cte("hosts", recursive=True)
    step = select(all_.c.id, into.c.merged_into).join(into, into.c.id == all_.c.host)
    all_ = all_.union(step.where(into.c.merged_into.is_not(None)))
    whole = select(all_.c.id, all_.c.host).join(last, last.c.id == all_.c.host)
    return whole.where(last.c.merged_into.is_(None)).cte("merged")


HOSTS = _hosts()


def _hosted(reports: FromClause) -> tuple[FromClause, ColumnElement[str]]:
    """The reports, and what each is counted with."""
    hosts = HOSTS.alias()
    source = reports.outerjoin(hosts, hosts.c.id == reports.c.disaster)
    return source, func.coalesce(hosts.c.host, reports.c.occurrence)


def _real(report: FromClause) -> ColumnElement[bool]:
    return and_(report.c.exercise.is_(False), report.c.review != str(Review.WITHDRAWN))


def _decided(report: FromClause) -> Any:
    """The accepted figures, those that were adjudicated in place of them."""
    decided = func.coalesce(JsonMember(report.c.adjudicated, "figures"), "{}")
    return JsonMerged(report.c.accepted_figures, decided)


def _heads(scope: Scope) -> CTE:
    """An area's accepted reports of one occurrence: one row, mostly of one report."""
    source, occurrence = _hosted(REPORTS)
    r = REPORTS.c
    return (
        select(
            r.area,
            occurrence.label("occurrence"),
            func.max(r.report).label("report"),
            JoinedText(r.report).label("reports"),
            func.max(r.set_aside).label("set_aside"),
            func.max(r.accepted_as_of).label("as_of"),
            func.max(r.accepted_at).label("since"),
            func.min(r.accepted_kind).label("kind"),
            func.max(r.accepted_kind).label("last_kind"),
        )
        .select_from(source)
        .where(scope.covers(r.area), _real(REPORTS), r.accepted_number.is_not(None))
        .group_by(r.area, occurrence)
        .cte()
    )


def _told(scope: Scope) -> CTE:
    """What an area's accepted reports say of an occurrence, a row a figure that is known."""
    figure = JsonPairs(_decided(REPORTS)).table_valued("key", "value", name="figure")
    return _summed(scope, figure, REPORTS.c.area)


def _shares(scope: Scope) -> CTE:
    """What they say of each ``part``, a row a part and figure."""
    share = JsonPairs(VERSIONS.c.split).table_valued("key", "value", name="share")
    figure = JsonPairs(share.c.value).table_valued("key", "value", name="figure")
    accepted = and_(
        VERSIONS.c.report == REPORTS.c.report, VERSIONS.c.number == REPORTS.c.accepted_number
    )
    joins = ((VERSIONS, accepted), (share, true()))
    return _summed(scope, figure, share.c.key, *joins)


def _summed(scope: Scope, figure: Any, part: Any, *joins: tuple[Any, Any]) -> CTE:
    """Figures added up by area, occurrence, part and key."""
    source, occurrence = _hosted(REPORTS)
    for table, on in (*joins, (figure, true())):
        source = source.join(table, on)
    r = REPORTS.c
    return (
        select(
            r.area,
            occurrence.label("occurrence"),
            part.label("part"),
            figure.c.key.label("key"),
            func.sum(cast(figure.c.value, Float)).label("value"),
        )
        .select_from(source)
        .where(
            scope.covers(r.area),
            _real(REPORTS),
            r.accepted_number.is_not(None),
            figure.c.value.is_not(None),
        )
        .group_by(r.area, occurrence, part, figure.c.key)
        .cte()
    )


def _beside(own: Any, theirs: Any, key: Any) -> JoinedText:
    """The figures that differ, as text: key=own<theirs, … (`of_figures` reads it)."""
    pair = cast(own, String) + "<" + cast(theirs, String)
    return JoinedText(key + "=" + pair)


def split_differs(scope: Scope) -> Select[Any]:
    """An area's share in the report of the area above is not what it reported itself.

    Both accepted, of one occurrence: a share that is smaller, at any time; another one, as of the
    same time or where both are verified (domain.md §1.6: the parent is the sum of its children at
    the same as-of time; that its total is the sum of its shares is checked as it is filed). What
    was adjudicated 核定 counts in place of what was reported. ``number``: how many figures differ;
    ``reason``: their names.
    """
    shares, told, heads = _shares(scope), _told(scope), _heads(scope)
    above, below = heads.alias(), heads.alias()
    verified = str(Kind.VERIFIED)
    all_verified = [h.c[name] == verified for h in (above, below) for name in ("kind", "last_kind")]
    same_time = or_(above.c.as_of == below.c.as_of, and_(*all_verified))
    source = (
        shares.join(told, and_(told.c.area == shares.c.part, _same(told, shares)))
        .join(above, and_(above.c.area == shares.c.area, _same(above, shares)))
        .join(below, and_(below.c.area == shares.c.part, _same(below, shares)))
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


def _same(one: FromClause, other: FromClause) -> ColumnElement[bool]:
    found: ColumnElement[bool] = one.c.occurrence == other.c.occurrence
    return found


def split_leaves_out(scope: Scope) -> Select[Any]:
    """A split that was accepted says nothing of an area below that has reported (domain.md §1.6).

    ``number``: how many areas; ``reason``: their names.
    """
    above, below = REPORTS.alias("above"), REPORTS.alias("below")
    part = AREAS.alias("part")
    share = JsonPairs(VERSIONS.c.split).table_valued("key", "value", name="share")
    named = select(share.c.key).where(share.c.key == below.c.area).correlate(VERSIONS, below)
    told, occurrence = _hosted(below)
    reported = select(below.c.area, below.c.report, occurrence.label("occurrence"))
    source, own = _hosted(above)
    source = (
        source.join(
            VERSIONS,
            and_(VERSIONS.c.report == above.c.report, VERSIONS.c.number == above.c.accepted_number),
        )
        .join(part, part.c.parent == above.c.area)
        .join(below, below.c.area == part.c.id)
    )
    others = reported.select_from(told).where(scope.covers(below.c.area), _real(below)).subquery()
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
            _real(above),
            VERSIONS.c.split != "{}",
            ~named.exists(),
        )
        .group_by(above.c.report, above.c.area)
    )


def _nearest(scope: Scope, heads: CTE) -> CTE:
    """From each area with something accepted up to the nearest above it that has too (``at``).

    An area that was silent hides nothing: what is below it is compared with what stands above.
    """
    up = (
        select(heads.c.area, heads.c.occurrence, AREAS.c.parent.label("at"))
        .join(AREAS, AREAS.c.id == heads.c.area)
        .cte(recursive=True)
    )
    between = REPORTS.alias("between")
    source, occurrence = _hosted(between)
    spoke = (
        select(between.c.report)
        .select_from(source)
        .where(
            scope.covers(between.c.area),
            between.c.area == up.c.at,
            occurrence == up.c.occurrence,
            _real(between),
            between.c.accepted_number.is_not(None),
        )
        .correlate(up)
    )
    higher = AREAS.alias("higher")
    step = select(up.c.area, up.c.occurrence, higher.c.parent).join(higher, higher.c.id == up.c.at)
    return up.union(step.where(higher.c.parent.is_not(None), ~spoke.exists()))


def _sums_below(scope: Scope) -> Any:
    """Figures of accepted own reports that are smaller than the sum of what the areas below had
    accepted of the same occurrence: ``key``, ``own``, ``theirs`` and about them."""
    heads, told = _heads(scope), _told(scope)
    up = _nearest(scope, heads)
    above, below, mine = heads.alias(), heads.alias(), told.alias()
    own = func.coalesce(func.max(mine.c.value), 0.0)
    theirs = func.sum(told.c.value)
    source = (
        up.join(above, and_(above.c.area == up.c.at, _same(above, up)))
        .join(below, and_(below.c.area == up.c.area, _same(below, up)))
        .join(told, and_(told.c.area == up.c.area, _same(told, up)))
        .outerjoin(
            mine,
            and_(mine.c.area == above.c.area, _same(mine, above), mine.c.key == told.c.key),
        )
    )
    kept = JsonMember(func.coalesce(above.c.set_aside, "{}"), told.c.key)
    columns = (above.c.area, above.c.report, above.c.reports, above.c.set_aside, above.c.as_of)
    return (
        select(
            *columns[:3],
            above.c.as_of.label("own_as_of"),
            told.c.key.label("key"),
            own.label("own"),
            theirs.label("theirs"),
            kept.label("kept"),
            JoinedText(below.c.reports).label("parts"),
            func.max(below.c.since).label("since"),
            func.max(below.c.as_of).label("as_of"),
        )
        .select_from(source)
        .group_by(*columns, told.c.key)
        .having(theirs > own)
        .subquery("sums")
    )


def casualties_hidden(scope: Scope) -> Select[Any]:
    """An own accepted report has fewer dead or missing than the areas below have accepted.

    Boards show those of the areas below until somebody decides in writing (decision 0027).
    ``number``: how many are missing from it; ``reason``: the figure.
    """
    sums = _sums_below(scope)
    settled = and_(
        sums.c.kept.is_not(None),
        cast(JsonMember(sums.c.kept, "parts"), Float) >= sums.c.theirs,
        cast(JsonMember(sums.c.kept, "kept"), Float) <= sums.c.own,
    )
    pair = cast(sums.c.own, String) + "<" + cast(sums.c.theirs, String)
    return finding(
        literal("casualties_hidden"),
        sums.c.report + ":" + cast(sums.c.key, String),
        sums,
        area=sums.c.area,
        number=cast(sums.c.theirs - sums.c.own, Integer),
        reason=cast(sums.c.key, String),
        since=sums.c.since,
        reports=sums.c.reports,
        parts=sums.c.parts,
        figures=cast(sums.c.key, String) + "=" + pair,
    ).where(sums.c.key.in_(CASUALTIES), func.coalesce(settled, False).is_(False))


def parts_larger(scope: Scope) -> Select[Any]:
    """An own accepted report is older than those below and smaller than their sum.

    ``number``: in how many figures; ``reason``: their names.
    """
    sums = _sums_below(scope)
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
    """Two reports of one area on one hazard within an hour of each other: filed twice, it seems."""
    first, second = REPORTS.alias("first"), REPORTS.alias("second")
    source = first.join(second, and_(same_as(first, second), second.c.report > first.c.report))
    return finding(
        literal("likely_same"),
        first.c.report + ":" + second.c.report,
        source,
        area=first.c.area,
        reason=first.c.hazard,
        since=second.c.recorded_at,
        reports=first.c.report,
        parts=second.c.report,
    ).where(scope.covers(first.c.area), _real(first), _real(second))


REPORT_FINDINGS = (
    split_differs,
    split_leaves_out,
    casualties_hidden,
    parts_larger,
    likely_same,
)
"""Every kind of finding about reports: a function of the scope each."""


def figure_findings(db: Connection, scope: Scope) -> dict[str, Any]:
    """How many findings about figures there are in each area that has any, and who its people are.

    ``areas``: ``area``, ``level``, ``parent``, ``parent_level`` and ``findings``.
    """
    scope = scope.on(db)
    found = union_all(*[one(scope) for one in REPORT_FINDINGS]).subquery("found")
    above = AREAS.alias("above")
    query = (
        select(
            found.c.area,
            AREAS.c.level,
            AREAS.c.parent,
            above.c.level.label("parent_level"),
            func.count().label("findings"),
        )
        .join(AREAS, AREAS.c.id == found.c.area)
        .outerjoin(above, above.c.id == AREAS.c.parent)
        .group_by(found.c.area, AREAS.c.level, AREAS.c.parent, above.c.level)
        .order_by(found.c.area)
    )
    return {"areas": [dict(row) for row in db.execute(query).mappings()]}


def tell_reports(db: Connection, scope: Scope, rows: list[Row]) -> None:
    """Each finding about figures says which they are, and by which reports.

    ``figures``: ``key``, ``own`` and ``parts``. ``reports``: of the area itself (of twins, the
    first), ``parts``: of the areas below (the second); each with what a link to it says.
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
    """What `_beside` wrote."""
    found = []
    for one in sorted((told or "").split(",")):
        key, _, pair = one.partition("=")
        if key:
            own, theirs = (_figure(value) for value in pair.split("<"))
            found.append({"key": key, "own": own, "parts": theirs})
    return found


def _figure(value: str) -> str | None:
    """A sum of figures of two decimals at most, whatever a database's floating point made of it."""
    return text(round(Decimal(value), 2).normalize() + 0)


def _named(db: Connection, scope: Scope, reports: Iterable[str]) -> dict[str, Row]:
    r = REPORTS.c
    columns = (r.report, r.area, r.hazard, r.sub_hazard, r.occurred_at, r.kind, r.number, r.as_of)
    query = (
        select(*columns, AREAS.c.name.label("area_name"), AREAS.c.level)
        .join(AREAS, AREAS.c.id == r.area)
        .where(scope.covers(r.area), r.report.in_(sorted(reports)))
    )
    return {row["report"]: dict(row) for row in db.execute(query).mappings()}
