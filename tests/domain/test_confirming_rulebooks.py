"""Two persons put rules in force: the administrator adopts, an approver compares and confirms."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest

from domain.commands.disasters import ChangeResponse, StartResponse
from domain.commands.notices import PostNotice, WithdrawNotice
from domain.commands.officers import EndAppointment
from domain.commands.payments import PayList
from domain.commands.rulebooks import AdoptRulebook, ConfirmRulebook
from domain.commands.seasons import ChangeSeasonStandard, OpenSeason
from domain.commands.village_lists import ApproveList, ReviewList
from domain.disaster import NoGroundForResponse
from domain.notice import NoticeRunning
from domain.refusal import Malformed, NotFound, NotYourRole
from domain.rulebook import NothingToConfirm, Rulebook, RulesUnconfirmed, VersionConfirmed
from domain.rules.standards import Standards
from domain.rules.thresholds import Thresholds
from domain.rules.working_days import WorkingDays
from domain.season import Season
from domain.separation import SamePersonTwice
from domain.village_list import VillageList
from domain.world import Role
from eventstore.national import editions
from tests.domain.county import appoint, appointment, make_county
from tests.domain.ledger import Ledger
from tests.domain.reporting import initial
from tests.domain.rule_files import all_files, rule
from tests.domain.scenario import Scenario
from tests.domain.test_disasters import declare, start

TODAY = date(2018, 7, 4)
OURS = "foreign_county"
"""A county without standards, thresholds or notice rules of its own: its two persons."""
ADMIN, APPROVER = "foreign_admin", "foreign_county"


@pytest.fixture
def county() -> Scenario:
    return make_county()


def adopt(county: Scenario, content: Any, version: str = "1", area: str = OURS) -> AdoptRulebook:
    return AdoptRulebook(
        area=county.id(area),
        kind=content.KIND,
        version=version,
        document_no="太应急〔2017〕1号",
        valid_from=date(2016, 1, 1),
        content=msgspec.to_builtins(content, str_keys=True),
    )


def confirm(county: Scenario, kind: type[Any], version: str = "1", area: str = OURS) -> Any:
    return ConfirmRulebook(
        rulebook=Rulebook.id_of(county.id(area), kind.KIND),
        version=version,
        document_no="太应急〔2017〕2号",
    )


def standards() -> Standards:
    return rule(Standards, "340882")


def season(county: Scenario, **more: Any) -> OpenSeason:
    values = {"area": county.id(OURS), "programme": "winter_spring", "year": 2017}
    return OpenSeason(**(values | more))


def test_what_an_administrator_adopts_waits_and_a_second_person_confirms_it(
    county: Scenario,
) -> None:
    _, adopted = county.when(adopt(county, standards()), by=ADMIN).then(
        "Rulebook.Opened", "Rulebook.Adopted"
    )
    assert adopted.waits and adopted.hands
    (fact,) = county.when(confirm(county, Standards), by=APPROVER).then("Rulebook.Confirmed")
    assert (fact.version, fact.document_no) == ("1", "太应急〔2017〕2号")
    assert fact.officer == county.officers[APPROVER] and fact.at == county.now
    assert not set(fact.hands) & set(adopted.hands)


def test_an_unconfirmed_standard_opens_no_season_and_the_refusal_names_it(
    county: Scenario,
) -> None:
    county.given(adopt(county, standards()), by=ADMIN)
    refusal = county.when(season(county), by=APPROVER).then(RulesUnconfirmed)
    assert refusal.document_no in refusal.sentence("zh") and "确认" in refusal.sentence("zh")
    assert "standards" in refusal.sentence("en") and "救助标准" in refusal.sentence("zh")
    county.given(confirm(county, Standards), by=APPROVER)
    (opened,) = county.when(season(county), by=APPROVER).then("Season.Opened")
    assert not opened.standards.unconfirmed


def test_a_drill_runs_on_unconfirmed_standards_and_says_so(county: Scenario) -> None:
    county.given(adopt(county, standards()), by=ADMIN)
    (opened,) = county.when(season(county, exercise=True), by=APPROVER).then("Season.Opened")
    assert opened.standards.unconfirmed


def test_one_person_alone_changes_no_confirmed_standard(county: Scenario) -> None:
    """What waits does not push aside what is confirmed: the older one goes on."""
    ours = season(county, area=county.id("county"))
    changed = adopt(county, standards(), "new", "county")
    county.given(changed, by="admin")
    (opened,) = county.when(ours, by="county").then("Season.Opened")
    assert opened.standards.version == "example-2016"
    county.given(confirm(county, Standards, "new", "county"), by="county2")
    change = ChangeSeasonStandard(season=opened.originator_id, reason="新标准发布")
    county.when(change, by="county").then("Season.StandardChanged")
    assert county.load(Season, opened.originator_id).standards.version == "new"


def test_a_waiting_standard_does_not_change_a_running_season(county: Scenario) -> None:
    county.given(adopt(county, standards()), by=ADMIN)
    county.given(confirm(county, Standards), by=APPROVER)
    county.given(season(county), by=APPROVER)
    id = Season.id_of(county.id(OURS), "winter_spring", 2017, None, False)
    del county.streams[Rulebook.id_of(county.id(OURS), "standards")]
    county.given(adopt(county, standards(), "2"), by=ADMIN)
    change = ChangeSeasonStandard(season=id, reason="新标准发布")
    county.when(change, by=APPROVER).then(RulesUnconfirmed)


def test_who_adopted_does_not_confirm_also_not_in_a_later_post(county: Scenario) -> None:
    appoint(county, "both", Role.ADMINISTRATOR, OURS)
    county.given(adopt(county, standards()), by="both")
    first = appointment(county, "both", Role.ADMINISTRATOR, OURS)
    end = EndAppointment(
        officer=first.officer, appointment=first.id, ends_on=TODAY, reason="轮岗到业务岗位"
    )
    county.given(end)
    county.wait(days=2)
    later = appointment(county, "both", Role.COUNTY_APPROVER, OURS, nth="later")
    county.given(replace(later, starts_on=TODAY + timedelta(days=1)))
    refusal = county.when(confirm(county, Standards), by="both").then(SamePersonTwice)
    assert "采用规则" in refusal.sentence("zh") and "adopt rules" in refusal.sentence("en")


def test_only_an_approver_there_or_above_confirms_and_once(county: Scenario) -> None:
    county.given(adopt(county, standards()), by=ADMIN)
    county.when(confirm(county, Standards), by=ADMIN).then(NotYourRole)
    county.when(confirm(county, Standards), by="county").then(NotFound)
    county.when(confirm(county, Standards, "2"), by=APPROVER).then(Malformed)
    county.when(confirm(county, Standards), by="city").then("Rulebook.Confirmed")
    county.when(confirm(county, Standards), by=APPROVER).then(NothingToConfirm)
    county.given(adopt(county, standards(), "2"), by=ADMIN)
    county.when(confirm(county, Standards), by=APPROVER).then(VersionConfirmed)


def test_the_system_may_adopt_what_waits(county: Scenario) -> None:
    """A store that is made from files: its standards are the county's to confirm."""
    county.given(replace(adopt(county, standards()), unconfirmed=True))
    county.when(season(county), by=APPROVER).then(RulesUnconfirmed)
    county.given(confirm(county, Standards), by=APPROVER)
    county.when(season(county), by=APPROVER).then("Season.Opened")


