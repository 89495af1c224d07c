"""The desk for relief seasons 救助年度: opening, a changed standard, closing."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import ClassVar
from uuid import UUID

import msgspec

from domain.area import Area, check_text
from domain.disaster import Disaster, OutsideDisaster
from domain.exercise import AS_THE_STORE, keep_apart
from domain.reach import seen
from domain.refusal import Malformed, Refusal, refusal_of
from domain.rulebook import require_confirmed
from domain.rules.base import china_day
from domain.rules.standards import Programme, Standards
from domain.rules.working_days import WorkingDays
from domain.season import DisasterNeeded, OtherHazard, Season, UnknownProgramme
from domain.world import About, Command, Result, Role, RuleRef, World

OLDEST_YEARS = 10
"""How long ago a season may have been that is opened now (books made up afterwards)."""

SEASON = About("seasons", Season, "season")
OPENERS = frozenset({Role.COUNTY_APPROVER, Role.CITY_REVIEWER, Role.PROVINCE_REVIEWER})


def terms_of(
    world: World, area: UUID, programme: str, *, exercise: bool
) -> tuple[Programme, RuleRef]:
    """The programme as the standards in force there run it, or `UnknownProgramme`.

    `RulesUnconfirmed` if nobody has confirmed them, but in a drill.
    """
    standards = world.rules(Standards, area, world.now)
    require_confirmed(standards.ref, exercise=exercise)
    terms = standards.rule.programme(programme)
    if terms is None:
        raise UnknownProgramme(programme=programme, area=area)
    return terms, standards.ref


def _check_year(year: int, this_year: int) -> None:
    """A season of a year that nobody can still be helped in, or of one far off, is a slip."""
    if not this_year - OLDEST_YEARS <= year <= this_year + 1:
        raise Malformed(
            field="year",
            value=str(year),
            rule_zh=f"应在 {this_year - OLDEST_YEARS} 年到 {this_year + 1} 年之间",
            rule_en=f"it is between {this_year - OLDEST_YEARS} and {this_year + 1}",
        )


def deliver_by(world: World, area: UUID, terms: Programme, year: int) -> date | None:
    """The last day for cash and goods to arrive: the eve of 春节 of the next year, or None."""
    if not terms.pay_before_spring_festival:
        return None
    festival = world.rules(WorkingDays, area, world.now).rule.spring_festival(year + 1)
    return festival - timedelta(days=1) if festival is not None else None


def due_on(world: World, season: Season, village: UUID) -> tuple[date | None, RuleRef]:
    """When what is allocated now must have arrived: the season's last day or so many working days.

    The earlier of the two; None where the programme sets neither. And the standards that say so,
    with a mark where working days of a year without a calendar were counted.
    """
    days = season.terms.pay_within_working_days
    if days is None:
        return season.deliver_by, season.standards
    calendar = world.rules(WorkingDays, village, world.now).rule
    today = china_day(world.now)
    within = calendar.add(today, days)
    if season.deliver_by is not None and season.deliver_by < within:
        return season.deliver_by, season.standards
    if calendar.covers_all(today, within):
        return within, season.standards
    return within, msgspec.structs.replace(season.standards, plain_weekends=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenSeason(Command):
    """Open a relief season of one programme in one area, on the standards in force there."""

    roles: ClassVar[frozenset[Role]] = OPENERS
    area: UUID
    programme: str
    year: int
    """The year the need arose in: winter 2017–18 is 2017."""
    disaster: UUID | None = None
    exercise: bool = AS_THE_STORE

    def scope(self, world: World) -> UUID:
        return self.area

    def decide(self, world: World) -> Result | None:
        world.get(Area, self.area).require_living()
        _check_year(self.year, china_day(world.now).year)
        terms, ref = terms_of(world, self.area, self.programme, exercise=self.exercise)
        if terms.needs_disaster and self.disaster is None:
            raise DisasterNeeded(programme=self.programme)
        if self.disaster is not None:
            found = seen(world, Disaster, self.disaster)
            here, there = world.lineage(self.area), world.lineage(found.area)
            if self.area not in there and found.area not in here:
                raise OutsideDisaster(disaster=found.id, area=self.area)
            keep_apart("Disaster", found.id, exercise=found.exercise, wanted=self.exercise)
            if terms.hazards and found.hazard not in terms.hazards:
                raise OtherHazard(programme=self.programme, disaster=found.id)
        season = world.add(
            Season(
                id=Season.id_of(self.area, self.programme, self.year, self.disaster, self.exercise),
                area=self.area,
                programme=self.programme,
                year=self.year,
                disaster=self.disaster,
                exercise=self.exercise,
                terms=terms,
                standards=ref,
                assess_by=terms.assess_by.in_year(self.year) if terms.assess_by else None,
                deliver_by=deliver_by(world, self.area, terms, self.year),
            )
        )
        return {"season": season.id, "deliver_by": season.deliver_by}


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeSeasonStandard(Command):
    """Take the standards now in force over into a running season, from now on."""

    about: ClassVar[About] = SEASON
    roles: ClassVar[frozenset[Role]] = OPENERS
    season: UUID
    reason: str

    @classmethod
    def closed(cls, world: World, subject: Season) -> Refusal | None:
        return refusal_of(subject.check_open)

    def decide(self, world: World) -> Result | None:
        check_text("reason", self.reason)
        season = world.get(Season, self.season)
        terms, ref = terms_of(world, season.area, season.programme, exercise=season.exercise)
        season.change_standard(
            terms, ref, deliver_by(world, season.area, terms, season.year), self.reason
        )
        return {"standards": ref.version}


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseSeason(Command):
    """Close a relief season, all its lists being closed: nothing more is decided or paid in it."""

    about: ClassVar[About] = SEASON
    roles: ClassVar[frozenset[Role]] = OPENERS
    season: UUID
    reason: str
    without_list_reason: str = ""
    """Why villages of it never opened a list, if there are any."""

    def wants_unlisted_in(self) -> UUID | None:
        return self.season

    @classmethod
    def closed(cls, world: World, subject: Season) -> Refusal | None:
        return refusal_of(subject.check_closable)

    def decide(self, world: World) -> Result | None:
        check_text("reason", self.reason)
        season = world.get(Season, self.season)
        there = tuple(one for one in world.villages if season.area in world.lineage(one))
        season.close(self.reason, there, self.without_list_reason)
        return {"without_list": len(there)}
