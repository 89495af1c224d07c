"""The library's own way, for comparison: its Application, its mapper, its JSON transcoder."""

from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
from eventsourcing.application import Application
from eventsourcing.persistence import JSONTranscoder, Transcoding


class StructAsDict(Transcoding):
    """A value object of ours, as the library's JSON transcoder wants to be told of it."""

    def __init__(self, kind: type[Any]) -> None:
        self.type = kind
        self.name = kind.__name__

    def encode(self, obj: Any) -> Any:
        return msgspec.to_builtins(obj, str_keys=True)

    def decode(self, data: Any) -> Any:
        return msgspec.convert(data, self.type)


class DateAsISO(Transcoding):
    type = date
    name = "date"

    def encode(self, obj: date) -> str:
        return obj.isoformat()

    def decode(self, data: str) -> date:
        return date.fromisoformat(data)


class SetAsList(Transcoding):
    type = frozenset
    name = "frozenset"

    def encode(self, obj: frozenset[Any]) -> list[Any]:
        return sorted(obj)

    def decode(self, data: list[Any]) -> frozenset[Any]:
        return frozenset(data)


class Library(Application[UUID]):
    """The library's default application, knowing our value objects and nothing else."""

    def register_transcodings(self, transcoder: JSONTranscoder) -> None:
        super().register_transcodings(transcoder)
        register(transcoder)


def register(transcoder: JSONTranscoder) -> None:
    transcoder.register(DateAsISO())
    transcoder.register(SetAsList())
    for kind in _structs():
        transcoder.register(StructAsDict(kind))


def _structs(of: type[Any] = msgspec.Struct) -> Iterable[type[Any]]:
    for kind in of.__subclasses__():
        twin = any(base.__name__ == kind.__name__ for base in kind.__mro__[1:])  # made for views
        if kind.__module__.startswith("domain.") and not twin:
            yield kind
        yield from _structs(kind)


def transcoder() -> JSONTranscoder:
    """The library's JSON transcoder with its default transcodings and ours."""
    app = Library()
    made = app.construct_transcoder()
    assert isinstance(made, JSONTranscoder)
    app.close()
    return made


def application(path: Path) -> Library:
    """The default application on a SQLite file: no cache, one transaction a save."""
    return Library(env={"PERSISTENCE_MODULE": "eventsourcing.sqlite", "SQLITE_DBNAME": str(path)})
