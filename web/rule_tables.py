"""The contents of a rulebook as people read them: facts and plain tables, in one language.

It walks the JSON of a rulebook of any kind. Names of figures, goods and kinds of households come
from the rulebooks in force; names of fields and of their values from the messages.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from itertools import zip_longest
from typing import Any

from domain.rules.thresholds import CHINESE, ROMAN
from web.formats import Formats
from web.i18n import Language, UnknownMessage, catalog

FEW = 12
"""Rows that are shown at once; a longer table is opened by whoever wants it."""

HIDDEN = frozenset({"key", "zh", "en", "unit_en", "id"})
"""Columns that another one says."""

NAMED = frozenset(
    {
        *("of", "sum_of", "parts", "whole", "smaller", "larger", "keys", "pair"),
        *("known_when_verified", "metric", "item", "kinds", "key", "id", "roster"),
    }
)
"""Fields whose values are keys of figures, goods, kinds or measures."""

Names = Mapping[str, Mapping[str, tuple[str, str]]]
"""Of several rulebooks: Chinese and English by key."""


@dataclass
class Section:
    """A part of a rulebook: facts, one value each, and tables."""

    title: str
    facts: list[tuple[str, str]] = field(default_factory=list)
    tables: list["RuleTable"] = field(default_factory=list)


@dataclass
class RuleTable:
    title: str
    columns: list[str]
    rows: list[list[str]]

    @property
    def folded(self) -> bool:
        return len(self.rows) > FEW


class RuleReader:
    """Turns contents into sections. ``names``: what keys of other rulebooks are called."""

    def __init__(self, language: Language, names: Names) -> None:
        self._words = catalog(language)
        self._formats = Formats(self._words)
        self._place = 0 if language == "zh" else 1
        self._names = dict(names)
        self._joint = "、" if language == "zh" else ", "

    def label(self, key: str) -> str:
        """What a field of a rulebook is called."""
        t = self._words.t
        try:
            return t("rule." + key)
        except UnknownMessage:
            return key

    def sections(self, content: Mapping[str, Any]) -> list[Section]:
        """Facts and plain tables first; then a section for each entry that has tables inside."""
        self._names["own"] = all_named(content)
        first = Section("")
        found = [first]
        for key, value in content.items():
            if _is_rows(value) and any(_has_tables(row) for row in value):
                found += [self._section(row) for row in value]
            else:
                self._add(first, key, value)
        return [one for one in found if one.facts or one.tables]

    def differences(
        self, before: Mapping[str, Any], after: Mapping[str, Any]
    ) -> list[tuple[str, str, str]]:
        """Where, what it was and what it would be; "" where there is nothing."""
        for content in (before, after):
            self._names["own"] = dict(self._names.get("own", {})) | all_named(content)
        found = []
        for path, old, new in _changes(before, after, ()):
            key = next((step for step in reversed(path) if not step.startswith("=")), "")
            where = " · ".join(self._step(step) for step in path)
            found.append((where, self.value(key, old), self.value(key, new)))
        return found

    def _step(self, step: str) -> str:
        """A key of the path, or what tells an entry of a list apart."""
        if not step.startswith("="):
            return self.label(step)
        told = (one.partition(":") for one in step[1:].split("/"))
        return " ".join(self.value(name, value) for name, _, value in told)

    def _section(self, row: Mapping[str, Any]) -> Section:
        made = Section(self.name_of(row))
        for key, value in row.items():
            if key not in HIDDEN:
                self._add(made, key, value)
        return made

    def _add(self, section: Section, key: str, value: Any) -> None:
        if _is_rows(value):
            section.tables.append(self._table(self.label(key), value))
        elif isinstance(value, dict) and not _is_month_day(value):
            entries = [
                {"key": name, "zh": name, "en": name, **_as_row(v)} for name, v in value.items()
            ]
            section.tables.append(self._table(self.label(key), entries))
        elif value not in EMPTY or (value == 0 and value is not False):
            section.facts.append((self.label(key), self.value(key, value)))

    def _table(self, title: str, rows: Sequence[Mapping[str, Any]]) -> RuleTable:
        """Columns in which no row says anything are left out."""
        named = any("zh" in row for row in rows)
        hidden = HIDDEN if named else HIDDEN - {"key"}
        keys = list(dict.fromkeys(key for row in rows for key in row if key not in hidden))
        keys = [key for key in keys if any(row.get(key) not in EMPTY for row in rows)]
        heads = [self.label("key")] if named else []
        heads += [self.label(key) if key != DAY else self.label("day") for key in keys]
        lines = [
            ([self.name_of(row)] if named else [])
            + [self.value(key, row.get(key) or None, row) for key in keys]
            for row in rows
        ]
        return RuleTable(title, heads, lines)

    def name_of(self, row: Mapping[str, Any]) -> str:
        """What an entry is called."""
        return str(row.get("zh" if self._place == 0 else "en", ""))

    def value(self, key: str, value: Any, row: Mapping[str, Any] | None = None) -> str:
        """One value as people say it."""
        if value is None or value == "":
            return ""
        if isinstance(value, bool):
            return self._words.t("rule_value.yes" if value else "rule_value.no")
        if isinstance(value, list | tuple):
            return self._listed(key, value)
        if isinstance(value, dict):
            if _is_month_day(value):
                return f"{value['month']:02}-{value['day']:02}"
            called = self.name_of(value) or str(value.get("id", ""))
            told = (
                f"{self.label(k)} {self.value(k, v)}"
                for k, v in value.items()
                if k not in HIDDEN and v not in EMPTY
            )
            return called or self._joint.join(told)
        if isinstance(value, int) and key.endswith("_fen"):
            return self._formats.fen(value)
        if key == "unit_zh" and row is not None and self._place == 1:
            return str(row.get("unit_en", value))
        return self._plain(key, value)

    def _listed(self, key: str, values: list[Any] | tuple[Any, ...]) -> str:
        if key in ("holidays", "make_up"):
            return self._joint.join(_spans(values))
        return self._joint.join(self.value(key, one) for one in values)

    def _plain(self, key: str, value: Any) -> str:
        text = str(value)
        if key == "level" and text.isdigit():
            return (CHINESE[int(text)] + "级") if self._place == 0 else f"level {ROMAN[int(text)]}"
        if key == "priority" and text.isdigit():
            return self._words.t(f"dispatch.priority_{text}")
        if key in ("incident", "units"):
            t = self._words.t
            known = f"dispatch.{'kind' if key == 'incident' else 'unit'}_{text}"
            return t(known) if known in self._words.sentences else text
        if key == "due":
            return text[:5]
        if key == "group" and f"report.group_{text}" in self._words.sentences:
            t = self._words.t
            return t("report.group_" + text)
        if key in ("at_least", "absolute"):
            return self._formats.number(Decimal(text))
        if key in NAMED and (called := self._called(text)):
            return called
        t = self._words.t
        try:
            return t("rule_value." + text)
        except UnknownMessage:
            return text

    def _called(self, key: str) -> str | None:
        """What an entry of a list is called, by its key."""
        own = self._names.get("own", {})
        found = (known[key] for known in (own, *self._names.values()) if key in known)
        return next((names[self._place] for names in found), None)


EMPTY: tuple[Any, ...] = (None, "", False, [], (), {})
DAY = "date"
TELLING = ("key", "id", "level", "priority", "metric", "item", "incident")
"""Fields that tell entries of a list apart."""


def all_named(content: Any) -> dict[str, tuple[str, str]]:
    """Every key inside that has a Chinese and an English name beside it."""
    if isinstance(content, list | tuple):
        return {key: name for one in content for key, name in all_named(one).items()}
    if not isinstance(content, dict):
        return {}
    found = {key: name for one in content.values() for key, name in all_named(one).items()}
    if {"key", "zh", "en"} <= content.keys():
        found[content["key"]] = (content["zh"], content["en"])
    return found


def _is_rows(value: Any) -> bool:
    return isinstance(value, list | tuple) and bool(value) and isinstance(value[0], dict)


def _has_tables(row: Mapping[str, Any]) -> bool:
    """Whether an entry holds lists of entries that say more than a name."""
    return any(_is_rows(v) and set(v[0]) - HIDDEN for v in row.values())


def _is_month_day(value: Mapping[str, Any]) -> bool:
    return set(value) == {"month", "day"}


def _as_row(value: Any) -> dict[str, Any]:
    return dict(value) if isinstance(value, dict) else {DAY: value}


def _spans(days: Any) -> Iterator[str]:
    """Days as ``01-01``, and those that follow each other as ``01-27 – 01-31``."""
    found = sorted(date.fromisoformat(str(day)) for day in days)
    if not found:
        return
    first = found[0]
    for one, following in zip_longest(found, found[1:]):
        if following != one + timedelta(days=1):
            yield f"{first:%m-%d}" if first == one else f"{first:%m-%d} – {one:%m-%d}"
            if following is not None:
                first = following


def _changes(
    before: Any, after: Any, path: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], Any, Any]]:
    """The innermost values that differ, with the keys that lead there; entries are ``=key``."""
    if isinstance(before, dict) and isinstance(after, dict) and not _is_month_day(after):
        for key in dict.fromkeys([*before, *after]):
            yield from _changes(before.get(key), after.get(key), (*path, key))
    elif _is_rows(before or after) and _is_rows(after or before):
        old, new = _keyed(before or ()), _keyed(after or ())
        for key in dict.fromkeys([*old, *new]):
            yield from _changes(old.get(key), new.get(key), (*path, f"={key}"))
    elif _same_kind(before) != _same_kind(after) and not (before in EMPTY and after in EMPTY):
        yield path, before, after


def _same_kind(value: Any) -> Any:
    """A list as a list: a text that was just read has tuples where a stored one has lists."""
    return list(value) if isinstance(value, tuple) else value


def _keyed(rows: Any) -> dict[str, Any]:
    """Entries by what tells them apart: their key, rule or level, else their place."""
    found: dict[str, Any] = {}
    for n, row in enumerate(rows):
        told = [f"{name}:{row[name]}" for name in TELLING if name in row]
        name = "/".join(told) or str(n + 1)
        found[name if name not in found else f"{name} ({n + 1})"] = row
    return found
