"""One case for six programmes: only the rulebook says which steps and amounts (domain.md §2.1)."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from domain.case_checks import Stage
from domain.commands.disasters import DeclareDisaster
from domain.commands.notices import PostNotice, PostSecondNotice
from domain.commands.payments import GrantInput, PayList
from domain.commands.relief_cases import ApplyForRelief, ApplyVillage
from domain.commands.reports import FileInitialReport
from domain.commands.rosters import RecordCasualty, RecordHouseDamage
from domain.commands.village_lists import (
    AppraiseList,
    ApproveList,
    CloseList,
    OpenVillageList,
    ReviewList,
    VerdictInput,
)
from domain.county_plan import PlanStep, next_step
from domain.grants import OverStandard, guide_fen
from domain.house_damage import Grade
from domain.household_members import Relation
from domain.relief_case import ReliefCase
from domain.roster import WrongListStage
from domain.rules.standards import PROGRAMMES, Rate, amount_fen
from domain.season import Season
from domain.world import Command
from tests.domain.county import make_county
from tests.domain.ledger import Ledger, family, member
from tests.domain.scenario import Scenario

COMMANDS: dict[PlanStep, tuple[type[Any], str, dict[str, Any]]] = {
    PlanStep.POST_FIRST: (PostNotice, "village", {}),
    PlanStep.REVIEW: (ReviewList, "township", {}),
    PlanStep.APPROVE: (ApproveList, "county", {"document_no": "县定1号"}),
    PlanStep.POST_SECOND: (PostSecondNotice, "village", {}),
    PlanStep.PAY: (PayList, "payer", {"document_no": "支1号"}),
    PlanStep.CLOSE: (CloseList, "county", {}),
}


def ledger_of(programme: str) -> Ledger:
    """A season of that programme, for a flood where the programme asks for one."""
    county: Scenario = make_county()
    disaster: UUID | None = None
    if programme != "winter_spring":
        county.now = datetime(2017, 7, 9, tzinfo=UTC)
        disaster = county.id("flood")
        declare = DeclareDisaster(
            disaster=disaster,
            name="7·8洪涝",
            hazard="drought" if programme == "drought" else "flood",
            occurred_at=datetime(2017, 7, 8, tzinfo=UTC),
            area=county.id("county"),
        )
        county.given(declare, by="county")
    return Ledger(programme, disaster, county)


def on_rosters(county: Scenario, *owners: str) -> None:
    """The village's report of the flood, with a dead person and a home for each household."""
    filed = FileInitialReport(
        report=county.id("report"),
        as_of=datetime(2017, 7, 8, 12, tzinfo=UTC),
        figures={"affected": 9},
        area=county.id("yuantan_1"),
        occurred_at=datetime(2017, 7, 8, tzinfo=UTC),
        hazard="flood",
        disaster=county.id("flood"),
    )
    county.given(filed, by="village")
    for number, owner in enumerate(owners):
        county.given(dead(county, owner, "村民" + "甲乙丙丁"[number]), by="village")
        county.given(home(county, owner, "户主" + "甲乙丙丁"[number]), by="village")


def dead(county: Scenario, owner: str, name: str, **more: Any) -> RecordCasualty:
    values: dict[str, Any] = {
        "record": county.id(f"dead/{owner}"),
        "report": county.id("report"),
        "area": county.id("yuantan_1"),
        "fate": "dead",
        "full_name": name,
    }
    return RecordCasualty(**(values | more))


def home(county: Scenario, owner: str, name: str, **more: Any) -> RecordHouseDamage:
    values: dict[str, Any] = {
        "record": county.id(f"home/{owner}"),
        "report": county.id("report"),
        "area": county.id("yuantan_1"),
        "owner_name": name,
        "household": county.id(owner),
        "grade": Grade.COLLAPSED,
        "rooms": 3,
    }
    return RecordHouseDamage(**(values | more))


def named(ledger: Ledger, name: str) -> dict[str, Any]:
    """What an application of this household names on the rosters."""
    of = {"dead": "condolence", "house": "housing"}
    id = ledger.scenario.id
    rows: dict[str, Any] = {"dead": (id(f"dead/{name}"),), "house": id(f"home/{name}")}
    return {what: row for what, row in rows.items() if of[what] == ledger.programme}


def applied(ledger: Ledger, **need: Any) -> Scenario:
    """All three households have applied, each with its own row of the roster."""
    county = ledger.scenario
    if ledger.programme in ("condolence", "housing"):
        on_rosters(county, *ledger.SIZES)
    applications = tuple(
        ledger.application(name, **need, **named(ledger, name)) for name in ledger.SIZES
    )
    village = county.id("yuantan_1")
    county.given(
        ApplyVillage(season=ledger.season, village=village, applications=applications),
        OpenVillageList(season=ledger.season, village=village),
        by="village",
    )
    return county


def test_emergency_relief_goes_village_township_county_without_a_notice() -> None:
    ledger = ledger_of("emergency")
    county = ledger.apply().scenario
    draw = AppraiseList(
        village_list=ledger.list,
        verdicts=tuple(VerdictInput(case=ledger.case(name)) for name in "abc"),
    )
    county.when(draw, by="village").then("VillageList.CasesListed", *["ReliefCase.Listed"] * 3)
    approve = ApproveList(village_list=ledger.list, document_no="急1号")
    county.when(approve, by="county").then(WrongListStage)
    county.given(ReviewList(village_list=ledger.list), by="township")
    county.given(approve, by="county")
    much = GrantInput(case=ledger.case("c"), cash_fen=30_001)
    county.when(ledger.allocation(much), by="county").then(OverStandard)
    county.given(ledger.allocation(), by="county")
    county.given(PayList(village_list=ledger.list, document_no="支1号"), by="payer")
    county.given(ledger.signing("a"), by="storekeeper")
    county.given(CloseList(village_list=ledger.list), by="county")
    assert {ledger.load_case(name).stage for name in "abc"} == {Stage.CLOSED}
    assert ledger.load_fund().paid_fen == 81_000
    assert county.now == datetime(2017, 11, 6, 1, tzinfo=UTC), "all of it within one moment"


