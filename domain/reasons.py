"""A reason that somebody else will judge says something, whatever command carries it."""

import re
from collections.abc import Iterator
from typing import Any

from domain.hints import TextsCalled
from domain.refusal import Malformed

SHORTEST = 4
FEWEST_LETTERS = 3
FEWEST_CHINESE = 2
"""Different ones: two Chinese characters say as much as a word (轮休, 外迁, 换卡)."""

REASONS = frozenset({"reason", "without_list_reason"})
reason_fields = TextsCalled(REASONS)

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
    """Path and text of each field that is called a reason."""
    for name, nested in reason_fields(type(given)).items():
        value = getattr(given, name)
        if not nested:
            if value is not None:
                yield path + name, value
            continue
        for one in value if isinstance(value, tuple) else (value,):
            yield from _reasons(one, f"{path}{name}.")
