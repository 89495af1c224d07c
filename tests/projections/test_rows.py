"""The working rows of a batch: what is surely new is inserted, everything else replaces."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import psycopg
import pytest
from sqlalchemy import Boolean, Column, Integer, MetaData, String, Table

from domain.household import Household
from eventstore.sql import begun
from projections.catalog import VIEWS
from projections.folding.base import Rows, View
from projections.folding.databases import Database, PostgresDatabase, SQLiteDatabase
from projections.folding.engine import Applied, ViewsDatabase, announcement
from projections.households import ERASED
from tests import servers
from tests.projections.test_engine_postgres import log_rows

THINGS = Table(
    "things",
    MetaData(),
    Column("area", String, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("open", Boolean, nullable=False),
)


@pytest.fixture(params=["SQLite", "PostgreSQL"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    if request.param == "SQLite":
        found: Database = SQLiteDatabase(tmp_path / "views.sqlite")
    else:
        database: servers.Database = request.getfixturevalue("postgres_database")
        with psycopg.connect(database.url()) as db:
            db.execute("CREATE SCHEMA views")
        found = PostgresDatabase(database.url())
    with closing(found):
        yield found


def thing(number: int, is_open: bool = True) -> dict[str, Any]:
    return {"area": "a", "number": number, "open": is_open}


def test_new_rows_are_inserted_and_others_replaced(place: Database) -> None:
    writer = place.table(THINGS, 1)
    place.db.execute(place.create(THINGS, 1)[0])
    added: list[int] = []
    replaced: list[int] = []

    def write(rows: Rows) -> None:
        add, put = writer.add, writer.put
        with pytest.MonkeyPatch.context() as patch, begun(place.db):
            patch.setattr(writer, "add", lambda db, v: added.append(len(v)) or add(db, v))
            patch.setattr(writer, "put", lambda db, v: replaced.append(len(v)) or put(db, v))
            rows.write()

    first = Rows(place.db, {"things": writer})
    assert first.get(THINGS, "a", 1) is None
    for number in (1, 2, 3):
        first.put(THINGS, thing(number))
    first.begin(THINGS, thing(4))
    first.change(THINGS, "a", 4, open=False)
    write(first)
    assert (added, replaced) == ([2], [2])  # nobody looked for 2 and 3

    second = Rows(place.db, {"things": writer})
    second.need(THINGS, "a", 1)
    second.delete(THINGS, "a", 1)
    second.put(THINGS, thing(1, is_open=False))  # still there, until this is written
    second.delete(THINGS, "a", 2)
    second.read("things", [("a", 3), ("a", 5)])
    second.change(THINGS, "a", 3, open=False)
    second.put(THINGS, thing(5))
    write(second)
    assert (added, replaced) == ([2, 1], [2, 2])
    with begun(place.db):
        rows = [tuple(row) for row in writer.rows(place.db)]
    assert rows == [("a", 1, 0), ("a", 3, 0), ("a", 4, 0), ("a", 5, 1)]


def test_a_row_that_began_twice_parks_nothing(place: Database) -> None:
    """A handler may be wrong in what it takes for new: then it is slow, and its rows are right."""

    def again(rows: Rows, at: int, e: Household.Registered) -> None:
        rows.begin(ERASED, {"stream": "one", "person": str(e.head), "erased_at": str(at)})

    view = View("beginnings", 1, (ERASED,), {Household.Registered: again})
    rows = [row for row in log_rows() if row[3].startswith("Household.Registered")][:4]
    with closing(ViewsDatabase(place.again(), [view])) as views:
        for before, after in ((0, 2), (2, 4)):
            previous = rows[before - 1][0] if before else 0
            some = rows[before:after]
            views.apply_frame(0, previous, some[-1][0], some)
        assert not views.parked()
        found = views.db.execute(f"SELECT erased_at FROM {ERASED.name}").fetchall()
        assert [tuple(row) for row in found] == [(str(rows[3][0]),)]


def test_a_board_hears_of_what_has_left_its_area(place: Database) -> None:
    rows = log_rows()
    moved = next(n for n, row in enumerate(rows) if row[3].startswith("Household.Moved/"))
    with closing(ViewsDatabase(place.again(), VIEWS)) as views:
        views.apply_frame(0, 0, rows[moved][0] - 1, rows[:moved])
        household = str(UUID(bytes=rows[moved][1]))
        sql = "SELECT area FROM households WHERE id = ?"
        [(before,)] = views.db.execute(sql, (household,)).fetchall()
        applied = views.apply_frame(0, rows[moved][0] - 1, rows[moved][0], rows[moved : moved + 1])
        [(after,)] = views.db.execute(sql, (household,)).fetchall()
        assert isinstance(applied, Applied) and before != after
        told = msgspec.json.decode(announcement(applied))["tables"]
        assert told["households"] == sorted([before, after])
