"""Rows of the rosters that an application names: each is helped once, and as long as it stands."""

from datetime import UTC, datetime
from typing import Any

import pytest

from domain.commands.payments import GrantInput, PayList
from domain.commands.relief_cases import CorrectApplication, NeedInput, ReopenCase
from domain.commands.reports import FileInitialReport
from domain.commands.rosters import RecordCasualty, RegradeHouseDamage, WithdrawCasualty
from domain.commands.village_lists import (
    CloseList,
    OpenVillageList,
    ReviewList,
    StrikeInput,
)
from domain.house_damage import Grade
from domain.need import (
    AnothersHome,
    DeadNotNamed,
    HelpedAlready,
    HomeNotNamed,
    NotAmongTheDead,
    RateForOtherDamage,
)
from domain.refusal import Malformed
from tests.domain.ledger import Ledger, application
from tests.domain.scenario import Scenario
from tests.domain.test_parts import approved, grant
from tests.domain.test_programmes import dead, home, ledger_of, on_rosters


@pytest.fixture
def families() -> Ledger:
    """抚慰: three families, and the dead on the roster of their village."""
    ledger = ledger_of("condolence")
    on_rosters(ledger.scenario, *ledger.SIZES)
    return ledger


def for_the_dead(ledger: Ledger, name: str, *who: str, **more: Any) -> Any:
    rows = tuple(ledger.scenario.id(f"dead/{one}") for one in who)
    return application(ledger, name, need=NeedInput(persons=1, dead=rows, **more))


def test_a_dead_person_is_condoled_for_once(families: Ledger) -> None:
    county = families.scenario
    county.when(for_the_dead(families, "a"), by="village").then(DeadNotNamed)
    twice = for_the_dead(families, "a", "a", "a")
    assert county.when(twice, by="village").then(Malformed).field == "need.dead"
    county.given(for_the_dead(families, "a", "a", "b", count=9), by="village")
    assert families.load_case("a").need.count == 2, "as many as are named"
    refusal = county.when(for_the_dead(families, "b", "b"), by="village").then(HelpedAlready)
    assert refusal.case == families.case("a") and refusal.masked in refusal.sentence("zh")

    fewer = CorrectApplication(
        case=families.case("a"),
        need=NeedInput(persons=1, dead=(county.id("dead/a"),)),
        reason="另一人由其父母申请",
    )
    county.given(fewer, by="village")
    county.given(for_the_dead(families, "b", "b"), by="village")


def test_who_is_refused_leaves_the_dead_to_another_family_and_is_not_reopened_over_it(
    families: Ledger,
) -> None:
    county = families.scenario
    county.given(for_the_dead(families, "a", "a"), by="village")
    county.given(_opened(families), by="village")
    county.given(families.appraisal(a=True), by="village")
    struck = ReviewList(
        village_list=families.list, struck=(StrikeInput(case=families.case("a"), reason="非亲属"),)
    )
    county.given(struck, by="township")
    county.given(for_the_dead(families, "b", "a"), by="village")
    reopen = ReopenCase(case=families.case("a"), reason="补充证明")
    county.when(reopen, by="township").then(HelpedAlready)


def _opened(ledger: Ledger) -> Any:
    return OpenVillageList(season=ledger.season, village=ledger.scenario.id("yuantan_1"))


def test_only_who_died_in_this_disaster_is_condoled_for(families: Ledger) -> None:
    county = families.scenario
    missing: RecordCasualty = dead(
        county, "m", "失踪者", fate="missing", record=county.id("dead/m")
    )
    county.given(missing, by="village")
    county.when(for_the_dead(families, "a", "m"), by="village").then(NotAmongTheDead)
    elsewhere = _other_report(county)
    stray: RecordCasualty = dead(
        county, "s", "外灾者", report=elsewhere, record=county.id("dead/s")
    )
    county.given(stray, by="village")
    county.when(for_the_dead(families, "a", "s"), by="village").then(NotAmongTheDead)


