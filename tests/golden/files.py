"""Golden files: one real stored fact of each event type and class version, kept for ever.

A file is named after the stored topic (``Stockpile.Shipped.json``; a class version above 1 is
``Stockpile.Shipped.2.json``) and holds the stream up to that fact as it was stored, byte by byte,
the golden fact last. Files are never written again: old facts must be read for ever.

    python -m tests.golden.files       write files for topics that have none yet
"""

from pathlib import Path

import msgspec

from domain.catalog import AGGREGATES
from eventstore.mapper import TypedMapper
from eventstore.sqlite import Row, SQLiteLog

FOLDER = Path(__file__).parent / "facts"
LINE = b"\n"


class Stored(msgspec.Struct, frozen=True):
    """A fact as the log has it: its topic, and its bytes untouched."""

    topic: str
    state: msgspec.Raw


def file_of(topic: str) -> Path:
    return FOLDER / f"{topic.replace('/', '.')}.json"


def read(path: Path) -> list[Stored]:
    """The facts of a golden file, in order; one a line."""
    decode = msgspec.json.Decoder(Stored).decode
    return [decode(line) for line in path.read_bytes().splitlines()]


def write(path: Path, stream: list[Row]) -> None:
    encode = msgspec.json.Encoder().encode
    lines = [encode(Stored(row[3], msgspec.Raw(row[4]))) + LINE for row in stream]
    path.write_bytes(b"".join(lines))


def current_topics() -> list[str]:
    """The topics under which facts are stored today."""
    mapper = TypedMapper(AGGREGATES)
    older = {
        topic
        for topic in mapper.topics()
        if (found := mapper.class_of(topic)) is not None
        and topic != stored_topic(mapper, found.topic())
    }
    return [topic for topic in mapper.topics() if topic not in older]


def stored_topic(mapper: TypedMapper, name: str) -> str:
    """The topic of the newest class version of an event type."""
    return max(
        (topic for topic in mapper.topics() if topic.partition("/")[0] == name),
        key=lambda topic: int(topic.partition("/")[2] or "1"),
    )


def shortest(log: SQLiteLog, topic: str) -> list[Row]:
    """The stream with fewest bytes up to a fact of that topic."""
    found: list[list[Row]] = []
    for stream, version in log.fetch(
        "SELECT stream, min(version) FROM events WHERE topic=? GROUP BY stream", (topic,)
    ):
        sql = (
            "SELECT position, stream, version, topic, state FROM events"
            " WHERE stream=? AND version<=? ORDER BY version"
        )
        found.append(log.fetch(sql, (stream, version)))
    return min(found, key=lambda rows: sum(len(row[4]) for row in rows))


def main() -> None:
    from tests.everything import everything

    FOLDER.mkdir(exist_ok=True)
    log = SQLiteLog(everything() / "log.sqlite")
    for topic in current_topics():
        path = file_of(topic)
        if not path.exists():
            write(path, shortest(log, topic))
            print(path.name)
    log.close()


if __name__ == "__main__":
    main()
