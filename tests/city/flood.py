"""The flood of the whole city: reports from every county, responses, disasters that were one."""

from datetime import datetime, timedelta

from demo.times import at
from domain.commands.disasters import (
    AttachReport,
    ChangeResponse,
    CloseDisaster,
    DeclareDisaster,
    DetachReport,
    EndResponse,
    MergeDisaster,
    SplitDisaster,
    StabilizeDisaster,
    StartResponse,
)
from domain.commands.filing import RawFigures
from domain.commands.reports import (
    FileFollowUp,
    FileInitialReport,
    FileVerifiedReport,
    FileZeroReport,
    MakeUpReport,
    PhoneInReport,
    ResubmitReport,
)
from domain.commands.reviews import (
    AcceptReport,
    AdjudicateReport,
    ReturnReport,
    StabilizeReport,
)
from domain.commands.rosters import ConfirmDeath, RecordCasualty, RecordHouseDamage
from domain.house_damage import Grade
from tests.city.base import Act, City, County, Village

FLOOD = "flood"
OCCURRED = at(2018, 7, 4, 5)
CITY_DOCUMENT = "演示宜减〔2018〕3号"


def figures(village: Village, day: int) -> dict[str, int]:
    """What a village knows on a day of the flood."""
    share = 1 + sum(map(ord, village.key)) % 7
    hit = village.key.endswith("-t0-v0")
    return {
        "affected": 100 * share + 20 * day,
        "dead": 1 if hit else 0,
        "missing": 0,
        "injured": 2,
        "severely_injured": 1,
        "collapsed_rooms": 3 if hit else 0,
        "collapsed_dwelling_rooms": 3 if hit else 0,
        "collapsed_households": 1 if hit else 0,
    }


def summed(parts: list[dict[str, int]]) -> dict[str, int]:
    return {key: sum(part[key] for part in parts) for key in parts[0]}


def raw(known: dict[str, int]) -> RawFigures:
    return dict(known)


class Reporting:
    """The reports of one disaster in one county, up to the city."""

    def __init__(
        self, city: City, county: County, disaster: str, villages: tuple[Village, ...]
    ) -> None:
        self.city, self.county, self.disaster, self.villages = city, county, disaster, villages
        self.versions: dict[str, int] = {}

    def report(self, area: str) -> str:
        return f"{self.disaster}/{area}"

    def _known(self, area: str, day: int) -> tuple[dict[str, int], dict[str, RawFigures]]:
        """Total of an area, and its split by the areas right below."""
        for village in self.villages:
            if village.key == area:
                return figures(village, day), {}
        if area == self.county.key:
            below = list(self.county.townships)
        else:
            below = [village.key for village in self.villages if village.township == area]
        parts = {key: self._known(key, day)[0] for key in below}
        split = {str(self.city.area(key)): raw(part) for key, part in parts.items()}
        return summed(list(parts.values())), split

    def first(self, area: str, by: str, *, exercise: bool = False) -> None:
        known, split = self._known(area, 0)
        self.city.do(
            FileInitialReport(
                report=self.city.id("report", self.report(area)),
                area=self.city.area(area),
                as_of=self.city.now,
                figures=raw(known),
                split=split,
                occurred_at=OCCURRED,
                hazard="flood",
                disaster=self.city.id("disaster", self.disaster),
                exercise=exercise,
            ),
            by,
        )
        self.versions[area] = 1

    def phoned(self, area: str, by: str) -> None:
        self.city.do(
            PhoneInReport(
                report=self.city.id("report", self.report(area)),
                area=self.city.area(area),
                as_of=self.city.now,
                figures={"affected": 50},
                occurred_at=OCCURRED,
                hazard="flood",
                called_at=self.city.now,
            ),
            by,
        )
        self.versions[area] = 1

    def again(self, kind: type, area: str, by: str, day: int) -> None:
        """A further version: 续报, 补报, a corrected one or 核报."""
        known, split = self._known(area, day)
        self.city.do(
            kind(
                report=self.city.id("report", self.report(area)),
                as_of=self.city.now,
                figures=raw(known),
                split=split,
                reason="逐组核查",
            ),
            by,
        )
        self.versions[area] += 1

    def zero(self, area: str, by: str) -> None:
        report = self.city.id("report", self.report(area))
        self.city.do(FileZeroReport(report=report, as_of=self.city.now), by)
        self.versions[area] += 1

    def accept(self, area: str, by: str) -> None:
        report = self.city.id("report", self.report(area))
        self.city.do(AcceptReport(report=report, version=self.versions[area]), by)

    def send_back(self, area: str, by: str) -> None:
        report = self.city.id("report", self.report(area))
        version = self.versions[area]
        self.city.do(ReturnReport(report=report, version=version, reason="数字不清"), by)

    def stable(self, area: str, stable_at: datetime) -> None:
        report = self.city.id("report", self.report(area))
        by = self.county.approver
        self.city.do(StabilizeReport(report=report, stable_at=stable_at), by)

    def upward(self, kind: type | None, day: int) -> Act:
        """Villages, townships, the county: each files, each is accepted by the level above."""
        steps = [(village.key, village.reporter, village.reviewer) for village in self.villages]
        for township in self.county.townships:
            steps.append((township, f"{township}-reviewer", self.county.approver))
        steps.append((self.county.key, self.county.approver, "city-reviewer"))
        for area, by, reviewer in steps:
            if kind is None:
                self.first(area, by)
            else:
                self.again(kind, area, by, day)
            yield
            self.accept(area, reviewer)
            yield


