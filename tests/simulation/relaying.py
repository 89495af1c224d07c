"""Relays of the world: two candidates, one of which leads and the other of which may think so."""

from dataclasses import dataclass

from eventstore.errors import StoreError
from projections.folding.engine import ViewsDatabase
from streams.frames import Router
from streams.kafka import FRAMES, BusTrouble, Interrupted
from streams.relay import Relay
from streams.relayed import Fenced
from tests.simulation.broker import Broker, Killed, MemoryBus, WatchedRow
from tests.simulation.chance import Chance
from tests.simulation.memory import Disk, Glance, MemoryLog


@dataclass
class Leadership:
    """What one candidate believes."""

    epoch: int = 0
    believed: bool = False

    def held(self) -> bool:
        return self.believed


class RelayProcess:
    """One candidate: the real `Relay`, driven as its `run` drives it."""

    def __init__(self, disk: Disk, broker: Broker, views: ViewsDatabase, chance: Chance) -> None:
        self._disk, self._broker, self._views, self._chance = disk, broker, views, chance
        self.restart()

    def restart(self) -> None:
        self.leadership = Leadership()
        self._begun = False
        log = MemoryLog(self._disk, self._chance)
        place = WatchedRow(self._disk.log, FRAMES)
        place.watch(self._broker)
        router = Router(log, self._broker.partitions)
        bus = MemoryBus(self._broker, self._chance)
        self.relay = Relay(
            log, Glance(log), bus, place, self.leadership, router, self._views.position
        )

    def step(self) -> None:
        if not self.leadership.held():
            self._begun = False
            return
        try:
            if not self._begun:
                self.relay.begin()
                self._begun = True
            self.relay.step()
        except Killed:
            self.restart()
        except (Fenced, Interrupted, StoreError, BusTrouble):
            self._begun = False


class Relays:
    """Two candidates. A new leader has a higher epoch; the old one learns of it late."""

    def __init__(self, disk: Disk, broker: Broker, views: ViewsDatabase, chance: Chance) -> None:
        self._chance = chance
        self.both = [RelayProcess(disk, broker, views, chance) for _ in range(2)]
        self._epoch = 0
        self._leader = 0
        self._elect(0)

    def _elect(self, leader: int) -> None:
        self._epoch += 1
        self._leader = leader
        leadership = self.both[leader].leadership
        leadership.epoch, leadership.believed = self._epoch, True

    def step(self) -> None:
        if self._chance.strikes("kill relay"):
            self.both[self._leader].restart()
        leader = self.both[self._leader]
        if self._chance.strikes("other leader") or not leader.leadership.believed:
            self._elect(1 - self._leader)
        for process in self._chance.dice.sample(self.both, 2):
            process.step()

    def learn(self) -> None:
        """Who leads no longer knows it by now."""
        self.both[1 - self._leader].leadership.believed = False
