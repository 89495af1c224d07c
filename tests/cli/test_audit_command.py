"""`relief audit`: whatever is done to the rows of the log by hand is found, and told where."""

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from typer.testing import CliRunner, Result

from audit import relief_verify
from audit.relief_verify import Checkpoint, checkpoint_of
from audit.verifying import WHAT, Examination
from cli import audit_command
from cli.audit_examining import examine
from cli.audit_watch import look
from cli.main import program
from eventstore.access_log import AccessLog
from eventstore.checkpoints import SigningKey, origin_of
from eventstore.log import Row
from eventstore.proving import tree_of
from eventstore.store import Store
from tests.clusters import Founded
from tests.eventstore.conftest import place
from tests.eventstore.support import (
    AREAS,
    DOCUMENT,
    Place,
    found_town,
    named,
    new_unit,
    off_duty,
    open_store,
    send,
)

__all__ = ["place"]

UNITS = 12


@pytest.fixture
def town(place: Place) -> Iterator[Store]:
    store = found_town(open_store(place))
    for n in range(UNITS):
        send(store, new_unit(f"{n}队"), "dispatcher")
        send(store, off_duty(f"{n}队"), "dispatcher")
    yield store
    store.close()


def signed(store: Store, size: int | None = None) -> Checkpoint:
    size = store.head() if size is None else size
    key = SigningKey(store.vault, origin_of(store))
    return checkpoint_of(key.signed(size, tree_of(store.log, size).root(), store.clock.now()))


Rows = list[Row]


@pytest.fixture
def tamper(town: Store, place: Place, request: pytest.FixtureRequest) -> Callable[[Any], None]:
    """Puts other rows in place of the log's, as who may do everything on the machine can."""

    def on_sqlite(change: Callable[[Rows], Rows]) -> None:
        assert isinstance(place, Path)
        with closing(sqlite3.connect(place / "log.sqlite")) as db, db:
            db.execute("DROP TRIGGER IF EXISTS events_are_sealed")
            rows = change(db.execute("SELECT * FROM events ORDER BY position").fetchall())
            db.execute("DELETE FROM events")
            db.executemany("INSERT INTO events VALUES (?,?,?,?,?)", rows)

    def on_postgres(change: Callable[[Rows], Rows]) -> None:
        made: Founded = request.getfixturevalue("cluster")
        with psycopg.connect(made.admin) as db, db.cursor() as cursor:
            cursor.execute("SET session_replication_role = replica")  # past every trigger
            names = "position, stream, version, topic, state"
            cursor.execute(f"SELECT {names} FROM log.events ORDER BY position")  # type: ignore[arg-type]
            rows = change(cursor.fetchall())
            cursor.execute("DELETE FROM log.events")
            insert = f"INSERT INTO log.events ({names}) VALUES (%s, %s, %s, %s, %s)"
            cursor.executemany(insert, rows)  # type: ignore[arg-type]

    return on_sqlite if isinstance(place, Path) else on_postgres


AT = 30
"""Where the rows are changed: position 31."""


def _put(rows: Rows, index: int, **new: Any) -> Rows:
    names = ("position", "stream", "version", "topic", "state")
    row = dict(zip(names, rows[index], strict=True)) | new
    return [*rows[:index], tuple(row.values()), *rows[index + 1 :]]  # type: ignore[list-item]


def _numbered(rows: Rows) -> Rows:
    return [(n, *row[1:]) for n, row in enumerate(rows, start=1)]


def _state(rows: Rows) -> Rows:
    edited = bytes(rows[AT][4]).replace(b'"role":"dispatcher"', b'"role":"administrator"')
    assert edited != bytes(rows[AT][4])
    return _put(rows, AT, state=edited)


def _time(rows: Rows) -> Rows:
    body = json.loads(bytes(rows[AT][4]))
    body["meta"]["recorded_at"] = "2016-01-01T00:00:00Z"
    return _put(rows, AT, state=json.dumps(body, ensure_ascii=False).encode())


def _swapped(rows: Rows) -> Rows:
    first, second = rows[AT], rows[AT + 1]
    return [*rows[:AT], (first[0], *second[1:]), (second[0], *first[1:]), *rows[AT + 2 :]]


def _states_swapped(rows: Rows) -> Rows:
    first, second = rows[AT], rows[AT + 2]
    return _put(_put(rows, AT, state=second[4]), AT + 2, state=first[4])


def _inserted(rows: Rows) -> Rows:
    fact = _forged(rows)
    return _numbered([*rows[:AT], fact, *rows[AT:]])


