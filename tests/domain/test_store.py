"""What the ledger knows of itself: its seat, the epoch of its log, and decisions on clocks."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from domain.commands.store import (
    AdvanceClock,
    BeginEpoch,
    DecideClock,
    DisownRow,
    HoldClock,
    RecordResealing,
    RecordStore,
)
from domain.commands.units import RegisterUnit
from domain.exercise import TrainingOnly
from domain.refusal import Malformed, NotYourRole
from domain.store import (
    FIRST_EPOCH,
    Cause,
    ClockGoesForward,
    ClockGoesTooFar,
    ClockHeldAlready,
    ClockIsReal,
    ClockNotHeld,
    Decision,
    DisownedAlready,
    EpochBegunAlready,
    HoldCause,
    ResealedAlready,
    Store,
)
from domain.unit import UnitKind
from tests.domain.county import make_county
from tests.domain.scenario import Scenario

NOON = datetime(2018, 7, 4, 4, tzinfo=UTC)
BORN = "b" * 32


@pytest.fixture
def county() -> Scenario:
    return make_county()


def told(kind: Callable[..., Any], county: Scenario, **fields: Any) -> Any:
    return kind(**{"born": BORN, "seat": county.id("county"), **fields})


def stored(county: Scenario) -> Store:
    found: Store = county.load(Store, Store.id_of(BORN))
    return found


def held(county: Scenario, host: str = "a") -> Any:
    return told(
        HoldClock,
        county,
        host=host,
        good=NOON,
        machine=NOON + timedelta(days=400),
        cause=HoldCause.LEAPT,
    )


def test_a_store_is_recorded_at_its_seat_once(county: Scenario) -> None:
    county.when(told(RecordStore, county)).then("Store.Opened")
    county.when(told(RecordStore, county)).then()
    assert stored(county).home == county.id("county")
    assert stored(county).division == county.id("county")
    assert stored(county).epoch == FIRST_EPOCH


def test_a_training_store_stays_one(county: Scenario) -> None:
    county.when(told(RecordStore, county, training=True)).then("Store.Opened")
    county.when(told(RecordStore, county, training=False)).then()
    assert stored(county).exercise is True and stored(county).marks()["exercise"] == "store"


def unit(county: Scenario, **more: Any) -> Any:
    fields: dict[str, Any] = {"area": county.id("county"), "name": "一中队", "size": 12}
    fields["kind"] = UnitKind.FIRE_RESCUE
    return RegisterUnit(**{"unit": uuid4(), **fields, **more})


def test_what_does_not_say_whether_it_is_an_exercise_is_as_the_store(county: Scenario) -> None:
    (fact,) = county.run(unit(county), "dispatcher")
    assert fact.exercise is False, "nothing is recorded yet: a real one"
    county.given(told(RecordStore, county))
    (fact,) = county.run(unit(county), "dispatcher")
    assert fact.exercise is False
    (fact,) = county.run(unit(county, exercise=True), "dispatcher")
    assert fact.exercise is True, "a drill in a real store"


def test_nothing_in_a_training_store_is_in_earnest(county: Scenario) -> None:
    county.given(told(RecordStore, county, training=True))
    (fact,) = county.run(unit(county), "dispatcher")
    assert fact.exercise is True
    county.when(unit(county, exercise=True), by="dispatcher").then("Unit.Registered")
    county.when(unit(county, exercise=False), by="dispatcher").then(TrainingOnly)
    county.when(unit(county, exercise=False), by="county").then(NotYourRole)


def test_the_seat_moves_when_somebody_is_in_post_higher_up(county: Scenario) -> None:
    county.given(told(RecordStore, county))
    county.when(told(RecordStore, county, seat=county.id("city"))).then("Store.SeatMoved")
    assert stored(county).marks()["seat"] == str(county.id("city"))


def test_nobody_in_a_post_may_tell_the_store_of_itself(county: Scenario) -> None:
    for kind in (RecordStore, BeginEpoch, HoldClock, DecideClock, AdvanceClock):
        assert kind.roles == RecordStore.roles
    county.when(told(RecordStore, county), by="admin").then(NotYourRole)


def test_an_epoch_begins_once_and_the_marks_say_so(county: Scenario) -> None:
    begin = told(BeginEpoch, county, epoch="2-aa", cause=Cause.RESTORE, head=7)
    county.when(begin).then("Store.Opened", "Store.EpochBegun")
    county.when(begin).then(EpochBegunAlready)
    assert stored(county).marks()["epoch"] == "2-aa"


def test_two_processes_that_see_one_promotion_begin_one_epoch(county: Scenario) -> None:
    county.given(told(RecordStore, county, timeline="00000001"))
    first, second = (
        told(BeginEpoch, county, epoch=name, cause=Cause.PROMOTION, head=7, timeline="00000002")
        for name in ("2-aa", "2-bb")
    )
    county.when(first).then("Store.EpochBegun")
    county.when(second).then(EpochBegunAlready)
    assert stored(county).epoch == "2-aa"


def test_a_row_that_nobody_wrote_is_disowned_once_by_who_keeps_the_machine(
    county: Scenario,
) -> None:
    row = {"position": 9, "stream": uuid4(), "version": 2, "topic": "Fund.Appropriated"}
    said = {"sha256": "0a" * 32, "reason": "审计局核对", "operator": "li"}
    assert DisownRow.roles == RecordStore.roles
    county.when(told(DisownRow, county, **row | said)).then("Store.Opened", "Store.RowDisowned")
    assert stored(county).disowned == {9: "0a" * 32}
    county.when(told(DisownRow, county, **row | said)).then(DisownedAlready)
    for wrong in ({"position": 0}, {"reason": " "}, {"operator": ""}):
        county.when(told(DisownRow, county, **row | said | wrong)).then(Malformed)


def test_that_all_was_sealed_anew_is_said_once(county: Scenario) -> None:
    said = {"seals": 40, "head": 300, "root": "0a" * 32, "reason": "密库损坏", "operator": "li"}
    assert RecordResealing.roles == RecordStore.roles
    county.when(told(RecordResealing, county, **said)).then("Store.Opened", "Store.Resealed")
    county.when(told(RecordResealing, county, **said)).then(ResealedAlready)
    county.when(told(RecordResealing, county, **said | {"seals": 90})).then("Store.Resealed")
    county.when(told(RecordResealing, county, **said | {"reason": ""})).then(Malformed)


def test_a_clock_is_held_once_a_machine_until_it_is_decided(county: Scenario) -> None:
    county.when(held(county)).then("Store.Opened", "Store.ClockHeld")
    county.when(held(county)).then(ClockHeldAlready)
    county.when(held(county, "b")).then("Store.ClockHeld")
    decide = told(
        DecideClock, county, host="a", decision=Decision.ACCEPTED, reason="核对过", operator="li"
    )
    county.when(decide).then("Store.ClockDecided")
    assert set(stored(county).holds) == {"b"}
    county.when(decide).then(ClockNotHeld)


def test_an_operator_who_accepts_a_leap_says_why(county: Scenario) -> None:
    county.given(held(county))
    county.when(told(DecideClock, county, host="a", decision=Decision.ACCEPTED)).then(Malformed)
    county.when(told(DecideClock, county, host="a", decision=Decision.RETURNED)).then(
        "Store.ClockDecided"
    )


@pytest.mark.parametrize("rate", [0, 3601])
def test_a_simulated_clock_runs_within_bounds(county: Scenario, rate: int) -> None:
    ahead = told(
        AdvanceClock,
        county,
        to=county.now,
        machine_at=NOON,
        rate=rate,
        operator="li",
        simulated=True,
    )
    county.when(ahead).then(Malformed)


def test_only_a_simulated_clock_is_advanced_and_only_forward(county: Scenario) -> None:
    later = county.now + timedelta(hours=2)
    ahead = {"to": later, "machine_at": NOON, "rate": 60, "operator": "li"}
    county.when(told(AdvanceClock, county, **ahead)).then(ClockIsReal)
    county.given(told(RecordStore, county, born="s" * 32, simulated=True))
    county.when(told(AdvanceClock, county, born="s" * 32, **ahead)).then("Store.ClockAdvanced")
    far = {**ahead, "to": county.now + timedelta(days=400, minutes=1)}
    refused = county.when(told(AdvanceClock, county, born="s" * 32, **far)).then(ClockGoesTooFar)
    assert "400" in refused.sentence("zh") and "400" in refused.sentence("en")
    back = {**ahead, "to": county.now - timedelta(minutes=1)}
    county.when(told(AdvanceClock, county, born="s" * 32, **back)).then(ClockGoesForward)
