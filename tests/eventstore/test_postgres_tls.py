"""PostgreSQL over TLS: the address says so, every session keeps to it, and no other is believed."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from cli.trial.postgres import PostgresServer
from eventstore.errors import StoreDatabaseMissing, StoreNotAdmitted, StoreNotTrusted
from eventstore.founding import Urls, found
from eventstore.postgres import PostgresLog, connect
from projections.catalog import VIEWS
from projections.folding.engine import ViewsDatabase
from scripts.need_postgres import postgres_bin
from streams.frames import PARTITIONS
from tests.certificates import Authority
from tests.clusters import PASSWORDS
from tests.eventstore.support import Cluster, found_town, new_unit, send
from tests.servers import skipped_if_unavailable

UNENCRYPTED = """
SELECT count(*) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
 WHERE usename LIKE 'relief_%' AND NOT ssl
"""
ENCRYPTED = UNENCRYPTED.replace("NOT ssl", "ssl")


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def server(
    tmp_path_factory: pytest.TempPathFactory, authority: Authority
) -> Iterator[PostgresServer]:
    """A server that takes nobody without TLS: of version 17, for the wheel's have none."""
    with skipped_if_unavailable():
        programs = postgres_bin(17)
    certificate, key = authority.certificate("server", "127.0.0.1")
    tls = {"ssl": "on", "ssl_cert_file": str(certificate), "ssl_key_file": str(key)}
    folder = tmp_path_factory.mktemp("postgres")
    with PostgresServer(folder, programs, fsync=False, settings=tls) as own:
        hba = own.data / "pg_hba.conf"
        hba.write_text("hostssl all all 127.0.0.1/32 scram-sha-256\n")
        own.execute("SELECT pg_reload_conf()")
        yield own


def verified(url: str, ca: Path) -> str:
    return f"{url}?sslmode=verify-full&sslrootcert={ca}"


@pytest.fixture(scope="module")
def made(server: PostgresServer, authority: Authority) -> Urls:
    """`relief db init` with such an address gives such addresses to the program."""
    urls = found(verified(server.url(), authority.ca), "ledger", PASSWORDS)
    assert all(url.endswith(f"?sslmode=verify-full&sslrootcert={authority.ca}") for url in urls)
    return urls


def test_log_vault_and_views_speak_tls_alone(
    made: Urls, server: PostgresServer, tmp_path: Path
) -> None:
    place = Cluster(made.database, made.vault, tmp_path)
    with (
        closing(found_town(place.open())) as store,
        closing(ViewsDatabase(made.views, VIEWS, PARTITIONS)),
        psycopg.connect(server.url()) as asked,
    ):
        send(store, new_unit("here"), by="dispatcher")
        assert asked.execute(ENCRYPTED).fetchone() >= (2,)
        assert asked.execute(UNENCRYPTED).fetchone() == (0,)


def test_another_server_is_not_believed(made: Urls, tmp_path: Path) -> None:
    other = Authority(tmp_path, "other").ca
    ca = made.database.rpartition("=")[2]
    with pytest.raises(StoreNotTrusted, match="certificate verify failed"):
        PostgresLog(made.database.replace(ca, str(other)))
    with pytest.raises(StoreNotTrusted, match="root certificate file"):
        PostgresLog(made.database.replace(ca, str(tmp_path / "none.pem")))
    by_name = made.database.replace("@127.0.0.1", "@localhost")
    with pytest.raises(StoreNotTrusted) as told:
        PostgresLog(by_name)
    assert "证书不被信任" in told.value.zh


def test_a_server_without_tls_is_not_spoken_to(
    made: Urls, postgres: PostgresServer, server: PostgresServer
) -> None:
    url = made.database.replace(f":{server.port}/", f":{postgres.port}/")
    with pytest.raises(StoreNotTrusted, match="does not support SSL"):
        PostgresLog(url)
    plain = made.database.partition("?")[0] + "?sslmode=disable"
    with pytest.raises(psycopg.OperationalError, match="no encryption"):
        connect(plain, "log")
    with pytest.raises(StoreNotAdmitted, match="no encryption") as told:
        PostgresLog(plain)
    assert "sslmode" in told.value.zh and "稍后重试" not in told.value.zh


def test_a_database_that_is_not_there_is_told_as_one(made: Urls) -> None:
    """It was told as a server that is away for a moment."""
    with pytest.raises(StoreDatabaseMissing) as told:
        PostgresLog(made.database.replace("/ledger", "/ledgers"))
    assert "relief db init" in told.value.zh
