"""The sessions that a cluster's processes may hold, against what PostgreSQL gives."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest

from api.checkup import Finding
from cli.budget import POOLS, SESSIONS, USUAL, most_of
from cli.doctor_cluster import examine_cluster
from cli.settings import Settings
from eventstore.postgres import LOG_SESSIONS, VAULT_SESSIONS, PostgresLog, PostgresVault
from projections.folding.reader import POSTGRES_SESSIONS, ViewsReader
from scripts import connections_table
from streams.health import Heart
from tests.clusters import Founded, cluster

__all__ = ["cluster"]

SLEEP = "SELECT pg_sleep(0.6)"
MANY = 16
"""Threads that ask at once, more than any pool has sessions."""


def sessions(cluster: Founded) -> int:
    sql = (
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND usename <> current_user"
    )
    with psycopg.connect(cluster.admin, autocommit=True) as admin:
        row = admin.execute(sql).fetchone()
    assert row is not None
    return int(row[0])


def at_most(cluster: Founded, ask: Callable[[], object]) -> int:
    """How many sessions are open while many threads ask."""
    threads = [threading.Thread(target=ask) for _ in range(MANY)]
    for thread in threads:
        thread.start()
    time.sleep(0.3)  # sessions that were closed before are gone by then
    most = 0
    while any(thread.is_alive() for thread in threads):
        most = max(most, sessions(cluster))
    for thread in threads:
        thread.join()
    return most


def test_a_log_in_a_flood_holds_as_many_sessions_as_it_is_counted_with(cluster: Founded) -> None:
    log = PostgresLog(cluster.urls.database)
    try:
        log.listen(lambda _: None)
        with log.transaction(), log._keeping():
            assert at_most(cluster, lambda: log.fetch(SLEEP)) == LOG_SESSIONS
    finally:
        log.close()


def test_a_vault_in_a_flood_holds_as_many_sessions_as_it_is_counted_with(
    cluster: Founded, tmp_path: Path
) -> None:
    vault = PostgresVault(cluster.urls.vault, tmp_path / "vault.key")
    try:
        with vault.aside():
            assert at_most(cluster, lambda: vault.fetch(SLEEP)) == VAULT_SESSIONS
    finally:
        vault.close()


def test_boards_in_a_flood_hold_as_many_sessions_as_they_are_counted_with(cluster: Founded) -> None:
    read = ViewsReader(cluster.urls.views)

    def ask() -> None:
        with read() as connection:
            connection.exec_driver_sql(SLEEP)

    try:
        assert at_most(cluster, ask) == POSTGRES_SESSIONS
    finally:
        read.close()


@pytest.fixture
def hearts() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def said_of(cluster: Founded, folder: Path) -> Finding:
    urls = cluster.urls
    settings = Settings(
        data=folder, database_url=urls.database, vault_url=urls.vault, views_url=urls.views
    )
    (found,) = [one for one in examine_cluster(settings) if one.name == "connections"]
    return found


def test_h11_the_doctor_warns_of_processes_that_may_need_more_than_is_given(
    cluster: Founded, tmp_path: Path, hearts: ExitStack
) -> None:
    """PostgreSQL as it comes gives 97: a relay and a worker have room, a whole cluster has not."""

    def begin(kind: str, number: int) -> None:
        heart = Heart(tmp_path / "run" / f"{kind}.{number}.alive", kind=kind)
        hearts.callback(heart.stop)

    assert "本机没有运行中的进程" in said_of(cluster, tmp_path).zh
    begin("relay", 1)
    begin("worker", 1)
    found = said_of(cluster, tmp_path)
    assert found.level == "ok", found
    assert f"at most {SESSIONS['relay'] + SESSIONS['worker']} sessions" in found.en
    assert "gives 97" in found.en and "数据库可给 97 个" in found.zh
    begin("worker", 2)
    begin("api", 1)
    begin("api", 2)
    found = said_of(cluster, tmp_path)
    assert found.level == "warn", found
    assert f"at most {most_of(USUAL)} sessions" in found.en and "api 2 × " in found.en
    assert "max_connections" in found.zh


def test_sessions_that_are_open_count_though_no_process_runs_here(
    cluster: Founded, tmp_path: Path, hearts: ExitStack
) -> None:
    """In containers each process has a data folder of its own."""
    for _ in range(79):
        hearts.enter_context(psycopg.connect(cluster.admin, autocommit=True))
    assert said_of(cluster, tmp_path).level == "warn"


def test_a_process_of_an_unknown_kind_counts_as_the_dearest() -> None:
    assert most_of({"": 2}) == 2 * max(SESSIONS.values())
    assert set(USUAL) == set(POOLS)


def test_the_table_of_connections_is_current() -> None:
    text = connections_table.TARGET.read_text(encoding="utf-8")
    assert connections_table.page(text) == text, "run make docs"
