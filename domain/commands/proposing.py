"""The desk of superiors for posts below them: they propose, the administrator there decides.

What is proposed is tried as the decision would be, so that nobody proposes what cannot be done.
"""

from dataclasses import dataclass
from datetime import date
from typing import ClassVar
from uuid import UUID

from domain.area import Area, check_text
from domain.commands.appointing import OFFICER, not_oneself
from domain.commands.checked import Checked
from domain.commands.engaging import EngageOfficer
from domain.commands.officers import KEEPERS, AppointOfficer, EndAppointment, SuspendOfficer
from domain.commands.reviews import ANY_REVIEWER
from domain.ids import NewId
from domain.officer import Officer
from domain.post_proposal import (
    OwnProposal,
    PostProposal,
    ProposalKind,
    ProposedFromAbove,
    ProposedPost,
    TakenOtherwise,
)
from domain.posts import LEVELS_OF, Appointment, Post, RoleDoesNotFit, check_period
from domain.reach import in_reach
from domain.rules.base import china_day
from domain.seat import seat_of
from domain.world import About, Command, Result, Role, World

PROPOSAL = About("post-proposals", PostProposal, "proposal")
DECIDERS = KEEPERS - {Role.SYSTEM}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Propose(Command):
    """What all proposals have: who may, the check that it comes from above, the fact."""

    roles: ClassVar[frozenset[Role]] = ANY_REVIEWER
    id: NewId
    reason: str

    def propose(
        self,
        world: World,
        kind: ProposalKind,
        *,
        officer: Officer | None = None,
        whom: str | None = None,
        wanted: ProposedPost | None = None,
        appointment: UUID | None = None,
        ends_on: date | None = None,
    ) -> Result:
        check_text("reason", self.reason)
        area = self.scope(world)
        if officer is not None:
            not_oneself(world, officer)
        _require_above(world, officer, wanted)
        lapses_at = PostProposal.lapse_of(world.now)
        world.add(
            PostProposal(
                id=self.id,
                area=area,
                kind=kind,
                proposers=world.actor.persons,
                officer=officer.id if officer is not None else None,
                whom=whom,
                wanted=wanted,
                appointment=appointment,
                ends_on=ends_on,
                reason=self.reason,
                lapses_at=lapses_at,
            )
        )
        return {"proposal": self.id, "lapses_at": lapses_at}


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposeEngagement(_Propose):
    """Propose that somebody new comes into office below: whom, in which post, from when."""

    full_name: str
    role: Role
    area: UUID
    post: Post = Post.NONE
    starts_on: date
    ends_on: date | None = None

    def scope(self, world: World) -> UUID:
        return self.area

    def decide(self, world: World) -> Result | None:
        check_text("full_name", self.full_name)
        check_period(self.starts_on, self.ends_on)
        area = world.get(Area, self.area)
        area.require_living()
        if area.level not in LEVELS_OF.get(self.role, ()):
            raise RoleDoesNotFit(role=self.role, area=self.area, level=area.level)
        wanted = ProposedPost(self.role, self.area, self.post, self.starts_on, self.ends_on)
        return self.propose(
            world, ProposalKind.ENGAGEMENT, whom=self.full_name.strip(), wanted=wanted
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _ProposeOf(Checked, _Propose):
    """A proposal about an officer who is there."""

    about: ClassVar[About] = OFFICER

    @classmethod
    def check(cls, world: World, officer: Officer) -> None:
        not_oneself(world, officer)
        _require_above(world, officer, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposeAppointment(_ProposeOf):
    """Propose a further post for an officer below."""

    officer: UUID
    role: Role
    area: UUID
    post: Post = Post.NONE
    starts_on: date
    ends_on: date | None = None

    @classmethod
    def check(cls, world: World, officer: Officer) -> None:
        _ProposeOf.check(world, officer)
        officer.require_available()

    def scope(self, world: World) -> UUID:
        return _appointing(self.id, self.officer, self._wanted()).scope(world)

    def _wanted(self) -> ProposedPost:
        return ProposedPost(self.role, self.area, self.post, self.starts_on, self.ends_on)

    def decide(self, world: World) -> Result | None:
        officer = world.get(Officer, self.officer)
        area = world.get(Area, self.area)
        area.require_living()
        wanted = self._wanted()
        tried = Appointment(
            self.id, self.role, self.area, self.post, "", self.starts_on, self.ends_on
        )
        officer.copied().appoint(tried, area.level)
        return self.propose(world, ProposalKind.APPOINTMENT, officer=officer, wanted=wanted)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposeEnd(_ProposeOf):
    """Propose the last day of an officer's post below."""

    officer: UUID
    appointment: UUID
    ends_on: date

    @classmethod
    def check(cls, world: World, officer: Officer) -> None:
        _ProposeOf.check(world, officer)
        officer.require_posts()

    def scope(self, world: World) -> UUID:
        return _ending(self.officer, self.appointment, self.ends_on, self.reason).scope(world)

    def decide(self, world: World) -> Result | None:
        officer = world.get(Officer, self.officer)
        officer.copied().end_appointment(self.appointment, self.ends_on, self.reason)
        return self.propose(
            world,
            ProposalKind.END,
            officer=officer,
            appointment=self.appointment,
            ends_on=self.ends_on,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposeSuspension(_ProposeOf):
    """Propose to suspend an officer below, with the reason."""

    officer: UUID

    @classmethod
    def lies_in(cls, world: World, subject: Officer) -> UUID:
        return SuspendOfficer.lies_in(world, subject)

    @classmethod
    def check(cls, world: World, officer: Officer) -> None:
        _ProposeOf.check(world, officer)
        officer.require_working()

    def decide(self, world: World) -> Result | None:
        officer = world.get(Officer, self.officer)
        officer.copied().suspend(self.reason)
        return self.propose(world, ProposalKind.SUSPENSION, officer=officer)


def _require_above(world: World, officer: Officer | None, wanted: ProposedPost | None) -> None:
    """`ProposedFromAbove` unless the proposer is above all that the officer is and is to be."""
    places = set() if wanted is None else {wanted.area}
    if officer is not None:
        held = officer.posts_from(china_day(world.now))
        places |= {officer.home, *(post.area for post in held)}
    area = world.actor.area
    beyond = not all(in_reach(world, place) for place in places)
    if area is not None and (beyond or (area in places and area != seat_of(world))):
        raise ProposedFromAbove(area=area)


def _appointing(id: UUID, officer: UUID, wanted: ProposedPost) -> AppointOfficer:
    return AppointOfficer(
        id=id,
        officer=officer,
        role=wanted.role,
        area=wanted.area,
        post=wanted.post,
        starts_on=wanted.starts_on,
        ends_on=wanted.ends_on,
    )


def _ending(officer: UUID, appointment: UUID, ends_on: date, reason: str) -> EndAppointment:
    return EndAppointment(officer=officer, appointment=appointment, ends_on=ends_on, reason=reason)


# deciding


class _OnProposal(Checked):
    """A step on a proposal that waits, by somebody whom it neither is by nor about."""

    __slots__ = ()
    about: ClassVar[About] = PROPOSAL
    roles: ClassVar[frozenset[Role]] = DECIDERS

    @classmethod
    def check(cls, world: World, proposal: PostProposal) -> None:
        _must_wait(world, proposal)


def _must_wait(world: World, proposal: PostProposal) -> None:
    if set(world.actor.persons) & set(proposal.proposers):
        raise OwnProposal(proposal=proposal.id)
    if proposal.officer is not None:
        not_oneself(world, world.get(Officer, proposal.officer))
    proposal.require_open(world.counting)


def _to_decide(world: World, id: UUID) -> PostProposal:
    proposal = world.get(PostProposal, id)
    _must_wait(world, proposal)
    return proposal


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeProposal(_OnProposal):
    """Do what is proposed of an officer: appoint, end a post, suspend, as without a proposal."""

    proposal: UUID

    @classmethod
    def lies_in(cls, world: World, subject: PostProposal) -> UUID:
        command = _decision(world, subject)
        return subject.area if command is None else command.scope(world)

    @classmethod
    def check(cls, world: World, proposal: PostProposal) -> None:
        _must_wait(world, proposal)
        command = _must_be_of_officer(world, proposal)
        command.check(world, world.get(Officer, command.officer))

    def decide(self, world: World) -> Result | None:
        proposal = _to_decide(world, self.proposal)
        command = _must_be_of_officer(world, proposal)
        told = command.decide(world)
        new = command.id if isinstance(command, AppointOfficer) else proposal.appointment
        proposal.take(command.officer, new)
        return {"officer": command.officer, **(told or {})}


Decision = AppointOfficer | EndAppointment | SuspendOfficer


def _must_be_of_officer(world: World, proposal: PostProposal) -> Decision:
    command = _decision(world, proposal)
    if command is None:
        raise TakenOtherwise(proposal=proposal.id)
    return command


def _decision(world: World, proposal: PostProposal) -> Decision | None:
    """The administrator's own decision; None if it is taken in another way."""
    officer, reason = proposal.officer, proposal.reason
    if officer is None:
        return None
    if proposal.wanted is not None:
        id = world.make_id("appointment", proposal.id)
        return _appointing(id, officer, proposal.wanted)
    if proposal.appointment is not None and proposal.ends_on is not None:
        return _ending(officer, proposal.appointment, proposal.ends_on, reason)
    return SuspendOfficer(officer=officer, reason=reason)


def _must_be_of_somebody_new(proposal: PostProposal) -> ProposedPost:
    if proposal.wanted is None or proposal.officer is not None:
        raise TakenOtherwise(proposal=proposal.id)
    return proposal.wanted


@dataclass(frozen=True, slots=True, kw_only=True)
class EngageProposed(_OnProposal):
    """Engage whom a superior proposed, in the proposed post, and invite them: as `EngageOfficer`.

    The administrator gives what an officer needs besides: a log-in name, and the ID number for a
    post that four eyes count on. The name may be written better than it was proposed.
    """

    proposal: UUID
    person: NewId
    id: NewId
    full_name: str
    login: str
    id_number: str | None = None
    phone: str | None = None
    certificate: str = ""

    @classmethod
    def check(cls, world: World, proposal: PostProposal) -> None:
        _must_wait(world, proposal)
        _must_be_of_somebody_new(proposal)

    def decide(self, world: World) -> Result | None:
        proposal = _to_decide(world, self.proposal)
        wanted = _must_be_of_somebody_new(proposal)
        engaged = EngageOfficer(
            person=self.person,
            id=self.id,
            full_name=self.full_name,
            login=self.login,
            role=wanted.role,
            area=wanted.area,
            id_number=self.id_number,
            phone=self.phone,
            post=wanted.post,
            certificate=self.certificate,
            starts_on=wanted.starts_on,
            ends_on=wanted.ends_on,
        )
        told = engaged.decide(world) or {}
        proposal.take(told["officer"], self.id)
        return told


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclineProposal(_OnProposal):
    """Not do what is proposed, with the reason, which the superior reads."""

    proposal: UUID
    reason: str

    def decide(self, world: World) -> Result | None:
        _to_decide(world, self.proposal).decline(self.reason)
        return None
