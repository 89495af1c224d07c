"""Backups and copies name their tables: a table that nobody decided about fails here."""

from pathlib import Path

import psycopg

from eventstore.backup import LOG_TABLES, NOT_OF_THE_LOG
from eventstore.sqlite import SQLiteLog
from eventstore.vault import SQLiteVault
from eventstore.vault_tables import CARRIED, LEFT_BEHIND
from tests.clusters import Founded


def _tables(db: object) -> set[str]:
    found = db.execute("SELECT name FROM sqlite_master WHERE type='table'")  # type: ignore[attr-defined]
    return {name for (name,) in found if not name.startswith("sqlite_")}


def test_every_table_of_the_vault_is_carried_or_left_behind_for_a_reason(tmp_path: Path) -> None:
    vault = SQLiteVault(tmp_path / "vault.sqlite")
    assert _tables(vault.db) == CARRIED.keys() | LEFT_BEHIND.keys()
    assert not CARRIED.keys() & LEFT_BEHIND.keys() and all(LEFT_BEHIND.values())
    vault.close()


def test_every_table_of_the_log_is_carried(tmp_path: Path) -> None:
    log = SQLiteLog(tmp_path / "log.sqlite")
    assert _tables(log.writer) == LOG_TABLES.keys()
    log.close()


def test_the_same_tables_are_in_postgresql(cluster: Founded) -> None:
    with psycopg.connect(cluster.admin) as there:
        sql = "SELECT schemaname, tablename FROM pg_tables WHERE schemaname IN ('log', 'vault')"
        found = there.execute(sql).fetchall()
    vault = {table for schema, table in found if schema == "vault"}
    log = {table for schema, table in found if schema == "log"}
    assert vault == CARRIED.keys() | LEFT_BEHIND.keys()
    assert log == LOG_TABLES.keys() | NOT_OF_THE_LOG.keys() and all(NOT_OF_THE_LOG.values())
