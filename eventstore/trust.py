"""Which facts of the log count: those that carry the writer's seal.

Whoever decides on facts, or folds them in the process that writes, first lets every row that this
store has not looked at yet be held against its seal. A row without one, or that is not as it was
sealed, is remembered: its stream is decided on no more, and no view folds it. How far that has got
is kept in the vault, under the secret of the seals, so that a start looks at what is new alone.
What is changed far back, after it was looked at, is found by `relief audit watch`.
"""

import hmac
import threading
from collections.abc import Sequence
from typing import Final
from uuid import UUID

import msgspec
import structlog

from eventstore.log import Log, Row
from eventstore.proving import ROWS_AT_ONCE
from eventstore.seals import TOLD_EVERY, Seal, Seals
from eventstore.vault import Vault

CHECKED: Final = "checked"
KEEP_EVERY = 10_000
"""Positions after which it is written down how far all has been looked at."""
ROWS = (
    "SELECT position, stream, version, topic, state FROM events"
    " WHERE position > ? AND position <= ? ORDER BY position LIMIT ?"
)
KNOWN = "SELECT position, fact FROM effects WHERE name = ?"
KEEP = (
    "INSERT INTO effects VALUES (?,?,?,0) ON CONFLICT (name) DO UPDATE SET"
    " position = excluded.position, fact = excluded.fact"
)

log = structlog.get_logger("trust")


class Kept(msgspec.Struct):
    """What is written down beside the position: what does not count, and the seal of it all."""

    lineage: str
    forged: dict[int, str]
    mac: str


class Seen(msgspec.Struct, array_like=True):
    """How far somebody has looked, and what of that does not count."""

    upto: int
    forged: dict[int, UUID] = {}


class Told(msgspec.Struct):
    """The secret of the seals, and what was seen with it."""

    key: str
    seen: Seen


class Trust:
    """What one store knows of its log's rows. For any thread."""

    def __init__(self, log: Log, seal: Seal) -> None:
        self._log, self._seal = log, seal
        self._lock = threading.Lock()
        self.forged: dict[int, UUID] = {}
        """Positions of rows that do not count, and whose streams they are put into."""
        self.upto = 0

    def told(self) -> Told:
        """For another process, so that it goes on from here."""
        return Told(self._seal.key.hex(), self.seen())

    def seen(self) -> Seen:
        with self._lock:
            return Seen(self.upto, dict(self.forged))

    @classmethod
    def of(cls, log: Log, told: Told) -> "Trust":
        """What another process has told."""
        trust = cls(log, Seal(log, bytes.fromhex(told.key)))
        trust.hear(told.seen)
        return trust

    def hear(self, seen: Seen) -> None:
        """Another process of ours has looked so far by now, or has written so far itself: that is
        not looked at again here, and so boards pay nothing for it."""
        with self._lock:
            self.forged |= seen.forged
            self.upto = max(self.upto, seen.upto)

    # -- looking ------------------------------------------------------------------------------

    def look(self, upto: int) -> None:
        """Hold all rows up to a position against their seals. Raises a `StoreError`."""
        if upto <= self.upto:
            return
        with self._lock:
            while self.upto < upto and (
                rows := self._log.fetch(ROWS, (self.upto, upto, ROWS_AT_ONCE))
            ):
                self._note(rows)
                if self.upto // TOLD_EVERY != rows[-1][0] // TOLD_EVERY:
                    log.info("log.looking", facts=rows[-1][0], of=upto)
                self.upto = rows[-1][0]

    def hold(self, rows: Sequence[Row]) -> None:
        """`look`, up to the last of these rows, which were read just now."""
        self.look(rows[0][0] - 1)
        with self._lock:
            if rows[-1][0] <= self.upto:
                return
            fresh = [row for row in rows if row[0] > self.upto]
            if fresh:
                self._note(fresh)
                self.upto = fresh[-1][0]

    def begins_anew(self, head: int) -> None:
        """The log goes on from another fact than the one that stood at its head: what was looked at
        behind ``head`` may have been lost, and other facts written."""
        with self._lock:
            self.upto = min(self.upto, head)
            self.forged = {at: one for at, one in self.forged.items() if at <= self.upto}

    def own(self, first: int, last: int) -> None:
        """This process has just written the facts from ``first`` to ``last``."""
        with self._lock:
            if self.upto == first - 1:
                self.upto = last

    def _note(self, rows: Sequence[Row]) -> None:
        unsealed = self._seal.unsealed(rows)
        if not unsealed:
            return
        for position, stream, _, topic, _ in rows:
            if position in unsealed:
                log.error("fact.unsealed", position=position, topic=topic)
                self.forged[position] = UUID(bytes=bytes(stream))

    def forged_in(self, stream: UUID) -> int | None:
        """The first position at which somebody else has put a fact into this stream."""
        if not self.forged:
            return None
        return min((at for at, one in self.forged.items() if one == stream), default=None)


class KeptTrust(Trust):
    """That of a store: it is written down in the vault."""

    def __init__(self, log: Log, vault: Vault, seals: Seals) -> None:
        super().__init__(log, seals)
        self._vault, self.seals = vault, seals
        self.upto = self._known()
        self._kept = self.upto

    # -- writing it down ----------------------------------------------------------------------

    def keep(self, least: int = 1) -> None:
        """Write down how far it has got, if that is ``least`` positions further than is written."""
        with self._lock:
            if self.upto - self._kept >= least:
                self._keep()

    def _keep(self) -> None:
        kept = Kept(self._lineage(), {at: one.hex for at, one in self.forged.items()}, "")
        kept.mac = self._mac(self.upto, kept).hex()
        with self._vault.aside() as db:
            db.execute(KEEP, (CHECKED, self.upto, msgspec.json.encode(kept).decode()))
        self._kept = self.upto

    def _known(self) -> int:
        """As it is written down; 0 where that is of another log, or not ours."""
        for position, fact in self._vault.fetch(KNOWN, (CHECKED,)):
            try:
                kept = msgspec.json.decode(fact, type=Kept)
                mac = bytes.fromhex(kept.mac)
                forged = {at: UUID(hex=one) for at, one in kept.forged.items()}
            except (msgspec.MsgspecError, ValueError):
                continue
            right = hmac.compare_digest(mac, self._mac(position, kept))
            if right and kept.lineage == self._lineage() and position <= self._log.head():
                self.forged = forged
                return int(position)
        return 0

    def _lineage(self) -> str:
        """Which history of which log this is, also while a promotion waits for its name."""
        return f"{self._log.mark('born')}/{self._log.mark('epoch')}"

    def _mac(self, position: int, kept: Kept) -> bytes:
        told = msgspec.json.encode([position, kept.lineage, sorted(kept.forged.items())])
        return self.seals.mac_of(b"relief-checked/1\n" + told)
