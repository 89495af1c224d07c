"""Logs of any size: the facts of a generated city, and copies of that city beside it.

`tests.city` makes a year of a city through all its rules. A copy has the same facts with other
ids and codes, under the same province; facts of all cities are mixed as if they had happened at
the same time. Copies are written straight to the log, past the rules, thousands of facts a commit.
"""

import re
import sqlite3
import tempfile
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from uuid import UUID

from domain.catalog import AGGREGATES
from eventstore.log import Log, Row
from eventstore.store import Store
from tests.city import City, build_city

COUNTIES = 8
AT_ONCE = 20_000
MOST_COPIES = 1_000
"""Four digits of the code are the city's here."""
ID = re.compile(rb"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
SHARED = ("nation", "province")
CODE = b'"3408'


class Template:
    """The facts of one city, ready to be copied."""

    def __init__(self, scale: int, counties: int = COUNTIES) -> None:
        with tempfile.TemporaryDirectory(prefix="bench-") as name:
            store = Store.at(Path(name), AGGREGATES)
            self.city: City = build_city(store, counties=counties, scale=scale)
            store.close()
            db = sqlite3.connect(Path(name) / "log.sqlite")
            self.rows: list[Row] = db.execute("SELECT * FROM events ORDER BY position").fetchall()
            db.close()
        shared = {str(self.city.area(name)).encode() for name in SHARED}
        shared |= {
            str(UUID(bytes=row[1])).encode()
            for row in self.rows
            if row[3].startswith("Rulebook.") and any(area in row[4] for area in shared)
        }
        self._shared = {UUID(id.decode()).bytes for id in shared}
        self._cut = [_cut(row[4], shared) for row in self.rows]

    def id_of(self, id: UUID) -> UUID:
        """An id of the city as it is in the first copy."""
        return id if id.bytes in self._shared else UUID(bytes=copied(id.bytes, 0))

    def rows_of(self, copies: int) -> Iterator[Row]:
        """Rows of so many cities, in the order of positions."""
        assert copies <= MOST_COPIES
        position = 0
        marks = [b"%04x" % n for n in range(copies)]
        for row, pieces in zip(self.rows, self._cut, strict=True):
            for n in range(copies):
                stream = row[1]
                if n and stream in self._shared:
                    continue
                position += 1
                state = marks[n].join(pieces)
                if n:
                    state = state.replace(CODE, b'"%04d' % (3408 + n))
                if stream not in self._shared:
                    stream = copied(stream, n)
                yield (position, stream, row[2], row[3], state)

    def count(self, copies: int) -> int:
        """How many rows so many cities have."""
        once = sum(row[1] in self._shared for row in self.rows)
        return once + copies * (len(self.rows) - once)

    def first(self, count: int) -> list[Row]:
        """So many facts, of as many cities as that takes."""
        found = list(islice(self.rows_of(-(-count // len(self.rows))), count))
        if len(found) < count:  # what the cities share is there once
            found = list(islice(self.rows_of(1 + -(-count // len(self.rows))), count))
        return found


def copied(stream: bytes, n: int) -> bytes:
    """The id in the copy of that number. All are changed, the first's too, so that none meet."""
    return stream[:14] + n.to_bytes(2)


def _cut(state: bytes, shared: set[bytes]) -> list[bytes]:
    """The pieces between the last four digits of every id that a copy changes."""
    pieces, start = [], 0
    for found in ID.finditer(state):
        if found.group() not in shared:
            pieces.append(state[start : found.end() - 4])
            start = found.end()
    return [*pieces, state[start:]]


def append(log: Log, rows: Iterator[Row]) -> int:
    """Write rows to an empty log, some thousands a commit; how many."""
    count = 0
    while part := list(islice(rows, AT_ONCE)):
        with log.transaction() as db:
            log.append(db, part)
        count += len(part)
    return count
