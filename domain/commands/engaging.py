"""Engaging an officer: registered, in post, with a log-in name and an invitation, in one step.

A county opens with hundreds of officers; each row of its list is one command of this kind, so that
a row is done whole or refused whole, and a list that was broken off is sent again.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import ClassVar
from uuid import UUID

from domain.commands.appointing import (
    IdNumberNeeded,
    has_number,
    officer_with,
    outgrown,
    posts_opened,
    put_in_post,
    takes_number,
)
from domain.commands.logins import INVITATION_HOURS, invite, posts_within_reach
from domain.commands.officers import KEEPERS, open_login, person_with, register
from domain.ids import NewId
from domain.login_name import LoginName, as_typed, own_login
from domain.officer import Officer
from domain.posts import Appointment, Post
from domain.reach import in_reach
from domain.refusal import Refusal
from domain.rules.base import china_day
from domain.world import Command, Result, Role, World


@dataclass(eq=False)
class OfficerElsewhere(Refusal):
    """Who is in office outside this administrator's area gets a further post from above."""

    zh: ClassVar[str] = "此人已在本辖区以外任职，岗位“{role}”请由上级管理员办理"
    en: ClassVar[str] = (
        "This person is in office outside your jurisdiction: an administrator above both gives "
        "the post of {role}."
    )
    role: str


@dataclass(eq=False)
class LoginOfUnnumbered(Refusal):
    """Probably the same person, who was registered without a number: it is given, not guessed."""

    zh: ClassVar[str] = (
        "登录名“{login}”已属于{name}，该人员登记时没有身份证号：如系同一人，"
        "请在其人员页补登此号码；如系他人，请换一个登录名"
    )
    en: ClassVar[str] = (
        "The log-in name {login} is that of {name}, who was registered without an ID number. If it "
        "is the same person, give the number on their page; else choose another log-in name."
    )
    login: str
    officer: UUID
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EngageOfficer(Command):
    """Register an officer, appoint them, open a log-in name and invite them to it.

    An officer whose ID number is known here already gets a further post, and the log-in name too
    if it is a new one. ``person`` is not used then; ``id`` is the appointment's.
    """

    roles: ClassVar[frozenset[Role]] = KEEPERS
    person: NewId
    id: NewId
    full_name: str
    login: str
    role: Role
    area: UUID
    id_number: str | None = None
    phone: str | None = None
    post: Post = Post.NONE
    certificate: str = ""
    starts_on: date | None = None
    ends_on: date | None = None

    def scope(self, world: World) -> UUID:
        return self.area

    def decide(self, world: World) -> Result | None:
        if self.id_number is None and takes_number(self.role, training=world.training):
            raise IdNumberNeeded(role=self.role)
        officer = self._officer(world)
        post = Appointment(
            self.id,
            self.role,
            self.area,
            self.post,
            self.certificate,
            self.starts_on or china_day(world.now),
            self.ends_on,
        )
        put_in_post(world, officer, post)
        if (own := own_login(officer.logins, self.login)) is not None:
            self._keep_open(world, officer, LoginName.id_of(own))
            return {"officer": officer.id, "login": own, "invited": False}
        self._not_of_an_unnumbered(world)
        posts_within_reach(world, officer)
        expires_at = world.now + timedelta(hours=INVITATION_HOURS)
        name = open_login(world, officer, self.login)
        invite(world, officer, name, expires_at)
        return {
            "officer": officer.id,
            "login": name.login,
            "invited": True,
            "expires_at": expires_at,
        }

    def _not_of_an_unnumbered(self, world: World) -> None:
        """A list that was sent again with the numbers it lacked: the log-in name is known, and
        its officer has no number yet."""
        if self.id_number is None:
            return
        name = world.find(LoginName, LoginName.id_of(as_typed(self.login)))
        holder = None if name is None else world.find(Officer, name.officer)
        if holder is None or has_number(world.vault, holder) or not in_reach(world, holder.home):
            return
        raise LoginOfUnnumbered(login=self.login, officer=holder.id, name=holder.masked_name)

    def _keep_open(self, world: World, officer: Officer, name: UUID) -> None:
        """The second row of one person in a list: the code of the first opens this post as well."""
        known = world.find(LoginName, name)
        until = None if known is None else known.invited_until
        if known is None or until is None or not known.is_invited(world.now):
            return
        if outgrown(world, officer, known) and all(
            in_reach(world, post.area) for post in posts_opened(world, officer)
        ):
            invite(world, officer, known, until)

    def _officer(self, world: World) -> Officer:
        """Who is engaged: known by the ID number, or new."""
        if self.id_number is None:
            return register(
                world, self.person, self.full_name, self.area, self.phone, numbered=False
            )
        person = person_with(world, self.id_number)
        known = officer_with(world, person)
        if known is None:
            return register(world, person, self.full_name, self.area, self.phone, numbered=True)
        if not in_reach(world, known.home):
            raise OfficerElsewhere(role=self.role)
        return known
