"""WAL archiving and the way back to a moment, by the very lines of `docs/operations.md`."""

import os
import re
import shutil
import time
from pathlib import Path

import psycopg
import pytest

from cli.trial.postgres import UNPRIVILEGED, PostgresServer
from domain.store import Cause
from eventstore.founding import LOGINS, Urls, found
from eventstore.lineage import begun_by, settle_epoch
from tests.cluster.relaying import wait_for
from tests.cluster.standby import base_backup
from tests.cluster.test_postgres_backup import DATABASE, place_of, register, seeded, unreadable
from tests.clusters import PASSWORDS
from tests.faults import TIMEOUT

pytestmark = pytest.mark.timeout(TIMEOUT)

MANUAL = Path(__file__).resolve().parents[2] / "docs" / "operations.md"
ARCHIVE = "/archive"
MOMENT = "2026-01-31 12:00:00+08"


def documented(archive: Path) -> tuple[dict[str, str], dict[str, str]]:
    """The settings under "WAL archiving": of the server that archives, and of the restored one
    besides. Only the folder is another."""
    text = MANUAL.read_text(encoding="utf-8")
    section = text[text.index("**WAL archiving**") :]
    blocks = re.findall(r"^```\n(.*?)^```", section, re.DOTALL | re.MULTILINE)[:2]
    found = [dict(re.findall(r"^(\w+) = '?(.*?)'?$", block, re.MULTILINE)) for block in blocks]
    assert list(found[0]) == ["archive_mode", "archive_timeout", "archive_command"]
    assert list(found[1]) == ["restore_command", "recovery_target_time", "recovery_target_action"]
    assert found[1]["recovery_target_time"] == MOMENT
    kept, back = (
        {name: value.replace(ARCHIVE, str(archive)) for name, value in one.items()} for one in found
    )
    assert kept["archive_command"] != found[0]["archive_command"]
    return kept, back


def asked(server: PostgresServer, sql: str) -> str:
    with psycopg.connect(server.url(), autocommit=True) as session:
        row = session.execute(f"SELECT ({sql})::text".encode()).fetchone()
    assert row is not None
    return str(row[0])


def archived(server: PostgresServer) -> None:
    """Everything that was written is in the archive."""
    file = asked(server, "pg_walfile_name(pg_switch_wal())")
    last = "SELECT coalesce(max(last_archived_wal), '') FROM pg_stat_archiver"
    wait_for(lambda: asked(server, last)[:24] >= file, 60)


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    folder = tmp_path / "archive"
    folder.mkdir()
    if os.geteuid() == 0:
        shutil.chown(folder, UNPRIVILEGED)
    return folder


def test_h11_the_documented_lines_bring_a_cluster_back_to_a_moment(
    archive: Path, tmp_path: Path
) -> None:
    """Facts after the base backup are there up to the moment and none after it, every name opens,
    and the log goes on in an epoch of its own."""
    keeping, back = documented(archive)
    with PostgresServer(tmp_path / "first", fsync=False, settings=keeping) as first:
        store = seeded(place_of(found(first.url(), DATABASE, PASSWORDS), tmp_path))
        try:
            settle_epoch(store)  # as each start of an API process does
            register(store, 3)
            base_backup(first, tmp_path / "second")
            in_backup = store.head()
            register(store, 3)
            rows, before = list(store.log.rows(0, 100_000)), store.log.lineage()
            time.sleep(0.2)
            moment = asked(first, "clock_timestamp()")
            time.sleep(0.2)
            register(store, 4)
            assert store.head() > len(rows) > in_backup > 10
            archived(first)
        finally:
            store.close()
        first.kill()
    (tmp_path / "second" / "data" / "recovery.signal").touch()
    settings = {**keeping, **back, "recovery_target_time": moment}
    with PostgresServer(tmp_path / "second", fsync=False, settings=settings) as second:
        wait_for(lambda: asked(second, "pg_is_in_recovery()") == "false", 60)
        urls = Urls(*(second.url(DATABASE, role, PASSWORDS[role]) for role in LOGINS))
        kept = place_of(urls, tmp_path).open()
        try:
            assert list(kept.log.rows(0, 100_000)) == rows
            assert unreadable(kept) == []
            assert kept.log.promoted(), "the first start would not know that it goes another way"
            settle_epoch(kept)
            begun = begun_by(kept.log)
            assert begun is not None and begun.cause is Cause.PROMOTION
            assert kept.log.lineage() != before
            register(kept, 2)
            assert unreadable(kept) == []
            archived(second)  # the restored server archives beside the first one's files
        finally:
            kept.close()
    assert [file for file in archive.iterdir() if file.name.endswith(".history")]
