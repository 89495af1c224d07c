"""Whose decisions are compared for each kind of rules: a question for their ids, and a function."""

from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

from sqlalchemy import Connection, Select, or_, select

from domain.commands.filing import MUST_SPLIT
from domain.commands.parts import ReportTree
from domain.comparing import (
    Circumstances,
    Difference,
    Measured,
    Said,
    gravest,
    grounds_said,
    incident_differences,
    level_said,
    moved,
    report_differences,
)
from domain.comparing_grants import Helped, programme_said, steps_differ, verdict, verdict_said
from domain.disaster import Disaster
from domain.plurals import counted
from domain.refusal import NotFound
from domain.rules.base import CHINA, china_moment
from domain.rules.deadlines import Deadlines
from domain.rules.dispatch import Dispatch
from domain.rules.hazards import Hazards
from domain.rules.household_kinds import HouseholdKinds
from domain.rules.indicators import Indicators
from domain.rules.items import Items
from domain.rules.notices import Notices
from domain.rules.standards import Standards
from domain.rules.thresholds import BOTH, OWN, PARTS, Thresholds
from domain.rules.working_days import WorkingDays
from domain.season import Season
from domain.situation_report import SituationReport
from projections.disasters import DISASTERS, RESPONSES
from projections.dispatch import INCIDENTS
from projections.folding.base import when
from projections.households import HOUSEHOLDS
from projections.ledger import LEDGER
from projections.lists import LISTS
from projections.notices import NOTICES
from projections.seasons import SEASONS
from projections.sections.grants import GRANTS
from projections.situation import REPORTS

if TYPE_CHECKING:
    from api.rules_compared import Comparison

MOST_RESPONSES = 20
"""Steps of responses of one disaster that are compared, the latest ones."""

NOT_KNOWN: Said = ("家庭类型不在目录中", "its kind is not in the list")
ONE_DAY = timedelta(days=1)


class Found(NamedTuple):
    """A difference, and where it belongs: the area, the thing and its kind."""

    difference: Difference
    area: UUID
    kind: str
    id: UUID
    exercise: bool


class Source(NamedTuple):
    subjects: Callable[["Comparison"], Select[Any]]
    compare: Callable[["Comparison", Connection, UUID], Iterable[Found]]


# reports


def _reports(comparison: "Comparison") -> Select[Any]:
    return select(REPORTS.c.report).where(
        comparison.scope.covers(REPORTS.c.area), REPORTS.c.recorded_at >= when(comparison.since)
    )


def _of_report(comparison: "Comparison", db: Connection, id: UUID) -> Iterator[Found]:
    rule = comparison.rule
    assert isinstance(rule, Indicators | Deadlines | WorkingDays | Hazards)
    report = comparison.store.load(id)
    if not isinstance(report, SituationReport) or not comparison.governs(report.area):
        return
    facts = [one.event for one in comparison.store.history(id)]
    for difference in report_differences(facts, rule, _circumstances(comparison, db, report)):
        if difference.at >= comparison.since:
            yield Found(difference, report.area, "report", id, report.exercise)


def _circumstances(
    comparison: "Comparison", db: Connection, report: SituationReport
) -> Circumstances:
    world, line = comparison.world(), comparison.caller.system.tree.lineage(report.area)
    level = comparison.level(db, report.area)
    return Circumstances(
        level=level,
        above=comparison.level(db, line[1]) if len(line) > 1 else level,
        deadlines=world.rules(Deadlines, report.area, report.occurred_at).rule,
        calendar=world.rules(WorkingDays, report.area, report.stable_at or comparison.now).rule,
        must_split=level in MUST_SPLIT,
    )


# disasters


def _disasters(comparison: "Comparison") -> Select[Any]:
    since = when(comparison.since)
    above = [str(one) for one in comparison.caller.system.tree.lineage(comparison.area)]
    lately = select(RESPONSES.c.disaster).where(RESPONSES.c.at >= since)
    return select(DISASTERS.c.id).where(
        or_(comparison.scope.covers(DISASTERS.c.area), DISASTERS.c.area.in_(above)),
        or_(DISASTERS.c.declared_at >= since, DISASTERS.c.id.in_(lately)),
    )


def _of_disaster(comparison: "Comparison", db: Connection, id: UUID) -> Iterator[Found]:
    rule, store = comparison.rule, comparison.store
    assert isinstance(rule, Thresholds)
    disaster = store.load(id)
    assert isinstance(disaster, Disaster)
    steps = [
        (position, fact)
        for position, fact in store.history(id)
        if isinstance(fact, Disaster.ResponseStarted | Disaster.ResponseChanged)
    ]
    for position, fact in steps[-MOST_RESPONSES:]:
        if fact.meta.recorded_at < comparison.since or not comparison.governs(fact.area):
            continue
        figures = _measured(comparison, id, fact.area, position)
        old = min((one.level for one in fact.grounds), default=None)
        if gravest(rule, figures) != old:
            what = ("响应决定时所依据的数据", "the figures when a response was decided")
            said = grounds_said(sorted(fact.grounds, key=lambda one: one.level))
            told = Difference(what, said, level_said(rule, figures), fact.meta.recorded_at)
            yield Found(told, fact.area, "disaster", id, disaster.exercise)
    line = comparison.caller.system.tree.lineage(disaster.area)
    area = disaster.area if comparison.area in line else comparison.area
    if not comparison.governs(area):
        return
    figures, table = _measured(comparison, id, area, None), None
    try:
        table = comparison.world().rules(Thresholds, area, disaster.occurred_at).rule
    except NotFound:
        table = None
    if gravest(rule, figures) != gravest(table, figures):
        what = ("截至目前已审定的数据", "the figures accepted so far")
        said = level_said(table, figures)
        told = Difference(what, said, level_said(rule, figures), comparison.now)
        yield Found(told, area, "disaster", id, disaster.exercise)