def test_emergency_relief_waits_neither_for_a_contest_nor_for_a_card() -> None:
    ledger = ledger_of("emergency")
    county = ledger.scenario
    both = (member(90), member(11, Relation.OTHER))
    county.given(
        family(county, "d", 90, members=both, village="yuantan_2", card=None), by="village2"
    )
    county.given(family(county, "e", 60, 1, card=None), by="village")
    ledger.apply()
    application = ledger.application("e")
    county.given(
        ApplyForRelief(
            season=ledger.season,
            household=application.household,
            need=application.need,
            applied_on=application.applied_on,
        ),
        by="village",
    )
    draw = AppraiseList(
        village_list=ledger.list,
        verdicts=tuple(VerdictInput(case=ledger.case(name)) for name in "be"),
    )
    county.given(draw, by="village")
    county.given(ReviewList(village_list=ledger.list), by="township")
    county.given(ApproveList(village_list=ledger.list, document_no="急1号"), by="county")
    grants = [GrantInput(case=ledger.case(name), cash_fen=30_000) for name in "be"]
    county.given(ledger.allocation(*grants), by="county")
    assert ledger.household("b").contested
    county.given(PayList(village_list=ledger.list, document_no="支1号"), by="payer")
    assert county.result["payments"] == 2 and county.result["held"] == {}


@pytest.mark.parametrize("programme", PROGRAMMES)
def test_every_programme_runs_from_application_to_closing_by_its_rulebook(programme: str) -> None:
    """Nothing here knows a programme: the county plan asks the terms which step comes next."""
    ledger = ledger_of(programme)
    county = applied(ledger, days=20)
    season = county.load(Season, ledger.season)
    taken: list[PlanStep] = []
    for _ in range(24):
        step = next_step(ledger.load_list(), season.terms, county.now)
        if step is None:
            county.wait(days=1)
            if ledger.load_case("a").stage is Stage.CLOSED:
                break
            county.wait(days=7)
            continue
        if step is PlanStep.CLOSE and ledger.load_case("a").parts_left(season.rate("")):
            step = PlanStep.ALLOCATE  # the plan looks at lists alone
        taken.append(step)
        county.given(command_of(ledger, step, season), by=officer_of(step))
    wanted = season.terms.requires
    assert (PlanStep.POST_FIRST in taken) == wanted("first_notice")
    assert (PlanStep.REVIEW in taken) == wanted("township_review")
    assert (PlanStep.POST_SECOND in taken) == wanted("second_notice")
    assert ledger.load_case("a").stage is Stage.CLOSED
    given = ledger.load_case("a").grants
    assert len(given) == {"drought": 2, "housing": 3}.get(programme, 1)
    assert sum(one.cash_fen for one in given.values()) == amount_fen(season.rate(""), 3, 20)
    assert ledger.load_fund().paid_fen == sum(
        amount_fen(season.rate(""), size, 20) for size in ledger.SIZES.values()
    )


def officer_of(step: PlanStep) -> str:
    special = {PlanStep.APPRAISE: "village", PlanStep.ALLOCATE: "county"}
    return special.get(step) or COMMANDS[step][1]


def command_of(ledger: Ledger, step: PlanStep, season: Season) -> Command:
    if step is PlanStep.APPRAISE:
        return ledger.appraisal()
    if step is PlanStep.ALLOCATE:
        rate = season.rate("")
        return ledger.allocation(
            *(
                GrantInput(case=ledger.case(name), cash_fen=due(ledger.load_case(name), rate))
                for name in ledger.SIZES
            )
        )
    kind, _, more = COMMANDS[step]
    command: Command = kind(village_list=ledger.list, **more)
    return command


def due(case: ReliefCase, rate: Rate) -> int:
    """What the rule gives next."""
    left = case.parts_left(rate)
    return guide_fen(rate, case.need, left[0].number if left else 0)


@pytest.mark.parametrize("programme", ["transitional", "housing", "condolence"])
def test_the_ceiling_follows_the_basis_of_the_rate(programme: str) -> None:
    """Per person and day, per household, per death: each as its rulebook reckons."""
    ledger = ledger_of(programme)
    county = applied(ledger, days=30)
    season = county.load(Season, ledger.season)
    county.given(ledger.appraisal(), by="village")
    if season.terms.requires("first_notice"):
        county.given(PostNotice(village_list=ledger.list), by="village").wait(days=7)
    county.given(ReviewList(village_list=ledger.list), by="township")
    county.given(ApproveList(village_list=ledger.list, document_no="1"), by="county")
    ceiling = {"transitional": 3_000 * 30 * 2, "housing": 600_000, "condolence": 2_000_000}
    over = GrantInput(case=ledger.case("b"), cash_fen=ceiling[programme] + 1)
    refusal = county.when(ledger.allocation(over), by="county").then(OverStandard)
    assert refusal.ceiling_fen == ceiling[programme]


def test_a_drill_is_walked_like_the_real_thing_and_apart_from_it() -> None:
    ledger = Ledger(exercise=True).until("closed")
    assert ledger.load_case("a").exercise and ledger.load_fund().exercise
