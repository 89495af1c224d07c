"""`relief db init`: what each role may do, and that doing it again does no harm."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from psycopg import errors as pg
from psycopg import sql
from sqlalchemy.engine import make_url

from cli.trial.postgres import PostgresServer
from eventstore.errors import (
    PasswordKept,
    StoreForbidden,
    StoreNotMade,
    StoreTooNew,
    StoreTooOld,
    StoreUnsafe,
)
from eventstore.founding import APP, LOGINS, OWNER, found
from eventstore.postgres import REVISION, PostgresConnection, PostgresLog
from projections.catalog import VIEWS
from projections.folding.engine import ViewsDatabase
from projections.folding.lineage import belong
from projections.folding.parking import dropped_in
from scripts.need_postgres import postgres_bin
from streams.applying import Applying
from streams.frames import PARTITIONS, Router, partitions_of
from streams.leader import Leader
from streams.relayed import RelayedRow
from tests.clusters import PASSWORDS, Founded, founded
from tests.eventstore.support import Cluster, found_town, new_unit, open_store, send
from tests.servers import Database, skipped_if_unavailable

SNAPSHOT = """
SELECT 'class', n.nspname, c.relname, c.relkind::text, o.rolname, c.relacl::text
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_roles o ON o.oid = relowner
 WHERE n.nspname IN ('log', 'vault', 'views')
UNION ALL
SELECT 'schema', nspname, '', '', o.rolname, nspacl::text
  FROM pg_namespace n JOIN pg_roles o ON o.oid = nspowner WHERE nspname IN ('log', 'vault', 'views')
UNION ALL
SELECT 'role', rolname, rolcanlogin::text, rolsuper::text, rolcreaterole::text, rolpassword
  FROM pg_authid WHERE rolname LIKE 'relief%'
UNION ALL
SELECT 'revision', version_num, '', '', '', '' FROM log.alembic_version
UNION ALL
SELECT 'database', datname, '', '', '', datacl::text FROM pg_database
 WHERE datname = current_database()
