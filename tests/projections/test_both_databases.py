"""SQLite and PostgreSQL give the same answers to every query: same rows, order and types."""

import itertools
import shutil
import sqlite3
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import msgspec
import psycopg
import pytest
from sqlalchemy import (
    Column,
    Connection,
    MetaData,
    String,
    cast,
    create_engine,
    event,
    literal,
    make_url,
    select,
    text,
    union_all,
)
from sqlalchemy.schema import CreateSchema

from api.routes import LIVE, READS
from cli.trial.postgres import PostgresServer
from domain.catalog import AGGREGATES
from eventstore.store import Store
from projections.catalog import VIEWS
from projections.folding.base import LOGICAL, Rows, TableWriter, physical
from projections.folding.dialects import ByBytes, JoinedText, JsonMember, JsonPairs
from projections.folding.reader import SCHEMA, ViewsReader
from projections.sections.consignments import CONSIGNMENTS
from scripts.need_postgres import postgres_bin
from tests.everything import everything
from tests.projections.asking import Asking, Question, queries
from tests.projections.folding import run
from tests.servers import skipped_if_unavailable

ORDERED_OTHERWISE = "CREATE DATABASE relief TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'zh'"
WRITTEN_BY_HAND = {"name", "head_masked", "village_group"}


def worn(folder: Path) -> Path:
    """A copy of the views with gaps: every third row has no value where it need not have one.

    Names get letters too, in two cases; all consignments are on the road, some without an ETA.
    """
    copy = Path(shutil.copy(everything() / "views.sqlite", folder / "worn.sqlite"))
    db = sqlite3.connect(copy)
    for table in LOGICAL.sorted_tables:
        for n, column in enumerate(table.columns):
            name = f"{physical(table, 1)} SET {column.name}"
            if column.nullable:
                db.execute(f"UPDATE {name} = NULL WHERE rowid % 3 = {n % 3}")
            elif column.name in WRITTEN_BY_HAND:
                letters = "CASE rowid % 3 WHEN 0 THEN 'aB' WHEN 1 THEN 'Ab_' ELSE '' END"
                db.execute(f"UPDATE {name} = {letters} || {column.name}")
    db.execute(f"UPDATE {physical(CONSIGNMENTS, 1)} SET status = 'shipped'")
    db.commit()
    db.close()
    return copy


@dataclass(frozen=True)
class Pair:
    """Which rows are compared with which PostgreSQL."""

    worn: bool
    major: int


PAIRS = [Pair(worn=False, major=15), Pair(worn=True, major=18)]


@pytest.fixture(scope="module", params=PAIRS, ids=["whole-15", "worn-18"])
def pair(request: pytest.FixtureRequest) -> Pair:
    found: Pair = request.param
    return found


@pytest.fixture(scope="module")
def at_home(pair: Pair, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connection]:
    """The views of the store in which everything happens, on SQLite."""
    path = everything() / "views.sqlite"
    reader = ViewsReader(worn(tmp_path_factory.mktemp("worn")) if pair.worn else path)
    with reader() as db:
        yield db
    reader.close()


