"""Disaster 灾害过程: one process of harm, the reports under it, the responses to it.

A disaster holds at most one current report of each area, so that no figure is counted twice.
Sources: domain.md §1.3 (who stabilizes: 条例 art.17), §3.1 (levels are started, changed and
ended with a document; a condition counts when met "or forecast").
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

import msgspec
from eventsourcing.domain import event

from domain.base import Aggregate
from domain.exercise import ExerciseMixed, keep_apart
from domain.refusal import Malformed, Refusal
from domain.rules.thresholds import Reached
from domain.world import RuleRef


class DisasterStage(StrEnum):
    """Where a disaster stands in its life."""

    OPEN = "open"
    STABILIZED = "stabilized"  # 灾情稳定
    CLOSED = "closed"
    MERGED = "merged"


class Response(msgspec.Struct, frozen=True):
    """A response 救灾应急响应 that runs in one area: level 1 (highest) to 4, by its document."""

    level: int
    document_no: str


@dataclass(eq=False)
class SecondReportOfArea(Refusal):
    zh = "灾害过程 {disaster} 已有区划 {area} 的现行报告（{current}），不能再挂接另一份（{report}）"
    en = (
        "Disaster {disaster} has a report of area {area} already ({current}): "
        "no second one ({report}) can be attached."
    )
    disaster: UUID
    area: UUID
    current: UUID
    report: UUID


@dataclass(eq=False)
class OutsideDisaster(Refusal):
    zh = "区划 {area} 不在灾害过程 {disaster} 的范围内"
    en = "Area {area} is not within disaster {disaster}."
    disaster: UUID
    area: UUID


@dataclass(eq=False)
class DisasterNotOpen(Refusal):
    zh = "灾害过程 {disaster} 处于“{stage}”状态，不是此步骤所需的状态（{needed}）"
    en = "Disaster {disaster} is {stage}, which is not what this step takes ({needed})."
    disaster: UUID
    stage: str
    needed: str = ""


@dataclass(eq=False)
class NotAttachedHere(Refusal):
    zh = "报告（{report}）没有挂接在灾害过程 {disaster} 上"
    en = "Report ({report}) is not attached to disaster {disaster}."
    disaster: UUID
    report: UUID


@dataclass(eq=False)
class ResponseRuns(Refusal):
    zh = "区划 {area} 的{level}级响应（{document_no}）正在进行"
    en = "A level {level} response ({document_no}) runs in area {area}."
    disaster: UUID
    area: UUID
    level: int
    document_no: str


@dataclass(eq=False)
class NoResponseRuns(Refusal):
    zh = "区划 {area} 没有正在进行的应急响应"
    en = "No response runs in area {area}."
    disaster: UUID
    area: UUID


@dataclass(eq=False)
class SameLevel(Refusal):
    zh = "区划 {area} 的响应已经是{level}级"
    en = "The response in area {area} is at level {level} already."
    disaster: UUID
    area: UUID
    level: int


@dataclass(eq=False)
class NoGroundForResponse(Refusal):
    """Neither the accepted figures nor a written forecast 会商研判 reach the level."""

    zh = "已审定数据未达到{level}级响应的任何条件，也没有填写会商研判意见"
    en = "The accepted figures reach no condition of level {level}, and no forecast is written."
    disaster: UUID
    area: UUID
    level: int


@dataclass(eq=False)
class ReportsNotVerified(Refusal):
    """A disaster closes only on verified figures: these attached reports lack a 核报."""

    zh = "还有 {count} 份挂接的报告没有审定核报，不能结束：{reports}"
    en = "{count} attached reports have no accepted verified report yet: {reports}"
    disaster: UUID
    count: int
    reports: tuple[UUID, ...]
    unstable: int = 0
    """How many of them wait to be declared stable first: until then they take no 核报."""


@dataclass(eq=False)
class MergeDoublesAreas(Refusal):
    zh = "两个灾害过程都有以下区划的报告，请先解除其中一份：{areas}"
    en = "Both disasters hold a report of these areas; detach one of each first: {areas}"
    disaster: UUID
    into: UUID
    areas: tuple[UUID, ...]


@dataclass(eq=False)
class NotMergedInto(Refusal):
    zh = "灾害过程 {disaster} 没有合并进其他过程"
    en = "Disaster {disaster} has not been merged into another."
    disaster: UUID


class Merging(msgspec.Struct, frozen=True):
    """What a merger asks of a disaster. ``responses``: those that run, by area. ``reports``: the
    current one of each area, those of absorbed disasters included."""

    id: UUID
    stage: str
    exercise: bool
    responses: Mapping[UUID, Response]
    reports: Mapping[UUID, UUID]


GOES_ON = (DisasterStage.OPEN, DisasterStage.STABILIZED)
"""The stages in which disasters can be merged, and take reports."""
ENDED = (DisasterStage.STABILIZED, DisasterStage.CLOSED)
ON = " / ".join(GOES_ON)
"""As refusals name them."""


def against_leaving(one: Merging) -> Iterator[Refusal]:
    """What speaks against merging ``one`` into any other: `DisasterNotOpen`, `ResponseRuns`."""
    if one.stage not in GOES_ON:
        yield DisasterNotOpen(disaster=one.id, stage=one.stage, needed=ON)
    for area, running in one.responses.items():
        yield ResponseRuns(
            disaster=one.id, area=area, level=running.level, document_no=running.document_no
        )


def against_merger(one: Merging, other: Merging) -> Iterator[Refusal]:
    """All that speaks against merging ``one`` into ``other``, first what no choice of it mends."""
    if other.id == one.id:
        yield Malformed(
            field="into",
            value=str(other.id),
            rule_zh="不能并入自身",
            rule_en="a disaster cannot be merged into itself",
        )
        return
    yield from against_leaving(one)
    if other.stage not in GOES_ON:
        yield DisasterNotOpen(disaster=other.id, stage=other.stage, needed=ON)
    if other.exercise is not one.exercise:
        yield ExerciseMixed(kind="Disaster", id=other.id, exercise=other.exercise)
    both = tuple(sorted(one.reports.keys() & other.reports.keys()))
    if both:
        yield MergeDoublesAreas(disaster=one.id, into=other.id, areas=both)


class Disaster(Aggregate):
    """Declared → responses started, changed, ended → Stabilized → Closed; merged and split back."""

    @event("Declared")
    def __init__(
        self,
        id: UUID,
        name: str,
        hazard: str,
        sub_hazard: str,
        occurred_at: datetime,
        area: UUID,
        area_code: str,
        exercise: bool,
        rule: RuleRef,
    ) -> None:
        self.area = area
        self.hazard = hazard
        self.occurred_at = occurred_at
        self.exercise = exercise
        self.stage = DisasterStage.OPEN
        self.reports: dict[UUID, UUID] = {}
        self.responses: dict[UUID, Response] = {}
        self.absorbed: dict[UUID, dict[UUID, UUID]] = {}
        self.merged_into: UUID | None = None
        self.stage_before_merger = DisasterStage.OPEN

    @property
    def home(self) -> UUID:
        return self.area

    def all_reports(self) -> dict[UUID, UUID]:
        """The current report of each area, those of absorbed disasters included."""
        found = dict(self.reports)
        for theirs in self.absorbed.values():
            found.update(theirs)
        return found

    # reports

    def attach(self, report: UUID, area: UUID, lineage: Iterable[UUID], exercise: bool) -> None:
        """Take a report as the current one of its area. ``lineage`` is the report's area upward."""
        self.must_be(*GOES_ON)
        keep_apart("Disaster", self.id, exercise=self.exercise, wanted=exercise)
        if self.area not in tuple(lineage):
            raise OutsideDisaster(disaster=self.id, area=area)
        current = self.all_reports().get(area)
        if current is not None:
            raise SecondReportOfArea(disaster=self.id, area=area, current=current, report=report)
        self._report_attached(report=report, area=area)

    @event("ReportAttached")
    def _report_attached(self, report: UUID, area: UUID) -> None:
        self.reports[area] = report

    def detach(self, report: UUID, area: UUID, reason: str) -> None:
        if self.all_reports().get(area) != report:
            raise NotAttachedHere(disaster=self.id, report=report)
        self._report_detached(report=report, area=area, reason=reason)

    @event("ReportDetached")
    def _report_detached(self, report: UUID, area: UUID, reason: str) -> None:
        for held in (self.reports, *self.absorbed.values()):
            if held.get(area) == report:
                del held[area]

    # responses

    def start_response(
        self,
        area: UUID,
        level: int,
        document_no: str,
        grounds: tuple[Reached, ...],
        forecast: str,
        rule: RuleRef | None,
    ) -> None:
        """Begin a response. ``grounds`` are the conditions of this or a higher level reached."""
        self.must_be(DisasterStage.OPEN)
        self._must_not_run(area)
        self._needs_ground(area, level, grounds, forecast)
        self._response_started(
            area=area,
            level=level,
            document_no=document_no,
            grounds=grounds,
            forecast=forecast,
            rule=rule,
        )

    @event("ResponseStarted")
    def _response_started(
        self,
        area: UUID,
        level: int,
        document_no: str,
        grounds: tuple[Reached, ...],
        forecast: str,
        rule: RuleRef | None,
    ) -> None:
        self.responses[area] = Response(level, document_no)

    def change_response(
        self,
        area: UUID,
        level: int,
        document_no: str,
        grounds: tuple[Reached, ...],
        reason: str,
        rule: RuleRef | None,
    ) -> None:
        """Raise or lower the level. Raising needs a ground, or a forecast as its reason."""
        running = self._running(area)
        if running.level == level:
            raise SameLevel(disaster=self.id, area=area, level=level)
        if level < running.level:
            self._needs_ground(area, level, grounds, reason)
        self._response_changed(
            area=area,
            level_before=running.level,
            level=level,
            document_no=document_no,
            grounds=grounds,
            reason=reason,
            rule=rule,
        )

    @event("ResponseChanged")
    def _response_changed(
        self,
        area: UUID,
        level_before: int,
        level: int,
        document_no: str,
        grounds: tuple[Reached, ...],
        reason: str,
        rule: RuleRef | None,
    ) -> None:
        self.responses[area] = Response(level, document_no)

    def end_response(self, area: UUID, document_no: str, reason: str) -> None:
        running = self._running(area)
        self._response_ended(area=area, level=running.level, document_no=document_no, reason=reason)

    @event("ResponseEnded")
    def _response_ended(self, area: UUID, level: int, document_no: str, reason: str) -> None:
        del self.responses[area]

    # the end of it

    def stabilize(self, stable_at: datetime, reason: str) -> None:
        self.must_be(DisasterStage.OPEN)
        self._stabilized(stable_at=stable_at, reason=reason)

    @event("Stabilized")
    def _stabilized(self, stable_at: datetime, reason: str) -> None:
        self.stage = DisasterStage.STABILIZED

    def close(self, unverified: tuple[UUID, ...], unstable: int, reason: str) -> None:
        """Close on verified figures only, with no response running."""
        self.check_closable(unverified, unstable)
        self._closed(reason=reason)

    @event("Closed")
    def _closed(self, reason: str) -> None:
        self.stage = DisasterStage.CLOSED

    def check_closable(self, unverified: tuple[UUID, ...], unstable: int) -> None:
        """Refuses `DisasterNotOpen`, `ResponseRuns`, `ReportsNotVerified`."""
        self.must_be(DisasterStage.STABILIZED)
        self._check_no_response()
        if unverified:
            raise ReportsNotVerified(
                disaster=self.id, count=len(unverified), reports=unverified, unstable=unstable
            )

    def reopen(self, reason: str) -> None:
        """New harm after stabilization or closing: the same process goes on."""
        self.must_be(*ENDED)
        self._reopened(reason=reason)

    @event("Reopened")
    def _reopened(self, reason: str) -> None:
        self.stage = DisasterStage.OPEN

    # merging

    def merge_into(self, other: "Disaster", reason: str) -> None:
        """Go on as part of ``other``: a fact in each stream, in one commit."""
        for refusal in against_merger(self.merging(), other.merging()):
            raise refusal
        self._merged_into(into=other.id, reason=reason)
        other._absorbed(disaster=self.id, reports=self.all_reports(), reason=reason)

    def merging(self) -> Merging:
        """What a merger asks of it."""
        return Merging(self.id, self.stage, self.exercise, self.responses, self.all_reports())

    @event("MergedInto")
    def _merged_into(self, into: UUID, reason: str) -> None:
        self.stage_before_merger = self.stage
        self.stage = DisasterStage.MERGED
        self.merged_into = into

    @event("Absorbed")
    def _absorbed(self, disaster: UUID, reports: dict[UUID, UUID], reason: str) -> None:
        self.absorbed[disaster] = dict(reports)

    def host(self) -> UUID:
        """The disaster this one has been merged into."""
        if self.merged_into is None:
            raise NotMergedInto(disaster=self.id)
        return self.merged_into

    def split_back(self, host: "Disaster", reason: str) -> None:
        """Leave ``host`` again, with the reports that are still held for this disaster."""
        assert host.id == self.merged_into
        host.must_be(*GOES_ON)
        self._split_back(out_of=host.id, reason=reason)
        host._released(disaster=self.id, reason=reason)

    @event("SplitBack")
    def _split_back(self, out_of: UUID, reason: str) -> None:
        self.stage = self.stage_before_merger
        self.merged_into = None

    @event("Released")
    def _released(self, disaster: UUID, reason: str) -> None:
        del self.absorbed[disaster]

    # checks

    def _check_no_response(self) -> None:
        for area in self.responses:
            self._must_not_run(area)

    def must_be(self, *stages: DisasterStage) -> None:
        if self.stage not in stages:
            raise DisasterNotOpen(disaster=self.id, stage=self.stage, needed=" / ".join(stages))

    def _must_not_run(self, area: UUID) -> None:
        running = self.responses.get(area)
        if running is not None:
            raise ResponseRuns(
                disaster=self.id, area=area, level=running.level, document_no=running.document_no
            )

    def _running(self, area: UUID) -> Response:
        running = self.responses.get(area)
        if running is None:
            raise NoResponseRuns(disaster=self.id, area=area)
        return running

    def _needs_ground(
        self, area: UUID, level: int, grounds: tuple[Reached, ...], forecast: str
    ) -> None:
        if not any(ground.level <= level for ground in grounds) and not forecast.strip():
            raise NoGroundForResponse(disaster=self.id, area=area, level=level)