def _measured(
    comparison: "Comparison", disaster: UUID, area: UUID, position: int | None
) -> Measured:
    """The figures a response of an area is decided on, as of a position of the log."""
    found = ReportTree.of(comparison.world(position), disaster, area).official(area, whole=True)
    own = found.own.figures if found.own is not None else {}
    return {OWN: own, PARTS: found.parts, BOTH: found.figures}


# relief: seasons, what households were given, notices


def _seasons(comparison: "Comparison") -> Select[Any]:
    covered = comparison.scope.covers(SEASONS.c.area)
    return select(SEASONS.c.id).where(covered, SEASONS.c.opened_at >= when(comparison.since))


def _of_season(comparison: "Comparison", db: Connection, id: UUID) -> Iterator[Found]:
    rule, season = comparison.rule, _season(comparison, id)
    if season is None or not comparison.governs(season.area):
        return
    (row,) = db.execute(select(SEASONS).where(SEASONS.c.id == str(id))).mappings().all()
    opened_at = datetime.fromisoformat(row["opened_at"])
    what = (f"{row['name_zh']} {season.year}", f"{row['name_en']} {season.year}")
    if isinstance(rule, Standards):
        terms = rule.programme(season.programme)
        if steps_differ(season.terms, terms):
            told = Difference(what, programme_said(season.terms), programme_said(terms), opened_at)
            yield Found(told, season.area, "season", id, season.exercise)
    elif isinstance(rule, WorkingDays) and season.terms.pay_before_spring_festival:
        festival = rule.spring_festival(season.year + 1)
        new = festival - ONE_DAY if festival is not None else None
        what = (f"{what[0]}：发放到户", f"{what[1]}: delivered by")
        for told in moved(what, _end(season.deliver_by), _end(new), opened_at):
            yield Found(told, season.area, "season", id, season.exercise)


def _season(comparison: "Comparison", id: UUID) -> Season | None:
    found = comparison.store.load(id)
    return found if isinstance(found, Season) else None


def _end(day: date | None) -> datetime | None:
    return china_moment(day + ONE_DAY) if day is not None else None


def _cases(comparison: "Comparison") -> Select[Any]:
    lately = or_(
        LEDGER.c.applied_at >= when(comparison.since), LEDGER.c.granted_at >= when(comparison.since)
    )
    return select(LEDGER.c.id).where(comparison.scope.covers(LEDGER.c.area), lately)


def _of_case(comparison: "Comparison", db: Connection, id: UUID) -> Iterator[Found]:
    rule = comparison.rule
    (row,) = db.execute(select(LEDGER).where(LEDGER.c.id == str(id))).mappings().all()
    area, at = UUID(row["area"]), datetime.fromisoformat(row["granted_at"] or row["applied_at"])
    season = _season(comparison, UUID(row["season"]))
    if season is None or not comparison.governs(area):
        return
    people = (f"{row['persons']} 人户", f"a household of {row['persons']}")
    if isinstance(rule, Standards):
        helped = Helped(
            rate=row["rate"],
            persons=row["persons"],
            days=row["days"],
            number=row["need_count"],
            cash_fen=row["cash_granted_fen"],
            goods_fen=row["goods_granted_fen"],
            reason=row["over_standard_reason"] or "",
        )
        old = verdict(season.terms, helped)
        new = verdict(rule.programme(season.programme), helped)
        if old != new:
            what = (f"{season.terms.zh}：{people[0]}", f"{season.terms.en}: {people[1]}")
            told = Difference(what, verdict_said(old), verdict_said(new), at)
            yield Found(told, area, "case", id, row["exercise"])
    elif isinstance(rule, HouseholdKinds):
        asked = select(HOUSEHOLDS.c.category).where(HOUSEHOLDS.c.id == row["household"])
        category = db.execute(asked).scalar_one_or_none()
        if category and not rule.knows(category):
            told = Difference(
                people, ("家庭类型在目录中", "its kind is in the list"), NOT_KNOWN, at
            )
            yield Found(told, area, "case", id, row["exercise"])


def _goods(comparison: "Comparison") -> Select[Any]:
    return select(GRANTS.c.relief_case).where(
        comparison.scope.covers(GRANTS.c.area),
        GRANTS.c.granted_at >= when(comparison.since),
        GRANTS.c.item != "",
    )


