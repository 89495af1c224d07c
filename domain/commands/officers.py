"""The desk for officers: registration, posts, substitutes, hand-over, suspension."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import ClassVar
from uuid import UUID

from domain.area import Area, check_text, common
from domain.commands.appointing import (
    OnOfficer,
    not_oneself,
    put_in_post,
    require_number_of_heir,
    void_invitations,
)
from domain.commands.sealing import person_of, seal_phone
from domain.dispensation import Dispensation, NotSuperior, OwnDispensation
from domain.identity import normalize_id, parse_id
from domain.ids import NewId
from domain.late_number import LateNumber
from domain.login_name import LoginName, LoginTaken, as_typed, check_login
from domain.masking import mask_name
from domain.officer import Officer
from domain.posts import Appointment, Post
from domain.refusal import AlreadyExists, IdNotFresh
from domain.rules.base import china_day
from domain.world import Command, Result, Role, World

KEEPERS = frozenset({Role.SYSTEM, Role.ADMINISTRATOR})
SUPERIORS = frozenset({Role.COUNTY_APPROVER, Role.CITY_REVIEWER, Role.PROVINCE_REVIEWER})


def _reach(world: World, officers: Iterable[UUID], areas: Iterable[UUID] = ()) -> UUID:
    """The lowest area above where these officers are employed and hold posts, and these areas."""
    today = china_day(world.now)
    over = list(areas)
    for id in officers:
        officer = world.get(Officer, id)
        over.append(officer.home)
        over.extend(post.area for post in officer.posts_from(today))
    return common(world, over)


def _end_substitution(world: World, absent: Officer, substitution: UUID) -> None:
    substitute = world.get(Officer, absent.substitute_in(substitution))
    absent.end_substitution(substitution, substitute, china_day(world.now))


def renew_substitutes(world: World, absent: Officer) -> None:
    """Whoever stands in for this officer learns what has changed about the post and persons."""
    for substitution, (substitute, _) in absent.substitutes.items():
        absent.renew_substitute(substitution, world.get(Officer, substitute))


def _told_void(world: World, officer: Officer) -> Result | None:
    void = void_invitations(world, officer)
    return {"void_invitations": void} if void else None


def person_with(world: World, id_number: str) -> UUID:
    """The person of an ID number, known or new. `Malformed` if it is no ID number."""
    number = normalize_id(id_number)
    parse_id(number, china_day(world.now))
    return person_of(world, number)


def register(
    world: World, person: UUID, full_name: str, area: UUID, phone: str | None, *, numbered: bool
) -> Officer:
    """A person becomes an officer. ``numbered``: found by the ID number."""
    check_text("full_name", full_name)
    world.get(Area, area).require_living()
    vault = world.vault
    if not numbered and vault.is_person(person):  # who is, or may become, another officer
        raise IdNotFresh(kind="Person", id=person)
    if (late := world.find(LateNumber, LateNumber.id_of(person))) is not None:
        raise AlreadyExists(kind="Officer", id=late.officer)
    id, name = Officer.id_of(person), full_name.strip()
    return world.add(
        Officer(
            id=id,
            person=person,
            area=area,
            name=vault.seal(person, id, "name", name),
            masked_name=mask_name(name),
            phone=seal_phone(world, id, person, phone),
        )
    )


def open_login(world: World, officer: Officer, login: str) -> LoginName:
    """A log-in name becomes the officer's. `LoginTaken` if it is somebody's."""
    login = as_typed(login)
    check_login(login)
    officer.open_account(login)
    id = LoginName.id_of(login)
    if world.find(LoginName, id) is not None:
        raise LoginTaken(login=login)
    return world.add(LoginName(id=id, login=login, officer=officer.id, area=officer.home))


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterOfficer(Command):
    """Register a natural person as an officer, found again by the ID number if one is given."""

    roles: ClassVar[frozenset[Role]] = KEEPERS
    person: NewId
    """The person's new id; not used if the vault knows the ID number already."""
    full_name: str
    area: UUID
    phone: str | None = None
    id_number: str | None = None

    def scope(self, world: World) -> UUID:
        return self.area

    def decide(self, world: World) -> Result | None:
        numbered = self.id_number is not None
        person = person_with(world, self.id_number) if self.id_number is not None else self.person
        officer = register(world, person, self.full_name, self.area, self.phone, numbered=numbered)
        return {"officer": officer.id, "person": person}


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenAccount(OnOfficer):
    """Open a log-in name for an officer. It is theirs alone."""

    roles: ClassVar[frozenset[Role]] = KEEPERS
    officer: UUID
    login: str

    @classmethod
    def check(cls, world: World, officer: Officer) -> None:
        """Whoever is known here may have one more."""

    def decide(self, world: World) -> Result | None:
        open_login(world, world.get(Officer, self.officer), self.login)
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class AppointOfficer(OnOfficer):
    """Appoint an officer to a post in an area, by an administrator there or above."""

    roles: ClassVar[frozenset[Role]] = KEEPERS
    id: NewId
    officer: UUID
    role: Role
    area: UUID
    post: Post = Post.NONE
    certificate: str = ""
    starts_on: date
    ends_on: date | None = None

    @classmethod
    def check(cls, world: World, officer: Officer) -> None:
        not_oneself(world, officer)
        officer.require_available()

    def scope(self, world: World) -> UUID:
        officer = world.get(Officer, self.officer)
        return common(world, (world.get(Area, self.area).id, officer.home))

    def decide(self, world: World) -> Result | None:
        post = Appointment(
            self.id, self.role, self.area, self.post, self.certificate, self.starts_on, self.ends_on
        )
        officer = world.get(Officer, self.officer)
        put_in_post(world, officer, post)
        return _told_void(world, officer)


