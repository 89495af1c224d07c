"""The last administrator is gone: whoever keeps the machine makes one again (decision 0059)."""

from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar
from uuid import UUID

from domain.area import check_text
from domain.commands.appointing import put_in_post
from domain.commands.logins import INVITATION_HOURS, invite
from domain.commands.officers import open_login, register
from domain.ids import NewId
from domain.login_name import LoginName, as_typed
from domain.officer import Officer
from domain.posts import Appointment, Post
from domain.refusal import Refusal
from domain.rules.base import china_day
from domain.world import Command, Result, Role, World


@dataclass(eq=False)
class NotAnAdministrator(Refusal):
    zh: ClassVar[str] = "登录名“{login}”不是现任管理员；可为新的登录名登记一位管理员"
    en: ClassVar[str] = (
        "{login} is no administrator in post. Give a new log-in name to register a new one."
    )
    login: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoverAdministrator(Command):
    """Invite an administrator again, or register a new one, because no other one is left to do it.

    Sent by `relief officer recover` alone: it has no address in the API. ``full_name`` is needed
    for a log-in name that nobody has; ``person`` and ``id`` (the appointment's) are used then.
    ``operator`` is who keeps the machine, by name.
    """

    roles: ClassVar[frozenset[Role]] = frozenset({Role.SYSTEM})
    person: NewId
    id: NewId
    login: str
    area: UUID
    reason: str
    operator: str
    full_name: str = ""

    def scope(self, world: World) -> UUID:
        return self.area

    def decide(self, world: World) -> Result | None:
        for field in ("reason", "operator"):
            check_text(field, getattr(self, field))
        name = world.find(LoginName, LoginName.id_of(as_typed(self.login)))
        officer = self._new(world) if name is None else world.get(Officer, name.officer)
        if name is None:
            name = open_login(world, officer, self.login)
        officer.require_available()
        today = china_day(world.now)
        if not any(
            post.role is Role.ADMINISTRATOR and post.covers(today)
            for post in officer.posts_from(today)
        ):
            raise NotAnAdministrator(login=name.login)
        name.recover(self.reason.strip(), self.operator.strip())
        expires_at = world.now + timedelta(hours=INVITATION_HOURS)
        invite(world, officer, name, expires_at)
        return {"officer": officer.id, "login": name.login, "expires_at": expires_at}

    def _new(self, world: World) -> Officer:
        officer = register(world, self.person, self.full_name, self.area, None, numbered=False)
        today = china_day(world.now)
        post = Appointment(self.id, Role.ADMINISTRATOR, self.area, Post.NONE, "", today, None)
        put_in_post(world, officer, post)
        return officer
