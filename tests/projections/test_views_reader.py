"""Reading the views on PostgreSQL: one state a query, nothing written, over a restart."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import create_engine, func, literal, select, text
from sqlalchemy.schema import CreateTable

from cli.trial.postgres import PostgresServer
from eventstore.errors import StoreLocked, StoreReadOnly
from eventstore.url_text import text_of
from projections.areas import AREAS
from projections.asking.fund_books import fund_flows, funds
from projections.asking.paging import BadCursor
from projections.asking.scope import EVERYTHING
from projections.folding import reader as views_reader
from projections.folding.base import LOGICAL
from projections.folding.reader import ViewsReader
from tests.servers import Database

MAKE = """CREATE SCHEMA views; CREATE TABLE views.areas__g1 (id TEXT, parent TEXT);
CREATE VIEW views.areas AS SELECT * FROM views.areas__g1; INSERT INTO views.areas__g1 VALUES ('a')
"""
AREA_COUNT = select(func.count()).select_from(AREAS)


def make(server: PostgresServer, name: str) -> None:
    for statement in MAKE.split(";"):
        server.execute(statement, name)


@pytest.fixture
def reader(postgres_database: Database) -> Iterator[ViewsReader]:
    make(postgres_database.server, postgres_database.name)
    found = ViewsReader(postgres_database.url())
    yield found
    found.close()


def test_a_query_sees_one_state(reader: ViewsReader, postgres_database: Database) -> None:
    with reader() as db:
        assert db.execute(AREA_COUNT).scalar() == 1
        written = "INSERT INTO views.areas__g1 VALUES ('b')"
        postgres_database.server.execute(written, postgres_database.name)
        assert db.execute(AREA_COUNT).scalar() == 1
    with reader() as db:
        assert db.execute(AREA_COUNT).scalar() == 2


def test_a_reader_cannot_write(reader: ViewsReader) -> None:
    with pytest.raises(StoreReadOnly, match="read-only"), reader() as db:
        db.execute(text("DELETE FROM areas__g1"))


def test_a_query_that_never_ends_is_ended(
    postgres_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views_reader, "LONGEST_QUERY_SECONDS", 1)
    reader = ViewsReader(postgres_database.url())
    with pytest.raises(StoreLocked, match="statement timeout"), reader() as db:
        db.execute(text("SELECT pg_sleep(60)"))
    with reader() as db:
        assert db.execute(select(literal(1))).scalar() == 1
    reader.close()


def test_a_restart_of_the_server_is_not_noticed_by_the_next_query(tmp_path: Path) -> None:
    with PostgresServer(tmp_path, fsync=False) as server:
        make(server, "postgres")
        reader = ViewsReader(server.url())
        with reader() as db, reader() as another:
            assert db.execute(AREA_COUNT).scalar() == another.execute(AREA_COUNT).scalar() == 1
        server.restart()
        for _ in range(3):
            with reader() as db:
                assert db.execute(AREA_COUNT).scalar() == 1
        reader.close()


@pytest.mark.parametrize("values", [["x"], [True], [None], [2**63], [1, 2], []])
def test_a_cursor_that_does_not_fit_its_column_is_refused(
    reader: ViewsReader, values: list[object]
) -> None:
    cursor = text_of(msgspec.json.encode(values))
    with reader() as db, pytest.raises(BadCursor):
        fund_flows(db, EVERYTHING, cursor=cursor)


def test_a_cursor_with_text_that_no_row_can_hold_is_refused(reader: ViewsReader) -> None:
    cursor = text_of(msgspec.json.encode(["\0", "a"]))
    with reader() as db, pytest.raises(BadCursor):
        funds(db, EVERYTHING, cursor=cursor)


def test_no_key_is_a_sequence_and_text_is_ordered_by_its_bytes() -> None:

    dialect = create_engine("postgresql+psycopg://").dialect
    for table in LOGICAL.sorted_tables:
        made = str(CreateTable(table).compile(dialect=dialect))
        assert "SERIAL" not in made and "VARCHAR" not in made and " INTEGER" not in made
        assert made.count("TEXT") == made.count('TEXT COLLATE "C"')


def test_questions_one_after_the_other_are_put_to_the_connection_that_is_warm(
    tmp_path: Path,
) -> None:
    """They went round through eight, each of which prepared every statement for itself."""
    (tmp_path / "views.sqlite").touch()
    reader = ViewsReader(tmp_path / "views.sqlite")
    with reader() as one, reader() as other:
        assert one.connection.dbapi_connection is not other.connection.dbapi_connection
    used = set()
    for _ in range(4):
        with reader() as one:
            used.add(id(one.connection.dbapi_connection))
    reader.close()
    assert len(used) == 1
