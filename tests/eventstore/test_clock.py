"""The one clock does not follow the machine's when that leaps. Time in these tests is injected."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from api.noticing import clock_notices, why_held
from cli.doctor_ledger import _clock
from cli.settings import Settings
from domain.catalog import AGGREGATES
from domain.commands.store import AdvanceClock
from domain.lateness import HeldSpan, HeldTime
from domain.store import Decision, Hold
from eventstore.accounts import SESSION_SECONDS, Accounts
from eventstore.clock import Clock, Machine, SimulatedClock, clock_state
from eventstore.invitations import Invitations
from eventstore.lineage import run_about
from eventstore.store import Store
from streams.keeping import Keeper, accept_clock, advance_clock
from streams.metrics import waiting_seconds
from tests.eventstore.support import found_town, new_unit, officer, send

NOON = datetime(2026, 7, 4, 4, tzinfo=UTC)
YEAR = timedelta(days=400)


@dataclass
class Given:
    """A machine whose time a test sets: wall time apart from the time since boot."""

    wall: datetime = NOON
    boot: float = 1000.0
    boot_id: str = "first"

    def passes(self, seconds: float) -> None:
        self.wall += timedelta(seconds=seconds)
        self.boot += seconds

    def leaps(self, by: timedelta) -> None:
        self.wall += by

    def machine(self) -> Machine:
        return Machine(
            lambda: self.wall, lambda: self.boot, lambda: self.boot_id, lambda: "the machine"
        )


@pytest.fixture
def given() -> Given:
    return Given()


@pytest.fixture
def store(given: Given, tmp_path: Path) -> Iterator[Store]:
    made = found_town(opened(tmp_path, given))
    yield made
    made.close()


def opened(folder: Path, given: Given) -> Store:
    return Store.at(folder, AGGREGATES, Clock(given.machine()))


def stamp_of_next(store: Store, name: str) -> datetime:
    send(store, new_unit(name), by="dispatcher")
    return store.read(store.head() - 1)[0].event.meta.recorded_at


def test_a_closed_lid_is_no_leap(given: Given) -> None:
    clock = Clock(given.machine())
    given.passes(14 * 3600)
    assert clock.now() == given.wall and clock.held is None


def test_a_small_correction_is_followed(given: Given) -> None:
    clock = Clock(given.machine())
    for by in (timedelta(seconds=40), -timedelta(minutes=4)):
        given.leaps(by)
        given.passes(1)
        assert clock.now() == given.wall and clock.held is None


@pytest.mark.parametrize("by", [YEAR, -YEAR, timedelta(minutes=6)])
def test_a_leap_is_not_followed(given: Given, by: timedelta) -> None:
    clock = Clock(given.machine())
    given.leaps(by)
    given.passes(60)
    assert clock.now() == NOON + timedelta(minutes=1)
    assert clock.held is not None and clock.held.good <= NOON + timedelta(minutes=1)
    given.passes(60)
    assert clock.now() == NOON + timedelta(minutes=2), "it goes on from the last good time"


def test_a_clock_that_comes_back_is_used_again(given: Given) -> None:
    clock = Clock(given.machine())
    given.leaps(YEAR)
    given.passes(10)
    assert clock.held is not None
    given.leaps(-YEAR)
    assert clock.held is None and clock.now() == given.wall


def test_facts_are_never_stamped_by_a_clock_that_leapt(store: Store, given: Given) -> None:
    """F3: 400 days for ten seconds once stamped every later fact with a day of the next year."""
    given.leaps(YEAR)
    given.passes(10)
    assert stamp_of_next(store, "during") == NOON + timedelta(seconds=10)
    given.leaps(-YEAR)
    given.passes(10)
    assert stamp_of_next(store, "after") == NOON + timedelta(seconds=20)


def test_a_fact_says_whether_its_stamp_is_of_a_held_clock(store: Store, given: Given) -> None:
    stamp_of_next(store, "before")
    given.leaps(YEAR)
    stamp_of_next(store, "during")
    given.leaps(-YEAR)
    stamp_of_next(store, "after")
    last = store.read(store.head() - 3)
    assert [recorded.event.meta.clock_held for recorded in last] == [False, True, False]


def test_how_long_a_fact_has_waited_is_counted_by_the_clock_that_stamped_it(
    store: Store, given: Given
) -> None:
    """By the machine's time, which had leapt, views once were 400 days behind and not ready."""
    given.leaps(YEAR)
    stamp_of_next(store, "during")
    given.passes(5)
    head = store.head()
    assert waiting_seconds(store, [head - 1], head) == {head - 1: 5.0}