def _forged(rows: Rows) -> Row:
    """A fact like another, of a stream and a command of its own."""
    position, stream, version, topic, state = next(
        row for row in rows if row[2] == 1 and row[0] > AT
    )
    body = json.loads(bytes(state))
    body["originator_id"] = str(uuid4())
    body["meta"]["command"] = str(uuid4())
    del position, stream
    forged = json.dumps(body, ensure_ascii=False).encode()
    return 0, UUID(body["originator_id"]).bytes, version, topic, forged


def _appended(rows: Rows) -> Rows:
    fact = _forged(rows)
    last = json.loads(bytes(rows[-1][4]))["meta"]["recorded_at"]
    body = json.loads(fact[4])
    body["meta"]["recorded_at"] = last
    return [*rows, (len(rows) + 1, *fact[1:4], json.dumps(body, ensure_ascii=False).encode())]


def _of_a_real_command(rows: Rows) -> Rows:
    """As `_appended`, but it says that a command made it which was really run."""
    *before, last = _appended(rows)
    body = json.loads(last[4])
    body["meta"]["command"] = json.loads(bytes(rows[AT][4]))["meta"]["command"]
    return [*before, (*last[:4], json.dumps(body, ensure_ascii=False).encode())]


TAMPERINGS: dict[str, tuple[Callable[[Rows], Rows], int, bool | None]] = {
    "state edited": (_state, AT + 1, True),
    "topic edited": (lambda rows: _put(rows, AT, topic="Unit.WentOnDuty"), AT + 1, True),
    "time edited": (_time, AT + 1, True),
    "version edited": (lambda rows: _put(rows, AT, version=7), AT + 1, True),
    "two exchanged": (_swapped, AT + 1, None),
    "states of two streams exchanged": (_states_swapped, AT + 1, True),
    "all turned round": (
        lambda rows: _numbered([rows[-1], *rows[:-1]]),
        1,
        True,
    ),
    "one put in the middle": (_inserted, AT + 1, True),
    "the first deleted": (lambda rows: rows[1:], 1, True),
    "one in the middle deleted": (lambda rows: [*rows[:AT], *rows[AT + 1 :]], AT + 1, True),
    "one deleted and the gap closed": (
        lambda rows: _numbered([*rows[:AT], *rows[AT + 1 :]]),
        AT + 1,
        True,
    ),
    "the last deleted": (lambda rows: rows[:-1], 0, True),
    "put back to an old state": (lambda rows: rows[:AT], AT + 1, True),
    "one written to the end": (_appended, 0, True),
    "one written to the end in a real command's name": (_of_a_real_command, 0, True),
    "one put before the first": (lambda rows: [(-1, *_forged(rows)[1:]), *rows], -1, True),
}
"""What is done, at which position it is first to be seen (0: at the end), and whether it is seen
without a checkpoint that was kept elsewhere (None: by its time, if that is another)."""


@pytest.mark.parametrize("name", TAMPERINGS)
def test_every_tampering_is_found(town: Store, tamper: Callable[[Any], None], name: str) -> None:
    change, first, without = TAMPERINGS[name]
    head = town.head()
    kept = [signed(town, size) for size in (head, AT, 0)]
    assert examine(town, head, kept).examined.bad is None
    tamper(change)
    now = town.head()
    bad = examine(town, now, kept).examined.bad
    assert bad is not None and bad.what in WHAT
    begin, end = bad.between or (bad.position or 0, bad.position or 0)
    late = without is None  # it is the second of the two that is too early
    assert begin - late <= (first or max(head, now)) <= end, bad
    alone = examine(town, now, ()).examined.bad
    assert without is None or (alone is not None) is without, alone


def test_checkpoints_narrow_down_what_seals_do_not_tell(town: Store) -> None:
    """As when whoever rewrote it has the vault too, and has sealed it again."""
    kept = [signed(town, size) for size in (AT - 3, AT + 4, town.head())]
    examined = Examination(kept)
    for row in _state(town.log.rows(0, 10_000)):
        examined.take(*row)
    examined.end()
    assert examined.bad is not None and examined.bad.between == (AT - 2, AT + 4)


# -- the commands ------------------------------------------------------------------------------


@pytest.fixture
def data(tmp_path: Path) -> Path:
    store = found_town(open_store(tmp_path / "var"))
    for n in range(3):
        send(store, new_unit(f"{n}队"), "dispatcher", named(f"command/{n}"))
    send(store, off_duty("1队"), "dispatcher")
    store.close()
    return tmp_path / "var"


