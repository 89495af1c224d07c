"""Words from the rulebooks in force for whoever asks: pages and sheets name things alike."""

from datetime import datetime
from typing import TypeVar
from uuid import UUID

from api.auth import Caller
from domain.rulebook import Rulebook
from domain.rules.dispatch import Dispatch
from domain.rules.hazards import Hazards
from domain.rules.household_kinds import HouseholdKinds
from domain.rules.items import Items

R = TypeVar("R", HouseholdKinds, Items, Hazards, Dispatch)
NO_UNIT = ""


class Words:
    """Names from the rulebooks in force: goods, household kinds, hazards. Else the key."""

    def __init__(
        self,
        items: Items | None,
        kinds: HouseholdKinds | None,
        hazards: Hazards | None,
        language: str,
    ) -> None:
        self._items = items
        self._kinds = kinds
        self._hazards = hazards
        self._chinese = language == "zh"

    def item(self, key: str) -> str:
        found = self._items.find(key) if self._items else None
        if found is None:
            return key
        return found.zh if self._chinese else found.en

    def unit(self, key: str) -> str:
        found = self._items.find(key) if self._items else None
        if found is None:
            return NO_UNIT
        return found.unit_zh if self._chinese else found.unit_en

    def counted(self, key: str) -> str:
        """What follows a number of them: 床棉被; quilts, padded coats, tents (tent 12 m²)."""
        unit, name = self.unit(key), self.item(key)
        if self._chinese or not unit:
            return f"{unit}{name}"
        *kind, last = name.split()
        head = unit.split()[-1]
        return " ".join([*kind, head]) if head.startswith(last) else f"{unit} ({name})"

    def kind(self, key: str) -> str:
        found = self._kinds.find(key) if self._kinds else None
        if found is None:
            return key
        return found.zh if self._chinese else found.en

    def hazard(self, key: str) -> str:
        found = self._hazards.find(key) if self._hazards else None
        if found is None:
            return key
        return found.zh if self._chinese else found.en


def words_of(caller: Caller, now: datetime, language: str) -> Words:
    """The words of the nearest rulebooks above the caller's first area."""
    areas = caller.areas()
    lineage = caller.system.tree.lineage(areas[0]) if areas else ()
    return Words(
        _in_force(caller, Items, lineage, now),
        _in_force(caller, HouseholdKinds, lineage, now),
        _in_force(caller, Hazards, lineage, now),
        language,
    )


def rule_for(caller: Caller, kind: type[R], area: UUID, now: datetime) -> R | None:
    """The rule in force at an area: of the nearest area above (or at) it that has adopted one."""
    return _in_force(caller, kind, caller.system.tree.lineage(area), now)


def _in_force(caller: Caller, kind: type[R], lineage: tuple[UUID, ...], now: datetime) -> R | None:
    for area in lineage:
        book: Rulebook | None = caller.system.store.load(Rulebook.id_of(area, kind.KIND))
        found = book.in_force(kind, now) if book is not None else None
        if found is not None:
            return found.rule
    return None
