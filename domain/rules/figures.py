"""From what a form or a program sends to `Figures`: typed, in range, all mistakes at once."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, ClassVar

import msgspec

from domain.half_width import half_width
from domain.refusal import Refusal
from domain.rules.indicators import Figures, Indicator, Indicators

LARGEST = Decimal(10) ** 12
CENT = Decimal("0.01")
_AS_TYPED = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,2})?")
"""A figure in text; `Decimal` alone would take 1_000 and digits of other scripts too."""
SPLIT = "split"
"""Where a problem stands that is not in the total: `split.<area>.<indicator>`."""

Raw = Mapping[str, int | float | str | Decimal | None]


class FigureProblem(msgspec.Struct, frozen=True):
    """One value that cannot be the figure it is given as."""

    key: str
    value: str
    zh: str
    en: str


@dataclass(eq=False)
class FiguresMalformed(Refusal):
    """Values that no report can carry, not even a 初报: all of them named."""

    status: ClassVar[int] = 422
    zh: ClassVar[str] = "{count} 个指标填写有误：{sentences_zh}"
    en: ClassVar[str] = "{count} {count:figure|figures} cannot be read: {sentences_en}"
    count: int
    sentences_zh: str
    sentences_en: str
    problems: tuple[FigureProblem, ...]

    def facts(self) -> dict[str, Any]:
        return super().facts() | {"problems": msgspec.to_builtins(self.problems)}


def figures_malformed(
    rules: Indicators, problems: Sequence[FigureProblem], places: Mapping[str, str] | None = None
) -> FiguresMalformed:
    """The refusal with all these problems: indicators as people call them, ids only in the fields.

    ``places``: the names of areas, by the text under which a split has them.
    """
    said = [_said(rules, problem, places or {}) for problem in problems]
    return FiguresMalformed(
        count=len(problems),
        sentences_zh="；".join(zh for zh, _ in said),
        sentences_en="; ".join(en for _, en in said),
        problems=tuple(problems),
    )


def _said(rules: Indicators, problem: FigureProblem, places: Mapping[str, str]) -> tuple[str, str]:
    if problem.key == SPLIT:  # the value is an id, or meant to be one
        return f"分项：{problem.zh}", f"A part: {problem.en}"
    _, _, inside = problem.key.rpartition(f"{SPLIT}.")
    place, _, key = inside.rpartition(".")
    where = places.get(place, "")
    named = rules.find(key)
    zh, en = (named.zh, named.en) if named else (key, key)
    return (
        f"{where}“{zh}”{problem.value}：{problem.zh}",
        f"{f'{where}: ' if where else ''}{en} = {problem.value}: {problem.en}",
    )


def parse_figures(rules: Indicators, raw: Raw) -> Figures:
    """Figures of known indicators in canonical form; None and "" mean not yet known.

    Integers, decimal strings (full-width digits too) and finite floats are taken. Raises
    `FiguresMalformed` with every unknown key, negative, fractional count, third decimal, text that
    is no number, or value above 10^12.
    """
    figures: Figures = {}
    problems: list[FigureProblem] = []
    known = {indicator.key: indicator for indicator in rules.indicators}
    for key, value in raw.items():
        indicator = known.get(key)
        if indicator is None:
            problems.append(_problem(key, value, "没有这个指标", "there is no such indicator"))
            continue
        number = _number(value)
        if isinstance(number, Decimal):
            why = _why_not(indicator, number)
            if why is None:
                places = CENT if indicator.number == "decimal" else Decimal(1)
                figures[key] = abs(number).quantize(places)  # abs: -0 is 0
            else:
                problems.append(_problem(key, value, *why))
        elif number is None:
            figures[key] = None
        else:
            problems.append(_problem(key, value, "不是数字", "it is not a number"))
    if problems:
        raise figures_malformed(rules, problems)
    return figures


def _number(value: object) -> Decimal | bool | None:
    """The number, None for not known, False for what is no number."""
    if isinstance(value, bool):
        return False
    if isinstance(value, str):
        value = half_width(value).strip()
        if value and not _AS_TYPED.fullmatch(value):
            return False
    if value is None or value == "":
        return None
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return False
    return number if number.is_finite() else False


def _why_not(indicator: Indicator, number: Decimal) -> tuple[str, str] | None:
    if number < 0:
        return "不能为负数", "it cannot be negative"
    if number > LARGEST:
        return "数值过大", "it is too large"
    if indicator.number == "integer" and number != number.to_integral_value():
        return "必须是整数", "it must be a whole number"
    if indicator.number == "decimal" and number != number.quantize(CENT):
        return "最多两位小数", "it has more than two decimals"
    return None


def _problem(key: str, value: object, zh: str, en: str) -> FigureProblem:
    return FigureProblem(key[:60], str(value)[:60], zh, en)
