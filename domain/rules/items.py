"""Catalogue of relief goods 救灾物资 with their units and the value of a unit 折款."""

from calendar import monthrange
from datetime import date
from typing import Annotated, ClassVar, Literal

import msgspec

from domain.rules.base import Fen, Key, Problem, Text, repeated

Months = Annotated[int, msgspec.Meta(ge=1, le=600)]
Category = Literal["shelter", "bedding", "clothing", "food", "equipment", "flood"]


class Item(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``unit_value_fen``: default value of a unit; a lot's own value goes before it.

    ``keeps_months``: how long it may be stored 储备年限, from the day its lot was received; None:
    nobody has set a term.
    """

    key: Key
    zh: Text
    en: Text
    unit_zh: Text
    unit_en: Text
    category: Category
    unit_value_fen: Fen
    reusable: bool = False
    aliases: tuple[str, ...] = ()
    keeps_months: Months | None = None

    def keeps_until(self, received_on: date) -> date | None:
        """The last day on which a lot received then should still be in store; None: no term."""
        if self.keeps_months is None:
            return None
        years, month = divmod(received_on.month - 1 + self.keeps_months, 12)
        year = received_on.year + years
        last = monthrange(year, month + 1)[1]
        return date(year, month + 1, min(received_on.day, last))


class Items(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    KIND: ClassVar[str] = "items"

    items: tuple[Item, ...]

    def find(self, key: str) -> Item | None:
        return next((item for item in self.items if item.key == key), None)

    def knows(self, key: str) -> bool:
        return self.find(key) is not None

    def by_name(self, name: str) -> Item | None:
        wanted = name.strip()
        for item in self.items:
            if wanted in (item.key, item.zh, *item.aliases):
                return item
        return None

    def problems(self) -> list[Problem]:
        names = tuple(name for item in self.items for name in {item.zh, *item.aliases})
        return repeated(tuple(item.key for item in self.items), "items") + repeated(names, "items")
