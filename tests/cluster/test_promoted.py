"""PostgreSQL's primary dies and an asynchronous stand-by goes on without the newest facts.

The city lives on meanwhile: clients, an API process, a relay, two workers, and a broker that has
frames of what is lost. Nobody does anything but promote the stand-by and let the one address of
the database lead to it.
"""

import signal
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path
from uuid import UUID, uuid4

import httpx
import pytest

from cli.checking import Finding
from cli.doctor_cluster import examine_cluster
from cli.settings import Settings
from cli.trial.broker import Broker
from cli.trial.postgres import PostgresServer
from domain.commands.units import RegisterUnit
from domain.store import Cause, Store
from domain.unit import UnitKind
from eventstore.errors import LogPromoted
from eventstore.founding import Urls
from eventstore.lineage import epoch_of
from eventstore.outcomes import Envelope
from projections.catalog import VIEWS
from projections.folding.engine import ViewsDatabase
from streams.frames import partitions_of
from tests.clients import Clients, served
from tests.cluster.cities import CityPlace, city_on
from tests.cluster.relaying import Process, wait_for
from tests.cluster.standby import PRIMARY, StandBy, stand_by
from tests.cluster.test_broker_outages import worker
from tests.cluster.test_relay_processes import RELAY
from tests.cluster.workers import WorkerProcess
from tests.eventstore.support import Cluster
from tests.faults import TIMEOUT
from tests.oracles import Stored, check_log, check_tables, tables_of
from tests.proxy import CutProxy

FEW, MANY = 20, 60
"""Commands that are answered, at least, between one event of a test and the next."""
SECONDS = 120.0

pytestmark = pytest.mark.timeout(TIMEOUT)


class Town:
    """The living city, behind the one address of its database."""

    def __init__(
        self, city: CityPlace, standby: StandBy, address: CutProxy, broker: Broker, stack: ExitStack
    ) -> None:
        urls = Urls(*map(address.through, city.urls))
        self.folder = city.place.folder
        self.city = replace(city, urls=urls, place=Cluster(urls.database, urls.vault, self.folder))
        self._standby, self._address, self._stack = standby, address, stack
        self.env = self.city.env(RELIEF_KAFKA=broker.address, PYTHONUNBUFFERED="1")
        self.serve()
        self.relay = self.another_relay(1)
        self.workers = [worker(self.folder, self.env, f"worker.{n}") for n in (1, 2)]
        for one in self.workers:
            stack.callback(one.kill)
        self.log = stack.enter_context(self.city.log())
        self.views = ViewsDatabase.on(urls.views, VIEWS, partitions_of(self.log))
        stack.callback(self.views.close)
        self.reach_head()

    def serve(self) -> None:
        """With a new API process."""
        self.api = self._stack.enter_context(served(self.env))

    def another_relay(self, number: int) -> Process:
        env = self.env | {"RELIEF_PROCESS": f"relay.{number}"}
        found = Process(RELAY, self.folder / f"relay.{number}.log", env)
        self._stack.callback(found.kill)
        return found

    # -- facts --------------------------------------------------------------------------------

    def write(self, turn: str, many: int) -> dict[UUID, int]:
        """So many commands at least, of clients that are of no other ``turn``; all answered."""
        clients = self.clients(turn)
        wait_for(lambda: len(clients.acknowledged) >= many, SECONDS)
        clients.finish()
        return clients.acknowledged

    def clients(self, turn: str) -> Clients:
        """Clients at work."""
        clients = self.city.clients(4, turn)
        clients.serve_at(self.api.port)
        clients.start()
        self._stack.callback(clients.stop.set)
        return clients

    def write_beside(self, many: int) -> dict[UUID, int]:
        """So many units, by a program that is no API process: an import, say."""
        county = self.city.city.counties[0]
        dispatcher, area = (
            self.city.city.officer(county.dispatcher),
            self.city.city.area(county.key),
        )
        done = {}
        with closing(self.city.place.open()) as store:
            for n in range(many):
                command = RegisterUnit(
                    unit=uuid4(), area=area, name=f"外来{n}队", kind=UnitKind.MILITIA, size=3
                )
                key = uuid4()
                done[key] = store.run(Envelope(id=key, officer=dispatcher, command=command)).facts
        return done

    def relayed(self) -> int:
        return int(self.log.fetch("SELECT position FROM relay")[0][0])

    def leader(self) -> int:
        """The number of the relay's newest leadership."""
        return int(self.log.fetch("SELECT epoch FROM leaders WHERE name = 'relay'")[0][0])

    # -- what happens -------------------------------------------------------------------------

    def lose(self) -> dict[UUID, int]:
        """Commands that the stand-by never hears of. Workers fold those of the first half; frames
        of the second half lie on the topic when the workers go on."""
        self._standby.cut_off()
        self.relay.kill()
        self.relay = self.another_relay(2)
        lost = self.write("lost", MANY)
        self.reach_head()
        for one in self.workers:
            one.send(signal.SIGSTOP)
        lost |= self.write("lost too", MANY)
        wait_for(lambda: self.relayed() == self.log.head(), SECONDS)
        return lost

    def fail_over(self) -> None:
        """The primary dies; its stand-by takes over behind the same address."""
        self._standby.take_over()
        self._address.target = self._standby.server.port
        self._address.cut_all()

    def workers_go_on(self) -> None:
        for one in self.workers:
            one.send(signal.SIGCONT)

    # -- what came of it ----------------------------------------------------------------------

    def position(self) -> int:
        return self.views.position()

    def reach_head(self) -> None:
        head = self.log.head()
        wait_for(lambda: self.position() >= head, SECONDS)

    def framed(self) -> int:
        return sum(one.framed() for one in self.workers)

    def check(self, acknowledged: dict[UUID, int], lost: dict[UUID, int]) -> Stored:
        """The log holds what was answered and nothing that was lost; the tables are made of it."""
        self.reach_head()
        stored = check_log(self.log, acknowledged)
        assert stored.lost(lost) == set(lost), "the stand-by had none of it"
        assert self.views.parked() == []
        check_tables(tables_of(self.views), stored.recorded)
        return stored


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


