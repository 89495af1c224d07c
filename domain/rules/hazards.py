"""Hazard kinds 灾种 and sub-kinds 亚灾种 (domain.md §1.7)."""

from typing import ClassVar

import msgspec

from domain.rules.base import Key, Problem, Text, repeated


class SubHazard(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A sub-kind 亚灾种, filled in by the county."""

    key: Key
    zh: Text
    en: Text


class Hazard(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A kind 一级灾种. A drought-like kind is slow: it is followed up every so many days."""

    key: Key
    zh: Text
    en: Text
    group: Text
    drought: bool = False
    sub_kinds: tuple[SubHazard, ...] = ()


class Hazards(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    KIND: ClassVar[str] = "hazards"

    hazards: tuple[Hazard, ...]

    def find(self, key: str) -> Hazard | None:
        return next((hazard for hazard in self.hazards if hazard.key == key), None)

    def knows(self, key: str, sub_kind: str = "") -> bool:
        """Whether this kind, and the sub-kind if one is given, is in the list."""
        found = self.find(key)
        if found is None:
            return False
        return not sub_kind or any(sub.key == sub_kind for sub in found.sub_kinds)

    def is_drought(self, key: str) -> bool:
        found = self.find(key)
        return found is not None and found.drought

    def label(self, key: str, sub_kind: str = "", language: str = "zh") -> str:
        """As official exports write it: ``洪涝灾害-山洪``, ``洪涝灾害-其他`` without a sub-kind."""
        found = self.find(key)
        if found is None:
            return key
        sub = next((sub for sub in found.sub_kinds if sub.key == sub_kind), None)
        if language == "zh":
            return f"{found.zh}-{sub.zh if sub else '其他'}"
        return f"{found.en} - {sub.en if sub else 'other'}"

    def problems(self) -> list[Problem]:
        found = repeated(tuple(hazard.key for hazard in self.hazards), "hazards")
        for hazard in self.hazards:
            subs = tuple(sub.key for sub in hazard.sub_kinds)
            found += repeated(subs, f"hazards.{hazard.key}.sub_kinds")
        return found
