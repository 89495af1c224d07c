"""A reason that somebody else will judge says something, whatever command carries it."""

import re
import typing
from collections.abc import Iterator
from dataclasses import is_dataclass
from typing import Any

import msgspec

from domain.hints import classes_in, is_text
from domain.refusal import Malformed

SHORTEST = 4
FEWEST_LETTERS = 3
FEWEST_CHINESE = 2
"""Different ones: two Chinese characters say as much as a word (轮休, 外迁, 换卡)."""

CHINESE = re.compile(r"[\u3400-\u9fff\U00020000-\U0003ffff]")


def says_something(reason: str) -> bool:
    """Two different Chinese characters, or four characters with three different letters."""
    letters = {letter for letter in reason.lower() if letter.isalpha()}
    if sum(CHINESE.match(letter) is not None for letter in letters) >= FEWEST_CHINESE:
        return True
    return len(reason.strip()) >= SHORTEST and len(letters) >= FEWEST_LETTERS


def check_reasons(command: object) -> None:
    """`Malformed` if a reason of a command, however deep, says nothing ("x", "……", "哈哈").

    Whether there must be one is the command's own affair: a blank one passes here, and a command
    that must never be stopped says so (``idle_reason_refused``). The reason itself stays out of the
    refusal: people's words are not stored with it.
    """
    if not getattr(command, "idle_reason_refused", True):
        return
    for path, reason in _reasons(command, ""):
        if reason.strip() and not says_something(reason):
            raise Malformed(
                field=path,
                value="",
                rule_zh="请写明理由：至少两个不同的汉字，或四个字符（含三个不同的字母）",
                rule_en="say why: in two Chinese characters that differ, or in four characters "
                "with three different letters",
            )


def _reasons(given: Any, path: str) -> Iterator[tuple[str, str]]:
    """Path and text of each field that is called ``reason``."""
    for name in reason_fields(type(given)):
        value = getattr(given, name)
        if isinstance(value, str):
            yield path + name, value
            continue
        for one in value if isinstance(value, tuple) else (value,):
            yield from _reasons(one, f"{path}{name}.")


_known: dict[type[Any], tuple[str, ...]] = {}


def reason_fields(kind: type[Any]) -> tuple[str, ...]:
    """The fields of a command or of a part of one that are reasons or may hold some."""
    if kind not in _known:
        hints = typing.get_type_hints(kind) if _has_parts(kind) else {}
        _known[kind] = tuple(
            name
            for name, hint in hints.items()
            if (name == "reason" and is_text(hint))
            or any(reason_fields(part) for part in classes_in(hint))
        )
    return _known[kind]


def _has_parts(kind: type[Any]) -> bool:
    return is_dataclass(kind) or issubclass(kind, msgspec.Struct)