@dataclass(frozen=True, slots=True, kw_only=True)
class EndAppointment(OnOfficer):
    """Set the last day of an officer's post, for whoever stands in there as well."""

    roles: ClassVar[frozenset[Role]] = KEEPERS
    officer: UUID
    appointment: UUID
    ends_on: date
    reason: str

    @classmethod
    def check(cls, world: World, officer: Officer) -> None:
        not_oneself(world, officer)
        officer.require_posts()

    def scope(self, world: World) -> UUID:
        officer = world.get(Officer, self.officer)
        return common(world, (officer.appointment(self.appointment).area, officer.home))

    def decide(self, world: World) -> Result | None:
        officer = world.get(Officer, self.officer)
        self.check(world, officer)
        officer.end_appointment(self.appointment, self.ends_on, self.reason)
        renew_substitutes(world, officer)
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class NameSubstitute(OnOfficer):
    """Let another officer hold an absent officer's post from one day to another."""

    roles: ClassVar[frozenset[Role]] = KEEPERS
    id: NewId
    officer: UUID
    appointment: UUID
    substitute: UUID
    starts_on: date
    ends_on: date

    @classmethod
    def check(cls, world: World, officer: Officer) -> None:
        officer.require_posts()

    def scope(self, world: World) -> UUID:
        absent = world.get(Officer, self.officer)
        held = absent.appointment(self.appointment)
        return common(world, (held.area, absent.home, world.get(Officer, self.substitute).home))

    def decide(self, world: World) -> Result | None:
        substitute, absent = world.get(Officer, self.substitute), world.get(Officer, self.officer)
        not_oneself(world, substitute)
        role = absent.appointment(self.appointment).role
        require_number_of_heir(world, substitute, absent, role)
        absent.name_substitute(self.id, substitute, self.appointment, self.starts_on, self.ends_on)
        return _told_void(world, substitute)


