"""PostgreSQL's primary dies and an asynchronous stand-by goes on without the newest facts.

The city lives on meanwhile, and the broker has frames of what is lost. Nobody does anything but
promote the stand-by and let the one address of the database lead to it.
"""

import signal
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest

from cli.trial.broker import Broker
from cli.trial.postgres import PostgresServer
from domain.store import Cause
from eventstore.errors import LogPromoted, StoreError
from eventstore.founding import Urls
from eventstore.lineage import begun_by, epoch_of, settle_epoch
from streams.keeping import Keeper
from tests.clients import Clients
from tests.cluster.cities import CityPlace, city_on
from tests.cluster.living import FEW, SECONDS, LivingCity, newest_epoch
from tests.cluster.relaying import wait_for
from tests.cluster.standby import PRIMARY, StandBy, stand_by
from tests.cluster.workers import WorkerProcess
from tests.clusters import founded
from tests.eventstore.support import Cluster, found_town
from tests.faults import TIMEOUT
from tests.proxy import CutProxy

pytestmark = pytest.mark.timeout(TIMEOUT)


class Town(LivingCity):
    """The living city behind one address of its database, which has a stand-by."""

    def __init__(
        self, city: CityPlace, standby: StandBy, address: CutProxy, broker: Broker, stack: ExitStack
    ) -> None:
        urls = Urls(*map(address.through, city.urls))
        place = Cluster(urls.database, urls.vault, city.place.folder)
        super().__init__(replace(city, urls=urls, place=place), broker, stack)
        self._standby, self._address = standby, address

    def lose(self) -> dict[UUID, int]:
        """Commands that the stand-by never hears of, and a new leader of whom it does not hear."""
        self._standby.cut_off()
        self.relay.kill()
        self.relay = self.another_relay(2)
        return self.write_twice()

    def leader(self) -> int:
        """The number of the relay's newest leadership."""
        return int(self.log.fetch("SELECT epoch FROM leaders WHERE name = 'relay'")[0][0])

    def clients_of_a_dead_primary(self, turn: str) -> Clients:
        """Clients at work, none of whom the primary has answered: what it answered is lost."""
        self._standby.lose_primary()
        return self.clients(turn)

    def fail_over(self) -> None:
        """The primary dies; its stand-by takes over behind the same address."""
        self._standby.take_over()
        self._address.target = self._standby.server.port
        self._address.cut_all()

    def workers_go_on(self) -> None:
        for one in self.workers:
            one.send(signal.SIGCONT)


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    primary = PostgresServer(tmp_path / "primary", fsync=False, settings=PRIMARY)
    with ExitStack() as stack:
        stack.enter_context(primary)
        city = stack.enter_context(city_on(primary, tmp_path))
        standby = stack.enter_context(stand_by(primary, tmp_path / "stand-by"))
        broker = stack.enter_context(Broker(tmp_path / "broker"))
        address = stack.enter_context(CutProxy(primary.port))
        yield Town(city, standby, address, broker, stack)


def test_a_stand_by_without_the_newest_facts_takes_over_under_a_living_city(town: Town) -> None:
    """H1: frames of lost facts fit on behind its head; nothing said that they are of no log."""
    kept = town.write("before", FEW)
    first = epoch_of(town.log)
    lost = town.lose()
    lost_head, lost_leader = town.log.head(), town.leader()
    clients = town.clients_of_a_dead_primary("after")
    town.fail_over()
    assert town.log.head() < lost_head
    town.workers_go_on()
    wait_for(lambda: epoch_of(town.log) != first, SECONDS)
    town.write_beyond(lost_head, clients)
    town.goes_on_by_frames()
    clients.finish()
    assert town.leader() > lost_leader, "of which the stand-by had not heard"
    begun = newest_epoch(town.check(kept | clients.acknowledged, lost), Cause.PROMOTION)
    assert (begun.epoch, begun.timeline) == (epoch_of(town.log), "00000002")
    lineage = town.doctors("lineage")
    assert lineage.ok and "备机接管" in lineage.zh and begun.epoch in lineage.zh
    assert town.ready() == ("ready", [])


def test_a_promotion_is_noticed_by_processes_that_all_began_on_an_empty_log(tmp_path: Path) -> None:
    """H1: the timeline was noted at a start only, and only of a log with facts in it."""
    primary = PostgresServer(tmp_path / "primary", fsync=False, settings=PRIMARY)
    with ExitStack() as stack:
        stack.enter_context(primary)
        made = stack.enter_context(founded(primary, tmp_path))
        address = stack.enter_context(CutProxy(primary.port))
        place = Cluster(*map(address.through, (made.place.log, made.place.vault)), tmp_path)
        store = place.open()
        stack.callback(store.close)
        keeper = Keeper(store)
        settle_epoch(store)  # as each start of an API process does
        keeper.step()
        assert store.head() == 0
        found_town(store)
        keeper.step()
        head, first = store.head(), epoch_of(store.log)
        keeper.step()
        assert store.head() == head, "noted once"
        standby = stack.enter_context(stand_by(primary, tmp_path / "stand-by"))
        standby.cut_off()
        standby.take_over()
        address.target = standby.server.port
        address.cut_all()
        wait_for(lambda: steps(keeper) and epoch_of(store.log) != first, SECONDS)
        begun = begun_by(store.log)
        assert begun is not None and begun.cause is Cause.PROMOTION
        assert (begun.head, begun.timeline) == (head, "00000002")


def steps(keeper: Keeper) -> bool:
    """Whether it could look: its sessions were cut."""
    with suppress(StoreError):
        keeper.step()
        return True
    return False


def waits_for_its_epoch(worker: WorkerProcess) -> bool:
    return LogPromoted.en in str(worker.health().get("trouble"))


def test_until_the_new_epoch_has_a_name_nothing_is_derived_from_the_log(town: Town) -> None:
    """No API process runs when the stand-by takes over, and something else adds facts: frames of
    lost facts at the same positions were folded in their place."""
    kept = town.write("before", FEW)
    lost = town.lose()
    lost_head, first = town.log.head(), epoch_of(town.log)
    town.api.process.kill()
    town.fail_over()
    head = town.log.head()
    kept |= town.write_beside(lost_head - head + FEW)
    assert town.log.head() > lost_head > head >= town.position()
    relayed = town.relayed()
    town.workers_go_on()
    wait_for(lambda: town.position() > head or all(map(waits_for_its_epoch, town.workers)), SECONDS)
    assert town.position() <= head and town.relayed() == relayed
    found = town.doctors("lineage")
    assert not found.ok and "备机接管" in found.zh
    assert epoch_of(town.log) == first
    town.serve()
    wait_for(lambda: epoch_of(town.log) != first, SECONDS)
    begun = newest_epoch(town.check(kept, lost), Cause.PROMOTION)
    assert begun.head == town.log.head() - 1
