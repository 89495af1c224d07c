"""Indicators 快报指标 with their arithmetic as data (domain.md §1.5, §1.6).

Figures map an indicator's key to a `Decimal`, or to None = not yet known, which is not zero.
A key that is missing is not known either. Counts are whole numbers; areas, lengths and money have
at most two decimals. Units: money in 万元, areas in 公顷, road in 千米.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Annotated, ClassVar, Literal

import msgspec

from domain.rules.base import Key, Problem, Text, repeated

Figures = dict[str, Decimal | None]
"""The figures of one report version, as they stand in its event."""

Severity = Literal["error", "warning"]


class Indicator(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``number``: integer or decimal (2 places). A ``current`` 实时值 names its cumulative pair.

    ``additive``: an area's figure is the sum of its parts'. ``optional``: not on the short form.
    """

    key: Key
    zh: Text
    en: Text
    unit_zh: Text
    unit_en: Text
    group: Key
    number: Literal["integer", "decimal"] = "integer"
    clock: Literal["", "cumulative", "current"] = ""
    pair: Key | None = None
    additive: bool = True
    optional: bool = False


class SumRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``whole`` = Σ ``parts``; with ``other_parts`` there are parts not listed: whole ≥ Σ."""

    id: Text
    whole: Key
    parts: Annotated[tuple[Key, ...], msgspec.Meta(min_length=1)]
    severity: Severity
    other_parts: bool = False
    verify: bool = False


class AtMostRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Each of ``smaller`` ≤ ``larger``."""

    id: Text
    smaller: Annotated[tuple[Key, ...], msgspec.Meta(min_length=1)]
    larger: Key
    severity: Severity
    verify: bool = False


class RosterRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """At 核报 the figure equals the rows of its roster 台账."""

    id: Text
    key: Key
    roster: Key
    severity: Severity = "error"


class JumpRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A change by this factor and this much needs a reason (either direction)."""

    keys: Annotated[tuple[Key, ...], msgspec.Meta(min_length=1)]
    factor: Annotated[int, msgspec.Meta(ge=1, le=1000)]
    absolute: Annotated[int, msgspec.Meta(ge=1)]
    verify: bool = True


class Finding(msgspec.Struct, frozen=True):
    """A rule that the figures break: which, how grave, which keys and values, and a sentence."""

    rule: str
    severity: str
    keys: tuple[str, ...]
    values: tuple[Decimal | None, ...]
    zh: str
    en: str


class Indicators(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``schema_version`` is stored with every report.

    ``falling`` is how grave it is when a cumulative figure falls in a 续报.
    """

    KIND: ClassVar[str] = "indicators"

    schema_version: Text
    indicators: tuple[Indicator, ...]
    sums: tuple[SumRule, ...]
    at_most: tuple[AtMostRule, ...]
    rosters: tuple[RosterRule, ...]
    jumps: tuple[JumpRule, ...] = ()
    falling: Severity = "warning"

    def find(self, key: str) -> Indicator | None:
        return next((found for found in self.indicators if found.key == key), None)
