"""A store copied from the embedded place to PostgreSQL or back: log, outcomes, marks and vault.

``until`` a position: the store as it was then (decision 0089). The facts up to there, what became
of commands that ended by then, and the marks as those facts made them; the vault is today's, for
who was erased since stays erased. A position within a batch is one, too.

It may be broken off and run again: it goes on behind the last fact that has arrived. Until it has
proven by count and SHA-256 that both ends hold the same, no program starts on the copy. Log-in
sessions stay behind, and so does the index of names, which the first start builds from the log.
The source is only read; whoever writes to it meanwhile makes the proof fail.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec

from domain.plurals import counted
from domain.store import Store as Ledger
from eventstore.backup import LOG_TABLES, digest
from eventstore.backups_known import NAMES
from eventstore.clock import machine_now
from eventstore.disowned import said_in
from eventstore.errors import (
    CopyDiffers,
    CopyRefused,
    StoreDamaged,
    StoreNotMade,
    VaultOlder,
)
from eventstore.faults import reached
from eventstore.keyfile import read_key, write_key
from eventstore.log import PUT_SEAL, Log
from eventstore.mapper import TypedMapper
from eventstore.moments import recorded
from eventstore.postgres import PostgresConnection, PostgresLog
from eventstore.seals import SEALED, SECRET, Seal
from eventstore.sql import DATABASE_ERRORS, Sql, explain
from eventstore.sqlite import SQLiteLog, check_schema, connect
from eventstore.store import (
    COPIED_UNTIL,
    COPY_MARK,
    COPY_PROVEN,
    COPY_UNFINISHED,
    FRAMES_KEY_MARK,
    SIMULATED_MARKS,
)
from eventstore.trust import Trust
from eventstore.vault_tables import CARRIED, GROWING, SCHEMA, TABLES
from eventstore.wrapping import Wrapping, check_key

CHUNK = 2_000

Progress = Callable[[str, int, int], None]
"""Called with what is under way, and how many rows of how many are done."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a store is: a folder, or addresses of log and vault; ``key`` is the vault's file."""

    log: Path | str
    vault: Path | str
    key: Path

    @classmethod
    def folder(cls, folder: Path) -> "Place":
        return cls(folder / "log.sqlite", folder / "vault.sqlite", folder / "vault.key")


@dataclass(frozen=True, slots=True)
class Copied:
    """What both ends hold, of the source up to where it was asked for."""

    events: int
    outcomes: int
    keys: int
    log_sha256: str
    vault_sha256: str


STAYING = (COPY_MARK, FRAMES_KEY_MARK)
"""Marks of a place, not of its store."""
LATER = (
    "sealed",
    "resealed",
    *NAMES,
    *SIMULATED_MARKS,
    "seat",
    "epoch",
    "epoch-head",
    "clock",
    "timeline",
)
"""Marks that change as the log goes on: of a store as it was they are made of its facts. That it is
for training is known from the first."""


