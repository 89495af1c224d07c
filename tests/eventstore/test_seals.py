"""What the writer seals, and that nothing gets into a log that seals without one."""

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from cli.audit_examining import Read, examine
from domain.store import Store as Ledger
from eventstore.backup import LOG, VAULT, backup, restore
from eventstore.copying import Place as End
from eventstore.copying import copy
from eventstore.errors import FactsUnsealed, StoreDamaged, VaultOlder
from eventstore.log import Row
from eventstore.outcomes import Refused
from eventstore.seals import MARKS, SEALED, SECRET
from eventstore.sqlite import SQLiteLog, connect
from eventstore.store import Store
from tests.clusters import Founded
from tests.eventstore.conftest import place
from tests.eventstore.support import (
    ROOT,
    Place,
    found_town,
    new_unit,
    off_duty,
    open_store,
    send,
)

__all__ = ["place"]

Do = Callable[..., list[Any]]


@pytest.fixture
def town(place: Place) -> Iterator[Store]:
    store = found_town(open_store(place))
    for n in range(3):
        send(store, new_unit(f"{n}队"), "dispatcher")
    with pytest.raises(Refused):
        send(store, new_unit("0队"), "dispatcher")
    send(store, off_duty("0队"), "dispatcher")
    yield store
    store.close()


def owner_of(folder: Path) -> Do:
    """Runs a statement as who may write the file."""

    def on_sqlite(statement: str, *args: Any) -> list[Any]:
        with closing(sqlite3.connect(folder / LOG)) as db, db:
            db.execute("DROP TRIGGER IF EXISTS events_are_sealed")
            return db.execute(statement, args).fetchall()

    return on_sqlite


@pytest.fixture
def owner(place: Place, request: pytest.FixtureRequest) -> Do:
    """Runs a statement past every guard: as the file's owner, or as a superuser."""

    def on_postgres(statement: str, *args: Any) -> list[Any]:
        made: Founded = request.getfixturevalue("cluster")
        with psycopg.connect(made.admin) as db:
            db.execute("SET session_replication_role = replica; SET search_path = log")
            done = db.execute(statement.replace("?", "%s").encode(), args)
            return done.fetchall() if done.description else []

    return owner_of(place) if isinstance(place, Path) else on_postgres


def examined(store: Store) -> Read:
    return examine(store, store.head(), ())


def what(store: Store) -> str | None:
    bad = examined(store).examined.bad
    return bad and bad.what


def test_every_batch_has_one_seal_over_its_facts_outcomes_and_marks(town: Store) -> None:
    read = examined(town)
    assert read.examined.bad is None and read.seals.unsealed_batches == 0
    ((outcomes,),) = town.log.fetch("SELECT count(*) FROM outcomes")
    assert read.seals.outcomes == outcomes > 5
    assert read.seals.marks["born"] == town.log.mark("born")
    seals = town.log.seals(0, 1000)
    assert [seal.n for seal in seals] == list(range(1, len(seals) + 1))
    assert seals[-2].last < seals[-2].first, "a refusal has an outcome and no fact"
    assert len(seals[-2].commands) == 16
    assert seals[-1].first == seals[-1].last == town.head()


def test_all_that_the_log_says_of_itself_is_sealed_or_of_this_place(town: Store) -> None:
    ledger = Ledger.__new__(Ledger)
    ledger.exercise, ledger.epoch, ledger.timeline = True, "2-x", "1"  # type: ignore[misc]
    ledger.holds, ledger.decisions, ledger.spans = {}, {}, ()  # type: ignore[misc]
    ledger.seat, ledger.epoch_head = uuid4(), 3
    now = town.clock.now()
    ledger.advanced = now, now, 1
    assert ledger.marks().keys() - {"copy"} <= set(MARKS)


