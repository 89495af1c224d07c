"""The secret of the seals for processes that read a log and have no vault: relay and workers.

Whoever has the vault lays it into a file of the data folder, that its owner alone reads; on another
machine the file is laid there by hand, like a certificate. It is not kept in the log's database:
who may write rows there by hand would read it. With it one can check seals, and make them: but for
that one has to be able to write into the log as well.
"""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import structlog

from eventstore.errors import StoreForbidden
from eventstore.log import Log, Row
from eventstore.modes import make_private, private_folder
from eventstore.seals import Seal

FILE: Final = "seal.key"
KEY_BYTES: Final = 32
MOST_TOLD: Final = 100
BARRED_SECONDS: Final = 10.0
"""Before it is tried again to read seals that the database's role may not read."""

log = structlog.get_logger("sieve")


def keep_key(folder: Path, key: bytes) -> None:
    """Lay the secret into a data folder, whole or not at all, if it does not lie there already."""
    file = folder / FILE
    if key_in(file) == key:
        return
    private_folder(folder)
    new = file.with_suffix(".new")
    new.unlink(missing_ok=True)
    make_private(new)
    new.write_text(key.hex() + "\n", encoding="ascii")
    new.replace(file)


def key_in(file: Path) -> bytes | None:
    """The secret that lies there; None if none does."""
    try:
        key = bytes.fromhex(file.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None
    return key if len(key) == KEY_BYTES else None


class Sieve:
    """Lets through what of a log carries the writer's seal. For any thread."""

    def __init__(self, source: Log, folder: Path) -> None:
        self._log, self._file = source, folder / FILE
        self._known: tuple[int, int] | None = None
        self._seal: Seal | None = None
        self._barred_until = 0.0
        self.held_back: set[int] = set()
        """Positions of rows that were not let through."""

    @property
    def key(self) -> bytes | None:
        """The secret as it lies there now; None: there is none, or the seals may not be read, and
        everything is let through."""
        if time.monotonic() < self._barred_until:
            return None
        try:
            found = self._file.stat()
        except OSError:
            return None if self._seal is None else self._seal.key
        now = found.st_mtime_ns, found.st_ino
        if now != self._known:
            key = key_in(self._file)
            if key is not None and (self._seal is None or self._seal.key != key):
                self._seal, self.held_back = Seal(self._log, key), set()
            self._known = now
        return None if self._seal is None else self._seal.key

    def told(self) -> dict[str, object]:
        """For `/health`: whether seals are looked at, and what was held back."""
        return {"seals": self.key is not None, "unsealed": sorted(self.held_back)[:MOST_TOLD]}

    def sealed(self, rows: Sequence[Row]) -> Sequence[Row]:
        """Those of these rows of the log, in their order, that are as they were sealed. Raises a
        `StoreError`."""
        if not rows or self.key is None:
            return rows
        assert self._seal is not None
        try:
            unsealed = self._seal.unsealed(rows)
        except StoreForbidden:  # a database of before: `relief db init` gives the right
            self._barred_until = time.monotonic() + BARRED_SECONDS
            log.error("seals.forbidden")
            return rows
        if not unsealed:
            return rows
        for at in sorted(unsealed - self.held_back):
            log.error("fact.unsealed", position=at)
        self.held_back |= unsealed
        return [row for row in rows if row[0] not in unsealed]
