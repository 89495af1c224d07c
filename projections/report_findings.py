"""Findings about situation reports: a parent that does not tell what its children told; twins."""

from typing import Any

from sqlalchemy import (
    ColumnElement,
    Float,
    Integer,
    Select,
    String,
    and_,
    cast,
    func,
    literal,
    literal_column,
    or_,
    select,
    true,
)
from sqlalchemy.sql.selectable import FromClause

from domain.casualties import CASUALTIES
from domain.report_filing import Kind, Review
from projections.areas import AREAS
from projections.finding_rows import finding
from projections.folding.dialects import JoinedText, JsonMember, JsonMerged, JsonPairs
from projections.scope import Scope
from projections.situation import REPORTS, VERSIONS


def split_differs(scope: Scope) -> Select[Any]:
    """An area's share in the report of the area above is not what it reported itself.

    Both accepted, of one occurrence: a share that is smaller, at any time; another one, as of the
    same time or where both are verified (domain.md §1.6: the parent is the sum of its children at
    the same as-of time; that its total is the sum of its shares is checked as it is filed). What
    was adjudicated 核定 counts in place of what was reported. ``number``: how many figures differ;
    ``reason``: their names.
    """
    above, below = REPORTS.alias("above"), REPORTS.alias("below")
    share = JsonPairs(VERSIONS.c.split).table_valued("key", "value", name="share")
    figure = JsonPairs(share.c.value).table_valued("key", "value", name="figure")
    own = JsonPairs(_decided(below)).table_valued("key", "value", name="own")
    same_time = or_(
        above.c.accepted_as_of == below.c.accepted_as_of,
        and_(above.c.accepted_kind == Kind.VERIFIED, below.c.accepted_kind == Kind.VERIFIED),
    )
    accepted = and_(
        VERSIONS.c.report == above.c.report, VERSIONS.c.number == above.c.accepted_number
    )
    children = and_(
        below.c.area == share.c.key,
        below.c.exercise == above.c.exercise,
        _one_occurrence(above, below),
    )
    source = (
        above.join(VERSIONS, accepted)
        .join(share, true())
        .join(below, children)
        .join(figure, true())
        .join(own, own.c.key == figure.c.key)
    )
    return (
        finding(
            literal("split_differs"),
            above.c.report + ":" + below.c.report,
            source,
            area=above.c.area,
            number=func.count(),
            reason=JoinedText(figure.c.key),
            since=func.max(above.c.accepted_at),
        )
        .where(
            scope.covers(above.c.area),
            _real(above),
            _real(below),
            VERSIONS.c.split != "{}",
            or_(
                cast(own.c.value, Float) > cast(figure.c.value, Float),
                and_(same_time, cast(own.c.value, Float) != cast(figure.c.value, Float)),
            ),
        )
        .group_by(above.c.report, below.c.report, above.c.area)
    )


def _one_occurrence(above: FromClause, below: FromClause) -> ColumnElement[bool]:
    """Compared so that a child is looked up by its area."""
    return and_(
        func.coalesce(above.c.disaster, "") == func.coalesce(below.c.disaster, ""),
        or_(
            below.c.disaster.is_not(None),
            and_(above.c.hazard == below.c.hazard, above.c.occurred_at == below.c.occurred_at),
        ),
    )


def _decided(report: FromClause) -> Any:
    """The accepted figures, those that were adjudicated in place of them."""
    decided = func.coalesce(JsonMember(report.c.adjudicated, "figures"), "{}")
    return JsonMerged(report.c.accepted_figures, decided)


def _real(report: FromClause) -> ColumnElement[bool]:
    return and_(report.c.exercise.is_(False), report.c.review != str(Review.WITHDRAWN))


