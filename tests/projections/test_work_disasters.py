"""What waits on disasters: responses to end, reports to declare stable, 核报 that nobody filed."""

from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from domain.commands.disasters import StartResponse
from domain.commands.filing import RawFigures
from domain.commands.officers import SuspendOfficer
from domain.commands.parts import ReportTree
from domain.commands.reports import (
    FileFollowUp,
    FileInitialReport,
    FileVerifiedOnBehalf,
    FileVerifiedReport,
)
from domain.commands.reviews import AcceptReport, ReturnReport, StabilizeReport
from domain.world import World
from projections.asking.scope import Scope
from projections.asking.work_disasters import NO_LEVEL, Responding, response_figures
from projections.folding.base import when
from tests.domain.county import make_county
from tests.domain.scenario import Scenario
from tests.domain.test_disasters import (
    close,
    declare,
    end,
    merge,
    report,
    split,
    stabilize,
    start,
)
from tests.projections.desks import Desks

FIGURES: RawFigures = {"affected": 5, "dead": 0, "missing": 0}


def flooded(folder: Path, *villages: str) -> Desks:
    """A declared flood with accepted reports of these villages."""
    county = make_county()
    county.given(declare(county), by="county")
    for n, village in enumerate(villages or ("yuantan_1",)):
        told = report(county, village, disaster=county.id("flood"), figures=FIGURES)
        county.given(told, by="village" if n == 0 else "village2")
        county.given(AcceptReport(report=told.report, version=1), by="township")
    return Desks(folder, county)


def told_by(desks: Desks, *names: str) -> dict[str, set[str]]:
    """Who has which work, of those who have any."""
    desks.catch_up()
    found = {name: set(desks.work(name)) for name in names}
    return {name: matters for name, matters in found.items() if matters}


EVERYBODY = ("village", "village2", "township", "county", "payer", "city")


def test_a_stable_disaster_waits_step_by_step_for_those_whose_step_it_is(tmp_path: Path) -> None:
    desks = flooded(tmp_path)
    county, one = desks.scenario, desks.scenario.id("report/yuantan_1")
    county.given(start(county, forecast="研判"), by="county")
    assert told_by(desks, *EVERYBODY) == {}, "nothing is done about a response that goes on"
    county.given(stabilize(county), by="county")
    assert told_by(desks, *EVERYBODY) == {"county": {"response_end", "report_stabilize"}}
    (waits,) = desks.items("county", "response_end")
    assert waits["subject"] == str(county.id("flood")) and waits["label"] == "7·4暴雨洪涝"
    assert waits["area_name"] == "潜山市" and waits["since"] == when(county.now)
    assert set(desks.work("city", whole=True)) == {"response_end", "report_stabilize"}

    county.given(StabilizeReport(report=one, stable_at=county.now), by="county")
    assert told_by(desks, *EVERYBODY) == {"county": {"response_end"}, "village": {"report_verify"}}
    (waits,) = desks.items("village", "report_verify")
    assert waits["subject"] == str(one) and waits["since"] == when(county.now)
    (told,) = [row for row in desks.awaited("county") if row["matter"] == "report_verify"]
    assert (told["who_role"], told["who_area"]) == ("village_reporter", "源潭居委会")
    assert desks.awaited("city") == [], "a city waits for the report of its county only"

    county.given(end(county), by="county")
    filed = FileVerifiedReport(report=one, as_of=county.now, figures=FIGURES)
    county.given(filed, by="village")
    assert told_by(desks, *EVERYBODY) == {"township": {"report_review"}}
    assert [row["matter"] for row in desks.awaited("county")] == [], "the township has it now"
    county.given(AcceptReport(report=one, version=2), by="township")
    assert told_by(desks, *EVERYBODY) == {"county": {"disaster_close"}}
    county.given(close(county), by="county")
    assert told_by(desks, *EVERYBODY) == {}


def test_a_verified_report_that_was_sent_back_is_one_piece_of_work(tmp_path: Path) -> None:
    desks = flooded(tmp_path)
    county, one = desks.scenario, desks.scenario.id("report/yuantan_1")
    county.given(StabilizeReport(report=one, stable_at=county.now), by="county")
    filed = FileVerifiedReport(report=one, as_of=county.now, figures=FIGURES)
    county.given(filed, by="village")
    county.given(ReturnReport(report=one, version=2, reason="户数不对"), by="township")
    assert told_by(desks, "village") == {"village": {"report_correct"}}


