"""Store: what the ledger knows of itself.

Where its seat is, which epoch of its log this is, and what was decided about its clock. These are
facts like all others: a restored log, a promoted stand-by or a clock that was set forward by hand
is seen in the timeline, with who did it and why. The log's marks repeat the newest state for
whoever must know it without replaying (`Store.marks`); they are written in the same transaction.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, ClassVar
from uuid import UUID, uuid5

import msgspec
from eventsourcing.domain import event

from domain.base import NAMESPACE, Aggregate, grown
from domain.lateness import HeldSpan, joined
from domain.refusal import Refusal

FIRST_EPOCH = "1"
"""Of a log that was never restored, copied or promoted. Stores made before epochs have no other."""
FURTHEST = timedelta(days=400)
"""How far a simulated clock is moved at once: more than any season, and no slip of the finger that
would end every post."""
FASTEST = 3600
"""How often faster than real time a simulated clock may run: an hour a second."""


class Cause(StrEnum):
    """Why the log goes on in another history than the one its copies may have seen."""

    RESTORE = "restore"  # put back from a backup
    COPY = "copy"  # copied to another place
    PROMOTION = "promotion"  # PostgreSQL's stand-by took over
    OPERATOR = "operator"  # somebody who keeps the machine says so


class HoldCause(StrEnum):
    """Why a machine's clock is not used."""

    LEAPT = "leapt"  # within a run, against the time since boot
    AHEAD = "ahead"  # from the start, of the database server's clock
    BEHIND = "behind"  # from the start, of the newest fact
    UNTOLD = "untold"  # held before causes were kept


class Decision(StrEnum):
    """How a held clock came to go again."""

    ACCEPTED = "accepted"  # an operator: the machine's time is right
    RETURNED = "returned"  # the machine's clock came back by itself or was set right


@dataclass(eq=False)
class EpochBegunAlready(Refusal):
    zh: ClassVar[str] = "账本的这一分支已经登记过"
    en: ClassVar[str] = "This epoch of the log has begun already."


@dataclass(eq=False)
class DisownedAlready(Refusal):
    zh: ClassVar[str] = "第 {position} 条已经登记为非本程序写入"
    en: ClassVar[str] = "Record {position} has been disowned already."
    position: int


@dataclass(eq=False)
class ResealedAlready(Refusal):
    zh: ClassVar[str] = "账本的这次重新加封已经登记过"
    en: ClassVar[str] = "That the log was sealed anew has been recorded already."


@dataclass(eq=False)
class ClockHeldAlready(Refusal):
    zh: ClassVar[str] = "机器“{host}”的时钟已经停用待定"
    en: ClassVar[str] = "The clock of the machine {host} is held already."
    host: str


@dataclass(eq=False)
class ClockNotHeld(Refusal):
    zh: ClassVar[str] = "机器“{host}”的时钟没有停用待定"
    en: ClassVar[str] = "The clock of the machine {host} is not held: there is nothing to decide."
    host: str


@dataclass(eq=False)
class ClockIsReal(Refusal):
    zh: ClassVar[str] = "本账本按真实时间运行，不能拨快时钟"
    en: ClassVar[str] = "This ledger runs on real time: its clock cannot be advanced."


@dataclass(eq=False)
class ClockGoesForward(Refusal):
    zh: ClassVar[str] = "模拟时钟只能向前拨"
    en: ClassVar[str] = "A simulated clock can only be moved forward."


@dataclass(eq=False)
class ClockGoesTooFar(Refusal):
    zh: ClassVar[str] = "模拟时钟一次最多向前拨 {days} 天"
    en: ClassVar[str] = (
        "A simulated clock is moved forward by {days} {days:day|days} at most at a time."
    )
    days: int


class Hold(msgspec.Struct, frozen=True):
    """A machine's time is not used: stamping goes on from ``good``, counted by the time since boot.

    ``boot`` is that machine's seconds since boot at ``good``, and ``boot_id`` names the boot, so
    that a process that starts while the clock is held knows how much time has passed.
    """

    good: datetime
    machine: datetime
    boot: float = 0.0
    boot_id: str = ""
    cause: HoldCause = HoldCause.UNTOLD


