"""A fact that a view cannot fold is parked for that view; everything else goes on."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest

from domain.base import Event
from domain.household import Household
from eventstore.log import Row
from projections.catalog import VIEWS
from projections.folding.base import Rows, View
from projections.folding.databases import Database, PostgresDatabase, SQLiteDatabase
from projections.folding.engine import Applied, ViewsDatabase
from projections.folding.errors import STOPPED, TooManyParked
from projections.folding.facts import is_poison
from projections.folding.parking import BEHIND
from projections.households import HOUSEHOLDS
from tests import servers
from tests.oracles import tables_of
from tests.projections.rebuilding import altered
from tests.projections.test_engine_postgres import expected, log_rows

VIEW = next(view for view in VIEWS if view.name == "households")
CARD = "Household.CardRecorded"


@pytest.fixture(params=["SQLite", "PostgreSQL"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    if request.param == "SQLite":
        yield SQLiteDatabase(tmp_path / "views.sqlite")
        return
    database: servers.Database = request.getfixturevalue("postgres_database")
    with psycopg.connect(database.url()) as db:
        db.execute("CREATE SCHEMA views")
    yield PostgresDatabase(database.url())


def put_in(index: int, row: Row) -> list[Row]:
    """The log with another row in one place."""
    rows = list(log_rows())
    rows[index] = row
    return rows


def fold_all(views: ViewsDatabase, rows: list[Row], size: int = 97) -> None:
    for begin in range(0, len(rows), size):
        some = rows[begin : begin + size]
        done = views.apply_frame(0, begin, some[-1][0], some)
        assert isinstance(done, Applied)


def first_of(topic: str, nth: int = 0) -> int:
    return [n for n, row in enumerate(log_rows()) if row[3].partition("/")[0] == topic][nth]


def stream_of(index: int) -> list[int]:
    """The positions of the row's stream from it on."""
    row = log_rows()[index]
    return [r[0] for r in log_rows() if r[1] == row[1] and r[0] >= row[0]]


def clean(views: tuple[View, ...], tmp_path: Path, without: set[int]) -> dict[str, str]:
    """The tables as they are when these positions had never been written."""
    with closing(ViewsDatabase(tmp_path / "clean.sqlite", views)) as fresh:
        rows = [row for row in log_rows() if row[0] not in without]
        fresh.apply_frame(0, 0, len(log_rows()), rows)
        assert not fresh.parked()
        return tables_of(fresh)


def test_a_handler_that_raises_parks_the_fact_for_its_view_alone(
    place: Database, tmp_path: Path
) -> None:
    index = first_of(CARD, 1)
    bad = log_rows()[index][0]
    handler: Any = VIEW.routes[Household.CardRecorded]

    def raising(rows: Rows, at: int, fact: Event) -> None:
        handler(rows, at, fact)
        if at == bad:
            row = rows.need(HOUSEHOLDS, str(fact.originator_id))
            row.update(area="half", card_masked="half")
            rows.put(HOUSEHOLDS, row)
            raise ZeroDivisionError("halfway")

    views = altered("households", routes={**VIEW.routes, Household.CardRecorded: raising})
    with closing(ViewsDatabase(place, views)) as live:
        fold_all(live, list(log_rows()))
        parked = live.parked()
        held = [p for p in stream_of(index) if type_of(p) in VIEW.routes]
        assert [p.position for p in parked] == held
        assert {p.view for p in parked} == {"households"}
        assert parked[0].reason == "ZeroDivisionError: halfway"
        assert {p.reason for p in parked[1:]} <= {BEHIND}
        assert parked[0].state == log_rows()[index][4]
        assert live.position() == len(log_rows())
        hashes = tables_of(live)
    others = {t.name for view in VIEWS for t in view.tables} - {t.name for t in VIEW.tables}
    assert {t: hashes[t] for t in others} == {t: expected()[t] for t in others}
    left_out = clean(VIEWS, tmp_path, set(held))
    assert {t.name: hashes[t.name] for t in VIEW.tables} == {
        t.name: left_out[t.name] for t in VIEW.tables
    }


def type_of(position: int) -> type[Event] | None:
    from domain.catalog import AGGREGATES
    from eventstore.mapper import TypedMapper

    return TypedMapper(AGGREGATES).class_of(log_rows()[position - 1][3])


