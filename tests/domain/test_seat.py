"""The store's seat: its own report is issued 签发 by a second person, and noted as sent upward."""

from datetime import timedelta
from typing import Any

import pytest

from domain.area import AreaLevel
from domain.commands.areas import AreaPlan, EstablishAreas
from domain.commands.disasters import DeclareDisaster
from domain.commands.issuing import IssueReport, RecordSentUpward
from domain.commands.reports import FileVerifiedReport, PhoneInReport
from domain.commands.reviews import AcceptReport, ReturnReport, SetPartsAside, StabilizeReport
from domain.commands.store import RecordStore
from domain.refusal import ChangedMeanwhile, NotFound, NotYourRole
from domain.report_filing import Review
from domain.report_refusals import (
    AlreadyIssued,
    AlreadySentUpward,
    IssuesOwnReport,
    NotIssuedYet,
    NotTheSeat,
    SentBeforeFiled,
    VerifiedReportHasErrors,
)
from domain.store import Store
from domain.world import Role
from tests.domain.county import SINCE, appoint, appointment, make_county, register
from tests.domain.reporting import BEGUN, START, follow_up, initial, loaded, phoned
from tests.domain.scenario import BORN, Scenario
from tests.domain.test_separation import stand_in

KNOWN = {"affected": 10, "missing": 0, "injured": 2, "severely_injured": 1}
ONE_DEAD = {**KNOWN, "dead": 1}
NOBODY_DEAD = {**KNOWN, "dead": 0}


def seated(area: str = "county") -> Scenario:
    """The county's store: nobody is asked whether the city has people in post."""
    county = make_county()
    return county.given(RecordStore(born=BORN, seat=county.id(area)))


def issue(county: Scenario, area: str = "county", version: int = 1) -> IssueReport:
    return IssueReport(report=county.id(f"report/{area}"), version=version)


def sent(county: Scenario, **change: Any) -> RecordSentUpward:
    values: dict[str, Any] = {
        "report": county.id("report/county"),
        "version": 1,
        "sent_at": county.now,
        "receipt_no": "安庆应急收〔2018〕17号",
    }
    return RecordSentUpward(**(values | change))


def begin_disaster(county: Scenario) -> None:
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


def filed(area: str = "county", by: str = "county", seat: str = "county") -> Scenario:
    county = seated(seat)
    return county.given(initial(county, area, figures=ONE_DEAD), by=by)


def test_a_second_person_of_the_seat_issues_its_report() -> None:
    county = filed()
    (fact,) = county.when(issue(county), by="county2").then("SituationReport.Issued")
    report = loaded(county, "county")
    assert report.review is Review.ISSUED
    assert report.accepted is not None and report.accepted.figures["dead"] == 1
    assert fact.hands == (county.id("person/county2"),)
    assert fact.upward_due_at == START + timedelta(hours=2)  # 县→市, of the occurrence
    assert county.result["upward_due_at"] == fact.upward_due_at.isoformat()


def test_nobody_issues_what_they_filed() -> None:
    county = filed()
    refused = county.when(issue(county), by="county").then(IssuesOwnReport)
    assert "另一名人员签发" in refused.sentence("zh")


def test_a_stand_in_counts_as_who_filed_it() -> None:
    county = filed()
    register(county, "stand_in", "county")
    stand_in(county, "stand_in", "county")
    county.when(issue(county), by="stand_in").then(IssuesOwnReport)


def test_who_wrote_a_call_down_does_not_issue_it() -> None:
    county = seated()
    call = phoned(county, area=county.id("county"), report=county.id("report/county"), caller=None)
    assert isinstance(call, PhoneInReport)
    county.given(call, by="county2")
    county.when(issue(county), by="county2").then(IssuesOwnReport)
    county.when(issue(county), by="county").then("SituationReport.Issued")


def test_two_approvers_take_turns() -> None:
    """Who filed the first version may issue the second, which the other has filed; also a 核报."""
    county = filed().given(issue(make_county()), by="county2")
    county.wait(hours=1)
    county.given(follow_up(county, area="county", figures=ONE_DEAD), by="county2")
    county.when(issue(county, version=2), by="county2").then(IssuesOwnReport)
    county.given(issue(county, version=2), by="county")
    stable = StabilizeReport(report=county.id("report/county"), stable_at=county.now)
    county.given(stable, by="county")
    verified = follow_up(county, FileVerifiedReport, "county", figures=ONE_DEAD)
    county.when(verified, by="county2").then("SituationReport.Verified")
    county.when(issue(county, version=3), by="county2").then(IssuesOwnReport)


