"""Workers of the world: the real loop that applies and acknowledges, over a chaotic consumer."""

from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from domain.catalog import AGGREGATES
from eventstore.mapper import TypedMapper
from projections.folding.engine import ViewsDatabase
from streams.applying import Applying, Message
from streams.frames import Router
from streams.health import Heart
from streams.worker import Waiting, Worker, WorkerOptions
from tests.simulation.broker import Broker, Killed
from tests.simulation.chance import Chance, Violation
from tests.simulation.memory import Disk, MemoryLog, MemoryViews
from tests.simulation.tally import SEEN

ENOUGH = 40
MAPPER = TypedMapper(AGGREGATES, text_ids=True)


@dataclass(frozen=True)
class Carried:
    """A message on its way to the worker, as Faust would show it."""

    partition: int
    offset: int
    value: bytes
    headers: tuple[tuple[str, bytes], ...]


@dataclass
class Delivered:
    """What Faust calls an event."""

    message: Carried
    acknowledge: Callable[[], None]

    def ack(self) -> None:
        self.acknowledge()


def at_once(work: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine that has nothing to wait for."""
    try:
        work.send(None)
    except StopIteration:
        return
    work.close()
    raise AssertionError("it would wait")


class Applier:
    """The real `Applying`, which after each call lets the worker's loop end, or the worker die."""

    def __init__(self, applying: Applying, chance: Chance, commit: Callable[[], None]) -> None:
        self._applying, self._chance, self.commit = applying, chance, commit
        self.worker: Worker

    def apply(self, partition: int, messages: Sequence[Message]) -> None:
        self.worker._stopping = True
        if self._chance.strikes("commit meanwhile"):
            self.commit()
        self._applying.apply(partition, messages)
        if self._chance.strikes("kill unacknowledged"):
            raise Killed

    def catch_up(self, partitions: Sequence[int]) -> None:
        self._applying.catch_up(partitions)

    def give_up(self) -> None:
        self._applying.give_up()


class Member(Worker):
    """A worker without Faust and without a thread of its own."""

    def __init__(self, name: str, applier: Applier) -> None:
        options = WorkerOptions(name, "memory", Path())
        super().__init__(options, applier, Heart(None))
        self._waiting = Waiting()
        applier.worker = self

    async def _in_thread(self, work: Callable[..., None], *given: Any) -> None:
        work(*given)


@dataclass
class WorkerProcess:
    """One member of the group, its consumer, and its own idea of what it owns."""

    name: str
    disk: Disk
    broker: Broker
    chance: Chance
    reached: dict[int, int]
    """How far each partition of the views has ever come."""
    lost: set[tuple[int, int, int]]
    """Frames that the network lost: topic, partition, offset."""
    _next: dict[int, int] = field(default_factory=dict)
    _acked: dict[int, set[int]] = field(default_factory=dict)
    _late: list[Delivered] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """A new process: it owns nothing until the group says so."""
        log = MemoryLog(self.disk, self.chance)
        views = ViewsDatabase(MemoryViews(self.disk.views, self.chance), SEEN, len(self.reached))
        vars(views)["mapper"] = MAPPER
        applying = Applying(log, views, Router(log, self.broker.partitions))
        self.applier = applier = Applier(applying, self.chance, self.commit)
        self.worker = Member(self.name, applier)
        self._assign(())

    # -- the group ----------------------------------------------------------------------------

    def learn(self) -> None:
        """Take over what the group has decided; nothing happens if nothing has changed."""
        mine = tuple(p for p, name in self.broker.assigned.items() if name == self.name)
        if set(mine) != self.worker.assigned:
            self._assign(mine)

    def rejoin(self) -> None:
        """The group is new, as its broker is: begin at the start of what one believes to own."""
        self._assign(sorted(self.worker.assigned))

    def _assign(self, partitions: Sequence[int]) -> None:
        at_once(self.worker._waiting.clear())
        self.worker.assigned = frozenset(partitions)
        self._late.clear()
        self._next = {p: self.broker.committed.get(p, 0) for p in partitions}
        self._acked = {p: set() for p in partitions}

    def commit(self) -> None:
        """Commit what is acknowledged without a gap. The group refuses who is not the owner."""
        for p, acked in self._acked.items():
            if self.broker.assigned.get(p) != self.name:
                continue
            offset = before = self.broker.committed.get(p, 0)
            while offset in acked and offset < len(self.broker.messages[p]):
                self._must_be_applied(p, offset)
                offset += 1
            if offset != before:
                self.broker.committed[p] = offset

    def _must_be_applied(self, p: int, offset: int) -> None:
        last = self.broker.messages[p][offset].last
        if last > self.reached[p] and (self.broker.emptied, p, offset) not in self.lost:
            raise Violation(
                f"acknowledged: frame {offset} of partition {p} goes to {last}, "
                f"the views to {self.reached[p]}"
            )

    # -- the consumer -------------------------------------------------------------------------

    def fetch(self) -> None:
        """Some messages of one partition, as the network brings them."""
        dice = self.chance.dice
        owned = sorted(self._next)
        if not owned or self.worker._waiting.count > ENOUGH:
            return
        p = dice.choice(owned)
        messages = self.broker.messages[p]
        if self._next[p] > len(messages):  # a broker that came back empty
            self._next[p] = 0
            self._acked[p].clear()
        found = range(self._next[p], min(len(messages), self._next[p] + dice.randint(1, 6)))
        self._next[p] = found.stop
        for offset in found:
            self._carry(p, offset)
        if self._late and dice.random() < 0.5:
            self._put(self._late.pop(dice.randrange(len(self._late))))

    def _carry(self, p: int, offset: int) -> None:
        stored = self.broker.messages[p][offset]
        acked = self._acked[p]
        acknowledge = partial(acked.add, offset)
        if self.chance.strikes("frame lost"):
            self.lost.add((self.broker.emptied, p, offset))
            acknowledge()
            return
        value, headers = stored.value, stored.headers
        if self.chance.strikes("frame broken"):
            value = value[: len(value) // 2]
            headers = headers if self.chance.dice.random() < 0.7 else ()
        event = Delivered(Carried(p, offset, value, headers), acknowledge)
        if self.chance.strikes("frame late"):
            self._late.append(event)
            return
        self._put(event)
        if self.chance.strikes("frame repeated"):
            self._late.append(event)

    def _put(self, event: Delivered) -> None:
        at_once(self.worker._waiting.put(event))  # type: ignore[arg-type]

    # -- the work -----------------------------------------------------------------------------

    def apply(self) -> None:
        """Let the worker's loop apply one partition's waiting frames, and acknowledge them."""
        if self.worker._waiting.count:
            at_once(self.worker._apply())
            self.worker._stopping = False

    def look(self, partitions: Sequence[int]) -> None:
        self.applier.catch_up(partitions)

    def flush(self) -> None:
        """The network has brought everything that was late."""
        while self._late and self.worker._waiting.count <= ENOUGH:
            self._put(self._late.pop())
