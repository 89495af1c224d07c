"""Sums and differences of figures as views keep them. Null is not known yet, which is not zero."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Self

Figures = dict[str, str | None]
"""Figures in a row: canonical decimal text, as in the log."""


@dataclass(frozen=True, slots=True)
class Counted:
    """Figures to be summed: those that are known, and the keys of those that are not."""

    known: dict[str, Decimal]
    unknown: frozenset[str]

    @classmethod
    def of(cls, figures: Figures) -> Self:
        known = {key: Decimal(value) for key, value in figures.items() if value is not None}
        return cls(known, frozenset(figures.keys() - known.keys()))


@dataclass(frozen=True, slots=True)
class Held:
    """A report as the board counts it. ``group``: its disaster, or the hazard of a loose one."""

    report: str
    area: str
    group: str
    pending: bool
    late: bool
    reported: Counted
    accepted: Counted | None
    as_of: str


@dataclass(slots=True)
class Total:
    """``known`` sums; ``some_unknown`` are keys that a counted report could not tell."""

    known: dict[str, Decimal]
    some_unknown: set[str]
    reports: list[str]
    own: bool

    def add(self, other: "Total") -> None:
        """Add another total. A figure that only one of the two has is unknown in part."""
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


def roll_up(
    held: list[Held], parents: dict[str, str | None], wanted: Iterable[str]
) -> dict[str, dict[str, Any]]:
    """For each of these areas: official and reported totals, and how many reports wait.

    ``parents``: of the areas of the reports, and of all above them.
    """
    official = _by_area([(h, h.accepted) for h in held if h.accepted is not None], parents)
    reported = _by_area([(h, h.reported) for h in held], parents)
    rows: dict[str, dict[str, Any]] = {
        area: {
            "official": _all(official.get(area, [])).shaped(),
            "reported": _all(reported.get(area, [])).shaped(),
            "pending": 0,
            "late": 0,
            "as_of": None,
        }
        for area in wanted
    }
    for one in held:
        at: str | None = one.area
        while at is not None:
            row = rows.get(at)
            if row is not None:
                row["pending"] += one.pending
                row["late"] += one.late
                row["as_of"] = max(row["as_of"] or "", one.as_of)
            at = parents.get(at)
    return rows


def _all(totals: list[Total]) -> Total:
    """The totals of all groups: different disasters add up."""
    found = Total({}, set(), [], own=True)
    for one in totals:
        found.add(one)
        found.own = found.own and one.own
    return found


def _by_area(
    counted: list[tuple[Held, Counted]], parents: dict[str, str | None]
) -> dict[str, list[Total]]:
    """Area → its total of each group that it has a part in: its own reports, else the sum of its
    children, never both."""
    own: dict[str, dict[str, Total]] = defaultdict(dict)
    for one, figures in counted:
        mine = Total(dict(figures.known), set(figures.unknown), [one.report], own=True)
        known = own[one.group].setdefault(one.area, mine)
        if known is not mine:
            known.add(mine)
    found: dict[str, list[Total]] = defaultdict(list)
    for group in sorted(own):
        areas = own[group]
        children, tops = _above(areas, parents)
        totals: dict[str, Total] = {}
        for top in tops:
            _sum(top, areas, children, totals)
        for area, total in totals.items():
            found[area].append(total)
    return found


def _above(
    areas: Iterable[str], parents: dict[str, str | None]
) -> tuple[dict[str, set[str]], set[str]]:
    """These areas and those above them as a tree: the children of each, and who is at the top."""
    children: dict[str, set[str]] = {}
    tops: set[str] = set()
    for area in areas:
        at = area
        while (parent := parents.get(at)) is not None:
            known = children.setdefault(parent, set())
            if at in known:
                break
            known.add(at)
            at = parent
        else:
            tops.add(at)
    return children, tops


def _sum(
    area: str, own: dict[str, Total], children: dict[str, set[str]], totals: dict[str, Total]
) -> Total:
    below = Total({}, set(), [], own=False)
    for child in sorted(children.get(area, ())):
        below.add(_sum(child, own, children, totals))
    found = own.get(area, below)
    totals[area] = found
    return found