ORDER BY 1, 2, 3
"""
MODES = ("ACCESS SHARE", "ROW SHARE", "SHARE UPDATE EXCLUSIVE", "EXCLUSIVE", "ACCESS EXCLUSIVE")
FORBIDDEN = [
    "UPDATE events SET state = '' WHERE position = 1",
    "DELETE FROM events",
    "TRUNCATE events",
    "UPDATE outcomes SET actor = ''",
    "DELETE FROM outcomes",
    "TRUNCATE outcomes",
    "DELETE FROM marks",
    "INSERT INTO events SELECT * FROM events WHERE position = 1"
    " ON CONFLICT (position) DO UPDATE SET state = ''",
    "BEGIN; LOCK TABLE events IN EXCLUSIVE MODE",
    "SELECT * FROM turn",
    "INSERT INTO turn DEFAULT VALUES",
    "TRUNCATE turn",
    "DROP TABLE turn",
    "DROP TABLE events",
    "ALTER TABLE events ADD COLUMN more text",
    "ALTER TABLE events DISABLE TRIGGER ALL",
    "CREATE RULE quietly AS ON INSERT TO events DO INSTEAD NOTHING",
    "CREATE TABLE log.other (n int)",
    "CREATE TABLE public.other (n int)",
    "DROP SCHEMA log CASCADE",
    "SET session_replication_role = 'replica'",
    "UPDATE alembic_version SET version_num = '9'",
    f"SET ROLE {OWNER}",
    f"GRANT {OWNER} TO {APP}",
    f"GRANT UPDATE ON events TO {APP}",
    "SELECT * FROM vault.keys",
    "SELECT * FROM vault.accounts",
    "CREATE TABLE views.other (n int)",
]


def session(url: str, schema: str = "log") -> psycopg.Connection[Any]:
    return psycopg.connect(url, autocommit=True, options=f"-c search_path={schema}")


def everything(admin: str) -> list[Any]:
    with psycopg.connect(admin) as there:
        return there.execute(SNAPSHOT).fetchall()


@pytest.fixture(scope="module")
def town(postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Founded]:
    """One with facts, for tests that change nothing."""
    with founded(postgres, tmp_path_factory.mktemp("town")) as made:
        found_town(open_store(made.place)).close()
        yield made


@pytest.fixture(scope="module")
def own_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    """For tests that change roles: those belong to the whole server."""
    with PostgresServer(tmp_path_factory.mktemp("own"), fsync=False) as server:
        yield server


@pytest.mark.parametrize("statement", FORBIDDEN)
def test_the_program_may_add_facts_and_never_change_them(town: Founded, statement: str) -> None:
    with session(town.urls.database) as there:
        if "GRANT UPDATE" in statement:  # PostgreSQL warns and grants nothing
            there.execute(statement.encode())
            asked = "SELECT has_table_privilege('events', 'UPDATE')"
            assert there.execute(asked).fetchone() == (False,)
        else:
            with pytest.raises(pg.InsufficientPrivilege):
                there.execute(statement.encode())


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM log.events",
        "SELECT * FROM log.outcomes",
        "SELECT * FROM log.marks",
        "INSERT INTO log.events VALUES (1, '', 1, '', '')",
        "CREATE TABLE vault.other (n int)",
        "DROP TABLE vault.keys",
        "SET session_replication_role = 'replica'",
        f"SET ROLE {OWNER}",
        f"SET ROLE {APP}",
    ],
)
@pytest.mark.parametrize("role", ["vault", "views"])
def test_vault_and_views_see_nothing_of_the_log(town: Founded, role: str, statement: str) -> None:
    with (
        session(getattr(town.urls, role)) as there,
        pytest.raises((pg.InsufficientPrivilege, pg.UndefinedTable)),
    ):
        there.execute(statement.encode())


@pytest.mark.parametrize(
    "statement",
    [
        *(f"BEGIN; LOCK TABLE turn IN {mode} MODE" for mode in MODES),
        "BEGIN; LOCK TABLE events IN SHARE ROW EXCLUSIVE MODE",
        "SELECT * FROM outcomes",
        "INSERT INTO events VALUES (1000, '\\x00', 1, '', '')",
        "INSERT INTO outcomes VALUES ('\\x00', '\\x00', '\\x00', '\\x00')",
        "INSERT INTO marks VALUES ('epoch', '9')",
        "UPDATE marks SET value = '9'",
        "DELETE FROM leaders",
        *(one for one in FORBIDDEN if "LOCK" not in one and "GRANT UPDATE" not in one),
    ],
)
def test_h10_relay_and_workers_can_neither_take_the_order_lock_nor_add_facts(
    town: Founded, statement: str
) -> None:
    with session(town.urls.read) as there, pytest.raises(pg.InsufficientPrivilege):
        there.execute(statement.encode())


def test_h10_relay_and_workers_can_do_what_they_do(town: Founded) -> None:
    """But for the frames themselves; tests/cluster runs the processes with this role."""
    with (
        closing(PostgresLog(town.urls.database)) as whole,
        closing(PostgresLog(town.urls.read)) as log,
        closing(PostgresConnection(log.source, "log")) as db,
        closing(ViewsDatabase(town.urls.views, VIEWS, partitions_of(log))) as views,
    ):
        assert log.rows(0, 10_000) == whole.rows(0, 10_000) != []
        assert (log.lineage(), log.timeline()) == (whole.lineage(), whole.timeline())
        assert partitions_of(log) == PARTITIONS and log.mark("partitions") is None
        assert dropped_in(log.source, VIEWS) == frozenset()
        leader = Leader(log.source, "relay")
        leader.start()
        while not leader.held():
            assert leader.trouble is None
        row = RelayedRow(db, "frames")
        row.store(leader.epoch, replace(row.take(leader.epoch), position=log.head()))
        leader.stop()
        belong(views, log)
        assert Applying(log, views, Router(log, PARTITIONS)).catch_up(range(PARTITIONS)) is None
        assert views.position() == log.head()


ORDER, EFFECTS = 4_210_001, 4_210_003
"""Advisory keys that kept writers and effects in turn, when any role could take them."""


@pytest.mark.parametrize("role", ["vault", "views"])
def test_a_role_that_writes_no_facts_cannot_keep_writers_waiting(
    cluster: Founded, role: str
) -> None:
    """PostgreSQL forbids nobody an advisory lock; a table's lock asks for a right."""
    store = found_town(open_store(cluster.place))
    tables = ["log.turn"] + (["vault.effects"] if role == "views" else [])
    with session(getattr(cluster.urls, role)) as there:
        for key in (ORDER, EFFECTS):
            there.execute("SELECT pg_advisory_lock(%s)", (key,))
        for table in tables:
            for mode in MODES:
                with pytest.raises(pg.InsufficientPrivilege), there.transaction():
                    there.execute(f"LOCK TABLE {table} IN {mode} MODE".encode())
        assert send(store, new_unit("meanwhile"), by="dispatcher").facts == 1
        with store.vault.aside() as db:
            assert db.in_transaction
    store.close()