def test_new_harm_after_the_verified_report_keeps_its_disaster_open(tmp_path: Path) -> None:
    desks = flooded(tmp_path)
    county, one = desks.scenario, desks.scenario.id("report/yuantan_1")
    county.given(stabilize(county), by="county")
    county.given(StabilizeReport(report=one, stable_at=county.now), by="county")
    filed = FileVerifiedReport(report=one, as_of=county.now, figures=FIGURES)
    county.given(filed, by="village").given(AcceptReport(report=one, version=2), by="township")
    county.wait(hours=1)
    more: RawFigures = FIGURES | {"affected": 9}
    county.given(FileFollowUp(report=one, as_of=county.now, figures=more), by="village")
    assert told_by(desks, "county", "township") == {
        "county": {"report_stabilize"},
        "township": {"report_review"},
    }


def test_the_limit_of_a_countys_verified_report_is_the_rulebooks(tmp_path: Path) -> None:
    """It was told only when it was late."""
    county = make_county()
    told = FileInitialReport(
        report=county.id("own"),
        area=county.id("county"),
        occurred_at=county.now,
        as_of=county.now,
        hazard="flood",
        figures=FIGURES,
    )
    county.given(told, by="county")
    county.given(StabilizeReport(report=told.report, stable_at=county.now), by="city")
    desks = Desks(tmp_path, county)
    (waits,) = desks.items("county", "report_verify")
    assert waits["due_at"] is not None and not waits["overdue"]
    (awaited,) = [row for row in desks.awaited("city") if row["matter"] == "report_verify"]
    assert awaited["who_area"] == "潜山市"
    county.wait(days=12)
    (waits,) = desks.items("county", "report_verify")
    assert waits["overdue"]


def test_all_reports_that_owe_it_are_counted(tmp_path: Path) -> None:
    desks = flooded(tmp_path, "yuantan_1", "yuantan_2")
    county = desks.scenario
    county.given(stabilize(county), by="county")
    desks.catch_up()
    assert desks.work("county")["report_stabilize"]["count"] == 2
    for village in ("yuantan_1", "yuantan_2"):
        ended = StabilizeReport(report=county.id(f"report/{village}"), stable_at=county.now)
        county.given(ended, by="county")
    desks.catch_up()
    assert desks.work("village")["report_verify"]["count"] == 1
    assert desks.work("county", whole=True).keys() == set(), "nobody verifies for a village"
    assert {row["area_name"] for row in desks.awaited("county")} == {"源潭居委会", "双峰居委会"}


def test_a_disaster_that_was_merged_is_closed_by_its_host_alone(tmp_path: Path) -> None:
    desks = flooded(tmp_path)
    county = desks.scenario
    county.given(declare(county, "storm", name="7·4风雹"), by="county")
    county.given(merge(county, "flood", "storm"), by="county")
    county.given(stabilize(county, "storm"), by="county")
    assert told_by(desks, "county") == {"county": {"report_stabilize"}}, "of the one it absorbed"
    county.given(split(county, "flood"), by="county")
    assert told_by(desks, "county") == {"county": {"disaster_close"}}


def test_where_figures_ask_for_more_the_response_waits_to_be_started_or_raised(
    tmp_path: Path,
) -> None:
    desks = flooded(tmp_path)
    county = desks.scenario
    graver = frozenset({(county.id("flood"), county.id("county"))})
    assert set(desks.work("county", graver=graver)) == {"response_start"}
    assert set(desks.work("county")) == set()
    assert set(desks.work("village", graver=graver)) == set()
    county.given(start(county, 4, forecast="研判"), by="county")
    desks.catch_up()
    assert set(desks.work("county", graver=graver)) == {"response_change"}
    assert set(desks.work("city", graver=graver)) == set(), "the county's own response"
    assert set(desks.work("city", graver=graver, whole=True)) == {"response_change"}
    county.given(stabilize(county), by="county")
    desks.catch_up()
    assert "response_change" not in desks.work("county", graver=graver), "it is to be ended"


def test_a_province_in_which_thousands_of_places_ask_for_more_has_its_work_list(
    tmp_path: Path,
) -> None:
    """A condition for each was deeper than SQLite takes: home answered 500 when it was worst."""
    desks = flooded(tmp_path)
    flood, county = desks.scenario.id("flood"), desks.scenario.id("county")
    elsewhere = {(flood, uuid4()) for _ in range(1_000)} | {(uuid4(), county) for _ in range(1_000)}
    assert set(desks.work("county", graver=frozenset(elsewhere))) == set()
    everywhere = frozenset(elsewhere | {(flood, county)})
    assert desks.work("county", graver=everywhere)["response_start"]["count"] == 1