def test_it_is_issued_once_as_it_was_seen_and_nowhere_else() -> None:
    county = filed()
    county.when(issue(county, version=2), by="county2").then(ChangedMeanwhile)
    county.given(issue(county), by="county2")
    county.when(issue(county), by="county2").then(AlreadyIssued)
    county.given(initial(county, "yuantan"), by="township")
    county.when(issue(county, "yuantan"), by="county2").then(NotYourRole)
    county.when(issue(county, "yuantan"), by="township_b").then(NotTheSeat)
    county.when(issue(county, "county"), by="payer").then(NotYourRole)


def test_a_store_that_knows_no_seat_issues_nothing() -> None:
    county = make_county()
    county.given(initial(county, "county"), by="county")
    county.when(issue(county), by="county2").then(NotTheSeat)
    accept = AcceptReport(report=county.id("report/county"), version=1)
    county.when(accept, by="city").then("SituationReport.Accepted")


def test_a_verified_report_with_an_error_is_not_issued() -> None:
    county = filed().given(issue(make_county()), by="county2")
    stable = StabilizeReport(report=county.id("report/county"), stable_at=county.now)
    county.given(stable, by="county2")
    wrong = {**ONE_DEAD, "severely_injured": 5}
    county.given(follow_up(county, FileVerifiedReport, "county", figures=wrong), by="county")
    county.when(issue(county, version=2), by="county2").then(VerifiedReportHasErrors)
    back = ReturnReport(report=county.id("report/county"), version=2, reason="重伤多于受伤")
    county.when(back, by="county").then(IssuesOwnReport)
    county.when(back, by="county2").then("SituationReport.Returned")


def test_sent_upward_within_the_minute_of_its_filing_is_believed() -> None:
    """A page says minutes: what it offers as "now" is cut to them."""
    county = seated().wait(seconds=40)
    minute = county.now.replace(second=0)
    county.given(initial(county, "county", figures=ONE_DEAD), by="county")
    county.given(issue(county), by="county2")
    before = sent(county, sent_at=minute - timedelta(seconds=1))
    county.when(before, by="county").then(SentBeforeFiled)
    county.when(sent(county, sent_at=minute), by="county").then("SituationReport.SentUpward")


def test_it_says_when_it_was_sent_upward_and_under_which_number() -> None:
    county = filed()
    county.when(sent(county), by="county").then(NotIssuedYet)
    county.given(issue(county), by="county2")
    early = START + timedelta(minutes=1)
    county.when(sent(county, sent_at=early), by="county").then(SentBeforeFiled)
    county.when(sent(county), by="county").then("SituationReport.SentUpward")
    county.when(sent(county), by="county").then(AlreadySentUpward)
    county.when(sent(county, receipt_no="更正：18号"), by="county2").then(
        "SituationReport.SentUpward"
    )
    assert loaded(county, "county").sent[1].receipt_no == "更正：18号"


def test_the_seat_moves_up_with_the_first_post_there_and_what_was_issued_stays() -> None:
    county = filed().given(issue(make_county()), by="county2")
    register(county, "city_new", "city")
    post = appointment(county, "city_new", Role.CITY_REVIEWER, "city")
    county.when(post).then("Officer.Appointed", "Store.SeatMoved")
    assert county.load(Store, Store.id_of(BORN)).seat == county.id("city")
    kept = loaded(county, "county")
    assert kept.review is Review.ISSUED and kept.accepted is not None
    county.given(follow_up(county, area="county", figures=ONE_DEAD), by="county")
    county.when(issue(county, version=2), by="county2").then(NotTheSeat)
    accept = AcceptReport(report=county.id("report/county"), version=2)
    county.when(accept, by="city_new").then("SituationReport.Accepted")
    register(county, "second", "county")
    below = appointment(county, "second", Role.COUNTY_APPROVER, "county")
    county.when(below).then("Officer.Appointed")