def _disaster(county: Scenario, **more: Any) -> StartResponse:
    county.given(declare(county, area=county.id(OURS), **more), by=APPROVER)
    return start(county, area=county.id(OURS))


def test_unconfirmed_thresholds_start_no_response_but_a_forecast_does(county: Scenario) -> None:
    command = _disaster(county)
    county.when(command, by=APPROVER).then(NoGroundForResponse)
    county.given(adopt(county, rule(Thresholds, "340882")), by=ADMIN)
    county.when(command, by=APPROVER).then(RulesUnconfirmed)
    by_forecast = replace(command, forecast="会商研判将达到三级条件")
    (fact,) = county.when(by_forecast, by=APPROVER).then("Disaster.ResponseStarted")
    assert fact.grounds == () and fact.rule is None, "the table is no ground of it"


def test_unconfirmed_thresholds_change_no_response(county: Scenario) -> None:
    command = _disaster(county)
    county.given(replace(command, level=4, forecast="会商研判"), by=APPROVER)
    county.given(adopt(county, rule(Thresholds, "340882")), by=ADMIN)
    graver = ChangeResponse(
        disaster=command.disaster, area=command.area, level=3, document_no="潜减灾〔2018〕3号"
    )
    county.when(graver, by=APPROVER).then(RulesUnconfirmed)
    reasoned = replace(graver, reason="会商研判将达到三级条件")
    (fact,) = county.when(reasoned, by=APPROVER).then("Disaster.ResponseChanged")
    assert fact.grounds == () and fact.rule is None


def test_an_unconfirmed_standard_changes_no_running_season(county: Scenario) -> None:
    """There is no other: the season was opened by one that has run out since."""
    short = replace(adopt(county, standards(), "short"), valid_to=date(2018, 7, 31))
    county.given(short, by=ADMIN).given(confirm(county, Standards, "short"), by=APPROVER)
    (opened,) = county.run(season(county), by=APPROVER)
    county.given(adopt(county, standards(), "next"), by=ADMIN).wait(days=400)
    change = ChangeSeasonStandard(season=opened.originator_id, reason="换标准")
    county.when(change, by=APPROVER).then(RulesUnconfirmed)


def test_money_is_due_by_plain_weekends_and_says_so_without_a_calendar(county: Scenario) -> None:
    ledger = Ledger(scenario=county)
    empty = WorkingDays(years={}, spring_festivals={})
    county.given(adopt(county, empty, area="county"), by="admin")
    allocated = _allocated(ledger)
    assert allocated.standards.plain_weekends and allocated.deliver_by is not None
    assert not _allocated(Ledger()).standards.plain_weekends