FORGED: dict[str, tuple[str, str]] = {
    "a changed outcome": (
        "UPDATE outcomes SET outcome = outcome || ?"
        " WHERE command = (SELECT min(command) FROM outcomes)",
        "answer",
    ),
    "an exchanged actor": (
        "UPDATE outcomes SET actor = fingerprint"
        " WHERE command = (SELECT max(command) FROM outcomes) AND ? IS NOT NULL",
        "answer",
    ),
    "a deleted outcome": (
        "DELETE FROM outcomes WHERE command = (SELECT min(command) FROM outcomes) OR command = ?",
        "answer",
    ),
    "an outcome of nobody": (
        "INSERT INTO outcomes SELECT ?, actor, fingerprint, outcome FROM outcomes LIMIT 1",
        "answer",
    ),
    "a flipped mark": (
        "INSERT INTO marks SELECT 'exercise', 'store' FROM marks"
        " WHERE key = 'born' AND ? IS NOT NULL",
        "mark",
    ),
    "a mark that was changed": (
        "UPDATE marks SET value = value || 'x' WHERE key = 'born' AND ? IS NOT NULL",
        "mark",
    ),
    "a seal that was changed": (
        "UPDATE seals SET marks = '{}' WHERE n = 2 AND ? IS NOT NULL",
        "seal",
    ),
    "a seal that was taken away": (
        "DELETE FROM seals WHERE n = (SELECT max(n) - 1 FROM seals) AND ? IS NOT NULL",
        "seal",
    ),
    "a seal of nobody": (
        "INSERT INTO seals SELECT n + 1, last + 1, last, ?, outcomes, '', mac,"
        " leaves FROM seals WHERE n = (SELECT max(n) FROM seals)",
        "seal",
    ),
}


@pytest.mark.parametrize("name", FORGED)
def test_what_is_changed_beside_the_facts_is_found(town: Store, owner: Do, name: str) -> None:
    statement, found = FORGED[name]
    assert what(town) is None
    owner(statement, b" " * 16)
    assert what(town) == found


def forged(store: Store) -> Row:
    """A fact such as a command makes, of a stream of its own."""
    row = next(row for row in store.log.rows(0, 10_000) if row[2] == 1 and row[0] > 10)
    return store.head() + 1, uuid4().bytes, 1, row[3], bytes(row[4])


TOLD = r"without a seal .*请用新版程序"
PUT = "INSERT INTO events (position, stream, version, topic, state) VALUES (?,?,?,?,?)"


def test_a_fact_that_was_put_in_by_hand_is_found_and_the_next_command_is_not(
    town: Store, owner: Do
) -> None:
    at = town.head() + 1
    owner(PUT, *forged(town))
    for n in range(3):
        send(town, new_unit(f"later {n}"), "dispatcher")
        read = examined(town)
        bad = read.examined.bad
        assert bad is not None and bad.position == at and bad.what in ("unsealed", "other")
        assert read.seals.unsealed_batches == 1


def test_a_seal_that_was_made_up_covers_nothing(town: Store, owner: Do) -> None:
    """As who has read how seals are made, and has not the secret."""
    row = forged(town)
    made = town.seals.made(town.log.seals(0, 1000)[-1].n + 1, [row], (), {}, row[0])
    owner(PUT, *row)
    owner(
        "INSERT INTO seals (n, first, last, commands, outcomes, marks, mac, leaves)"
        " VALUES (?,?,?,?,?,?,?,?)",
        *made._replace(mac=bytes(32)),
    )
    read = examined(town)
    assert read.examined.bad is not None and read.examined.bad.position == row[0]
    assert read.seals.unsealed_batches == 1


