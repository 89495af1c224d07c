"""Findings about officers: two whom nobody can tell apart, on both sides of one report."""

from typing import Any

from sqlalchemy import Select, and_, func, literal, select

from domain.report_filing import Review
from projections.asking.finding_rows import finding
from projections.asking.report_sums import real
from projections.asking.scope import Scope
from projections.officers import OFFICERS
from projections.situation import REPORTS, VERSIONS


def maybe_one_person(scope: Scope) -> Select[Any]:
    """A version was filed by one and made official by another officer, both without ID number.

    That a number cannot be had is on record for both; so they may be one person, and no rule can
    tell. ``number``: how many versions of the report; ``reason``: the two, as they are masked.
    """
    filer, second = OFFICERS.alias("filer"), OFFICERS.alias("second")
    excused = select(OFFICERS.c.id).where(OFFICERS.c.number_excused_at.is_not(None))
    v = VERSIONS.c
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
            and_(v.reported_by.in_(excused), v.reviewed_by.in_(excused)),
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
