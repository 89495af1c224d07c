"""What areas and the areas below them told of one occurrence, added up as a board adds it."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    Float,
    and_,
    cast,
    func,
    select,
    true,
)
from sqlalchemy.sql.selectable import FromClause

from domain.report_filing import Review
from projections.areas import AREAS
from projections.asking.scope import Scope
from projections.disasters import DISASTERS
from projections.folding.dialects import JoinedText, JsonMember, JsonPairs
from projections.situation import REPORTS, VERSIONS

# Reports for which `hosted` has the same answer are counted together, so that a finding compares
# what a board adds up (see `situation.counted_with`).


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


def hosted(reports: FromClause) -> tuple[FromClause, ColumnElement[str]]:
    """The reports, and what each is counted with."""
    hosts = HOSTS.alias()
    source = reports.outerjoin(hosts, hosts.c.id == reports.c.disaster)
    return source, func.coalesce(hosts.c.host, reports.c.occurrence)


def reported(village: FromClause, disaster: ColumnElement[Any], *beside: FromClause) -> Any:
    """Whether a village has reported a disaster, or one that is counted with it. ``beside``: the
    tables of the statement around it that ``disaster`` is a column of."""
    source, host = hosted(REPORTS)
    theirs = HOSTS.alias("theirs")
    into = select(theirs.c.host).where(theirs.c.id == disaster).correlate(*beside)
    return (
        select(REPORTS.c.report)
        .select_from(source)
        .where(
            REPORTS.c.area == village.c.id,
            REPORTS.c.review != str(Review.WITHDRAWN),
            host == func.coalesce(into.scalar_subquery(), disaster),
        )
        .correlate(village, *beside)
        .exists()
    )


def real(scope: Scope, report: FromClause) -> ColumnElement[bool]:
    """What counts: nothing that was withdrawn, and no exercise but in a training store."""
    drill = report.c.exercise.is_(scope.training)
    return and_(drill, report.c.review != str(Review.WITHDRAWN))


def heads_of(scope: Scope) -> CTE:
    """An area's accepted reports of one occurrence: one row, mostly of one report."""
    source, occurrence = hosted(REPORTS)
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
        .where(scope.covers(r.area), real(scope, REPORTS), r.accepted_number.is_not(None))
        .group_by(r.area, occurrence)
        .cte()
    )


def told_by(scope: Scope) -> CTE:
    """What an area's accepted reports say of an occurrence, a row a figure that is known."""
    figure = JsonPairs(REPORTS.c.official_figures).table_valued("key", "value", name="figure")
    return _summed(scope, figure, REPORTS.c.area)


def shares_of(scope: Scope) -> CTE:
    """What they say of each ``part``, a row a part and figure."""
    share = JsonPairs(VERSIONS.c.split).table_valued("key", "value", name="share")
    figure = JsonPairs(share.c.value).table_valued("key", "value", name="figure")
    accepted = and_(
        VERSIONS.c.report == REPORTS.c.report, VERSIONS.c.number == REPORTS.c.accepted_number
    )
    joins = ((VERSIONS, accepted), (share, true()))
    return _summed(scope, figure, share.c.key, *joins)


def hundredths(value: Any) -> ColumnElement[int]:
    """A figure as a whole number of hundredths, the finest a report writes.

    Sums of fractions depend on the order of adding: two that are equal would differ by a hair.
    """
    return cast(func.round(cast(value, Float) * 100), BigInteger)


def _summed(scope: Scope, figure: Any, part: Any, *joins: tuple[Any, Any]) -> CTE:
    """Figures added up by area, occurrence, part and key, in hundredths."""
    source, occurrence = hosted(REPORTS)
    for table, on in (*joins, (figure, true())):
        source = source.join(table, on)
    r = REPORTS.c
    return (
        select(
            r.area,
            occurrence.label("occurrence"),
            part.label("part"),
            figure.c.key.label("key"),
            func.sum(hundredths(figure.c.value)).label("value"),
        )
        .select_from(source)
        .where(
            scope.covers(r.area),
            real(scope, REPORTS),
            r.accepted_number.is_not(None),
            figure.c.value.is_not(None),
        )
        .group_by(r.area, occurrence, part, figure.c.key)
        .cte()
    )


def same_occurrence(one: FromClause, other: FromClause) -> ColumnElement[bool]:
    found: ColumnElement[bool] = one.c.occurrence == other.c.occurrence
    return found


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
    source, occurrence = hosted(between)
    spoke = (
        select(between.c.report)
        .select_from(source)
        .where(
            scope.covers(between.c.area),
            between.c.area == up.c.at,
            occurrence == up.c.occurrence,
            real(scope, between),
            between.c.accepted_number.is_not(None),
        )
        .correlate(up)
    )
    higher = AREAS.alias("higher")
    step = select(up.c.area, up.c.occurrence, higher.c.parent).join(higher, higher.c.id == up.c.at)
    return up.union(step.where(higher.c.parent.is_not(None), ~spoke.exists()))


def sums_below(scope: Scope, heads: CTE, told: CTE) -> CTE:
    """Figures of accepted own reports that are smaller than the sum of what the areas below had
    accepted of the same occurrence: ``key``, ``own``, ``theirs`` (hundredths) and about them."""
    up = _nearest(scope, heads)
    above, below, mine = heads.alias(), heads.alias(), told.alias()
    own = func.coalesce(func.max(mine.c.value), 0)
    theirs = func.sum(told.c.value)
    source = (
        up.join(above, and_(above.c.area == up.c.at, same_occurrence(above, up)))
        .join(below, and_(below.c.area == up.c.area, same_occurrence(below, up)))
        .join(told, and_(told.c.area == up.c.area, same_occurrence(told, up)))
        .outerjoin(
            mine,
            and_(
                mine.c.area == above.c.area, same_occurrence(mine, above), mine.c.key == told.c.key
            ),
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
        .cte("sums")
    )


@dataclass(frozen=True)
class ReportSums:
    """What several questions about reports add up, each sum once in a statement."""

    scope: Scope

    @cached_property
    def heads(self) -> CTE:
        return heads_of(self.scope)

    @cached_property
    def told(self) -> CTE:
        return told_by(self.scope)

    @cached_property
    def below(self) -> CTE:
        return sums_below(self.scope, self.heads, self.told)
