"""The ways of `docs/operations.md` to keep a cluster's log and vault, tried on PostgreSQL 18."""

import shutil
import threading
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from cli.trial.postgres import PostgresServer
from domain.commands.households import RegisterHousehold
from domain.commands.sealing import MemberInput
from domain.household import Household
from domain.household_members import Relation
from domain.world import Role
from eventstore.founding import LOGINS, Urls, found
from eventstore.log import Row
from eventstore.outcomes import Envelope
from eventstore.store import Store
from tests.api import seed as places
from tests.cluster.standby import PRIMARY, base_backup, run
from tests.clusters import PASSWORDS
from tests.eventstore.support import Cluster
from tests.id_numbers import id_number

DATABASE = "relief"
serial = count(1)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[PostgresServer]:
    with PostgresServer(tmp_path / "first", fsync=False, settings=PRIMARY) as one:
        yield one


@pytest.fixture
def store(server: PostgresServer, tmp_path: Path) -> Iterator[Store]:
    made = seeded(place_of(found(server.url(), DATABASE, PASSWORDS), tmp_path))
    yield made
    made.close()


def seeded(place: Cluster) -> Store:
    """A county with its officers and five households."""
    made = place.open()
    made.begin_simulated(places.NOW)
    seeder = places.Seeder(made)
    places._areas(seeder)
    places._rulebooks(seeder)
    places._officers(seeder)
    seeder.flush()
    register(made, 5)
    return made


def place_of(urls: Urls, folder: Path) -> Cluster:
    return Cluster(urls.database, urls.vault, folder)


def register(store: Store, households: int) -> None:
    """Facts with personal data, whose keys are made with them."""
    for _ in range(households):
        n = next(serial)
        number = id_number(n % 900 + 100, f"{1950 + n // 900}0101")
        member = MemberInput(name="张小三", relation=Relation.HEAD, id_number=number)
        village = places.id_of("yuantan_1")
        command = RegisterHousehold(
            id=uuid4(), village=village, members=(member,), category="hardship"
        )
        officer = places.officer_of(Role.VILLAGE_REPORTER, "yuantan_1")
        store.run(Envelope(id=uuid4(), officer=officer, command=command))


def address(server: PostgresServer, database: str = DATABASE) -> tuple[str, ...]:
    return "--host=127.0.0.1", f"--port={server.port}", "--username=postgres", database


def dump(server: PostgresServer, schema: str, target: Path) -> None:
    out = f"--file={target / schema}.dump"
    run(server, "pg_dump", "--format=custom", f"--schema={schema}", out, *address(server))


def unreadable(store: Store) -> list[str]:
    """Names in the log that no key opens any more."""
    lost = []
    for recorded in store.read(0, 100_000):
        event = recorded.event
        if isinstance(event, Household.Registered):
            for member in event.members:
                name = store.vault.unseal(member.name, event.originator_id, "name")
                if name != "张小三":
                    lost.append(f"{recorded.position}: {name}")
    return lost


def same_beginning(kept: Store, rows: list[Row]) -> int:
    """The restored log is the first part of the other's; its length."""
    found_rows = kept.log.rows(0, 100_000)
    assert len(found_rows) > 10 and found_rows == rows[: len(found_rows)]
    return len(found_rows)


def dumped(server: PostgresServer, folder: Path, order: tuple[str, ...], store: Store) -> None:
    """Dump schema after schema while officers go on working."""
    for schema in order:
        dump(server, schema, folder)
        register(store, 3)
    # log in and rights of the roles, with their passwords
    roles = f"--file={folder / 'roles.sql'}"
    run(server, "pg_dumpall", "--roles-only", roles, *address(server, "")[:-1])
    lines = (folder / "roles.sql").read_text().splitlines()  # not the administrator's password
    (folder / "roles.sql").write_text("\n".join(line for line in lines if "relief_" in line))


def restored(folder: Path, other: PostgresServer, key: Path) -> Cluster:
    run(other, "psql", "--quiet", f"--file={folder / 'roles.sql'}", *address(other, "postgres"))
    other.execute(f"CREATE DATABASE {DATABASE} TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'")
    for schema in ("log", "vault"):
        into = [f"--dbname={other.url(DATABASE)}", "--exit-on-error"]
        run(other, "pg_restore", *into, str(folder / f"{schema}.dump"))
    urls = found(other.url(), DATABASE, PASSWORDS)  # relief db init
    shutil.copy(key, folder / "vault.key")
    return place_of(urls, folder)


@pytest.mark.parametrize("order", [("log", "vault"), ("vault", "log")], ids=" then ".join)
def test_dumps_under_load_are_whole_if_the_log_comes_first(
    server: PostgresServer, store: Store, tmp_path: Path, order: tuple[str, ...]
) -> None:
    folder = tmp_path / "dump"
    folder.mkdir()
    dumped(server, folder, order, store)
    rows = list(store.log.rows(0, 100_000))
    with PostgresServer(tmp_path / "second", fsync=False) as other:
        kept = restored(folder, other, tmp_path / "vault.key").open()
        try:
            assert same_beginning(kept, rows) < len(rows)
            lost = unreadable(kept)
            if order == ("vault", "log"):
                assert len(lost) == 3, "the wrong order should have cost what came between"
                return
            assert lost == []
            register(kept, 2)
            assert unreadable(kept) == []
        finally:
            kept.close()
        for role in LOGINS:
            with psycopg.connect(other.url(DATABASE, role, PASSWORDS[role])) as session:
                assert session.execute("SELECT current_user").fetchone() == (role,)


def test_a_base_backup_under_load_is_a_server_with_everything(
    server: PostgresServer, store: Store, tmp_path: Path
) -> None:
    copy = tmp_path / "second"
    working(lambda: base_backup(server, copy), store)
    rows = list(store.log.rows(0, 100_000))
    with PostgresServer(copy, fsync=False) as other:
        urls = Urls(*(other.url(DATABASE, role, PASSWORDS[role]) for role in LOGINS))
        kept = place_of(urls, tmp_path).open()
        try:
            same_beginning(kept, rows)
            assert unreadable(kept) == []
            register(kept, 2)
        finally:
            kept.close()


def working(backup: Callable[[], None], store: Store) -> None:
    """Run a backup while officers go on working."""
    thread = threading.Thread(target=backup)
    thread.start()
    while thread.is_alive():
        register(store, 1)
    thread.join()
