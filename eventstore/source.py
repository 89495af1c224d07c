"""Reading a log by its address alone, as another process of ours does: `Log.source`."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from eventstore.postgres import PostgresConnection
from eventstore.sql import Sql
from eventstore.sqlite import connect

URLS = ("postgresql://", "postgres://")


def open_source(source: str | Path) -> Sql:
    """A connection that only reads: of a file, or of a ``postgresql://`` address."""
    if str(source).startswith(URLS):
        return PostgresConnection(str(source), "log", first="SET default_transaction_read_only=on")
    db = connect(Path(source))
    db.execute("PRAGMA query_only=ON")
    return db


def pages(
    db: Sql,
    after: int,
    upto: int,
    size: int,
    *,
    columns: str = "position, topic, state",
    given: Sequence[Any] = (),
    where: str = "",
    bound: Sequence[Any] = (),
) -> Iterator[list[Any]]:
    """Rows of the events with positions > ``after`` and ≤ ``upto``, in order, in pages.

    ``columns`` begins with the position, and ``where`` with AND; ``given`` and ``bound`` are for
    their marks. A page at a time, so that neither side holds more.
    """
    sql = (
        f"SELECT {columns} FROM events WHERE position > ? AND position <= ? {where}"  # noqa: S608
        f" ORDER BY position LIMIT {int(size)}"
    )
    while rows := db.execute(sql, (*given, after, upto, *bound)).fetchall():
        yield rows
        if len(rows) < size:
            return
        after = rows[-1][0]


def head_of(source: str | Path) -> int:
    """The position of the newest fact, 0 when there is none."""
    db = open_source(source)
    try:
        return int(db.execute("SELECT coalesce(max(position), 0) FROM events").fetchone()[0])
    finally:
        db.close()
