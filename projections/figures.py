"""Sums and differences of figures as views keep them. Null is not known yet, which is not zero."""

from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

Figures = dict[str, str | None]
"""Figures in a row: canonical decimal text, as in the log."""


@dataclass(frozen=True, slots=True)
class Held:
    """A report as the board counts it. ``group``: its disaster, or the hazard of a loose one."""

    report: str
    area: str
    group: str
    pending: bool
    late: bool
    reported: Figures
    accepted: Figures | None
    as_of: str


@dataclass(slots=True)
class Total:
    """``known`` sums; ``some_unknown`` are keys that a counted report could not tell."""

    known: dict[str, Decimal]
    some_unknown: set[str]
    reports: list[str]
    own: bool

    def add(self, other: "Total") -> None:
        """Take another total in. A key it never heard of is unknown there as well."""
        if self.reports and other.reports:
            mine = self.known.keys() | self.some_unknown
            theirs = other.known.keys() | other.some_unknown
            self.some_unknown |= mine ^ theirs
        for key, value in other.known.items():
            self.known[key] = self.known.get(key, Decimal(0)) + value
        self.some_unknown |= other.some_unknown
        self.reports += other.reports

    def shaped(self) -> dict[str, Any]:
        keys = sorted(self.known.keys() | self.some_unknown)
        return {
            "figures": {key: text(self.known.get(key)) for key in keys},
            "partial": [key for key in keys if key in self.known and key in self.some_unknown],
            "source": ("own" if self.own else "children") if self.reports else None,
            "reports": self.reports,
        }


def text(value: Decimal | None) -> str | None:
    """A figure as text, without exponent."""
    return None if value is None else format(value, "f")


def differences(before: Figures | None, now: Figures) -> dict[str, dict[str, str | None]]:
    """Which figures changed: ``before``, ``now`` and ``by`` (None where one is not known)."""
    if before is None:
        return {}
    changed = {}
    for key in sorted(before.keys() | now.keys()):
        old, new = before.get(key), now.get(key)
        if old != new:
            by = None if old is None or new is None else text(Decimal(new) - Decimal(old))
            changed[key] = {"before": old, "now": new, "by": by}
    return changed


def roll_up(held: list[Held], parents: dict[str, str | None]) -> dict[str, dict[str, Any]]:
    """For every area of the tree: official and reported totals, and how many reports wait."""
    children: dict[str, list[str]] = defaultdict(list)
    for area, parent in sorted(parents.items()):
        if parent is not None:
            children[parent].append(area)
    official = _by_area([(h, h.accepted) for h in held if h.accepted is not None], children)
    reported = _by_area([(h, h.reported) for h in held], children)
    rows: dict[str, dict[str, Any]] = {
        area: {
            "official": _all(official, area).shaped(),
            "reported": _all(reported, area).shaped(),
            "pending": 0,
            "late": 0,
            "as_of": None,
        }
        for area in parents
    }
    for one in held:
        at: str | None = one.area
        while at is not None and at in rows:
            row = rows[at]
            row["pending"] += one.pending
            row["late"] += one.late
            row["as_of"] = max(row["as_of"] or "", one.as_of)
            at = parents[at]
    return rows


def _all(groups: dict[str, dict[str, Total]], area: str) -> Total:
    """The totals of all groups: different disasters add up."""
    found = Total({}, set(), [], own=True)
    for group in sorted(groups):
        one = groups[group].get(area)
        if one is not None:
            found.add(one)
            found.own = found.own and one.own
    return found


def _by_area(
    counted: list[tuple[Held, Figures]], children: dict[str, list[str]]
) -> dict[str, dict[str, Total]]:
    """Group → area → its total: its own reports, else the sum of its children, never both."""
    own: dict[str, dict[str, Total]] = defaultdict(dict)
    for one, figures in counted:
        known = {key: Decimal(value) for key, value in figures.items() if value is not None}
        unknown = {key for key, value in figures.items() if value is None}
        total = own[one.group].setdefault(one.area, Total({}, set(), [], own=True))
        total.add(Total(known, unknown, [one.report], own=True))
    roots = children.keys() - {child for below in children.values() for child in below}
    alone = {area for areas in own.values() for area in areas} - roots
    found: dict[str, dict[str, Total]] = {}
    for group, areas in own.items():
        totals: dict[str, Total] = {}
        for root in sorted(roots | alone):
            _sum(root, areas, children, totals)
        found[group] = totals
    return found


def _sum(
    area: str, own: dict[str, Total], children: dict[str, list[str]], totals: dict[str, Total]
) -> Total:
    if area in totals:
        return totals[area]
    below = Total({}, set(), [], own=False)
    for child in children.get(area, ()):
        below.add(_sum(child, own, children, totals))
    found = own.get(area, below)
    if found.reports:
        totals[area] = found
    return found