def test_a_clock_says_up_to_when_it_was_right(given: Given) -> None:
    clock = Clock(given.machine())
    began = datetime(2018, 7, 4, tzinfo=UTC)
    exercise = SimulatedClock(began, real=clock, rate=60)
    exercise.run()
    given.passes(60)
    assert clock.good_until is None and exercise.good_until is None
    given.leaps(YEAR)
    assert clock.good_until == NOON + timedelta(minutes=1)
    given.passes(3600)
    assert clock.good_until == NOON + timedelta(minutes=1)
    assert exercise.good_until == began + timedelta(hours=1)


@pytest.mark.parametrize("ends", ["returned", "accepted", "accepted elsewhere"])
def test_the_time_it_was_held_for_is_written_down(
    store: Store, given: Given, tmp_path: Path, ends: str
) -> None:
    """So that everybody counts without it, also after a restart."""
    keeper = Keeper(store)
    given.passes(60)
    keeper.step()
    given.leaps(YEAR)
    given.passes(600)
    keeper.step()
    good, good_again = NOON + timedelta(seconds=660), NOON + YEAR + timedelta(seconds=660)
    held = store.clock.held_time
    assert held.good_until == good and not held.spans
    if ends == "returned":
        given.leaps(-YEAR)
        given.passes(5)
        good_again = NOON + timedelta(seconds=665)
        assert store.clock.now() == good_again
    else:
        decides = opened(tmp_path, given) if "elsewhere" in ends else store
        accept_clock(decides, reason="核对过：机器时间正确", operator="li")
        if decides is not store:
            decides.close()
    keeper.step()
    spans = (HeldSpan(good, good_again),)
    again = opened(tmp_path, given)
    for each in (store, again):
        assert each.clock.held_time == HeldTime(None, spans)
    again.close()


def test_nobody_is_logged_out_by_a_clock_that_leapt(store: Store, given: Given) -> None:
    """Nor does an invitation run out: they are counted by the clock that is guarded."""
    clerk = officer("dispatcher")
    accounts, invitations = Accounts(store.vault), Invitations(store)
    token, session = accounts.begin(clerk, "county")
    code = invitations.begin("county", clerk).code
    given.leaps(YEAR)
    given.passes(60)
    assert accounts.session(token, "session") is not None
    left = SESSION_SECONDS - accounts.lasts(session)
    assert left == pytest.approx(60, abs=1), "counted by the store's clock: the cookie is kept"
    assert invitations.find(code).officer == clerk


def test_a_leap_becomes_a_fact_and_so_does_the_return(store: Store, given: Given) -> None:
    keeper = Keeper(store)
    given.leaps(YEAR)
    keeper.step()
    keeper.step()
    assert list(clock_state(store.log).holds) == ["the machine"]
    given.leaps(-YEAR)
    keeper.step()
    assert clock_state(store.log).decisions == {"the machine": Decision.RETURNED}
    names = [r.event.topic() for r in store.read(0, 10_000) if r.event.topic().startswith("Store.")]
    assert names == ["Store.Opened", "Store.ClockHeld", "Store.ClockDecided"]


@pytest.mark.parametrize("wrong", ["leapt", "ahead", "behind"])
def test_why_a_clock_is_held_is_told_as_it_was(
    store: Store, given: Given, tmp_path: Path, wrong: str
) -> None:
    """A process that was started ahead of the database once was told to have leapt."""
    store.close()
    given.passes(60)
    clock = Clock(given.machine())
    server = NOON + timedelta(seconds=60)
    if wrong == "behind":
        given.leaps(-timedelta(hours=3))
    if wrong == "ahead":
        given.leaps(timedelta(hours=2, minutes=7))
    clock.begin(NOON, server=None if wrong == "behind" else server)
    if wrong == "leapt":
        given.leaps(YEAR)
    with closing(opened(tmp_path, given)) as again:
        again.clock = again.real = clock
        Keeper(again).step()
        (hold,) = clock_state(again.log).holds.values()
        assert hold.cause == wrong
        (notice,) = clock_notices(again)
        said = {
            "leapt": ("时钟于 2026-07-04 12:01 跳变", "leapt at 2026-07-04 12:01"),
            "ahead": ("比数据库服务器快 2 小时 7 分", "2 h 7 min ahead of the database server"),
            "behind": ("比最后一条记录早 2 小时 59 分", "2 h 59 min before the newest fact"),
        }
        zh, en = said[wrong]
        assert zh in notice.zh and en in notice.en
        (found,) = [one for one in _clock(Settings(data=tmp_path)) if not one.ok]
        assert zh in found.zh and en in found.en


