"""Readings are noted before they are answered, and nobody takes one out unseen."""

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from eventstore.access_log import MOST_SHOWN, AccessLog, Chain
from eventstore.errors import StoreError
from eventstore.store import Store
from tests.clusters import Founded
from tests.eventstore.conftest import place
from tests.eventstore.support import Place, found_town, named, open_store

__all__ = ["place"]

AT = datetime(2018, 1, 5, 1, tzinfo=UTC)
OFFICER, OTHER = named("officer/1"), named("officer/2")
HOMES = [named(f"household/{n}") for n in range(4)]


@pytest.fixture
def store(place: Place) -> Iterator[Store]:
    with closing(found_town(open_store(place))) as found:
        yield found


@pytest.fixture
def log(store: Store) -> Iterator[AccessLog]:
    with closing(AccessLog(store.vault)) as found:
        yield found


def three(log: AccessLog) -> None:
    log.note(
        "search", "households", officer=OFFICER, at=AT, found=2, shown=HOMES[:2], sought="王芳"
    )
    log.note(
        "export", "ledger", officer=OTHER, at=AT + timedelta(hours=1), found=3, shown=HOMES[1:]
    )
    log.note(
        "unseal", "household", officer=OFFICER, at=AT + timedelta(days=1), found=1, shown=HOMES[:1]
    )


def numbers(found: list[Any]) -> list[int]:
    return [one.n for one in found]


def test_who_looked_is_found_by_officer_by_day_and_by_household(log: AccessLog) -> None:
    three(log)
    assert numbers(log.newest(limit=9)) == [3, 2, 1]
    assert numbers(log.newest(limit=1, before=3)) == [2]
    assert numbers(log.newest(limit=9, officer=OFFICER)) == [3, 1]
    day = {"since": AT, "until": AT + timedelta(hours=1)}
    assert numbers(log.newest(limit=9, **day)) == [1]
    assert numbers(log.of_subject(HOMES[0], 9)) == [3, 1]
    assert numbers(log.of_subject(HOMES[1], 9)) == [2, 1]
    assert numbers(log.of_subject(HOMES[1], 1)) == [2]
    assert log.of_subject(uuid4(), 9) == []
    (first,) = log.newest(limit=1, before=2)
    assert (first.officer, first.at, first.kind, first.what) == (
        OFFICER,
        AT,
        "search",
        "households",
    )
    assert set(first.shown) == set(HOMES[:2]) and first.found == 2


def test_words_that_were_looked_for_stand_nowhere(log: AccessLog, store: Store) -> None:
    three(log)
    rows = store.vault.fetch("SELECT * FROM access_log")
    assert "王芳".encode() not in repr(rows).encode() and "王" not in repr(rows)
    first = log.newest(limit=9)[-1]
    assert first.sought == log.sought(" 王芳 ") != log.sought("王方") and log.sought("") == b""


def test_readings_noted_at_once_have_one_chain(log: AccessLog, store: Store) -> None:
    logs = [log, AccessLog(store.vault), AccessLog(store.vault)]

    def noting(one: AccessLog) -> None:
        for _ in range(10):
            one.note("search", "ledger", officer=OFFICER, at=AT, found=0)

    threads = [threading.Thread(target=noting, args=(one,)) for one in logs for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for one in logs[1:]:
        one.close()
    assert sorted(numbers(log.newest(limit=100))) == list(range(1, 61))
    assert log.first_bad() is None


def test_a_page_of_ids_is_the_most_that_one_reading_shows(log: AccessLog) -> None:
    ids = [UUID(int=n) for n in range(MOST_SHOWN + 1)]
    log.note("export", "ledger", officer=OFFICER, at=AT, found=MOST_SHOWN, shown=ids[:-1])
    with pytest.raises(ValueError, match="page at a time"):
        log.note("export", "ledger", officer=OFFICER, at=AT, found=MOST_SHOWN + 1, shown=ids)
    assert numbers(log.of_subject(ids[7], 9)) == [1] and log.first_bad() is None


Change = tuple[str, int | None]
CHANGES: dict[str, Change] = {
    "officer": ("UPDATE access_log SET officer = '\\x00'::bytea WHERE n = 2", 2),
    "shown": ("UPDATE access_log SET shown = ''::bytea WHERE n = 1", 1),
    "time": ("UPDATE access_log SET at = '2017' WHERE n = 3", 3),
    "words": ("UPDATE access_log SET sought = ''::bytea WHERE n = 1", 1),
    "first": ("DELETE FROM access_log WHERE n = 1", 1),
    "middle": ("DELETE FROM access_log WHERE n = 2", 2),
    "last": ("DELETE FROM access_log WHERE n = 3", 3),
    "all": ("DELETE FROM access_log", 1),
    "looked up": ("DELETE FROM access_shown WHERE n = 1", 1),
    "put in": (
        "INSERT INTO access_log SELECT 4, at, officer, kind, what, found, shown, sought, mac"
        " FROM access_log WHERE n = 3",
        4,
    ),
}


@pytest.fixture
def owner(place: Place, request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Changes the table as who owns the machine can."""

    def change(sql: str) -> None:
        if isinstance(place, Path):
            sql = sql.replace("'\\x00'::bytea", "x'00'").replace("''::bytea", "x''")
            with closing(sqlite3.connect(place / "vault.sqlite")) as db, db:
                for name in ("access_log_kept", "access_log_stays"):
                    db.execute(f"DROP TRIGGER {name}")
                db.execute(sql)
            return
        made: Founded = request.getfixturevalue("cluster")
        with psycopg.connect(made.admin) as there:
            there.execute("SET search_path = vault")
            there.execute(sql)  # type: ignore[arg-type]

    return change


@pytest.mark.parametrize("name", CHANGES)
def test_what_is_done_to_readings_by_hand_is_found(
    log: AccessLog, owner: Callable[[str], None], name: str
) -> None:
    three(log)
    kept = log.end()
    assert log.first_bad([Chain(0, bytes(32)), kept]) is None
    sql, bad = CHANGES[name]
    owner(sql)
    assert log.first_bad([kept]) == bad
    if name in ("last", "all"):
        assert log.first_bad() is None, "only who kept a checkpoint notices"


@pytest.mark.parametrize("sql", ["UPDATE access_log SET found = 0", "DELETE FROM access_log"])
def test_the_program_itself_takes_no_reading_out(log: AccessLog, store: Store, sql: str) -> None:
    three(log)
    with pytest.raises((sqlite3.Error, psycopg.Error)):
        store.vault.db.execute(sql)
    if store.vault.db.in_transaction:
        store.vault.db.execute("ROLLBACK")
    assert numbers(log.newest(limit=9)) == [3, 2, 1]


def test_what_cannot_be_kept_is_an_error(
    log: AccessLog, owner: Callable[[str], None], place: Place
) -> None:
    three(log)
    if isinstance(place, Path):
        with closing(sqlite3.connect(place / "vault.sqlite")) as db:
            db.execute("ALTER TABLE access_log RENAME TO elsewhere")
    else:
        owner("ALTER TABLE access_log RENAME TO elsewhere")
    with pytest.raises(StoreError):
        log.note("search", "ledger", officer=OFFICER, at=AT, found=0)


def test_who_was_shown_is_looked_up_again_where_that_was_left_behind(
    log: AccessLog, store: Store
) -> None:
    three(log)
    store.vault.db.execute("DELETE FROM access_shown") if isinstance(
        store.vault.db, sqlite3.Connection
    ) else None
    assert numbers(log.of_subject(HOMES[0], 9)) == [3, 1] and log.first_bad() is None