def declare(city: City, key: str, name: str, area: str, by: str, *, exercise: bool = False) -> None:
    city.do(
        DeclareDisaster(
            disaster=city.id("disaster", key),
            name=name,
            hazard="flood",
            occurred_at=OCCURRED,
            area=city.area(area),
            exercise=exercise,
        ),
        by,
    )


def reporting(city: City) -> dict[str, Reporting]:
    """One for each county; villages that report to a disaster of their own are left out."""
    return {
        county.key: Reporting(city, county, FLOOD, county.villages[:-1]) for county in city.counties
    }


def first_day(city: City, reports: Reporting) -> Act:
    """初报 from everywhere; the first village is returned and rings up, one answers corrected."""
    yield from reports.upward(None, 0)
    first = reports.villages[0]
    reports.again(FileFollowUp, first.key, first.reporter, 1)
    yield
    reports.send_back(first.key, first.reviewer)
    yield
    reports.again(ResubmitReport, first.key, first.reporter, 1)
    yield
    reports.accept(first.key, first.reviewer)
    yield
    yield from _rosters(city, reports)
    response = StartResponse(
        disaster=city.id("disaster", FLOOD),
        area=city.area(reports.county.key),
        level=4,
        document_no=f"演示减〔2018〕{reports.county.number}号",
        forecast="预报有大暴雨",
    )
    city.do(response, reports.county.approver)


def _rosters(city: City, reports: Reporting) -> Act:
    village = reports.villages[0]
    report = city.id("report", reports.report(village.key))
    record = city.id("record", f"dead/{village.key}")
    area = city.area(village.key)
    city.do(
        RecordCasualty(
            record=record, report=report, area=area, fate="missing", full_name="林小福", age=70
        ),
        village.reporter,
    )
    yield
    city.do(ConfirmDeath(record=record, died_at=city.now, cause="溺水"), village.reporter)
    yield
    house = RecordHouseDamage(
        record=city.id("record", f"house/{village.key}"),
        report=report,
        area=area,
        owner_name="林小福",
        grade=Grade.COLLAPSED,
        rooms=3,
    )
    city.do(house, village.reporter)
    yield


def second_day(city: City, reports: Reporting) -> Act:
    yield from reports.upward(FileFollowUp, 2)
    last = reports.villages[-1]
    reports.zero(last.key, last.reporter)
    yield
    reports.accept(last.key, last.reviewer)
    yield
    adjudicate = AdjudicateReport(
        report=city.id("report", reports.report(reports.county.key)),
        version=reports.versions[reports.county.key],
        figures={"injured": 2 * len(reports.villages) - 1},
        document_no=CITY_DOCUMENT,
        reason="会商核定",
    )
    city.do(adjudicate, "city-reviewer-b")


def verified(city: City, reports: Reporting) -> Act:
    """灾情稳定, and 核报 from below upward; every third county has not come so far."""
    county = reports.county
    stable_at = city.now - timedelta(hours=1)
    for area in [*(v.key for v in reports.villages), *county.townships, county.key]:
        reports.stable(area, stable_at)
        yield
    if county.number % 3 == 2:
        return
    yield from reports.upward(FileVerifiedReport, 3)
    end = EndResponse(
        disaster=city.id("disaster", FLOOD),
        area=city.area(county.key),
        document_no="演示减〔2018〕88号",
        reason="灾情稳定",
    )
    city.do(end, county.approver)


def brook(city: City, county: County) -> Act:
    """A county declares a flood of its own with a report by telephone; the city sees it is one.

    Every second such disaster is split off again, and its report let go.
    """
    village = county.villages[-1]
    key = f"brook-{county.key}"
    own = Reporting(city, county, key, (village,))
    declare(city, key, f"{county.name}山洪（演示）", county.key, county.dispatcher)
    yield
    own.phoned(village.key, village.reviewer)
    yield
    disaster, report = city.id("disaster", key), city.id("report", own.report(village.key))
    city.do(AttachReport(report=report, disaster=disaster), county.dispatcher)
    yield
    own.again(MakeUpReport, village.key, village.reporter, 1)
    yield
    merge = MergeDisaster(disaster=disaster, into=city.id("disaster", FLOOD), reason="系同一过程")
    city.do(merge, "city-reviewer")
    yield
    if county.number % 2:
        city.do(SplitDisaster(disaster=disaster, reason="核实为两次过程"), "city-reviewer")
        yield
        city.do(DetachReport(report=report, reason="误挂"), county.approver)
        yield
        stable = StabilizeDisaster(disaster=disaster, stable_at=city.now, reason="灾情稳定")
        city.do(stable, county.approver)
        yield
        city.do(CloseDisaster(disaster=disaster, reason="无在册报告"), county.approver)


def respond(city: City) -> None:
    flood, area = city.id("disaster", FLOOD), city.area("city")
    start = StartResponse(
        disaster=flood, area=area, level=4, document_no=CITY_DOCUMENT, forecast="预报有大暴雨"
    )
    city.do(start, "city-reviewer")
    change = ChangeResponse(
        disaster=flood, area=area, level=3, document_no=CITY_DOCUMENT, reason="预报升级"
    )
    city.do(change, "city-reviewer")


def stabilize(city: City) -> None:
    flood = city.id("disaster", FLOOD)
    stable = StabilizeDisaster(disaster=flood, stable_at=city.now, reason="灾情趋于稳定")
    city.do(stable, "city-reviewer")
    end = EndResponse(
        disaster=flood, area=city.area("city"), document_no=CITY_DOCUMENT, reason="灾情稳定"
    )
    city.do(end, "city-reviewer")