@dataclass(frozen=True, slots=True)
class _End:
    log: Log
    vault: Sql
    key: Path
    until: int | None = None
    marks: dict[str, str] | None = None
    """What stands in place of the log's marks where it ends earlier."""

    def head(self) -> int:
        head = self.log.head()
        return head if self.until is None else min(head, self.until)

    def pages(self, table: str) -> Iterator[list[Any]]:
        """The rows of a table in the order of its key, some thousands at a time."""
        if self.until is not None and table == "seals":
            return
        key = (LOG_TABLES | CARRIED)[table]
        sql = f"SELECT * FROM {table} {{}} ORDER BY {key} LIMIT {CHUNK}"  # noqa: S608
        rows = self._fetch(table, sql.format(""))
        while rows:
            last = rows[-1][0]  # the key is each table's first column
            if kept := self._by_then(table, rows):
                yield kept
            if table == "events" and len(kept) < len(rows):
                return
            rows = self._fetch(table, sql.format(f"WHERE {key} > ?"), last)

    def _by_then(self, table: str, rows: list[Any]) -> list[Any]:
        """Those of the rows that were there at the position where it ends."""
        if self.until is None:
            return rows
        if table == "events":
            return [row for row in rows if row[0] <= self.until]
        if table == "outcomes":
            return [row for row in rows if _ended(bytes(row[3])).position <= self.until]
        return rows

    def _fetch(self, table: str, sql: str, *args: Any) -> list[Any]:
        if table in LOG_TABLES:
            return self.log.fetch(sql, args)
        return self.vault.execute(sql, args).fetchall()

    def count(self, table: str) -> int:
        if self.until is not None and table in ("events", "outcomes", "seals"):
            return self.head() if table == "events" else sum(map(len, self.pages(table)))
        return int(self._fetch(table, f"SELECT count(*) FROM {table}")[0][0])  # noqa: S608

    def rows(self, table: str, told: Callable[[int], None]) -> Iterator[Any]:
        if table == "marks":
            marks = self._marks()
            told(len(marks))
            yield from marks
            return
        for page in self.pages(table):
            told(len(page))
            yield from page

    def _marks(self) -> list[tuple[str, str]]:
        if self.marks is not None:
            return sorted(self.marks.items())
        rows = [(row[0], row[1]) for page in self.pages("marks") for row in page]
        return sorted(row for row in rows if row[0] not in STAYING)


class _Ended(msgspec.Struct):
    """Of an outcome: the position of the command's last fact, or the head where it had none."""

    position: int


_ended = msgspec.json.Decoder(_Ended).decode


class NoSuchPosition(ValueError):
    """A copy was asked for up to a position that the source's log does not have."""

    def __init__(self, head: int) -> None:
        super().__init__(f"1 to {head}")
        self.head = head


def copy(
    source: Place,
    target: Place,
    progress: Progress = lambda *_: None,
    *,
    until: int | None = None,
) -> Copied:
    """Copy one store into an empty place, or go on with a copy of it that is behind; all of it, or
    as it was ``until`` a position.

    Raises `NoSuchPosition`, `CopyRefused` when the target holds anything else, `CopyDiffers` when
    the ends are not equal afterwards, or another `StoreError`.
    """
    with ExitStack() as stack, _named():
        here = stack.enter_context(_opened(source, make=False))
        check_key(here.vault, here.key)
        if until is not None:
            _refuse_forged(here, until)
            here = _as_of(here, until)
        there = stack.enter_context(_opened(target, make=True))
        _refuse_others(here, there)
        write_key(there.key, read_key(here.key))
        _set_mark(there, COPY_UNFINISHED)
        _copy_vault(here, there, progress)
        head = here.head()  # asked before the seals: they reach as far at least
        _copy_seals(here, there, progress)
        _copy_events(here, there, head, progress)
        _copy_outcomes(here, there, progress)
        _copy_marks(here, there)
        told = _prove(here, there, progress)
        if until is not None:  # no seal of the source fits what ends earlier
            there.vault.execute("DELETE FROM secrets WHERE name = ?", (SEALED,))
        _set_mark(there, COPY_PROVEN)
    return told


def _refuse_forged(end: _End, until: int) -> None:
    """A copy that ends earlier is sealed anew: nothing goes into it that the program has not
    written, and that is not disowned in it too."""
    if not end.log.seals(0, 1):  # nothing ever was sealed
        return
    found = end.vault.execute("SELECT value FROM secrets WHERE name = ?", (SECRET,)).fetchone()
    if found is None:
        raise VaultOlder
    key = Wrapping(read_key(end.key)).unwrap(found[0], SECRET.encode())
    trust = Trust(end.log, Seal(end.log, key))
    trust.look(end.log.head())
    for at in sorted(trust.forged):
        if at <= until:
            raise CopyRefused(f"Record {at} was put in by hand: see relief audit verify, disown.")
    for at, one in sorted(trust.disowned.items()):
        if at <= until < one.said_at:
            raise CopyRefused(
                f"Record {at} was put in by hand and disowned at {one.said_at}: copy up to before"
                " the one, or up to the other."
            )


