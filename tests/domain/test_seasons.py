from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import msgspec
import pytest

from domain.commands.grant_corrections import RefundGrant, RetryPayment
from domain.commands.notices import PostNotice
from domain.commands.relief_cases import ApplyForRelief, NeedInput
from domain.commands.rulebooks import AdoptRulebook
from domain.commands.seasons import ChangeSeasonStandard, CloseSeason, OpenSeason
from domain.commands.village_lists import CloseList, OpenVillageList
from domain.exercise import ExerciseMixed
from domain.refusal import AlreadyExists, Malformed, NotFound, NotYourRole
from domain.rulebook import Rulebook
from domain.rules.standards import Standards
from domain.season import (
    DisasterNeeded,
    ListsOpen,
    Season,
    SeasonClosed,
    UnknownProgramme,
    VillagesWithoutList,
)
from domain.village_list import VillageList
from tests.domain.county import adopt_elsewhere, make_county
from tests.domain.ledger import STEPS, Ledger, family
from tests.domain.scenario import Scenario


@pytest.fixture
def county() -> Scenario:
    return make_county()


def opening(county: Scenario, **more: Any) -> OpenSeason:
    values: dict[str, Any] = {
        "area": county.id("county"),
        "programme": "winter_spring",
        "year": 2017,
    }
    return OpenSeason(**(values | more))


def adopt(
    county: Scenario,
    change: dict[str, Any],
    version: str = "2018",
    key: str = "winter_spring",
) -> AdoptRulebook:
    """The county's standards with one programme changed, adopted anew."""
    book = county.load(Rulebook, Rulebook.id_of(county.id("county"), Standards.KIND))
    standards = book.in_force(Standards, county.now).rule
    content = msgspec.to_builtins(standards)
    for programme in content["programmes"]:
        if programme["key"] == key:
            programme.update(change)
    return AdoptRulebook(
        area=county.id("county"),
        kind=Standards.KIND,
        version=version,
        document_no="潜民〔2018〕1号",
        valid_from=date(2016, 1, 1),
        valid_to=None,
        content=content,
    )


def test_a_season_opens_with_the_standards_in_force_and_its_deadlines(county: Scenario) -> None:
    (opened,) = county.when(opening(county), by="county").then("Season.Opened")
    assert opened.standards.version == "example-2016"
    assert opened.terms.first_notice_days == 7
    assert opened.assess_by == date(2017, 10, 31)
    assert opened.deliver_by == date(2018, 2, 15), "the eve of 春节"


def test_a_season_opens_once_and_by_the_county(county: Scenario) -> None:
    county.when(opening(county), by="township").then(NotFound)
    county.when(opening(county), by="payer").then(NotYourRole)
    county.given(opening(county), by="county")
    county.when(opening(county), by="county").then(AlreadyExists)
    county.when(opening(county, exercise=True), by="county").then("Season.Opened")


def test_a_programme_the_standards_do_not_know_cannot_be_opened(county: Scenario) -> None:
    county.when(opening(county, programme="cash_for_all"), by="county").then(UnknownProgramme)


def test_emergency_relief_needs_its_disaster(county: Scenario) -> None:
    county.when(opening(county, programme="emergency"), by="county").then(DisasterNeeded)
    unknown = opening(county, programme="emergency", disaster=county.id("flood"))
    county.when(unknown, by="county").then(NotFound)


def test_a_changed_standard_holds_from_now_on(county: Scenario) -> None:
    county.given(opening(county), by="county")
    season = Season.id_of(county.id("county"), "winter_spring", 2017, None, False)
    county.given(adopt(county, {"first_notice_days": 9}))
    change = ChangeSeasonStandard(season=season, reason="新标准")
    (changed,) = county.when(change, by="county").then("Season.StandardChanged")
    assert changed.standards.version == "2018"
    assert county.load(Season, season).terms.first_notice_days == 9
    silent = ChangeSeasonStandard(season=season, reason="")
    county.when(silent, by="county").then(Malformed)


def test_a_season_does_not_close_over_an_open_list() -> None:
    ledger = Ledger().until("applied")
    county = ledger.scenario
    close = CloseSeason(
        season=ledger.season, reason="年度结束", without_list_reason="各村摸排后无需救助"
    )
    assert county.when(close, by="county").then(ListsOpen).count == 1
    second = OpenVillageList(season=ledger.season, village=county.id("yuantan_2"))
    county.when(second, by="village2").then("Season.ListOpened", "VillageList.Opened")
    assert county.when(close, by="county").then(ListsOpen).count == 2
    empty = VillageList.id_of(ledger.season, county.id("yuantan_2"), 1)
    given_up = CloseList(village_list=empty, reason="无人申请")
    county.when(given_up, by="county").then("VillageList.Closed", "Season.ListClosed")
    assert county.when(close, by="county").then(ListsOpen).count == 1
    for step in STEPS[1:]:
        getattr(ledger, f"_{step}")()
    county.when(close, by="county").then("Season.Closed")