def test_views_belong_to_their_role_and_the_vault_does_not(cluster: Founded) -> None:
    with session(cluster.urls.views, "views") as there:
        there.execute("CREATE TABLE stock__g1 (n int)")
        there.execute("CREATE TEMPORARY TABLE incoming (n int)")
        there.execute("DROP TABLE stock__g1")
        with pytest.raises(pg.InsufficientPrivilege):
            there.execute("SELECT * FROM vault.keys")


@pytest.mark.parametrize(
    "power",
    [
        "ALTER ROLE relief_app SUPERUSER",
        "ALTER ROLE relief_app CREATEROLE",
        "GRANT relief_owner TO relief_app",
        "GRANT UPDATE ON log.events TO relief_app",
        "GRANT DELETE ON log.outcomes TO relief_app",
        "GRANT TRUNCATE ON log.events TO relief_app",
        "GRANT TRIGGER ON log.events TO relief_app",
        "GRANT UPDATE (state) ON log.events TO relief_app",
        "GRANT UPDATE ON log.events TO PUBLIC",
        "ALTER TABLE log.events OWNER TO relief_app",
        "ALTER SCHEMA log OWNER TO relief_app",
    ],
)
def test_the_program_refuses_to_start_with_power_over_its_log(
    own_server: PostgresServer, tmp_path: Path, power: str
) -> None:
    with founded(own_server, tmp_path) as made:
        found_town(open_store(made.place)).close()
        own_server.execute(power, made.database.name)
        try:
            with pytest.raises(StoreUnsafe) as refused:
                open_store(made.place)
            assert refused.value.zh and "role" in str(refused.value)
            PostgresLog(made.urls.database, allow_power=True).close()
        finally:
            own_server.execute("ALTER ROLE relief_app NOSUPERUSER NOCREATEROLE")
            own_server.execute("REVOKE relief_owner FROM relief_app")


def test_the_administrator_may_not_run_the_program_unless_told_to(cluster: Founded) -> None:
    with pytest.raises(StoreUnsafe, match="superuser"):
        PostgresLog(cluster.admin)
    PostgresLog(cluster.admin, allow_power=True).close()


