"""A stand-by server that follows a primary over a wire that a test can cut, and takes over."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from cli.trial.postgres import UNPRIVILEGED, PostgresServer
from tests.cluster.relaying import wait_for
from tests.proxy import CutProxy

PRIMARY = {"wal_level": "replica"}
"""What a server needs that is followed by another one."""


def run(server: PostgresServer, program: str, *arguments: str, check: bool = True) -> None:
    """One of PostgreSQL's own programs, with the superuser's password."""
    done = subprocess.run(
        [str(server.bin / program), *arguments],
        env={**os.environ, "PGPASSWORD": server.password},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert not check or done.returncode == 0, done.stderr


def base_backup(server: PostgresServer, folder: Path, *more: str, port: int | None = None) -> None:
    """``folder`` becomes that of a `PostgresServer` with all that this one has now.

    ``more``: arguments of `pg_basebackup`; ``port``: by which it reaches the server.
    """
    folder.mkdir()
    data = folder / "data"
    how = f"--pgdata={data}", "--wal-method=stream", "--checkpoint=fast"
    where = "--host=127.0.0.1", f"--port={port or server.port}", "--username=postgres"
    run(server, "pg_basebackup", *how, *where, *more)
    shutil.copy(server.folder / "superuser.password", folder)
    if os.geteuid() == 0:
        for path in (data, *data.rglob("*")):
            shutil.chown(path, UNPRIVILEGED)


class StandBy:
    """Follows ``primary``, which does not wait for it."""

    def __init__(self, primary: PostgresServer, folder: Path, wire: CutProxy) -> None:
        self._primary, self._wire = primary, wire
        base_backup(primary, folder, "--write-recovery-conf", port=wire.port)
        self.server = PostgresServer(folder, fsync=False)

    def cut_off(self) -> None:
        """It has what the primary has now, and gets nothing more."""
        newest = _asked(self._primary, "SELECT pg_current_wal_insert_lsn()::text")
        replayed = f"SELECT pg_last_wal_replay_lsn() >= '{newest}'::pg_lsn"
        wait_for(lambda: _asked(self.server, replayed), 60)
        self._wire.half_open()

    def lose_primary(self) -> None:
        """The primary dies: nobody gets an answer of it any more."""
        self._primary.kill()

    def take_over(self) -> None:
        """It goes on with what it has, in place of a primary that has died."""
        self.lose_primary()
        assert _asked(self.server, "SELECT pg_promote(true, 60)") is True


def _asked(server: PostgresServer, sql: str) -> object:
    with psycopg.connect(server.url(), autocommit=True) as session:
        row = session.execute(sql.encode()).fetchone()
    assert row is not None
    return row[0]


@contextmanager
def stand_by(primary: PostgresServer, folder: Path) -> Iterator[StandBy]:
    with CutProxy(primary.port) as wire:
        made = StandBy(primary, folder, wire)
        with made.server:
            yield made
