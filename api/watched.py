"""What is known of whether the log is whole: the last checkpoint, the last one that a witness of
another office has signed, the last round of the watch, and what it found.

`relief audit watch` and `relief audit keep` write it into a folder beside the data; pages, metrics
and `/v1/system` read it there.
"""

import os
import re
from datetime import datetime
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec

from eventstore.modes import private_folder

T = TypeVar("T")

WATCH: Final = "watch"
"""The folder beside the data in which `relief audit watch` keeps what it has seen."""
ALARM: Final = "alarm.json"
LOOKED: Final = "looked.json"
COSIGNED: Final = "cosigned.json"
MADE = re.compile(r"^made (\S{10,40})$", re.MULTILINE)
MOST_BYTES: Final = 100_000


class Alarm(msgspec.Struct):
    """What the watch has found: at which position, or positions from–to, and what in words."""

    position: str
    zh: str
    en: str


class Looked(msgspec.Struct):
    """The last time that the whole log was read again: when, how many facts, for how long."""

    at: datetime
    facts: int
    seconds: float


class Cosigned(msgspec.Struct):
    """The last checkpoint that came back from a witness: of how many facts, signed by whom and
    when, and the signed note itself."""

    facts: int
    witness: str
    at: datetime
    text: str


class Signed(msgspec.Struct):
    """A checkpoint of ours: of how many facts, and when it was signed."""

    facts: int
    at: datetime


class Watched(msgspec.Struct):
    """All of it; None for what has not happened yet."""

    checkpoint: Signed | None
    cosigned: Cosigned | None
    looked: Looked | None
    alarm: Alarm | None

    def told(self) -> dict[str, Any]:
        """As a page and `/v1/system` tell it."""
        cosigned = self.cosigned
        return {
            "checkpoint": _plain(self.checkpoint),
            "cosigned": None
            if cosigned is None
            else {"facts": cosigned.facts, "at": cosigned.at, "witness": cosigned.witness},
            "verified": _plain(self.looked),
            "changed": None if self.alarm is None else self.alarm.position,
        }


def _plain(one: Signed | Looked | None) -> dict[str, Any] | None:
    return None if one is None else {name: getattr(one, name) for name in one.__struct_fields__}


def watched(data: Path) -> Watched:
    """What the files say that can be read; nobody is stopped by one that cannot."""
    folder = data / WATCH
    return Watched(
        checkpoint=_newest(folder),
        cosigned=read(folder / COSIGNED, Cosigned),
        looked=read(folder / LOOKED, Looked),
        alarm=read(folder / ALARM, Alarm),
    )


def read(file: Path, kind: type[T]) -> T | None:
    """What one of the files says; None where there is none, or nothing of that kind."""
    try:
        with file.open("rb") as opened:
            return msgspec.json.decode(opened.read(MOST_BYTES), type=kind)
    except (OSError, msgspec.MsgspecError):
        return None


def _newest(folder: Path) -> Signed | None:
    """The checkpoint of the most facts."""
    sizes = [file for file in folder.glob("*.checkpoint") if file.stem.isdecimal()]
    for file in sorted(sizes, key=lambda one: int(one.stem), reverse=True):
        try:
            found = MADE.search(file.read_text(encoding="utf-8")[:MOST_BYTES])
            if found is not None:
                return Signed(int(file.stem), datetime.fromisoformat(found[1]))
        except (OSError, ValueError):
            continue
    return None


def put(file: Path, text: bytes) -> None:
    """Whole or not at all."""
    private_folder(file.parent)
    new = file.with_suffix(".new")
    handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as out:
        out.write(text)
    new.replace(file)
