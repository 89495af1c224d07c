"""States of long streams beside the log, so that nobody replays them from their first fact.

A snapshot is a cache and never authority. It counts only if it carries the vault's seal, was made
by this very program in this epoch of the log, and covers the very fact that stands at its version;
anything else is passed over, and the stream is replayed. It is made from stored facts alone, never
from an aggregate in memory, so nothing in it is plainer than in the log; whoever is erased is
dropped from here too. It is made and written past the order lock (decision 0039).
"""

import hashlib
import hmac
import sys
from collections.abc import Callable, Sequence
from functools import cache, cached_property
from importlib.metadata import version
from pathlib import Path
from uuid import UUID

import structlog

import domain
from domain.base import OWNERS, Aggregate
from eventstore import mapper, shapes, states
from eventstore.behind import Behind
from eventstore.faults import reached
from eventstore.log import SNAPSHOT, Log, Piece, SnapshotRow
from eventstore.mapper import TypedMapper
from eventstore.states import packed, unpacked
from eventstore.trust import Trust
from eventstore.vault import Vault

EVERY = 500
"""So many facts after the last snapshot the next one is made."""
DIGEST_BYTES = 32
WINDOW = 20_000
"""Positions of the log looked at in one step."""

log = structlog.get_logger("snapshots")


class SnapshotWrong(Exception):
    """It is not ours, not of this program, or not of this stream's facts."""


@cache
def program() -> bytes:
    """What a state's shape and meaning depend on: the domain's source, how facts are decoded, and
    the versions beneath. Another program's snapshots are of no use."""
    found = hashlib.sha256(sys.version.encode())
    for name in ("eventsourcing", "msgspec"):
        found.update(f"{name} {version(name)}\n".encode())
    sources = [Path(str(module.__file__)) for module in (mapper, shapes, states)]
    for path in (*sorted(Path(domain.__path__[0]).rglob("*.py")), *sources):
        found.update(hashlib.sha256(path.read_bytes()).digest())
    return found.digest()


