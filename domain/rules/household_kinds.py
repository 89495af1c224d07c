"""Household kinds 家庭类型 (domain.md §2.3), with the older names that lists still use."""

from typing import Annotated, ClassVar, Literal

import msgspec

from domain.rules.base import Key, Problem, Text, repeated

Tier = Literal["priority", "general"]
Days = Annotated[int, msgspec.Meta(ge=1, le=366)]

CONTEST_DAYS = 30
"""Where no rulebook says it. No document sets this figure: verify it before relying on it."""


class HouseholdKind(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``tier``: priority 重点救助 or general 一般救助. ``aliases``: names found in lists."""

    key: Key
    zh: Text
    en: Text
    tier: Tier = "general"
    aliases: tuple[str, ...] = ()


class HouseholdKinds(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``contest_days``: for how many days at most a household's payments wait when another one
    claims a member of it later; then they go on, and the finding stays open."""

    KIND: ClassVar[str] = "household_kinds"

    kinds: tuple[HouseholdKind, ...]
    move_offer_days: Annotated[int, msgspec.Meta(ge=1, le=90)] = 14
    """How long the county a household is to move to has for accepting it."""
    contest_days: Days = CONTEST_DAYS

    def find(self, key: str) -> HouseholdKind | None:
        return next((kind for kind in self.kinds if kind.key == key), None)

    def knows(self, key: str) -> bool:
        return self.find(key) is not None

    def by_name(self, name: str) -> HouseholdKind | None:
        """The kind a list calls by this Chinese name, older name or key; None if unknown."""
        wanted = name.strip()
        for kind in self.kinds:
            if wanted in (kind.key, kind.zh, *kind.aliases):
                return kind
        return None

    def problems(self) -> list[Problem]:
        names = tuple(name for kind in self.kinds for name in {kind.zh, *kind.aliases})
        return repeated(tuple(kind.key for kind in self.kinds), "kinds") + repeated(names, "kinds")
