"""LoginName 登录名: whose a log-in name is, and how it came to its password.

One name is one officer's, in the whole log. The stream's id follows from the name, so that a
second officer of the same name finds it taken. The facts hold no secret: passwords, codes of
invitations and sessions are the vault's (`eventstore.accounts`, `eventstore.invitations`).
"""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar
from uuid import UUID, uuid5

from eventsourcing.domain import event

from domain.area import check_text
from domain.base import NAMESPACE, Aggregate, grown
from domain.half_width import half_width
from domain.refusal import Malformed, Refusal


class PasswordWay(StrEnum):
    """How a log-in name came to its password."""

    INVITATION = "invitation"  # by the officer, with the code of an invitation
    OWN = "own"  # by the officer, who knew the one before
    KEEPER = "keeper"  # by who keeps the machine, on the machine


class FactorWay(StrEnum):
    """How a second factor of a log-in name ended."""

    OWN = "own"  # by the officer, with a code of it
    ADMINISTRATOR = "administrator"  # for who has lost the device
    KEEPER = "keeper"  # by who keeps the machine, on the machine


class ProviderWay(StrEnum):
    """By whom an account at the identity provider came to a log-in name, or was taken from it."""

    OWN = "own"  # by the officer, who was logged in with the password
    CLAIM = "claim"  # by the provider, which is trusted to name the log-in
    ADMINISTRATOR = "administrator"
    KEEPER = "keeper"  # by who keeps the machine, on the machine
    REPLACED = "replaced"  # by an account at another provider


@dataclass(eq=False)
class ProviderThere(Refusal):
    """It is ended first: whoever finds an open session must not put another in its place."""

    zh: ClassVar[str] = "登录名“{login}”已绑定统一身份账号；如需更换，请先解除绑定"
    en: ClassVar[str] = (
        "The log-in name {login} is connected to an account of the identity provider already: end "
        "that first."
    )
    login: str


@dataclass(eq=False)
class NoProvider(Refusal):
    zh: ClassVar[str] = "登录名“{login}”没有绑定统一身份账号"
    en: ClassVar[str] = (
        "The log-in name {login} is not connected to an account of the identity provider."
    )
    login: str


@dataclass(eq=False)
class NoSecondFactor(Refusal):
    zh: ClassVar[str] = "登录名“{login}”没有设置两步验证"
    en: ClassVar[str] = "The log-in name {login} has no second factor."
    login: str


@dataclass(eq=False)
class LoginTaken(Refusal):
    zh: ClassVar[str] = "登录名“{login}”已被使用，请换一个"
    en: ClassVar[str] = "The log-in name {login} is taken: choose another."
    login: str


@dataclass(eq=False)
class NoLoginYet(Refusal):
    zh: ClassVar[str] = "该人员还没有登录名，请先为其开通"
    en: ClassVar[str] = "This officer has no log-in name yet: open one first."
    officer: UUID


@dataclass(eq=False)
class NotTheirLogin(Refusal):
    """The officer has no such log-in name."""

    zh: ClassVar[str] = "该人员没有登录名“{login}”，请先为其开通"
    en: ClassVar[str] = "This officer has no log-in name {login}: open it first."
    login: str


LONGEST = 64
_HAN = "\u3007\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U000323af"
"""Chinese characters, the rare ones of names among them (extensions A to H)."""
_ALLOWED = re.compile(f"[0-9A-Za-z{_HAN}][0-9A-Za-z{_HAN}._@-]*")


def as_typed(login: str) -> str:
    """A log-in name as a person typed it: without blanks around it, and in half-width letters,
    which a keyboard for Chinese does not always type."""
    return half_width(login).strip()


def check_login(login: str) -> None:
    """A new log-in name: Chinese characters, Latin letters, digits, and . _ - @ behind the first.

    What one types on any keyboard and no two of which look alike. `Malformed` otherwise. Accounts
    that were opened under other names before keep them.
    """
    if len(login) > LONGEST or _ALLOWED.fullmatch(login) is None:
        raise Malformed(
            field="login",
            value="",
            rule_zh="应由汉字、字母、数字和 . _ - @ 组成，"
            f"以汉字、字母或数字开头，最多 {LONGEST} 个字符",
            rule_en="it has Chinese characters, Latin letters, digits and . _ - @, begins with one "
            f"of the first three, and has {LONGEST} characters at most",
        )


def own_login(logins: Iterable[str], typed: str) -> str | None:
    """Which of an officer's log-in names was typed, as it was opened; None: it is none of them."""
    id = LoginName.id_of(as_typed(typed))
    return next((one for one in logins if LoginName.id_of(one) == id), None)


def opens_post(invited: Collection[object] | None, line: Collection[object]) -> bool:
    """Whether the code of an invitation opens a post, which it does where it is not void.

    ``invited``: the areas in which its officer was in office when invited (None: not noted yet,
    then it opens whatever post); ``line``: the post's area and all above it.
    """
    return invited is None or not set(invited).isdisjoint(line)


