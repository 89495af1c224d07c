"""Response levels 应急响应 and the figures that reach them (domain.md §3.1). 以上 is inclusive."""

from collections.abc import Mapping
from decimal import Decimal
from itertools import pairwise
from typing import Annotated, ClassVar, Literal

import msgspec

from domain.rules.base import Key, Level, Problem, Text, repeated
from domain.rules.indicators import Given

OWN = ("本级已审定数", "The own accepted figures")
PARTS = ("下级已审定合计", "The sum of what the parts have accepted")
NO_THRESHOLD = ("应为 0 到一万亿之间的数", "it must be a number from 0 to 1,000,000,000,000")
BOTH = ("本级已审定数，死亡失踪按下级合计", "The own figures with dead and missing of the parts")

LARGEST = Decimal(10) ** 12
ResponseLevel = Annotated[int, msgspec.Meta(ge=1, le=4)]


class Metric(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is measured: the sum of indicators, the largest of them ("或"), or a share in percent.

    The share's base is the farming and herding population 农牧业人口 of the area.
    """

    key: Key
    zh: Text
    en: Text
    unit_zh: Text
    unit_en: Text
    of: tuple[Key, ...]
    by: Literal["sum", "largest", "percent_of_farming_population"]


class Condition(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Reached when the metric is at least this much. Any one condition suffices."""

    level: ResponseLevel
    metric: Key
    at_least: Decimal


class Reached(msgspec.Struct, frozen=True):
    """A threshold the figures reach: response level (1 = 一级, the gravest), and why."""

    level: int
    condition: str
    value: Decimal
    threshold: Decimal
    zh: str
    en: str


class Thresholds(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``measured_over``: the level of area whose figures are compared (the nation's: province)."""

    KIND: ClassVar[str] = "thresholds"

    measured_over: Level
    metrics: tuple[Metric, ...]
    conditions: tuple[Condition, ...]

    def reached(self, figures: Given, farming_population: int | None = None) -> tuple[Reached, ...]:
        """For each metric the gravest level its known figures reach, gravest first.

        An unknown figure (null) adds nothing: what is known is a lower bound.
        """
        found: list[Reached] = []
        for metric in self.metrics:
            value = _measure(metric, figures, farming_population)
            if value is None:
                continue
            met = [c for c in self.conditions if c.metric == metric.key and value >= c.at_least]
            if met:
                gravest = min(met, key=lambda condition: condition.level)
                found.append(_reached(metric, gravest, value))
        return tuple(sorted(found, key=lambda reached: reached.level))

    def reached_by(
        self, figures: Mapping[tuple[str, str], Given], farming_population: int | None = None
    ) -> tuple[Reached, ...]:
        """The same for several figures of one area, each under what it is called (zh, en).

        For each metric the gravest ground, naming the figures it stands on: the first of them.
        """
        found: dict[str, Reached] = {}
        for (zh, en), given in figures.items():
            for one in self.reached(given, farming_population):
                known = found.get(one.condition)
                if known is None or one.level < known.level:
                    named = msgspec.structs.replace(one, zh=f"{zh}：{one.zh}", en=f"{en}: {one.en}")
                    found[one.condition] = named
        return tuple(sorted(found.values(), key=lambda reached: reached.level))

    def problems(self) -> list[Problem]:
        found = repeated(tuple(metric.key for metric in self.metrics), "metrics")
        known = {metric.key for metric in self.metrics}
        for n, condition in enumerate(self.conditions):
            if condition.metric not in known:
                zh = f"未定义的指标“{condition.metric}”"
                en = f"{condition.metric} is not a metric of this file"
                found.append(Problem(f"conditions[{n}].metric", zh, en))
        wrong = [
            Problem(f"conditions[{n}].at_least", *NO_THRESHOLD)
            for n, condition in enumerate(self.conditions)
            if not (Decimal(condition.at_least).is_finite() and 0 <= condition.at_least <= LARGEST)
        ]
        if wrong:  # what is no number cannot be compared either
            return found + wrong
        for metric in self.metrics:
            steps = sorted((c.level, c.at_least) for c in self.conditions if c.metric == metric.key)
            values = [at_least for _, at_least in steps]
            if any(a <= b for a, b in pairwise(values)):
                zh = f"“{metric.key}”的阈值应随级别加重而增大"
                en = f"thresholds of {metric.key} must grow with the gravity of the level"
                found.append(Problem("conditions", zh, en))
        return found


def _measure(metric: Metric, figures: Given, farming_population: int | None) -> Decimal | None:
    values = [value for key in metric.of if (value := figures.get(key)) is not None]
    if not values:
        return None
    if metric.by == "largest":
        return max(values)
    total = sum(values, Decimal(0))
    if metric.by == "sum":
        return total
    if not farming_population:
        return None
    return total * 100 / farming_population


ROMAN = {1: "I", 2: "II", 3: "III", 4: "IV"}
CHINESE = {1: "一", 2: "二", 3: "三", 4: "四"}
"""Levels of response as documents write them: 四级, level IV."""


def _reached(metric: Metric, condition: Condition, value: Decimal) -> Reached:
    shown = value.quantize(Decimal("0.01")) if value % 1 else value
    zh = (
        f"{metric.zh} {shown}{metric.unit_zh}，达到{CHINESE[condition.level]}级响应条件"
        f"（{condition.at_least}{metric.unit_zh}以上）"
    )
    en = (
        f"{metric.en} {shown} {metric.unit_en}: level {ROMAN[condition.level]} begins at "
        f"{condition.at_least}."
    )
    return Reached(condition.level, metric.key, value, condition.at_least, zh, en)