def _of_goods(comparison: "Comparison", db: Connection, id: UUID) -> Iterator[Found]:
    rule = comparison.rule
    assert isinstance(rule, Items)
    asked = (
        select(GRANTS, LEDGER.c.exercise)
        .join(LEDGER, LEDGER.c.id == GRANTS.c.relief_case)
        .where(GRANTS.c.relief_case == str(id), GRANTS.c.item != "")
    )
    for row in db.execute(asked).mappings():
        area = UUID(row["area"])
        if comparison.governs(area) and not rule.knows(row["item"]):
            what = (
                f"发放的物资 {row['units']} 件",
                f"{counted(row['units'], 'unit|units')} of goods given",
            )
            said = ("不在物资目录中", "not in the list of goods")
            at = datetime.fromisoformat(row["granted_at"])
            told = Difference(what, ("在目录中", "in the list"), said, at)
            yield Found(told, area, "case", id, row["exercise"])


def _hung(comparison: "Comparison") -> Select[Any]:
    covered = comparison.scope.covers(NOTICES.c.area)
    lately = NOTICES.c.posted_at >= when(comparison.since)
    return select(NOTICES.c.village_list).where(covered, lately)


NOTICE_NAMES: dict[str, Said] = {
    "first": ("第一次公示到期", "the first notice ends"),
    "second": ("第二次公示到期", "the second notice ends"),
}


def _of_notices(comparison: "Comparison", db: Connection, id: UUID) -> Iterator[Found]:
    rule = comparison.rule
    assert isinstance(rule, Notices)
    for row in db.execute(select(NOTICES).where(NOTICES.c.village_list == str(id))).mappings():
        area, season = UUID(row["area"]), _season(comparison, UUID(row["season"]))
        if row["posted_at"] is None or season is None or not comparison.governs(area):
            continue
        kind, terms = row["notice_kind"], season.terms
        days = terms.first_notice_days if kind == "first" else terms.second_notice_days
        posted_at = datetime.fromisoformat(row["posted_at"])
        old, new = datetime.fromisoformat(row["ends_at"]), rule.ends_at(posted_at, days)
        for told in moved(NOTICE_NAMES[kind], old, new, posted_at):
            yield Found(told, area, "list", id, row["exercise"])


def _allocated(comparison: "Comparison") -> Select[Any]:
    covered = comparison.scope.covers(LISTS.c.area)
    return select(LISTS.c.id).where(covered, LISTS.c.allocated_at >= when(comparison.since))


def _of_list(comparison: "Comparison", db: Connection, id: UUID) -> Iterator[Found]:
    rule = comparison.rule
    assert isinstance(rule, WorkingDays)
    (row,) = db.execute(select(LISTS).where(LISTS.c.id == str(id))).mappings().all()
    area, season = UUID(row["area"]), _season(comparison, UUID(row["season"]))
    if season is None or row["deliver_by"] is None or not comparison.governs(area):
        return
    days = season.terms.pay_within_working_days
    if days is None:
        return
    at = datetime.fromisoformat(row["allocated_at"])
    within = rule.add(at.astimezone(CHINA).date(), days)
    new = within if season.deliver_by is None else min(within, season.deliver_by)
    what = ("名册款物发放到户", "the list is delivered by")
    for told in moved(what, _end(date.fromisoformat(row["deliver_by"])), _end(new), at):
        yield Found(told, area, "list", id, row["exercise"])


# dispatch


def _incidents(comparison: "Comparison") -> Select[Any]:
    covered = comparison.scope.covers(INCIDENTS.c.area)
    return select(INCIDENTS.c.id).where(covered, INCIDENTS.c.opened_at >= when(comparison.since))


def _of_incident(comparison: "Comparison", db: Connection, id: UUID) -> Iterator[Found]:
    rule = comparison.rule
    assert isinstance(rule, Dispatch)
    (row,) = db.execute(select(INCIDENTS).where(INCIDENTS.c.id == str(id))).mappings().all()
    area = UUID(row["in_charge"])
    if not comparison.governs(area):
        return
    facts = [one.event for one in comparison.store.history(id)]
    for told in incident_differences(facts, rule):
        yield Found(told, area, "incident", id, row["exercise"])


REPORTED = Source(_reports, _of_report)
SOURCES: dict[str, tuple[Source, ...]] = {
    Deadlines.KIND: (REPORTED,),
    Indicators.KIND: (REPORTED,),
    Hazards.KIND: (REPORTED,),
    WorkingDays.KIND: (REPORTED, Source(_seasons, _of_season), Source(_allocated, _of_list)),
    Thresholds.KIND: (Source(_disasters, _of_disaster),),
    Standards.KIND: (Source(_seasons, _of_season), Source(_cases, _of_case)),
    HouseholdKinds.KIND: (Source(_cases, _of_case),),
    Items.KIND: (Source(_goods, _of_goods),),
    Notices.KIND: (Source(_hung, _of_notices),),
    Dispatch.KIND: (Source(_incidents, _of_incident),),
}
