"""Findings about officers whom nobody can tell apart."""

from typing import Any

from sqlalchemy import Select, and_, case, func, literal, or_
from sqlalchemy.sql.selectable import FromClause

from domain.report_filing import Review
from projections.areas import AREAS
from projections.asking.finding_rows import finding
from projections.asking.report_sums import real
from projections.asking.scope import Scope
from projections.officers import OFFICERS
from projections.situation import REPORTS, VERSIONS


def maybe_one_person(scope: Scope) -> Select[Any]:
    """A version was filed by one and made official by another officer, both without ID number.

    That a number cannot be had was on record for both; so they may be one person, and no rule can
    tell. Whose number came later is told apart from then on; if both came, they were two persons
    before as well, for a number that somebody has already is refused.
    ``number``: how many versions of the report; ``reason``: the two, as they are masked.
    """
    filer, second = OFFICERS.alias("filer"), OFFICERS.alias("second")
    v = VERSIONS.c
    numbered = [one.c.number_given_at for one in (filer, second)]
    source = (
        VERSIONS.join(REPORTS, REPORTS.c.report == v.report)
        .join(filer, filer.c.id == v.reported_by)
        .join(second, second.c.id == v.reviewed_by)
    )
    return (
        finding(
            literal("maybe_one_person"),
            v.report + ":" + v.reported_by + ":" + v.reviewed_by,
            source,
            area=v.area,
            number=func.count(),
            reason=filer.c.masked_name + literal("、") + second.c.masked_name,
            since=func.min(v.reviewed_at),
            reports=v.report,
        )
        .where(
            scope.covers(v.area),
            real(scope, REPORTS),
            v.reported_by != v.reviewed_by,
            v.review.in_((str(Review.ACCEPTED), str(Review.ISSUED))),
            *(one.c.number_excused_at.is_not(None) for one in (filer, second)),
            or_(*(given.is_(None) for given in numbered)),
            *(or_(given.is_(None), given > v.reviewed_at) for given in numbered),
        )
        .group_by(
            v.report,
            v.area,
            v.reported_by,
            v.reviewed_by,
            filer.c.masked_name,
            second.c.masked_name,
        )
    )


def registered_twice(scope: Scope) -> Select[Any]:
    """Somebody without an ID number may be another officer of the same name.

    Of the first it is on record that the number cannot be had, and none came since. The other is
    registered in the same area, or up to two levels above or below: the steps of one matter lie
    in a village, its township and its county. Names are compared as they are masked, for the log
    holds no others. ``reason``: the name and where the two are registered.
    """
    excused, other = OFFICERS.alias("excused"), OFFICERS.alias("other")
    here, above = AREAS.alias("excused_area"), AREAS.alias("excused_above")
    there, over = AREAS.alias("other_area"), AREAS.alias("other_above")
    lies_below = or_(excused.c.area == other.c.area, *_lies_under(here, above, other))
    lies_above = or_(*_lies_under(there, over, excused))
    nameless = [
        and_(one.c.number_excused_at.is_not(None), one.c.number_given_at.is_(None))
        for one in (excused, other)
    ]
    source = (
        excused.join(other, excused.c.masked_name == other.c.masked_name)
        .join(here, here.c.id == excused.c.area)
        .join(there, there.c.id == other.c.area)
        .outerjoin(above, above.c.id == here.c.parent)
        .outerjoin(over, over.c.id == there.c.parent)
    )
    places = here.c.name + literal("、") + there.c.name
    return finding(
        literal("registered_twice"),
        excused.c.id + ":" + other.c.id,
        source,
        area=excused.c.area,
        reason=excused.c.masked_name + literal("：") + places,
        since=_later(excused.c.number_excused_at, other.c.registered_at),
    ).where(
        scope.covers(excused.c.area),
        nameless[0],
        excused.c.id != other.c.id,
        or_(~nameless[1], excused.c.id < other.c.id),  # of two without a number one finding
        or_(lies_below, lies_above),
    )


def _lies_under(area: FromClause, above: FromClause, officer: FromClause) -> tuple[Any, Any]:
    """That the officer's area is directly above this one, or above that."""
    return area.c.parent == officer.c.area, above.c.parent == officer.c.area


def _later(one: Any, other: Any) -> Any:
    return case((one > other, one), else_=other)
