"""Lists as sheets for people: every row, a heading, yuan, China time, states in words.

Here as CSV; as workbooks see `api.workbooks`.

What stands in the sheet of a list is data, `sheets.toml`, in both languages: a sheet speaks the
language of the page it was asked from. Programs take the JSON: there are keys, fen and ids. A sheet
says the same rows as the list it was asked for (filter, search, jurisdiction), all of them and not
one page of them, and is sent while it is read.
"""

import csv
import io
import json
import re
import tomllib
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal

from starlette.concurrency import run_in_threadpool

from api.words import Words
from domain.rules.base import CHINA
from domain.world import ROLE_NAMES, Role
from projections.asking.paging import Page

DATA: Final = Path(__file__).with_name("sheets.toml")
BOM: Final = "\ufeff"
"""So that Excel takes the text for UTF-8."""
FORMULA = re.compile(r"^[\s\u200b\ufeff]*[=+\-@\t\r\x00＝＋－＠]")
PLAIN_NUMBER = re.compile(r"^-?\d+(\.\d+)?$")
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d")
SEPARATOR: Final = {"zh": "、", "en": ", "}
TRAINING: Final = {"zh": "演练", "en": "Exercise"}
YES_NO: Final = {"zh": ("是", "否"), "en": ("yes", "no")}

Row = dict[str, Any]
Language = Literal["zh", "en"]


@cache
def _data() -> dict[str, Any]:
    return tomllib.loads(DATA.read_text(encoding="utf-8"))


def has_sheet(name: str) -> bool:
    """Whether the list of that query is told to people as a sheet."""
    return name in _data()["sheets"]


@dataclass(frozen=True)
class Sheet:
    """The sheet of one list, by the name of its query. KeyError: that list has none."""

    name: str
    names: Words
    training: bool = False
    """Each row of a training store says so: rows are copied into other sheets."""
    language: Language = "zh"

    @property
    def columns(self) -> list[str]:
        found: list[str] = _data()["sheets"][self.name]["columns"]
        return found

    def head(self) -> str:
        """The first line, also where no row follows."""
        return BOM + _line([*self.mark, *self.headings()])

    def lines(self, rows: Iterable[Row]) -> str:
        columns = self.columns
        return "".join(
            _line([*self.mark, *(self.cell(row, column) for column in columns)]) for row in rows
        )

    def headings(self) -> list[str]:
        return [heading(column, self.language) for column in self.columns]

    @property
    def mark(self) -> list[str]:
        """What stands before each row, and in the heading."""
        return [TRAINING[self.language]] if self.training else []

    def cell(self, row: Row, column: str) -> str:
        return guarded(self._said(column.rpartition(".")[2], self._raw(row, column)))

    def said(self, column: str, value: Any) -> str:
        """One value of a column, as its cell says it."""
        return guarded(self._said(column.rpartition(".")[2], value))

    def value(self, row: Row, column: str) -> str | int | Decimal:
        """The cell as what it is: ``Decimal`` yuan, another number, or text (ids, codes)."""
        raw, name = self._raw(row, column), column.rpartition(".")[2]
        if isinstance(raw, Decimal):  # yuan already, where one column has figures of many kinds
            return raw
        if not isinstance(raw, int) or isinstance(raw, bool):
            return self._said(name, raw)
        return Decimal(raw) / 100 if name.endswith("_fen") else raw

    def _raw(self, row: Row, column: str) -> Any:
        value: Any = row
        for step in column.split("."):
            value = value.get(step) if isinstance(value, dict) else None
        if column == "status" and self.name == "ledger":
            value = row["state"]
        if column == "reason" and self.name == "findings":
            value = self.names.ground(row["kind"], value)
        if column in ("lines", "goods") and isinstance(value, str):
            value = json.loads(value)
        return value

    def _said(self, name: str, value: Any) -> str:
        if value is None:
            return ""
        if isinstance(value, bool):
            return YES_NO[self.language][not value]
        if name.endswith("_fen"):
            return yuan(value)
        if isinstance(value, dict):  # item → units
            return SEPARATOR[self.language].join(
                self._goods(item, units) for item, units in value.items()
            )
        if isinstance(value, list):
            return SEPARATOR[self.language].join(self._part(part) for part in value)
        if isinstance(value, str):
            return china_time(value) if MOMENT.match(value) else self._word(name, value)
        return str(value)

    def _row(self, parts: Iterable[str]) -> str:
        return SEPARATOR[self.language].join(parts)

    def _goods(self, item: str, units: int) -> str:
        return f"{self.names.item(item)} {units} {self.names.unit(item, units)}".rstrip()

    def _part(self, part: Any) -> str:
        if isinstance(part, dict):
            if "item" in part:
                return self._goods(part["item"], part["quantity"])
            if "role" in part:
                return self._post(part)
            if "login" in part:
                state = _data()["sheets"][self.name]["words"]["logins"][part["state"]]
                return f"{part['login']}{self._in_brackets(state[self.language])}"
            return str(part.get("name", ""))
        return str(part)

    def _post(self, post: Row) -> str:
        """One post as the page of officers says it: role, A or B, where, from and until when."""
        until = f"–{post['ends_on']}" if post["ends_on"] else "–"
        shown = [self._role(post["role"]), post["post"], post["area_name"]]
        named = " ".join(one for one in shown if one)
        return named + self._in_brackets(f"{post['starts_on']}{until}")

    def _in_brackets(self, text: str) -> str:
        return f" ({text})" if self.language == "en" else f"（{text}）"

    def _word(self, name: str, key: str) -> str:
        by_rule = {
            "item": self.names.item,
            "category": self.names.kind,
            "hazard": self.names.hazard,
        }.get(name)
        if by_rule is not None:
            return by_rule(key)
        if name in ("debit", "credit"):  # an account and whose it is: depot:…
            name, key = "account", key.partition(":")[0]
        if name in ("role", "reporter_role"):
            return self._role(key)
        own = _data()["sheets"][self.name].get("words", {}).get(name, {})
        words: dict[str, dict[str, str]] = _data()["words"].get(name, {}) | own
        return words[key][self.language] if key in words else key

    def _role(self, key: str) -> str:
        return ROLE_NAMES[Role(key)][self.language == "en"] if key in set(Role) else key


def heading(column: str, language: Language) -> str:
    """灾情: the indicator's name; sums of two sides: the side's name before the column's."""
    data = _data()
    side, _, name = column.rpartition(".")
    if side.endswith("figures"):
        found: str = data["indicators"][name][language]
        return found
    said: str = data["headings"][name][language]
    return data["sides"][side][language] + said if side else said


def yuan(fen: int) -> str:
    """123456 → 1234.56; no float is between."""
    whole, rest = divmod(abs(fen), 100)
    return f"{'-' if fen < 0 else ''}{whole}.{rest:02d}"


def china_time(text: str) -> str:
    return datetime.fromisoformat(text).astimezone(CHINA).strftime("%Y-%m-%d %H:%M")


def guarded(text: str) -> str:
    """A cell that a spreadsheet would run is quoted."""
    return f"'{text}" if FORMULA.match(text) and not PLAIN_NUMBER.match(text) else text


def _line(cells: Iterable[str]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow(cells)
    return out.getvalue()


async def whole(sheet: Sheet, first: Page, more: Callable[[str], Any]) -> AsyncIterator[str]:
    """The sheet's text, page by page. ``more`` asks for the page behind a cursor."""
    yield sheet.head()
    page = first
    while True:
        yield await run_in_threadpool(sheet.lines, page.items)
        if page.next is None:
            return
        page = await more(page.next)
