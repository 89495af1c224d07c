"""Backup and restore: log and vault together, while the system runs, proven by count and hash.

The log is copied first and the vault after it: the vault commits before the log, so every key
that the copied log needs is in the copied vault. Views are not copied: they are rebuilt.
"""

import hashlib
import shutil
import sqlite3
from dataclasses import asdict, dataclass
from pathlib import Path

import msgspec

from eventstore.errors import StoreDamaged
from eventstore.sqlite import connect

LOG, VAULT, KEY, MANIFEST = "log.sqlite", "vault.sqlite", "vault.key", "backup.json"
COPIED_PAGES = 2048


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup holds: counts of facts, outcomes and keys, and SHA-256 of each content."""

    events: int
    head: int
    outcomes: int
    keys: int
    log_sha256: str
    vault_sha256: str


def content_hash(db: sqlite3.Connection, tables: dict[str, str]) -> str:
    """SHA-256 over the rows of the tables, each in the order given."""
    digest = hashlib.sha256()
    encode = msgspec.msgpack.Encoder().encode
    for table, order in tables.items():
        digest.update(table.encode())
        for row in db.execute(f"SELECT * FROM {table} ORDER BY {order}"):  # noqa: S608
            digest.update(encode(row))
    return digest.hexdigest()


LOG_TABLES = {"events": "position", "outcomes": "command", "marks": "key"}
VAULT_TABLES = {"keys": "person", "tokens": "token", "names": "person", "secrets": "name"}


def describe(folder: Path) -> Manifest:
    """Count and hash a log and its vault as they lie in a folder."""
    log, vault = connect(folder / LOG), connect(folder / VAULT)
    try:
        return Manifest(
            events=log.execute("SELECT count(*) FROM events").fetchone()[0],
            head=log.execute("SELECT coalesce(max(position), 0) FROM events").fetchone()[0],
            outcomes=log.execute("SELECT count(*) FROM outcomes").fetchone()[0],
            keys=vault.execute("SELECT count(*) FROM keys").fetchone()[0],
            log_sha256=content_hash(log, LOG_TABLES),
            vault_sha256=content_hash(vault, VAULT_TABLES),
        )
    finally:
        log.close()
        vault.close()


def backup(data: Path, target: Path) -> Manifest:
    """Copy log and vault of a running store into a new folder. Raises `FileExistsError`."""
    if (target / MANIFEST).exists():
        raise FileExistsError(f"{target} holds a backup already")
    target.mkdir(parents=True, exist_ok=True, mode=0o700)
    for name in (LOG, VAULT):
        _copy(data / name, target / name)
    shutil.copyfile(data / KEY, target / KEY)
    (target / KEY).chmod(0o600)
    manifest = describe(target)
    (target / MANIFEST).write_bytes(msgspec.json.format(msgspec.json.encode(asdict(manifest))))
    return manifest


def restore(source: Path, data: Path) -> Manifest:
    """Put a backup into an empty data folder, after proving it whole.

    Raises `StoreDamaged` when counts or hashes differ from the manifest, `FileExistsError` when
    the folder holds a log.
    """
    if (data / LOG).exists():
        raise FileExistsError(f"{data} holds a log already; restore into an empty folder")
    try:
        said = msgspec.json.decode((source / MANIFEST).read_bytes(), type=Manifest)
    except (OSError, msgspec.MsgspecError) as problem:
        raise StoreDamaged(f"{source} has no readable {MANIFEST}") from problem
    found = describe(source)
    if found != said:
        raise StoreDamaged(f"the backup differs from its manifest: {found} instead of {said}")
    data.mkdir(parents=True, exist_ok=True, mode=0o700)
    shutil.copyfile(source / KEY, data / KEY)
    (data / KEY).chmod(0o600)
    for name in (VAULT, LOG):
        _copy(source / name, data / name)
    if describe(data) != said:
        raise StoreDamaged("the restored copy differs from the backup")
    return said


def _copy(source: Path, target: Path) -> None:
    """SQLite's online backup: a consistent copy while others write."""
    if not source.exists():
        raise StoreDamaged(f"{source.name} is missing in {source.parent}")
    read, write = connect(source), sqlite3.connect(target)
    try:
        read.backup(write, pages=COPIED_PAGES)
        write.execute("PRAGMA journal_mode=DELETE")
    finally:
        read.close()
        write.close()