def test_views_and_the_domain_count_the_same_figures_for_a_response(tmp_path: Path) -> None:
    """Dead of the parts stand beside the own figures, in whichever order they were accepted."""
    county = make_county()
    county.given(declare(county), by="county")
    figures: dict[str, RawFigures] = {
        "county": {"affected": 50, "dead": 1, "missing": 0},
        "yuantan": {"affected": 20, "dead": 0},
        "yuantan_1": {"affected": 12, "dead": 2, "missing": 1},
        "yuantan_2": {"affected": 11, "collapsed_rooms": 7},
    }
    by = {"county": "county", "yuantan": "township", "yuantan_1": "village"}
    over = {"county": "city", "yuantan": "county"}
    for area, told in figures.items():
        filed = report(county, area, disaster=county.id("flood"), figures=told)
        county.given(filed, by=by.get(area, "village2"))
        accepts = AcceptReport(report=filed.report, version=1)
        county.given(accepts, by=over.get(area, "township"))
    county.given(start(county, 3, area=county.id("county")), by="county")
    in_township = start(county, 4, area=county.id("yuantan"), document_no="潜减〔2018〕4号")
    county.given(in_township, by="county")
    desks = Desks(tmp_path, county)
    with desks.folded.reading() as db:
        found = response_figures(db, Scope((county.id("county"),)), exercise=False)
    assert {(one.area, one.level) for one in found} == {
        (str(county.id("county")), 3),
        (str(county.id("yuantan")), 4),
    }
    for one in found:
        assert figures_of(one) == official(county, UUID(one.area))


def figures_of(one: Responding) -> list[dict[str, Decimal]]:
    return [one.own, one.parts, one.both]


def official(county: Scenario, area: UUID) -> list[dict[str, Decimal]]:
    """The same by the domain."""
    world: World = county._world(StartResponse(**asked(county)))
    found = ReportTree.of(world, county.id("flood"), area).official(area, whole=True)
    own: Any = found.own.figures if found.own is not None else {}
    return [
        {key: value for key, value in figures.items() if value is not None}
        for figures in (own, found.parts, found.figures)
    ]


def asked(county: Scenario) -> dict[str, Any]:
    place = {"disaster": county.id("flood"), "area": county.id("county")}
    return {**place, "level": 1, "document_no": "-"}


def test_where_nothing_runs_the_disasters_own_area_is_looked_at(tmp_path: Path) -> None:
    desks = flooded(tmp_path)
    with desks.folded.reading() as db:
        (one,) = response_figures(db, Scope((desks.scenario.id("county"),)), exercise=False)
        assert response_figures(db, Scope((desks.scenario.id("county"),)), exercise=True) == []
        assert response_figures(db, Scope((desks.scenario.id("yuantan_1"),)), exercise=False) == []
    assert one.level == NO_LEVEL and one.area == str(desks.scenario.id("county"))
    assert one.own == {} and one.parts["affected"] == 5
    desks.scenario.given(stabilize(desks.scenario), by="county")
    desks.catch_up()
    with desks.folded.reading() as db:
        assert response_figures(db, Scope((desks.scenario.id("county"),)), exercise=False) == []


def test_the_township_is_asked_for_the_verified_report_of_a_village_without_an_officer(
    tmp_path: Path,
) -> None:
    """It was only awaited, of a village where nobody could file it."""
    desks = flooded(tmp_path, "yuantan_1")
    county = desks.scenario
    ended = StabilizeReport(report=county.id("report/yuantan_1"), stable_at=county.now)
    county.given(ended, by="county")
    for name in ("village", "village_b"):
        halted = SuspendOfficer(officer=county.officers[name], reason="停职检查")
        county.given(halted, by="admin")
    desks.catch_up()
    assert desks.work("township_b")["report_verify_for"]["count"] == 1
    assert "report_verify_for" not in desks.work("township"), "who accepted it does not file it"
    assert "report_verify" not in desks.work("township", whole=True)
    (awaited,) = [row for row in desks.awaited("county") if row["matter"] == "report_verify"]
    assert (awaited["who_role"], awaited["who_area"]) == ("township_reviewer", "源潭镇")
    one, village = county.id("report/yuantan_1"), county.id("yuantan_1")
    filed = FileVerifiedOnBehalf(report=one, village=village, as_of=county.now, figures=FIGURES)
    county.given(filed, by="township_b")
    desks.catch_up()
    assert "report_verify_for" not in desks.work("township_b")
    assert desks.work("township")["report_review"]["count"] == 1, "another person reviews it"
    assert "report_review" not in desks.work("township_b")
