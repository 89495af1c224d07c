"""Copies of rules to be changed: a version of its own, from a day to come, compared by nobody.

A copy that kept validity and mark of its original would count for days already decided, and would
say of itself that somebody compared it with a document.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any

import msgspec

from domain.rules.base import Problem
from domain.rules.loading import RulebookFile, RulebookInvalid, as_toml
from web.rule_fields import with_fields
from web.rule_tables import RuleReader

Row = dict[str, Any]
EXAMPLE = "example"
VERIFY = "verify"
HEADER = ("version", "document_no", "valid_from", "valid_to", "status")
NO_DAY = ("应为日期（年-月-日）", "it must be a date (year-month-day)")


def first_day(today: date) -> date:
    """The first of the next month: rules change with it, and there is time to confirm them."""
    return date(today.year + today.month // 12, today.month % 12 + 1, 1)


def original_of(book: RulebookFile) -> Row:
    """A file of the program as a version to be copied."""
    told = {name: getattr(book, name) for name in (*HEADER, "note")}
    return told | {"content": msgspec.json.encode(book.content)}


def copy_of(kind: str, original: Row, code: str, valid_from: date, taken: set[str]) -> str:
    """The text of a copy. An example stays one until somebody says otherwise, and whatever was
    compared with its document is to be compared again."""
    return as_toml(
        kind,
        _fresh(valid_from.isoformat(), taken),
        original["document_no"],
        code,
        valid_from,
        None,
        msgspec.json.decode(bytes(original["content"]), type=dict[str, Any]),
        EXAMPLE if original["status"] == EXAMPLE else VERIFY,
    )


def _fresh(name: str, taken: set[str]) -> str:
    """A name of a version that is free."""
    found, number = name, 2
    while found in taken:
        found, number = f"{name}-{number}", number + 1
    return found


def text_with(book: RulebookFile, typed: Mapping[str, str], reader: RuleReader) -> str:
    """The text of a file with what was typed in the fields of its form. `RulebookInvalid` for a
    day that is none; everything else is checked when the text is read."""
    said = {name: typed[name].strip() for name in HEADER if name in typed}
    first = _day(book, "valid_from", said, book.valid_from)
    last = _day(book, "valid_to", said, None) if "valid_to" in said else book.valid_to
    content = with_fields(book.kind, book.content, typed, reader)
    return as_toml(
        book.kind,
        said.get("version", book.version),
        said.get("document_no", book.document_no),
        book.area_code,
        first or book.valid_from,
        last,
        content,
        said.get("status", book.status),
    )


def _day(
    book: RulebookFile, name: str, said: Mapping[str, str], without: date | None
) -> date | None:
    text = said.get(name, "")
    if not text:
        return without
    try:
        return date.fromisoformat(text)
    except ValueError as wrong:
        problem = Problem(name, *NO_DAY)
        raise RulebookInvalid(
            file="TOML", key=name, problem_zh=NO_DAY[0], problem_en=NO_DAY[1], problems=(problem,)
        ) from wrong
