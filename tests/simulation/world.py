"""One world: its parts, the lot that lets them act, and the day on which everything heals."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import structlog

import eventstore.writer
import projections.folding.engine
import streams.applying
import streams.relay
from projections.folding.engine import ViewsDatabase
from tests.simulation.api import Api
from tests.simulation.broker import Broker, Killed
from tests.simulation.chance import Chance, Violation
from tests.simulation.clients import Client, Clients
from tests.simulation.memory import Disk, MemoryLog, MemoryViews, Time, copied
from tests.simulation.relaying import Relays
from tests.simulation.scripts import People
from tests.simulation.tally import SEEN
from tests.simulation.town import PARTITIONS, template
from tests.simulation.working import MAPPER, WorkerProcess

APIS, WORKERS = 2, 3
MOST_STEPS = 700
QUIET_STEPS = 60
"""After the last answer faults go on for a while: a quiet log heals in other ways."""
HEALED_ROUNDS = 60
ROUND_SECONDS = 0.25
"""After the last fault everything is up to date within 15 s of the world's time (O8)."""
DEEPEST = 2
MOVES_VIEWS = ("apply", "look", "disaster")

_POINTS = ("before-load", "between-vault-and-log", "in-transaction", "after-commit", "in-view")
POINTS = {point: f"kill {point}" for point in _POINTS}


