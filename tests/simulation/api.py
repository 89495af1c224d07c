"""An API process of the world: a real store, its requests, and the points at which it dies."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from domain.catalog import AGGREGATES
from eventstore.batch import Answer
from eventstore.mapper import TypedMapper
from eventstore.outcomes import Envelope
from eventstore.store import Store
from tests.simulation.broker import Killed
from tests.simulation.chance import Chance
from tests.simulation.memory import Disk, MemoryLog, MemoryVault, SkewedClock, Time
from tests.simulation.town import template

MOST_TOGETHER = 6
MAPPER = TypedMapper(AGGREGATES)
"""Decoders are costly to make and know nothing of a world."""

Heard = Callable[[Envelope, Answer], None]


@dataclass
class Api:
    """Kills are raised by `reached`, which the writer calls at its named points."""

    name: str
    disk: Disk
    chance: Chance
    time: Time
    heard: Heard
    waiting: list[Envelope] = field(default_factory=list)
    busy: bool = False

    def __post_init__(self) -> None:
        self.store = self._started()

    def _started(self) -> Store:
        log = MemoryLog(self.disk, self.chance)
        calm, self.chance.calm = self.chance.calm, True  # a start that fails is tried again
        store = Store(log, MemoryVault(self.disk, template().key), AGGREGATES)
        self.chance.calm = calm
        store.mapper = store.writer.mapper = store.writer.cache.mapper = MAPPER
        self.clock = store.clock = store.writer.clock = SkewedClock(self.time)
        return store

    def restart(self) -> None:
        """Killed: what waited here is gone, and what it knew."""
        self.waiting.clear()
        self.store = self._started()

    def step(self) -> None:
        """Decide what waits, or some of it, in one batch."""
        if self.busy or not self.waiting:
            return
        if self.chance.strikes("clock jumps"):
            self.clock.skew = timedelta(minutes=self.chance.dice.choice((-60, -1, 0, 1, 60)))
        most = self.chance.dice.randint(1, MOST_TOGETHER)
        batch, self.waiting[:] = self.waiting[:most], self.waiting[most:]
        self.busy = True
        try:
            answers = self.store.run_many(batch)
        except Killed:
            self.chance.note("killed", self.name)
            self.restart()
            return
        finally:
            self.busy = False
        for envelope, answer in zip(batch, answers, strict=True):
            self.heard(envelope, answer)
