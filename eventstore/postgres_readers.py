"""Sessions on PostgreSQL for queries from any thread: a pool, opened as it is needed."""

from collections.abc import Sequence
from typing import Any

import psycopg
from psycopg_pool import ConnectionPool, PoolTimeout

from eventstore.errors import ReadersBusy, StoreError, StoreUnreachable
from eventstore.postgres_session import LOCK_MS, arguments, connect, translated, usable
from eventstore.sql import explain

PASSES_BEFORE_GIVING_UP = 3


class Readers:
    """Sessions for queries from any thread, some at once; they are opened as they are needed."""

    def __init__(self, url: str, schema: str, most: int) -> None:
        self._url, self._schema = url, schema
        self._pool = ConnectionPool(
            url,
            min_size=0,
            max_size=most,
            timeout=LOCK_MS / 1000,
            reconnect_timeout=LOCK_MS / 1000,
            kwargs=arguments(schema),
            check=usable,
            open=True,
            name=schema,
        )

    def fetch(self, sql: str, args: Sequence[Any] = ()) -> list[Any]:
        for left in reversed(range(PASSES_BEFORE_GIVING_UP)):
            failed = self._failures()
            try:
                with self._pool.connection() as session:
                    try:
                        cursor = session.cursor(binary=True)
                        return cursor.execute(translated(sql), args).fetchall()
                    except psycopg.Error:
                        if not left or not session.closed:
                            raise
            except PoolTimeout as problem:
                if self._failures() > failed:
                    raise self._cause(problem) from problem
                raise ReadersBusy(f"schema {self._schema}") from problem
            except psycopg.Error as problem:
                raise explain(problem) from problem
        raise AssertionError

    def _cause(self, problem: PoolTimeout) -> StoreError:
        """Why the pool could open no session, which it does not tell."""
        try:
            connect(self._url, self._schema).close()
        except psycopg.Error as said:
            return explain(said)
        return StoreUnreachable(str(problem))

    def _failures(self) -> int:
        return self._pool.get_stats().get("connections_errors", 0)

    def close(self) -> None:
        self._pool.close()