def test_facts_without_a_seal_are_refused_and_told_so_in_words(
    town: Store, place: Place, request: pytest.FixtureRequest
) -> None:
    """A process of an older program is turned away: it knows of no seals."""
    row = forged(town)
    with pytest.raises(FactsUnsealed) as told, town.log.transaction() as db:
        town.log.append(db, [row])
    assert "升级" in told.value.zh and "Upgrade" in told.value.en
    assert town.head() == row[0] - 1
    if isinstance(place, Path):
        refused = pytest.raises(sqlite3.IntegrityError, match=TOLD)
        with closing(sqlite3.connect(place / LOG)) as old, refused:
            old.execute(PUT, row)
    else:
        made: Founded = request.getfixturevalue("cluster")
        with psycopg.connect(made.admin) as old:
            old.execute("SET search_path = log")
            with pytest.raises(psycopg.Error, match=TOLD):
                old.execute(PUT.replace("?", "%s").encode(), row)
    assert send(town, new_unit("goes on"), "dispatcher").position == row[0]


def test_a_log_of_its_path_alone_takes_facts_until_a_store_seals_it(tmp_path: Path) -> None:
    with closing(SQLiteLog(tmp_path / "log.sqlite")) as log, log.transaction() as db:
        log.append(db, [(1, uuid4().bytes, 1, "none", b"{}")])
    assert log.path.exists()


@pytest.mark.parametrize(
    "change",
    [
        "state = replace(state, '5', '6')",
        "state = 7",
        "topic = CAST(topic AS BLOB)",
        "version = -1",
        "version = 'many'",
        "version = 5000000000",
        "stream = 'household'",
    ],
)
def test_what_sqlite_keeps_in_place_of_a_fact_ends_no_reading(tmp_path: Path, change: str) -> None:
    """`replace` answers a text: reading the log again ended with a traceback, and the watch with
    it."""
    with closing(found_town(open_store(tmp_path))) as store:
        with closing(sqlite3.connect(tmp_path / LOG)) as db, db:
            db.execute(f"UPDATE events SET {change} WHERE position = 9")
        bad = examined(store).examined.bad
        assert bad is not None and bad.position == 9


# -- a log of before ---------------------------------------------------------------------------


def older(folder: Path) -> None:
    """The store as a program left it that knew of no seals."""
    with closing(connect(folder / LOG)) as db:
        db.execute("DROP TRIGGER events_are_sealed")
        db.execute("DROP TABLE seals")
        db.execute("PRAGMA user_version=1")
    with closing(connect(folder / VAULT)) as db:
        db.execute("DELETE FROM secrets WHERE name IN (?,?)", (SECRET, SEALED))


@pytest.fixture
def old(tmp_path: Path) -> Path:
    store = found_town(open_store(tmp_path / "old"))
    for n in range(3):
        send(store, new_unit(f"{n}队"), "dispatcher")
    store.close()
    older(tmp_path / "old")
    return tmp_path / "old"


