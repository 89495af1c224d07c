"""Officer: a natural person with posts. Who may act, where, from when, and in whose place.

The stream's id is derived from the random id of the natural person, which the vault finds by
the ID number: one person is one officer, however many accounts or posts they have.
``persons`` are all natural persons who count when this officer acts: the officer, and those
whose matters were handed over to the officer.
"""

from dataclasses import dataclass
from datetime import date
from typing import ClassVar
from uuid import UUID, uuid5

import msgspec
from eventsourcing.domain import event

from domain.area import AreaLevel, check_text
from domain.base import NAMESPACE, Aggregate
from domain.login_name import NoLoginYet
from domain.posts import (
    LEVELS_OF,
    AdministratorHasNoBusiness,
    AlreadyAppointed,
    Appointment,
    Certificate,
    EndsOnlyShorten,
    HoldsNoPost,
    NobodyStandsIn,
    NothingToHandOver,
    Post,
    RoleDoesNotFit,
    StandIn,
    StandsInForOneself,
    check_period,
)
from domain.refusal import AlreadyExists, NotFound, Refusal
from domain.world import Role, Sealed


@dataclass(eq=False)
class OfficerSuspended(Refusal):
    """A suspended officer does nothing."""

    status: ClassVar[int] = 403
    zh: ClassVar[str] = "您已被停职（{reason}），不能办理任何事项"
    en: ClassVar[str] = "You are suspended ({reason}) and may not act."
    officer: UUID
    reason: str


@dataclass(eq=False)
class SuspendedOfficerChosen(Refusal):
    """A suspended officer gets no post, stands in for nobody and takes nothing over."""

    zh: ClassVar[str] = "该人员已被停职（{reason}），不能任命、代理或接手"
    en: ClassVar[str] = "This officer is suspended ({reason}): no post, no standing in."
    officer: UUID
    reason: str


@dataclass(eq=False)
class AlreadySuspended(Refusal):
    zh: ClassVar[str] = "该人员已处于停职状态（{reason}）"
    en: ClassVar[str] = "This officer is suspended already ({reason})."
    officer: UUID
    reason: str


@dataclass(eq=False)
class NotSuspended(Refusal):
    zh: ClassVar[str] = "该人员并未停职"
    en: ClassVar[str] = "This officer is not suspended."
    officer: UUID


@dataclass(eq=False)
class NumberExcusedAlready(Refusal):
    zh: ClassVar[str] = "该人员已登记“无法取得身份证号”"
    en: ClassVar[str] = "It is on record already that this officer's ID number cannot be had."
    officer: UUID