@pytest.mark.parametrize("kind", ["unknown type", "not JSON", "misses a field"])
def test_a_fact_that_cannot_be_read_is_parked_with_its_bytes(
    place: Database, tmp_path: Path, kind: str
) -> None:
    index = first_of(CARD, 1)
    at, stream, version, topic, state = log_rows()[index]
    bad = {
        "unknown type": (at, stream, version, "Household.Beamed", state),
        "not JSON": (at, stream, version, topic, b"\xff\x00{"),
        "misses a field": (at, stream, version, topic, b"{}"),
    }[kind]
    with closing(ViewsDatabase(place, VIEWS)) as live:
        fold_all(live, put_in(index, bad))
        parked = live.parked()
        first = [p for p in parked if p.position == at]
        assert {(p.topic, p.state, p.stream.bytes) for p in first} == {(bad[3], bad[4], stream)}
        routing = {view.name for view in VIEWS if Household.CardRecorded in view.routes}
        everybody = {view.name for view in VIEWS}
        assert {p.view for p in first} == (everybody if kind == "unknown type" else routing)
        assert {p.position for p in parked} <= set(stream_of(index))
        hashes = tables_of(live)
    left_out = clean(VIEWS, tmp_path, set(stream_of(index)))
    held = {t.name for view in VIEWS if view.name in {p.view for p in parked} for t in view.tables}
    assert {t: hashes[t] for t in held} == {t: left_out[t] for t in held}


def test_text_that_a_database_cannot_keep_is_parked_too(place: Database) -> None:
    """PostgreSQL keeps no NUL in text; SQLite keeps it, and no half of a surrogate pair."""
    index = first_of(CARD, 1)
    bad = log_rows()[index][0]
    handler: Any = VIEW.routes[Household.CardRecorded]

    def odd(rows: Rows, at: int, fact: Event) -> None:
        handler(rows, at, fact)
        if at == bad:
            rows.change(HOUSEHOLDS, str(fact.originator_id), bank="\ud800\0")

    views = altered("households", routes={**VIEW.routes, Household.CardRecorded: odd})
    with closing(ViewsDatabase(place, views)) as live:
        fold_all(live, list(log_rows()))
        assert live.parked()[0].position == bad


def test_ten_streams_in_a_row_stop_the_views_and_what_came_before_the_tenth_is_kept(
    place: Database,
) -> None:
    def raising(rows: Rows, at: int, fact: Event) -> None:
        raise KeyError("a bug")

    views = altered("households", routes=dict.fromkeys(VIEW.routes, raising))
    with closing(ViewsDatabase(place, views)) as live:
        begun = [n for n, r in enumerate(log_rows()) if r[3].startswith("Household.Registered")]
        tenth = log_rows()[begun[9]][0]
        with pytest.raises(TooManyParked, match="a bug"):
            live.apply_frame(0, 0, len(log_rows()), log_rows())
        assert live.position() == tenth - 1
        assert len({p.stream for p in live.parked()}) == 9
        stands = live.db.execute("SELECT view FROM positions WHERE failing = ?", (STOPPED,))
        assert stands.fetchall() == [("households",)]
        before = tables_of(live), live.parked(), live.position()
        for _ in range(2):
            with pytest.raises(TooManyParked, match=r"households, .*a bug") as stopped:
                live.apply_frame(0, tenth - 1, tenth, [log_rows()[tenth - 1]])
            assert stopped.value.retry_after is None and "十个" in stopped.value.zh
        assert (tables_of(live), live.parked(), live.position()) == before
        with pytest.raises(TooManyParked):
            live.apply_frame(0, 0, len(log_rows()), log_rows())


def test_a_success_between_two_failures_begins_the_count_again(place: Database) -> None:
    begun = [r[1] for r in log_rows() if r[3].startswith("Household.Registered")]
    bad = set(begun[::2])
    assert len(bad) > 10
    handler: Any = VIEW.routes[Household.Registered]

    def raising(rows: Rows, at: int, fact: Event) -> None:
        if log_rows()[at - 1][1] in bad:
            raise KeyError(at)
        handler(rows, at, fact)

    views = altered("households", routes={**VIEW.routes, Household.Registered: raising})
    with closing(ViewsDatabase(place, views)) as live:
        fold_all(live, list(log_rows()))
        assert {p.stream.bytes for p in live.parked()} == bad
        assert live.position() == len(log_rows())


def test_what_is_dropped_is_folded_as_if_it_had_not_been_written(
    place: Database, tmp_path: Path
) -> None:
    index = first_of(CARD, 1)
    at, stream, version, _, state = log_rows()[index]
    with closing(ViewsDatabase(place, VIEWS)) as live:
        live.dropped = frozenset((view.name, at) for view in VIEWS)
        fold_all(live, put_in(index, (at, stream, version, "Household.Beamed", state)))
        assert live.parked() == []
        assert tables_of(live) == clean(VIEWS, tmp_path, {at})


def test_trouble_of_the_database_parks_nothing() -> None:
    assert not is_poison(psycopg.OperationalError())
    assert not is_poison(psycopg.errors.LockNotAvailable())
    assert not is_poison(psycopg.errors.UndefinedTable())
    assert not is_poison(OSError())
    assert is_poison(psycopg.errors.NumericValueOutOfRange())
    assert is_poison(AssertionError())
