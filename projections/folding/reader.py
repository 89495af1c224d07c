"""Reading the views: SQLAlchemy over SQLite or PostgreSQL, read-only, a pool of connections."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError, TimeoutError
from sqlalchemy.pool import QueuePool

import projections.folding.dialects  # noqa: F401  # how PostgreSQL is spoken
from eventstore.addresses import url_of
from eventstore.errors import ReadersBusy, StoreError
from eventstore.sql import DATABASE_ERRORS, explain

SCHEMA = "views"
LONGEST_QUERY_SECONDS = 30
CONNECT_SECONDS = 5
POOLED = 8
MOST_BEYOND = 32
STATEMENTS = 256
"""Prepared statements that a connection keeps: to prepare one of a home page takes SQLite up to 40
ms, ten times what it takes to run."""
MOST_BEYOND_POSTGRES = 4
"""PostgreSQL allows few sessions, which several processes share: further queries wait."""

POSTGRES_SESSIONS = POOLED + MOST_BEYOND_POSTGRES
"""Most that a `ViewsReader` holds there."""


class ViewsReader:
    """Connections for queries. Each use is one read transaction, so it sees one state."""

    def __init__(self, source: Path | str) -> None:
        """Over the SQLite file of the views, or PostgreSQL's schema ``views`` at an address."""
        self._engine = _sqlite(source) if isinstance(source, Path) else _postgres(source)

    @contextmanager
    def __call__(self) -> Iterator[Connection]:
        """A connection for one query's reading. Raises a `StoreError` of our naming."""
        try:
            with self._engine.begin() as connection:
                yield connection
        except TimeoutError as problem:  # of the pool
            raise ReadersBusy(f"views: {problem}") from problem
        except DBAPIError as problem:
            if not isinstance(problem.orig, DATABASE_ERRORS):
                raise
            named = explain(problem.orig)
            if type(named) is StoreError:  # a fault of the query's, not of the place's
                raise
            raise named from problem

    def close(self) -> None:
        self._engine.dispose()


def _sqlite(path: Path) -> Engine:
    engine = create_engine(
        f"sqlite+pysqlite:///file:{path}?mode=ro&uri=true",
        poolclass=QueuePool,
        pool_size=POOLED,
        max_overflow=MOST_BEYOND,
        pool_timeout=CONNECT_SECONDS,
        # The one used last comes first: it has the statements prepared and the pages read.
        pool_use_lifo=True,
        connect_args={
            "check_same_thread": False,
            "timeout": 4.0,
            "cached_statements": STATEMENTS,
        },
    )

    @event.listens_for(engine, "connect")
    def _plain(connection: Any, _: object) -> None:
        connection.isolation_level = None
        connection.execute("PRAGMA cache_size=-16384")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN")

    return engine


def _postgres(url: str) -> Engine:
    """A pooled connection that a restart of the server has broken is noticed and replaced."""
    settings = {
        "search_path": SCHEMA,
        "default_transaction_read_only": "on",
        "statement_timeout": f"{LONGEST_QUERY_SECONDS}s",
        "jit": "off",  # takes longer to compile than these queries to run
    }
    return create_engine(
        url_of(url).set(drivername="postgresql+psycopg"),
        pool_size=POOLED,
        max_overflow=MOST_BEYOND_POSTGRES,
        pool_timeout=CONNECT_SECONDS,
        pool_pre_ping=True,
        isolation_level="REPEATABLE READ",
        connect_args={
            "connect_timeout": CONNECT_SECONDS,
            "options": " ".join(f"-c {name}={value}" for name, value in settings.items()),
        },
    )