class Snapshots:
    """Reads, proves and makes the snapshots of one store."""

    def __init__(self, log: Log, vault: Vault, mapper: TypedMapper, trust: Trust) -> None:
        self.every = EVERY
        self.program = program()
        self._log, self._vault, self._mapper, self._trust = log, vault, mapper, trust
        self._kinds = {OWNERS[one].__name__: OWNERS[one] for one in mapper.classes.values()}
        self._at = -1
        self._due: list[bytes] = []
        behind = Behind("snapshots", self.step, lambda: self._at)
        self.start, self.stop = behind.start, behind.stop

    @cached_property
    def _key(self) -> bytes:
        return self._vault.secret("snapshots")

    # -- reading ------------------------------------------------------------------------------

    def loaded(
        self,
        stream: UUID,
        ask: Callable[[UUID, bytes], list[Piece]],
        version: int | None = None,
    ) -> Aggregate | None:
        """The aggregate as stored, or as of one of its versions: from its snapshot if that counts
        and is no younger, else from its first fact on. ``ask``: a stream's `Log.pieces` of a
        program. Raises what ``ask`` raises, and what decoding and replaying facts raise."""
        pieces = ask(stream, self.program)
        if pieces and pieces[0][2].startswith(SNAPSHOT):
            if version is None or pieces[0][1] <= version:
                try:
                    return self.rebuilt(_upto(pieces, version))
                except Exception as problem:
                    log.warning("snapshot.passed-over", stream=str(stream), problem=str(problem))
            pieces = ask(stream, b"")
        return self.rebuilt(_upto(pieces, version))

    def rebuilt(self, pieces: Sequence[Piece]) -> Aggregate | None:
        """The aggregate of one stream's pieces (`Log.pieces`); None if it has not begun.

        Raises `SnapshotWrong` if they begin with a snapshot that does not count, and what decoding
        and replaying facts raise.
        """
        aggregate: Aggregate | None = None
        if pieces and pieces[0][2].startswith(SNAPSHOT):
            aggregate, pieces = self._proven(pieces), pieces[2:]
        over = self._trust.passed_over(UUID(bytes=pieces[0][0])) if pieces else ()
        for _, number, topic, state in pieces:
            if number not in over:
                aggregate = self._mapper.decode(topic, state).mutate(aggregate)
            elif aggregate is not None:
                aggregate.pass_over(number)
        return aggregate

    def _proven(self, pieces: Sequence[Piece]) -> Aggregate:
        """The state of a snapshot, and that it is what it says."""
        stream, covered, epoch, sealed = pieces[0]
        mac, fact = sealed[:DIGEST_BYTES], sealed[DIGEST_BYTES : 2 * DIGEST_BYTES]
        state = sealed[2 * DIGEST_BYTES :]
        said = SnapshotRow(stream, covered, epoch[1:], self.program, fact, mac, state)
        if not hmac.compare_digest(mac, self._mac(said)):
            raise SnapshotWrong("its seal is not the vault's")
        if len(pieces) < 2 or pieces[1][1] != covered or _digest(pieces[1]) != fact:
            raise SnapshotWrong("the log does not hold the fact that it covers")
        return unpacked(state, self._kinds)

    def _mac(self, row: SnapshotRow) -> bytes:
        parts = (row.stream, str(row.version).encode(), row.epoch.encode(), row.program, row.fact)
        sealed = b"".join(len(part).to_bytes(4, "big") + part for part in (*parts, row.state))
        return hmac.digest(self._key, sealed, "sha256")

    # -- making -------------------------------------------------------------------------------

    def step(self) -> bool:
        """Make what is due, one stream a step; True if there is more to do."""
        if self._due:
            self.take(UUID(bytes=self._due.pop()))
            return True
        head = self._log.head()
        if self._at < 0 or head < self._at:  # the first look, or a log that was put back
            self._due, self._at = self._long(), head
        elif head > self._at:
            upto = min(head, self._at + WINDOW)
            self._due, self._at = self._crossed(self._at, upto), upto
        return bool(self._due) or self._at < head

    def _long(self) -> list[bytes]:
        """Streams of many facts. It reads the index of all facts: once, at the start."""
        sql = "SELECT DISTINCT stream FROM events WHERE version >= ?"
        return [stream for (stream,) in self._log.fetch(sql, (self.every,))]

    def _crossed(self, after: int, upto: int) -> list[bytes]:
        """Streams that have come by a multiple of `every`."""
        sql = (
            "SELECT DISTINCT stream FROM events"
            " WHERE position > ? AND position <= ? AND version % ? = 0"
        )
        return [stream for (stream,) in self._log.fetch(sql, (after, upto, self.every))]

    def take(self, stream: UUID) -> bool:
        """Keep the state of a stream as of now, unless a snapshot that counts is young enough, or
        somebody else than the program has put a fact into it."""
        self._trust.look(self._log.head())
        if self._trust.forged_in(stream) is not None:
            return False
        pieces = self._log.pieces([stream.bytes], self.program)
        try:
            aggregate = self.rebuilt(pieces)
        except Exception as problem:  # a snapshot of whatever is wrong: it is made anew
            if not pieces[0][2].startswith(SNAPSHOT):
                raise
            log.warning("snapshot.wrong", stream=str(stream), problem=str(problem))
            pieces = self._log.pieces([stream.bytes])
            aggregate = self.rebuilt(pieces)
        if aggregate is None:
            return False
        _, newest, _, _ = pieces[-1]
        kept = pieces[0][1] if pieces[0][2].startswith(SNAPSHOT) else 0
        if newest - kept < self.every:
            return False
        return self._keep(aggregate, pieces[-1])

    def _keep(self, aggregate: Aggregate, newest: Piece) -> bool:
        state = packed(aggregate)
        if state is None:
            log.error("snapshot.impossible", kind=type(aggregate).__name__)
            return False
        stream, covered, _, _ = newest
        epoch = self._log.lineage().partition("/")[2]
        row = SnapshotRow(stream, covered, epoch, self.program, _digest(newest), b"", state)
        reached("before-snapshot")
        self._log.put_snapshot(row._replace(mac=self._mac(row)))
        reached("after-snapshot")
        return True


def _upto(pieces: Sequence[Piece], version: int | None) -> Sequence[Piece]:
    return pieces if version is None else [piece for piece in pieces if piece[1] <= version]


def _digest(fact: Piece) -> bytes:
    stream, covered, topic, state = fact
    return hashlib.sha256(b"%b/%d/%b/%b" % (stream, covered, topic.encode(), state)).digest()
