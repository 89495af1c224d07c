"""The desk for log-in names that an account at the identity provider opens too (decision 0065).

The edge says which account it is, by a keyed hash of who it is at the provider: it has proven it
with the provider, or an administrator has named it.
"""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from domain.commands.appointing import OnOfficer, not_oneself
from domain.commands.logins import name_of, names_known, posts_within_reach
from domain.commands.officers import KEEPERS
from domain.login_name import LoginName, NotTheirLogin, ProviderWay, as_typed, own_login
from domain.officer import Officer
from domain.provider_identity import ProviderIdentity
from domain.refusal import Refusal
from domain.world import Command, Result, Role, World


@dataclass(eq=False)
class NobodysProvider(Refusal):
    """None of an officer's log-in names is connected."""

    zh: ClassVar[str] = "该人员的登录名都没有绑定统一身份账号"
    en: ClassVar[str] = (
        "None of this officer's log-in names is connected to an account of the identity provider."
    )
    officer: UUID


def _bind(
    world: World, officer: Officer, name: LoginName, subject: str, provider: str, way: ProviderWay
) -> Result:
    """Both streams in one commit: two officers never come to one account."""
    id = ProviderIdentity.id_of(subject)
    replaced = name.identity not in (None, id) and name.provider != provider
    if replaced:
        _release(world, name.unbind_provider(ProviderWay.REPLACED))
    name.bind_provider(id, provider, way)
    found = world.find(ProviderIdentity, id)
    if found is None:
        made = ProviderIdentity(
            id=id, subject=subject, officer=officer.id, login=name.login, area=officer.home
        )
        world.add(made)
    else:
        found.bind(officer.id, name.login)
    return {"officer": officer.id, "login": name.login}


def _release(world: World, identity: UUID) -> None:
    world.get(ProviderIdentity, identity).release()


@dataclass(frozen=True, slots=True, kw_only=True)
class BindProvider(OnOfficer):
    """Let an account at the identity provider open a log-in name of an officer.

    Whoever has that account acts as the officer, with all posts: so only who could hand out an
    invitation does it, and nobody for themselves. ``subject``: the keyed hash of the account,
    ``provider``: the provider's address; the edge makes both.
    """

    roles: ClassVar[frozenset[Role]] = KEEPERS
    officer: UUID
    login: str
    subject: str
    provider: str

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
        name = name_of(world, officer, login)
        return _bind(world, officer, name, self.subject, self.provider, ProviderWay.ADMINISTRATOR)


@dataclass(frozen=True, slots=True, kw_only=True)
class UnbindProvider(OnOfficer):
    """Let the provider's account open a log-in name no longer; its sessions end.

    Nobody does it so for themselves: their own they end on the page of their log-in.
    """

    roles: ClassVar[frozenset[Role]] = KEEPERS
    officer: UUID
    login: str
    reason: str

    @classmethod
    def check(cls, world: World, officer: Officer) -> None:
        not_oneself(world, officer)
        posts_within_reach(world, officer)
        if officer.logins and all(name.identity is None for name in names_known(world, officer)):
            raise NobodysProvider(officer=officer.id)

    def decide(self, world: World) -> Result | None:
        officer = world.get(Officer, self.officer)
        keeper = world.actor.role is Role.SYSTEM
        way = ProviderWay.KEEPER if keeper else ProviderWay.ADMINISTRATOR
        self.check(world, officer)
        name = name_of(world, officer, as_typed(self.login))
        _release(world, name.unbind_provider(way, self.reason))
        return {"officer": officer.id}


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordProvider(Command):
    """An account that the provider has vouched for comes to a log-in name. Sent by the program:
    the officer has asked for it, or the provider is trusted to name the log-in (``way``)."""

    roles: ClassVar[frozenset[Role]] = frozenset({Role.SYSTEM})
    officer: UUID
    login: str
    subject: str
    provider: str
    way: ProviderWay

    def scope(self, world: World) -> UUID:
        return world.get(Officer, self.officer).home

    def decide(self, world: World) -> Result | None:
        officer = world.get(Officer, self.officer)
        officer.require_available()
        name = name_of(world, officer, self.login)
        return _bind(world, officer, name, self.subject, self.provider, self.way)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordProviderEnded(Command):
    """An officer ends the connection of their own log-in name. Sent by the program."""

    roles: ClassVar[frozenset[Role]] = frozenset({Role.SYSTEM})
    officer: UUID
    login: str

    def scope(self, world: World) -> UUID:
        return world.get(Officer, self.officer).home

    def decide(self, world: World) -> Result | None:
        officer = world.get(Officer, self.officer)
        _release(world, name_of(world, officer, self.login).unbind_provider(ProviderWay.OWN))
        return {"officer": officer.id}
