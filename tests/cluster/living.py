"""The city alive: an API process with clients, a relay, two workers, and a broker between them."""

import signal
from contextlib import ExitStack, closing
from uuid import UUID, uuid4

from api.checkup import Finding
from cli.doctor_cluster import examine_cluster
from cli.settings import Settings
from cli.trial.server import KafkaServer
from domain.commands.units import RegisterUnit
from domain.store import Cause, Store
from domain.unit import UnitKind
from eventstore.outcomes import Envelope
from projections.catalog import VIEWS
from projections.folding.engine import ViewsDatabase
from streams.frames import partitions_of
from tests.clients import Clients, served
from tests.cluster.cities import CityPlace
from tests.cluster.relaying import Process, http_get, wait_for
from tests.cluster.test_broker_outages import worker
from tests.cluster.test_relay_processes import RELAY
from tests.oracles import Stored, check_log, check_tables, tables_of

FEW, MANY = 20, 60
"""Commands that are answered, at least, between one event of a test and the next."""
SECONDS = 120.0


class LivingCity:
    """All its processes end with ``stack``."""

    def __init__(self, city: CityPlace, broker: KafkaServer, stack: ExitStack) -> None:
        self.city, self.folder, self._stack = city, city.place.folder, stack
        self.env = city.env(RELIEF_KAFKA=broker.address, PYTHONUNBUFFERED="1")
        self.serve()
        self.relay = self.another_relay(1)
        self.workers = [worker(self.folder, self.env, f"worker.{n}") for n in (1, 2)]
        for one in self.workers:
            stack.callback(one.kill)
        self.log = stack.enter_context(city.log())
        self.views = ViewsDatabase(city.urls.views, VIEWS, partitions_of(self.log))
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

    def stop(self) -> None:
        """Everything of ours, at once."""
        self.api.process.kill()
        for one in (self.relay, *self.workers):
            one.kill()

    # -- facts --------------------------------------------------------------------------------

    def write(self, turn: str, many: int) -> dict[UUID, int]:
        """So many commands at least, of clients that are of no other ``turn``; all answered."""
        clients = self.clients(turn)
        self.write_beyond(0, clients, many)
        clients.finish()
        return clients.acknowledged

    def write_beyond(self, head: int, clients: Clients, many: int = MANY) -> None:
        """So many commands are answered, and the log is longer than this."""

        def beyond() -> bool:
            clients.check()
            return len(clients.acknowledged) >= many and self.log.head() > head

        wait_for(beyond, SECONDS)

    def clients(self, turn: str) -> Clients:
        """Clients at work."""
        clients = self.city.clients(4, turn)
        clients.serve_at(self.api.port)
        clients.start()
        self._stack.callback(clients.stop.set)
        return clients

    def write_beside(self, many: int) -> dict[UUID, int]:
        """So many units, by a program that is no API process: an import, say."""
        made = self.city.city
        county = made.counties[0]
        dispatcher, area = made.officer(county.dispatcher), made.area(county.key)
        done = {}
        with closing(self.city.place.open()) as store:
            for n in range(many):
                command = RegisterUnit(
                    unit=uuid4(), area=area, name=f"外来{n}队", kind=UnitKind.MILITIA, size=3
                )
                key = uuid4()
                done[key] = store.run(Envelope(id=key, officer=dispatcher, command=command)).facts
        return done

    def write_twice(self) -> dict[UUID, int]:
        """Commands whose facts the workers fold, and as many whose frames nobody has read yet."""
        done = self.write("folded", MANY)
        self.reach_head()
        for one in self.workers:
            one.send(signal.SIGSTOP)
        done |= self.write("framed", MANY)
        wait_for(lambda: self.relayed() == self.log.head(), SECONDS)
        return done

    # -- what came of it ----------------------------------------------------------------------

    def position(self) -> int:
        return self.views.position()

    def reach_head(self) -> None:
        head = self.log.head()
        wait_for(lambda: self.position() >= head, SECONDS)

    def relayed(self) -> int:
        """How far the relay has come; 0 before its first row (workers read the log meanwhile)."""
        rows = self.log.fetch("SELECT position FROM relay")
        return int(rows[0][0]) if rows else 0

    def goes_on_by_frames(self) -> None:
        """Somebody writes; workers fold of it what they get from the relay."""
        self.reach_head()
        framed = self._framed()
        wait_for(lambda: self._framed() > framed, SECONDS)

    def _framed(self) -> int:
        return sum(one.framed() for one in self.workers)

    def check(self, acknowledged: dict[UUID, int], lost: dict[UUID, int]) -> Stored:
        """The log holds what was answered and nothing that was lost; the tables are made of it."""
        self.reach_head()
        stored = check_log(self.log, acknowledged)
        assert lost and stored.lost(lost) == set(lost)
        assert self.views.parked() == []
        check_tables(tables_of(self.views), stored.recorded)
        return stored

    def doctors(self, name: str) -> Finding:
        """What `relief doctor` finds about this."""
        urls = self.city.urls
        settings = Settings(
            data=self.folder,
            database_url=urls.database,
            vault_url=urls.vault,
            views_url=urls.views,
            read_url=urls.read,
        )
        (found,) = [one for one in examine_cluster(settings) if one.name == name]
        return found

    def ready(self) -> tuple[str, list[str]]:
        """Status and notices of `/ready`."""
        said = http_get(f"http://127.0.0.1:{self.api.port}/ready").json()
        return said["status"], [one["name"] for one in said["notices"]]


def newest_epoch(stored: Stored, cause: Cause) -> Store.EpochBegun:
    """The epoch behind that of the city's copy, begun for this cause; there is no other."""
    facts = [one.event for one in stored.recorded]
    copied, found = [one for one in facts if isinstance(one, Store.EpochBegun)]
    assert (copied.cause, found.cause) == (Cause.COPY, cause)
    return found