class ForgedRow(msgspec.Struct, frozen=True):
    """A row of the log that the program has not written. ``sha256``: of its leaf in the tree of the
    log, as hex, so that it is this very row."""

    position: int
    stream: UUID
    version: int
    topic: str
    sha256: str


_json = msgspec.json.Encoder().encode


class Store(Aggregate):
    """One ledger. ``holds`` are the machines whose clock waits for a decision, ``spans`` the times
    when one did before. ``exercise``: it is a training store, in which nothing is in earnest.
    ``disowned``: rows of the log that the program has not written, by position, with the hash of
    each as it stands in the tree. ``resealed``: how many seals no longer count, since all was
    sealed anew under another secret."""

    @event("Opened")
    def __init__(
        self, id: UUID, area: UUID, born: str, simulated: bool, exercise: bool = False
    ) -> None:
        self.seat = area
        self.born = born
        self.simulated = simulated
        self.exercise = exercise
        self.epoch = FIRST_EPOCH
        self.epoch_head = 0
        self.timeline = ""
        self.holds: dict[str, Hold] = {}
        self.decisions: dict[str, Decision] = {}
        self.spans: tuple[HeldSpan, ...] = ()
        self.advanced: tuple[datetime, datetime, int] | None = None
        self.disowned: dict[int, str] = {}
        self.resealed: int | None = None

    @staticmethod
    def id_of(born: str) -> UUID:
        """From the birth mark that log and vault share."""
        return uuid5(NAMESPACE, f"store/{born}")

    def derived_id(self) -> UUID:
        return self.id_of(self.born)

    @property
    def home(self) -> UUID:
        return self.seat

    def marks(self) -> dict[str, str]:
        """What the log keeps at hand of this, by the name of the mark."""
        holds = {"holds": self.holds, "decisions": self.decisions, "spans": self.spans}
        found = {"seat": str(self.seat), "epoch": self.epoch, "clock": _json(holds).decode()}
        if self.exercise:
            found["exercise"] = "store"  # a training store, for ever: no fact can unsay it
        if self.epoch != FIRST_EPOCH:
            found["epoch-head"] = str(self.epoch_head)
            found["copy"] = "opened"  # what was copied has begun an epoch of its own
        if self.timeline:
            found["timeline"] = self.timeline
        if self.advanced is not None:
            to, machine_at, rate = self.advanced
            found |= {"simulated": to.isoformat(), "simulated-since": machine_at.isoformat()}
            found["simulated-rate"] = str(rate)
        return found

    # -- seat ---------------------------------------------------------------------------------

    def move_seat(self, seat: UUID) -> None:
        """Somebody is in post in a higher area now. Says nothing twice."""
        if seat != self.seat:
            self._seat_moved(seat=seat)

    @event("SeatMoved")
    def _seat_moved(self, seat: UUID) -> None:
        self.seat = seat

    # -- epoch of the log ---------------------------------------------------------------------

    def begin_epoch(
        self, epoch: str, cause: Cause, head: int, timeline: str, reason: str, operator: str
    ) -> None:
        """From position ``head`` on this log is another one than its older copies.

        ``timeline``: PostgreSQL's timeline id, "" where there is none or it cannot be read.
        """
        if epoch == self.epoch or (cause is Cause.PROMOTION and timeline == self.timeline):
            raise EpochBegunAlready
        self._epoch_begun(
            epoch=epoch,
            cause=cause,
            head=head,
            timeline=timeline,
            reason=reason,
            operator=operator,
        )

    @event("EpochBegun")
    def _epoch_begun(
        self, epoch: str, cause: Cause, head: int, timeline: str, reason: str, operator: str
    ) -> None:
        self.epoch = epoch
        self.epoch_head = head
        self.timeline = timeline

    def know_timeline(self, timeline: str) -> None:
        """The timeline on which this epoch goes on, as it was first seen. Says nothing twice."""
        if timeline and not self.timeline:
            self._timeline_seen(timeline=timeline)

    @event("TimelineSeen")
    def _timeline_seen(self, timeline: str) -> None:
        self.timeline = timeline

    # -- rows that are no facts ---------------------------------------------------------------

    def disown(self, row: ForgedRow, reason: str, operator: str) -> None:
        """Somebody has put this row into the log by hand: it is no fact, and never was one."""
        if row.position in self.disowned:
            raise DisownedAlready(position=row.position)
        self._row_disowned(row=row, reason=reason, operator=operator)

    @event("RowDisowned")
    def _row_disowned(self, row: ForgedRow, reason: str, operator: str) -> None:
        self.disowned[row.position] = row.sha256

    # -- seals --------------------------------------------------------------------------------

    def reseal(self, seals: int, head: int, root: str, reason: str, operator: str) -> None:
        """All ``head`` facts, with the tree over them of this root, were sealed anew."""
        if seals == self.resealed:
            raise ResealedAlready
        self._resealed(seals=seals, head=head, root=root, reason=reason, operator=operator)

    @event("Resealed")
    def _resealed(self, seals: int, head: int, root: str, reason: str, operator: str) -> None:
        self.resealed = seals

    # -- clock --------------------------------------------------------------------------------

    def hold_clock(self, host: str, hold: Hold) -> None:
        """The clock of this machine is wrong: its time is not used until somebody decides."""
        if host in self.holds:
            raise ClockHeldAlready(host=host)
        self._clock_held(
            host=host,
            since=hold.good,
            machine=hold.machine,
            boot=hold.boot,
            boot_id=hold.boot_id,
            cause=hold.cause,
        )

    @event("ClockHeld")
    def _clock_held(
        self,
        host: str,
        since: datetime,
        machine: datetime,
        boot: float,
        boot_id: str,
        cause: HoldCause,
    ) -> None:
        self.holds[host] = Hold(since, machine, boot, boot_id, cause)
        self.decisions.pop(host, None)

    def decide_clock(
        self, host: str, decision: Decision, span: HeldSpan | None, reason: str, operator: str
    ) -> None:
        """End the hold: the machine's time is used again. ``span`` is the time it was held for."""
        if host not in self.holds:
            raise ClockNotHeld(host=host)
        self._clock_decided(
            host=host, decision=decision, span=span, reason=reason, operator=operator
        )

    @event("ClockDecided")
    def _clock_decided(
        self, host: str, decision: Decision, span: HeldSpan | None, reason: str, operator: str
    ) -> None:
        del self.holds[host]
        self.decisions[host] = decision
        if span is not None:
            self.spans = joined([*self.spans, span])

    def advance_clock(
        self, to: datetime, now: datetime, machine_at: datetime, rate: int, operator: str
    ) -> None:
        """Move a simulated clock forward, or let it run faster. ``machine_at``: real time now."""
        if not self.simulated:
            raise ClockIsReal
        if to < now:
            raise ClockGoesForward
        if to - now > FURTHEST:
            raise ClockGoesTooFar(days=FURTHEST.days)
        self._clock_advanced(to=to, machine_at=machine_at, rate=rate, operator=operator)

    @event("ClockAdvanced")
    def _clock_advanced(self, to: datetime, machine_at: datetime, rate: int, operator: str) -> None:
        self.advanced = (to, machine_at, rate)


def _in_earnest(fact: dict[str, Any]) -> None:
    """Before there were training stores every store was a real one."""
    fact["exercise"] = False


grown(Store.Opened, _in_earnest)


def _held_without_cause(fact: dict[str, Any]) -> None:
    """A start ahead of the database and a leap were told alike."""
    fact["cause"] = HoldCause.UNTOLD


def _decided_without_span(fact: dict[str, Any]) -> None:
    """Nobody wrote down until when the clock had been held."""
    fact["span"] = None


grown(Store.ClockHeld, _held_without_cause)
grown(Store.ClockDecided, _decided_without_span)
