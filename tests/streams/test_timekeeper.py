"""The timekeeper on a real store: what is due happens once, at its time or late, never before."""

import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from domain.base import Event
from domain.catalog import AGGREGATES
from domain.commands.incidents import TriageIncident
from domain.commands.notices import WithdrawNotice
from domain.commands.rulebooks import AdoptRulebook
from domain.incident import Incident
from domain.village_list import VillageList
from domain.world import Command, Role
from eventstore.clock import Machine, SimulatedClock, machine_now
from eventstore.outcomes import Envelope, Refused
from eventstore.store import Store
from projections.catalog import VIEWS
from projections.folding.engine import ViewsDatabase
from projections.folding.reader import ViewsReader
from streams.embedded import Follower
from streams.keeping import Keeper, accept_clock, advance_clock
from streams.timekeeper import Timekeeper
from tests.api.seed import NOW, id_of, officer_of, seed

WITHDRAWN = NOW + timedelta(days=7 + 30)
"""When all notices of the store leave the web: they hang seven days, and thirty more are given."""
NOTICES = 7
COUNTY = "county"
DESK = (Role.DISPATCHER, COUNTY)
LIMIT = timedelta(minutes=15)


@pytest.fixture(scope="module")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with posted notices and open incidents, all of them at one moment."""
    folder = tmp_path_factory.mktemp("seeded")
    store = Store.at(folder, AGGREGATES)
    store.begin_simulated(NOW)
    seed(store)
    limits = {"acknowledge": [{"priority": 1, "minutes": 15}], "up_to": "province"}
    adopted = AdoptRulebook(
        area=id_of(COUNTY),
        kind="dispatch",
        version="1",
        document_no="潜应急〔2018〕1号",
        valid_from=date(2018, 1, 1),
        content=limits,
    )
    store.run(Envelope(id=uuid4(), officer=None, command=adopted))
    store.close()
    return folder


@dataclass
class Process:
    """One process of a store with its views and its timekeeper, all moved by hand."""

    store: Store
    follower: Follower
    timekeeper: Timekeeper

    def catch_up(self) -> None:
        while self.follower.step():
            pass

    def at(self, moment: datetime) -> "Process":
        assert isinstance(self.store.clock, SimulatedClock)
        self.store.clock.move_to(moment)
        return self

    def passes(self) -> int:
        """A pass on views that are up to date."""
        self.catch_up()
        return self.timekeeper.step()

    def facts(self, *kinds: type[Event]) -> list[Event]:
        found = [one.event for one in self.store.read(0, 100_000)]
        return [fact for fact in found if isinstance(fact, kinds)]

    def outcomes(self) -> int:
        """How many commands have an answer: one that is repeated adds none."""
        return int(self.store.log.fetch("SELECT count(*) FROM outcomes")[0][0])

    def do(self, command: Command, role: Role, area: str) -> None:
        by = officer_of(role, area)
        self.store.run(Envelope(id=uuid4(), officer=by, command=command))


@contextmanager
def process(folder: Path, **options: Callable[[], bool]) -> Iterator[Process]:
    with ExitStack() as closing:
        store = Store.at(folder, AGGREGATES)
        closing.callback(store.close)
        views = ViewsDatabase(folder / "views.sqlite", VIEWS)
        closing.callback(views.close)
        reader = ViewsReader(views.path)
        closing.callback(reader.close)
        timekeeper = Timekeeper(store, reader, interval=0.02, **options)  # type: ignore[arg-type]
        closing.callback(timekeeper.stop)
        yield Process(store, Follower(store, views), timekeeper)


@pytest.fixture
def folder(seeded: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(seeded, tmp_path / "store"))


def withdrawals(one: Process) -> list[Event]:
    return one.facts(VillageList.Withdrawn)


def test_nothing_happens_before_it_is_due(folder: Path) -> None:
    with process(folder) as one:
        assert {fact.withdraw_at for fact in one.facts(VillageList.Posted)} == {WITHDRAWN}
        head = one.store.head()
        assert one.at(WITHDRAWN - timedelta(milliseconds=1)).passes() == 0
        assert one.store.head() == head
        assert list(one.timekeeper.due(one.store.clock.now())) == [], "nor is it asked for"


def test_a_notice_comes_down_at_its_time_and_once(folder: Path) -> None:
    with process(folder) as one:
        assert one.at(WITHDRAWN + timedelta(milliseconds=1)).passes() == NOTICES
        assert one.timekeeper.step() == 0, "the views do not know of it yet"
        assert one.passes() == 0
        found = withdrawals(one)
        assert len({fact.originator_id for fact in found}) == len(found) == NOTICES
        assert {fact.meta.role for fact in found} == {"system"}
        assert not any(fact.early for fact in found)


def test_what_became_due_by_an_advanced_clock_happens_beside_a_running_server(
    folder: Path,
) -> None:
    """Another process moves the clock, as `relief clock advance` does."""
    with process(folder) as one:
        one.store.run_clock()
        other = Store.at(folder, AGGREGATES)
        advance_clock(other, by=timedelta(days=36), rate=1, operator="li")
        Keeper(one.store).step()
        assert one.passes() == 0
        advance_clock(other, by=timedelta(days=1, minutes=1), rate=1, operator="li")
        other.close()
        Keeper(one.store).step()
        assert one.passes() == NOTICES


def test_a_restart_does_nothing_again_though_the_views_lag(folder: Path) -> None:
    with process(folder) as one:
        assert one.at(WITHDRAWN + timedelta(hours=1)).passes() == NOTICES
        head, outcomes = one.store.head(), one.outcomes()
    with process(folder) as again:
        assert again.at(WITHDRAWN + timedelta(hours=1)).timekeeper.step() == 0
        assert again.passes() == 0
        assert (again.store.head(), again.outcomes()) == (head, outcomes), "the first answers"


def test_nobody_can_switch_a_duty_off_by_using_its_id_first(folder: Path) -> None:
    """Its ids followed from public text once: whoever sent one first ended the duty for ever."""
    with process(folder) as one:
        one.at(WITHDRAWN + timedelta(hours=1)).catch_up()
        due = list(one.timekeeper.due(one.store.clock.now()))
        by = officer_of(Role.DISPATCHER, COUNTY)
        triage = TriageIncident(incident=id_of("incident/county"), priority=1)
        for each in due:
            one.store.run(Envelope(id=each.old_id(0), officer=by, command=triage))
        assert one.passes() == len(due) == NOTICES
        used = {fact.meta.command for fact in withdrawals(one)}
        assert {id.version for id in used} == {4} and not used & {each.old_id(0) for each in due}


def test_what_was_done_under_an_id_of_before_is_not_done_again(folder: Path) -> None:
    with process(folder) as one:
        moment = WITHDRAWN + timedelta(hours=1)
        one.at(WITHDRAWN - timedelta(hours=1)).catch_up()
        due = list(one.timekeeper.due(moment))
        early = due[0]
        with pytest.raises(Refused, match="due"):
            one.store.run(Envelope(id=early.old_id(0), officer=None, command=early.command))
        one.at(moment)
        for each in due:
            attempt = 1 if each is early else 0
            id = each.old_id(attempt)
            one.store.run(Envelope(id=id, officer=None, command=each.command))
        head, outcomes = one.store.head(), one.outcomes()
        for _ in range(2):
            assert one.timekeeper.step() == 0, "the views do not know of it yet"
        assert (one.store.head(), one.outcomes()) == (head, outcomes)
        assert one.passes() == 0 and len(withdrawals(one)) == NOTICES


def test_two_at_the_same_time_are_one(folder: Path) -> None:
    with process(folder) as one, process(folder) as other:
        one.catch_up()
        both, together, before = [one, other], threading.Barrier(2), one.outcomes()
        done: list[int] = []

        def keep(each: Process) -> None:
            each.at(WITHDRAWN + timedelta(hours=1))
            together.wait()
            done.append(each.timekeeper.step())

        threads = [threading.Thread(target=keep, args=(each,)) for each in both]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(done) == 2 and sum(done) == NOTICES
        assert one.outcomes() == before + NOTICES
        assert len(withdrawals(one)) == NOTICES


def test_who_was_away_catches_up_and_says_that_it_is_late(folder: Path) -> None:
    late = WITHDRAWN + timedelta(days=10)
    with process(folder) as one:
        assert one.at(late).passes() == NOTICES
        assert {fact.meta.recorded_at for fact in withdrawals(one)} == {late}
        assert {fact.withdraw_at for fact in one.facts(VillageList.Posted)} == {WITHDRAWN}


def test_only_the_leader_acts(folder: Path) -> None:
    leads = [False]
    with process(folder, leader=lambda: leads[0]) as one:
        assert one.at(WITHDRAWN + timedelta(hours=1)).passes() == 0
        leads[0] = True
        assert one.passes() == NOTICES


def test_an_incident_nobody_answers_goes_to_the_area_above_once(folder: Path) -> None:
    with process(folder) as one:
        incident = id_of("incident/county")
        one.do(TriageIncident(incident=incident, priority=1), Role.DISPATCHER, COUNTY)
        due_at = one.store.clock.now() + LIMIT
        assert one.at(due_at - timedelta(seconds=1)).passes() == 0
        assert one.at(due_at + timedelta(seconds=30)).passes() == 1
        assert one.passes() == 0
        (missed,) = one.facts(Incident.AcknowledgementMissed)
        (escalated,) = one.facts(Incident.Escalated)
        assert (missed.originator_id, missed.due_at) == (incident, due_at)
        assert missed.meta.recorded_at == due_at + timedelta(seconds=30)
        assert (escalated.to, escalated.meta.role) == (id_of("city"), "system")


def test_nothing_happens_by_a_clock_that_is_held(folder: Path) -> None:
    """F3: nothing escalates while nobody knows the time; afterwards it is counted from what was
    left when the clock was last right."""
    year = timedelta(days=400)
    with process(folder) as one:
        store, wall = one.store, [machine_now(), 1000.0]
        store.real.machine = Machine(
            wall=lambda: wall[0], boot=lambda: wall[1], boot_id=lambda: "1", host=lambda: "m"
        )
        store.real.accept()
        store.run_clock()
        one.do(TriageIncident(incident=id_of("incident/county"), priority=1), *DESK)
        keeper = Keeper(store)

        def passes(real: timedelta, leap: timedelta = timedelta(0)) -> int:
            wall[0] += real + leap
            wall[1] += real.total_seconds()
            keeper.step()
            return one.passes()

        assert passes(timedelta(minutes=10), year) == 0
        assert store.clock.held is not None
        assert passes(timedelta(minutes=10)) == 0, "the limit is over by the held clock"
        assert passes(timedelta(days=60)) == 0, "nor does a notice come down"
        accept_clock(store, reason="核对过：机器时间正确", operator="li")
        assert passes(timedelta(minutes=4)) == 0, "five minutes were left"
        assert passes(timedelta(minutes=2)) == 1
        assert len(one.facts(Incident.Escalated)) == 1
        assert passes(timedelta(days=36)) == 0
        assert passes(timedelta(days=2)) == NOTICES


def test_what_a_rule_refuses_is_not_tried_for_ever(folder: Path) -> None:
    with process(folder) as one:
        one.catch_up()
        one.at(WITHDRAWN + timedelta(hours=1))
        (first, *_) = one.facts(VillageList.Posted)
        village = one.store.load(first.originator_id).village
        name = next(a for a in ("yuantan_1", "yuantan_2", "shuihou_1") if id_of(a) == village)
        down = WithdrawNotice(village_list=first.originator_id, reason="撤下")
        one.do(down, Role.VILLAGE_REPORTER, name)
        assert one.timekeeper.step() == NOTICES - 1, "the views did not know of the one"
        answered = one.outcomes()
        sent: list[int] = []
        run_many = one.store.run_many
        one.store.run_many = lambda found: sent.append(len(found)) or run_many(found)  # type: ignore
        assert one.timekeeper.step() == 0 and sent == [0]
        assert one.outcomes() == answered
        assert len(withdrawals(one)) == NOTICES


def test_a_clock_that_was_ahead_costs_one_more_try(folder: Path) -> None:
    """Refused for being early, the command is stored as refused: it is sent under its next id."""
    with process(folder) as one:
        one.catch_up()
        assert one.timekeeper.step(WITHDRAWN + timedelta(hours=1)) == 0
        assert withdrawals(one) == []
    with process(folder) as again:
        again.at(WITHDRAWN + timedelta(hours=1)).catch_up()
        assert again.timekeeper.step() == 0, "it hears that it was early"
        assert again.timekeeper.step() == NOTICES
        assert len(withdrawals(again)) == NOTICES


def test_it_runs_on_a_thread_beside_the_follower(folder: Path) -> None:
    with process(folder) as one:
        one.follower.start()
        one.timekeeper.start()
        one.at(WITHDRAWN + timedelta(hours=1))
        deadline = time.monotonic() + 10
        while len(withdrawals(one)) < NOTICES:
            assert time.monotonic() < deadline, "nothing happened"
            one.store.watch.wait(one.store.head(), 0.05)
        one.timekeeper.stop()
        one.follower.stop()
        assert one.follower.failure is None
        assert len(withdrawals(one)) == NOTICES
