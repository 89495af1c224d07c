"""The servers that the trial and the tests start are real, durable, and end when they should."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest

from cli.trial.child import ServerFailed, alive, children
from cli.trial.postgres import PostgresServer
from tests.servers import Database, fresh_database

ROOT = Path(__file__).resolve().parents[2]


def rows(url: str) -> list[int]:
    with psycopg.connect(url) as connection:
        return [row[0] for row in connection.execute("SELECT n FROM t ORDER BY n").fetchall()]


def fill(url: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE t (n integer)")
        connection.execute("INSERT INTO t SELECT generate_series(1, 3)")


def gone_within(seconds: float, pids: list[int]) -> bool:
    deadline = time.monotonic() + seconds
    while any(alive(pid) for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not any(alive(pid) for pid in pids)


def test_what_postgres_committed_is_there_after_kill_9(tmp_path: Path) -> None:
    with PostgresServer(tmp_path) as server:
        fill(server.url())
        family = [server.pid, *children(server.pid)]
        assert len(family) > 3
        server.kill()
        assert not any(alive(pid) for pid in family)
        with pytest.raises(psycopg.OperationalError):
            rows(server.url())
        server.start()
        assert rows(server.url()) == [1, 2, 3]


def test_postgres_keeps_data_port_and_password_over_a_restart(tmp_path: Path) -> None:
    with PostgresServer(tmp_path) as first:
        fill(first.url())
        before = first.url()
        first.restart()
        assert rows(before) == [1, 2, 3]
    with PostgresServer(tmp_path, port=first.port) as second:
        assert second.url() == before
        assert rows(before) == [1, 2, 3]


def test_postgres_asks_for_a_password_and_is_durable_unless_told_otherwise(tmp_path: Path) -> None:
    with PostgresServer(tmp_path) as server:
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(server.url(password="wrong"))
        with psycopg.connect(server.url()) as connection:
            asked = "fsync", "synchronous_commit", "server_encoding"
            said = [connection.execute(f"SHOW {name}").fetchone() for name in asked]
        assert said == [("on",), ("on",), ("UTF8",)]


def test_postgres_ends_when_the_process_that_started_it_is_killed(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from cli.trial.postgres import PostgresServer;"
        "server = PostgresServer(Path(sys.argv[1]), fsync=False); server.start();"
        "print(server.pid, flush=True); time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE
    ) as starter:
        assert starter.stdout
        postmaster = int(starter.stdout.readline())
        family = [postmaster, *children(postmaster)]
        assert alive(postmaster)
        os.kill(starter.pid, signal.SIGKILL)
    assert gone_within(10, family)


def test_a_second_postgres_on_a_folder_is_refused_with_the_reason(tmp_path: Path) -> None:
    with (
        PostgresServer(tmp_path, fsync=False),
        pytest.raises(ServerFailed, match="already exists"),
    ):
        PostgresServer(tmp_path, fsync=False).start()


def test_each_test_has_a_database_of_its_own(postgres_database: Database) -> None:
    fill(postgres_database.url())
    with fresh_database(postgres_database.server) as other:
        with psycopg.connect(other.url()) as connection:
            found = connection.execute("SELECT to_regclass('t')").fetchone()
        assert found == (None,)
    with fresh_database(postgres_database.server, postgres_database.name) as copy:
        assert rows(copy.url()) == [1, 2, 3]
