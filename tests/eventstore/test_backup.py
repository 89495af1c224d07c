"""`relief backup`, `restore` and `doctor`, as an operator runs them."""

import json
import os
import shutil
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest
import typer
from typer.testing import CliRunner

from cli import doctor, store_commands, vault_command
from domain.world import Command
from eventstore.accounts import Accounts
from eventstore.backup import Manifest
from eventstore.errors import StoreDamaged, StoreNotBegun
from eventstore.sql import begun
from eventstore.store import Store
from projections.catalog import VIEWS
from projections.folding.engine import ViewsDatabase
from projections.folding.errors import STOPPED
from projections.folding.parking import park
from streams.embedded import Follower
from tests.eventstore.erasing import GONE, HEAD, erase_person, town_with_a_leaver
from tests.eventstore.support import (
    elsewhere,
    found_town,
    loaded,
    named,
    new_household,
    new_unit,
    off_duty,
    officer,
    open_store,
    people,
    send,
)
from tests.id_numbers import id_number
from tests.projections.folding import unread

Run = Callable[..., Any]


NEW_EPOCH = 2
"""Facts that a restore adds: the store's first about itself, and the epoch that begins."""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RELIEF_DATA", str(tmp_path / "store"))
    return tmp_path / "store"


@pytest.fixture
def town(folder: Path) -> Iterator[Store]:
    store = found_town(open_store(folder))
    send(store, new_household("吴保存", id_number(1), key="h"), by="reporter")
    Accounts(store.vault).set_password("county", officer("dispatcher"), "correct horse")
    yield store
    store.close()


@pytest.fixture
def run() -> Run:
    app = typer.Typer()
    store_commands.register(app)
    app.add_typer(vault_command.app, name="vault")

    def run(*args: object, ok: bool = True) -> Any:
        done = CliRunner().invoke(app, [str(arg) for arg in args])
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        assert (done.exit_code == 0) is ok, done.output
        return json.loads(done.stdout) if "--json" in args else done.output

    return run


