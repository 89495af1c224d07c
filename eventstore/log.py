"""The log as everybody sees it: rows in one total order, on SQLite or on PostgreSQL.

Implements the library's `ApplicationRecorder`, so that its `EventStore`, repositories and our own
contract suite work on it, and adds what the writer needs: one transaction for the facts and the
outcomes of a batch of commands. Positions are given under the order lock, without gaps.
"""

from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from eventsourcing.persistence import (
    ApplicationRecorder,
    Notification,
    StoredEvent,
    Subscription,
)

from domain.store import FIRST_EPOCH
from eventstore.errors import LogPromoted
from eventstore.sql import Sql

Row = tuple[int, bytes, int, str, bytes]
"""position, stream (16 bytes), version, topic, state"""
OutcomeRow = tuple[bytes, bytes, bytes, bytes]
"""command, actor, fingerprint, outcome"""
News = tuple[int, bytes, str, bytes]
"""position, stream, topic, state"""
Piece = tuple[bytes, int, str, bytes]
"""What a stream is rebuilt from: stream, version, topic and state of a fact. Or a snapshot, before
the fact that it covers last: stream, version, `SNAPSHOT` + epoch, mac + digest + state."""
SNAPSHOT = "="
"""Begins the "topic" of a snapshot, and no fact's."""


class SnapshotRow(NamedTuple):
    """A state as it is kept beside the log, see `eventstore.snapshots`."""

    stream: bytes
    version: int
    epoch: str
    program: bytes
    fact: bytes
    mac: bytes
    state: bytes


PUT_SNAPSHOT = """
INSERT INTO snapshots (stream, version, epoch, program, fact, mac, state) VALUES (?,?,?,?,?,?,?)
ON CONFLICT (stream) DO UPDATE SET version = excluded.version, epoch = excluded.epoch,
 program = excluded.program, fact = excluded.fact, mac = excluded.mac, state = excluded.state
"""


class SealRow(NamedTuple):
    """What the writer says of one batch, under a secret of the vault: see `eventstore.seals`."""

    n: int
    first: int
    """Position of the batch's first fact; ``last`` + 1 where it has none."""
    last: int
    commands: bytes
    """The ids of its outcomes, 16 bytes each."""
    outcomes: bytes
    """SHA-256 over those outcomes."""
    marks: str
    """What the batch says of the store itself, as JSON."""
    mac: bytes
    leaves: bytes
    """The leaves of its facts in the tree of the log, 32 bytes each."""


PUT_SEAL = (
    "INSERT INTO seals (n, first, last, commands, outcomes, marks, mac, leaves)"
    " VALUES (?,?,?,?,?,?,?,?)"
)
SEALS = "SELECT n, first, last, commands, outcomes, marks, mac, leaves FROM seals"
NEWEST_SEAL = "SELECT coalesce(max(n), 0) FROM seals"
CAUGHT_UP = 5_000
"""So many facts of others a writer is told of; if there are more, it must begin anew."""


class Wanted(NamedTuple):
    """What a batch asks once it has the order lock."""

    since: int
    """The head as it was known; -1: not known."""
    commands: Sequence[bytes]
    streams: Sequence[bytes]
    program: bytes = b""
    """Whose snapshots are of use, see `Log.pieces`."""


class Seen(NamedTuple):
    """The answers to a `Wanted`."""

    news: Sequence[News]
    """From ``since`` on, that fact included, 5,002 at most; of an unknown ``since`` the
    newest fact alone."""
    outcomes: Sequence[OutcomeRow]
    pieces: Sequence[Piece]
    """Of the streams, see `Log.pieces`."""
    seal: int
    """The number of the newest seal, 0 when there is none."""


OUTCOMES = "SELECT command, actor, fingerprint, outcome FROM outcomes"
OF_STREAM = "SELECT position, stream, version, topic, state FROM events WHERE stream = ?"
NEWEST = "SELECT position, stream, topic, state FROM events ORDER BY position DESC LIMIT 1"
NEWS = (
    "SELECT position, stream, topic, state FROM events WHERE position >= ? ORDER BY position"
    " LIMIT 5002"
)


def plain(value: object) -> bytes:
    """A stored value as bytes, whatever somebody has put in its place: SQLite keeps a text in a
    column of bytes, and a number too."""
    if isinstance(value, bytes):
        return value
    return value.encode() if isinstance(value, str) else repr(value).encode()