def _allocated(ledger: Ledger) -> VillageList.Allocated:
    facts = ledger.until("allocated").scenario.facts
    (found,) = [one for one in facts if isinstance(one, VillageList.Allocated)]
    return found


def test_confirmed_thresholds_are_asked(county: Scenario) -> None:
    command = _disaster(county)
    county.given(adopt(county, rule(Thresholds, "340882")), by=ADMIN)
    county.given(confirm(county, Thresholds), by=APPROVER)
    county.when(command, by=APPROVER).then(NoGroundForResponse)


def _without_notice_rules(county: Scenario) -> Ledger:
    """Nothing is adopted: the default that comes with the program, which is an example."""
    for area in ("nation", "county"):
        del county.streams[Rulebook.id_of(county.id(area), "notices")]
    return Ledger(scenario=county)


def _own_notices(days: int) -> Any:
    return msgspec.structs.replace(
        next(book.typed for book in all_files() if book.kind == "notices"), minimum_days=days
    )


def test_unconfirmed_notice_rules_end_no_notice(county: Scenario) -> None:
    """It hangs, and may be taken down; it counts once confirmed rules find it long enough."""
    ledger = _without_notice_rules(county).until("listed")
    (posted,) = county.when(PostNotice(village_list=ledger.list), by="village").then(
        "VillageList.Posted"
    )
    assert posted.notices.unconfirmed
    review = ReviewList(village_list=ledger.list)
    county.wait(days=8).when(review, by="township").then(RulesUnconfirmed)
    county.given(adopt(county, _own_notices(10), area="county"), by="admin")
    county.when(review, by="township").then(RulesUnconfirmed)
    county.given(confirm(county, type(_own_notices(10)), area="county"), by="county2")
    county.when(review, by="township").then(NoticeRunning)
    county.wait(days=2).given(review, by="township")


def test_a_notice_by_unconfirmed_rules_comes_down_and_still_does_not_count(
    county: Scenario,
) -> None:
    ledger = _without_notice_rules(county).until("listed")
    county.given(PostNotice(village_list=ledger.list), by="village").wait(days=8)
    county.given(WithdrawNotice(village_list=ledger.list, reason="期满"), by="village")
    county.when(ReviewList(village_list=ledger.list), by="township").then(RulesUnconfirmed)


@pytest.mark.parametrize("step", ["approved", "paid"])
def test_every_later_step_asks_for_the_notices_rules(county: Scenario, step: str) -> None:
    """A list that was posted by confirmed rules and again by rules that nobody confirmed."""
    ledger = Ledger(scenario=county)
    if step == "approved":
        saved = dict(county.streams)
        ledger.until("listed")
        for area in ("nation", "county"):
            del county.streams[Rulebook.id_of(county.id(area), "notices")]
        county.given(PostNotice(village_list=ledger.list), by="village").wait(days=8)
        _put_back(county, saved)
        county.given(ReviewList(village_list=ledger.list), by="township")
        for area in ("nation", "county"):
            del county.streams[Rulebook.id_of(county.id(area), "notices")]
        command: Any = ApproveList(village_list=ledger.list, document_no="县定1号")
        county.when(command, by="county").then(RulesUnconfirmed)
        return
    ledger.until("allocated")
    for area in ("nation", "county"):
        del county.streams[Rulebook.id_of(county.id(area), "notices")]
    ledger._posted_again()
    ledger._payable()
    county.when(PayList(village_list=ledger.list, document_no="支1号"), by="payer")
    county.then(RulesUnconfirmed)


def _put_back(county: Scenario, saved: dict[UUID, Any]) -> None:
    for area in ("nation", "county"):
        id = Rulebook.id_of(county.id(area), "notices")
        county.streams[id] = saved[id]


def test_a_report_says_which_of_its_rules_nobody_confirmed(county: Scenario) -> None:
    """Rules that check or remind run all the same."""
    deadlines = next(b.typed for b in all_files() if b.kind == "deadlines")
    county.given(adopt(county, deadlines), by=ADMIN)
    command = replace(initial(county), area=county.id("foreign_village"))
    (fact, *_) = county.run(command, by="foreign_village")
    told = {ref.kind: ref.unconfirmed for ref in fact.filed.rules}
    assert told["deadlines"] is True and told["indicators"] is False


def test_files_say_whether_somebody_compared_them() -> None:
    """What a file marks as example or to be verified is never told as confirmed."""
    for book in all_files():
        marked = any(
            mark in msgspec.json.encode(book.content) for mark in (b'"verify":true', b'"example"')
        )
        if (
            marked
            or "非正式" in book.document_no
            or "regional" in book.name
            or "examples" in book.name
        ):
            assert book.status != "confirmed", book.name
    assert [one.confirmed for one in editions("deadlines")] == [True]
    assert [one.confirmed for one in editions("notices")] == [False]
