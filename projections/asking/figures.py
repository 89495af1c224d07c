"""Sums and differences of figures as views keep them. Null is not known yet, which is not zero."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Self

from domain.casualties import CASUALTIES, SetAside, raised

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
    """A report as the board counts it. ``group``: with what, see `situation.counted_with`."""

    report: str
    area: str
    group: str
    pending: bool
    late: bool
    reported: Counted
    accepted: Counted | None
    as_of: str
    accepted_as_of: str | None = None
    occurred_at: str = ""
    returned: bool = False
    set_aside: dict[str, SetAside] = field(default_factory=dict)
    questions: int = 0

    @property
    def standing(self) -> Counted | None:
        """The figures that nobody has sent back: what parts are counted with."""
        return self.accepted if self.returned else self.reported


@dataclass(slots=True)
class Total:
    """``known`` sums; ``some_unknown`` are keys that a counted report could not tell.

    ``gave``: how many reports a known figure is from, ``asked``: of how many, where those are not
    all of ``reports``.
    ``casualties``: dead and missing that stand (`Held.standing`). Of an own report beside its
    parts: ``larger`` says by how much they are more, ``newer`` as of when if that is later,
    ``raised`` which casualties are theirs, ``decided`` which own ones a named person let stand.
    """

    known: dict[str, Decimal]
    some_unknown: set[str]
    reports: list[str]
    own: bool
    as_of: str = ""
    casualties: dict[str, Decimal] = field(default_factory=dict)
    set_aside: dict[str, SetAside] = field(default_factory=dict)
    larger: dict[str, Decimal] = field(default_factory=dict)
    newer: str | None = None
    raised: set[str] = field(default_factory=set)
    decided: set[str] = field(default_factory=set)
    gave: dict[str, int] = field(default_factory=dict)
    asked: dict[str, int] = field(default_factory=dict)

    def beside(self, parts: "Total") -> "Total":
        """The own report next to its parts: theirs are never hidden by it (decision 0027)."""
        if not parts.reports:
            return self
        counts = raised(self.known, parts.casualties, self.set_aside)
        for key, theirs in {**parts.known, **parts.casualties}.items():
            if theirs > self.known.get(key, 0):
                self.larger[key] = theirs - self.known.get(key, Decimal(0))
                if key in self.set_aside and key not in counts:
                    self.decided.add(key)
        self.newer = parts.as_of if parts.as_of > self.as_of else None
        self.raised = set(counts)
        self.known |= counts
        for key, theirs in counts.items():
            self.gave[key], self.asked[key] = parts.gave.get(key, 0), parts.asked_for(key)
            self.some_unknown.discard(key)
            self.some_unknown |= parts.some_unknown & {key}
            self.casualties[key] = max(theirs, self.casualties.get(key, theirs))
        return self

    def add(self, other: "Total") -> None:
        """Add another total. A figure that only one of the two has is unknown in part."""
        if self.reports and other.reports:
            mine = self.known.keys() | self.some_unknown
            theirs = other.known.keys() | other.some_unknown
            self.some_unknown |= mine ^ theirs
        self.asked = {
            key: self.asked_for(key) + other.asked_for(key)
            for key in self.asked.keys() | other.asked.keys()
        }
        for key, value in other.known.items():
            self.known[key] = self.known.get(key, Decimal(0)) + value
            self.gave[key] = self.gave.get(key, 0) + other.gave.get(key, 0)
        for key, value in other.casualties.items():
            self.casualties[key] = self.casualties.get(key, Decimal(0)) + value
        self.some_unknown |= other.some_unknown
        self.reports += other.reports
        self.as_of = max(self.as_of, other.as_of)

    def asked_for(self, key: str) -> int:
        return self.asked.get(key, len(self.reports))

    @property
    def in_part(self) -> dict[str, dict[str, int]]:
        """Known figures that not all reports behind them gave: how many did, ``of`` how many."""
        return {
            key: {"gave": self.gave.get(key, 0), "of": self.asked_for(key)}
            for key in sorted(self.known.keys() & self.some_unknown)
        }

    def shaped(self) -> dict[str, Any]:
        keys = sorted(self.known.keys() | self.some_unknown)
        return {
            "figures": {key: text(self.known.get(key)) for key in keys},
            "partial": list(self.in_part),
            "in_part": self.in_part,
            "source": ("own" if self.own else "children") if self.reports else None,
            "reports": self.reports,
            "larger": {key: text(more) for key, more in sorted(self.larger.items())},
            "newer": self.newer,
            "raised": sorted(self.raised),
            "decided": sorted(self.decided),
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
    """For each of these areas: official and reported totals, of how many separate ``disasters``
    they are, and how many reports wait.

    ``parents``: of the areas of the reports, and of all above them.
    """
    official = official_by_area(held, parents)
    reported = _by_area([_told(h, h.reported, h.standing, h.as_of) for h in held], parents)
    rows: dict[str, dict[str, Any]] = {
        area: {
            "official": _told_of(official.get(area, []), apart=len(reported.get(area, [])) > 1),
            "reported": _told_of(reported.get(area, []), apart=len(reported.get(area, [])) > 1),
            "pending": 0,
            "late": 0,
            "questions": 0,
            "as_of": None,
            "disasters": len(reported.get(area, [])),
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
                row["questions"] += one.questions
                row["as_of"] = max(row["as_of"] or "", one.as_of)
            at = parents.get(at)
    return rows


def _told_of(totals: list[Total], *, apart: bool) -> dict[str, Any]:
    """An area's total. Of separate disasters (``apart``) there is none: who was hit by two of them
    would be two persons, and one sum would hide which of them is going on. What is told of them is
    by which reports."""
    if totals and not apart:
        return totals[0].shaped()
    reports = [report for one in totals for report in one.reports]
    return Total({}, set(), reports, own=all(one.own for one in totals)).shaped()


def official_by_area(held: list[Held], parents: dict[str, str | None]) -> dict[str, list[Total]]:
    """Area → the total of accepted figures of each group that it has a part in."""
    accepted = [(h, h.accepted) for h in held if h.accepted is not None]
    return _by_area([_told(h, f, f, h.accepted_as_of or h.as_of) for h, f in accepted], parents)


def _told(one: Held, figures: Counted, standing: Counted | None, as_of: str) -> tuple[Held, Total]:
    """A report and the total it is by itself."""
    known = standing.known if standing is not None else {}
    casualties = {str(key): known[key] for key in CASUALTIES if key in known}
    return one, Total(
        dict(figures.known),
        set(figures.unknown),
        [one.report],
        own=True,
        as_of=as_of,
        casualties=casualties,
        set_aside=dict(one.set_aside),
        gave=dict.fromkeys(figures.known, 1),
    )


def _by_area(
    told: list[tuple[Held, Total]], parents: dict[str, str | None]
) -> dict[str, list[Total]]:
    """Area → its total of each group that it has a part in: its own reports, else the sum of its
    children, never both; but its dead and missing are never fewer than theirs."""
    own: dict[str, dict[str, Total]] = defaultdict(dict)
    for one, mine in told:
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
    mine = own.get(area)
    found = below if mine is None else mine.beside(below)
    totals[area] = found
    return found
