"""One restore, rehearsed before anybody relies on it: a backup that was never put back is a hope.

A backup of the store is made, restored into a folder that is thrown away, opened with its key, and
compared: the same head, the same fingerprints. It may be killed anywhere; the next run begins it
again and takes away what is left of the one before.
"""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec

from eventstore import backup as files
from eventstore.clock import machine_now
from eventstore.copying import Place, copy
from eventstore.errors import CopyDiffers, StoreDamaged
from eventstore.faults import reached
from eventstore.keyfile import fingerprint
from eventstore.log import Log
from eventstore.modes import private_folder
from eventstore.postgres import PostgresVault
from eventstore.sealing_pairs import sealing_pair
from eventstore.store import Store
from eventstore.vault import SQLiteVault

REHEARSED: Final = "rehearsed"
"""The mark of a store whose restore was rehearsed: a `Rehearsed` as JSON."""
FOLDER: Final = "rehearsal"
"""In the data folder: where the store has room its backup has, and nobody else can read it."""

TRIES: Final = 5
"""How often something may come between."""


class Rehearsed(msgspec.Struct, frozen=True):
    """What was put back: up to which position, when, under which keys (fingerprints)."""

    at: datetime
    head: int
    key: str
    sealing: str


def rehearsed(log: Log) -> Rehearsed | None:
    """The rehearsal of this store; None if there was none yet."""
    found = log.mark(REHEARSED)
    return msgspec.json.decode(found, type=Rehearsed) if found is not None else None


def rehearse(store: Store) -> Rehearsed:
    """Back the store up, restore it, compare, throw it away; note it. Once is enough.

    Raises `StoreDamaged` where what came back differs, `StoreFull`, or another `StoreError`.
    """
    known = rehearsed(store.log)
    if known is not None:
        return known
    with _stage(store.vault.key_file.parent) as folder:
        before, kept, again = store.head(), folder / "backup", folder / "restored"
        _backed_up(store, kept)
        reached("rehearsing")
        manifest = files.restore(kept, again)
        reached("rehearsing")
        ours = (fingerprint(store.vault.key_file), sealing_pair(store.vault).fingerprint)
        with closing(SQLiteVault(again / files.VAULT)) as vault:
            theirs = (fingerprint(vault.key_file), sealing_pair(vault).fingerprint)
        if manifest.head < before or ours != theirs:
            raise StoreDamaged(
                f"a restored backup differs: head {manifest.head}, at least {before} expected; "
                f"keys {theirs}, {ours} expected"
            )
    done = Rehearsed(machine_now(), manifest.head, *theirs)
    reached("rehearsing")
    store.log.set_mark(REHEARSED, msgspec.json.encode(done).decode(), keep=True)
    return done


def _backed_up(store: Store, target: Path) -> None:
    """A backup as `relief backup` makes it, of files or of a database."""
    vault = store.vault
    if isinstance(vault, PostgresVault):
        private_folder(target)
        place = Place(store.log.source, vault.url, vault.key_file)
        _copied(place, Place.folder(target))
        files.sign(target)
    else:
        files.backup(vault.key_file.parent, target)


def _copied(source: Place, target: Place) -> None:
    """The store lives meanwhile: a secret made at its first use, a log-in, come between what was
    copied and what is compared. Then what is missing is copied, too."""
    for left in reversed(range(TRIES)):
        try:
            copy(source, target)
            return
        except CopyDiffers:
            if not left:
                raise


@contextmanager
def _stage(data: Path) -> Iterator[Path]:
    """An empty private folder, one process at a time; gone afterwards, whatever happens."""
    turn = os.open(data, os.O_RDONLY)
    try:
        fcntl.flock(turn, fcntl.LOCK_EX)
        folder = data / FOLDER
        shutil.rmtree(folder, ignore_errors=True)
        try:
            private_folder(folder)
        except OSError:  # a container's data folder may take no files: the key is mounted there
            folder = Path(tempfile.mkdtemp(prefix="relief-rehearsal-"))
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(turn)