class World:
    """``run`` lets it live and heal; `tests.simulation.oracles` then judges it."""

    def __init__(self, seed: int) -> None:
        made = template()
        self.chance = Chance(seed)
        self.time = Time(made.now)
        self.disk = Disk(copied(made.log), copied(made.vault), copied(made.views))
        self.broker = Broker(PARTITIONS)
        self.views = ViewsDatabase(MemoryViews(self.disk.views), SEEN, PARTITIONS)
        vars(self.views)["mapper"] = MAPPER
        self.log = MemoryLog(self.disk, self.chance)
        self.people = People(self.chance, self.time)
        self.clients = Clients(self.chance)
        self.apis: list[Api] = []
        self.reached = dict.fromkeys(range(PARTITIONS), 0)
        self.followed: list[int] = []
        self.steps = 0
        self._saved: sqlite3.Connection | None = None
        self._depth = 0

    def run(self) -> None:
        """Raises `Violation` as soon as something happens that never may."""
        with self._points():
            self._begin()
            doing = self._acts()
            names, weights = list(doing), [weight for weight, _ in doing.values()]
            quiet = 0
            while quiet < QUIET_STEPS and self.steps < MOST_STEPS:
                self.steps += 1
                quiet += self.clients.over
                (name,) = self.chance.dice.choices(names, weights)
                self.chance.note(name)
                doing[name][1]()
                if name in MOVES_VIEWS:
                    self._look_at_views()
            self._heal()

    def _begin(self) -> None:
        disk, chance = self.disk, self.chance
        self.apis += [
            Api(f"api{n}", disk, chance, self.time, self.clients.heard) for n in range(APIS)
        ]
        self.relays = Relays(disk, self.broker, self.views, chance)
        lost: set[tuple[int, int, int]] = set()
        self.workers = [
            WorkerProcess(f"worker{n}", disk, self.broker, chance, self.reached, lost)
            for n in range(WORKERS)
        ]
        self._rebalance()
        for script in self.people.scripts():
            client = Client(script, chance, home=chance.dice.randrange(APIS))
            client.begin()
            self.clients.all.append(client)

    def _acts(self) -> dict[str, tuple[int, Callable[[], None]]]:
        """What may happen next, and how often it does."""
        return {
            "client": (30, lambda: self.clients.send(self.apis)),
            "api": (16, lambda: self.chance.dice.choice(self.apis).step()),
            "relay": (10, self.relays.step),
            "relay learns": (2, self.relays.learn),
            "fetch": (14, lambda: self._one_worker().fetch()),
            "apply": (14, lambda: self._survives(self._one_worker(), WorkerProcess.apply)),
            "commit": (4, lambda: self._one_worker().commit()),
            "look": (1, self._someone_looks),
            "group": (3, self._group),
            "time": (8, lambda: self.time.go_on(self.chance.dice.choice((0.05, 0.2, 1.0, 5.0)))),
            "reader": (3, self._follow),
            "disaster": (1, self._disaster),
        }

    # -- points at which processes die --------------------------------------------------------

    @contextmanager
    def _points(self) -> Iterator[None]:
        """Let the real code call us at its named points, and wait for nothing."""
        changed: list[tuple[Any, str, Any]] = [
            (eventstore.writer, "reached", self._at_point),
            (projections.folding.engine, "reached", self._at_point),
            (streams.applying, "FIRST_PAUSE_SECONDS", 0.0),
            (streams.relay, "FILL_SECONDS", 0.0),
            (streams.relay, "time", self.time),
        ]
        before = [getattr(module, name) for module, name, _ in changed]
        config = structlog.get_config()
        structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
        for module, name, value in changed:
            setattr(module, name, value)
        try:
            yield
        finally:
            for (module, name, _), value in zip(changed, before, strict=True):
                setattr(module, name, value)
            structlog.configure(**config)

    def _at_point(self, point: str) -> None:
        if self.chance.strikes(POINTS[point]):
            raise Killed
        if point in ("before-load", "between-vault-and-log") and self._depth < DEEPEST:
            others = [api for api in self.apis if api.waiting and not api.busy]
            if others and self.chance.strikes("two writers"):
                self._depth += 1
                self.chance.dice.choice(others).step()
                self._depth -= 1

    # -- steps --------------------------------------------------------------------------------

    def _one_worker(self) -> WorkerProcess:
        worker = self.chance.dice.choice(self.workers)
        if self.chance.strikes("kill worker"):
            worker.restart()
        return worker

    def _survives(self, worker: WorkerProcess, work: Callable[[WorkerProcess], None]) -> None:
        try:
            work(worker)
        except Killed:
            worker.restart()

    def _someone_looks(self) -> None:
        """A worker brings partitions on from the log: its own, or those that another one leaves."""
        dice = self.chance.dice
        some = sorted(dice.sample(range(PARTITIONS), dice.randint(1, PARTITIONS)))
        self._survives(self._one_worker(), lambda worker: worker.look(some))

    def _rebalance(self) -> None:
        for partition in range(PARTITIONS):
            self.broker.assigned[partition] = self.chance.dice.choice(self.workers).name

    def _group(self) -> None:
        """The group decides anew, forgets offsets, or tells its members what it has decided."""
        if self.chance.strikes("rebalance"):
            self._rebalance()
        if self.chance.strikes("group forgets"):
            self.broker.committed.clear()
        for worker in self.workers:
            if not self.chance.strikes("two owners"):
                worker.learn()

    def _follow(self) -> None:
        """A reader tails the log."""
        after = self.followed[-1] if self.followed else 0
        rows = MemoryLog(self.disk, self.chance).fetch(
            "SELECT position FROM events WHERE position > ? ORDER BY position", (after,)
        )
        self.followed += [position for (position,) in rows]

    def _disaster(self) -> None:
        """The broker loses everything, or the views their last commits."""
        if self.chance.strikes("broker emptied"):
            self.broker.empty(another_topic=self.chance.dice.random() < 0.7)
            for worker in self.workers:
                worker.rejoin()
        if self._saved is not None and self.chance.strikes("views set back"):
            self._saved.backup(self.disk.views)
        if self.chance.dice.random() < 0.3:
            self._saved = copied(self.disk.views)

    def _look_at_views(self) -> None:
        sql = "SELECT partition, min(position) FROM positions GROUP BY partition"
        for partition, position in self.disk.views.execute(sql):
            self.reached[partition] = max(self.reached[partition], position)

    # -- healing ------------------------------------------------------------------------------

    def _heal(self) -> None:
        """No more faults. Clients are answered, frames bring every partition to the head."""
        self.chance.calm = True
        for _ in range(HEALED_ROUNDS):
            self.time.go_on(ROUND_SECONDS)
            self._calm_round()
            if self.clients.over and self._up_to_date():
                self._follow()
                return
        positions = [self.views.position(p) for p in range(PARTITIONS)]
        raise Violation(
            f"O8 liveness: clients over: {self.clients.over}, views at {positions}, "
            f"head {self.log.head()}"
        )

    def _calm_round(self) -> None:
        for _ in self.clients.all:
            self.clients.send(self.apis)
        for api in self.apis:
            while api.waiting:
                api.step()
        self.relays.learn()
        self.relays.step()
        for worker in self.workers:
            worker.learn()
            for _ in range(2 * PARTITIONS):
                worker.fetch()
            worker.flush()
            for _ in range(PARTITIONS):
                worker.apply()
            self._look_at_views()
            worker.commit()

    def _up_to_date(self) -> bool:
        return self.views.position() == self.log.head()
