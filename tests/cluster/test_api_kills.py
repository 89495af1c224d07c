"""API processes on PostgreSQL that are killed with -9, or lose the replies to their COMMITs.

Eight clients of eight counties send each command with one id until it is answered, to whichever
API process answers. What was answered is in the log once, whole and readable; nothing is twice.
"""

import random
import signal
import statistics
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from cli.trial.postgres import PostgresServer
from domain.household import Household
from eventstore.faults import POINTS
from tests.clients import Clients, Served, quantile, served
from tests.cluster.cities import CityPlace, city_on
from tests.cluster.relaying import wait_for
from tests.eventstore.support import loaded
from tests.faults import TIMEOUT, Told, count, load_a_core
from tests.oracles import Stored, check_answers, check_log
from tests.proxy import CutProxy

OF_THE_API = [point for point in POINTS if point != "in-view"]
"""Workers keep the views."""
KILLS_A_POINT = count(3, 25)
CUTS = count(12, 100)
APIS = 2
MAX_SECONDS_A_KILL = 60.0


@pytest.fixture
def city(postgres: PostgresServer, tmp_path: Path) -> Iterator[CityPlace]:
    with city_on(postgres, tmp_path) as found:
        yield found


class Apis:
    """API processes side by side, each armed to kill itself at a point of the plan."""

    def __init__(self, city: CityPlace, clients: Clients, plan: list[str]) -> None:
        self.env, self.clients, self.plan = city.env(), clients, plan
        self.running: list[Served] = []
        self.back: list[float] = []
        """Seconds from the start of a process to its first answer to a command."""
        self.hit: Counter[str] = Counter()
        self._armed: dict[int, str] = {}

    def start(self) -> None:
        point = self.plan.pop().partition(":") if self.plan else ("", "", "")
        server = Served(self.env, "".join(point) or None)
        self._armed[id(server)] = point[0]
        self.running.append(server)
        self.clients.serve_at(*(one.port for one in self.running if one.ended is None))

    def replace_the_killed(self) -> None:
        """Wait until one kills itself, and start another in its place."""
        wait_for(lambda: any(one.ended is not None for one in self.running), MAX_SECONDS_A_KILL)
        gone = next(one for one in self.running if one.ended is not None)
        assert gone.ended == -signal.SIGKILL, gone.ended
        self.hit[self._armed[id(gone)]] += 1
        self.running.remove(gone)
        self._note(gone)
        gone.kill()
        self.start()

    def _note(self, server: Served) -> None:
        answered = self.clients.first_answers.pop(server.port, None)
        if answered is not None:
            self.back.append(answered - server.began)

    def stop(self) -> None:
        for server in self.running:
            self._note(server)
            server.kill()


@pytest.mark.timeout(TIMEOUT)
def test_nothing_acknowledged_is_lost_or_doubled_by_a_kill_of_an_api_process(
    city: CityPlace, record_property: Told
) -> None:
    seed = random.SystemRandom().randrange(10**6)
    print(f"seed {seed}")
    chance = random.Random(seed)
    plan = [f"{p}:{chance.randint(2, 60)}" for p in OF_THE_API for _ in range(KILLS_A_POINT)]
    chance.shuffle(plan)
    kills, clients = len(plan), city.clients()
    apis = Apis(city, clients, plan)
    try:
        for _ in range(APIS):
            apis.start()
        clients.start()
        with city.log() as log:
            stored = Stored.of(log)
            for _ in range(kills):
                apis.replace_the_killed()
                clients.check()
                acknowledged = clients.acknowledged
                check_answers(stored.more(log), acknowledged)
        clients.finish()
    finally:
        clients.stop.set()
        apis.stop()
    with city.log() as log:
        check_log(log, clients.acknowledged)
    _check_households(city, clients)
    assert all(apis.hit[point] == KILLS_A_POINT for point in OF_THE_API), apis.hit
    assert clients.resent >= kills / 2
    back = statistics.median(apis.back)
    told = f"{kills} kills of {APIS} API processes, {len(clients.acknowledged)} acknowledged"
    record_property(
        "A1",
        f"{told}, {clients.resent} sent again; 0 lost, 0 doubled; start to first answer"
        f" {back:.1f} s (median), {max(apis.back):.1f} s (longest),"
        f" load a core {load_a_core():.1f}",
    )


def _check_households(city: CityPlace, clients: Clients) -> None:
    """Every child that was acknowledged is a member once, and its name can be read."""
    store = city.place.open()
    try:
        for client in clients.all[1::2]:
            home: Household = loaded(store, city.household(client.number))
            names = [
                store.vault.unseal(member.name, home.id, "name") for member in home.members.values()
            ]
            children = [name for name in names if name and name.startswith("孩子")]
            assert len(children) == len(set(children)) == len(client.acknowledged)
    finally:
        store.close()


@pytest.mark.timeout(TIMEOUT)
def test_a_client_gets_its_receipt_though_the_reply_to_the_commit_was_lost(
    city: CityPlace, record_property: Told
) -> None:
    """The library would tell "conflict" of what is stored (F2); here nobody notices anything."""
    clients = city.clients()
    with CutProxy(urlsplit(city.urls.database).port or 0) as proxy:
        env = city.env(RELIEF_DATABASE_URL=proxy.through(city.urls.database))
        with served(env) as server:
            clients.serve_at(server.port)
            clients.start()
            try:
                for n in range(1, CUTS + 1):
                    answered = len(clients.acknowledged)
                    wait_for(lambda now=answered: len(clients.acknowledged) > now + 8, 30)  # type: ignore[misc]
                    proxy.cut_replies(1)
                    wait_for(lambda n=n: proxy.cuts >= n, 30)  # type: ignore[misc]
            finally:
                proxy.heal()
                clients.stop.set()
            clients.finish()
    with city.log() as log:
        stored = check_log(log, clients.acknowledged)
    _check_households(city, clients)
    refused = [key for key in clients.acknowledged if stored.answered[key] == 0]
    assert refused == [], "no command was told a conflict that was its own"
    unavailable = sum(client.unavailable for client in clients.all)
    slowest = quantile(clients.seconds, 1.0)
    record_property(
        "A2",
        f"{proxy.cuts} cuts behind COMMIT, {len(clients.acknowledged)} acknowledged, "
        f"{unavailable} answers 503; 0 doubled, 0 false conflicts; slowest answer {slowest:.2f} s",
    )
