"""Several prepared statements in one journey to PostgreSQL, by libpq's pipeline.

For what the writer does under the order lock, where each journey is waited for by all processes.
psycopg's own pipeline costs the client more than the journeys it saves; here arguments and answers
stay in PostgreSQL's binary format (`int8`, `array`; bytes and texts are as they are).
"""

from collections.abc import Iterable, Sequence
from struct import Struct
from typing import Any

import psycopg
from psycopg import pq
from psycopg.errors import InvalidSqlStatementName, error_from_result
from psycopg.generators import fetch_many, send

Statement = tuple[str, Sequence[bytes]]
"""SQL with marks ``$1::type`` …, and their values; it is prepared once if it has any."""

BYTEA, INT8, INT4, TEXT = 17, 20, 23, 25
BINARY = pq.Format.BINARY
FAILED = pq.ExecStatus.FATAL_ERROR
END = pq.ExecStatus.PIPELINE_SYNC
_dimension = Struct("!iiiii").pack
_length = Struct("!i").pack
_long = Struct("!q")
int4, int8 = _length, _long.pack


def int4_of(value: bytes) -> int:
    return int.from_bytes(value, "big", signed=True)


def int8_of(value: bytes) -> int:
    return int(_long.unpack(value)[0])


def array(kind: int, values: Sequence[bytes]) -> bytes:
    """A one-dimensional array of the type with this id."""
    if not values:
        return _dimension(0, 0, kind, 0, 0)[:12]
    parts = [_dimension(1, 0, kind, len(values), 1)]
    for value in values:
        parts += (_length(len(value)), value)
    return b"".join(parts)


def rows_of(found: pq.abc.PGresult) -> list[tuple[Any, ...]]:
    """The rows of an answer, each value in PostgreSQL's binary format."""
    columns, value = range(found.nfields), found.get_value
    return [tuple([value(row, column) for column in columns]) for row in range(found.ntuples)]


class Journeys:
    """The journeys of one session, for one thread at a time. What breaks one ends the session."""

    def __init__(self, session: psycopg.Connection[Any]) -> None:
        self._session, self._server = session, session.pgconn
        self._names: dict[str, bytes] = {}
        self._made = 0
        self._new: list[str] = []
        self._sent: list[bool] = []

    @property
    def under_way(self) -> bool:
        """Whether something was sent whose answer nobody has waited for."""
        return bool(self._sent)

    def send(self, statements: Iterable[Statement]) -> None:
        """Let these run, in order, by `finish` at the latest. Only these two may come next."""
        try:
            if not self._sent:
                self._server.enter_pipeline_mode()
            for sql, values in statements:
                if values:
                    name = self._names.get(sql) or self._prepare(sql)
                    self._server.send_query_prepared(name, values, [BINARY] * len(values), BINARY)
                else:  # BEGIN, COMMIT: nothing to be planned
                    self._server.send_query_params(sql.encode(), None, result_format=BINARY)
                self._sent.append(True)
        except BaseException:
            self._break_off()
            raise

    def finish(self) -> list[pq.abc.PGresult]:
        """The answers to all that was sent. Raises the first error: what came later never ran."""
        try:
            self._server.pipeline_sync()
            self._session.wait(send(self._server))
            answers = self._answers()
            self._server.exit_pipeline_mode()
        except BaseException:
            self._break_off()
            raise
        wanted = [answer for answer, told in zip(answers, self._sent, strict=True) if told]
        self._sent.clear()
        failed = [answer for answer in answers if answer.status == FAILED]
        if failed:
            for sql in self._new:  # whether they were prepared is not known
                del self._names[sql]
        self._new.clear()
        if not failed:
            return wanted
        problem = error_from_result(failed[0])
        if isinstance(problem, InvalidSqlStatementName):  # somebody deallocated them
            self._session.close()
        raise problem

    def _prepare(self, sql: str) -> bytes:
        self._made += 1
        name = self._names[sql] = f"relief_{self._made}".encode()
        self._new.append(sql)
        self._server.send_prepare(name, sql.encode())
        self._sent.append(False)
        return name

    def _answers(self) -> list[pq.abc.PGresult]:
        found: list[pq.abc.PGresult] = []
        while True:
            answers = self._session.wait(fetch_many(self._server))
            if not answers:
                raise psycopg.OperationalError("the session was lost")
            if answers[0].status == END:
                return found
            found += answers

    def _break_off(self) -> None:
        self._sent.clear()
        self._session.close()
