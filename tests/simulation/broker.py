"""A broker in memory: partitions, offsets, one consumer group; and the relay's way to it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from streams.frames import Frame, encode, headers
from streams.kafka import BusTrouble, Interrupted
from streams.relayed import Relayed, RelayedRow
from streams.sealing import Seal
from tests.simulation.chance import Chance, Violation


class Killed(BaseException):
    """A process of the world dies here. Passes every ``except Exception``, as a kill does."""


@dataclass(frozen=True)
class Stored:
    """A message as the broker has it."""

    value: bytes
    headers: tuple[tuple[str, bytes], ...]
    last: int


@dataclass
class Broker:
    """One topic. ``emptied`` counts how often it lost everything."""

    partitions: int
    topics: int = 1
    emptied: int = 0
    messages: list[list[Stored]] = field(default_factory=list)
    committed: dict[int, int] = field(default_factory=dict)
    assigned: dict[int, str] = field(default_factory=dict)
    """Which worker the group has given a partition to."""
    known: set[int] = field(default_factory=set)
    """Positions of the log that are here."""
    since: tuple[int, str, int] = (0, "", 0)
    """Where the relay began to fill this topic, and how often it had been emptied by then."""

    def __post_init__(self) -> None:
        self.messages = [[] for _ in range(self.partitions)]

    @property
    def topic_id(self) -> str:
        return f"topic-{self.topics}"

    def empty(self, *, another_topic: bool) -> None:
        """All messages and the group's offsets are gone."""
        self.emptied += 1
        self.topics += another_topic
        self.messages = [[] for _ in range(self.partitions)]
        self.committed.clear()
        self.known.clear()

    def append(self, frame: Frame, seal: Seal | None) -> int:
        assert seal is not None
        value = encode(frame)
        stored = Stored(value, tuple(seal.on(value, headers(frame))), frame.last)
        self.messages[frame.partition].append(stored)
        self.known.update(row[0] for row in frame.rows)
        return len(self.messages[frame.partition]) - 1


class MemoryBus:
    """The `Bus` of one relay."""

    def __init__(self, broker: Broker, chance: Chance) -> None:
        self._broker, self._chance = broker, chance
        self.seal: Seal | None = None

    def open(self) -> str:
        self._maybe_away()
        return self._broker.topic_id

    def topic_id(self) -> str:
        self._maybe_away()
        return self._broker.topic_id

    def ends(self) -> dict[int, int]:
        self._maybe_away()
        return {n: len(messages) for n, messages in enumerate(self._broker.messages)}

    def send(self, frames: Sequence[Frame], going_on: Callable[[], bool]) -> dict[int, int]:
        self._maybe_away()
        offsets: dict[int, int] = {}
        for frame in frames:
            if self._chance.strikes("kill relay half sent"):
                raise Killed
            offsets[frame.partition] = self._broker.append(frame, self.seal)
        if self._chance.strikes("kill relay unstored"):
            raise Killed
        if self._chance.strikes("broker reply lost"):
            raise BusTrouble("the reply was lost")
        if not going_on():
            raise Interrupted
        return offsets

    def close(self) -> None:
        """Nothing is held."""

    def _maybe_away(self) -> None:
        if self._chance.strikes("broker refuses"):
            raise BusTrouble("away")


class WatchedRow(RelayedRow):
    """The relay's stored position, held to its promise: what it names is on the bus."""

    def watch(self, broker: Broker) -> None:
        self._broker = broker

    def store(self, epoch: int, relayed: Relayed) -> None:
        super().store(epoch, relayed)
        fresh = all(sent.offset == -1 for sent in relayed.sent.values())
        if fresh:  # what lies before is with the views, or came with an older topic
            self._broker.since = (relayed.position, relayed.topic_id, self._broker.emptied)
        since, topic, emptied = self._broker.since
        if (topic, emptied) != (relayed.topic_id, self._broker.emptied):
            return
        missing = set(range(since + 1, relayed.position + 1)) - self._broker.known
        if missing:
            raise Violation(f"relayed: {sorted(missing)[:5]} are stored as sent and are not")
