"""The desk for log-ins: invitations, passwords, sessions. What is secret stays in the vault.

A fact stands before what it tells of: the code of an invitation is made, a password set and a
session ended after the fact is durable (decision 0052).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar
from uuid import UUID

from domain.commands.appointing import OnOfficer, not_oneself, outgrown, posts_opened
from domain.commands.officers import KEEPERS
from domain.login_name import FactorWay, LoginName, NotTheirLogin, PasswordWay, own_login
from domain.officer import Officer
from domain.reach import in_reach
from domain.refusal import Refusal
from domain.world import Command, Result, Role, World

INVITATION_HOURS = 72
"""How long the code of an invitation opens a log-in."""


@dataclass(eq=False)
class PostsBeyondReach(Refusal):
    """Whoever holds the code can log in as the officer, with all the officer's posts."""

    status: ClassVar[int] = 403
    zh: ClassVar[str] = "此人在您的辖区以外任有或代理岗位“{role}”，邀请须由上级管理员办理"
    en: ClassVar[str] = (
        "This officer holds, or stands in for, the post of {role} outside your jurisdiction: an "
        "administrator above it invites."
    )
    role: str


@dataclass(eq=False)
class NobodysFactor(Refusal):
    """None of an officer's log-in names asks for a second factor."""

    zh: ClassVar[str] = "该人员的登录名都没有设置两步验证"
    en: ClassVar[str] = "None of this officer's log-in names has a second factor."
    officer: UUID


@dataclass(eq=False)
class InvitationOutgrown(Refusal):
    """A code opens the posts of the day it was made, and none that has come elsewhere since."""

    status: ClassVar[int] = 410
    zh: ClassVar[str] = (
        "邀请之后，此人又任有或代理了岗位“{role}”，原邀请码已作废，请联系管理员重新邀请"
    )
    en: ClassVar[str] = (
        "Since the invitation this officer has come to the post of {role}: the code is void. Ask "
        "your administrator for a new one."
    )
    role: str


def invite(world: World, officer: Officer, name: LoginName, expires_at: datetime) -> None:
    """Invite to the posts that the officer has today, and to what lies below them."""
    areas = (officer.home, *(post.area for post in posts_opened(world, officer)))
    name.invite(expires_at, tuple(dict.fromkeys(areas)))


def posts_within_reach(world: World, officer: Officer) -> None:
    """`PostsBeyondReach` if a post, now or later, lies outside of where the administrator acts.

    The code of an invitation opens all of them, so it is handed out by who could give them.
    """
    for post in posts_opened(world, officer):
        if not in_reach(world, post.area):
            raise PostsBeyondReach(role=post.role)


def name_of(world: World, officer: Officer, login: str) -> LoginName:
    """The stream of one of the officer's log-in names. `NotTheirLogin` if it is not theirs.

    Stores made before names had streams know them by the officer's facts alone: it begins here.
    """
    found = world.find(LoginName, LoginName.id_of(login))
    if found is None:
        id = LoginName.id_of(login)
        found = world.add(LoginName(id=id, login=login, officer=officer.id, area=officer.home))
    if found.officer != officer.id:
        raise NotTheirLogin(login=login)
    return found


def names_known(world: World, officer: Officer) -> Iterator[LoginName]:
    """The streams of the officer's log-in names, for looking at only. A name that no fact of the
    officer tells of (older programs opened such) is not among them."""
    for login in sorted(officer.logins):
        name = world.look(LoginName, LoginName.id_of(login))
        if name is not None and name.officer == officer.id:
            yield name