def relief(data: Path, *args: str) -> Result:
    return CliRunner().invoke(program(), ["audit", *args], env={"RELIEF_DATA": str(data)})


def test_a_stranger_checks_what_was_proven(data: Path, tmp_path: Path) -> None:
    key = relief(data, "key").stdout
    kept, file = tmp_path / "kept", tmp_path / "proof.json"
    assert relief(data, "checkpoint", "--to", str(kept)).exit_code == 0
    with closing(open_store(data)) as store:
        send(store, off_duty("2队"), "dispatcher")
    for what, facts in (
        (str(named("command/1")), 1),
        (str(named("unit/1队")), 2),
        (DOCUMENT, len(AREAS)),
        ("3", 1),
    ):
        file.unlink(missing_ok=True)
        done = relief(data, "prove", what, "--to", str(file), "--from-checkpoint", str(kept))
        assert done.exit_code == 0, done.output
        proof = json.loads(file.read_text(encoding="utf-8"))
        assert len(proof["entries"]) == facts, what
        words = [str(file), "--key", key.strip(), "--seen", str(kept)]
        said: list[str] = []
        assert relief_verify.main(words, say=said.append) == relief_verify.UNWITNESSED, said


def test_what_is_not_there_is_not_proven(data: Path) -> None:
    for what in (str(uuid4()), "民〔1999〕9号", "0", "²", "999999", "9" * 19):
        done = relief(data, "prove", what)
        assert done.exit_code == 1 and f"账本中没有“{what}”" in done.stderr, done.output


def test_a_receipt_that_is_younger_than_the_checkpoint_is_not_proven_under_it(
    data: Path, tmp_path: Path
) -> None:
    """It ended with a traceback."""
    kept = tmp_path / "kept"
    assert relief(data, "checkpoint", "--to", str(kept)).exit_code == 0
    with closing(open_store(data)) as store:
        send(store, off_duty("2队"), "dispatcher", named("command/later"))
    later = str(named("command/later"))
    done = relief(data, "prove", later, "--under", str(kept))
    assert done.exit_code == 1 and f"账本中没有“{later}”" in done.stderr, done.output
    assert relief(data, "prove", later).exit_code == 0


def test_a_checkpoint_of_another_epoch_is_joined_to_nothing(data: Path, tmp_path: Path) -> None:
    """After a restore the proof was written, and whoever checked it was told that it is broken."""
    kept = tmp_path / "kept"
    with closing(open_store(data)) as store:
        before = SigningKey(store.vault, f"{origin_of(store)}-before")
        root = tree_of(store.log, 3).root()
        kept.write_text(before.signed(3, root, store.clock.now()), encoding="utf-8")
    for words in (("prove", "2"), ("request",)):
        done = relief(data, *words, "--from-checkpoint", str(kept))
        assert done.exit_code == 1 and "接不上" in done.stderr and not done.stdout, done.output
    assert relief(data, "verify", "--from-checkpoint", str(kept)).exit_code == 0, "the same facts"