def waits_for_its_epoch(worker: WorkerProcess) -> bool:
    return LogPromoted.en in str(worker.health().get("trouble"))


def doctors(town: Town, name: str) -> Finding:
    """What `relief doctor` finds about this."""
    settings = Settings(
        data=town.folder,
        database_url=town.city.urls.database,
        vault_url=town.city.urls.vault,
        views_url=town.city.urls.views,
    )
    (found,) = [one for one in examine_cluster(settings) if one.name == name]
    return found


def ready(town: Town) -> tuple[str, list[str]]:
    """Status and notices of `/ready`."""
    said = httpx.get(f"http://127.0.0.1:{town.api.port}/ready").json()
    return said["status"], [one["name"] for one in said["notices"]]


def promotion_in(stored: Stored) -> Store.EpochBegun:
    """The epoch that is not that of the city's copy."""
    facts = [one.event for one in stored.recorded]
    copied, found = [one for one in facts if isinstance(one, Store.EpochBegun)]
    assert (copied.cause, found.cause) == (Cause.COPY, Cause.PROMOTION)
    return found


def test_a_stand_by_without_the_newest_facts_takes_over_under_a_living_city(town: Town) -> None:
    """H1: frames of lost facts fit on behind its head; nothing said that they are of no log."""
    kept = town.write("before", FEW)
    first = epoch_of(town.log)
    lost = town.lose()
    lost_head, lost_leader = town.log.head(), town.leader()
    clients = town.clients("after")
    town.fail_over()
    assert town.log.head() < lost_head
    town.workers_go_on()
    wait_for(lambda: epoch_of(town.log) != first, SECONDS)
    wait_for(lambda: len(clients.acknowledged) >= MANY and town.log.head() > lost_head, SECONDS)
    town.reach_head()
    framed = town.framed()
    wait_for(lambda: town.framed() > framed, SECONDS)  # of the new epoch's relay
    clients.finish()
    assert town.leader() > lost_leader, "of which the stand-by had not heard"
    stored = town.check(kept | clients.acknowledged, lost)
    begun = promotion_in(stored)
    assert (begun.epoch, begun.timeline) == (epoch_of(town.log), "00000002")
    assert begun.epoch.startswith("3-")
    lineage = doctors(town, "lineage")
    assert lineage.ok and "备机接管" in lineage.zh and begun.epoch in lineage.zh
    assert ready(town) == ("ready", [])


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
    framed = town.relayed()
    town.workers_go_on()
    wait_for(lambda: town.position() > head or all(map(waits_for_its_epoch, town.workers)), SECONDS)
    assert town.position() <= head and town.relayed() == framed
    found = doctors(town, "lineage")
    assert not found.ok and "备机接管" in found.zh
    assert epoch_of(town.log) == first
    town.serve()
    wait_for(lambda: epoch_of(town.log) != first, SECONDS)
    assert promotion_in(town.check(kept, lost)).head == town.log.head() - 1
