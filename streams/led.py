"""What a leader does for as long as it leads: begin at what is stored, step, wait out trouble."""

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import ClassVar, Protocol

import structlog

from eventstore.errors import StoreError
from eventstore.log import Log
from streams.kafka import BusTrouble, Interrupted
from streams.relayed import Fenced
from streams.topics import Wrong

FIRST_PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 2.0
STAND_BY_SECONDS = 0.05
LOOK_SECONDS = 1.0

log = structlog.get_logger("relay")


class LogReplaced(Interrupted):
    """The log was restored or promoted since: the leader begins again at what is stored."""


class Leadership(Protocol):
    """What is asked of a `streams.leader.Leader`."""

    epoch: int

    def held(self) -> bool: ...


class SentTo(Protocol):
    """What is asked of the topic that is sent to. Every call raises `BusTrouble`."""

    @property
    def wrong(self) -> Sequence[Wrong]: ...

    def topic_id(self) -> str: ...

    def close(self) -> None: ...


class Led(ABC):
    """One task of a leader, from a log to a topic; several may share one leadership. Counters are
    for metrics and are read from other threads; each only rises."""

    name: ClassVar[str]

    def __init__(
        self,
        log: Log,
        topic: SentTo,
        leader: Leadership,
        beat: Callable[[], None] = lambda: None,
    ) -> None:
        self._log, self._to = log, topic
        self._leader, self._beat = leader, beat
        self._topic_id = self._lineage = ""
        """Of the topic and the log between which we stand; `begin` sets them."""
        self._next_look = 0.0
        self._epoch = 0
        self._stop = threading.Event()
        self.position = 0
        """All facts up to here are on the bus."""
        self.leading = False
        self.trouble: StoreError | BusTrouble | None = None
        """What it waits for; None while all is well."""
        self.trouble_since = 0.0
        self.failures = 0

    @abstractmethod
    def begin(self) -> None:
        """Take over what is stored and connect. Raises `Fenced`, `StoreError`, `BusTrouble`."""

    @abstractmethod
    def step(self) -> None:
        """Wait until something is to be sent, and send it."""

    @abstractmethod
    def _sent(self) -> int:
        """Rises with whatever was sent."""

    @abstractmethod
    def _look_for_loss(self) -> None:
        """Send again what the broker has lost, if it has lost any."""

    @property
    def wrong(self) -> list[Wrong]:
        """In what the topic differs from the settings though it is used."""
        return list(self._to.wrong) if self.leading else []

    def run(self, stop: threading.Event) -> None:
        """Until ``stop``: lead when it is our turn, wait out what passes, try again."""
        self._stop = stop
        pause = FIRST_PAUSE_SECONDS
        while not stop.is_set():
            self._beat()
            if not self._leader.held():
                self.leading = False
                stop.wait(STAND_BY_SECONDS)
                continue
            before = self._sent()
            try:
                self.begin()
                while self._going_on():
                    self.step()
            except (Fenced, Interrupted):
                stop.wait(STAND_BY_SECONDS)
            except (StoreError, BusTrouble) as problem:
                if isinstance(problem, StoreError) and problem.retry_after is None:
                    raise
                self._waits_for(problem)
                if before != self._sent():
                    pause = FIRST_PAUSE_SECONDS
                stop.wait(pause)
                pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
            finally:
                self._to.close()
        self.leading = False

    def _going_on(self) -> bool:
        return not self._stop.is_set() and self._leader.held() and self._leader.epoch == self._epoch

    def _look(self) -> None:
        """Once a second: whether topic and log are still those between which we stand."""
        now = time.monotonic()
        if now < self._next_look:
            return
        self._next_look = now + LOOK_SECONDS
        if self._log.lineage() != self._lineage or self.position > self._log.head():
            raise LogReplaced
        found = self._to.topic_id()
        if found != self._topic_id:
            raise BusTrouble(f"topic {self._topic_id} is now {found or 'missing'}")
        self._look_for_loss()

    @property
    def in_charge(self) -> bool:
        """Whether it is our turn, also while the broker is away and nothing can be sent."""
        return self._leader.held()

    def waiting_seconds(self) -> float:
        """How long it has been waiting; 0 while all is well."""
        return 0.0 if self.trouble is None else max(0.0, time.time() - self.trouble_since)

    def _waits_for(self, problem: StoreError | BusTrouble) -> None:
        self.failures += 1
        if self.trouble is None:
            self.trouble_since = time.time()
            why = str(problem)
            log.warning(f"{self.name} waits", why=why, zh=problem.zh, position=self.position)
        self.trouble = problem

    def _well(self) -> None:
        if self.trouble is not None:
            log.info(f"{self.name} goes on", position=self.position)
        self.trouble = None
