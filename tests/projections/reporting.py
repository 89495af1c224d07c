"""A flood as the reporting side lives it: filed, phoned in, returned, accepted, verified."""

from datetime import UTC, datetime
from typing import Any

from domain.commands.disasters import AttachReport, DeclareDisaster, StartResponse
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
from domain.commands.reviews import AcceptReport, AdjudicateReport, ReturnReport, StabilizeReport
from tests.domain.county import make_county
from tests.domain.scenario import Scenario

START = datetime(2018, 7, 4, 7, tzinfo=UTC)


def initial(county: Scenario, area: str, figures: RawFigures, **change: Any) -> FileInitialReport:
    values: dict[str, Any] = {
        "report": county.id(f"report/{area}"),
        "area": county.id(area),
        "occurred_at": START,
        "as_of": START,
        "hazard": "flood",
        "figures": figures,
    }
    return FileInitialReport(**(values | change))


def follow_up(
    county: Scenario, area: str, figures: RawFigures, kind: type[Any] = FileFollowUp, **change: Any
) -> Any:
    values: dict[str, Any] = {
        "report": county.id(f"report/{area}"),
        "as_of": county.now,
        "figures": figures,
    }
    return kind(**(values | change))


def accept(county: Scenario, area: str, version: int = 1) -> AcceptReport:
    return AcceptReport(report=county.id(f"report/{area}"), version=version)


def send_back(county: Scenario, area: str, version: int = 1) -> ReturnReport:
    return ReturnReport(report=county.id(f"report/{area}"), version=version, reason="数字不清")


def stabilize(county: Scenario, area: str) -> StabilizeReport:
    return StabilizeReport(report=county.id(f"report/{area}"), stable_at=county.now)


def adjudicate(county: Scenario, area: str, version: int, figures: RawFigures) -> AdjudicateReport:
    return AdjudicateReport(
        report=county.id(f"report/{area}"),
        version=version,
        figures=figures,
        document_no="潜减〔2018〕9号",
        reason="会商核定",
    )


def flood() -> Scenario:
    """Two villages of 源潭 and one of 水吼; the county has attached all and started a response."""
    county = make_county()
    county.given(
        DeclareDisaster(
            disaster=county.id("flood"),
            name="7·4暴雨洪涝",
            hazard="flood",
            occurred_at=START,
            area=county.id("county"),
        ),
        by="county",
    )
    county.given(initial(county, "yuantan_1", {"affected": 100, "injured": 2}), by="village")
    county.given(accept(county, "yuantan_1"), by="township")
    county.given(initial(county, "yuantan_2", {"affected": 50, "injured": None}), by="village2")
    call = initial(county, "shuihou_1", {"affected": 7})
    phoned = {
        name: getattr(call, name)
        for name in ("report", "area", "occurred_at", "as_of", "hazard", "figures")
    }
    county.given(PhoneInReport(**phoned, called_at=county.now), by="township2")
    for area in ("yuantan_1", "yuantan_2", "shuihou_1"):
        county.given(
            AttachReport(report=county.id(f"report/{area}"), disaster=county.id("flood")),
            by="county",
        )
    county.given(
        StartResponse(
            disaster=county.id("flood"),
            area=county.id("county"),
            level=3,
            document_no="潜减〔2018〕3号",
            forecast="预计还有强降雨",
        ),
        by="county",
    )
    return county


def whole_flood() -> Scenario:
    """The same flood to its end: returned, resubmitted, zero, made up, adjudicated, verified."""
    county = flood()
    county.given(send_back(county, "yuantan_2"), by="township")
    county.wait(minutes=30)
    county.given(
        follow_up(county, "yuantan_2", {"affected": 40, "injured": 1}, ResubmitReport),
        by="village2",
    )
    county.given(accept(county, "yuantan_2", 2), by="township")
    county.given(
        follow_up(county, "shuihou_1", {"affected": 8, "dead": 0}, MakeUpReport), by="village3"
    )
    county.wait(hours=15)
    county.given(
        FileZeroReport(report=county.id("report/yuantan_1"), as_of=county.now), by="village"
    )
    county.given(accept(county, "yuantan_1", 2), by="township")
    county.given(adjudicate(county, "yuantan_1", 2, {"affected": 98}), by="township_b")
    county.given(stabilize(county, "yuantan_1"), by="county")
    county.wait(hours=3)
    county.given(
        follow_up(county, "yuantan_1", {"affected": 98, "injured": 2}, FileVerifiedReport),
        by="village",
    )
    return county
