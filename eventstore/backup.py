"""Backup and restore: log and vault together, while the system runs, proven by count and hash.

The log is copied first and the vault after it: the vault commits before the log, so every key
that the copied log needs is in the copied vault. Views are not copied: they are rebuilt.
"""

import errno
import hashlib
import shutil
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import msgspec

from eventstore.errors import NotABackup, StoreDamaged, StoreFull, VaultOlder
from eventstore.modes import make_private, private_folder
from eventstore.seals import SECRET
from eventstore.sql import Sql, explain
from eventstore.sqlite import connect
from eventstore.vault_tables import LEFT_BEHIND, carried_at
from eventstore.wrapping import check_key

LOG, VAULT, KEY, MANIFEST = "log.sqlite", "vault.sqlite", "vault.key", "backup.json"
MADE_HERE = (LOG, VAULT, KEY, "views.sqlite")


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup holds: counts of facts, outcomes and keys, and SHA-256 of each content."""

    events: int
    head: int
    outcomes: int
    keys: int
    log_sha256: str
    vault_sha256: str


def content_hash(db: Sql, tables: dict[str, str]) -> str:
    """SHA-256 over the rows of the tables, each in the order given."""
    sql = "SELECT * FROM {} ORDER BY {}"
    return digest((table, db.execute(sql.format(table, tables[table]))) for table in tables)


def digest(tables: Iterable[tuple[str, Iterable[Any]]]) -> str:
    """SHA-256 over tables: their names and rows, in the order given."""
    found = hashlib.sha256()
    encode = msgspec.msgpack.Encoder().encode
    for table, rows in tables:
        found.update(table.encode())
        for row in rows:
            found.update(encode(row))
    return found.hexdigest()


LOG_TABLES_OF_SCHEMA_1 = {"events": "position", "outcomes": "command", "marks": "key"}
"""For the manifests of backups made before batches were sealed."""
LOG_TABLES = {"seals": "n"} | LOG_TABLES_OF_SCHEMA_1
"""All tables of the log on SQLite; the vault's are named in `eventstore.vault_tables`."""

NOT_OF_THE_LOG = {
    "snapshots": "states made from the facts; on SQLite they lie in a file of their own",
    "relay": "of processes that run: what was restored or copied begins without",
    "leaders": "likewise",
    "turn": "holds no rows: writers lock it, to write in turn",
    "alembic_version": "of the place, not of the store",
}
"""What PostgreSQL has beside them, and why backups and copies leave it behind."""


def describe(folder: Path) -> Manifest:
    """Count and hash a log and its vault as they lie in a folder that nobody writes to.

    Raises `StoreDamaged` when they are not whole or the key does not open the vault.
    """
    with closing(_look(folder / LOG)) as log, closing(_look(folder / VAULT)) as vault, _named():
        check_key(vault, folder / KEY)
        tables = LOG_TABLES if _schema(log) > 1 else LOG_TABLES_OF_SCHEMA_1
        _refuse_older(log, vault, tables)
        return Manifest(
            events=log.execute("SELECT count(*) FROM events").fetchone()[0],
            head=log.execute("SELECT coalesce(max(position), 0) FROM events").fetchone()[0],
            outcomes=log.execute("SELECT count(*) FROM outcomes").fetchone()[0],
            keys=vault.execute("SELECT count(*) FROM keys").fetchone()[0],
            log_sha256=content_hash(log, tables),
            vault_sha256=content_hash(vault, carried_at(_schema(vault))),
        )


def _schema(db: Sql) -> int:
    return int(db.execute("PRAGMA user_version").fetchone()[0])


def _refuse_older(log: Sql, vault: Sql, tables: dict[str, str]) -> None:
    """A vault of before the log was sealed could check none of its seals. Raises `VaultOlder`."""
    if "seals" in tables and log.execute("SELECT 1 FROM seals LIMIT 1").fetchone():
        sql = "SELECT 1 FROM secrets WHERE name = ?"
        if vault.execute(sql, (SECRET,)).fetchone() is None:
            raise VaultOlder


def _look(path: Path) -> sqlite3.Connection:
    """Reads a finished copy, also on a medium that cannot be written to."""
    if not path.exists():
        raise StoreDamaged(f"{path.name} is missing in {path.parent}")
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)


@contextmanager
def _named() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as problem:
        raise explain(problem) from problem
    except OSError as problem:
        if problem.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StoreFull(str(problem)) from problem
        raise


def backup(data: Path, target: Path) -> Manifest:
    """Copy log and vault of a running store into a new folder. Raises `FileExistsError`."""
    if (target / MANIFEST).exists():
        raise FileExistsError(f"{target} holds a backup already")
    for name in (LOG, VAULT, KEY):
        if not (data / name).exists():
            raise StoreDamaged(f"{name} is missing in {data}")
    with _named():
        private_folder(target)
        for name in (LOG, VAULT):
            with closing(connect(data / name)) as live:
                _copy(live, target / name)
        shutil.copyfile(data / KEY, target / KEY)
        (target / KEY).chmod(0o600)
    return sign(target)


def sign(target: Path) -> Manifest:
    """Describe what lies in a folder, and write that down beside it."""
    manifest = describe(target)
    make_private(target / MANIFEST)
    (target / MANIFEST).write_bytes(msgspec.json.format(msgspec.json.encode(asdict(manifest))))
    return manifest


def proven(source: Path) -> Manifest:
    """The manifest of a backup that is as it says. Raises `StoreDamaged`."""
    try:
        said = msgspec.json.decode((source / MANIFEST).read_bytes(), type=Manifest)
    except (OSError, msgspec.MsgspecError) as problem:
        raise NotABackup(str(source)) from problem
    found = describe(source)
    if found != said:
        raise StoreDamaged(f"the backup differs from its manifest: {found} instead of {said}")
    return said


def restore(source: Path, data: Path) -> Manifest:
    """Put a backup into an empty data folder, after proving it whole.

    Raises `StoreDamaged` when counts or hashes differ from the manifest, `FileExistsError` when
    the folder holds a log.
    """
    there = [name for name in MADE_HERE if (data / name).exists()]
    if there:
        raise FileExistsError(f"{data} holds {', '.join(there)}; restore into an empty folder")
    said = proven(source)
    with _named():
        private_folder(data)
        shutil.copyfile(source / KEY, data / KEY)
        (data / KEY).chmod(0o600)
        for name in (VAULT, LOG):
            with closing(_look(source / name)) as saved:
                _copy(saved, data / name)
    if describe(data) != said:
        raise StoreDamaged("the restored copy differs from the backup")
    return said


def _copy(source: sqlite3.Connection, target: Path) -> None:
    """SQLite's online backup in one step: one snapshot, however much others write meanwhile.

    Of the vault some tables are left behind, and nothing of them in free pages either: log-in
    sessions, and the index of names, which the first start builds again.
    """
    make_private(target)
    with closing(sqlite3.connect(target, isolation_level=None)) as write:
        source.backup(write, pages=-1)
        write.execute("PRAGMA journal_mode=DELETE")
        if target.name == VAULT:
            write.execute("PRAGMA secure_delete=ON")
            there = write.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            for (table,) in there.fetchall():
                if table in LEFT_BEHIND and table != "erasures":
                    write.execute(f"DELETE FROM {table}")  # noqa: S608
            write.execute("VACUUM")
