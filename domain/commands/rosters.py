"""The desk for rosters 台账: the people and the houses behind the figures of a report.

Every change of a row is a fact of the record and of the report that counts it, in one commit.
Rows can be added after a 核报 was accepted: a body found late is never refused.
"""

import unicodedata
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Literal
from uuid import UUID

from domain.area import check_text
from domain.casualty_record import COUNTED, MORTAL, SOUGHT, Casualty, CasualtyRecord, Fate
from domain.commands.filing import check_moment
from domain.commands.sealing import person_of
from domain.exercise import AS_THE_STORE, keep_apart
from domain.house_damage import Grade, HouseDamage
from domain.household import Household
from domain.identity import normalize_id, parse_id
from domain.ids import NewId
from domain.masking import mask_name
from domain.reach import seen, within
from domain.refusal import Malformed, Refusal, refusal_of
from domain.report_refusals import MaybeOnRoster, OutsideReport
from domain.rules.base import china_day
from domain.situation_report import SituationReport
from domain.world import About, Command, Result, Role, Sealed, World

CASUALTY = About("casualty-records", CasualtyRecord, "record")
DAMAGE = About("house-damages", HouseDamage, "record")
KEEPERS = frozenset({Role.VILLAGE_REPORTER, Role.TOWNSHIP_REVIEWER, Role.COUNTY_APPROVER})
OLDEST = 130
MOST_ROOMS = 200


def _report_over(world: World, report: UUID, area: UUID) -> SituationReport:
    found = seen(world, SituationReport, report)
    if found.area not in world.lineage(area):
        raise OutsideReport(report=report, area=area)
    return found


def _person(world: World, id_number: str | None) -> tuple[UUID, str | None]:
    """The vault's random id of the person, and the number in its one form."""
    if not id_number or not id_number.strip():
        return world.vault.new_person(), None
    number = parse_id(normalize_id(id_number), on=china_day(world.now)).number
    return person_of(world, number), number


def _sealed(
    world: World, person: UUID, stream: UUID, field: str, text: str | None
) -> Sealed | None:
    if text is None or not text.strip():
        return None
    return world.vault.seal(person, stream, field, text.strip())


def _between(field: str, value: int | None, least: int, most: int) -> None:
    if value is not None and not least <= value <= most:
        raise Malformed(
            field=field,
            value=str(value),
            rule_zh=f"应在 {least} 到 {most} 之间",
            rule_en=f"it is between {least} and {most}",
        )


def _change(before: dict[str, int], after: dict[str, int]) -> dict[str, int]:
    """What takes away the rows counted before and adds those counted now."""
    names = sorted(before.keys() | after.keys())
    change = {name: before.get(name, 0) + after.get(name, 0) for name in names}
    return {name: by for name, by in change.items() if by}


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordCasualty(Command):
    """Put a missing, dead or injured person on the roster of a report."""

    record: NewId
    report: UUID
    area: UUID
    fate: Literal["missing", "dead", "injured"]
    full_name: str
    sex: Literal["male", "female", "unknown"] = "unknown"
    age: int | None = None
    id_number: str | None = None
    ethnic_group: str = ""
    registered_at: str | None = None
    place: str | None = None
    cause: str = ""
    happened_at: datetime | None = None
    resident: bool = True
    severe: bool = False
    exercise: bool = AS_THE_STORE
    another: bool = False
    """It is another person than the row of the same name, about which was asked."""
    roles: ClassVar[frozenset[Role]] = KEEPERS

    def scope(self, world: World) -> UUID:
        return self.area

    def decide(self, world: World) -> Result:
        check_text("full_name", self.full_name)
        _between("age", self.age, 0, OLDEST)
        report = _report_over(world, self.report, self.area)
        happened_at = self.happened_at
        if happened_at is not None:
            happened_at = check_moment("happened_at", happened_at, world)
        person, number = _person(world, self.id_number)
        name = self.full_name.strip()
        if not self.another and person not in report.casualties:
            self._ask(world, report, name, number is not None)
        casualty = Casualty(
            masked_name=mask_name(name),
            name=world.vault.seal(person, self.record, "name", name),
            id_number=_sealed(world, person, self.record, "id_number", number),
            registered_at=_sealed(world, person, self.record, "registered_at", self.registered_at),
            place=_sealed(world, person, self.record, "place", self.place),
            sex=self.sex,
            age=self.age,
            ethnic_group=self.ethnic_group.strip(),
            resident=self.resident,
            severe=self.severe,
            cause=self.cause.strip(),
            happened_at=happened_at,
        )
        record = CasualtyRecord(
            id=self.record,
            report=report.id,
            area=self.area,
            person=person,
            fate=Fate(self.fate),
            casualty=casualty,
            exercise=self.exercise,
        )
        world.add(record)
        report.count("casualty", record.id, person, record.counts(), self.exercise)
        return {"person": str(person), "rows": dict(report.rows)}

    def _ask(self, world: World, report: SituationReport, name: str, numbered: bool) -> None:
        """`MaybeOnRoster` if the same person seems to stand on the roster, by name, sex and age."""
        for id in report.casualties.values():
            row = world.get(CasualtyRecord, id)
            if row.may_be(self.sex, self.age, numbered) and same_name(
                name, world.vault.unseal(row.casualty.name, row.id, "name")
            ):
                raise MaybeOnRoster(report=report.id, record=id, masked=row.casualty.masked_name)