def _as_of(end: _End, until: int) -> _End:
    """The end as it was at a position. Raises `NoSuchPosition`."""
    head = end.log.head()
    if not 1 <= until <= head:
        raise NoSuchPosition(head)
    marks = {key: value for key, value in end.rows("marks", lambda _: None) if key not in LATER}
    marks |= _marks_of(end.log, until) | {COPIED_UNTIL: str(until)}
    marks.pop(COPY_MARK, None)
    return replace(end, until=until, marks=marks)


def _marks_of(log: Log, until: int) -> dict[str, str]:
    """What the facts up to there say of the store itself. A simulated clock goes on from the last
    of them."""
    decode, ledger = TypedMapper([Ledger]).decode, None
    none = {one.row.position for one in said_in(log, until)}
    for row in log.stream_rows(Ledger.id_of(log.mark("born") or ""), upto_position=until):
        if row[0] not in none:
            ledger = decode(row[3], bytes(row[4])).mutate(ledger)
        elif ledger is not None:
            ledger.pass_over(row[2])
    found = {} if ledger is None else dict(ledger.marks())
    if log.mark("simulated") is not None:
        at = recorded(log, until)
        assert at is not None
        found["simulated"] = at.isoformat()
        if log.mark("simulated-since") is not None:
            found["simulated-since"] = machine_now().isoformat()
    return found


@contextmanager
def _named() -> Iterator[None]:
    try:
        yield
    except DATABASE_ERRORS as problem:
        raise explain(problem) from problem


@contextmanager
def _opened(place: Place, *, make: bool) -> Iterator[_End]:
    with ExitStack() as stack:
        log: Log
        if isinstance(place.log, Path):
            if not make and not place.log.exists():
                raise StoreNotMade(f"{place.log} is missing")
            log = SQLiteLog(place.log)
        else:
            log = PostgresLog(place.log)
        stack.callback(log.close)
        vault = _vault(place.vault, make=make)
        stack.callback(vault.close)
        yield _End(log, vault, place.key)


def _vault(where: Path | str, *, make: bool) -> Sql:
    if isinstance(where, str):
        return PostgresConnection(where, "vault")
    if not make and not where.exists():
        raise StoreDamaged(f"{where} is missing")
    db = connect(where)
    db.execute("PRAGMA secure_delete=ON")
    check_schema(db, where, SCHEMA, TABLES)
    return db


def _refuse_others(here: _End, there: _End) -> None:
    """The target is empty, or its facts are the first ones of the source."""
    head = there.log.head()
    if head > here.head():
        raise CopyRefused(
            f"The target has {counted(head, 'fact|facts')}, the source {here.head()}."
        )
    if head and there.log.rows(head - 1, 1) != here.log.rows(head - 1, 1):
        raise CopyRefused(f"The fact at position {head} is another one.")
    _refuse_other_end(here, there)
    born = there.log.mark("born")
    if born is not None and born != here.log.mark("born"):
        raise CopyRefused("The target's log is of another store.")
    secrets = dict(there.vault.execute("SELECT name, value FROM secrets").fetchall())
    known = dict(here.vault.execute("SELECT name, value FROM secrets").fetchall())
    if "born" in secrets and not secrets.items() <= known.items():  # else it is no store's yet
        raise CopyRefused("The target's vault is of another store.")
    if there.key.exists() and read_key(there.key) != read_key(here.key):
        raise CopyRefused(f"{there.key} is another key.")


def _refuse_other_end(here: _End, there: _End) -> None:
    """What was begun up to one position is not gone on with to another: its marks are of then."""
    wanted = str(here.until) if here.until is not None else here.log.mark(COPIED_UNTIL)
    known, proven = there.log.mark(COPIED_UNTIL), there.log.mark(COPY_MARK) == COPY_PROVEN
    if known != wanted and (known is not None or proven):
        raise CopyRefused(f"It is a copy {f'up to record {known}' if known else 'of all'}.")


def _set_mark(end: _End, value: str) -> None:
    end.log.set_mark(COPY_MARK, value)
    reached("copying")


