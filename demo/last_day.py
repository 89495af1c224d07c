"""The demo's last afternoon: a gust with hail, in the middle of which the clock is handed over.

Somebody waits at each level: the township for a village, the county for the township, the city for
the county, the province for the city; a village has a version back to correct. A unit is on
its way to one incident, nobody has judged another, and a request for goods lies with the county.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from demo.disasters import Occurrence, report_key
from demo.divisions import CITY, COUNTY, SMALL_TOWNSHIP, SMALL_VILLAGES
from demo.figures import FIRST_DAY, HAIL, INITIAL, Figures, Stage, at_stage, final_harm, summed
from demo.people import PHONE_PREFIX
from demo.posts import CITY_REVIEWER, COUNTY_APPROVER, DISPATCHER, Posts
from demo.report_steps import (
    AcceptReport,
    Filed,
    FileReport,
    MoveUnit,
    OpenIncident,
    ReturnReport,
    TriageIncident,
    UnitMove,
)
from demo.steps import RequestGoods, Step
from demo.times import at

GUST = Occurrence("gust", "2018年8月30日局地风雹", "wind_hail", "hail", at(2018, 8, 30, 15, 20))
A, B, C = SMALL_VILLAGES
STORY = "短时大风并伴有小冰雹，部分在田作物倒伏、个别房屋瓦片掀落；正在核查。"
REASON = "又有村组报来损失"


def last_day(seed: int, posts: Posts) -> Iterator[Step]:
    """All that is still open when the demo's own time ends. Not in order of time."""
    yield from _Afternoon(seed, posts).reports()
    yield from _incidents(posts)
    yield RequestGoods(
        key="request/gust",
        at=at(2018, 8, 30, 16, 35),
        by=posts.storekeeper(SMALL_TOWNSHIP),
        consignment="gust",
        origin=COUNTY,
        target=SMALL_TOWNSHIP,
        item="quilt",
        quantity=6,
        reason="风雹受灾群众临时安置",
    )


@dataclass(slots=True)
class _Afternoon:
    seed: int
    posts: Posts
    versions: dict[str, int] = field(default_factory=dict)

    def reports(self) -> Iterator[Step]:
        first, second = self._known(C, INITIAL), self._known(A, INITIAL)
        yield self._file(C, 12, first)
        yield self._accept(C, 16)
        yield self._file(SMALL_TOWNSHIP, 22, first)
        yield self._accept(SMALL_TOWNSHIP, 28)
        yield self._file(COUNTY, 36, first, {SMALL_TOWNSHIP: first})
        yield self._accept(COUNTY, 46)
        yield self._file(CITY, 56, first, {COUNTY: first})  # waits for the province

        yield self._file(A, 48, second)
        yield self._accept(A, 52)
        both = summed((first, second))
        yield self._file(SMALL_TOWNSHIP, 60, both)
        yield self._accept(SMALL_TOWNSHIP, 66)
        yield self._file(COUNTY, 76, both, {SMALL_TOWNSHIP: both})  # waits for the city

        more = self._known(C, FIRST_DAY)
        yield self._file(C, 70, more)
        yield self._accept(C, 74)
        yield self._file(SMALL_TOWNSHIP, 86, summed((more, second)))  # waits for the county

        yield self._file(A, 84, self._known(A, FIRST_DAY))
        yield self._return(A, 92, "请说明新增农作物受灾面积在哪几个村民组")  # waits for the village
        yield self._file(B, 94, self._known(B, INITIAL))  # waits for the township

    def _known(self, village: str, stage: Stage) -> Figures:
        return at_stage(HAIL, village, final_harm(self.seed + 1, HAIL, village), stage)

    def _file(
        self, code: str, minutes: int, figures: Figures, split: Mapping[str, Figures] | None = None
    ) -> Step:
        report, when = report_key(GUST.key, code), _after(minutes)
        version = self.versions[report] = self.versions.get(report, 0) + 1
        return FileReport(
            key=f"file/{report}/{version}",
            at=when,
            by=self._filer(code, when),
            report=report,
            filed=Filed.INITIAL if version == 1 else Filed.FOLLOW_UP,
            disaster=GUST.key,
            division=code,
            as_of=when - timedelta(minutes=5),
            figures=figures,
            split=split or {},
            reason="" if version == 1 else REASON,
            narrative=STORY,
            attach=False,
        )

    def _filer(self, code: str, when: datetime) -> str:
        above = {CITY: CITY_REVIEWER, COUNTY: COUNTY_APPROVER}
        if code in above:
            return above[code]
        if code == SMALL_TOWNSHIP:
            return self.posts.reviewer(code, when.date())
        return self.posts.reporter(code, when.date())

    def _reviewer(self, code: str, when: datetime) -> str:
        above = {A: SMALL_TOWNSHIP, C: SMALL_TOWNSHIP, SMALL_TOWNSHIP: COUNTY, COUNTY: CITY}
        return self._filer(above[code], when)

    def _accept(self, code: str, minutes: int) -> Step:
        report, when = report_key(GUST.key, code), _after(minutes)
        version = self.versions[report]
        return AcceptReport(
            key=f"accept/{report}/{version}",
            at=when,
            by=self._reviewer(code, when),
            report=report,
            version=version,
        )

    def _return(self, code: str, minutes: int, reason: str) -> Step:
        report, when = report_key(GUST.key, code), _after(minutes)
        version = self.versions[report]
        return ReturnReport(
            key=f"return/{report}/{version}",
            at=when,
            by=self._reviewer(code, when),
            report=report,
            version=version,
            reason=reason,
        )


def _after(minutes: int) -> datetime:
    return GUST.occurred_at + timedelta(minutes=minutes)


def _incidents(posts: Posts) -> Iterator[Step]:
    """The road crew is on its way to a fallen tree; a second call has just come in."""
    yield _opened("11", 60, C, "村部至镇区公路", "road_cut", "moderate", posts)
    yield TriageIncident(
        key="triage/11", at=_after(64), by=DISPATCHER, incident="11", priority=2, note="树倒断路"
    )
    for move, minutes in (
        (UnitMove.ASSIGN, 66),
        (UnitMove.ACKNOWLEDGE, 68),
        (UnitMove.EN_ROUTE, 90),
    ):
        yield MoveUnit(
            key=f"{move}/11/road",
            at=_after(minutes),
            by=DISPATCHER,
            incident="11",
            unit="road",
            move=move,
            eta_minutes=35 if move is UnitMove.EN_ROUTE else None,
        )
    yield _opened("12", 96, B, "三组配电变压器", "power_cut", "minor", posts)


def _opened(
    incident: str, minutes: int, village: str, place: str, kind: str, severity: str, posts: Posts
) -> OpenIncident:
    when = _after(minutes)
    return OpenIncident(
        key=f"incident/{incident}",
        at=when,
        by=posts.reporter(village, when.date()),
        incident=incident,
        division=village,
        place=place,
        kind=kind,
        severity=severity,
        occurred_at=when - timedelta(minutes=5),
        details="演示数据",
        latitude=30.62,
        longitude=116.71 + int(incident) / 1_000,
        phone=f"{PHONE_PREFIX}{int(incident):04d}",
    )