def test_an_auditor_from_above_only_looks_and_moves_no_seat() -> None:
    """The county's report would wait for a city reviewer whom nobody has appointed."""
    county = filed()
    register(county, "looks", "city")
    looks = appointment(county, "looks", Role.AUDITOR, "city")
    county.when(looks).then("Officer.Appointed")
    county.when(issue(county), by="county2").then("SituationReport.Issued")


# -- the story of the issue, wherever the seat is -------------------------------------------


@pytest.fixture
def city() -> Scenario:
    return seated("city")


def test_a_county_as_seat_makes_a_villages_death_official() -> None:
    county = seated()
    county.given(initial(county, "yuantan_1", figures=ONE_DEAD), by="village")
    county.given(AcceptReport(report=county.id("report/yuantan_1"), version=1), by="township")
    split = {str(county.id("yuantan")): ONE_DEAD}
    county.when(initial(county, "county", figures=ONE_DEAD, split=split), by="county").then(*BEGUN)
    county.when(issue(county), by="county2").then("SituationReport.Issued")
    assert loaded(county, "county").accepted is not None


def test_a_city_as_seat_accepts_its_two_counties_and_issues_its_own(city: Scenario) -> None:
    appoint(city, "city2", Role.CITY_REVIEWER, "city")
    for area, by in (("county", "county"), ("foreign_county", "foreign_county")):
        city.given(initial(city, area, figures=ONE_DEAD), by=by)
        city.when(issue(city, area), by=by).then(NotTheSeat)
        accept = AcceptReport(report=city.id(f"report/{area}"), version=1)
        city.when(accept, by="city").then("SituationReport.Accepted")
    both = {**ONE_DEAD, "dead": 2}
    city.given(initial(city, "city", figures=both), by="city")
    city.when(issue(city, "city"), by="city").then(IssuesOwnReport)
    city.when(issue(city, "city"), by="county").then(NotFound)
    city.when(issue(city, "city"), by="city2").then("SituationReport.Issued")


def test_a_county_right_under_a_province_is_a_seat_like_any_other() -> None:
    """A district of 重庆, 仙桃市: no city lies between."""
    here = make_county()
    plans = (
        ("chongqing", "500000", "重庆市", AreaLevel.PROVINCE, "nation"),
        ("district", "500101", "万州区", AreaLevel.COUNTY, "chongqing"),
        ("street", "500101001000", "高笋塘街道", AreaLevel.TOWNSHIP, "district"),
    )
    areas = tuple(
        AreaPlan(
            id=here.id(key),
            code=code,
            name=name,
            level=level,
            parent=here.id(parent),
        )
        for key, code, name, level, parent in plans
    )
    here.given(EstablishAreas(areas=areas, document_no="x", established_on=SINCE))
    here.given(RecordStore(born=BORN, seat=here.id("district")))
    for name in ("first", "second"):
        appoint(here, name, Role.COUNTY_APPROVER, "district")
    here.given(initial(here, "district", figures=ONE_DEAD), by="first")
    here.when(issue(here, "district"), by="first").then(IssuesOwnReport)
    (fact,) = here.when(issue(here, "district"), by="second").then("SituationReport.Issued")
    assert fact.upward_due_at == START + timedelta(hours=2)


def test_the_second_person_of_the_seat_sets_parts_aside() -> None:
    """Nobody above could: a 核报 with fewer dead than its parts would never become official."""
    county = seated()
    begin_disaster(county)
    into = {"disaster": county.id("flood")}
    county.given(initial(county, "yuantan", figures=ONE_DEAD, **into), by="township")
    county.given(AcceptReport(report=county.id("report/yuantan"), version=1), by="county")
    county.given(initial(county, "county", figures=NOBODY_DEAD, **into), by="county")
    decided = SetPartsAside(
        report=county.id("report/county"),
        version=1,
        parts={"dead": 1},
        document_no="潜减办〔2018〕3号",
        reason="源潭所报一人经公安核实为病故",
    )
    county.when(decided, by="county").then(IssuesOwnReport)
    county.when(decided, by="city").then(NotYourRole)
    county.when(decided, by="county2").then("SituationReport.PartsSetAside")