def test_a_season_that_closes_over_villages_without_a_list_says_why() -> None:
    """It closed at once, for ever, and nothing was said of those who were never asked."""
    ledger = Ledger().until("closed")
    county = ledger.scenario
    silent = CloseSeason(season=ledger.season, reason="年度结束")
    refused = county.when(silent, by="county").then(VillagesWithoutList)
    outside = {county.id("yuantan_1"), county.id("foreign_village")}
    assert refused.count == len(refused.villages) > 0
    assert not outside & set(refused.villages), "one had its list, one lies elsewhere"
    assert county.id("yuantan_2") in refused.villages
    idle = replace(silent, without_list_reason="x")
    assert county.when(idle, by="county").then(Malformed).field == "without_list_reason"
    said = replace(silent, without_list_reason="摸排后无人需要救助")
    (closed,) = county.when(said, by="county").then("Season.Closed")
    assert closed.without_list == refused.count
    assert closed.without_list_reason == "摸排后无人需要救助"


def test_an_older_closing_says_nothing_of_villages_without_a_list() -> None:
    values: dict[str, Any] = {"reason": "年度结束"}
    Season.Closed.upcast_v1_v2(values)
    assert values["without_list"] == 0 and values["without_list_reason"] == ""


def test_a_closed_season_refuses_everything() -> None:
    ledger = Ledger().until("closed")
    county = ledger.scenario
    close = CloseSeason(
        season=ledger.season, reason="年度结束", without_list_reason="各村摸排后无需救助"
    )
    county.when(close, by="township").then(NotFound)
    county.when(close, by="county").then("Season.Closed")
    county.when(close, by="county").then(SeasonClosed)
    county.when(PostNotice(village_list=ledger.list), by="village").then(SeasonClosed)
    county.given(family(county, "late", 50), by="village")
    late = ApplyForRelief(
        season=ledger.season,
        household=county.id("late"),
        need=NeedInput(persons=1),
        applied_on=date(2017, 11, 1),
    )
    county.when(late, by="village").then(SeasonClosed)
    again = OpenVillageList(season=ledger.season, village=county.id("yuantan_1"), round=2)
    county.when(again, by="village").then(SeasonClosed)


def test_a_village_of_another_county_has_no_list_in_this_season(county: Scenario) -> None:
    county.given(opening(county), by="county")
    season = Season.id_of(county.id("county"), "winter_spring", 2017, None, False)
    foreign = OpenVillageList(season=season, village=county.id("foreign_village"))
    county.when(foreign, by="foreign_village").then(NotFound)
    adopt_elsewhere(county, "standards", "foreign_county")
    county.given(opening(county, area=county.id("foreign_county")), by="foreign_county")
    other = Season.id_of(county.id("foreign_county"), "winter_spring", 2017, None, False)
    county.when(OpenVillageList(season=other, village=county.id("yuantan_1")), by="county").then(
        NotFound
    )


def test_a_drill_s_season_takes_no_real_household(county: Scenario) -> None:
    county.now = datetime(2017, 11, 6, tzinfo=UTC)
    county.given(opening(county, exercise=True), by="county")
    county.given(family(county, "real", 1), by="village")
    mixed = ApplyForRelief(
        season=Season.id_of(county.id("county"), "winter_spring", 2017, None, True),
        household=county.id("real"),
        need=NeedInput(persons=1),
        applied_on=date(2017, 11, 1),
    )
    county.when(mixed, by="village").then(ExerciseMixed)


def test_what_was_wrongly_had_is_given_back_after_the_season_too() -> None:
    ledger = Ledger().until("closed")
    county = ledger.scenario
    county.given(
        CloseSeason(
            season=ledger.season, reason="年度结束", without_list_reason="各村摸排后无需救助"
        ),
        by="county",
    )
    case = ledger.case("c")
    back = RefundGrant(
        case=case, number=1, amount_fen=13_500, reason="审计发现冒领", document_no="退1号"
    )
    county.when(back, by="payer").then("ReliefCase.Refunded", "Fund.Refunded")
    again = RetryPayment(case=case, number=1, document_no="支2号")
    county.when(again, by="payer").then(SeasonClosed)