def _copy_vault(here: _End, there: _End, progress: Progress) -> None:
    """All of it in one transaction, unless it is there already: it is small beside the log."""
    quiet: Progress = lambda *_: None  # noqa: E731
    if _digest(here, CARRIED, quiet, "") == _digest(there, CARRIED, quiet, ""):
        return
    total = sum(here.count(table) for table in CARRIED)
    done = 0
    there.vault.execute("BEGIN IMMEDIATE")
    for table in CARRIED:
        if table in GROWING:
            _refuse_other_readings(here, there, table)
        else:
            there.vault.execute(f"DELETE FROM {table}")  # noqa: S608
        arrived = there.count(table)  # none, but of those that nothing is taken out of
        for page in here.pages(table):
            marks = ",".join("?" * len(page[0]))
            rows = [row for row in page if not arrived or row[0] > arrived]
            there.vault.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)  # noqa: S608
            done += len(page)
            progress("vault", done, total)
    there.vault.execute("UPDATE erasures SET n = n + 1")
    reached("copying")
    there.vault.execute("COMMIT")


def _refuse_other_readings(here: _End, there: _End, table: str) -> None:
    """What is there already are the first rows of the source. Raises `CopyRefused`."""
    sql = f"SELECT * FROM {table} ORDER BY n DESC LIMIT 1"  # noqa: S608
    for last in there.vault.execute(sql).fetchall():
        same = f"SELECT * FROM {table} WHERE n = ?"  # noqa: S608
        if here.vault.execute(same, (last[0],)).fetchall() != [last]:
            raise CopyRefused(f"The reading with number {last[0]} is another one.")


def _copy_seals(here: _End, there: _End, progress: Progress) -> None:
    """Before the facts, which a database that has seals takes from nobody who has none. They hold
    in the copy: its vault is the same. A copy that ends earlier is sealed when it is opened."""
    (at,) = there.log.fetch("SELECT coalesce(max(n), 0) FROM seals")[0]
    if here.until is not None:
        return
    total = here.count("seals")
    while seals := here.log.seals(at, CHUNK):
        with there.log.transaction() as db:
            db.executemany(PUT_SEAL, seals)
            reached("copying")
        at = seals[-1].n
        progress("seals", at, total)


def _copy_events(here: _End, there: _End, head: int, progress: Progress) -> None:
    at = there.log.head()
    while rows := here.log.rows(at, CHUNK, head):
        with there.log.transaction() as db:
            there.log.append(db, rows)
            reached("copying")
        at = rows[-1][0]
        progress("events", at, head)


def _copy_outcomes(here: _End, there: _End, progress: Progress) -> None:
    """They have no position: those of each range of ids that have not arrived."""
    total, done, low = here.count("outcomes"), 0, b""
    for page in here.pages("outcomes"):
        sql = "SELECT command FROM outcomes WHERE command > ? AND command <= ?"
        arrived = {row[0] for row in there.log.fetch(sql, (low, page[-1][0]))}
        low = page[-1][0]
        missing = [row for row in page if row[0] not in arrived]
        if missing:
            with there.log.transaction() as db:
                there.log.append(db, (), missing)
                reached("copying")
        done += len(page)
        progress("outcomes", done, total)


def _copy_marks(here: _End, there: _End) -> None:
    for key, value in here.rows("marks", lambda _: None):
        there.log.set_mark(key, value)


def _digest(end: _End, tables: dict[str, str], progress: Progress, what: str) -> str:
    total = sum(end.count(table) for table in tables)
    done = 0

    def told(rows: int) -> None:
        nonlocal done
        done += rows
        progress(what, done, total)

    return digest((table, end.rows(table, told)) for table in tables)


def _prove(here: _End, there: _End, progress: Progress) -> Copied:
    """Count and hash both ends. Raises `CopyDiffers`."""
    found = [
        Copied(
            events=end.count("events"),
            outcomes=end.count("outcomes"),
            keys=end.count("keys"),
            log_sha256=_digest(end, LOG_TABLES, progress, f"verify {name} log"),
            vault_sha256=_digest(end, CARRIED, progress, f"verify {name} vault"),
        )
        for name, end in (("source", here), ("target", there))
    ]
    if found[0] != found[1]:
        raise CopyDiffers(f"Source: {found[0]}; copy: {found[1]}")
    return found[0]
