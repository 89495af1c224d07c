"""Catalogue of relief goods 救灾物资 with their units and the value of a unit 折款."""

from typing import ClassVar, Literal

import msgspec

from domain.rules.base import Fen, Key, Problem, Text, repeated

Category = Literal["shelter", "bedding", "clothing", "food", "equipment", "flood"]


class Item(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``unit_value_fen``: default value of a unit; a lot's own value goes before it."""

    key: Key
    zh: Text
    en: Text
    unit_zh: Text
    unit_en: Text
    category: Category
    unit_value_fen: Fen
    reusable: bool = False
    aliases: tuple[str, ...] = ()


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