@pytest.fixture(scope="module")
def url(pair: Pair, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A database that orders text as a dictionary does, where the server can."""
    with skipped_if_unavailable():
        programs = postgres_bin(pair.major)
    folder = tmp_path_factory.mktemp(f"views{pair.major}")
    with PostgresServer(folder, programs, fsync=False) as server:
        try:
            server.execute(ORDERED_OTHERWISE)
        except psycopg.Error:  # built without ICU
            server.execute("CREATE DATABASE relief")
        yield server.url("relief")


@pytest.fixture(scope="module")
def there(url: str, at_home: Connection) -> Iterator[ViewsReader]:
    """The same rows on PostgreSQL: tables of a generation, and views of the plain names."""
    engine = create_engine(make_url(url).set(drivername="postgresql+psycopg"))
    with engine.begin() as db:
        db.execute(CreateSchema(SCHEMA))
        for table in LOGICAL.sorted_tables:
            name = physical(table, 1)
            made = table.to_metadata(MetaData(schema=SCHEMA), name=name)
            made.create(db)
            rows = [dict(row) for row in at_home.execute(select(table)).mappings()]
            db.execute(made.insert(), rows)
            db.execute(text(f"CREATE VIEW views.{table.name} AS SELECT * FROM views.{name}"))
    engine.dispose()
    reader = ViewsReader(url)
    yield reader
    reader.close()


@dataclass
class Answers:
    """What SQLite answers, by question; and the code of all functions that asked it so far."""

    questions: dict[str, Question]
    found: dict[str, str]
    ran: set[CodeType]


RAN: set[CodeType] = set()
"""Of all pairs together: of worn rows some are empty, so that a query within one is not come to."""


@pytest.fixture(scope="module")
def answers(at_home: Connection) -> Answers:
    ran = RAN

    def note(*_: Any) -> None:
        frame: FrameType | None = sys._getframe()
        while frame is not None:
            ran.add(frame.f_code)
            frame = frame.f_back

    asking = Asking(at_home)
    questions = dict(itertools.chain.from_iterable(map(asking.questions, queries())))
    event.listen(at_home.engine, "before_cursor_execute", note)
    try:
        found = {what: answer(question, at_home) for what, question in questions.items()}
    finally:
        event.remove(at_home.engine, "before_cursor_execute", note)
    return Answers(questions, found, ran)


def _in_order(found: Any) -> Any:
    """Sets and answers by id have no order: which comes first differs from process to process."""
    if isinstance(found, frozenset | set):
        return sorted(found, key=repr)
    if isinstance(found, dict):
        return sorted(((name, _in_order(one)) for name, one in found.items()), key=repr)
    return [_in_order(one) for one in found] if type(found) is list else found


def answer(question: Question, db: Connection) -> str:
    """With its types and order. Rows with gaps may be more than a query bargained for."""
    try:
        return repr(_in_order(question(db)))
    except (TypeError, AttributeError, KeyError, ValueError) as problem:
        return f"raised {problem!r}"


def test_every_query_gives_the_same_answers(answers: Answers, there: ViewsReader) -> None:
    wrong = []
    with there() as db:
        for what, here in answers.found.items():
            other = answer(answers.questions[what], db)
            if here != other:
                wrong.append(f"{what}\n  {here[:2000]}\n  {other[:2000]}")
    assert not wrong, f"{len(wrong)} of {len(answers.found)}:\n" + "\n".join(wrong[:5])


def test_no_query_is_left_out(answers: Answers) -> None:
    """A new query must be reached by a question, itself or through another."""
    assert {read.query for read in READS} <= set(queries())
    unasked = {query.__qualname__ for query in queries() if query.__code__ not in answers.ran}
    assert unasked == set()


def test_every_table_of_every_board_holds_the_same_rows(
    at_home: Connection, there: ViewsReader
) -> None:
    assert {name for tables, _ in LIVE.values() for name in tables} <= set(LOGICAL.tables)
    with there() as db:
        for table in LOGICAL.sorted_tables:
            every = select(table).order_by(*table.primary_key.columns)
            assert repr(at_home.execute(every).all()) == repr(db.execute(every).all()), table.name


TEXTS = ("一", "乙", "person_contested", "payment_failed", "personal", "Z", "a", "B", "_", "é", "")
REPORTED = '{"affected":12,"dead":"3","missing":null,"houses":"1.50"}'


def test_functions_of_text_are_the_same_on_both(url: str) -> None:
    words = union_all(*[select(ByBytes(literal(word)).label("word")) for word in TEXTS]).subquery()
    ordered = select(words.c.word).order_by(words.c.word)
    pair = JsonPairs(literal(REPORTED)).table_valued("key", "value", name="pair")
    members = [
        cast(JsonMember(literal(REPORTED), name), String)
        for name in ("affected", "missing", "houses", "x")
    ]
    questions = [
        ordered,
        select(pair.c.key, cast(pair.c.value, String)).order_by(cast(pair.c.key, String)),
        select(*members),
        select(words.c.word).where(words.c.word.ilike("%PERSON\\_%", escape="\\")),
    ]
    here = create_engine("sqlite://")
    there = create_engine(make_url(url).set(drivername="postgresql+psycopg"))
    with here.connect() as db, there.connect() as other:
        answers = [db.execute(question).all() for question in questions]
        assert answers == [other.execute(question).all() for question in questions]
        assert [word for (word,) in answers[0]] == sorted(TEXTS)
        assert answers[2] == [("12", None, "1.50", None)]
        keys = select(JoinedText(pair.c.key))
        named = other.execute(keys).scalar_one().split(",")
        assert named == sorted(named) and set(named) == set(msgspec.json.decode(REPORTED))
    here.dispose()
    there.dispose()


def test_what_handlers_store_is_of_the_columns_type() -> None:
    """SQLite would quietly turn a number into text; PostgreSQL refuses it."""
    store = Store.at(everything(), AGGREGATES)
    facts = [(row[0], store.mapper.decode(row[3], row[4])) for row in store.log.rows(0, 10**9)]
    store.close()
    writers = {t.name: TableWriter(t, 0) for t in LOGICAL.sorted_tables}
    rows = Rows(sqlite3.connect(":memory:"), writers, fresh=True)
    run(rows, VIEWS, facts)
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