@dataclass(frozen=True, slots=True, kw_only=True)
class EndSubstitution(OnOfficer):
    """The absent officer is back: the substitution ends at once."""

    roles: ClassVar[frozenset[Role]] = KEEPERS
    officer: UUID
    substitution: UUID

    @classmethod
    def check(cls, world: World, officer: Officer) -> None:
        officer.require_substitutes()

    def decide(self, world: World) -> Result | None:
        _end_substitution(world, world.get(Officer, self.officer), self.substitution)
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class HandOver(OnOfficer):
    """Hand everything open over to a successor, who from then on counts as both persons."""

    roles: ClassVar[frozenset[Role]] = KEEPERS
    officer: UUID
    successor: UUID
    reason: str

    @classmethod
    def check(cls, world: World, officer: Officer) -> None:
        officer.require_something_to_hand_over(china_day(world.now))

    def scope(self, world: World) -> UUID:
        return _reach(world, (self.officer,), (world.get(Officer, self.successor).home,))

    def decide(self, world: World) -> Result | None:
        officer = world.get(Officer, self.officer)
        successor = world.get(Officer, self.successor)
        not_oneself(world, successor)
        for post in officer.posts_from(china_day(world.now)):
            require_number_of_heir(world, successor, officer, post.role)
        for substitution in tuple(officer.substitutes):
            _end_substitution(world, officer, substitution)
        for substitution, stand_in in tuple(officer.stand_ins.items()):
            _end_substitution(world, world.get(Officer, stand_in.absent), substitution)
        officer.hand_over(successor, china_day(world.now), self.reason)
        renew_substitutes(world, successor)
        return {"persons": len(successor.persons), **(_told_void(world, successor) or {})}


@dataclass(frozen=True, slots=True, kw_only=True)
class SuspendOfficer(OnOfficer):
    """Suspend an officer: from now on nothing can be done under this name."""

    roles: ClassVar[frozenset[Role]] = KEEPERS
    officer: UUID
    reason: str

    @classmethod
    def lies_in(cls, world: World, subject: Officer) -> UUID:
        return _reach(world, (subject.id,))

    @classmethod
    def check(cls, world: World, officer: Officer) -> None:
        not_oneself(world, officer)
        officer.require_working()

    def decide(self, world: World) -> Result | None:
        officer = world.get(Officer, self.officer)
        self.check(world, officer)
        officer.suspend(self.reason)
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReinstateOfficer(OnOfficer):
    """Let a suspended officer work again."""

    roles: ClassVar[frozenset[Role]] = KEEPERS
    officer: UUID
    reason: str

    @classmethod
    def lies_in(cls, world: World, subject: Officer) -> UUID:
        return _reach(world, (subject.id,))

    @classmethod
    def check(cls, world: World, officer: Officer) -> None:
        not_oneself(world, officer)
        officer.require_suspended()

    def decide(self, world: World) -> Result | None:
        officer = world.get(Officer, self.officer)
        self.check(world, officer)
        officer.reinstate(self.reason)
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantDispensation(Command):
    """Allow in writing that an officer does one more step of one matter; by a superior."""

    roles: ClassVar[frozenset[Role]] = SUPERIORS
    matter: UUID
    officer: UUID
    step: str
    document_no: str
    reason: str

    def scope(self, world: World) -> UUID:
        return _reach(world, (self.officer,))

    def decide(self, world: World) -> Result | None:
        for field in ("step", "document_no", "reason"):
            check_text(field, getattr(self, field))
        officer = world.get(Officer, self.officer)
        actor = world.actor
        if set(actor.persons) & set(officer.persons):
            raise OwnDispensation(officer=officer.id)
        for post in officer.posts_from(china_day(world.now)):
            if post.area == actor.area:
                raise NotSuperior(officer=officer.id, area=post.area)
        dispensation = Dispensation(
            id=Dispensation.id_of(self.matter, self.officer, self.step),
            matter=self.matter,
            officer=self.officer,
            step=self.step,
            area=self.scope(world),
            document_no=self.document_no,
            reason=self.reason,
        )
        world.add(dispensation)
        return {"dispensation": dispensation.id}