def _other_report(county: Scenario) -> Any:
    county.given(
        FileInitialReport(
            report=county.id("other report"),
            as_of=datetime(2017, 8, 8, 12, tzinfo=UTC),
            figures={"affected": 1},
            area=county.id("yuantan_1"),
            occurred_at=datetime(2017, 8, 8, tzinfo=UTC),
            hazard="flood",
        ),
        by="village",
    )
    return county.id("other report")


def for_the_home(ledger: Ledger, name: str, row: str, **more: Any) -> Any:
    need = NeedInput(persons=1, house=ledger.scenario.id(f"home/{row}"), **more)
    return application(ledger, name, need=need)


def test_a_home_is_helped_once_at_the_rate_of_its_grade_and_not_for_another() -> None:
    ledger = ledger_of("housing")
    county = ledger.scenario
    on_rosters(county, "a", "b")
    county.when(application(ledger, "a", need=NeedInput(persons=1)), by="village").then(
        HomeNotNamed
    )
    county.when(for_the_home(ledger, "a", "b"), by="village").then(AnothersHome)
    slight = county.when(for_the_home(ledger, "a", "a", rate="slight"), by="village")
    assert "倒塌" in slight.then(RateForOtherDamage).sentence("zh")
    county.given(for_the_home(ledger, "a", "a"), by="village")
    unowned = home(county, "u", "无主户", household=None, record=county.id("home/u"))
    county.given(unowned, by="village")
    county.given(for_the_home(ledger, "b", "u"), by="village")
    again = for_the_home(ledger, "c", "u")
    assert county.when(again, by="village").then(HelpedAlready).case == ledger.case("b")

    lighter = RegradeHouseDamage(
        record=county.id("home/a"), grade=Grade.SLIGHT, rooms=3, reason="复核"
    )
    county.given(lighter, by="village")
    same = CorrectApplication(
        case=ledger.case("a"),
        need=NeedInput(persons=1, house=county.id("home/a")),
        reason="核对",
    )
    county.when(same, by="village").then(RateForOtherDamage)


def test_who_was_taken_off_the_roster_is_not_paid_for() -> None:
    ledger = approved("condolence")
    county = ledger.scenario
    grants = [GrantInput(case=ledger.case(name), cash_fen=1_000_000) for name in "abc"]
    county.given(ledger.allocation(*grants), by="county")
    county.given(WithdrawCasualty(record=county.id("dead/a"), reason="经核实为病故"), by="village")
    county.given(PayList(village_list=ledger.list, document_no="支1号"), by="payer")
    assert county.result["payments"] == 2
    assert county.result["held"] == {str(ledger.case("a")): "not-among-the-dead"}
    county.given(ledger.correction("a", cash_fen=0), by="county")
    county.given(CloseList(village_list=ledger.list), by="county")


def test_a_home_graded_again_gets_no_further_milestone() -> None:
    ledger = approved("housing")
    county = ledger.scenario
    lighter = RegradeHouseDamage(
        record=county.id("home/a"), grade=Grade.SLIGHT, rooms=3, reason="复核"
    )
    county.given(lighter, by="village")
    refusal = county.when(grant(ledger, 600_000), by="county").then(RateForOtherDamage)
    assert "一般损坏" in refusal.sentence("zh")
    others = [GrantInput(case=ledger.case(name), cash_fen=600_000) for name in "bc"]
    nothing = GrantInput(case=ledger.case("a"))
    county.given(ledger.allocation(nothing, *others), by="county")


def test_a_condolence_names_no_home(families: Ledger) -> None:
    county = families.scenario
    house = NeedInput(persons=1, house=county.id("home/a"), dead=(county.id("dead/a"),))
    refusal = county.when(application(families, "a", need=house), by="village").then(Malformed)
    assert refusal.field == "need.house"