class Officer(Aggregate):
    """One natural person in office. ``area`` is where they are employed."""

    @event("Registered")
    def __init__(
        self,
        id: UUID,
        person: UUID,
        area: UUID,
        name: Sealed,
        masked_name: str,
        phone: Sealed | None,
    ) -> None:
        self.person = person
        self.masked_name = masked_name
        self.area = area
        self.persons: tuple[UUID, ...] = (person,)
        self.logins: set[str] = set()
        self.appointments: dict[UUID, Appointment] = {}
        self.stand_ins: dict[UUID, StandIn] = {}
        self.substitutes: dict[UUID, tuple[UUID, UUID]] = {}
        self.suspended: str | None = None
        self.number_excused_by: tuple[UUID, ...] | None = None
        self.numbered_as: UUID | None = None
        self.certificate: Certificate | None = None

    @staticmethod
    def id_of(person: UUID) -> UUID:
        """The officer of a natural person. Not the person's own id: that stream is theirs."""
        return uuid5(NAMESPACE, f"officer/{person}")

    def derived_id(self) -> UUID:
        return self.id_of(self.person)

    @property
    def home(self) -> UUID:
        return self.area

    def appointment(self, id: UUID) -> Appointment:
        found = self.appointments.get(id)
        if found is None:
            raise NotFound(kind="Appointment", id=id)
        return found

    def posts_from(self, day: date) -> tuple[Appointment, ...]:
        """Appointments that are not over before that day."""
        return tuple(
            post
            for post in self.appointments.values()
            if post.ends_on is None or post.ends_on >= day
        )

    # -- accounts ------------------------------------------------------------------------

    def open_account(self, login: str) -> None:
        check_text("login", login)
        if login in self.logins:
            raise AlreadyExists(kind=f"Account {login}", id=self.id)
        self._account_opened(login=login)

    @event("AccountOpened")
    def _account_opened(self, login: str) -> None:
        self.logins.add(login)

    # -- ID number -----------------------------------------------------------------------

    def excuse_number(self, reason: str, by: tuple[UUID, ...]) -> None:
        """The ID number cannot be had. ``by``: the persons who say so (none: the program)."""
        check_text("reason", reason)
        self.require_unexcused()
        self._number_excused(reason=reason, by=by)

    def require_unexcused(self) -> None:
        if self.number_excused_by is not None:
            raise NumberExcusedAlready(officer=self.id)

    @event("NumberExcused")
    def _number_excused(self, reason: str, by: tuple[UUID, ...]) -> None:
        self.number_excused_by = by

    def give_number(self, person: UUID) -> None:
        """The officer's ID number has come: from now on they count as its person too."""
        self._number_given(person=person)

    @event("NumberGiven")
    def _number_given(self, person: UUID) -> None:
        self.numbered_as = person
        self.persons = (*self.persons, person)

    # -- appointments --------------------------------------------------------------------

    def appoint(self, new: Appointment, level: AreaLevel) -> None:
        """Give this officer a post in an area of that level."""
        self.require_available()
        check_period(new.starts_on, new.ends_on)
        if level not in LEVELS_OF.get(new.role, ()):
            raise RoleDoesNotFit(role=new.role, area=new.area, level=level)
        if new.id in self.appointments:
            raise AlreadyExists(kind="Appointment", id=new.id)
        for held in self.posts_from(new.starts_on):
            overlaps = new.ends_on is None or held.starts_on <= new.ends_on
            if overlaps and (held.role, held.area) == (new.role, new.area):
                raise AlreadyAppointed(
                    officer=self.id, appointment=held.id, role=new.role, area=new.area
                )
        self.require_no_mixing(new, new.starts_on)
        self._appointed(
            appointment=new.id,
            role=new.role,
            area=new.area,
            post=new.post,
            certificate=new.certificate,
            starts_on=new.starts_on,
            ends_on=new.ends_on,
        )

    @event("Appointed")
    def _appointed(
        self,
        appointment: UUID,
        role: Role,
        area: UUID,
        post: Post,
        certificate: str,
        starts_on: date,
        ends_on: date | None,
    ) -> None:
        self.appointments[appointment] = Appointment(
            appointment, role, area, post, certificate, starts_on, ends_on
        )

    def end_appointment(self, appointment: UUID, ends_on: date, reason: str) -> None:
        """Set the last day of a post. It may be earlier than the first: then it never was.

        A further last day only shortens (`EndsOnlyShorten`): a later one would revive a post
        that is over, past all rules for an appointment.
        """
        check_text("reason", reason)
        held = self.appointment(appointment)
        if held.ends_on is not None and ends_on >= held.ends_on:
            raise EndsOnlyShorten(officer=self.id, appointment=appointment, ends_on=held.ends_on)
        self._appointment_ended(appointment=appointment, ends_on=ends_on, reason=reason)

    @event("AppointmentEnded")
    def _appointment_ended(self, appointment: UUID, ends_on: date, reason: str) -> None:
        held = self.appointments[appointment]
        self.appointments[appointment] = msgspec.structs.replace(held, ends_on=ends_on)

    def record_certificate(self, new: Certificate) -> None:
        """Keep which certificate the officer holds now, in place of the one before."""
        self._certificate_recorded(certificate=new)

    @event("CertificateRecorded")
    def _certificate_recorded(self, certificate: Certificate) -> None:
        self.certificate = certificate

    # -- substitutes ---------------------------------------------------------------------

    def name_substitute(
        self,
        substitution: UUID,
        substitute: "Officer",
        appointment: UUID,
        starts_on: date,
        ends_on: date,
    ) -> None:
        """Somebody else takes one post of this officer for some days: a fact of both."""
        held = self.appointment(appointment)
        check_period(starts_on, ends_on)
        if substitution in self.substitutes:
            raise AlreadyExists(kind="Substitution", id=substitution)
        if substitute.id == self.id:
            raise StandsInForOneself(officer=substitute.id)
        substitute.require_available()
        substitute.require_no_mixing(held, starts_on)
        self._substitute_named(
            substitution=substitution,
            substitute=substitute.id,
            appointment=appointment,
            starts_on=starts_on,
            ends_on=ends_on,
        )
        substitute._became_substitute(
            substitution=substitution,
            absent=self.id,
            persons=self.persons,
            appointment=held,
            starts_on=starts_on,
            ends_on=ends_on,
        )

    @event("SubstituteNamed")
    def _substitute_named(
        self,
        substitution: UUID,
        substitute: UUID,
        appointment: UUID,
        starts_on: date,
        ends_on: date,
    ) -> None:
        self.substitutes[substitution] = (substitute, appointment)

    @event("BecameSubstitute")
    def _became_substitute(
        self,
        substitution: UUID,
        absent: UUID,
        persons: tuple[UUID, ...],
        appointment: Appointment,
        starts_on: date,
        ends_on: date,
    ) -> None:
        self.stand_ins[substitution] = StandIn(
            substitution, absent, persons, appointment, starts_on, ends_on
        )

    def substitute_in(self, substitution: UUID) -> UUID:
        """The officer who stands in by this substitution."""
        if substitution not in self.substitutes:
            raise NotFound(kind="Substitution", id=substitution)
        return self.substitutes[substitution][0]

    def renew_substitute(self, substitution: UUID, substitute: "Officer") -> None:
        """The post's last day or the persons who count here have changed: tell the substitute."""
        stand_in = substitute.stand_ins[substitution]
        post = self.appointments[stand_in.appointment.id]
        if (post, self.persons) == (stand_in.appointment, stand_in.persons):
            return
        substitute._became_substitute(
            substitution=substitution,
            absent=self.id,
            persons=self.persons,
            appointment=post,
            starts_on=stand_in.starts_on,
            ends_on=stand_in.ends_on,
        )

    def end_substitution(self, substitution: UUID, substitute: "Officer", ended_on: date) -> None:
        """The absent officer is back, or the post is gone. Takes effect at once, for both."""
        self._substitution_ended(substitution=substitution, ended_on=ended_on)
        substitute._stopped_substituting(substitution=substitution, ended_on=ended_on)

    @event("SubstitutionEnded")
    def _substitution_ended(self, substitution: UUID, ended_on: date) -> None:
        self.substitutes.pop(substitution, None)

    @event("StoppedSubstituting")
    def _stopped_substituting(self, substitution: UUID, ended_on: date) -> None:
        self.stand_ins.pop(substitution, None)

    # -- hand-over and suspension --------------------------------------------------------

    def hand_over(self, successor: "Officer", on: date, reason: str) -> None:
        """Everything open goes to the successor, who from then on counts as both persons."""
        check_text("reason", reason)
        posts = self.require_something_to_hand_over(on)
        if successor.id == self.id:
            raise StandsInForOneself(officer=self.id)
        successor.require_available()
        for post in posts:
            successor.require_no_mixing(post, on)
        moved = tuple(
            msgspec.structs.replace(post, starts_on=max(post.starts_on, on)) for post in posts
        )
        self._handed_over(
            successor=successor.id,
            appointments=tuple(post.id for post in posts),
            on=on,
            reason=reason,
        )
        successor._took_over(predecessor=self.id, persons=self.persons, appointments=moved, on=on)

    def require_something_to_hand_over(self, on: date) -> tuple[Appointment, ...]:
        """The posts that go to a successor on that day."""
        posts = self.posts_from(on)
        if not posts:
            raise NothingToHandOver(officer=self.id)
        return posts

    @event("HandedOver")
    def _handed_over(
        self, successor: UUID, appointments: tuple[UUID, ...], on: date, reason: str
    ) -> None:
        for appointment in appointments:
            self.appointments.pop(appointment, None)

    @event("TookOver")
    def _took_over(
        self,
        predecessor: UUID,
        persons: tuple[UUID, ...],
        appointments: tuple[Appointment, ...],
        on: date,
    ) -> None:
        self.persons = tuple(dict.fromkeys((*self.persons, *persons)))
        for appointment in appointments:
            self.appointments[appointment.id] = appointment

    def suspend(self, reason: str) -> None:
        check_text("reason", reason)
        self.require_working()
        self._suspended(reason=reason)

    def require_working(self) -> None:
        if self.suspended is not None:
            raise AlreadySuspended(officer=self.id, reason=self.suspended)

    @event("Suspended")
    def _suspended(self, reason: str) -> None:
        self.suspended = reason

    def reinstate(self, reason: str) -> None:
        check_text("reason", reason)
        self.require_suspended()
        self._reinstated(reason=reason)

    def require_suspended(self) -> None:
        if self.suspended is None:
            raise NotSuspended(officer=self.id)

    @event("Reinstated")
    def _reinstated(self, reason: str) -> None:
        self.suspended = None

    # -- what others ask before they decide ----------------------------------------------

    def require_posts(self) -> None:
        """`HoldsNoPost` if there is none, and never was, that could be named."""
        if not self.appointments:
            raise HoldsNoPost(officer=self.id)

    def require_substitutes(self) -> None:
        if not self.substitutes:
            raise NobodyStandsIn(officer=self.id)

    def require_login(self) -> None:
        if not self.logins:
            raise NoLoginYet(officer=self.id)

    def require_available(self) -> None:
        if self.suspended is not None:
            raise SuspendedOfficerChosen(officer=self.id, reason=self.suspended)

    def require_no_mixing(self, new: Appointment, day: date) -> None:
        """Refuse a business post for an administrator, and the reverse, from that day on."""
        held = {post.role for post in self.posts_from(day)}
        held |= {s.appointment.role for s in self.stand_ins.values() if s.ends_on >= day}
        administers = new.role == Role.ADMINISTRATOR
        if any((role == Role.ADMINISTRATOR) != administers for role in held):
            raise AdministratorHasNoBusiness(officer=self.id, role=new.role)
