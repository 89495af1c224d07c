"""LoginName 登录名: whose a log-in name is, and how it came to its password.

One name is one officer's, in the whole log. The stream's id follows from the name, so that a
second officer of the same name finds it taken. The facts hold no secret: passwords, codes of
invitations and sessions are the vault's (`eventstore.accounts`, `eventstore.invitations`).
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID, uuid5

from eventsourcing.domain import event

from domain.base import NAMESPACE, Aggregate
from domain.refusal import Refusal


class PasswordWay(StrEnum):
    """How a log-in name came to its password."""

    INVITATION = "invitation"  # by the officer, with the code of an invitation: the first log-in
    OWN = "own"  # by the officer, who knew the one before
    KEEPER = "keeper"  # by who keeps the machine, on the machine


@dataclass(eq=False)
class LoginTaken(Refusal):
    zh: ClassVar[str] = "登录名“{login}”已被使用，请换一个"
    en: ClassVar[str] = "The log-in name {login} is taken: choose another."
    login: str


@dataclass(eq=False)
class NotTheirLogin(Refusal):
    """The officer has no such log-in name."""

    zh: ClassVar[str] = "该人员没有登录名“{login}”，请先为其开通"
    en: ClassVar[str] = "This officer has no log-in name {login}: open it first."
    login: str


class LoginName(Aggregate):
    """Taken, once. ``entered``: whether a password was ever set by the officer or the keeper."""

    @event("Taken")
    def __init__(self, id: UUID, login: str, officer: UUID, area: UUID) -> None:
        self.login = login
        self.officer = officer
        self.area = area
        self.entered = False

    @staticmethod
    def id_of(login: str) -> UUID:
        """Names that differ in case or surrounding spaces only are one name."""
        return uuid5(NAMESPACE, f"login/{login.strip().casefold()}")

    def derived_id(self) -> UUID:
        return self.id_of(self.login)

    @property
    def home(self) -> UUID:
        return self.area

    def invite(self, expires_at: datetime) -> None:
        """Whoever brings the invitation's code until then may set the password. The last counts."""
        self._invited(officer=self.officer, login=self.login, expires_at=expires_at)

    @event("Invited")
    def _invited(self, officer: UUID, login: str, expires_at: datetime) -> None:
        pass

    def set_password(self, way: PasswordWay) -> None:
        """The name has a password now, or another one. All its sessions end."""
        self._password_set(officer=self.officer, login=self.login, way=way)

    @event("PasswordSet")
    def _password_set(self, officer: UUID, login: str, way: PasswordWay) -> None:
        self.entered = True

    def end_sessions(self, sessions: int) -> None:
        """The officer, or an administrator, ends so many sessions: a lost phone, for example."""
        self._sessions_ended(officer=self.officer, login=self.login, sessions=sessions)

    @event("SessionsEnded")
    def _sessions_ended(self, officer: UUID, login: str, sessions: int) -> None:
        pass
