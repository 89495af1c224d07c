"""How many free texts of older facts stand plain in a log: counted once, then only what is new.

Facts never change. So what was counted up to a position is kept beside the store, with what tells
that it is the same log and that the program looks for the same fields; a later look reads only the
facts behind that position. Only counts are kept, no word of anybody.
"""

import hashlib
import os
from collections import Counter
from contextlib import suppress
from pathlib import Path

import msgspec

from domain.catalog import AGGREGATES
from domain.free_texts import FREE, TOKEN, change_texts, free_fields, is_sealed
from eventstore.log import Log, Row
from eventstore.mapper import TypedMapper

COUNTED = "free-texts.json"
ROWS_AT_ONCE = 500
"""So many facts are in memory at once."""


class Counted(msgspec.Struct, frozen=True):
    """Plain texts by event and path up to a position; ``last`` names the fact there."""

    position: int
    last: str
    fields: str
    plain: dict[str, int]


def plain_texts_of(log: Log, data: Path) -> Counter[str]:
    """Event and path of each free text that is not sealed → how many there are.

    ``data``: the folder in which the count is kept; where nothing can be kept, all is read again.
    """
    mapper = TypedMapper(AGGREGATES)
    fields = _fields(mapper)
    before = _kept(data / COUNTED, log, fields)
    plain = Counter(before.plain if before is not None else {})
    at = before.position if before is not None else 0
    head, last = log.head(), None
    while rows := log.rows(at, ROWS_AT_ONCE, head):
        last, at = rows[-1], rows[-1][0]
        for _, _, _, topic, state in rows:
            kind = mapper.class_of(topic)
            if kind is not None and free_fields(kind):
                name = kind.topic()
                plain.update(f"{name} {path}" for path in plain_texts(mapper, topic, state))
    if last is not None:
        _keep(data / COUNTED, Counted(at, _name_of(last), fields, dict(plain)))
    return plain


def plain_texts(mapper: TypedMapper, topic: str, state: bytes) -> list[str]:
    """The paths of the free texts of a stored fact that are not sealed."""
    found: list[str] = []

    def seen(path: str, text: str) -> str:
        if not is_sealed(text):
            found.append(path)
        return text

    change_texts(mapper.decode(topic, state), seen)
    return found


def _kept(path: Path, log: Log, fields: str) -> Counted | None:
    """What was counted of this very log, by a program that knew the same fields."""
    try:
        found = msgspec.json.decode(path.read_bytes(), type=Counted)
    except (OSError, msgspec.MsgspecError):
        return None
    if found.fields != fields:
        return None
    there = log.rows(found.position - 1, 1, found.position)
    return found if there and _name_of(there[0]) == found.last else None


def _keep(path: Path, counted: Counted) -> None:
    """At once or not at all: two doctors may look at the same time."""
    beside = path.with_name(f"{path.name}.{os.getpid()}")
    with suppress(OSError):
        beside.touch(mode=0o600)
        beside.write_bytes(msgspec.json.encode(counted))
        beside.replace(path)


def _name_of(row: Row) -> str:
    """Tells a fact apart from all others: it holds its command, its time and its place."""
    position, stream, version, topic, state = row
    told = (str(position).encode(), bytes(stream), str(version).encode(), topic.encode(), state)
    return hashlib.sha256(b"\x00".join(told)).hexdigest()


def _fields(mapper: TypedMapper) -> str:
    """Changes when the program looks for other fields, at other events, or for another seal."""
    kinds = sorted((name, sorted(free_fields(kind))) for name, kind in mapper.classes.items())
    told = (sorted(FREE), TOKEN.pattern, kinds)
    return hashlib.sha256(msgspec.json.encode(told)).hexdigest()
