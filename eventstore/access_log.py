"""Who read what of people: unsealing, exports and searches by name, in a log that only grows.

A table of the vault, beside the log of facts: what was read changes nothing that was decided, and
must not wait for the writer. Each row bears an HMAC, under a secret of the vault, over itself and
the row before it, so that one that is changed, put in or taken out breaks the chain; a checkpoint
names the newest link, so that who keeps one elsewhere notices when the newest rows are taken out or
all are made anew. What was looked for stands there as an HMAC, never as it was typed.
"""

import hmac
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Final, Literal, NamedTuple
from uuid import UUID

import msgspec
import psycopg

from eventstore.errors import StoreLocked
from eventstore.postgres import PostgresConnection, PostgresVault
from eventstore.spelling import normalized
from eventstore.sql import DATABASE_ERRORS, Sql, begun, explain
from eventstore.sqlite import OpenedFile, connect
from eventstore.vault import SQLiteVault, Vault

Kind = Literal["search", "export", "unseal"]

SECRET: Final = "access-log"  # noqa: S105 - the name of it
MAC_BYTES: Final = 32
ID_BYTES: Final = 16
FIRST: Final = bytes(MAC_BYTES)
"""What the first row goes on from."""
MOST_SHOWN: Final = 1_000
"""Ids of one row. Who is shown more at once is noted page by page."""
TRIES: Final = 20
"""Several processes may want the same number; one has it, the others try again."""
ROWS_AT_ONCE: Final = 2_000

COLUMNS: Final = "n, at, officer, kind, what, found, shown, sought, mac"
PUT = f"INSERT INTO access_log ({COLUMNS}) VALUES (?,?,?,?,?,?,?,?,?)"  # noqa: S608
LAST = "SELECT n, mac FROM access_log ORDER BY n DESC LIMIT 1"
PUT_SHOWN = "INSERT INTO access_shown (subject, n) VALUES (?,?) ON CONFLICT DO NOTHING"


class Access(msgspec.Struct, frozen=True):
    """One reading. ``what``: the list or thing that was read, by the name of its query; ``found``:
    how many rows were shown; ``shown``: the ids of the households, calls or lists among them;
    ``sought``: an HMAC of the words that were looked for, b"" if there were none."""

    n: int
    at: datetime
    officer: UUID
    kind: str
    what: str
    found: int
    shown: tuple[UUID, ...]
    sought: bytes
    mac: bytes


class Chain(NamedTuple):
    """Where the chain of readings ends: so many, and the last link."""

    n: int
    mac: bytes


