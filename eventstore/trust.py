"""Which facts of the log count: those that carry the writer's seal.

Whoever decides on facts, or folds them in the process that writes, first lets every row that this
store has not looked at yet be held against its seal. A row without one, or that is not as it was
sealed, is remembered: its stream is decided on no more, and no view folds it, until an operator
disowns it by a fact that names its position and hash. Then the stream goes on behind it, and
everybody passes it over for ever. How far that has got is kept in the vault, under the secret of
the seals, so that a start looks at what is new alone.
What is changed far back, after it was looked at, is found by `relief audit watch`.
"""

import hmac
import threading
from collections.abc import Collection, Iterable, Sequence
from functools import cached_property
from typing import Final
from uuid import UUID

import msgspec
import structlog

from domain.store import ForgedRow
from domain.store import Store as Ledger
from eventstore.disowned import DISOWNS, Disowned, disowned_by, row_told, still
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


class Seen(msgspec.Struct, array_like=True):
    """How far somebody has looked, and what of that does not count: by position."""

    upto: int
    forged: dict[int, UUID] = {}
    disowned: dict[int, Disowned] = {}


class Kept(msgspec.Struct):
    """What is written down beside the position, and the seal of it all."""

    lineage: str
    seen: Seen
    mac: str = ""


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
        """Positions of rows that do not count, and whose streams they are put into: these are
        closed. Whoever disowns one opens its stream again."""
        self.disowned: dict[int, Disowned] = {}
        """Rows that do not count and close nothing any more."""
        self.upto = 0

    def told(self) -> Told:
        """For another process, so that it goes on from here."""
        return Told(self._seal.key.hex(), self.seen())

    def seen(self) -> Seen:
        with self._lock:
            return Seen(self.upto, dict(self.forged), dict(self.disowned))

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
            self.disowned |= seen.disowned
            new = {at: one for at, one in seen.forged.items() if at not in self.disowned}
            self.forged = {
                at: one for at, one in self.forged.items() if at not in self.disowned
            } | new
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
            kept = {at: one for at, one in self.disowned.items() if one.said_at <= self.upto}
            again = self.disowned.keys() - kept.keys()
            self.forged |= {at: self.disowned[at].row.stream for at in again if at <= self.upto}
            self.disowned = kept

    def own(self, rows: Sequence[Row]) -> None:
        """This process has just written these facts."""
        with self._lock:
            if self.upto == rows[0][0] - 1:
                self._hear_of_disowned(rows)
                self.upto = rows[-1][0]

    def _note(self, rows: Sequence[Row]) -> None:
        unsealed = self._seal.unsealed(rows)
        for position, stream, _, topic, _ in rows if unsealed else ():
            if position in unsealed:
                log.error("fact.unsealed", position=position, topic=topic)
                self.forged[position] = UUID(bytes=bytes(stream))
        self._hear_of_disowned([row for row in rows if row[0] not in unsealed])

    def forged_in(self, stream: UUID) -> int | None:
        """The first position at which somebody else has put a fact into this stream, which is
        closed by that. The ledger's own stream never is: what does not count there is passed over,
        for else nobody could disown it."""
        if not self.forged or stream == self._ledger:
            return None
        return min((at for at, one in self.forged.items() if one == stream), default=None)

    # -- rows that were disowned ----------------------------------------------------------------

    @cached_property
    def _ledger(self) -> UUID:
        return Ledger.id_of(self._log.mark("born") or "")

    def counts(self, position: int) -> bool:
        """Whether the row there, which was looked at, is a fact."""
        return position not in self.forged and position not in self.disowned

    def without(self, rows: Sequence[Row]) -> Sequence[Row]:
        """Those of these rows, which were looked at, that are facts or close their stream: without
        those that were disowned."""
        if not self.disowned:  # as a rule
            return rows
        return [row for row in rows if row[0] not in self.disowned]

    def passed_over(self, stream: UUID) -> Collection[int]:
        """At which versions of this stream no facts stand, so that it goes on behind them."""
        if not self.disowned and not self.forged:  # as a rule
            return ()
        found = {one.row.version for one in self.disowned.values() if one.row.stream == stream}
        if stream == self._ledger:
            found |= {
                row[2]
                for at, one in self.forged.items()
                if one == stream
                for row in self._log.rows(at - 1, 1, at)
            }
        return found

    def _hear_of_disowned(self, rows: Iterable[Row]) -> None:
        """What these facts disown, if it is forged and the very row that was meant."""
        for row in rows:
            said = disowned_by(row) if row[3] == DISOWNS else None
            if said is None or bytes(row[1]) != self._ledger.bytes:
                continue
            at = said.row.position
            if at in self.forged and still(self._log, said.row):
                del self.forged[at]
                self.disowned[at] = said

    def disownable(self, position: int) -> ForgedRow | None:
        """The row at a position that may be disowned: it is there, and nothing was ever sealed at
        its position. One that was sealed is a fact that somebody has changed."""
        if position not in self.forged:
            return None
        for row in self._log.rows(position - 1, 1, position):
            if not self._seal.covers(position):
                return row_told(row)
        return None


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
        kept = Kept(self._lineage(), Seen(self.upto, self.forged, self.disowned))
        kept.mac = self._mac(kept).hex()
        with self._vault.aside() as db:
            db.execute(KEEP, (CHECKED, self.upto, msgspec.json.encode(kept).decode()))
        self._kept = self.upto

    def _known(self) -> int:
        """As it is written down; 0 where that is of another log, or not ours."""
        for position, fact in self._vault.fetch(KNOWN, (CHECKED,)):
            try:
                kept = msgspec.json.decode(fact, type=Kept)
                mac = bytes.fromhex(kept.mac)
            except (msgspec.MsgspecError, ValueError):
                continue
            seen = kept.seen
            right = seen.upto == position and hmac.compare_digest(mac, self._mac(kept))
            if right and kept.lineage == self._lineage() and position <= self._log.head():
                self.forged, self.disowned = seen.forged, seen.disowned
                return int(position)
        return 0

    def _lineage(self) -> str:
        """Which history of which log this is, also while a promotion waits for its name."""
        return f"{self._log.mark('born')}/{self._log.mark('epoch')}"

    def _mac(self, kept: Kept) -> bytes:
        told = msgspec.json.encode([kept.lineage, kept.seen])
        return self.seals.mac_of(b"relief-checked/2\n" + told)
