"""A name stands on one line, whatever command carries it: of persons, places, banks, disasters."""

import unicodedata
from dataclasses import replace
from typing import Any, TypeVar

import msgspec

from domain.hints import TextsCalled
from domain.invisible import hides_something
from domain.refusal import Malformed

T = TypeVar("T")

NAMES = frozenset(
    {
        "bank",
        "certificate",
        "document_no",
        "full_name",
        "group",
        "name",
        "owner",
        "owner_name",
        "place",
        "signed_by",
        "source_document_no",
        "vehicle",
    }
)
"""Fields of commands that hold a name, a place or the number of a document, to be read and printed
in one line."""
_fields = TextsCalled(NAMES)


def in_one_line(given: T, path: str = "") -> T:
    """The command with each of its names, however deep, in one line: white space inside (also a
    line break that a word processor put there) is one blank.

    `Malformed` names the field of a name with control characters or marks that nobody sees; the
    name itself stays out of it. Log-in names have a rule of their own (`domain.login_name`).
    """
    changed: dict[str, Any] = {}
    for name in _fields(type(given)):
        value = getattr(given, name)
        if isinstance(value, str):
            new: Any = _line(value, path + name)
        elif isinstance(value, tuple):
            new = tuple(in_one_line(one, f"{path}{name}[{n}].") for n, one in enumerate(value))
            new = new if any(a is not b for a, b in zip(new, value, strict=True)) else value
        else:
            new = in_one_line(value, f"{path}{name}.")
        if new is not value:
            changed[name] = new
    if not changed:
        return given
    if isinstance(given, msgspec.Struct):
        return msgspec.structs.replace(given, **changed)
    return replace(given, **changed)  # type: ignore[type-var]


def _line(text: str, path: str) -> str:
    if hides_something(text):
        raise Malformed(
            field=path,
            value="",
            rule_zh="含有看不见的字符（如零宽空格），请删去后重新输入",
            rule_en="it has characters that nobody sees, like a zero-width space: type it again",
        )
    if text.isprintable() and "  " not in text:
        return text
    if any(unicodedata.category(one) == "Cc" and not one.isspace() for one in text):
        raise Malformed(
            field=path,
            value="",
            rule_zh="含有换行或控制字符，请重新输入",
            rule_en="it has line breaks or control characters: type it again",
        )
    return " ".join(text.split())