def test_a_hold_of_before_causes_were_kept_says_none() -> None:
    hold = msgspec.convert({"good": NOON, "machine": NOON + YEAR}, Hold)
    zh, en = why_held("旧机", hold)
    assert "跳变" not in zh and "leapt" not in en and "旧机" in zh


def test_an_operators_word_in_another_process_lets_a_held_clock_go_on(
    store: Store, given: Given, tmp_path: Path
) -> None:
    keeper = Keeper(store)
    given.leaps(YEAR)
    keeper.step()
    assert stamp_of_next(store, "held") == NOON
    other = opened(tmp_path, given)
    assert other.clock.held is not None, "a process that starts now does not believe it either"
    accept_clock(other, reason="核对过：机器时间正确", operator="li")
    other.close()
    keeper.step()
    assert store.clock.held is None
    assert stamp_of_next(store, "accepted") == NOON + YEAR


def test_a_held_clock_stays_held_over_a_restart(store: Store, given: Given, tmp_path: Path) -> None:
    given.leaps(YEAR)
    Keeper(store).step()
    given.passes(600)
    again = opened(tmp_path, given)
    assert again.clock.held is not None
    assert again.clock.now() == NOON + timedelta(minutes=10), "counted by the time since boot"
    given.boot_id, given.boot = "second", 5.0
    booted = opened(tmp_path, given)
    assert booted.clock.held is not None and booted.clock.now() == NOON
    for one in (again, booted):
        one.close()


def test_a_gap_at_the_start_is_told_forward_and_held_backward(
    store: Store, given: Given, tmp_path: Path
) -> None:
    store.close()
    given.passes(90 * 86_400)
    later = opened(tmp_path, given)
    assert later.clock.held is None and later.clock.gap == timedelta(days=90)
    assert stamp_of_next(later, "after a summer") == given.wall
    later.close()
    given.leaps(-timedelta(days=10))
    early = opened(tmp_path, given)
    assert early.clock.held is not None and early.clock.now() > given.wall
    early.close()


def test_moving_or_speeding_a_simulated_clock_is_no_leap(given: Given, tmp_path: Path) -> None:
    began = datetime(2018, 7, 4, tzinfo=UTC)
    store = opened(tmp_path, given)
    store.begin_simulated(began)
    found_town(store)
    store.run_clock()
    keeper = Keeper(store)
    given.passes(60)
    other = opened(tmp_path, given)
    advance_clock(other, by=timedelta(days=3), rate=60, operator="li")
    keeper.step()
    given.passes(60)
    for one in (store, other):
        assert one.clock.held is None
        assert one.clock.now() == began + timedelta(days=3, minutes=61)
        assert one.clock.ahead_of_real == one.clock.now() - given.wall
    assert stamp_of_next(store, "in the exercise") == began + timedelta(days=3, minutes=61)
    other.close()
    store.close()
    again = opened(tmp_path, given)
    assert again.clock.now() == began + timedelta(days=3, minutes=61)
    again.close()


def test_a_leap_of_the_machine_does_not_move_a_simulated_clock(
    given: Given, tmp_path: Path
) -> None:
    store = opened(tmp_path, given)
    store.begin_simulated(datetime(2018, 7, 4, tzinfo=UTC))
    found_town(store)
    store.run_clock()
    given.leaps(YEAR)
    given.passes(60)
    assert isinstance(store.clock, SimulatedClock) and store.clock.held is not None
    assert store.clock.now() == datetime(2018, 7, 4, 0, 1, tzinfo=UTC)
    store.close()


def test_a_real_store_cannot_be_advanced(store: Store) -> None:
    with pytest.raises(Exception, match="real time"):
        run_about(store, AdvanceClock, to=NOON + YEAR, machine_at=NOON, rate=1, operator="li")
