"""SQLite and PostgreSQL give the same answers to every query: same rows, order and types."""

import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from sqlalchemy import Column, Connection, MetaData, create_engine, select, text
from sqlalchemy.schema import CreateSchema

from api.routes import LIVE, READS
from cli.trial.postgres import PostgresServer, wheel_bin
from domain.catalog import AGGREGATES
from eventstore.store import Store
from projections.base import LOGICAL, Rows, TableWriter, physical, routed
from projections.catalog import VIEWS
from projections.engine import fold
from projections.reader import SCHEMA, ViewsReader
from tests.everything import everything
from tests.projections.asking import Asking, code_of, queries

SERVERS = [wheel_bin(), *sorted(Path("/usr/lib/postgresql").glob("*/bin"))]
"""Every PostgreSQL of this machine. The wheel's knows no locale but C; Debian's orders by zh."""


@pytest.fixture(scope="module")
def at_home() -> Iterator[Connection]:
    """The views of the store in which everything happens, on SQLite."""
    reader = ViewsReader(everything() / "views.sqlite")
    with reader() as db:
        yield db
    reader.close()


@pytest.fixture(scope="module", params=SERVERS, ids=lambda bin: bin.parent.name)
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[PostgresServer]:
    folder = tmp_path_factory.mktemp("views")
    with PostgresServer(folder, request.param, fsync=False) as found:
        yield found


def database(server: PostgresServer) -> str:
    """A new database that orders text as a dictionary does, where the server can."""
    made = "CREATE DATABASE relief TEMPLATE template0"
    if server.bin != wheel_bin():
        made += " LOCALE_PROVIDER icu ICU_LOCALE 'zh'"
    server.execute(made)
    return server.url("relief")


@pytest.fixture(scope="module")
def there(server: PostgresServer, at_home: Connection) -> Iterator[ViewsReader]:
    """The same rows on PostgreSQL: tables of a generation, and views of the plain names."""
    url = database(server)
    engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    with engine.begin() as db:
        db.execute(CreateSchema(SCHEMA))
        for table in LOGICAL.sorted_tables:
            name = physical(table, 1)
            made = table.to_metadata(MetaData(schema=SCHEMA), name=name)
            made.create(db)
            rows = [dict(row) for row in at_home.execute(select(table)).mappings()]
            db.execute(made.insert(), rows)
            db.execute(text(f"CREATE VIEW views.{table.name} AS SELECT * FROM views.{name}"))
        db.execute(text("ANALYZE"))
    engine.dispose()
    reader = ViewsReader.at(url)
    yield reader
    reader.close()


def test_every_query_gives_the_same_answers(at_home: Connection, there: ViewsReader) -> None:
    asking = Asking(at_home)
    wrong = []
    asked = 0
    with there() as db:
        for query in queries():
            for what, question in asking.questions(query):
                asked += 1
                here, other = repr(question(at_home)), repr(question(db))
                if here != other:
                    wrong.append(f"{what}\n  {here[:2000]}\n  {other[:2000]}")
    assert not wrong, f"{len(wrong)} of {asked}:\n" + "\n".join(wrong[:5])


def test_no_query_is_left_out(at_home: Connection) -> None:
    """A new query must be reached by a question, itself or through another."""
    ran = set()

    def note(frame: FrameType, kind: str, _: Any) -> None:
        if kind == "call":
            ran.add(frame.f_code)

    asking = Asking(at_home)
    sys.setprofile(note)
    try:
        for query in queries():
            for _, question in asking.questions(query):
                question(at_home)
    finally:
        sys.setprofile(None)
    assert {q.__qualname__ for q in queries() if code_of(q) not in ran} == set()
    assert {read.query for read in READS} <= set(queries())


def test_every_table_of_every_board_holds_the_same_rows(
    at_home: Connection, there: ViewsReader
) -> None:
    assert {name for tables, _ in LIVE.values() for name in tables} <= set(LOGICAL.tables)
    with there() as db:
        for table in LOGICAL.sorted_tables:
            every = select(table).order_by(*table.primary_key.columns)
            assert repr(at_home.execute(every).all()) == repr(db.execute(every).all()), table.name


def test_what_handlers_store_is_of_the_columns_type() -> None:
    """SQLite would quietly turn a number into text; PostgreSQL refuses it."""
    store = Store.at(everything(), AGGREGATES)
    facts = [(row[0], store.mapper.decode(row[3], row[4])) for row in store.log.rows(0, 10**9)]
    store.close()
    writers = {t.name: TableWriter(t, 0) for t in LOGICAL.sorted_tables}
    rows = Rows(sqlite3.connect(":memory:"), writers, fresh=True)
    fold(rows, routed(VIEWS), facts)
    wrong = set()
    for table in LOGICAL.sorted_tables:
        names = [column.name for column in table.columns]
        put = [row for row in rows._rows[table.name].values() if row is not None]
        stored = [[row[name] for name in names] for row in put] + rows._appended[table.name]
        for row in stored:
            for column, value in zip(table.columns, row, strict=True):
                if not _fits(column, value):
                    wrong.add(f"{column}: {type(value).__name__}")
    assert wrong == set()


def _fits(column: Column[Any], value: Any) -> bool:
    """Whether PostgreSQL would take it as it is; an Enum of text is its text."""
    if value is None:
        return bool(column.nullable)
    kind = column.type.python_type
    return isinstance(value, kind) and (kind is bool or not isinstance(value, bool))
