"""LoginName 登录名: whose a log-in name is. One name is one officer's, in the whole log.

The stream's id follows from the name, so that a second officer of the same name finds it taken.
"""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID, uuid5

from eventsourcing.domain import event

from domain.base import NAMESPACE, Aggregate
from domain.refusal import Refusal


@dataclass(eq=False)
class LoginTaken(Refusal):
    zh: ClassVar[str] = "登录名“{login}”已被使用，请换一个"
    en: ClassVar[str] = "The log-in name {login} is taken: choose another."
    login: str


class LoginName(Aggregate):
    """Taken, once."""

    @event("Taken")
    def __init__(self, id: UUID, login: str, officer: UUID, area: UUID) -> None:
        self.login = login
        self.officer = officer
        self.area = area

    @staticmethod
    def id_of(login: str) -> UUID:
        """Names that differ in case or surrounding spaces only are one name."""
        return uuid5(NAMESPACE, f"login/{login.strip().casefold()}")

    def derived_id(self) -> UUID:
        return self.id_of(self.login)

    @property
    def home(self) -> UUID:
        return self.area
