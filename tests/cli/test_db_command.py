"""`relief db init` and what runs on its database: settings by file, doctor, backup, restore."""

import json
import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url
from typer.testing import CliRunner

from cli.compose import open_store
from cli.db_command import FILES
from cli.main import program
from cli.settings import Settings
from cli.trial.postgres import PostgresServer
from eventstore.errors import PasswordKept, StoreNotMade, StorePasswordWrong
from eventstore.postgres import PostgresLog
from eventstore.postgres_session import called
from tests.eventstore.support import found_town, new_household, new_unit, send
from tests.id_numbers import id_number

run = CliRunner().invoke


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    """One of its own: these tests change the roles' passwords."""
    with PostgresServer(tmp_path_factory.mktemp("own"), fsync=False) as own:
        yield own


@pytest.fixture
def data(server: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder and an administrator's address in the environment."""
    for name in os.environ:
        if name.startswith("RELIEF_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("RELIEF_DATA", str(tmp_path / "var"))
    admin = tmp_path / "admin_url"
    admin.write_text(server.url() + "\n")
    monkeypatch.setenv("RELIEF_ADMIN_URL_FILE", str(admin))
    return tmp_path / "var"


@pytest.fixture
def made(data: Path, server: PostgresServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The database was made, and the settings name it."""
    assert run(program(), ["db", "init", "--database", "ledger"]).exit_code == 0
    use(data / "secrets", monkeypatch)
    yield data
    server.execute("DROP DATABASE ledger WITH (FORCE)")


def use(secrets: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("database_url", "vault_url", "views_url"):
        monkeypatch.setenv(f"RELIEF_{name.upper()}_FILE", str(secrets / name))


def test_init_writes_addresses_that_only_their_owner_reads_and_shows_no_password(
    made: Path,
) -> None:
    files = sorted((made / "secrets").iterdir())
    assert [file.name for file in files] == sorted(FILES.values())
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}
    before = [file.read_text() for file in files]
    again = run(program(), ["db", "init", "--database", "ledger"])
    assert again.exit_code == 0 and [file.read_text() for file in files] == before
    for url in before:
        psycopg.connect(url.strip()).close()
        password = make_url(url.strip()).password
        assert password is not None and password not in again.output
    assert "RELIEF_VAULT_URL_FILE" in again.output and "relief_views:***@" in again.output


def test_given_passwords_are_taken(
    made: Path, server: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    word = tmp_path / "word"
    word.write_text("from a file\n")
    monkeypatch.setenv("RELIEF_APP_PASSWORD_FILE", str(word))
    monkeypatch.setenv("RELIEF_VAULT_PASSWORD", "from a variable")
    init = ["db", "init", "--database", "ledger"]
    refused = run(program(), init)
    assert refused.exit_code == 1 and "--new-passwords" in PasswordKept.zh
    assert isinstance(refused.exception, PasswordKept)
    assert run(program(), [*init, "--new-passwords"]).exit_code == 0
    psycopg.connect(server.url("ledger", "relief_app", "from a file")).close()
    psycopg.connect(server.url("ledger", "relief_vault", "from a variable")).close()


@pytest.mark.parametrize("database", ["ledger", "another"])
def test_init_from_elsewhere_lets_a_running_city_run(
    made: Path, server: PostgresServer, tmp_path: Path, database: str
) -> None:
    """It made new passwords for the roles of the whole server once."""
    store = found_town(open_store(Settings()))
    elsewhere = tmp_path / "elsewhere"
    done = run(program(), ["db", "init", "--database", database, "--secrets", str(elsewhere)])
    assert (done.exit_code == 0) == (database == "another"), done.output
    for file in FILES.values():
        psycopg.connect((made / "secrets" / file).read_text().strip()).close()
        assert (elsewhere / file).exists() == (database == "another")
    assert send(store, new_unit("goes on"), by="dispatcher").facts == 1
    store.close()
    if database == "ledger":
        assert isinstance(done.exception, PasswordKept) and "relief_app" in str(done.exception)
        return
    url = (elsewhere / "database_url").read_text().strip()
    assert make_url(url).username == "relief_app_another"
    with pytest.raises(psycopg.OperationalError, match="permission"):
        psycopg.connect(make_url(url).set(database="ledger").render_as_string(False))
    again = run(program(), ["db", "init", "--database", database, "--secrets", str(elsewhere)])
    assert again.exit_code == 0, again.output
    mixed = run(program(), ["db", "init", "--database", database])
    assert mixed.exit_code == 1 and "--secrets" in mixed.output
    server.execute("DROP DATABASE another WITH (FORCE)")


def test_a_wrong_password_is_told_as_one(made: Path, server: PostgresServer) -> None:
    store = found_town(open_store(Settings()))
    server.execute("ALTER ROLE relief_app PASSWORD 'another'")
    server.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'relief_app'"
    )
    with pytest.raises(StorePasswordWrong) as reading:
        store.head()
    assert "密码" in reading.value.zh
    with pytest.raises(StorePasswordWrong):
        send(store, new_unit("never"), by="dispatcher")
    store.close()
    assert isinstance(run(program(), ["log", "stats"]).exception, StorePasswordWrong)


def test_init_without_an_administrator_says_what_to_set(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RELIEF_ADMIN_URL_FILE")
    for url in (None, "localhost", "postgresql://[::1", "postgresql://u:p@h:port/x"):
        args = ["db", "init"] if url is None else ["db", "init", "--admin-url", url]
        said = run(program(), args)
        assert said.exit_code == 1 and "RELIEF_ADMIN_URL" in said.output, (url, said.exception)
    (data / "secrets").mkdir(parents=True)
    (data / "secrets" / "read_url").write_text("postgresql://[::1\n")
    said = run(program(), ["db", "init", "--admin-url", "postgresql://127.0.0.1:1/x"])
    assert said.exit_code == 1 and str(data / "secrets" / "read_url") in said.output


def test_settings_do_not_show_what_is_secret(made: Path) -> None:
    settings = Settings()
    assert settings.database_url is not None and settings.database_url not in repr(settings)
    assert "relief_app" not in repr(settings)


def test_half_an_address_is_refused(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RELIEF_VAULT_URL_FILE")
    with pytest.raises(StoreNotMade, match="RELIEF_VAULT_URL"):
        open_store(Settings())


def test_the_log_commands_read_the_cluster(made: Path) -> None:
    store = found_town(open_store(Settings()))
    send(store, new_unit("here"), by="dispatcher")
    store.close()
    stats = json.loads(run(program(), ["log", "stats", "--json"]).stdout)
    assert stats["events"] == stats["head"] > 17
    assert '"here"' in run(program(), ["log", "tail", "-n", "1"]).stdout


def test_the_doctor_finds_what_is_wrong_and_nothing_else(
    made: Path, server: PostgresServer
) -> None:
    found_town(open_store(Settings())).close()

    def asked() -> dict[str, bool]:
        said = json.loads(run(program(), ["doctor", "--json"]).stdout)
        return {finding["name"]: finding["ok"] for finding in said["checks"]}

    well = asked()
    assert {name for name, ok in well.items() if not ok} == {"durable"}, "the server is not durable"
    assert well.keys() >= {"versions", "roles", "counts", "vault", "key", "views"}
    (made / "vault.key").chmod(0o644)
    assert not asked()["key"]
    (made / "vault.key").write_bytes(b"x" * 32)
    assert not asked()["vault"]
    server.execute("DELETE FROM log.events WHERE position = 3", "ledger")
    assert not asked()["counts"]
    server.execute("GRANT UPDATE ON log.events TO relief_app", "ledger")
    assert not asked()["log"]


def test_h10_a_cluster_made_before_gets_the_readers_role_and_the_doctor_asks_for_it(
    made: Path, server: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.execute("DROP OWNED BY relief_read", "ledger")
    server.execute("DROP ROLE relief_read")
    read_url = made / "secrets" / "read_url"
    read_url.unlink()

    def asked(**env: str) -> tuple[str, str]:
        """What the doctor says of relay and workers, while a relay runs with these settings."""
        with monkeypatch.context() as patched:
            for name, value in env.items():
                patched.setenv(name, value)
            url = Settings().log_url
            assert url is not None
            with closing(PostgresLog(called(url, "relay"))) as log:
                log.head()
                checks = json.loads(run(program(), ["doctor", "--json"]).stdout)["checks"]
        (found,) = [one for one in checks if one["name"] == "readers"]
        return found["level"], found["en"]

    level, said = asked()
    assert level == "warn" and "relay (relief_app)" in said and "RELIEF_READ_URL" in said
    assert run(program(), ["db", "init", "--database", "ledger"]).exit_code == 0
    assert make_url(read_url.read_text().strip()).username == "relief_read"
    assert asked(RELIEF_READ_URL_FILE=str(read_url))[0] == "ok"
    level, said = asked(RELIEF_READ_URL_FILE=str(made / "secrets" / "database_url"))
    assert level == "warn" and said.count("RELIEF_READ_URL") == 2, "it names the wrong address"


def test_a_backup_of_the_cluster_is_restored_into_another(
    made: Path, server: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = found_town(open_store(Settings()))
    send(store, new_household("孙一", id_number(1)), by="reporter")
    rows = store.log.rows(0, 10_000)
    store.close()
    backup = tmp_path / "backup"
    assert run(program(), ["backup", str(backup)]).exit_code == 0
    assert run(program(), ["backup", str(backup)]).exit_code == 1, "a backup is never written over"
    monkeypatch.setenv("RELIEF_DATA", str(tmp_path / "new"))
    secrets = tmp_path / "of the other"
    said = run(program(), ["db", "init", "--database", "other", "--secrets", str(secrets)])
    assert said.exit_code == 0, said.output
    use(secrets, monkeypatch)
    assert run(program(), ["restore", str(backup)]).exit_code == 0
    again = open_store(Settings())
    assert again.log.source.endswith("/other") and again.log.rows(0, 10_000, len(rows)) == rows
    assert again.log.mark("epoch"), "what is restored goes on in an epoch of its own"
    assert again.vault.find_person(id_number(1)) is not None
    again.close()


def test_log_copy_says_what_it_copied_and_what_is_missing(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = found_town(open_store(Settings()))
    head = store.head()
    store.close()
    done = run(
        program(), ["log", "copy", "--from", "cluster", "--to", str(tmp_path / "f"), "--json"]
    )
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["events"] == head
    same = run(program(), ["log", "copy", "--from", "cluster", "--to", "cluster"])
    assert same.exit_code == 1 and "same" in same.output
    monkeypatch.delenv("RELIEF_VAULT_URL_FILE")
    half = run(program(), ["log", "copy", "--from", "cluster", "--to", str(tmp_path / "g")])
    assert half.exit_code == 1 and "RELIEF_VAULT_URL" in half.output