def test_a_log_of_before_is_sealed_once(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("eventstore.seals.AT_ONCE", 7)
    with closing(open_store(old)) as store:
        read = examined(store)
        assert read.examined.bad is None and read.seals.unsealed_batches == 0
        ((outcomes,),) = store.log.fetch("SELECT count(*) FROM outcomes")
        assert read.seals.outcomes == outcomes
        count = len(store.log.seals(0, 1000))
        assert count > store.head() / 7
    with closing(open_store(old)) as store:
        assert len(store.log.seals(0, 1000)) == count
        send(store, new_unit("after"), "dispatcher")
        assert what(store) is None


def test_a_log_of_before_with_a_gap_is_sealed_round_it(old: Path) -> None:
    with closing(connect(old / LOG)) as db:
        db.execute("DELETE FROM events WHERE position = 5")
    with closing(open_store(old)) as store:
        assert what(store) == "gap" and examined(store).seals.unsealed_batches == 0


def killed(folder: Path, point: str) -> bool:
    """Whether a process that does one command ended at this point."""
    command = [sys.executable, "-m", "tests.eventstore.elsewhere", "write", str(folder)]
    env = {**os.environ, "RELIEF_KILL_AT": point}
    done = subprocess.run(command, cwd=ROOT, env=env, input="0队\n", text=True, check=False)
    return done.returncode == -signal.SIGKILL


def test_a_kill_between_seal_facts_and_marks_leaves_none_of_them(tmp_path: Path) -> None:
    with closing(found_town(open_store(tmp_path))) as store:
        send(store, new_unit("0队"), "dispatcher")
        whole = store.head(), store.log.seals(0, 1000)
    for point in ("between-seal-and-facts", "in-transaction"):
        assert killed(tmp_path, point)
        with closing(open_store(tmp_path)) as store:
            assert (store.head(), store.log.seals(0, 1000)) == whole and what(store) is None
    assert not killed(tmp_path, "nowhere")
    with closing(open_store(tmp_path)) as store:
        assert store.head() == whole[0] + 1 and what(store) is None


def test_sealing_that_was_killed_begins_anew(old: Path) -> None:
    assert killed(old, "in-sealing")
    with closing(connect(old / LOG)) as db:
        assert db.execute("SELECT count(*) FROM seals").fetchone() == (0,)
    with closing(open_store(old)) as store:
        assert what(store) is None and store.log.seals(0, 1)


def test_seals_that_were_all_deleted_are_not_made_again(
    town: Store, owner: Do, place: Place
) -> None:
    owner("DELETE FROM seals")
    with closing(open_store(place)) as again:
        read = examined(again)
        assert read.examined.bad is not None and read.seals.unsealed_batches == 1
        assert again.log.seals(0, 1) == []


# -- backups and copies ------------------------------------------------------------------------


def test_seals_hold_after_a_restore_and_in_a_copy(tmp_path: Path, cluster: Founded) -> None:
    with closing(found_town(open_store(tmp_path / "var"))) as store:
        seals = store.log.seals(0, 1000)
    backup(tmp_path / "var", tmp_path / "kept")
    restore(tmp_path / "kept", tmp_path / "back")
    with closing(open_store(tmp_path / "back")) as store:
        assert store.log.seals(0, 1000) == seals and what(store) is None
        send(store, new_unit("after"), "dispatcher")
        assert what(store) is None
    there = cluster.place
    copy(End.folder(tmp_path / "var"), End(there.log, there.vault, there.folder / "vault.key"))
    with closing(open_store(there)) as store:
        assert store.log.seals(0, 1000) == seals and what(store) is None


def test_a_copy_that_ends_earlier_is_sealed_anew(tmp_path: Path) -> None:
    with closing(found_town(open_store(tmp_path / "var"))) as store:
        for n in range(3):
            send(store, new_unit(f"{n}队"), "dispatcher")
        until = store.head() - 1
    copy(End.folder(tmp_path / "var"), End.folder(tmp_path / "there"), until=until)
    with closing(open_store(tmp_path / "there")) as store:
        read = examined(store)
        assert read.examined.bad is None and read.seals.unsealed_batches == 0
        assert store.head() == until and read.seals.outcomes > 3


def test_a_vault_of_before_beside_a_newer_log_is_refused(old: Path, tmp_path: Path) -> None:
    backup(old, tmp_path / "before")
    with closing(open_store(old)) as store:
        send(store, new_unit("after"), "dispatcher")
    backup(old, tmp_path / "after")
    (tmp_path / "after" / VAULT).write_bytes((tmp_path / "before" / VAULT).read_bytes())
    with pytest.raises(VaultOlder) as told:
        restore(tmp_path / "after", tmp_path / "back")
    assert "密库" in told.value.zh and isinstance(told.value, StoreDamaged)
    assert not (tmp_path / "back" / LOG).exists()
    for name in (VAULT, f"{VAULT}-wal", f"{VAULT}-shm"):
        (old / name).unlink(missing_ok=True)
    (old / VAULT).write_bytes((tmp_path / "before" / VAULT).read_bytes())
    with pytest.raises(VaultOlder):
        open_store(old)


def test_a_backup_of_before_is_restored_and_then_sealed(old: Path, tmp_path: Path) -> None:
    backup(old, tmp_path / "before")
    restore(tmp_path / "before", tmp_path / "back")
    with closing(open_store(tmp_path / "back")) as store:
        assert what(store) is None and store.log.seals(0, 1)