class _When(msgspec.Struct):
    recorded_at: datetime


class _Recorded(msgspec.Struct):
    """Of a stored fact of whatever type, when it was recorded."""

    meta: _When


_recorded = msgspec.json.Decoder(_Recorded).decode


def recorded_at(state: bytes) -> datetime:
    """When a stored fact of whatever type was recorded. Raises msgspec's errors."""
    return _recorded(state).meta.recorded_at


class Log(ApplicationRecorder):
    """Facts and outcomes of one store. ``writer`` is the connection of whoever writes."""

    writer: Sql
    source: str
    """Where it is, for another process of ours: a file, or a ``postgresql://`` address."""

    # -- what a back end gives ----------------------------------------------------------------

    @abstractmethod
    def fetch(self, sql: str, args: Sequence[Any] = ()) -> list[Any]:
        """All rows of a query, from any thread. Raises a `StoreError`."""

    @abstractmethod
    def transaction(self) -> AbstractContextManager[Sql]:
        """The order lock, for one batch. Commits at the end; rolls back on any exception.

        Raises the library's `IntegrityError` when a version is stored already, `CommitUnknown`
        when the reply to the COMMIT was lost, or another `StoreError`.
        """

    @contextmanager
    def batch(self, wanted: Wanted) -> Iterator[tuple[Sql, Seen]]:
        """A `transaction`, and what it sees first."""
        with self.transaction() as db:
            yield db, self._look(db, wanted)

    def _look(self, db: Sql, wanted: Wanted) -> Seen:
        since = wanted.since
        news = db.execute(NEWEST) if since < 0 else db.execute(NEWS, (since,))
        found = news.fetchall()
        marks = ",".join("?" * len(wanted.commands))
        sql = f"{OUTCOMES} WHERE command IN ({marks})"
        outcomes = db.execute(sql, wanted.commands).fetchall()
        pieces = self.pieces(wanted.streams, wanted.program, db) if wanted.streams else []
        return Seen(found, outcomes, pieces, self.newest_seal(db))

    @abstractmethod
    def append(
        self,
        db: Sql,
        rows: Sequence[Row],
        outcomes: Sequence[OutcomeRow] = (),
        seal: SealRow | None = None,
    ) -> None:
        """Add facts and outcomes with their seal, inside a `transaction`. In a store that has begun
        to seal, the database refuses facts without one."""

    @abstractmethod
    def close(self) -> None:
        """Let go of all connections."""

    # -- seals --------------------------------------------------------------------------------

    def seals(self, after: int, limit: int) -> list[SealRow]:
        """Up to ``limit`` seals with numbers > ``after``, in order."""
        found = self.fetch(f"{SEALS} WHERE n > ? ORDER BY n LIMIT {int(limit)}", (after,))
        return [SealRow(*row) for row in found]

    def seals_over(self, position: int, n: int, limit: int) -> list[SealRow]:
        """Up to ``limit`` seals of facts, in the order of the position where they end and of their
        numbers, that come after these two."""
        sql = f"{SEALS} WHERE (last, n) > (?, ?) AND last >= first ORDER BY last, n"
        found = self.fetch(f"{sql} LIMIT {int(limit)}", (position, n))
        return [SealRow(*row) for row in found]

    def newest_seal(self, db: Sql | None = None) -> int:
        """The number of the newest one, 0 when there is none; ``db``: inside a `transaction`."""
        return int(self._ask(db, NEWEST_SEAL, ())[0][0])

    # -- states kept beside the log -----------------------------------------------------------

    def pieces(
        self, streams: Sequence[bytes], program: bytes = b"", db: Sql | None = None
    ) -> list[Piece]:
        """What these streams are rebuilt from, each in its order: a snapshot by this program in
        this epoch, where there is one, and the facts from the last that it covers on; else all.

        ``db`` is the writer's connection, under the order lock. Nothing here is proven yet, and a
        back end that keeps no snapshots has none.
        """
        del program
        return self._whole(streams, db)

    def _whole(self, streams: Sequence[bytes], db: Sql | None) -> list[Piece]:
        marks = ",".join("?" * len(streams))
        sql = (
            "SELECT stream, version, topic, state FROM events"  # noqa: S608
            f" WHERE stream IN ({marks}) AND position > 0 ORDER BY stream, version"
        )
        return self._ask(db, sql, streams)

    def _ask(self, db: Sql | None, sql: str, args: Sequence[Any]) -> list[Any]:
        return self.fetch(sql, args) if db is None else db.execute(sql, args).fetchall()

    def put_snapshot(self, row: SnapshotRow) -> None:
        """Keep a state in place of an earlier one of its stream, past the order lock."""
        del row

    def drop_snapshots(self, persons: Sequence[UUID]) -> None:
        """Drop every state that names one of these persons."""
        del persons

    def listen(self, told: Callable[[int], None]) -> None:
        """Call ``told(head)`` soon after other processes' commits, where the back end can."""
        del told

    # -- reading ------------------------------------------------------------------------------

    def rows(self, after: int, limit: int, upto: int | None = None) -> list[Row]:
        """Up to ``limit`` rows with positions > ``after`` (and ≤ ``upto``), in order."""
        sql = "SELECT position, stream, version, topic, state FROM events WHERE position > ?"
        args: tuple[int, ...] = (after,)
        if upto is not None:
            sql, args = sql + " AND position <= ?", (after, upto)
        return self.fetch(f"{sql} ORDER BY position LIMIT {int(limit)}", args)

    def stream_rows(
        self,
        stream: UUID,
        *,
        upto_version: int | None = None,
        upto_position: int | None = None,
        limit: int | None = None,
    ) -> list[Row]:
        """A stream's rows in order, whole or up to a version or a position; the first ``limit``."""
        sql = f"{OF_STREAM} AND position > 0"
        args: list[Any] = [stream.bytes]
        if upto_version is not None:
            sql += " AND version <= ?"
            args.append(upto_version)
        if upto_position is not None:
            sql += " AND position <= ?"
            args.append(upto_position)
        first = "" if limit is None else f" LIMIT {int(limit)}"
        return self.fetch(f"{sql} ORDER BY version{first}", tuple(args))

    def version_at(self, stream: UUID, position: int) -> int:
        """How many facts a stream had as of a position; 0 if it had not begun."""
        sql = "SELECT COALESCE(MAX(version), 0) FROM events WHERE stream = ? AND position <= ?"
        ((version,),) = self.fetch(sql, (stream.bytes, position))
        return int(version)

    def begun(self, streams: Sequence[UUID]) -> set[UUID]:
        """Which of these streams (at most some hundreds) have a first fact."""
        marks = ",".join("?" * len(streams)) or "NULL"
        sql = f"SELECT stream FROM events WHERE version = 1 AND stream IN ({marks})"  # noqa: S608
        found = self.fetch(sql, tuple(stream.bytes for stream in streams))
        return {UUID(bytes=stream) for (stream,) in found}

    def has_run(self, command: UUID) -> bool:
        """Whether a command of this id has an outcome: accepted, or refused by a rule."""
        return bool(self.fetch("SELECT 1 FROM outcomes WHERE command = ?", (command.bytes,)))

    def outcomes(self, commands: Sequence[UUID]) -> list[OutcomeRow]:
        """What became of these commands (at most some hundreds), of those that are known."""
        marks = ",".join("?" * len(commands)) or "NULL"
        sql = f"{OUTCOMES} WHERE command IN ({marks})"
        return self.fetch(sql, tuple(command.bytes for command in commands))

    def head(self) -> int:
        """The position of the newest fact, 0 when there is none."""
        return int(self.fetch("SELECT coalesce(max(position), 0) FROM events")[0][0])

    def newest_at(self) -> datetime | None:
        """When the newest fact was recorded; None without one, or when it cannot be read."""
        found = self.fetch(NEWEST)
        try:
            return recorded_at(found[0][3]) if found else None
        except msgspec.MsgspecError:
            return None

    def stats(self) -> dict[str, Any]:
        """``events, streams, head, bytes, by_topic``; bytes are those of the states."""
        by_topic = dict(self.fetch("SELECT topic, count(*) FROM events GROUP BY topic"))
        size, streams = self.fetch(
            "SELECT coalesce(sum(length(state)), 0), count(DISTINCT stream) FROM events"
        )[0]
        return {
            "events": sum(by_topic.values()),
            "streams": streams,
            "head": self.head(),
            "bytes": int(size),
            "by_topic": dict(sorted(by_topic.items())),
        }

    def timeline(self) -> str:
        """PostgreSQL's timeline id, which a promotion changes. "" where it cannot be read."""
        return ""

    def server_time(self) -> datetime | None:
        """The clock of the server that all machines have in common; None where there is none."""
        return None

    def promoted(self) -> bool:
        """Whether PostgreSQL stands on another timeline than this epoch began on."""
        return self._moved_from(self.mark("timeline"))

    def _moved_from(self, known: str | None) -> bool:
        """``known``: what the log says of its timeline, read before the server is asked, so that a
        server that took over in between is noticed."""
        return bool(known and (now := self.timeline()) and now != known)

    def lineage(self) -> str:
        """Which history of which log this is: its birth mark and its epoch (decision 0020).

        Whatever is derived from a log carries it, and is of no use beside another one. Raises
        `LogPromoted` while this history has no name.
        """
        sql = "SELECT key, value FROM marks WHERE key IN ('born', 'epoch', 'timeline')"
        found = dict(self.fetch(sql))
        if self._moved_from(found.get("timeline")):
            raise LogPromoted
        return f"{found.get('born', 'unnamed')}/{found.get('epoch', FIRST_EPOCH)}"

    def mark(self, key: str) -> str | None:
        found = self.fetch("SELECT value FROM marks WHERE key = ?", (key,))
        return found[0][0] if found else None

    # -- writing ------------------------------------------------------------------------------

    def set_mark(self, key: str, value: str, *, keep: bool = False) -> None:
        """Set a mark; with ``keep`` only if there is none yet."""
        action = "NOTHING" if keep else "UPDATE SET value = excluded.value"
        with self.transaction() as db:
            db.execute(
                f"INSERT INTO marks (key, value) VALUES (?,?) ON CONFLICT (key) DO {action}",  # noqa: S608
                (key, value),
            )

    def put_marks(self, db: Sql, marks: Mapping[str, str]) -> None:
        """Set marks inside a `transaction`: what facts of that transaction say of the store."""
        for mark in marks.items():
            db.execute(
                "INSERT INTO marks (key, value) VALUES (?,?)"
                " ON CONFLICT (key) DO UPDATE SET value = excluded.value",
                mark,
            )

    # -- the library's interface --------------------------------------------------------------

    def insert_events(self, stored_events: Sequence[StoredEvent], **_: Any) -> Sequence[int] | None:
        """Add facts from any thread; their positions, None of none."""
        if not stored_events:
            return None
        with self.transaction() as db:
            head = db.execute("SELECT coalesce(max(position), 0) FROM events").fetchone()[0]
            rows: list[Row] = []
            for n, e in enumerate(stored_events, start=head + 1):
                assert isinstance(e.originator_id, UUID)
                rows.append((n, e.originator_id.bytes, e.originator_version, e.topic, e.state))
            self.append(db, rows)
        return [row[0] for row in rows]

    def select_events(
        self,
        originator_id: UUID | str,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> Sequence[StoredEvent]:
        assert isinstance(originator_id, UUID)
        sql = "SELECT version, topic, state FROM events WHERE stream = ?"
        args: list[Any] = [originator_id.bytes]
        for condition, bound in ((" AND version > ?", gt), (" AND version <= ?", lte)):
            if bound is not None:
                sql += condition
                args.append(bound)
        sql += " ORDER BY version" + (" DESC" if desc else "")
        if limit is not None:
            sql += f" LIMIT {int(limit)}"
        return [StoredEvent(originator_id, *row) for row in self.fetch(sql, tuple(args))]

    def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> Sequence[Notification]:
        after = (start or 0) - 1 if inclusive_of_start else (start or 0)
        found: list[Notification] = []
        while len(found) < limit:
            rows = self.rows(after, limit, stop)
            found += [
                Notification(UUID(bytes=r[1]), r[2], r[3], r[4], id=r[0])
                for r in rows
                if not topics or r[3] in topics
            ]
            if len(rows) < limit:
                break
            after = rows[-1][0]
        return found[:limit]

    def max_notification_id(self) -> int | None:
        return self.head() or None

    def subscribe(
        self, gt: int | None = None, topics: Sequence[str] = ()
    ) -> Subscription[ApplicationRecorder]:
        raise NotImplementedError("use Store.follow()")
