"""The library's cases for recorders, on SQLite and on PostgreSQL."""

import tempfile
from contextlib import ExitStack
from pathlib import Path
from uuid import uuid4

import pytest
from eventsourcing.persistence import StoredEvent

from cli.trial.postgres import PostgresServer
from eventstore.log import Log
from eventstore.postgres import PostgresLog
from eventstore.sqlite import SQLiteLog
from tests.clusters import founded
from tests.eventstore import contract_recorder as cases


def on_sqlite(stack: ExitStack) -> Log:
    folder = stack.enter_context(tempfile.TemporaryDirectory())
    return SQLiteLog(Path(folder) / "log.sqlite")


class TestAggregateRecorderOnSQLite(cases.AggregateRecorderCases):
    make = staticmethod(on_sqlite)


class TestApplicationRecorderOnSQLite(cases.ApplicationRecorderCases):
    make = staticmethod(on_sqlite)


class TestNonInterleavingOnSQLite(cases.NonInterleavingCases):
    make = staticmethod(on_sqlite)


@pytest.fixture(scope="class")
def on_postgres(request: pytest.FixtureRequest, postgres: PostgresServer) -> None:
    def make(stack: ExitStack) -> Log:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        return PostgresLog(stack.enter_context(founded(postgres, Path(folder))).urls.database)

    request.cls.make = staticmethod(make)


@pytest.mark.usefixtures("on_postgres")
class TestAggregateRecorderOnPostgres(cases.AggregateRecorderCases):
    pass


@pytest.mark.usefixtures("on_postgres")
class TestApplicationRecorderOnPostgres(cases.ApplicationRecorderCases):
    pass


@pytest.mark.usefixtures("on_postgres")
class TestNonInterleavingOnPostgres(cases.NonInterleavingCases):
    pass


def test_a_stream_is_selected_in_its_bounds(tmp_path: Path) -> None:
    log = SQLiteLog(tmp_path / "log.sqlite")
    stream = uuid4()
    log.insert_events([StoredEvent(stream, n, "topic", b"{}") for n in range(5)])

    def versions(**asked: int | bool) -> list[int]:
        return [one.originator_version for one in log.select_events(stream, **asked)]  # type: ignore[arg-type]

    assert versions() == [0, 1, 2, 3, 4]
    assert versions(gt=1, lte=3) == [2, 3]
    assert versions(desc=True, limit=2) == [4, 3]
    assert versions(gt=0, limit=1) == [1]
    log.close()