def test_as_many_facts_as_allowed_are_proven_and_one_more_is_not(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unit = str(named("unit/1队"))
    monkeypatch.setattr(audit_command, "MOST_FACTS", 2)
    assert relief(data, "prove", unit).exit_code == 0
    monkeypatch.setattr(audit_command, "MOST_FACTS", 1)
    done = relief(data, "prove", unit)
    assert done.exit_code == 1 and "一份证明最多 1 条" in done.stderr


def test_readings_are_verified_too_and_against_the_checkpoints_kept(
    data: Path, tmp_path: Path
) -> None:
    kept = tmp_path / "kept"
    at = datetime(2018, 1, 5, tzinfo=UTC)
    with closing(open_store(data)) as store, closing(AccessLog(store.vault)) as log:
        for found in range(3):
            log.note("export", "ledger", officer=named("officer"), at=at, found=found)
    assert relief(data, "checkpoint", "--to", str(kept)).exit_code == 0
    told = json.loads(relief(data, "verify", "--from-checkpoint", str(kept), "--json").stdout)
    assert told["ok"] and told["readings"] == {"noted": 3, "first_bad": None}
    with closing(sqlite3.connect(data / "vault.sqlite")) as db, db:
        db.execute("DROP TRIGGER access_log_stays")
        db.execute("DELETE FROM access_log WHERE n = 3")
    assert relief(data, "verify").exit_code == 0, "the newest are missed by who kept a checkpoint"
    done = relief(data, "verify", "--from-checkpoint", str(kept), "--json")
    told = json.loads(done.stdout)
    assert done.exit_code == 1 and not told["ok"] and told["first_bad"] is None
    assert told["readings"] == {"noted": 2, "first_bad": 3}
    done = relief(data, "verify", "--from-checkpoint", str(kept))
    assert done.exit_code == 1 and "第 3 次查阅：查阅记录被改" in done.stderr
    with closing(open_store(data)) as store:
        bad = look(store, tmp_path / "watch")
        assert bad is None
        (tmp_path / "watch" / "9.checkpoint").write_text(kept.read_text("utf-8"), "utf-8")
        bad = look(store, tmp_path / "watch")
    assert bad is not None and (bad.position, bad.what) == (3, "readings")


BEFORE_ALL = "INSERT INTO events SELECT 0, stream, version + 9, topic, state FROM events"


def test_a_row_before_the_first_position_is_told_and_not_proven(data: Path) -> None:
    """It ended with a traceback, of its position and of the thing that it was put to."""
    unit = str(named("unit/1队"))
    with closing(sqlite3.connect(data / "log.sqlite")) as db, db:
        db.execute(f"{BEFORE_ALL} WHERE stream = ? LIMIT 1", (named("unit/1队").bytes,))
    done = relief(data, "prove", unit)
    assert done.exit_code == 0, done.output
    assert all(entry["index"] >= 0 for entry in json.loads(done.stdout)["entries"])
    done = relief(data, "prove", "0")
    assert done.exit_code == 1 and "第 0 条不是账本该有的记录" in done.stderr, done.output
    assert relief(data, "prove", str(named("command/0"))).exit_code == 0


@pytest.mark.parametrize(
    ("column", "value"), [("stream", b"short"), ("version", -1), ("topic", "x" * 70_000)]
)
def test_a_row_that_the_program_never_writes_ends_no_command_with_a_traceback(
    data: Path, column: str, value: object
) -> None:
    with closing(sqlite3.connect(data / "log.sqlite")) as db, db:
        db.execute(f"UPDATE events SET {column} = ? WHERE position = 4", (value,))
    for words in (("prove", "3"), ("prove", "4"), ("checkpoint",), ("request",)):
        done = relief(data, *words)
        assert done.exit_code == 1 and "第 4 条不是账本该有的记录" in done.stderr, done.output


def test_an_outcome_that_cannot_be_read_is_told(data: Path) -> None:
    with closing(sqlite3.connect(data / "log.sqlite")) as db, db:
        db.execute("UPDATE outcomes SET outcome = ?", (b"nothing",))
    done = relief(data, "prove", str(named("command/1")))
    assert done.exit_code == 1 and "办理结果读不出来" in done.stderr, done.output


def test_verify_tells_figures_and_fails_when_something_is_wrong(data: Path, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    relief(data, "checkpoint", "--to", str(kept))
    whole = json.loads(relief(data, "verify", "--from-checkpoint", str(kept), "--json").stdout)
    head = whole["head"]
    assert whole["ok"] and whole["facts"] == head and whole["first_bad"] is None
    assert whole["checkpoints"] == {"checked": 1, "oldest": head, "newest": head}
    assert bytes.fromhex(whole["root"]) == checkpoint_of(kept.read_text("utf-8")).root
    with closing(sqlite3.connect(data / "log.sqlite")) as db, db:
        db.execute("DELETE FROM events WHERE position = 5")
    done = relief(data, "verify", "--json")
    told = json.loads(done.stdout)
    assert done.exit_code == 1 and not told["ok"] and told["root"] is None
    assert told["first_bad"] == {"position": 5, "between": None, "what": "gap"}
    assert "第 5 条：缺少记录" in relief(data, "verify").stderr
    for other in (("checkpoint",), ("prove", "3")):
        refused = relief(data, *other)
        assert refused.exit_code == 1 and "第 5 条记录不在账本里" in refused.stderr


def test_nothing_is_written_over(data: Path, tmp_path: Path) -> None:
    there = tmp_path / "there"
    there.write_text("old")
    done = relief(data, "checkpoint", "--to", str(there))
    assert done.exit_code == 1 and "已经存在" in done.stderr and there.read_text() == "old"


@pytest.mark.parametrize("text", ["", "x", "a\n1\nAAAA\n\n— a AAAA\n"])
def test_a_checkpoint_of_somebody_else_is_refused(data: Path, tmp_path: Path, text: str) -> None:
    kept = tmp_path / "kept"
    kept.write_text(text, encoding="utf-8")
    done = relief(data, "verify", "--from-checkpoint", str(kept))
    assert done.exit_code == 1 and str(kept) in done.stderr
