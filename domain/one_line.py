"""A name stands on one line, whatever command carries it: of persons, places, banks, disasters."""

import unicodedata
from dataclasses import replace
from typing import Any, TypeVar

import msgspec

from domain.hints import TextsCalled
from domain.refusal import Malformed

T = TypeVar("T")

NAMES = frozenset(
    {
        "bank",
        "full_name",
        "group",
        "login",
        "name",
        "owner",
        "owner_name",
        "place",
        "signed_by",
        "vehicle",
    }
)
"""Fields of commands that hold a name or a place, to be read and printed in one line."""
_fields = TextsCalled(NAMES)


def in_one_line(given: T, path: str = "") -> T:
    """The command with each of its names, however deep, in one line: white space inside (also a
    line break that a word processor put there) is one blank.

    `Malformed` names the field of a name with control characters, and of a log-in name that is
    not in one line; the name itself stays out of it.
    """
    changed: dict[str, Any] = {}
    for name in _fields(type(given)):
        value = getattr(given, name)
        if isinstance(value, str):
            new: Any = _line(value, path + name)
            if name == "login" and new is not value:  # typed letter by letter: never changed
                raise _not_in_one_line(path + name)
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
    if text.isprintable() and "  " not in text:
        return text
    if any(unicodedata.category(one) == "Cc" and not one.isspace() for one in text):
        raise _not_in_one_line(path)
    return " ".join(text.split())


def _not_in_one_line(path: str) -> Malformed:
    return Malformed(
        field=path,
        value="",
        rule_zh="含有换行或控制字符，请重新输入",
        rule_en="it has line breaks or control characters: type it again",
    )