@pytest.mark.parametrize("value", ["yes", "Y", "true", "1"])
def test_the_librarys_database_functions_are_refused(
    cluster: Founded, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("POSTGRES_ENABLE_DB_FUNCTIONS", value)
    with pytest.raises(StoreUnsafe, match="POSTGRES_ENABLE_DB_FUNCTIONS"):
        open_store(cluster.place)


def test_founding_again_changes_nothing_and_keeps_the_facts(cluster: Founded) -> None:
    store = found_town(open_store(cluster.place))
    before, facts = everything(cluster.admin), store.log.rows(0, 10_000)
    again = found(cluster.database.server.url(), cluster.database.name, PASSWORDS)
    assert again == cluster.urls
    with psycopg.connect(cluster.admin) as there:
        there.execute("GRANT DELETE ON log.events TO relief_app")
    assert everything(cluster.admin) != before
    found(cluster.database.server.url(), cluster.database.name, PASSWORDS)
    repaired = [row for row in everything(cluster.admin) if row[0] != "database"]
    assert repaired == [row for row in before if row[0] != "database"]
    assert store.log.rows(0, 10_000) == facts
    store.close()


@pytest.mark.parametrize("major", [15, 18])
def test_an_administrator_without_superpowers_can_found_it(tmp_path: Path, major: int) -> None:
    """As on a rented server: who may make roles and databases. Since 16 that is less."""
    with skipped_if_unavailable():
        programs = postgres_bin(major)
    with PostgresServer(tmp_path / "server", programs, fsync=False) as server:
        server.execute("CREATE ROLE keeper LOGIN CREATEROLE CREATEDB PASSWORD 'long enough'")
        keeper = server.url(user="keeper", password="long enough")
        for _ in range(2):
            urls = found(keeper, "ledger", PASSWORDS)
        found_town(open_store(Cluster(urls.database, urls.vault, tmp_path))).close()


def test_passwords_are_changed_made_and_never_sent_as_they_are(tmp_path: Path) -> None:
    settings = {"log_statement": "all"}
    with PostgresServer(tmp_path, fsync=False, settings=settings) as server:
        first = found(server.url(), "ledger")
        psycopg.connect(first.database).close()
        odd = {role: f"p@ss/w:rd %{n} 密" for n, role in enumerate(LOGINS)}
        with pytest.raises(PasswordKept, match="relief_app"):
            found(server.url(), "ledger", odd)
        second = found(server.url(), "ledger", odd, new_passwords=True)
        for url in second:
            psycopg.connect(url).close()
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(first.database)
        said = server.log.read_text()
        assert "CREATE ROLE" in said, "the search itself can find"
        assert not [word for word in odd.values() if word in said]


@pytest.mark.parametrize("name", ["second", "a name that is quite long " * 2, '潜山"市'])
def test_a_second_database_on_a_server_has_roles_of_its_own(
    own_server: PostgresServer, tmp_path: Path, name: str
) -> None:
    first = found(own_server.url(), "first", PASSWORDS)
    for _ in range(2):
        second = found(own_server.url(), name, {role: f"{name} {role}" for role in LOGINS})
    users = [make_url(url).username for url in (*first, *second)]
    assert len(set(users)) == 8
    found_town(open_store(Cluster(second.database, second.vault, tmp_path))).close()
    for url in first:
        psycopg.connect(url).close()
    own_server.execute(f"DROP DATABASE {sql.Identifier(name).as_string()} WITH (FORCE)")


def test_a_database_that_was_not_made_or_is_newer_is_said_to_be(
    cluster: Founded, postgres_database: Database
) -> None:
    with pytest.raises(StoreNotMade, match="relief db init"):
        PostgresLog(postgres_database.url(), allow_power=True)
    with psycopg.connect(cluster.admin) as there:
        there.execute("UPDATE log.alembic_version SET version_num = '0000'")
    with pytest.raises(StoreTooOld, match="0000") as older:
        open_store(cluster.place)
    assert "旧版本" in older.value.zh and "尚未建立" not in older.value.zh
    with psycopg.connect(cluster.admin) as there:
        there.execute("UPDATE log.alembic_version SET version_num = '9999'")
    with pytest.raises(StoreTooNew, match="9999"):
        open_store(cluster.place)
    with pytest.raises(StoreTooNew, match="9999"):
        found(cluster.database.server.url(), cluster.database.name, PASSWORDS)


def test_a_lost_right_is_said_to_be_one(cluster: Founded) -> None:
    with psycopg.connect(cluster.admin) as there:
        there.execute("REVOKE SELECT ON log.events FROM relief_app")
    with pytest.raises(StoreForbidden):
        open_store(cluster.place)


def test_the_program_knows_the_newest_revision() -> None:
    config = Config()
    config.set_main_option("script_location", "eventstore:migrations")
    assert ScriptDirectory.from_config(config).get_current_head() == REVISION