def move_to(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """RELIEF_DATA is another folder from now on: another machine."""
    monkeypatch.setenv("RELIEF_DATA", str(folder))
    return folder


def test_a_backup_taken_while_the_server_writes_is_whole(
    town: Store, tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every key that the copied log needs is in the copied vault."""
    stop, written = threading.Event(), [0]

    def write() -> None:
        while not stop.is_set():
            n = written[0]
            wish: Command = new_household(f"郑{n}", id_number(100 + n), key=f"w{n}")
            send(town, wish, by="reporter")
            written[0] += 1

    thread = threading.Thread(target=write)
    thread.start()
    try:
        while written[0] < 20:
            pass
        said = run("backup", tmp_path / "saved", "--json")
        after = written[0]
        while written[0] < after + 5:
            pass
    finally:
        stop.set()
        thread.join()
    assert 20 <= said["events"] <= town.head() and said["events"] == said["head"]
    data = move_to(tmp_path / "elsewhere", monkeypatch)
    assert run("restore", tmp_path / "saved", "--json") == said
    store = open_store(data)
    assert store.head() == said["head"] + NEW_EPOCH
    assert store.log.rows(0, 10_000, said["head"]) == town.log.rows(0, 10_000, said["head"])
    for n in range(20):
        household = loaded(store, named(f"household/w{n}"))
        (member,) = household.members.values()
        assert store.vault.unseal(member.name, household.id, "name") == f"郑{n}"
    store.close()


def test_a_backup_while_another_process_writes_in_bulk_ends(
    town: Store, folder: Path, tmp_path: Path, run: Run
) -> None:
    with elsewhere("bulk", folder, 64):
        said = run("backup", tmp_path / "saved", "--json")
    assert said["head"] <= town.head()


def test_what_was_restored_goes_on_as_before(
    town: Store, tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(town, new_unit("u"), by="dispatcher")
    token, _ = Accounts(town.vault).log_in("county", "correct horse")
    assert "备份" in run("backup", tmp_path / "saved")
    data = move_to(tmp_path / "elsewhere", monkeypatch)
    assert "恢复" in run("restore", tmp_path / "saved")
    store = open_store(data)
    assert people(store, "baocun") == [] and people(store, "wubaocun")
    assert send(store, off_duty("u"), by="dispatcher").position == town.head() + NEW_EPOCH + 1
    accounts = Accounts(store.vault)
    assert accounts.log_in("county", "correct horse")[1].officer == officer("dispatcher")
    assert accounts.session(token, "session") is None, "a backup logs nobody in"
    store.close()
    assert (data / "vault.key").stat().st_mode & 0o777 == 0o600


def test_a_backup_on_a_medium_that_cannot_be_written_to_is_restored(
    town: Store, tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("backup", tmp_path / "saved")
    before = {path.name: path.read_bytes() for path in (tmp_path / "saved").iterdir()}
    for path in (tmp_path / "saved").iterdir():
        path.chmod(0o400)
    (tmp_path / "saved").chmod(0o500)
    move_to(tmp_path / "elsewhere", monkeypatch)
    run("restore", tmp_path / "saved")
    (tmp_path / "saved").chmod(0o700)
    assert {path.name: path.read_bytes() for path in (tmp_path / "saved").iterdir()} == before


def test_a_backup_holds_nobodys_name_in_plain_text(
    town: Store, tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The index stays behind, and is built again where the backup is restored."""
    send(town, new_household("欧阳翠花", id_number(77)), by="reporter")
    assert people(town, "翠花")
    run("backup", tmp_path / "saved")
    for path in (tmp_path / "saved").iterdir():
        content = path.read_bytes()
        assert "欧阳翠花".encode() not in content and b"ouyangcuihua" not in content, path
    data = move_to(tmp_path / "elsewhere", monkeypatch)
    run("restore", tmp_path / "saved")
    store = open_store(data)
    assert len(people(store, "翠花")) == 1
    store.close()


def _sql(name: str, statement: str) -> Callable[[Path], None]:
    def tamper(saved: Path) -> None:
        with closing(sqlite3.connect(saved / name)) as db:
            db.execute(statement)
            db.commit()

    return tamper


def _cut(saved: Path) -> None:
    os.truncate(saved / "log.sqlite", (saved / "log.sqlite").stat().st_size // 2)


def _no_database(data: Path) -> None:
    (data / "vault.sqlite").write_bytes(b"x" * 8192)


def _foreign_key(saved: Path) -> None:
    (saved / "vault.key").write_bytes(os.urandom(32))


def _manifest(saved: Path) -> None:
    path = saved / "backup.json"
    said = msgspec.json.decode(path.read_bytes())
    path.write_bytes(msgspec.json.encode(said | {"events": said["events"] + 1}))


TAMPERED: dict[str, Callable[[Path], None]] = {
    "a fact changed": _sql("log.sqlite", "UPDATE events SET state=state||' ' WHERE position=3"),
    "a topic changed": _sql(
        "log.sqlite", "UPDATE events SET topic='Unit.Registered' WHERE position=3"
    ),
    "the last fact missing": _sql(
        "log.sqlite", "DELETE FROM events WHERE position=(SELECT max(position) FROM events)"
    ),
    "an outcome missing": _sql(
        "log.sqlite", "DELETE FROM outcomes WHERE command=(SELECT min(command) FROM outcomes)"
    ),
    "a mark changed": _sql("log.sqlite", "INSERT INTO marks VALUES ('simulated', '2018')"),
    "a key missing": _sql("vault.sqlite", "DELETE FROM keys"),
    "a number given away": _sql("vault.sqlite", "UPDATE tokens SET person=zeroblob(16)"),
    "a password changed": _sql("vault.sqlite", "UPDATE accounts SET password='x'"),
    "the log cut short": _cut,
    "another key file": _foreign_key,
    "no key file": lambda saved: (saved / "vault.key").unlink(),
    "no vault": lambda saved: (saved / "vault.sqlite").unlink(),
    "no manifest": lambda saved: (saved / "backup.json").unlink(),
    "a false manifest": _manifest,
}


@pytest.mark.parametrize("what", TAMPERED)
def test_a_backup_that_is_not_as_it_was_made_is_refused(
    town: Store, tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    run("backup", tmp_path / "saved")
    TAMPERED[what](tmp_path / "saved")
    data = move_to(tmp_path / "elsewhere", monkeypatch)
    with pytest.raises(StoreDamaged):
        run("restore", tmp_path / "saved")
    assert not (data / "log.sqlite").exists(), "nothing is put in place"


def test_nothing_is_ever_written_over(town: Store, folder: Path, tmp_path: Path, run: Run) -> None:
    run("backup", tmp_path / "saved")
    head = town.head()
    send(town, new_unit("later"), by="dispatcher")
    run("backup", tmp_path / "saved", ok=False)
    run("restore", tmp_path / "saved", ok=False)
    assert town.head() == head + 1
    manifest = msgspec.json.decode((tmp_path / "saved" / "backup.json").read_bytes(), type=Manifest)
    assert manifest.head == head


def test_there_is_nothing_to_back_up_without_a_ledger(
    folder: Path, tmp_path: Path, run: Run
) -> None:
    with pytest.raises(StoreNotBegun):
        run("backup", tmp_path / "saved")
    assert not (folder / "log.sqlite").exists()


# -- doctor ---------------------------------------------------------------------------------------


NAMES = {"versions", "disk", "files", "log", "vault", "key", "counts", "views"}
NAMES |= {
    "erasures",
    "free-texts",
    "modes",
    "fingerprints",
    "parked",
    "stopped",
    "lineage",
    "clock",
    "backup",
    "limits",
    "set-up",
    "watch",
}


def failed(report: dict[str, Any]) -> set[str]:
    assert report["ok"] is not any(not f["ok"] for f in report["checks"])
    assert all(f["zh"] and f["en"] for f in report["checks"])
    return {f["name"] for f in report["checks"] if not f["ok"]}


def test_a_sound_ledger_is_well_also_while_it_is_served(
    town: Store, folder: Path, tmp_path: Path, run: Run
) -> None:
    views = ViewsDatabase(folder / "views.sqlite", VIEWS)
    follower = Follower(town, views)
    while follower.step():
        pass
    report = run("doctor", "--json")
    assert failed(report) == set()
    checks = {f["name"] for f in report["checks"]}
    assert checks == NAMES
    views.close()
    assert warned(report) == {"backup"}
    run("backup", tmp_path / "saved")
    assert warned(run("doctor", "--json")) == set()
    said = run("doctor")
    assert "一切正常" in said and "all is well" in said and "SQLite" in said


def warned(report: dict[str, Any]) -> set[str]:
    assert all((f["level"] == "fail") is not f["ok"] for f in report["checks"])
    return {f["name"] for f in report["checks"] if f["level"] == "warn"}


def test_without_a_ledger_the_doctor_says_so(folder: Path, run: Run) -> None:
    assert failed(run("doctor", "--json", ok=False)) == {"files"}
    assert not folder.exists(), "it makes nothing"


def test_a_view_of_another_ledger_is_noticed(town: Store, folder: Path, run: Run) -> None:
    ViewsDatabase(folder / "views.sqlite", VIEWS).close()
    _sql("views.sqlite", "UPDATE positions SET position = 99999")(folder)
    assert failed(run("doctor", "--json", ok=False)) == {"views", "lineage"}


def test_views_that_lag_far_behind_are_noticed(
    town: Store, folder: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    ViewsDatabase(folder / "views.sqlite", VIEWS).close()
    assert failed(run("doctor", "--json")) == set()
    monkeypatch.setattr(doctor, "LAGGING", 3)
    assert failed(run("doctor", "--json", ok=False)) == {"views"}


def test_views_whose_code_is_not_that_of_their_versions_are_noticed(
    town: Store, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed = {**doctor.kept(), "stock": doctor.kept()["stock"]._replace(sha256="0")}
    monkeypatch.setattr(doctor, "kept", lambda: changed)
    report = run("doctor", "--json", ok=False)
    assert failed(report) == {"fingerprints"}
    assert any("stock" in one["zh"] for one in report["checks"])


def test_what_is_parked_and_which_views_stand_still_is_told(
    town: Store, folder: Path, run: Run
) -> None:
    with closing(ViewsDatabase(folder / "views.sqlite", VIEWS)) as views:
        row = town.log.rows(0, 1)[0]
        with begun(views.db):
            park(views.db, [("stock", unread(row), "KeyError: 'x'")])
            views.db.execute("UPDATE positions SET failing = ? WHERE view = 'stock'", (STOPPED,))
    assert failed(run("doctor", "--json", ok=False)) == {"parked", "stopped"}


def test_a_disk_with_little_space_is_noticed(
    town: Store, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RELIEF_DISK_LEFT_BYTES", str(10**18))
    assert failed(run("doctor", "--json", ok=False)) == {"disk"}


AILMENTS: dict[str, tuple[str, Callable[[Path], None]]] = {
    "a gap in the log": ("counts", _sql("log.sqlite", "DELETE FROM events WHERE position=4")),
    "a newer log": ("log", _sql("log.sqlite", "PRAGMA user_version=9")),
    "a newer vault": ("vault", _sql("vault.sqlite", "PRAGMA user_version=9")),
    "a log cut short": ("log", _cut),
    "no key": ("files", lambda data: (data / "vault.key").unlink()),
    "another key": ("key", _foreign_key),
    "a key for all to read": ("key", lambda data: (data / "vault.key").chmod(0o644)),
    "no vault": ("files", lambda data: (data / "vault.sqlite").unlink()),
    "no vault database": (
        "vault",
        _no_database,
    ),
}


@pytest.mark.parametrize("what", AILMENTS)
def test_what_ails_a_ledger_is_named_in_both_languages(
    town: Store, folder: Path, run: Run, what: str
) -> None:
    check, spoil = AILMENTS[what]
    town.close()
    spoil(folder)
    assert check in failed(run("doctor", "--json", ok=False))
    assert "发现问题" in run("doctor", ok=False)


def test_a_restored_folder_is_well(
    town: Store, tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("backup", tmp_path / "saved")
    move_to(tmp_path / "elsewhere", monkeypatch)
    run("restore", tmp_path / "saved")
    assert failed(run("doctor", "--json")) == set()
    shutil.rmtree(tmp_path / "elsewhere")


def test_after_an_older_vault_was_restored_the_doctor_destroys_again(
    tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says whose keys should be gone, lists them, and destroys what came back."""
    data = move_to(tmp_path / "again", monkeypatch)
    store = open_store(data)
    person = town_with_a_leaver(store)
    while store.effects.step():
        pass
    keys = store.vault.fetch("SELECT person, wrapped FROM keys")
    erase_person(store, person)
    store.effects.erase()
    with store.vault.aside() as db:  # an older vault's key, under the mark of today
        db.executemany("INSERT INTO keys VALUES (?,?) ON CONFLICT DO NOTHING", keys)
    store.close()
    assert failed(run("doctor", "--json", ok=False)) == {"erasures"}
    (told,) = run("vault", "erased", "--json")
    assert (told["person"], told["key_left"]) == (str(person), True)
    assert failed(run("doctor", "--json", "--repair", "erasures")) == set()
    assert not run("vault", "erased", "--json")[0]["key_left"]
    assert failed(run("doctor", "--json", "--repair", "search")) == set()
    store = open_store(data)
    assert people(store, HEAD) and not people(store, GONE)
    store.close()
