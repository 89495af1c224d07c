"""A store copied from the embedded place to PostgreSQL or back: log, outcomes, marks and vault.

It may be broken off and run again: it goes on behind the last fact that has arrived. Until it has
proven by count and SHA-256 that both ends hold the same, no program starts on the copy. Log-in
sessions stay behind, and so does the index of names, which the first start builds from the log.
The source is only read; whoever writes to it meanwhile makes the proof fail.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from domain.plurals import counted
from eventstore.backup import LOG_TABLES, digest
from eventstore.errors import CopyDiffers, CopyRefused, StoreDamaged, StoreNotMade
from eventstore.faults import reached
from eventstore.keyfile import read_key, write_key
from eventstore.log import Log
from eventstore.postgres import PostgresConnection, PostgresLog
from eventstore.sql import DATABASE_ERRORS, Sql, explain
from eventstore.sqlite import SQLiteLog, check_schema, connect
from eventstore.store import COPY_MARK, COPY_PROVEN, COPY_UNFINISHED, FRAMES_KEY_MARK
from eventstore.vault_tables import CARRIED, SCHEMA, TABLES
from eventstore.wrapping import check_key

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
    """What both ends hold."""

    events: int
    outcomes: int
    keys: int
    log_sha256: str
    vault_sha256: str


STAYING = (COPY_MARK, FRAMES_KEY_MARK)
"""Marks of a place, not of its store."""


@dataclass(frozen=True, slots=True)
class _End:
    log: Log
    vault: Sql
    key: Path

    def pages(self, table: str) -> Iterator[list[Any]]:
        """The rows of a table in the order of its key, some thousands at a time."""
        key = (LOG_TABLES | CARRIED)[table]
        sql = f"SELECT * FROM {table} {{}} ORDER BY {key} LIMIT {CHUNK}"  # noqa: S608
        rows = self._fetch(table, sql.format(""))
        while rows:
            yield rows
            last = rows[-1][0]  # the key is each table's first column
            rows = self._fetch(table, sql.format(f"WHERE {key} > ?"), last)

    def _fetch(self, table: str, sql: str, *args: Any) -> list[Any]:
        if table in LOG_TABLES:
            return self.log.fetch(sql, args)
        return self.vault.execute(sql, args).fetchall()

    def count(self, table: str) -> int:
        return int(self._fetch(table, f"SELECT count(*) FROM {table}")[0][0])  # noqa: S608

    def rows(self, table: str, told: Callable[[int], None]) -> Iterator[Any]:
        for page in self.pages(table):
            told(len(page))
            yield from (row for row in page if table != "marks" or row[0] not in STAYING)


def copy(source: Place, target: Place, progress: Progress = lambda *_: None) -> Copied:
    """Copy one store into an empty place, or go on with a copy of it that is behind.

    Raises `CopyRefused` when the target holds anything else, `CopyDiffers` when the ends are not
    equal afterwards, or another `StoreError`.
    """
    with ExitStack() as stack, _named():
        here = stack.enter_context(_opened(source, make=False))
        check_key(here.vault, here.key)
        there = stack.enter_context(_opened(target, make=True))
        _refuse_others(here, there)
        write_key(there.key, read_key(here.key))
        _set_mark(there, COPY_UNFINISHED)
        _copy_vault(here, there, progress)
        _copy_events(here, there, progress)
        _copy_outcomes(here, there, progress)
        _copy_marks(here, there)
        told = _prove(here, there, progress)
        _set_mark(there, COPY_PROVEN)
    return told


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
    if head > here.log.head():
        raise CopyRefused(
            f"The target has {counted(head, 'fact|facts')}, the source {here.log.head()}."
        )
    if head and there.log.rows(head - 1, 1) != here.log.rows(head - 1, 1):
        raise CopyRefused(f"The fact at position {head} is another one.")
    born = there.log.mark("born")
    if born is not None and born != here.log.mark("born"):
        raise CopyRefused("The target's log is of another store.")
    secrets = dict(there.vault.execute("SELECT name, value FROM secrets").fetchall())
    known = dict(here.vault.execute("SELECT name, value FROM secrets").fetchall())
    if "born" in secrets and not secrets.items() <= known.items():  # else it is no store's yet
        raise CopyRefused("The target's vault is of another store.")
    if there.key.exists() and read_key(there.key) != read_key(here.key):
        raise CopyRefused(f"{there.key} is another key.")


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
        there.vault.execute(f"DELETE FROM {table}")  # noqa: S608
        for page in here.pages(table):
            marks = ",".join("?" * len(page[0]))
            there.vault.executemany(f"INSERT INTO {table} VALUES ({marks})", page)  # noqa: S608
            done += len(page)
            progress("vault", done, total)
    there.vault.execute("UPDATE erasures SET n = n + 1")
    reached("copying")
    there.vault.execute("COMMIT")


def _copy_events(here: _End, there: _End, progress: Progress) -> None:
    head, at = here.log.head(), there.log.head()
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
