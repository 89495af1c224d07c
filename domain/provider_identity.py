"""ProviderIdentity 统一身份账号: which log-in name an account at an identity provider leads to.

One account at the provider is one log-in name's, in the whole log: its stream is named after a
keyed hash of who it is there (`eventstore.provider_secrets`), so that a second officer finds it
taken. Without the vault's key nobody can tell from a fact whose account it is.
"""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID, uuid5

from eventsourcing.domain import event

from domain.base import NAMESPACE, Aggregate
from domain.refusal import Refusal


@dataclass(eq=False)
class IdentityTaken(Refusal):
    """Whose it is, is not told: whoever connects it learns no other log-in name."""

    zh: ClassVar[str] = "此统一身份账号已绑定其他登录名，请联系管理员解除后再绑定"
    en: ClassVar[str] = (
        "This account of the identity provider leads to another log-in name: let an administrator "
        "end that first."
    )


class ProviderIdentity(Aggregate):
    """``login``: the log-in name it leads to, None while it leads to none. ``subject``: the keyed
    hash, in hexadecimal."""

    @event("Bound")
    def __init__(self, id: UUID, subject: str, officer: UUID, login: str, area: UUID) -> None:
        self.subject = subject
        self.area = area
        self.officer = officer
        self.login: str | None = login

    @staticmethod
    def id_of(subject: str) -> UUID:
        return uuid5(NAMESPACE, f"provider-identity/{subject}")

    def derived_id(self) -> UUID:
        return self.id_of(self.subject)

    @property
    def home(self) -> UUID:
        return self.area

    def bind(self, officer: UUID, login: str) -> None:
        """From now on it leads to this log-in name. Raises `IdentityTaken`."""
        if self.login is None:
            self._bound_again(officer=officer, login=login)
        elif (self.officer, self.login) != (officer, login):
            raise IdentityTaken

    @event("BoundAgain")
    def _bound_again(self, officer: UUID, login: str) -> None:
        self.officer, self.login = officer, login

    def release(self) -> None:
        """It leads to no log-in name any more."""
        if self.login is not None:
            self._released(officer=self.officer, login=self.login)

    @event("Released")
    def _released(self, officer: UUID, login: str) -> None:
        self.login = None
