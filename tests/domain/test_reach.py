"""What a command names besides its subject: out of reach is answered as not there."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest

from domain.commands.disasters import DeclareDisaster
from domain.commands.funds import AppropriateFund, ReturnFund
from domain.commands.handing_out import SignatureInput, SignGoods
from domain.commands.payments import GrantInput
from domain.commands.relief_cases import ApplyForRelief, ApplyVillage, NeedInput
from domain.commands.reports import FileInitialReport
from domain.commands.rosters import RecordCasualty, RecordHouseDamage
from domain.commands.seasons import OpenSeason
from domain.commands.village_lists import AppraiseList, VerdictInput
from domain.disaster import OutsideDisaster
from domain.exercise import ExerciseMixed
from domain.fund import Fund
from domain.house_damage import Grade
from domain.money import Source
from domain.notice import ObjectionKind
from domain.refusal import Refusal
from domain.relief_case import ReliefCase
from domain.season import Season
from domain.world import Command
from tests.domain.county import adopt_elsewhere
from tests.domain.ledger import Ledger, family, objection, settling

Make = Callable[[Ledger, UUID], Command]


def _there(ledger: Ledger) -> dict[str, UUID]:
    """A disaster, season, fund, household, case and report of the other county."""
    s = ledger.scenario
    other = s.id("foreign_county")
    adopt_elsewhere(s, "standards", "foreign_county")
    for name in ("storm", "drill"):
        s.given(
            DeclareDisaster(
                disaster=s.id(name),
                name="太湖洪涝",
                hazard="flood",
                occurred_at=datetime(2017, 11, 5, tzinfo=UTC),
                area=other,
                exercise=name == "drill",
            ),
            by="foreign_county",
        )
    s.given(OpenSeason(area=other, programme="winter_spring", year=2017), by="foreign_county")
    season = Season.id_of(other, "winter_spring", 2017, None, False)
    s.given(
        AppropriateFund(
            holder=other,
            document_no="湖财1号",
            amount_fen=100_000,
            source=Source.COUNTY,
            source_document_no="湖财1号",
            earmark=("winter_spring",),
        ),
        by="foreign_county",
    )
    s.given(family(s, "theirs", 80, 1, "foreign_village"), by="foreign_village")
    applied = ApplyForRelief(
        season=season,
        household=s.id("theirs"),
        need=NeedInput(persons=1),
        applied_on=date(2017, 11, 1),
    )
    s.given(applied, by="foreign_village")
    s.given(_report(ledger, "report", "foreign_village"), by="foreign_village")
    return {
        "disaster": s.id("storm"),
        "drill": s.id("drill"),
        "season": season,
        "fund": Fund.id_of("湖财1号", other, False),
        "household": s.id("theirs"),
        "case": ReliefCase.id_of(season, s.id("theirs")),
        "report": s.id("report"),
        "warehouse": other,
    }


def _report(ledger: Ledger, name: str, village: str) -> Command:
    return FileInitialReport(
        report=ledger.scenario.id(name),
        area=ledger.scenario.id(village),
        hazard="flood",
        occurred_at=datetime(2017, 11, 5, tzinfo=UTC),
        as_of=datetime(2017, 11, 5, tzinfo=UTC),
        figures={"affected": 3},
    )


def _season(ledger: Ledger, disaster: UUID) -> Command:
    county = ledger.scenario.id("county")
    return OpenSeason(area=county, programme="emergency", year=2017, disaster=disaster)


def _application(ledger: Ledger, season: UUID) -> Command:
    one = ledger.application("a")
    village = ledger.scenario.id("yuantan_1")
    return ApplyVillage(season=season, village=village, applications=(one,))


def _casualty(ledger: Ledger, report: UUID) -> Command:
    s = ledger.scenario
    values: dict[str, Any] = {"record": s.id("r"), "area": s.id("yuantan_1"), "fate": "dead"}
    return RecordCasualty(report=report, full_name="张小三", **values)


def _house(ledger: Ledger, household: UUID) -> Command:
    s = ledger.scenario
    if s.id("ours") not in s.streams:
        s.given(_report(ledger, "ours", "yuantan_1"), by="village")
    return RecordHouseDamage(
        record=s.id("h"),
        report=s.id("ours"),
        area=s.id("yuantan_1"),
        owner_name="张小三",
        household=household,
        grade=Grade.SLIGHT,
        rooms=1,
    )


def _returned(ledger: Ledger, fund: UUID) -> Command:
    return ReturnFund(
        fund=ledger.fund, to_fund=fund, amount_fen=1, document_no="退1号", reason="结余"
    )


NAMED: dict[str, tuple[str, Make, str]] = {
    "a season's disaster": ("disaster", _season, "county"),
    "a season's drill": ("drill", _season, "county"),
    "an application's season": ("season", _application, "village"),
    "a casualty's report": ("report", _casualty, "village"),
    "a damaged home's household": ("household", _house, "village"),
    "an objection's household": (
        "household",
        lambda ledger, id: objection(ledger, household=id, kind=ObjectionKind.AGAINST),
        "village",
    ),
    "a case to strike": (
        "case",
        lambda ledger, id: settling(ledger, upheld=True, strike=id),
        "township",
    ),
    "a case to add": ("case", lambda ledger, id: settling(ledger, upheld=True, add=id), "township"),
    "a case to appraise": (
        "case",
        lambda ledger, id: AppraiseList(
            village_list=ledger.list, verdicts=(VerdictInput(case=id),)
        ),
        "village",
    ),
    "a case to grant": (
        "case",
        lambda ledger, id: ledger.allocation(GrantInput(case=id, cash_fen=1)),
        "county",
    ),
    "a case that signed": (
        "case",
        lambda ledger, id: SignGoods(
            village_list=ledger.list, signatures=(SignatureInput(case=id, signed_by="张小三"),)
        ),
        "storekeeper",
    ),
    "an allocation's fund": ("fund", lambda ledger, id: ledger.allocation(fund=id), "county"),
    "the fund that is given back to": ("fund", _returned, "county"),
}


def said(refusal: Any, id: UUID) -> tuple[type[Any], str]:
    """What a stranger learns of the answer: all of it but the id that they named themselves."""
    assert isinstance(refusal, Refusal)
    return type(refusal), str(refusal.facts()).replace(str(id), "…")


@pytest.mark.parametrize("name", NAMED)
def test_a_thing_of_another_county_is_answered_as_one_that_is_not_there(name: str) -> None:
    """D5, G9: which of several ids is unknown told what exists elsewhere."""
    thing, make, by = NAMED[name]
    step = {"case to strike": "posted", "case to add": "posted", "objection": "posted"}
    until = "payable" if "signed" in name else "approved"
    until = next((s for part, s in step.items() if part in name), until)
    ledger = Ledger().until("posted" if "appraise" in name else until)
    there = _there(ledger)
    if "case to" in name and until == "posted":
        ledger.scenario.given(objection(ledger), by="village")
    foreign, nowhere = there[thing], ledger.scenario.id("nowhere")
    answers = [
        said(ledger.scenario.when(make(ledger, id), by=by).outcome, id) for id in (foreign, nowhere)
    ]
    assert answers[0] == answers[1]


def test_a_season_is_opened_on_a_disaster_of_its_own_areas_only() -> None:
    """The city reaches both counties: it is told that the two do not belong together."""
    ledger = Ledger()
    there = _there(ledger)
    ledger.scenario.when(_season(ledger, there["disaster"]), by="city").then(OutsideDisaster)


def test_a_drill_s_disaster_opens_no_real_season_and_a_drill_s_home_is_no_real_one() -> None:
    ledger = Ledger()
    s = ledger.scenario
    drill = DeclareDisaster(
        disaster=s.id("own drill"),
        name="演练",
        hazard="flood",
        occurred_at=datetime(2017, 11, 5, tzinfo=UTC),
        area=s.id("county"),
        exercise=True,
    )
    s.given(drill, by="county")
    s.when(_season(ledger, s.id("own drill")), by="county").then(ExerciseMixed)
    s.given(family(s, "drilled", 60, 1, exercise=True), by="village")
    s.when(_house(ledger, s.id("drilled")), by="village").then(ExerciseMixed)
    ledger.until("posted")
    s.when(objection(ledger, household=s.id("drilled")), by="village").then(ExerciseMixed)
