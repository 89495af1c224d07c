"""`relief vault rotate`: the vault's keys and secrets under a new master key.

The data keys of persons stay, and with them every sealed word in the log: only what protects them
is exchanged, and phones seal with another pair from then on. The new key lies beside the old one
from the beginning, all rows change in one transaction, and the files change places after it. So
wherever it is broken off, either the old key or the new one opens everything, and the next run sees
which: the new one if it opens the secrets.

Nobody else may work with the vault meanwhile: a process that still held the old key would wrap new
persons' keys under it, and they could never be read again.
"""

import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path

from domain.plurals import counted
from eventstore.clock import machine_now
from eventstore.errors import KeyForeign, StoreDamaged, StoreNotBegun, VaultInUse
from eventstore.faults import reached
from eventstore.keyfile import KEY_BYTES, read_key, write_key
from eventstore.postgres import PostgresConnection
from eventstore.sealing_pairs import name_of_next
from eventstore.second_factor import bound_to
from eventstore.sql import Sql, transaction
from eventstore.sqlite import check_schema, connect
from eventstore.vault_tables import SCHEMA, TABLES
from eventstore.wrapping import Wrapping

AT_ONCE = 2_000
OTHERS = """
SELECT count(*) FROM pg_stat_activity
 WHERE usename = current_user AND datname = current_database() AND pid <> pg_backend_pid()
"""
LEAVING = 2.0
"""Seconds: a session whose process has ended is still told for a moment by a busy database."""
LOCK = "LOCK TABLE secrets, keys, second_factors IN ACCESS EXCLUSIVE MODE"


@dataclass(frozen=True, slots=True)
class Rotated:
    """``keys``: how many were wrapped anew just now, 0 when an earlier run had got that far.
    ``old``: where the old key lies now."""

    keys: int
    old: Path


def rotate_folder(data: Path) -> Rotated:
    """Of an embedded store. Raises `VaultInUse` while a process has it open, `StoreNotBegun`."""
    path = data / "vault.sqlite"
    if not path.exists():
        begun = (data / "log.sqlite").exists()
        raise StoreDamaged(f"{path} is missing") if begun else StoreNotBegun(str(data))
    with closing(connect(path, wait=1.0)) as db:
        try:  # SQLite leaves its write-ahead mode only for who is alone
            db.execute("PRAGMA secure_delete=ON")
            db.execute("PRAGMA journal_mode=DELETE")
        except sqlite3.OperationalError as problem:
            raise VaultInUse(str(problem)) from problem
        check_schema(db, path, SCHEMA, TABLES)
        try:
            return _rotate(db, data / "vault.key", lambda _: None)
        finally:
            db.execute("PRAGMA journal_mode=WAL")


def rotate_database(url: str, key: Path) -> Rotated:
    """Of a cluster, with the vault's role. Raises `VaultInUse` while a session of it is open."""

    def alone(db: Sql) -> None:
        db.execute(LOCK)  # whoever comes now waits, and then finds that its key opens nothing
        (others,) = db.execute(OTHERS).fetchone()
        if others:
            raise VaultInUse(counted(others, "session|sessions"))

    with closing(PostgresConnection(url, "vault")) as db:
        over = time.monotonic() + LEAVING
        while db.execute(OTHERS).fetchone()[0] and time.monotonic() < over:
            time.sleep(0.05)
        return _rotate(db, key, alone)


def _rotate(db: Sql, path: Path, alone: Callable[[Sql], None]) -> Rotated:
    new = path.with_name(f"{path.name}.new")
    before = Wrapping(read_key(path))
    keys = 0
    with transaction(db):
        alone(db)  # before any file is made: who is refused has changed nothing
        with _following(new) as master:
            after = Wrapping(master)
            reached("rotating")
            if not _opens(db, after):
                if not _opens(db, before):
                    raise KeyForeign(str(path))
                keys = _wrap_again(db, before, after)
            reached("rotating")
    reached("rotating")
    return Rotated(keys, _exchanged(path, new))


@contextmanager
def _following(path: Path) -> Iterator[bytes]:
    """The new key: that of a run that was broken off, else one that is made now, and that goes
    again if this run fails before its COMMIT, when nothing can be under it."""
    made = not path.exists()
    master = write_key(path, os.urandom(KEY_BYTES)) if made else read_key(path)
    try:
        yield master
    except BaseException:
        if made:
            path.unlink()
        raise


def _opens(db: Sql, master: Wrapping) -> bool:
    """Whether this is the key that the secrets are under. All of them are, or none."""
    rows = db.execute("SELECT name, value FROM secrets ORDER BY name LIMIT 1").fetchall()
    if not rows:
        raise StoreDamaged("the vault has no secrets: it was never used")
    try:
        for name, wrapped in rows:
            master.unwrap(wrapped, name.encode())
    except StoreDamaged:
        return False
    return True


def _wrap_again(db: Sql, before: Wrapping, after: Wrapping) -> int:
    """Every row; how many keys of persons. Raises `StoreDamaged` at one that is foreign."""
    secrets = db.execute("SELECT name, value FROM secrets").fetchall()
    rows = [(after.wrap(before.unwrap(v, n.encode()), n.encode()), n) for n, v in secrets]
    db.executemany("UPDATE secrets SET value = ? WHERE name = ?", rows)
    name = name_of_next(db)  # a new sealing pair too: who had the old key could open the old one
    pair = (name, after.wrap(os.urandom(KEY_BYTES), name.encode()))
    db.execute("INSERT INTO secrets VALUES (?,?)", pair)
    factors = db.execute("SELECT login, secret FROM second_factors").fetchall()
    sealed = [
        (after.wrap(before.unwrap(secret, bound_to(login)), bound_to(login)), login)
        for login, secret in factors
    ]
    db.executemany("UPDATE second_factors SET secret = ? WHERE login = ?", sealed)
    keys = 0
    for page in _pages(db):
        wrapped = [(after.wrap(before.unwrap(key, person), person), person) for person, key in page]
        db.executemany("UPDATE keys SET wrapped = ? WHERE person = ?", wrapped)
        keys += len(page)
        reached("rotating")
    return keys


def _pages(db: Sql) -> Iterator[list[tuple[bytes, bytes]]]:
    last = b""
    sql = f"SELECT person, wrapped FROM keys WHERE person > ? ORDER BY person LIMIT {AT_ONCE}"  # noqa: S608
    while page := db.execute(sql, (last,)).fetchall():
        yield page
        last = page[-1][0]


def _exchanged(path: Path, new: Path) -> Path:
    """The new key's file in place of the old one, which is kept under a name with the time."""
    now = machine_now().astimezone(UTC)
    old = path.with_name(f"{path.name}.until-{now:%Y%m%dT%H%M%S%f}Z")
    os.link(path, old)
    reached("rotating")
    new.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return old
