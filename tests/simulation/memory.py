"""Log, vault and views of a world, in memory: three databases that outlive every process."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from eventsourcing.persistence import IntegrityError

from eventstore.clock import Clock
from eventstore.errors import CommitUnknown, StoreFull, StoreLocked, StoreUnreachable
from eventstore.following import HeadWatch
from eventstore.log import PUT_SEAL, Log, OutcomeRow, Row, SealRow
from eventstore.sql import Sql, begun, explain
from eventstore.vault import Vault
from projections.folding.databases import TABLES, SQLiteDatabase
from tests.simulation.chance import Chance


def copied(source: sqlite3.Connection) -> sqlite3.Connection:
    """A copy in memory."""
    copy = sqlite3.connect(":memory:", isolation_level=None)
    source.backup(copy)
    return copy


class Time:
    """The world's time: of the domain in UTC, and of the machine in seconds."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.seconds = 0.0

    def go_on(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
        self.seconds += seconds

    def monotonic(self) -> float:
        return self.seconds

    time = monotonic


class SkewedClock(Clock):
    """One process's idea of the time."""

    def __init__(self, time: Time) -> None:
        super().__init__()
        self._time = time
        self.skew = timedelta(0)

    def now(self) -> datetime:
        return self._time.now + self.skew


class Disk:
    """What the processes share: the databases, and the log's order lock."""

    def __init__(
        self, log: sqlite3.Connection, vault: sqlite3.Connection, views: sqlite3.Connection
    ) -> None:
        self.log, self.vault, self.views = log, vault, views
        self.locked = False


class MemoryLog(Log):
    """One process's log. Its transactions begin as they write, under an order lock, as on
    PostgreSQL: what is read before sees what is committed by then."""

    exclusive = True
    source = ":memory:"

    def __init__(self, disk: Disk, chance: Chance) -> None:
        self._disk, self._chance = disk, chance
        self._db = disk.log
        self.writer = disk.log

    def fetch(self, sql: str, args: Sequence[Any] = ()) -> list[Any]:
        return self._db.execute(sql, tuple(args)).fetchall()

    def rows(self, after: int, limit: int, upto: int | None = None) -> list[Row]:
        if self._chance.strikes("log unreachable"):
            raise StoreUnreachable
        return super().rows(after, limit, upto)

    @contextmanager
    def transaction(self) -> Iterator[Sql]:
        if self.exclusive and self._disk.locked:
            raise StoreLocked
        if self._chance.strikes("log unreachable"):
            raise StoreUnreachable
        self._disk.locked = True
        try:
            yield self._db
            self._commit()
        except BaseException as problem:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            if isinstance(problem, sqlite3.IntegrityError):
                raise IntegrityError(problem) from problem
            if isinstance(problem, sqlite3.Error):
                raise explain(problem) from problem
            raise
        finally:
            self._disk.locked = False

    def _commit(self) -> None:
        if not self._db.in_transaction:
            return
        if self._chance.strikes("commit lost"):
            self._db.execute("ROLLBACK")
            raise CommitUnknown
        self._db.execute("COMMIT")
        if self._chance.strikes("commit reply lost"):
            raise CommitUnknown

    def append(
        self,
        db: Sql,
        rows: Sequence[Row],
        outcomes: Sequence[OutcomeRow] = (),
        seal: SealRow | None = None,
    ) -> None:
        if self._chance.strikes("log full"):
            raise StoreFull
        db.execute("BEGIN")
        if seal is not None:
            db.execute(PUT_SEAL, seal)
        db.executemany("INSERT INTO events VALUES (?,?,?,?,?)", rows)
        db.executemany("INSERT INTO outcomes VALUES (?,?,?,?)", outcomes)

    def close(self) -> None:
        """The disk stays."""


class MemoryVault(Vault):
    """One process's vault: its own cache of keys over the shared tables."""

    def __init__(self, disk: Disk, key: Path) -> None:
        super().__init__(disk.vault, key)

    def close(self) -> None:
        """The disk stays."""


class MemoryViews(SQLiteDatabase):
    """One process's way to the views."""

    def __init__(self, connection: sqlite3.Connection, chance: Chance | None = None) -> None:
        self.db = connection
        self.connection = connection
        self.source = ":memory:"
        self._chance = chance

    @classmethod
    def empty(cls) -> "MemoryViews":
        connection = sqlite3.connect(":memory:", isolation_level=None)
        connection.executescript(TABLES.format(bytes="BLOB"))
        return cls(connection)

    @contextmanager
    def applying(self, partition: int) -> Iterator[None]:
        if self._chance is not None and self._chance.strikes("views locked"):
            raise StoreLocked
        with begun(self.db):
            yield

    def close(self) -> None:
        """The disk stays."""


class Glance(HeadWatch):
    """Looks at the head and never waits: in one thread nobody else could move it."""

    def wait(self, after: int, timeout: float) -> int:
        del after, timeout
        return self._log.head()
