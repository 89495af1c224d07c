"""Reading the views: SQLAlchemy over the same file, read-only, a connection a thread."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, create_engine, event
from sqlalchemy.pool import QueuePool


class ViewsReader:
    """Connections for queries. Each query runs in one read transaction, so it sees one state."""

    def __init__(self, path: Path) -> None:
        self._engine = create_engine(
            f"sqlite+pysqlite:///file:{path}?mode=ro&uri=true",
            poolclass=QueuePool,
            pool_size=8,
            max_overflow=32,
            connect_args={"check_same_thread": False, "timeout": 4.0},
        )

        @event.listens_for(self._engine, "connect")
        def _plain(connection: Any, _: object) -> None:
            connection.isolation_level = None
            connection.execute("PRAGMA cache_size=-16384")

        @event.listens_for(self._engine, "begin")
        def _begin(connection: Connection) -> None:
            connection.exec_driver_sql("BEGIN")

    @contextmanager
    def __call__(self) -> Iterator[Connection]:
        with self._engine.begin() as connection:
            yield connection

    def close(self) -> None:
        self._engine.dispose()
