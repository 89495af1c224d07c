"""Rulebook: the versions of one kind of rules in one area, each with document and validity.

The national rules lie on the root; a province, city or county that adopts a book of the same
kind overrides it for itself and all below. A decision records which version it used.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import lru_cache
from typing import Any, ClassVar, TypeVar, cast
from uuid import UUID, uuid5

import msgspec
from eventsourcing.domain import event

from domain.base import NAMESPACE, Aggregate
from domain.refusal import Malformed, Refusal
from domain.rules.base import china_day
from domain.world import InForce, RuleRef

R = TypeVar("R")


@dataclass(eq=False)
class VersionAdopted(Refusal):
    """A version is adopted once: a changed rule is a new version."""

    zh: ClassVar[str] = "{kind} 的 {version} 版已经采用过"
    en: ClassVar[str] = "Version {version} of {kind} has been adopted already."
    rulebook: UUID
    kind: str
    version: str


class Edition(msgspec.Struct, frozen=True):
    """One adopted version, its content as JSON. The typed rule is made at its first use."""

    ref: RuleRef
    valid_from: date
    valid_to: date | None
    content: bytes

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
    return InForce(rule=msgspec.json.decode(edition.content, type=kind), ref=edition.ref)


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

    def in_force(self, kind: type[R], at: datetime) -> InForce[R] | None:
        """The version adopted last whose validity covers ``at`` (days of China), or None."""
        day = china_day(at)
        for edition in reversed(self.editions):
            if edition.covers(day):
                return edition.typed(kind)
        return None

    def nearest(self, kind: type[R], at: datetime) -> InForce[R] | None:
        """The version whose validity lies nearest to ``at``, said to be no more than that."""
        found = nearest_of(self.editions, china_day(at))
        return None if found is None else replace(found.typed(kind), nearest=True)

    def adopt(
        self,
        version: str,
        document_no: str,
        valid_from: date,
        valid_to: date | None,
        content: dict[str, Any],
    ) -> None:
        """Adopt a version; its content has been checked. ``valid_to`` is its last day."""
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
        )

    @event("Adopted")
    def _adopted(
        self,
        version: str,
        document_no: str,
        valid_from: date,
        valid_to: date | None,
        content: dict[str, Any],
    ) -> None:
        ref = RuleRef(self.kind, version, document_no)
        self.editions.append(Edition(ref, valid_from, valid_to, msgspec.json.encode(content)))
