"""Rosters: the people and the houses behind the figures of a report."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain.casualty_record import CasualtyRecord, WrongFate
from domain.commands.disasters import DeclareDisaster
from domain.commands.filing import RawFigures
from domain.commands.reports import FileInitialReport, FileVerifiedReport
from domain.commands.reviews import AcceptReport, StabilizeReport
from domain.commands.rosters import (
    ConfirmDeath,
    FindMissing,
    RecordCasualty,
    RecordHouseDamage,
    RegradeHouseDamage,
    WithdrawCasualty,
    WithdrawHouseDamage,
)
from domain.exercise import ExerciseMixed
from domain.house_damage import DamageWithdrawn, Grade, SameGrade
from domain.identity import check_character
from domain.refusal import AlreadyExists, Malformed, NotFound, NotYourRole
from domain.report_refusals import AlreadyOnRoster, MaybeOnRoster, OutsideReport, RosterMismatch
from domain.situation_report import SituationReport
from tests.domain.county import make_county
from tests.domain.ledger import family
from tests.domain.scenario import Scenario

START = datetime(2018, 7, 4, 7, tzinfo=UTC)
ID_NUMBER = "34082419700101123" + check_character("34082419700101123")


def initial(county: Scenario, area: str, **change: Any) -> FileInitialReport:
    values: dict[str, Any] = {
        "report": county.id(f"report/{area}"),
        "area": county.id(area),
        "occurred_at": START,
        "as_of": START,
        "hazard": "flood",
        "figures": {},
    }
    return FileInitialReport(**(values | change))


@pytest.fixture
def county() -> Scenario:
    scenario = make_county()
    return scenario.given(initial(scenario, "yuantan_1"), by="village")


def casualty(county: Scenario, name: str = "one", **change: Any) -> RecordCasualty:
    values: dict[str, Any] = {
        "record": county.id(name),
        "report": county.id("report/yuantan_1"),
        "area": county.id("yuantan_1"),
        "fate": "missing",
        "full_name": "王小明",
        "id_number": ID_NUMBER,
        "place": "水吼河边",
        "registered_at": "源潭镇双峰",
    }
    return RecordCasualty(**(values | change))


def house(county: Scenario, name: str = "house", **change: Any) -> RecordHouseDamage:
    values: dict[str, Any] = {
        "record": county.id(name),
        "report": county.id("report/yuantan_1"),
        "area": county.id("yuantan_1"),
        "owner_name": "李四",
        "owner_id_number": ID_NUMBER,
        "address": "东组12号",
        "grade": Grade.SEVERE,
        "rooms": 3,
    }
    return RecordHouseDamage(**(values | change))


def rows(county: Scenario, area: str = "yuantan_1") -> dict[str, int]:
    found = county.load(SituationReport, county.id(f"report/{area}"))
    assert isinstance(found, SituationReport)
    return {name: count for name, count in found.rows.items() if count}


def test_a_person_is_recorded_sealed_and_counted_in_one_commit(county: Scenario) -> None:
    county.when(casualty(county), by="village")
    counted, recorded = county.then("SituationReport.RosterCounted", "CasualtyRecord.Recorded")
    assert recorded.casualty.masked_name == "王*明"
    sealed = recorded.casualty.name
    assert county.vault.unseal(sealed, recorded.originator_id, "name") == "王小明"
    assert recorded.casualty.place is not None
    assert counted.rows == {"missing": 1}


def test_a_missing_person_who_is_found_dead_is_a_transfer(county: Scenario) -> None:
    county.given(casualty(county), by="village")
    county.when(ConfirmDeath(record=county.id("one"), died_at=START), by="village")
    county.then("CasualtyRecord.ConfirmedDead", "SituationReport.RosterCounted")
    assert rows(county) == {"dead": 1}
    county.when(ConfirmDeath(record=county.id("one")), by="village").then(WrongFate)


def test_a_missing_person_is_found_alive_or_injured(county: Scenario) -> None:
    county.given(casualty(county), by="village")
    found = FindMissing(record=county.id("one"), found_at=county.now, injured=True, severe=True)
    county.when(found, by="village").then("CasualtyRecord.Found", "SituationReport.RosterCounted")
    assert rows(county) == {"injured": 1, "severely_injured": 1}
    county.when(found, by="village").then(WrongFate)
    county.given(casualty(county, "two", id_number=None, another=True), by="village")
    county.given(FindMissing(record=county.id("two"), found_at=county.now), by="village")
    assert rows(county) == {"injured": 1, "severely_injured": 1}


def test_an_injured_person_who_dies_is_counted_once(county: Scenario) -> None:
    county.given(casualty(county, fate="injured", severe=True), by="village")
    county.given(ConfirmDeath(record=county.id("one")), by="township")
    assert rows(county) == {"dead": 1}


def test_a_row_that_was_a_mistake_is_withdrawn_with_a_reason(county: Scenario) -> None:
    county.given(casualty(county), by="village")
    blank = WithdrawCasualty(record=county.id("one"), reason="")
    county.when(blank, by="village").then(Malformed)
    withdraw = WithdrawCasualty(record=county.id("one"), reason="重复登记")
    county.when(withdraw, by="village")
    county.then("CasualtyRecord.Withdrawn", "SituationReport.RosterCounted")
    assert rows(county) == {}
    county.when(withdraw, by="village").then(WrongFate)
    county.given(casualty(county, "again"), by="village")


def test_a_person_stands_once_on_the_roster_of_a_report(county: Scenario) -> None:
    county.given(casualty(county), by="village")
    refusal = county.when(casualty(county, "two"), by="village").then(AlreadyOnRoster)
    assert refusal.record == county.id("one")
    county.given(casualty(county, "three", id_number=None, another=True), by="village")
    assert rows(county) == {"missing": 2}


@pytest.mark.parametrize(
    "change",
    [
        {"full_name": " "},
        {"age": 200},
        {"id_number": "123"},
        {"happened_at": START + timedelta(days=3)},
    ],
)
def test_a_row_that_cannot_be_true_is_malformed(county: Scenario, change: dict[str, Any]) -> None:
    county.when(casualty(county, **change), by="village").then(Malformed)


def test_a_row_lies_in_the_area_of_its_report_and_of_its_keeper(county: Scenario) -> None:
    elsewhere = casualty(county, area=county.id("yuantan_2"))
    county.when(elsewhere, by="village2").then(NotFound)
    county.when(elsewhere, by="township").then(OutsideReport)
    county.when(casualty(county), by="village2").then(NotFound)
    county.when(casualty(county), by="dispatcher").then(NotYourRole)
    county.given(casualty(county), by="county")
    county.when(casualty(county), by="county").then(AlreadyExists)
    outside = house(county, area=county.id("yuantan_2"))
    county.when(outside, by="township").then(OutsideReport)


def test_an_exercise_is_never_counted_in_earnest(county: Scenario) -> None:
    county.when(casualty(county, exercise=True), by="village").then(ExerciseMixed)
    county.when(house(county, exercise=True), by="village").then(ExerciseMixed)


def test_a_house_is_recorded_regraded_and_withdrawn(county: Scenario) -> None:
    county.when(house(county), by="village")
    _, recorded = county.then("SituationReport.RosterCounted", "HouseDamage.Recorded")
    assert recorded.masked_name == "李*"
    assert rows(county) == {"severely_damaged_households": 1, "severely_damaged_dwelling_rooms": 3}
    regrade = RegradeHouseDamage(
        record=county.id("house"), grade=Grade.COLLAPSED, rooms=2, reason="鉴定"
    )
    county.when(regrade, by="township")
    county.then("HouseDamage.Regraded", "SituationReport.RosterCounted")
    assert rows(county) == {"collapsed_households": 1, "collapsed_dwelling_rooms": 2}
    county.when(regrade, by="township").then(SameGrade)
    withdraw = WithdrawHouseDamage(record=county.id("house"), reason="重复")
    county.when(withdraw, by="village")
    county.then("HouseDamage.Withdrawn", "SituationReport.RosterCounted")
    assert rows(county) == {}
    county.when(withdraw, by="village").then(DamageWithdrawn)
    county.when(regrade, by="village").then(DamageWithdrawn)


def test_a_home_stands_once_on_the_roster(county: Scenario) -> None:
    county.given(house(county), by="village")
    county.when(house(county, "two"), by="village").then(AlreadyOnRoster)
    county.when(house(county, "two", rooms=0), by="village").then(Malformed)
    county.given(family(county, "household", 1), by="village")
    by_register = {"household": county.id("household"), "owner_id_number": None}
    county.given(house(county, "two", **by_register), by="village")
    county.when(house(county, "three", **by_register), by="village").then(AlreadyOnRoster)


def test_a_townships_verified_report_counts_the_rosters_of_its_villages(county: Scenario) -> None:
    county = make_county()
    flood = DeclareDisaster(
        disaster=county.id("flood"),
        name="洪涝",
        hazard="flood",
        occurred_at=START,
        area=county.id("county"),
    )
    county.given(flood, by="county")
    county.given(initial(county, "yuantan_1", disaster=county.id("flood")), by="village")
    county.given(initial(county, "yuantan", disaster=county.id("flood")), by="township")
    report = county.id("report/yuantan")
    county.given(StabilizeReport(report=report, stable_at=county.now), by="county")
    figures: RawFigures = {"dead": 1, "missing": 0, "collapsed_households": 1}
    filed = FileVerifiedReport(report=report, as_of=county.now, figures=figures)
    county.given(filed, by="township")
    accept = AcceptReport(report=report, version=2)
    refusal = county.when(accept, by="county").then(RosterMismatch)
    assert refusal.indicators == ("dead", "collapsed_households")
    county.given(casualty(county, fate="dead"), by="village")
    county.given(house(county, grade=Grade.COLLAPSED), by="village")
    county.when(accept, by="county").then("SituationReport.Accepted")


def test_a_body_found_after_the_verified_report_is_still_recorded(county: Scenario) -> None:
    report = county.id("report/yuantan_1")
    county.given(StabilizeReport(report=report, stable_at=county.now), by="county")
    filed = FileVerifiedReport(report=report, as_of=county.now, figures={"dead": 0, "missing": 0})
    county.given(filed, by="village").given(AcceptReport(report=report, version=2), by="township")
    county.when(casualty(county, fate="dead"), by="village")
    county.then("SituationReport.RosterCounted", "CasualtyRecord.Recorded")


def test_a_record_keeps_its_fate_through_a_replay(county: Scenario) -> None:
    county.given(casualty(county), by="village")
    record = county.load(CasualtyRecord, county.id("one"))
    assert record.counts() == {"missing": 1}
    assert record.counts(-1) == {"missing": -1}


def test_the_same_person_without_an_id_number_is_asked_about(county: Scenario) -> None:
    """C7: one dead person stood on the roster twice, and nobody was asked."""
    nameless: dict[str, Any] = {"id_number": None, "full_name": "张小三", "fate": "dead"}
    county.given(casualty(county, **nameless, age=60), by="village")
    same = casualty(county, "same", **(nameless | {"full_name": "张 小三", "age": 61}))
    refusal = county.when(same, by="village").then(MaybeOnRoster)
    assert (refusal.record, refusal.masked) == (county.id("one"), "张*三")
    numbered = casualty(county, "numbered", full_name="张小三", fate="dead")
    county.when(numbered, by="village").then(MaybeOnRoster)
    for name, change in (("younger", {"age": 30}), ("named", {"full_name": "张小四"})):
        county.given(casualty(county, name, **(nameless | {"age": 60} | change)), by="village")
    county.given(replace(same, another=True), by="village")
    assert rows(county) == {"dead": 4}


def test_a_second_home_of_the_same_owner_s_name_is_asked_about(county: Scenario) -> None:
    nameless: dict[str, Any] = {"owner_id_number": None}
    county.given(house(county, **nameless), by="village")
    again = house(county, "again", **nameless)
    county.when(again, by="village").then(MaybeOnRoster)
    county.given(replace(again, another=True), by="village")
    county.given(house(county, "other", owner_name="赵小六", **nameless), by="village")