def same_name(name: str, other: str | None) -> bool:
    """Whether two names are written alike, whatever their spaces and dots."""
    return other is not None and _plain(name) == _plain(other)


def _plain(name: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFKC", name) if c.isalnum()).casefold()


def _casualty(world: World, id: UUID) -> tuple[CasualtyRecord, SituationReport]:
    record = world.get(CasualtyRecord, id)
    return record, world.get(SituationReport, record.report)


def _recount(report: SituationReport, record: CasualtyRecord, before: dict[str, int]) -> Result:
    """Move the rows of a changed record. A person who no longer counts leaves the roster."""
    after = record.counts()
    change = _change(before, after)
    if after:
        report.count("casualty", record.id, record.person, change, record.exercise)
    else:
        report.uncount("casualty", record.id, record.person, change)
    return {"rows": dict(report.rows)}


class _OnCasualty(Command):
    """What every step of somebody on the roster of people shares."""

    __slots__ = ()
    about: ClassVar[About] = CASUALTY
    roles: ClassVar[frozenset[Role]] = KEEPERS
    fates: ClassVar[tuple[Fate, ...]] = COUNTED
    """Of whom it can be said."""

    @classmethod
    def closed(cls, world: World, subject: CasualtyRecord) -> Refusal | None:
        return refusal_of(subject.must_be, *cls.fates)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmDeath(_OnCasualty):
    """A missing (or injured) person is dead: −1 there, +1 dead, in one fact."""

    record: UUID
    died_at: datetime | None = None
    cause: str = ""
    place: str | None = None
    fates: ClassVar[tuple[Fate, ...]] = MORTAL

    def decide(self, world: World) -> Result:
        record, report = _casualty(world, self.record)
        died_at = self.died_at
        if died_at is not None:
            died_at = check_moment("died_at", died_at, world)
        before = record.counts(-1)
        place = _sealed(world, record.person, record.id, "place", self.place)
        record.confirm_death(died_at, self.cause.strip(), place)
        return _recount(report, record, before)


@dataclass(frozen=True, slots=True, kw_only=True)
class FindMissing(_OnCasualty):
    """A missing person is found alive, injured or not."""

    record: UUID
    found_at: datetime
    injured: bool = False
    severe: bool = False
    fates: ClassVar[tuple[Fate, ...]] = SOUGHT

    def decide(self, world: World) -> Result:
        record, report = _casualty(world, self.record)
        found_at = check_moment("found_at", self.found_at, world)
        before = record.counts(-1)
        record.find(found_at, self.injured, self.injured and self.severe)
        return _recount(report, record, before)


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawCasualty(_OnCasualty):
    """Take a row off the roster of people that should not be there, with the reason."""

    record: UUID
    reason: str

    def decide(self, world: World) -> Result:
        check_text("reason", self.reason)
        record, report = _casualty(world, self.record)
        before = record.counts(-1)
        record.withdraw(self.reason.strip())
        return _recount(report, record, before)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordHouseDamage(Command):
    """Put the damaged home of a household on the roster of a report, with its grade and rooms.

    ``household`` is its register, if it is known; the owner is named in any case.
    """

    record: NewId
    report: UUID
    area: UUID
    owner_name: str
    owner_id_number: str | None = None
    household: UUID | None = None
    address: str | None = None
    grade: Grade
    rooms: int
    structure: str = ""
    exercise: bool = AS_THE_STORE
    another: bool = False
    """It is another home than the row of the same owner's name, about which was asked."""
    roles: ClassVar[frozenset[Role]] = KEEPERS

    def scope(self, world: World) -> UUID:
        return self.area

    def decide(self, world: World) -> Result:
        check_text("owner_name", self.owner_name)
        _between("rooms", self.rooms, 1, MOST_ROOMS)
        report = _report_over(world, self.report, self.area)
        if self.household is not None:
            home = within(world, Household, self.household)
            keep_apart("Household", home.id, exercise=home.exercise, wanted=self.exercise)
        owner, number = _person(world, self.owner_id_number)
        name = self.owner_name.strip()
        if not self.another and (self.household or owner) not in report.houses:
            self._ask(world, report, name, bool(self.household or number))
        record = HouseDamage(
            id=self.record,
            report=report.id,
            area=self.area,
            owner=owner,
            household=self.household,
            masked_name=mask_name(name),
            name=world.vault.seal(owner, self.record, "name", name),
            id_number=_sealed(world, owner, self.record, "id_number", number),
            address=_sealed(world, owner, self.record, "address", self.address),
            grade=Grade(self.grade),
            rooms=self.rooms,
            structure=self.structure.strip(),
            exercise=self.exercise,
        )
        world.add(record)
        report.count("house", record.id, self.household or owner, record.counts(), self.exercise)
        return {"owner": str(owner), "rows": dict(report.rows)}

    def _ask(self, world: World, report: SituationReport, name: str, registered: bool) -> None:
        """`MaybeOnRoster` if a home of that owner's name stands there and nothing tells them
        apart."""
        for id in report.houses.values():
            row = world.get(HouseDamage, id)
            if (row.registered and registered) or row.area != self.area:
                continue
            if same_name(name, world.vault.unseal(row.name, row.id, "name")):
                raise MaybeOnRoster(report=report.id, record=id, masked=mask_name(name))


class _OnDamage(Command):
    """What every step of a damaged home on the roster shares."""

    __slots__ = ()
    about: ClassVar[About] = DAMAGE
    roles: ClassVar[frozenset[Role]] = KEEPERS

    @classmethod
    def closed(cls, world: World, subject: HouseDamage) -> Refusal | None:
        return refusal_of(subject.must_stand)


@dataclass(frozen=True, slots=True, kw_only=True)
class RegradeHouseDamage(_OnDamage):
    """Change the grade or the number of rooms of a damaged home, with the reason."""

    record: UUID
    grade: Grade
    rooms: int
    reason: str
    expected_version: int | None = None

    def decide(self, world: World) -> Result:
        check_text("reason", self.reason)
        _between("rooms", self.rooms, 1, MOST_ROOMS)
        record = world.get(HouseDamage, self.record)
        report = world.get(SituationReport, record.report)
        before = record.counts(-1)
        record.regrade(Grade(self.grade), self.rooms, self.reason.strip())
        change = _change(before, record.counts())
        report.count("house", record.id, record.counted_as, change, record.exercise)
        return {"rows": dict(report.rows)}


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawHouseDamage(_OnDamage):
    """Take a damaged home off the roster that should not be there, with the reason."""

    record: UUID
    reason: str

    def decide(self, world: World) -> Result:
        check_text("reason", self.reason)
        record = world.get(HouseDamage, self.record)
        report = world.get(SituationReport, record.report)
        before = record.counts(-1)
        record.withdraw(self.reason.strip())
        report.uncount("house", record.id, record.counted_as, before)
        return {"rows": dict(report.rows)}
