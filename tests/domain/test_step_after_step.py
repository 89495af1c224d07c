"""No step is dated before the one it follows: whoever types a time is told both."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from domain.commands.consignments import ArriveConsignment, TurnBackConsignment
from domain.commands.incidents import AssignUnit, ReassignIncident
from domain.commands.rosters import ConfirmDeath, FindMissing, RecordCasualty
from domain.commands.village_lists import MinutesInput
from domain.consignment import Consignment
from domain.disaster import Disaster
from domain.incident import Incident
from domain.moments import CLOCK_SLACK
from domain.refusal import Malformed
from domain.rules.base import china_day
from domain.season import Season
from domain.world import Command, Role
from tests.domain.county import appoint, make_county
from tests.domain.goods import came, on_the_road, order, receive, request, ship
from tests.domain.ledger import HASH, Ledger, application
from tests.domain.reporting import initial
from tests.domain.scenario import Scenario
from tests.domain.test_incidents import open_incident, with_units
from tests.domain.test_programmes import ledger_of

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def county() -> Scenario:
    return make_county()


def test_goods_do_not_arrive_before_they_left(county: Scenario) -> None:
    on_the_road(county)
    appoint(county, "storekeeper_b", Role.STOREKEEPER, "county")
    left = county.now
    count = {"consignment": county.id("load"), "counts": (came(county, 40),), "remark": "路断"}
    early = left - CLOCK_SLACK - SECOND
    for command, by in ((ArriveConsignment, "township"), (TurnBackConsignment, "storekeeper_b")):
        refused = county.when(command(**count, arrived_at=early), by=by).then(Malformed)
        assert refused.field == "arrived_at"
        assert "早于发出（2018年7月4日 16:00）" in refused.sentence("zh")
        assert "before they left (4 July 2018 16:00)" in refused.sentence("en")
        assert "15:54" in refused.sentence("zh"), "the time that was typed is said beside it"
    just = ArriveConsignment(**count, arrived_at=left - CLOCK_SLACK)
    county.given(just, by="township")


def test_no_step_of_a_unit_is_dated_before_the_one_it_follows(county: Scenario) -> None:
    """Read from the server's clock is when a unit was sent: a phone's may run a little behind."""
    desk = with_units(county)
    county.given(open_incident(county), by="village")
    county.given(desk.triage(), desk.assign(), by="dispatcher")
    sent = county.now

    def refused(command: Command, rule: str) -> None:
        answer = county.when(command, by="dispatcher").then(Malformed)
        assert answer.field == "occurred_at"
        assert rule in answer.sentence("zh")

    early = replace(desk.acknowledge(), occurred_at=sent - CLOCK_SLACK - SECOND)
    refused(early, "接令不能早于派出（2018年7月4日 16:00）")
    county.given(replace(early, occurred_at=sent - CLOCK_SLACK), by="dispatcher")
    county.wait(minutes=10)
    refused(desk.depart(late=-6), "出发不能早于接令（2018年7月4日 15:55）")
    county.given(desk.depart(late=1), by="dispatcher")
    refused(desk.reach(late=0), "到场不能早于出发（2018年7月4日 16:01）")
    county.given(desk.reach(late=5), by="dispatcher")
    refused(desk.resolve(late=4), "处置完毕不能早于到场（2018年7月4日 16:05）")
    county.given(desk.resolve(late=5), by="dispatcher")


def test_an_older_fact_of_a_sent_unit_or_load_says_when_it_was_recorded() -> None:
    for event, field in ((Incident.Assigned, "assigned_at"), (Consignment.Shipped, "shipped_at")):
        values = {"meta": {"recorded_at": "2018-07-04T08:00:00Z"}}
        event.upcast_v1_v2(values)
        assert values[field] == "2018-07-04T08:00:00Z"


def test_nobody_is_found_or_dead_before_they_went_missing(county: Scenario) -> None:
    at = county.now - timedelta(hours=2)
    county.given(initial(county), by="village")
    county.given(
        RecordCasualty(
            record=county.id("one"),
            report=county.id("report/yuantan_1"),
            area=county.id("yuantan_1"),
            fate="missing",
            full_name="王小明",
            happened_at=at,
        ),
        by="village",
    )
    found = FindMissing(record=county.id("one"), found_at=at - MINUTE)
    refused = county.when(found, by="village").then(Malformed)
    assert refused.field == "found_at"
    assert "失踪的时间（2018年7月4日 14:00）" in refused.sentence("zh")
    dead = ConfirmDeath(record=county.id("one"), died_at=at - MINUTE)
    assert county.when(dead, by="village").then(Malformed).field == "died_at"
    county.given(replace(found, found_at=at), by="village")


def test_a_meeting_is_not_held_before_a_household_on_its_list_applied() -> None:
    ledger = Ledger().apply()
    early = MinutesInput(held_on=date(2017, 10, 8), attendees=31, document_sha256=HASH)
    drawn = replace(ledger.appraisal(), minutes=early)
    refused = ledger.scenario.when(drawn, by="village").then(Malformed)
    assert refused.field == "minutes.held_on"
    assert "评议会不能早于户报（2017-10-09）" in refused.sentence("zh")
    on_the_day = replace(drawn, minutes=replace(early, held_on=date(2017, 10, 9)))
    ledger.scenario.given(on_the_day, by="village")


def test_nobody_applies_before_the_disaster_that_the_relief_is_for() -> None:
    ledger = ledger_of("emergency")
    county = ledger.scenario
    disaster = county.load(Disaster, county.load(Season, ledger.season).disaster)
    came = china_day(disaster.occurred_at)
    early = application(ledger, "a", applied_on=came - timedelta(days=1))
    refused = county.when(early, by="village").then(Malformed)
    assert refused.field == "applied_on" and "申请不能早于受灾" in refused.sentence("zh")
    county.given(replace(early, applied_on=came), by="village")


def test_goods_that_left_while_the_line_was_down_are_keyed_with_the_time_they_left(
    county: Scenario,
) -> None:
    """Keyed two hours later, and the arrival an hour before that: both as they were."""
    county.given(receive(county), by="storekeeper").given(request(county), by="township")
    county.given(order(county), by="county")
    left = county.now - timedelta(hours=2)
    for wrong, rule in (
        (county.now + CLOCK_SLACK + SECOND, "不能晚于当前时间"),
        (left - timedelta(days=400), "发出不能早于这批物资入库"),
    ):
        refused = county.when(ship(county, shipped_at=wrong), by="storekeeper").then(Malformed)
        assert refused.field == "shipped_at" and rule in refused.sentence("zh")
    county.given(ship(county, shipped_at=left), by="storekeeper")
    assert county.load(Consignment, county.id("load")).shipped_at == left
    came_at = {"counts": (came(county, 40),), "arrived_at": left + timedelta(hours=1)}
    county.given(ArriveConsignment(consignment=county.id("load"), **came_at), by="township")


def test_a_unit_that_was_told_by_radio_is_keyed_with_the_time_it_was_told(
    county: Scenario,
) -> None:
    desk = with_units(county)
    county.given(open_incident(county), by="village")
    county.given(desk.triage(), by="dispatcher")
    told = county.now - timedelta(minutes=8)

    def refused(command: AssignUnit | ReassignIncident) -> None:
        early = county.now - timedelta(minutes=10) - CLOCK_SLACK - MINUTE
        for wrong, rule in (
            (county.now + CLOCK_SLACK + SECOND, "不能晚于当前时间"),
            (early, "派出不能早于发生"),
        ):
            late = replace(command, assigned_at=wrong)
            answer = county.when(late, by="dispatcher").then(Malformed)
            assert answer.field == "assigned_at" and rule in answer.sentence("zh")

    refused(desk.assign())
    county.given(replace(desk.assign(), assigned_at=told), by="dispatcher")
    county.given(replace(desk.acknowledge(), occurred_at=told + MINUTE), by="dispatcher")
    refused(desk.reassign())
    county.given(replace(desk.reassign(), assigned_at=told + 2 * MINUTE), by="dispatcher")
    boats = replace(desk.acknowledge("boats"), occurred_at=told + 3 * MINUTE)
    county.given(boats, by="dispatcher")
