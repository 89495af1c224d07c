"""Words from the rulebooks in force for whoever asks: pages and sheets name things alike."""

import re
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from api.auth import Caller
from domain.rulebook import Rulebook
from domain.rules.dispatch import Dispatch
from domain.rules.hazards import Hazards
from domain.rules.household_kinds import HouseholdKinds
from domain.rules.indicators import Indicators
from domain.rules.items import Items
from eventstore.deciding import rule_of

R = TypeVar("R", HouseholdKinds, Items, Hazards, Indicators, Dispatch)
NO_UNIT = ""
OF_FIGURES = {"split_differs", "casualties_hidden", "parts_larger"}
"""Kinds of findings whose reason is a row of keys of figures."""
KEY = re.compile(r"[a-z][a-z0-9_]*")


class Words:
    """Names from the rulebooks in force: goods, household kinds, hazards, figures. Else the key."""

    def __init__(
        self,
        items: Items | None,
        kinds: HouseholdKinds | None,
        hazards: Hazards | None,
        language: str,
        indicators: Indicators | None = None,
    ) -> None:
        self._indicators = indicators
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

    def indicator(self, key: str) -> str:
        found = self._indicators.find(key) if self._indicators else None
        if found is None:
            return key
        return found.zh if self._chinese else found.en

    def thing(self, key: str) -> str:
        """An item of goods or a kind of household, whichever has this key."""
        return self.item(key) if self._items and self._items.find(key) else self.kind(key)

    def ground(self, finding: str, reason: str | None) -> str | None:
        """What a finding says beside its kind: figures and hazards by name, a person's words as
        they are."""
        if reason is None:
            return None
        if finding == "likely_same":
            return self.hazard(reason)
        if finding in OF_FIGURES:
            joint = "、" if self._chinese else ", "
            return joint.join(self.indicator(key) for key in KEY.findall(reason))
        return reason


def words_of(caller: Caller, now: datetime, language: str) -> Words:
    """The words of the nearest rulebooks above the caller's first area."""
    areas = caller.areas()
    if not areas:
        return Words(None, None, None, language)
    return Words(
        rule_for(caller, Items, areas[0], now),
        rule_for(caller, HouseholdKinds, areas[0], now),
        rule_for(caller, Hazards, areas[0], now),
        language,
        rule_for(caller, Indicators, areas[0], now),
    )


def rule_for(caller: Caller, kind: type[R], area: UUID, at: datetime) -> R | None:
    """The rules in force there: as a command would find them. None if they must be adopted."""
    store = caller.system.store
    ids = [Rulebook.id_of(step, kind.KIND) for step in caller.system.tree.lineage(area)]
    books = [book for id in ids if (book := store.load(id)) is not None]
    found = rule_of(books, kind, at)
    return None if found is None else found.rule
