"""Findings about situation reports: a parent that does not tell what its children told."""

from typing import Any

from sqlalchemy import Float, Select, and_, cast, func, literal, or_, true

from domain.report_filing import Kind
from projections.finding_rows import finding
from projections.folding.dialects import JoinedText, JsonMember, JsonMerged, JsonPairs
from projections.scope import Scope
from projections.situation import REPORTS, VERSIONS


def split_differs(scope: Scope) -> Select[Any]:
    """An area's share in the report of the area above is not what it reported itself.

    Both accepted, of one occurrence, as of the same time or both verified (domain.md §1.6: the
    parent is the sum of its children at the same as-of time; that its total is the sum of its
    shares is checked as it is filed). What was adjudicated 核定 counts in place of what was
    reported. ``number``: how many figures differ; ``reason``: their names.
    """
    above, below = REPORTS.alias("above"), REPORTS.alias("below")
    share = JsonPairs(VERSIONS.c.split).table_valued("key", "value", name="share")
    figure = JsonPairs(share.c.value).table_valued("key", "value", name="figure")
    decided = func.coalesce(JsonMember(below.c.adjudicated, "figures"), "{}")
    merged = JsonMerged(below.c.accepted_figures, decided)
    own = JsonPairs(merged).table_valued("key", "value", name="own")
    same_time = or_(
        above.c.accepted_as_of == below.c.accepted_as_of,
        and_(above.c.accepted_kind == Kind.VERIFIED, below.c.accepted_kind == Kind.VERIFIED),
    )
    one_occurrence = and_(  # compared so that a child is looked up by its area
        func.coalesce(above.c.disaster, "") == func.coalesce(below.c.disaster, ""),
        or_(
            below.c.disaster.is_not(None),
            and_(above.c.hazard == below.c.hazard, above.c.occurred_at == below.c.occurred_at),
        ),
    )
    accepted = and_(
        VERSIONS.c.report == above.c.report, VERSIONS.c.number == above.c.accepted_number
    )
    children = and_(
        below.c.area == share.c.key,
        below.c.exercise == above.c.exercise,
        one_occurrence,
        same_time,
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
            above.c.exercise.is_(False),
            VERSIONS.c.split != "{}",
            cast(own.c.value, Float) != cast(figure.c.value, Float),
        )
        .group_by(above.c.report, below.c.report, above.c.area)
    )