@dataclass(frozen=True, slots=True, kw_only=True)
class InviteOfficer(OnOfficer):
    """Let an officer set the password of a log-in name: the first one, or a forgotten one.

    The code is shown once, in the first answer. A later invitation replaces it; so does a
    password that was set. Nobody invites themselves.
    """

    roles: ClassVar[frozenset[Role]] = KEEPERS
    officer: UUID
    login: str

    @classmethod
    def check(cls, world: World, officer: Officer) -> None:
        not_oneself(world, officer)
        officer.require_available()
        posts_within_reach(world, officer)
        officer.require_login()

    def decide(self, world: World) -> Result | None:
        officer = world.get(Officer, self.officer)
        self.check(world, officer)
        if (login := own_login(officer.logins, self.login)) is None:
            raise NotTheirLogin(login=self.login)
        expires_at = world.now + timedelta(hours=INVITATION_HOURS)
        invite(world, officer, name_of(world, officer, login), expires_at)
        return {"officer": officer.id, "expires_at": expires_at}


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordPassword(Command):
    """A log-in name gets a password: the fact that stands before it.

    Sent by the program once it has seen the code of the invitation or the password before, and by
    `relief officer password`; it has no address in the API.
    """

    roles: ClassVar[frozenset[Role]] = frozenset({Role.SYSTEM})
    officer: UUID
    login: str
    way: PasswordWay

    def scope(self, world: World) -> UUID:
        return world.get(Officer, self.officer).home

    def decide(self, world: World) -> Result | None:
        officer = world.get(Officer, self.officer)
        officer.require_available()
        name = name_of(world, officer, self.login)
        if self.way is PasswordWay.INVITATION and (post := outgrown(world, officer, name)):
            raise InvitationOutgrown(role=post.role)
        name.set_password(self.way)
        return {"officer": officer.id}


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordSessionsEnded(Command):
    """An officer ended sessions of their own, on other devices. Sent by the program."""

    roles: ClassVar[frozenset[Role]] = frozenset({Role.SYSTEM})
    officer: UUID
    login: str
    sessions: int

    def scope(self, world: World) -> UUID:
        return world.get(Officer, self.officer).home

    def decide(self, world: World) -> Result | None:
        officer = world.get(Officer, self.officer)
        name_of(world, officer, self.login).end_sessions(self.sessions)
        return {"officer": officer.id}


@dataclass(frozen=True, slots=True, kw_only=True)
class EndOfficerSessions(OnOfficer):
    """Log an officer out everywhere: a lost phone, a device that was sold. Nobody does it so for
    themselves: their own sessions they end on the page of their log-in, without a reason."""

    roles: ClassVar[frozenset[Role]] = KEEPERS
    officer: UUID
    reason: str

    def decide(self, world: World) -> Result | None:
        officer = world.get(Officer, self.officer)
        self.check(world, officer)
        for login in officer.logins:
            name_of(world, officer, login).log_out(self.reason)
        return {"officer": officer.id}


@dataclass(frozen=True, slots=True, kw_only=True)
class ResetSecondFactor(OnOfficer):
    """Take away the second factor of who has lost the device and the recovery codes.

    Whoever sets the password next, or knows it, logs in without: so only who could give all posts
    of the officer does this, as with an invitation. All sessions of the log-in name end.
    """

    roles: ClassVar[frozenset[Role]] = KEEPERS
    officer: UUID
    login: str
    reason: str

    @classmethod
    def check(cls, world: World, officer: Officer) -> None:
        not_oneself(world, officer)
        posts_within_reach(world, officer)
        if officer.logins and all(name.factor is None for name in names_known(world, officer)):
            raise NobodysFactor(officer=officer.id)

    def decide(self, world: World) -> Result | None:
        officer = world.get(Officer, self.officer)
        way = FactorWay.KEEPER if world.actor.role is Role.SYSTEM else FactorWay.ADMINISTRATOR
        self.check(world, officer)
        name_of(world, officer, self.login).remove_second_factor(way, self.reason)
        return {"officer": officer.id}


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordSecondFactor(Command):
    """A log-in name gets a second factor: the fact before it. Sent by the program once it has seen
    a code of it."""

    roles: ClassVar[frozenset[Role]] = frozenset({Role.SYSTEM})
    officer: UUID
    login: str
    factor: UUID

    def scope(self, world: World) -> UUID:
        return world.get(Officer, self.officer).home

    def decide(self, world: World) -> Result | None:
        officer = world.get(Officer, self.officer)
        officer.require_available()
        name_of(world, officer, self.login).set_second_factor(self.factor)
        return {"officer": officer.id}


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordFactorEnded(Command):
    """An officer ends the second factor, with a code of it. Sent by the program."""

    roles: ClassVar[frozenset[Role]] = frozenset({Role.SYSTEM})
    officer: UUID
    login: str

    def scope(self, world: World) -> UUID:
        return world.get(Officer, self.officer).home

    def decide(self, world: World) -> Result | None:
        officer = world.get(Officer, self.officer)
        name_of(world, officer, self.login).remove_second_factor(FactorWay.OWN)
        return {"officer": officer.id}
