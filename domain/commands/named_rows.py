"""Rows of the rosters 台账 that an application names: the dead person, or the damaged home.

A row is named by one application that has not been refused, in whatever season and household: one
dead person is condoled for once, one home is helped once: what auditors look for first is the same
loss helped twice (domain.md §2.5).
"""

from collections.abc import Iterable, Iterator
from itertools import chain
from uuid import UUID

from domain.case_checks import Stage
from domain.casualty_record import CasualtyRecord
from domain.commands.rosters import same_name
from domain.disaster import Disaster
from domain.house_damage import HouseDamage
from domain.household import Household
from domain.need import (
    AnothersHome,
    DeadNotNamed,
    HelpedAlready,
    HomeNotNamed,
    MaybeHelped,
    Need,
    NotAmongHomes,
    NotAmongTheDead,
)
from domain.paying import check_rows
from domain.reach import within
from domain.refusal import Malformed
from domain.relief_case import ReliefCase
from domain.season import Season
from domain.situation_report import SituationReport
from domain.world import World

Row = CasualtyRecord | HouseDamage


def check_named(season: Season, need: Need) -> None:
    """The need names what the programme goes by, and nothing else. Refuses `DeadNotNamed`,
    `HomeNotNamed`, `Malformed`."""
    named = {"dead": bool(need.dead), "house": need.house is not None}
    for what, given in named.items():
        if given and season.terms.names != what:
            raise Malformed(
                field=f"need.{what}",
                value="",
                rule_zh="本救助项目不按台账办理，不填此项",
                rule_en="this programme does not go by that roster: leave it empty",
            )
    if season.terms.names and not named[season.terms.names]:
        raise DeadNotNamed if season.terms.names == "dead" else HomeNotNamed
    if len(set(need.dead)) < len(need.dead):
        raise Malformed(
            field="need.dead",
            value="",
            rule_zh="同一人重复出现",
            rule_en="somebody is named twice",
        )


def claim(
    world: World,
    season: Season,
    household: Household,
    need: Need,
    case: UUID,
    *,
    another: bool = False,
) -> None:
    """Put the application down at each row that it names: as of now, nobody else's may.

    ``another``: somebody has said that the dead are others than those of the same name on other
    rosters. Refuses `NotAmongTheDead`, `NotAmongHomes`, `DamageWithdrawn`, `RateForOtherDamage`,
    `AnothersHome`, `HelpedAlready`, `MaybeHelped`.
    """
    rows = tuple(_named(world, season, need))
    check_rows(world, season, need)
    for row in rows:
        if isinstance(row, HouseDamage) and row.household not in (None, household.id):
            raise AnothersHome(masked=row.masked_name)
        for same in (row, *_same_elsewhere(world, season, row)):
            holder = holder_of(world, same)
            if holder is not None and holder != case:
                raise HelpedAlready(masked=row.masked_name, case=holder)
        if isinstance(row, CasualtyRecord) and not another:
            _ask(world, season, row, case)
        if row.case != case:
            row.applied_for(case=case)


def _named(world: World, season: Season, need: Need) -> Iterator[Row]:
    """The rows, each on a roster of the season's disaster."""
    reports = set(_reports(world, season)) if need.dead or need.house else set()
    ids: Iterable[tuple[type[Row], UUID]] = chain(
        ((CasualtyRecord, id) for id in need.dead),
        ((HouseDamage, id) for id in (need.house,) if id is not None),
    )
    for kind, id in ids:
        row = _looked_up(world, season, kind, id)
        if row.report not in reports or row.exercise is not season.exercise:
            dead = isinstance(row, CasualtyRecord)
            raise (NotAmongTheDead if dead else NotAmongHomes)(masked=row.masked_name)
        yield row


def _looked_up(world: World, season: Season, kind: type[Row], id: UUID) -> Row:
    """The row. Who died away from home stands on the roster of another village, and their family's
    village applies for them: the dead of all the season's area may be named. Else `NotFound`."""
    if kind is CasualtyRecord and season.area in world.lineage(world.get(kind, id).home):
        return world.get(kind, id)
    return within(world, kind, id)


def _ask(world: World, season: Season, row: CasualtyRecord, case: UUID) -> None:
    """`MaybeHelped` if another roster of the disaster has a row of this name that is helped by
    another case: without an ID number the same person is another one there."""
    name = world.vault.unseal(row.casualty.name, row.id, "name")
    numbered = row.casualty.id_number is not None
    for report in _reports(world, season):
        for id in world.get(SituationReport, report).casualties.values() if name else ():
            other = world.get(CasualtyRecord, id)
            if other.report == row.report or not other.may_be(
                row.casualty.sex, row.casualty.age, numbered
            ):
                continue
            holder = holder_of(world, other)
            if holder in (None, case):
                continue
            if same_name(name or "", world.vault.unseal(other.casualty.name, other.id, "name")):
                zh, en = _alike(row, other)
                raise MaybeHelped(
                    masked=row.masked_name, reason_zh=zh, reason_en=en, case=holder or case
                )


def _alike(row: CasualtyRecord, other: CasualtyRecord) -> tuple[str, str]:
    """What the two agree in, and what would tell them apart and is not there."""
    zh, en = ["姓名相同"], ["the same name"]
    one, two = row.casualty, other.casualty
    if one.sex == two.sex != "unknown":
        zh.append("性别相同")
        en.append("the same sex")
    if one.age is not None and two.age is not None:
        zh.append("年龄相同或相差一岁")
        en.append("ages within a year")
    return "、".join([*zh, "没有身份证号可以区分"]), ", ".join([*en, "no ID number in both"])


def reports_of(world: World, disaster: UUID) -> dict[UUID, UUID]:
    """The report of each area in a disaster, or in the one that it was merged into."""
    found = world.get(Disaster, disaster)
    while found.merged_into is not None:
        found = world.get(Disaster, found.merged_into)
    return found.all_reports()


def _reports(world: World, season: Season) -> Iterable[UUID]:
    return () if season.disaster is None else reports_of(world, season.disaster).values()


def _same_elsewhere(world: World, season: Season, row: Row) -> Iterator[Row]:
    """The same person or home on the rosters of other reports of the disaster."""
    for id in _reports(world, season):
        report = world.get(SituationReport, id)
        if isinstance(row, CasualtyRecord):
            other = report.casualties.get(row.person)
            found: Row | None = world.find(CasualtyRecord, other) if other else None
        else:
            other = report.houses.get(row.counted_as)
            found = world.find(HouseDamage, other) if other else None
        if found is not None and found.id != row.id:
            yield found


def holder_of(world: World, row: Row) -> UUID | None:
    """The case that names the row now: one that was refused, or corrected to others, does not."""
    case = world.find(ReliefCase, row.case) if row.case is not None else None
    if case is None or case.stage is Stage.REFUSED:
        return None
    return case.id if row.id in (*case.need.dead, case.need.house) else None