class AccessLog:
    """The readings of one store. Any number of threads may ask and note."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self._lock = threading.Lock()
        self._session: Sql | None = None
        self._file: OpenedFile | None = None
        self._key: bytes | None = None

    # -- noting ------------------------------------------------------------------------------

    def note(
        self,
        kind: Kind,
        what: str,
        *,
        officer: UUID,
        at: datetime,
        found: int,
        shown: Iterable[UUID] = (),
        sought: str = "",
    ) -> int:
        """Keep that somebody reads this, before it is shown: durable when it returns. Answers its
        number. Raises a `StoreError` when it cannot be kept; then nothing may be shown."""
        self._secret()  # made before our transaction: the vault writes it in one of its own
        ids = sorted({id.bytes for id in shown})
        if len(ids) > MOST_SHOWN:
            raise ValueError(f"too many at once, a page at a time: {len(ids)}")
        said = (_text(at), officer.bytes, kind, what, found, b"".join(ids), self.sought(sought))
        with self._lock:
            try:
                return self._put(said, ids)
            except DATABASE_ERRORS as problem:
                self._end()
                raise explain(problem) from problem

    def _put(self, said: tuple[Any, ...], ids: list[bytes]) -> int:
        db = self._opened()
        for _ in range(TRIES):
            try:
                with begun(db):
                    before = _end_of(db)
                    n = before.n + 1
                    mac = self._mac(before.mac, (n, *said))
                    db.execute(PUT, (n, *said, mac))
                    if ids:
                        db.executemany(PUT_SHOWN, [(id, n) for id in ids])
                return n
            except (sqlite3.IntegrityError, psycopg.errors.UniqueViolation):
                continue
        raise StoreLocked("many processes note readings at once")

    def sought(self, text: str) -> bytes:
        """What stands for words that were looked for: the same for the same words."""
        plain = normalized(text)
        return hmac.digest(self._secret(), b"sought " + plain.encode(), "sha256") if plain else b""

    def _mac(self, before: bytes, row: tuple[Any, ...]) -> bytes:
        return hmac.digest(self._secret(), before + msgspec.msgpack.encode(row), "sha256")

    def _secret(self) -> bytes:
        if self._key is None:
            self._key = self._vault.secret(SECRET)
        return self._key

    def _opened(self) -> Sql:
        """A session of our own: neither sealing nor noting waits for what the other holds long."""
        if self._file is not None:
            self._file.check()
        if self._session is None:
            vault = self._vault
            if isinstance(vault, PostgresVault):
                self._session = PostgresConnection(vault.url, "vault")
            else:
                assert isinstance(vault, SQLiteVault)
                self._file = OpenedFile(vault.path)
                self._session = connect(vault.path)
        return self._session

    def _end(self) -> None:
        session, self._session, self._file = self._session, None, None
        if session is not None:
            session.close()

    def close(self) -> None:
        with self._lock:
            self._end()

    # -- asking ------------------------------------------------------------------------------

    def newest(
        self,
        *,
        before: int | None = None,
        officer: UUID | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int,
    ) -> list[Access]:
        """Readings, the newest first: before a number, of one officer, from ``since`` on and
        before ``until``."""
        terms: list[str] = []
        given: list[Any] = []
        for term, value in (
            ("n < ?", before),
            ("officer = ?", officer and officer.bytes),
            ("at >= ?", since and _text(since)),
            ("at < ?", until and _text(until)),
        ):
            if value is not None:
                terms.append(term)
                given.append(value)
        where = f" WHERE {' AND '.join(terms)}" if terms else ""
        sql = f"SELECT {COLUMNS} FROM access_log{where} ORDER BY n DESC LIMIT ?"  # noqa: S608
        return [_access(row) for row in self._vault.fetch(sql, (*given, limit))]

    def of_subject(self, subject: UUID, limit: int) -> list[Access]:
        """Readings that showed this household, call or list, the newest first."""
        self._index()
        sql = (
            f"SELECT {COLUMNS} FROM access_log WHERE n IN (SELECT n FROM access_shown"  # noqa: S608
            " WHERE subject = ? ORDER BY n DESC LIMIT ?) ORDER BY n DESC"
        )
        return [_access(row) for row in self._vault.fetch(sql, (subject.bytes, limit))]

    def _index(self) -> None:
        """Which readings showed whom is found again where it was left behind, as by a copy."""
        ((indexed,),) = self._vault.fetch("SELECT coalesce(max(n), 0) FROM access_shown")
        sql = "SELECT n, shown FROM access_log WHERE n > ? AND shown <> ? ORDER BY n LIMIT ?"
        while rows := self._vault.fetch(sql, (indexed, b"", ROWS_AT_ONCE)):
            found = [(id, n) for n, shown in rows for id in _ids(bytes(shown))]
            with self._lock:
                try:
                    db = self._opened()
                    with begun(db):
                        db.executemany(PUT_SHOWN, found)
                except DATABASE_ERRORS as problem:
                    self._end()
                    raise explain(problem) from problem
            indexed = rows[-1][0]

    # -- checking ----------------------------------------------------------------------------

    def end(self) -> Chain:
        """Where the chain ends now."""
        rows = self._vault.fetch(LAST)
        return Chain(int(rows[0][0]), bytes(rows[0][1])) if rows else Chain(0, FIRST)

    def first_bad(self, known: Sequence[Chain] = ()) -> int | None:
        """The number of the first reading that is missing, or is not as it was noted; None: all
        are whole. ``known``: ends of the chain that somebody kept, as in a checkpoint."""
        ends = {one.n: one.mac for one in known}
        n, mac = 0, FIRST
        for row in self._rows():
            if row[0] != n + 1:
                return n + 1
            n += 1
            if _link(self._secret(), mac, row) != bytes(row[8]):
                return n
            mac = bytes(row[8])
            if n in ends and not hmac.compare_digest(ends[n], mac):
                return n
        cut = any(one > n for one in ends)
        return n + 1 if cut else self._index_differs()

    def _index_differs(self) -> int | None:
        """The first reading that does not stand where those who were shown are looked up."""
        self._index()
        for row in self._rows():
            there = self._vault.fetch("SELECT subject FROM access_shown WHERE n = ?", (row[0],))
            if sorted(bytes(one) for (one,) in there) != _ids(bytes(row[6])):
                return int(row[0])
        return None

    def _rows(self) -> Iterator[Any]:
        after: int | None = None
        while True:
            where, given = ("", ()) if after is None else (" WHERE n > ?", (after,))
            sql = f"SELECT {COLUMNS} FROM access_log{where} ORDER BY n LIMIT {ROWS_AT_ONCE}"  # noqa: S608
            rows = self._vault.fetch(sql, given)
            if not rows:
                return
            yield from rows
            after = rows[-1][0]


def _end_of(db: Sql) -> Chain:
    row = db.execute(LAST).fetchone()
    return Chain(int(row[0]), bytes(row[1])) if row is not None else Chain(0, FIRST)


def _link(key: bytes, before: bytes, row: Any) -> bytes:
    """What the row's HMAC should be; b"" for one that the program never wrote."""
    n, at, officer, kind, what, found, shown, sought, _ = row
    try:
        said = (n, at, bytes(officer), kind, what, found, bytes(shown), bytes(sought))
        return hmac.digest(key, before + msgspec.msgpack.encode(said), "sha256")
    except (TypeError, ValueError, OverflowError):
        return b""


def _ids(shown: bytes) -> list[bytes]:
    return [shown[at : at + ID_BYTES] for at in range(0, len(shown), ID_BYTES)]


def _access(row: Any) -> Access:
    n, at, officer, kind, what, found, shown, sought, mac = row
    return Access(
        int(n),
        datetime.fromisoformat(at),
        UUID(bytes=bytes(officer)),
        kind,
        what,
        int(found),
        tuple(UUID(bytes=one) for one in _ids(bytes(shown)) if len(one) == ID_BYTES),
        bytes(sought),
        bytes(mac),
    )


def _text(moment: datetime) -> str:
    """A moment as it is kept: in the order of time as text too."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
