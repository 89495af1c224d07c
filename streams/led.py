"""What a leader does for as long as it leads: begin at what is stored, step, wait out trouble."""

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import ClassVar, Protocol

import structlog

from eventstore.errors import StoreError
from streams.kafka import BusTrouble, Interrupted
from streams.relayed import Fenced

FIRST_PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 2.0
STAND_BY_SECONDS = 0.05

log = structlog.get_logger("relay")


class LogReplaced(Interrupted):
    """The log was restored or promoted since: the leader begins again at what is stored."""


class Leadership(Protocol):
    """What is asked of a `streams.leader.Leader`."""

    epoch: int

    def held(self) -> bool: ...


class Led(ABC):
    """One task of a leader; several may share one leadership. Counters are for metrics and are
    read from other threads; each only rises."""

    name: ClassVar[str]

    def __init__(self, leader: Leadership, beat: Callable[[], None] = lambda: None) -> None:
        self._leader, self._beat = leader, beat
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
    def _let_go(self) -> None:
        """Close what `begin` has opened."""

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
                self._let_go()
        self.leading = False

    def _going_on(self) -> bool:
        return not self._stop.is_set() and self._leader.held() and self._leader.epoch == self._epoch

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
