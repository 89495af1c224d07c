"""Commands on one situation report, with sensible values, for the tests of reports."""

from datetime import UTC, datetime, timedelta
from typing import Any

from domain.commands.filing import RawFigures
from domain.commands.reports import (
    FileFollowUp,
    FileInitialReport,
    FileVerifiedReport,
    FileZeroReport,
    PhoneInReport,
)
from domain.commands.reviews import (
    AcceptReport,
    ReturnReport,
    StabilizeReport,
)
from domain.situation_report import SituationReport
from tests.domain.scenario import Scenario

BEGUN = ("SituationReport.InitialReported", "SituationReport.FollowUpDutyStarted")
START = datetime(2018, 7, 4, 7, tzinfo=UTC)
BROKEN: RawFigures = {"affected": 10, "dead": 0, "missing": 0, "injured": 2, "severely_injured": 5}
RIGHT: RawFigures = {"affected": 10, "dead": 0, "missing": 0, "injured": 2, "severely_injured": 1}


def initial(county: Scenario, area: str = "yuantan_1", **change: Any) -> FileInitialReport:
    values: dict[str, Any] = {
        "report": county.id(f"report/{area}"),
        "area": county.id(area),
        "occurred_at": START,
        "as_of": START,
        "hazard": "flood",
        "figures": RIGHT,
    }
    return FileInitialReport(**(values | change))


def follow_up(
    county: Scenario, kind: type[Any] = FileFollowUp, area: str = "yuantan_1", **change: Any
) -> Any:
    values: dict[str, Any] = {
        "report": county.id(f"report/{area}"),
        "as_of": county.now,
        "figures": RIGHT,
    }
    return kind(**(values | change))


def zero(county: Scenario, **change: Any) -> FileZeroReport:
    values: dict[str, Any] = {"report": county.id("report/yuantan_1"), "as_of": county.now}
    return FileZeroReport(**(values | change))


def accept(county: Scenario, version: int = 1, area: str = "yuantan_1") -> AcceptReport:
    return AcceptReport(report=county.id(f"report/{area}"), version=version)


def send_back(county: Scenario, version: int = 1, area: str = "yuantan_1") -> ReturnReport:
    return ReturnReport(report=county.id(f"report/{area}"), version=version, reason="数字不清")


def stabilize(county: Scenario, area: str = "yuantan_1") -> StabilizeReport:
    return StabilizeReport(report=county.id(f"report/{area}"), stable_at=county.now)


def loaded(county: Scenario, area: str = "yuantan_1") -> SituationReport:
    found = county.load(SituationReport, county.id(f"report/{area}"))
    assert isinstance(found, SituationReport)
    return found


def verified(county: Scenario, **change: Any) -> Scenario:
    """A village report at its 核报, not reviewed yet."""
    county.given(initial(county), by="village")
    county.given(stabilize(county), by="county")
    return county.given(follow_up(county, FileVerifiedReport, **change), by="village")


def phoned(county: Scenario, **change: Any) -> PhoneInReport:
    values: dict[str, Any] = {
        "report": county.id("report/yuantan_1"),
        "area": county.id("yuantan_1"),
        "occurred_at": START,
        "as_of": START,
        "hazard": "flood",
        "figures": {"dead": 1},
        "called_at": START + timedelta(minutes=20),
        "caller": county.officers["village"],
    }
    return PhoneInReport(**(values | change))