class LoginName(Aggregate):
    """Taken, once. ``entered``: whether a password was ever set by the officer or the keeper.

    ``factor``: the second factor that its log-ins ask for, a name of it without any secret.
    ``identity``: the account at an identity provider that opens it too (`ProviderIdentity`), and
    ``provider``: the address of that provider. ``recovered``: by the keeper of the machine, so that
    its password opens it whatever the settings ask, until it is connected to a provider.
    """

    @event("Taken")
    def __init__(self, id: UUID, login: str, officer: UUID, area: UUID) -> None:
        self.login = login
        self.officer = officer
        self.area = area
        self.entered = False
        self.factor: UUID | None = None
        self.invited = False
        self.invited_until: datetime | None = None
        self.invited_areas: tuple[UUID, ...] | None = None
        self.identity: UUID | None = None
        self.provider = ""
        self.recovered = False

    @staticmethod
    def id_of(login: str) -> UUID:
        """Names that differ in case or surrounding spaces only are one name."""
        return uuid5(NAMESPACE, f"login/{login.strip().casefold()}")

    def derived_id(self) -> UUID:
        return self.id_of(self.login)

    @property
    def home(self) -> UUID:
        return self.area

    def invite(self, expires_at: datetime, areas: tuple[UUID, ...]) -> None:
        """Whoever brings the invitation's code until then may set the password. The last counts.

        ``areas``: where the officer's posts lie. The code opens no post that lies elsewhere.
        """
        self._invited(officer=self.officer, login=self.login, expires_at=expires_at, areas=areas)

    @event("Invited")
    def _invited(
        self, officer: UUID, login: str, expires_at: datetime, areas: tuple[UUID, ...] | None
    ) -> None:
        self.invited, self.invited_until, self.invited_areas = True, expires_at, areas

    def recover(self, reason: str, operator: str) -> None:
        """An administrator's: whoever keeps the machine opens it, for nobody else is left."""
        self._recovered(officer=self.officer, login=self.login, reason=reason, operator=operator)

    @event("Recovered")
    def _recovered(self, officer: UUID, login: str, reason: str, operator: str) -> None:
        self.recovered = True

    @property
    def awaited(self) -> bool:
        """Somebody was invited to it, and it has never been opened."""
        return self.invited and not self.entered and self.identity is None

    def is_invited(self, now: datetime) -> bool:
        """Whether the code of an invitation still opens this name."""
        return self.invited_until is not None and self.invited_until >= now

    def set_password(self, way: PasswordWay) -> None:
        """The name has a password now, or another one. All its sessions end."""
        self._password_set(officer=self.officer, login=self.login, way=way)

    @event("PasswordSet")
    def _password_set(self, officer: UUID, login: str, way: PasswordWay) -> None:
        self.entered = True
        self.invited_until = None

    def end_sessions(self, sessions: int) -> None:
        """The officer, or an administrator, ends so many sessions: a lost phone, for example."""
        self._sessions_ended(officer=self.officer, login=self.login, sessions=sessions)

    @event("SessionsEnded")
    def _sessions_ended(self, officer: UUID, login: str, sessions: int) -> None:
        pass

    def log_out(self, reason: str) -> None:
        """An administrator ends all its sessions, on whatever devices: a lost phone."""
        check_text("reason", reason)
        self._logged_out(officer=self.officer, login=self.login, reason=reason)

    @event("LoggedOut")
    def _logged_out(self, officer: UUID, login: str, reason: str) -> None:
        pass

    def set_second_factor(self, factor: UUID) -> None:
        """From now on a log-in asks for a code of it. Said twice, it is one fact."""
        if self.factor != factor:
            self._second_factor_set(officer=self.officer, login=self.login, factor=factor)

    @event("SecondFactorSet")
    def _second_factor_set(self, officer: UUID, login: str, factor: UUID) -> None:
        self.factor = factor

    def remove_second_factor(self, way: FactorWay, reason: str | None = None) -> None:
        """No log-in asks for it any more. ``reason``: why somebody else took it away."""
        if self.factor is None:
            raise NoSecondFactor(login=self.login)
        if way is not FactorWay.OWN:
            check_text("reason", reason or "")
        self._second_factor_removed(
            officer=self.officer, login=self.login, factor=self.factor, way=way, reason=reason
        )

    @event("SecondFactorRemoved")
    def _second_factor_removed(
        self, officer: UUID, login: str, factor: UUID, way: FactorWay, reason: str | None
    ) -> None:
        self.factor = None

    def bind_provider(self, identity: UUID, provider: str, way: ProviderWay) -> None:
        """An account at the provider opens it from now on. Said twice, it is one fact.

        Raises `ProviderThere` for a second account at the same provider.
        """
        if self.identity == identity:
            return
        if self.identity is not None and self.provider == provider:
            raise ProviderThere(login=self.login)
        self._provider_bound(
            officer=self.officer, login=self.login, identity=identity, provider=provider, way=way
        )

    @event("ProviderBound")
    def _provider_bound(
        self, officer: UUID, login: str, identity: UUID, provider: str, way: ProviderWay
    ) -> None:
        self.identity, self.provider, self.recovered = identity, provider, False

    def unbind_provider(self, way: ProviderWay, reason: str | None = None) -> UUID:
        """No account at a provider opens it any more; which one did. ``reason``: why somebody else
        took it away."""
        if self.identity is None:
            raise NoProvider(login=self.login)
        if way in (ProviderWay.ADMINISTRATOR, ProviderWay.KEEPER):
            check_text("reason", reason or "")
        identity = self.identity
        self._provider_unbound(
            officer=self.officer, login=self.login, identity=identity, way=way, reason=reason
        )
        return identity

    @event("ProviderUnbound")
    def _provider_unbound(
        self, officer: UUID, login: str, identity: UUID, way: ProviderWay, reason: str | None
    ) -> None:
        self.identity, self.provider = None, ""


def _for_whatever_posts(fact: dict[str, Any]) -> None:
    """Before, a code opened every post that its officer had come to meanwhile."""
    fact["areas"] = None


grown(LoginName.Invited, _for_whatever_posts)
