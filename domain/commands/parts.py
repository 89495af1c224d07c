"""What is told of an area beside what its parts have had accepted (domain.md §1.6, decision 0027).

The parts of an area are known through the disaster: its current reports at and below the area.
A report on no disaster has no known parts here; the boards compare those (decision 0040).
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from itertools import pairwise
from uuid import UUID

from domain.area import Area
from domain.casualties import CASUALTIES, raised
from domain.disaster import Disaster
from domain.report_filing import Filing, Kind
from domain.rules.base import CHINA
from domain.rules.indicators import Figures, Finding, Given, Indicator, Indicators
from domain.situation_report import SituationReport
from domain.world import World

NOTHING: Figures = {}


@dataclass(frozen=True, slots=True)
class Official:
    """The official figures of an area: ``own`` accepted ones, or None, and the sum of the parts'.

    ``figures`` count: the own ones with the casualties of the parts where those are more, else
    the sum of the parts. ``as_of`` is that of the own report.
    """

    own: Filing | None
    parts: Figures
    figures: Figures


@dataclass(slots=True)
class ReportTree:
    """The current reports of a disaster at and below one area."""

    world: World
    top: UUID
    reports: dict[UUID, UUID] = field(default_factory=dict)
    below: dict[UUID, set[UUID]] = field(default_factory=lambda: defaultdict(set))

    @classmethod
    def of(cls, world: World, disaster: UUID | None, top: UUID) -> "ReportTree":
        """An empty one without a disaster."""
        tree = cls(world, top)
        found = world.look(Disaster, disaster) if disaster is not None else None
        for area, report in (found.all_reports() if found is not None else {}).items():
            line = world.lineage(area)
            if top not in line:
                continue
            tree.reports[area] = report
            for child, parent in pairwise(line[: line.index(top) + 1]):
                tree.below[parent].add(child)
        return tree

    def report(self, area: UUID) -> SituationReport | None:
        id = self.reports.get(area)
        return None if id is None else self.world.look(SituationReport, id)

    def official(self, area: UUID, *, whole: bool) -> Official:
        """``whole``: down to the last village. Else no further than needed for the figures of the
        area's own people, which loads one report of each part."""
        report = self.report(area)
        own = report.official if report is not None else None
        if own is not None and not whole:
            return Official(own, NOTHING, own.figures)
        parts = _summed([self.official(part, whole=whole) for part in sorted(self.below[area])])
        if own is None or report is None:
            return Official(None, parts, parts)
        counts: Figures = {**own.figures, **raised(own.figures, parts, report.set_aside)}
        return Official(own, parts, counts)

    def parts(self) -> dict[UUID, Official]:
        """Each part of the top that has a report at or below it."""
        return {part: self.official(part, whole=False) for part in sorted(self.below[self.top])}


def _summed(all_parts: list[Official]) -> Figures:
    """Known figures added up; a figure that no part knows is missing."""
    total: Figures = {}
    for one in all_parts:
        for key, value in one.figures.items():
            if value is not None:
                total[key] = (total.get(key) or Decimal(0)) + value
    return total


def against_parts(
    world: World,
    disaster: UUID | None,
    area: Area,
    rules: Indicators,
    told: Filing,
    report: SituationReport | None = None,
) -> tuple[Finding, ...]:
    """Where a version tells less (or, of the same time, something else) than the parts did.

    A share is compared with what its part last had accepted, the total's dead and missing with
    the sum of the parts. Errors are what a 核报 cannot be accepted with: too few dead or missing,
    or another figure than the 核报 of the part. ``report``: what was set aside there is settled.
    """
    tree = ReportTree.of(world, disaster, area.id)
    if not tree.below[area.id]:
        return ()
    parts = tree.parts()
    settled = report.set_aside if report is not None else {}
    found = _below_the_sum(rules, told, _summed(list(parts.values())), settled)
    if told.split:
        for part, said in parts.items():
            share = told.split.get(part)
            if share is not None and said.own is not None:
                name = world.get(Area, part).name
                found += _share(rules, told, name, share, said.own, settled)
        found += _left_out(world, told, list(parts))
    return tuple(sorted(found, key=lambda one: one.severity))


def _below_the_sum(
    rules: Indicators, told: Filing, sums: Given, settled: Mapping[str, object]
) -> list[Finding]:
    found: list[Finding] = []
    for key in CASUALTIES:
        one, sum_of_parts = rules.find(key), sums.get(key)
        mine = told.figures.get(key)
        if one is None or not sum_of_parts or key in settled or (mine or 0) >= sum_of_parts:
            continue
        zh = (
            f"“{one.zh}”{_zh(mine, one)}，少于下级已审定的合计 {sum_of_parts}{one.unit_zh}："
            "请核对；确应以本级为准的，由上级书面认定"
        )
        en = (
            f"{one.en}: {_en(mine)}, fewer than the {sum_of_parts} that the parts have accepted;"
            " the level above may decide in writing that it is right."
        )
        values = (mine, sum_of_parts)
        found.append(Finding(f"below-parts-{key}", "error", (key,), values, zh, en))
    return found


def _share(
    rules: Indicators,
    told: Filing,
    name: str,
    share: Given,
    said: Filing,
    settled: Mapping[str, object],
) -> list[Finding]:
    """One share of a split beside the latest accepted version of that part's own report."""
    found: list[Finding] = []
    both_verified = told.kind is Kind.VERIFIED and said.kind is Kind.VERIFIED
    same_time = both_verified or told.as_of == said.as_of
    for one in rules.indicators:
        mine, theirs = share.get(one.key), said.figures.get(one.key)
        if theirs is None or not one.additive:
            continue
        hides = one.key in CASUALTIES and (mine or 0) < theirs
        less = mine is not None and (mine < theirs or (same_time and mine != theirs))
        if one.key in settled or not (hides or less):
            continue
        grave = hides or both_verified
        zh = (
            f"{name}“{one.zh}”分项{_zh(mine, one)}，其已审定数为 {theirs}{one.unit_zh}"
            f"（截至{_clock(said.as_of)}）"
        )
        en = (
            f"The share of {name} in {one.en} is {_en(mine)}; it has {theirs} accepted"
            f" (as of {_clock(said.as_of)})."
        )
        severity = "error" if grave else "warning"
        found.append(Finding(f"part-{one.key}", severity, (one.key,), (mine, theirs), zh, en))
    return found


def _left_out(world: World, told: Filing, reporting: list[UUID]) -> list[Finding]:
    names = [world.get(Area, part).name for part in reporting if part not in told.split]
    if not names:
        return []
    zh = f"分下级数字没有包括已报灾的{'、'.join(names)}"
    en = f"The split leaves out areas that have reported: {', '.join(names)}."
    return [Finding("parts-left-out", "warning", (), (), zh, en)]


def _zh(value: Decimal | None, one: Indicator) -> str:
    return "未填" if value is None else f" {value}{one.unit_zh}"


def _en(value: Decimal | None) -> str:
    return "not given" if value is None else str(value)


def _clock(moment: datetime) -> str:
    """A moment as people in China say it."""
    return f"{moment.astimezone(CHINA):%m-%d %H:%M}"
