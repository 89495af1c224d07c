"""Rulebook: the versions of one kind of rules in one area, each with document and validity.

The national rules lie on the root; a province, city or county that adopts a book of the same
kind overrides it for itself and all below. A decision records which version it used.

What an administrator adopts waits until a second person has compared it with its document and
confirms it. Until then it checks and reminds, and is told as unconfirmed; money, response levels
and notices stay with what is confirmed (decision 0055).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Any, ClassVar, TypeVar, cast
from uuid import UUID, uuid5

import msgspec
from eventsourcing.domain import event

from domain.base import NAMESPACE, Aggregate, grown
from domain.refusal import Malformed, Refusal
from domain.rules.base import china_day
from domain.rules.notices import Notices
from domain.rules.standards import Standards
from domain.rules.thresholds import Thresholds
from domain.world import InForce, RuleRef

R = TypeVar("R")

BINDING = frozenset({Standards.KIND, Thresholds.KIND, Notices.KIND})
"""Kinds that open seasons, start responses and end notices: only what is confirmed does that."""


@dataclass(eq=False)
class VersionAdopted(Refusal):
    """A version is adopted once: a changed rule is a new version."""

    zh: ClassVar[str] = "{kind} 的 {version} 版已经采用过"
    en: ClassVar[str] = "Version {version} of {kind} has been adopted already."
    rulebook: UUID
    kind: str
    version: str


@dataclass(eq=False)
class VersionConfirmed(Refusal):
    zh: ClassVar[str] = "{kind} 的 {version} 版已经确认过"
    en: ClassVar[str] = "Version {version} of {kind} has been confirmed already."
    rulebook: UUID
    kind: str
    version: str


@dataclass(eq=False)
class NothingToConfirm(Refusal):
    zh: ClassVar[str] = "{kind}没有待确认的版本"
    en: ClassVar[str] = "No version of {kind} waits to be confirmed."
    rulebook: UUID
    kind: str


@dataclass(eq=False)
class RulesUnconfirmed(Refusal):
    """Rules that nobody has compared with their document decide no money, level or notice."""

    zh: ClassVar[str] = (
        "{kind}“{document_no}”（{version} 版）尚未确认，不能据此开立救助年度、启动响应或结束公示。"
        "请由审定人员在“规则”页对照文件确认；若只是示例，请管理员先采用本地文件"
    )
    en: ClassVar[str] = (
        'The {kind} "{document_no}" (version {version}) are not confirmed: they can open no season,'
        " start no response and end no notice. Let an approver compare and confirm them on the"
        ' page "Rulebooks"; if they are an example, let the administrator adopt your own first.'
    )
    kind: str
    version: str
    document_no: str


def require_confirmed(ref: RuleRef, *, exercise: bool) -> None:
    """`RulesUnconfirmed` if this decision rests on rules that nobody confirmed. A drill may."""
    if ref.unconfirmed and not exercise:
        raise RulesUnconfirmed(kind=ref.kind, version=ref.version, document_no=ref.document_no)


class Confirmation(msgspec.Struct, frozen=True):
    """Who compared a version with its document, on what paper, and when."""

    officer: UUID
    document_no: str
    at: datetime


class Edition(msgspec.Struct, frozen=True):
    """One adopted version, its content as JSON. The typed rule is made at its first use.

    ``waits``: it counts as confirmed only with a ``confirmation``. ``hands``: who adopted it.
    ``status``: what its file says of itself (`domain.rules.loading.Status`); "" if nobody said.
    """

    ref: RuleRef
    valid_from: date
    valid_to: date | None
    content: bytes
    waits: bool = False
    hands: tuple[UUID, ...] = ()
    confirmation: Confirmation | None = None
    status: str = ""

    @property
    def confirmed(self) -> bool:
        return not self.waits or self.confirmation is not None

    def covers(self, day: date) -> bool:
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)

    def typed(self, kind: type[R]) -> InForce[R]:
        return _typed(self, cast(Any, kind))


def nearest_of(editions: Sequence[Edition], day: date) -> Edition | None:
    """The one with the fewest days between its validity and that day; of two, the later one."""

    def days(edition: Edition) -> int:
        if day < edition.valid_from:
            return (edition.valid_from - day).days
        return max(0, (day - (edition.valid_to or day)).days)

    return min(reversed(editions), key=days, default=None)


@lru_cache(maxsize=1024)
def _typed(edition: Edition, kind: type[Any]) -> InForce[Any]:
    """One typed content for all replays of the same stream."""
    ref = edition.ref
    if not edition.confirmed:
        ref = msgspec.structs.replace(ref, unconfirmed=True)
    return InForce(rule=msgspec.json.decode(edition.content, type=kind), ref=ref)


class Rulebook(Aggregate):
    """All adopted versions of one kind of rules in one area."""

    @event("Opened")
    def __init__(self, id: UUID, area: UUID, kind: str) -> None:
        self.area = area
        self.kind = kind
        self.editions: list[Edition] = []

    @staticmethod
    def id_of(area: UUID, kind: str) -> UUID:
        return uuid5(NAMESPACE, f"rulebook/{area}/{kind}")

    def derived_id(self) -> UUID:
        return self.id_of(self.area, self.kind)

    @property
    def home(self) -> UUID:
        return self.area

    def covering(self, day: date, *, confirmed: bool = False) -> Edition | None:
        """The version adopted last whose validity covers the day of China, or None.

        ``confirmed``: of those only that somebody confirmed.
        """
        for edition in reversed(self.editions):
            if edition.covers(day) and (edition.confirmed or not confirmed):
                return edition
        return None

    def in_force(self, kind: type[R], at: datetime) -> InForce[R] | None:
        """The same at a moment, typed."""
        found = self.covering(china_day(at))
        return found.typed(kind) if found is not None else None

    def adopt(
        self,
        version: str,
        document_no: str,
        valid_from: date,
        valid_to: date | None,
        content: dict[str, Any],
        *,
        waits: bool,
        hands: tuple[UUID, ...],
        status: str,
    ) -> None:
        """Adopt a version; its content has been checked. ``valid_to`` is its last day.

        ``waits``: for somebody else than ``hands`` to confirm it.
        """
        if any(edition.ref.version == version for edition in self.editions):
            raise VersionAdopted(rulebook=self.id, kind=self.kind, version=version)
        if valid_to is not None and valid_to < valid_from:
            raise Malformed(
                field="valid_to",
                value=str(valid_to),
                rule_zh="不能早于生效日期",
                rule_en="it lies before valid_from",
            )
        self._adopted(
            version=version,
            document_no=document_no,
            valid_from=valid_from,
            valid_to=valid_to,
            content=content,
            waits=waits,
            hands=hands,
            status=status,
        )

    @event("Adopted")
    def _adopted(
        self,
        version: str,
        document_no: str,
        valid_from: date,
        valid_to: date | None,
        content: dict[str, Any],
        waits: bool,
        hands: tuple[UUID, ...],
        status: str,
    ) -> None:
        ref = RuleRef(self.kind, version, document_no)
        packed = msgspec.json.encode(content)
        made = Edition(ref, valid_from, valid_to, packed, waits, hands, status=status)
        self.editions.append(made)

    @property
    def unconfirmed(self) -> tuple[Edition, ...]:
        """The versions that wait to be confirmed."""
        return tuple(edition for edition in self.editions if not edition.confirmed)

    def waiting(self, version: str) -> Edition:
        """The version, if it waits to be confirmed. `Malformed` or `VersionConfirmed` if not."""
        for edition in self.editions:
            if edition.ref.version == version:
                if edition.confirmed:
                    raise VersionConfirmed(rulebook=self.id, kind=self.kind, version=version)
                return edition
        raise Malformed(
            field="version",
            value=version,
            rule_zh="这部规则没有采用过这一版",
            rule_en="this version has not been adopted",
        )

    def confirm(
        self, version: str, document_no: str, officer: UUID, at: datetime, hands: tuple[UUID, ...]
    ) -> None:
        """Somebody else than who adopted it has compared the version with its document."""
        self.waiting(version)
        self._confirmed(
            version=version, document_no=document_no, officer=officer, at=at, hands=hands
        )

    @event("Confirmed")
    def _confirmed(
        self, version: str, document_no: str, officer: UUID, at: datetime, hands: tuple[UUID, ...]
    ) -> None:
        told = Confirmation(officer, document_no, at)
        self.editions = [
            msgspec.structs.replace(one, confirmation=told) if one.ref.version == version else one
            for one in self.editions
        ]


def _adopted_as_confirmed(values: dict[str, Any]) -> None:
    """What was adopted before confirmations were asked for counts as confirmed."""
    values["waits"] = False
    values["hands"] = []


def _adopted_without_status(values: dict[str, Any]) -> None:
    """What a file said of itself was not kept: whether it counts is in ``waits``."""
    values["status"] = ""


grown(Rulebook.Adopted, _adopted_as_confirmed, _adopted_without_status)
