"""What is known of backups of a store, and of restores that were tried: when, where, how it went.

Of a store in files it is noted beside them; on PostgreSQL also in a mark of the log, so that every
process and machine of a cluster knows. Notes are for people: a backup that was made by the
database's own means leaves none, and where nothing can be noted, nothing is.
"""

from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Annotated, Final, Protocol, TypeVar

import msgspec

from eventstore.errors import StoreError
from eventstore.log import Log

BACKED_UP: Final = "backed-up"
TRIED: Final = "restore-tried"
NAMES: Final = (BACKED_UP, TRIED)


Moment = Annotated[datetime, msgspec.Meta(tz=True)]


class Made(msgspec.Struct, frozen=True):
    """When this store was backed up last, up to which position, into which folder (its name)."""

    at: Moment
    head: int
    bytes: int = 0
    folder: str = ""


class Tried(msgspec.Struct, frozen=True):
    """When a backup of this store was put back somewhere to see that it can be, and whether it
    could."""

    at: Moment
    ok: bool
    facts: int
    folder: str = ""


class Marked(Protocol):
    """A log that tells its marks."""

    def mark(self, key: str) -> str | None: ...


class Noted(Protocol):
    """What both kinds of notes have."""

    @property
    def at(self) -> datetime: ...


N = TypeVar("N", bound=Noted)


def note(data: Path, name: str, what: Made | Tried, log: Log | None = None) -> None:
    """Keep it beside the store, and in ``log`` where it is given: on PostgreSQL."""
    encoded = msgspec.json.encode(what)
    file = data / f"{name}.json"
    with suppress(OSError):
        file.touch(mode=0o600)
        file.write_bytes(encoded)
    if log is not None:
        with suppress(StoreError):
            log.set_mark(name, encoded.decode())


def last_backup(data: Path, log: Marked) -> Made | None:
    """The newest backup that this program made of the store; None when none is known."""
    return _newest(data, log, BACKED_UP, Made)


def last_tried(data: Path, log: Marked) -> Tried | None:
    """The newest restore that was tried by `relief restore --drill`; None when none is known."""
    return _newest(data, log, TRIED, Tried)


def _newest(data: Path, log: Marked, name: str, kind: type[N]) -> N | None:
    found: list[N] = []
    with suppress(OSError, msgspec.MsgspecError):
        found.append(msgspec.json.decode((data / f"{name}.json").read_bytes(), type=kind))
    with suppress(msgspec.MsgspecError):
        if (marked := log.mark(name)) is not None:
            found.append(msgspec.json.decode(marked, type=kind))
    return max(found, key=lambda one: one.at, default=None)


def size_of(folder: Path) -> int:
    """Bytes of what lies in a folder of a backup."""
    return sum(path.stat().st_size for path in folder.iterdir() if path.is_file())