def split_leaves_out(scope: Scope) -> Select[Any]:
    """A split that was accepted says nothing of an area below that has reported (domain.md §1.6).

    ``number``: how many areas; ``reason``: their names.
    """
    above, below = REPORTS.alias("above"), REPORTS.alias("below")
    part = AREAS.alias("part")
    share = JsonPairs(VERSIONS.c.split).table_valued("key", "value", name="share")
    named = select(share.c.key).where(share.c.key == below.c.area).correlate(VERSIONS, below)
    source = (
        above.join(
            VERSIONS,
            and_(VERSIONS.c.report == above.c.report, VERSIONS.c.number == above.c.accepted_number),
        )
        .join(part, part.c.parent == above.c.area)
        .join(below, and_(below.c.area == part.c.id, _one_occurrence(above, below)))
    )
    return (
        finding(
            literal("split_leaves_out"),
            above.c.report,
            source,
            area=above.c.area,
            number=func.count(),
            reason=JoinedText(part.c.name),
            since=func.max(above.c.accepted_at),
        )
        .where(
            scope.covers(above.c.area),
            _real(above),
            _real(below),
            VERSIONS.c.split != "{}",
            ~named.exists(),
        )
        .group_by(above.c.report, above.c.area)
    )


def _sums_below(scope: Scope) -> Any:
    """Figures of accepted own reports that are smaller than the sum of what the areas directly
    below had accepted of the same occurrence: ``key``, ``own``, ``parts`` and about them."""
    above, below = REPORTS.alias("above"), REPORTS.alias("below")
    part = AREAS.alias("part")
    told = JsonPairs(_decided(below)).table_valued("key", "value", name="told")
    own = cast(func.coalesce(JsonMember(above.c.accepted_figures, told.c.key), "0"), Float)
    parts = func.sum(cast(told.c.value, Float))
    kept = JsonMember(func.coalesce(above.c.set_aside, "{}"), told.c.key)
    return (
        select(
            above.c.report,
            above.c.area,
            told.c.key.label("key"),
            own.label("own"),
            parts.label("parts"),
            kept.label("kept"),
            func.max(below.c.accepted_at).label("since"),
            func.max(below.c.accepted_as_of).label("as_of"),
            above.c.accepted_as_of.label("own_as_of"),
        )
        .select_from(
            above.join(part, part.c.parent == above.c.area)
            .join(below, and_(below.c.area == part.c.id, _one_occurrence(above, below)))
            .join(told, true())
        )
        .where(
            scope.covers(above.c.area),
            _real(above),
            _real(below),
            above.c.accepted_number.is_not(None),
            below.c.accepted_number.is_not(None),
            told.c.value.is_not(None),
        )
        .group_by(
            above.c.report,
            above.c.area,
            told.c.key,
            above.c.accepted_figures,
            above.c.set_aside,
            above.c.accepted_as_of,
        )
        .having(parts > own)
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
        cast(JsonMember(sums.c.kept, "parts"), Float) >= sums.c.parts,
        cast(JsonMember(sums.c.kept, "kept"), Float) <= sums.c.own,
    )
    return finding(
        literal("casualties_hidden"),
        sums.c.report + ":" + cast(sums.c.key, String),
        sums,
        area=sums.c.area,
        number=cast(sums.c.parts - sums.c.own, Integer),
        reason=cast(sums.c.key, String),
        since=sums.c.since,
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
        )
        .where(sums.c.key.not_in(CASUALTIES), sums.c.as_of >= sums.c.own_as_of)
        .group_by(sums.c.report, sums.c.area)
    )


def _hour(moment: Any) -> Any:
    """The hour of a moment in text. Plain numbers: PostgreSQL's ``substr`` takes no BIGINT."""
    return func.substr(moment, literal_column("1"), literal_column("13"))


def likely_same(scope: Scope) -> Select[Any]:
    """Two reports of one area on one hazard within the same hour: filed twice, it seems."""
    first, second = REPORTS.alias("first"), REPORTS.alias("second")
    source = first.join(
        second,
        and_(
            second.c.area == first.c.area,
            second.c.hazard == first.c.hazard,
            second.c.exercise == first.c.exercise,
            _hour(second.c.occurred_at) == _hour(first.c.occurred_at),
            second.c.report > first.c.report,
        ),
    )
    return finding(
        literal("likely_same"),
        first.c.report + ":" + second.c.report,
        source,
        area=first.c.area,
        reason=first.c.hazard,
        since=second.c.recorded_at,
    ).where(scope.covers(first.c.area), _real(first), _real(second))


REPORT_FINDINGS = (
    split_differs,
    split_leaves_out,
    casualties_hidden,
    parts_larger,
    likely_same,
)
"""Every kind of finding about reports: a function of the scope each."""
