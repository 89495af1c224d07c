"""Indicators on pages: their names and groups, the sheet of a form, the arithmetic as data.

The rulebook in force decides which figures there are; what is common among them, and so stands
open on a small screen, is a matter of this page alone.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from api.auth import Caller
from api.words import Below, Nearest, below_of, none_below, rule_for
from domain.plurals import unit_of
from domain.rules.hazards import Hazards
from domain.rules.indicators import Indicator, Indicators
from web.formats import UNKNOWN

Known = dict[str, str | None]
"""Figures as views answer them: canonical decimal text, None is not known yet."""

COMMON: Final = (
    "affected",
    "dead",
    "missing",
    "injured",
    "evacuated",
    "relocated_cumulative",
    "relocated_current",
    "emergency_relief_needed_cumulative",
    "collapsed_rooms",
    "collapsed_households",
    "severely_damaged_rooms",
    "slightly_damaged_rooms",
    "crops_affected",
    "crops_lost",
    "loss_total",
)
MAIN: Final = (
    "affected",
    "dead",
    "missing",
    "relocated_cumulative",
    "collapsed_rooms",
    "crops_affected",
    "loss_total",
)
"""What a board and a queue show of a report."""

SHORT: Final = {
    "affected": ("受灾", "affected"),
    "dead": ("死亡", "dead"),
    "missing": ("失踪", "missing"),
    "relocated_cumulative": ("转移安置", "relocated"),
    "collapsed_rooms": ("倒房", "collapsed"),
    "crops_affected": ("农作物受灾", "crops"),
    "loss_total": ("直接损失", "loss"),
}
"""Column heads, where the full name does not fit."""


class Names:
    """Names of figures and hazards in one language; the key itself where no rulebook names it.

    ``below`` tells the rules that areas below have for themselves: a city reads of the county's
    hail, which its own rules do not know. It is asked for what is not found otherwise.
    """

    def __init__(
        self,
        figures: Indicators | None,
        hazards: Hazards | None,
        language: str,
        below: Below = none_below,
    ) -> None:
        self._figures = figures
        self._hazards = hazards
        self._rules = Nearest(below).rules
        self._zh = language == "zh"
        self._language = language

    def figure(self, key: str) -> str:
        one = self._indicator(key)
        return key if one is None else (one.zh if self._zh else one.en)

    def _indicator(self, key: str) -> Indicator | None:
        found = (rules.find(key) for rules in self._rules(Indicators, self._figures))
        return next((one for one in found if one is not None), None)

    def short(self, key: str) -> str:
        return SHORT[key][0 if self._zh else 1] if key in SHORT else self.figure(key)

    def unknown(self, figures: Known) -> list[str]:
        """Keys that nobody knows yet: those said to be unknown, and the common ones left out."""
        said = {key for key, value in figures.items() if value is None}
        left_out = {key for key in COMMON if key not in figures and self._has(key)}
        return self.order(said | left_out)

    def _has(self, key: str) -> bool:
        return self._figures is not None and self._figures.find(key) is not None

    def unit(self, key: str, number: object = "") -> str:
        """What stands behind a figure: 万元; "× 10,000 yuan", since "8.85 10,000 yuan" misleads.

        Behind a ``number`` in the form that number takes: 1 person.
        """
        one = self._indicator(key)
        said = "" if one is None else (one.unit_zh if self._zh else unit_of(number, one.unit_en))
        return f"× {said}" if said[:1].isdigit() else said

    def hazard(self, key: str, sub: str = "") -> str:
        """As officials write it: 洪涝灾害-山洪; the kind alone without a sub-kind, or where nobody
        names it: it is not 其他 for that."""
        if sub:
            for rules in self._rules(Hazards, self._hazards):
                if rules.knows(key, sub):
                    return rules.label(key, sub, self._language)
        named = (rules.find(key) for rules in self._rules(Hazards, self._hazards))
        found = next((one for one in named if one is not None), None)
        if found is None:
            return key
        return found.zh if self._zh else found.en

    def order(self, keys: Any) -> list[str]:
        """Keys in the order of the form."""
        known = [one.key for one in self._figures.indicators] if self._figures else []
        return sorted(keys, key=lambda k: (known.index(k) if k in known else len(known), k))


def names_for(caller: Caller, area: UUID | None, at: datetime, language: str) -> Names:
    """The names in force in that area (else in the caller's first one) at that time."""
    areas = caller.areas()
    place = area or (areas[0] if areas else None)
    if place is None:
        return Names(None, None, language)
    figures = rule_for(caller, Indicators, place, at)
    hazards = rule_for(caller, Hazards, place, at)
    return Names(figures, hazards, language, below_of(caller, place, at))


@dataclass(frozen=True, slots=True)
class Line:
    """One figure of the form. ``last`` is what was said before, as text."""

    key: str
    zh: str
    en: str
    unit_zh: str
    unit_en: str
    type: str
    last: str | None

    @property
    def common(self) -> bool:
        """Sent even when it is empty: then it is said to be not known yet."""
        return self.key in COMMON


@dataclass(frozen=True, slots=True)
class Group:
    """A heading of the form 应急统表 with its figures: the common ones first, then the rest."""

    key: str
    common: list[Line]
    rest: list[Line]

    @property
    def rest_given(self) -> int:
        """How many of the rest were said before: they must not stay hidden."""
        return sum(1 for line in self.rest if line.last is not None)


def sheet(rules: Indicators, last: Known) -> list[Group]:
    """The form's groups in the order of the rulebook."""
    groups: dict[str, Group] = {}
    for one in rules.indicators:
        group = groups.setdefault(one.group, Group(one.group, [], []))
        line = _line(one, last.get(one.key))
        (group.common if one.key in COMMON else group.rest).append(line)
    return list(groups.values())


def _line(one: Indicator, last: str | None) -> Line:
    kind = "int" if one.number == "integer" else "decimal"
    return Line(one.key, one.zh, one.en, one.unit_zh, one.unit_en, kind, last)


def arithmetic(rules: Indicators, before: Known, *, verifying: bool) -> list[dict[str, Any]]:
    """The rulebook's checks for the browser (report-form.js), the same as the server's.

    ``before``: the figures a new version is compared with; a 核报 may fall below them.
    """
    found = [*_sums(rules), *_at_most(rules)]
    for one in rules.indicators:
        last = before.get(one.key)
        if one.clock == "cumulative" and last is not None and not verifying:
            found.append(_falls(rules, one, last))
    for jump in rules.jumps:
        for key in jump.keys:
            last, named = before.get(key), rules.find(key)
            if last is not None and named is not None:
                found.append(
                    _rule(
                        f"jump-{key}",
                        "jump",
                        "jump",
                        [key],
                        [],
                        f"“{named.zh}”上次 {last}，变化较大，请在下面写明原因",
                        f"{named.en} was {last}: a big change, give its reason below",
                    )
                    | {"before": last, "factor": jump.factor, "absolute": jump.absolute}
                )
    return found


def _rule(
    id: str, level: str, kind: str, left: list[str], right: list[str], zh: str, en: str
) -> dict[str, Any]:
    return {
        "id": id,
        "level": level,
        "kind": kind,
        "left": left,
        "right": right,
        "zh": zh,
        "en": en,
    }


def _named(rules: Indicators, key: str) -> Indicator:
    found = rules.find(key)
    assert found is not None, key  # the rulebook was checked when it was adopted
    return found


def _sums(rules: Indicators) -> list[dict[str, Any]]:
    found = []
    for rule in rules.sums:
        whole, parts = _named(rules, rule.whole), [_named(rules, key) for key in rule.parts]
        zh, en = "＋".join(p.zh for p in parts), ", ".join(p.en for p in parts)
        keys = list(rule.parts)
        if rule.other_parts:
            zh, en = f"“{zh}”之和不应大于“{whole.zh}”", f"{en} together are at most {whole.en}"
            found.append(_rule(rule.id, rule.severity, "le", keys, [rule.whole], zh, en))
        else:
            zh, en = f"“{whole.zh}”应等于“{zh}”之和", f"{whole.en} is the sum of {en}"
            found.append(_rule(rule.id, rule.severity, "sum", [rule.whole], keys, zh, en))
    return found


def _at_most(rules: Indicators) -> list[dict[str, Any]]:
    found = []
    limits = [(r.id, r.severity, small, r.larger) for r in rules.at_most for small in r.smaller]
    pairs = [(f"pair-{i.key}", "error", i.key, i.pair) for i in rules.indicators if i.pair]
    for id, severity, smaller, larger in [*limits, *pairs]:
        small, large = _named(rules, smaller), _named(rules, larger)
        zh, en = f"“{small.zh}”不应大于“{large.zh}”", f"{small.en} is at most {large.en}"
        found.append(_rule(f"{id}-{smaller}", severity, "le", [smaller], [larger], zh, en))
    return found


def _falls(rules: Indicators, one: Indicator, last: str) -> dict[str, Any]:
    zh = f"“{one.zh}”上次为 {last}，累计值不应减少"
    en = f"{one.en} was {last}: a cumulative figure does not fall"
    rule = _rule(f"falling-{one.key}", rules.falling, "falls", [one.key], [], zh, en)
    return rule | {"before": last}


def grouped(value: str | int | None) -> str:
    """12345.50 → 12,345.50; None is not known yet."""
    if value is None:
        return UNKNOWN
    return f"{Decimal(value):,f}"
