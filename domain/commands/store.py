"""The ledger about itself: acts of the program and of whoever keeps the machine, never of a post.

Their effect is on one machine and on the boards of every area, and an administrator has no
business right. So only the system may do them: they have no address in the API; the program sends
them at its start and when the clock leaps, `relief clock` and `relief log new-epoch` for operators.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from domain.area import check_text
from domain.lateness import HeldSpan
from domain.refusal import Malformed
from domain.store import FASTEST, Cause, Decision, ForgedRow, Hold, HoldCause, Store
from domain.world import Command, Result, Role, World


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreCommand(Command):
    """The first one opens the stream: ``seat``, ``simulated`` and ``training`` say how it stands
    then. Whether it is for training is never asked again."""

    roles: ClassVar[frozenset[Role]] = frozenset({Role.SYSTEM})
    born: str
    seat: UUID
    simulated: bool = False
    training: bool = False

    def scope(self, world: World) -> UUID:
        return self.seat

    def store(self, world: World) -> Store:
        """The stream, begun if there is none yet."""
        check_text("born", self.born)
        id = Store.id_of(self.born)
        found = world.find(Store, id)
        if found is None:
            found = world.add(
                Store(
                    id=id,
                    area=self.seat,
                    born=self.born,
                    simulated=self.simulated,
                    exercise=self.training,
                )
            )
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordStore(StoreCommand):
    """Where the seat is, and on which of PostgreSQL's timelines the log stands."""

    timeline: str = ""

    def decide(self, world: World) -> Result | None:
        store = self.store(world)
        store.move_seat(self.seat)
        store.know_timeline(self.timeline)
        return {"store": store.id, "epoch": store.epoch}


@dataclass(frozen=True, slots=True, kw_only=True)
class BeginEpoch(StoreCommand):
    """The log was restored, copied or promoted: what was derived from it before is not of it."""

    epoch: str
    cause: Cause
    head: int
    timeline: str = ""
    reason: str = ""
    operator: str = ""

    def decide(self, world: World) -> Result | None:
        check_text("epoch", self.epoch)
        store = self.store(world)
        store.begin_epoch(
            self.epoch, self.cause, self.head, self.timeline, self.reason, self.operator
        )
        return {"store": store.id, "epoch": store.epoch}


@dataclass(frozen=True, slots=True, kw_only=True)
class DisownRow(StoreCommand):
    """A row of the log that somebody has put there by hand is no fact: its stream goes on without
    it. That it has no seal only the store knows, which passes over no row that has one."""

    position: int
    stream: UUID
    version: int
    topic: str
    sha256: str
    reason: str
    operator: str

    def decide(self, world: World) -> Result | None:
        for field in ("reason", "operator"):
            check_text(field, getattr(self, field))
        if self.position < 1:
            raise Malformed(
                field="position",
                value=str(self.position),
                rule_zh="应为 1 或更大的数",
                rule_en="it is 1 or more",
            )
        store = self.store(world)
        row = ForgedRow(self.position, self.stream, self.version, self.topic, self.sha256)
        store.disown(row, self.reason.strip(), self.operator.strip())
        return {"store": store.id}


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordResealing(StoreCommand):
    """The log was sealed anew: its seals before could not be checked with the vault there is."""

    seals: int
    head: int
    root: str
    reason: str
    operator: str

    def decide(self, world: World) -> Result | None:
        for field in ("reason", "operator"):
            check_text(field, getattr(self, field))
        store = self.store(world)
        reason, operator = self.reason.strip(), self.operator.strip()
        store.reseal(self.seals, self.head, self.root, reason, operator)
        return {"store": store.id}


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldClock(StoreCommand):
    """A machine's clock is wrong; its time is not used until somebody decides."""

    host: str
    good: datetime
    machine: datetime
    cause: HoldCause
    boot: float = 0.0
    boot_id: str = ""

    def decide(self, world: World) -> Result | None:
        check_text("host", self.host)
        store = self.store(world)
        hold = Hold(self.good, self.machine, self.boot, self.boot_id, self.cause)
        store.hold_clock(self.host, hold)
        return {"store": store.id}


@dataclass(frozen=True, slots=True, kw_only=True)
class DecideClock(StoreCommand):
    """The machine's time is used again: an operator accepted it, or it came back."""

    host: str
    decision: Decision
    span: HeldSpan | None = None
    reason: str = ""
    operator: str = ""

    def decide(self, world: World) -> Result | None:
        if self.decision is Decision.ACCEPTED:
            for field in ("reason", "operator"):
                check_text(field, getattr(self, field))
        store = self.store(world)
        reason, operator = self.reason.strip(), self.operator.strip()
        store.decide_clock(self.host, self.decision, self.span, reason, operator)
        return {"store": store.id}


@dataclass(frozen=True, slots=True, kw_only=True)
class AdvanceClock(StoreCommand):
    """Move a simulated clock forward, or let it run faster: no leap, for somebody wants it so."""

    to: datetime
    machine_at: datetime
    rate: int = 1
    operator: str = ""

    def decide(self, world: World) -> Result | None:
        check_text("operator", self.operator)
        if not 1 <= self.rate <= FASTEST:
            raise Malformed(
                field="rate",
                value=str(self.rate),
                rule_zh=f"应为 1 至 {FASTEST}",
                rule_en=f"it is between 1 and {FASTEST}",
            )
        store = self.store(world)
        store.advance_clock(self.to, world.now, self.machine_at, self.rate, self.operator.strip())
        return {"store": store.id}
