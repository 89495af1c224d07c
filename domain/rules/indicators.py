"""Indicators 快报指标 with their arithmetic as data (domain.md §1.5, §1.6).

Figures map an indicator's key to a `Decimal`, or to None = not yet known, which is not zero.
A key that is missing is not known either. Counts are whole numbers; areas, lengths and money have
at most two decimals. Units: money in 万元, areas in 公顷, road in 千米.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Annotated, ClassVar, Literal

import msgspec

from domain.plurals import counted
from domain.rules.base import Key, Problem, Text, repeated

Figures = dict[str, Decimal | None]
"""The figures of one report version, as they stand in its event."""

Given = Mapping[str, Decimal | None]
"""Figures as the checks take them."""

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

    ``falling`` is how grave it is when a cumulative figure falls in a 续报. ``known_when_verified``
    are the figures that a 核报 must know; of rules that have no such list, dead and missing.
    """

    KIND: ClassVar[str] = "indicators"

    schema_version: Text
    indicators: tuple[Indicator, ...]
    sums: tuple[SumRule, ...]
    at_most: tuple[AtMostRule, ...]
    rosters: tuple[RosterRule, ...]
    jumps: tuple[JumpRule, ...] = ()
    falling: Severity = "warning"
    known_when_verified: tuple[Key, ...] = ("dead", "missing")

    def find(self, key: str) -> Indicator | None:
        return next((found for found in self.indicators if found.key == key), None)

    def check(
        self,
        figures: Given,
        previous: Given | None = None,
        children: Sequence[Given] | None = None,
        rosters: Mapping[str, int] | None = None,
        verifying: bool = False,
    ) -> tuple[Finding, ...]:
        """All rules these figures break, at once; errors before warnings.

        ``previous`` is the last version of the same report (cumulative figures must not fall);
        leave it out for a 核报 or a correction. ``children`` are the figures of the parts at the
        same as-of time; an empty sequence = a total without its split. ``rosters`` are row counts
        by roster key, given at 核报. A rule with an unknown figure is checked as far as the known
        ones decide it: parts already above their whole are broken whatever is missing.
        """
        found = [*self._sums(figures), *self._at_most(figures), *self._pairs(figures)]
        if previous is not None:
            found += self._falling(figures, previous)
        if children is not None:
            found += self._split(figures, children)
        if rosters is not None:
            found += self._rosters(figures, rosters)
        if verifying:
            found += self._unknown(figures)
        return tuple(sorted(found, key=lambda finding: finding.severity))

    def big_jumps(self, previous: Given, current: Given) -> tuple[Finding, ...]:
        """Changes that need a reason: by the factor and by the amount of a rule, up or down."""
        found: list[Finding] = []
        for rule in self.jumps:
            for key in rule.keys:
                before, after = previous.get(key), current.get(key)
                if before is None or after is None:
                    continue
                low, high = sorted((before, after))
                if high - low >= rule.absolute and high >= low * rule.factor:
                    name = self._named(key)
                    zh = f"“{name.zh}”由 {before} 变为 {after}{name.unit_zh}，变化较大，请说明原因"
                    en = f"{name.en} went from {before} to {after}: please give the reason."
                    values = (before, after)
                    found.append(Finding(f"jump-{key}", "warning", (key,), values, zh, en))
        return tuple(found)

    def _sums(self, figures: Given) -> list[Finding]:
        found: list[Finding] = []
        for rule in self.sums:
            whole = figures.get(rule.whole)
            parts = [figures.get(key) for key in rule.parts]
            if whole is None or not _sum_broken(whole, parts, exact=not rule.other_parts):
                continue
            known = _known_sum(parts)
            name, listed = self._named(rule.whole), [self._named(key) for key in rule.parts]
            sign_zh, sign_en = ("不小于", "at least") if rule.other_parts else ("等于", "")
            zh = (
                f"“{name.zh}”{whole}{name.unit_zh}，应{sign_zh}"
                f"“{'＋'.join(part.zh for part in listed)}”之和 {known}{name.unit_zh}"
            )
            en = (
                f"{name.en} is {whole}; it should be {sign_en + ' ' if sign_en else ''}"
                f"the sum of {', '.join(part.en for part in listed)}: {known}."
            )
            keys = (rule.whole, *rule.parts)
            found.append(Finding(rule.id, rule.severity, keys, (whole, *parts), zh, en))
        return found

    def _at_most(self, figures: Given) -> list[Finding]:
        found: list[Finding] = []
        for rule in self.at_most:
            for key in rule.smaller:
                above = self._above(figures, rule.id, rule.severity, key, rule.larger)
                found += above
        return found

    def _pairs(self, figures: Given) -> list[Finding]:
        """实时值 ≤ 累计值, of each pair."""
        found: list[Finding] = []
        for one in self.indicators:
            if one.pair is not None:
                found += self._above(figures, f"pair-{one.key}", "error", one.key, one.pair)
        return found

    def _above(
        self, figures: Given, rule: str, severity: str, smaller: str, larger: str
    ) -> list[Finding]:
        small, large = figures.get(smaller), figures.get(larger)
        if small is None or large is None or small <= large:
            return []
        low, high = self._named(smaller), self._named(larger)
        zh = f"“{low.zh}”{small}{low.unit_zh}，应不大于“{high.zh}”{large}{high.unit_zh}"
        en = f"{low.en} is {small}; it cannot be more than {high.en}: {large}."
        return [Finding(rule, severity, (smaller, larger), (small, large), zh, en)]

    def _falling(self, figures: Given, previous: Given) -> list[Finding]:
        found: list[Finding] = []
        for one in self.indicators:
            before, after = previous.get(one.key), figures.get(one.key)
            if one.clock != "cumulative" or before is None:
                continue
            if after is not None and after >= before:
                continue
            shown_zh, shown_en = ("未填", "not given") if after is None else (after, after)
            zh = f"“{one.zh}”上次为 {before}{one.unit_zh}，本次{shown_zh}：累计值不应减少"
            en = f"{one.en} was {before} and is now {shown_en}: a cumulative figure does not fall."
            values = (before, after)
            found.append(Finding(f"falling-{one.key}", self.falling, (one.key,), values, zh, en))
        return found

    def _split(self, figures: Given, children: Sequence[Given]) -> list[Finding]:
        """Parent = Σ children, for each additive indicator."""
        found: list[Finding] = []
        for one in self.indicators:
            parts = [child.get(one.key) for child in children]
            whole = figures.get(one.key)
            if not one.additive or (not whole and _known_sum(parts) == 0):
                continue
            rule, severity = f"split-{one.key}", "error"
            values: tuple[Decimal | None, ...] = (whole, _known_sum(parts))
            if not children:
                zh = f"“{one.zh}”{whole}{one.unit_zh}，缺少下级分项数据"
                en = f"{one.en} is {whole}, without figures of the parts of the area."
                values = (whole, None)
            elif whole is None:
                severity = "warning"
                zh = f"“{one.zh}”未填，而下级合计已有 {_known_sum(parts)}{one.unit_zh}"
                en = f"{one.en} is not given, but the parts already report {_known_sum(parts)}."
            elif _sum_broken(whole, parts, exact=True):
                zh = f"“{one.zh}”{whole}{one.unit_zh}，与下级合计 {_known_sum(parts)} 不一致"
                en = f"{one.en} is {whole}; the parts of the area sum to {_known_sum(parts)}."
            else:
                continue
            found.append(Finding(rule, severity, (one.key,), values, zh, en))
        return found

    def _rosters(self, figures: Given, rosters: Mapping[str, int]) -> list[Finding]:
        found: list[Finding] = []
        for rule in self.rosters:
            rows, value = rosters.get(rule.roster), figures.get(rule.key)
            if rows is None or (value is None and rows == 0) or value == rows:
                continue
            one = self._named(rule.key)
            shown_zh, shown_en = ("未填", "not given") if value is None else (value, value)
            zh = f"“{one.zh}”{shown_zh}，而台账共 {rows} 条，两者应一致"
            en = f"{one.en} is {shown_en}, but its roster has {counted(rows, 'row|rows')}."
            values = (value, Decimal(rows))
            found.append(Finding(rule.id, rule.severity, (rule.key,), values, zh, en))
        return found

    def _unknown(self, figures: Given) -> list[Finding]:
        """Figures that a 核报 must know: null is not zero."""
        found: list[Finding] = []
        for key in self.known_when_verified:
            one = self.find(key)
            if one is not None and figures.get(key) is None:
                zh = f"核报必须填明“{one.zh}”，核实没有的填 0"
                en = f"A verified report tells {one.en}: write 0 where there is certainly none."
                found.append(Finding(f"known-{key}", "error", (key,), (None,), zh, en))
        return found

    def _named(self, key: str) -> Indicator:
        found = self.find(key)
        assert found is not None, key  # `problems` has checked every key of every rule
        return found

    def problems(self) -> list[Problem]:
        keys = tuple(one.key for one in self.indicators)
        found = repeated(keys, "indicators") + repeated(self._rule_ids(), "rules")
        uses = [(f"sums.{rule.id}", (rule.whole, *rule.parts)) for rule in self.sums]
        uses += [(f"at_most.{rule.id}", (rule.larger, *rule.smaller)) for rule in self.at_most]
        uses += [(f"rosters.{rule.id}", (rule.key,)) for rule in self.rosters]
        uses += [(f"jumps[{n}]", rule.keys) for n, rule in enumerate(self.jumps)]
        uses += [(f"indicators.{one.key}.pair", (one.pair,)) for one in self.indicators if one.pair]
        for where, used in uses:
            for key in used:
                if key not in keys:
                    zh, en = f"未定义的指标“{key}”", f"{key} is not an indicator of this file"
                    found.append(Problem(where, zh, en))
        for one in self.indicators:
            other = self.find(one.pair) if one.pair else None
            if (one.clock == "current") != (one.pair is not None) or (
                other is not None and other.clock != "cumulative"
            ):
                zh, en = "实时值须对应一个累计值", "a current figure names its cumulative pair"
                found.append(Problem(f"indicators.{one.key}.pair", zh, en))
        return found

    def _rule_ids(self) -> tuple[str, ...]:
        ids = [rule.id for rule in self.sums] + [rule.id for rule in self.at_most]
        return tuple(ids + [rule.id for rule in self.rosters])


def _known_sum(parts: Sequence[Decimal | None]) -> Decimal:
    return sum((part for part in parts if part is not None), Decimal(0))


def _sum_broken(whole: Decimal, parts: Sequence[Decimal | None], exact: bool) -> bool:
    """Unknown parts are at least zero, so a known excess is broken already."""
    known = _known_sum(parts)
    if known > whole:
        return True
    return exact and None not in parts and known != whole
