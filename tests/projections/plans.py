"""How SQLite goes about the questions that are asked, as `EXPLAIN QUERY PLAN` tells it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, event


@contextmanager
def explained(db: Connection) -> Iterator[list[str]]:
    """The plan of each statement that is executed meanwhile, a step a line."""
    plans: list[str] = []

    def told(_: Any, __: Any, statement: str, given: Any, *more: Any) -> None:
        if statement.startswith(("WITH", "SELECT")):
            raw: Any = db.connection.dbapi_connection
            steps = raw.execute(f"EXPLAIN QUERY PLAN {statement}", given)
            plans.append("\n".join(step[3] for step in steps))

    event.listen(db, "before_cursor_execute", told)
    try:
        yield plans
    finally:
        event.remove(db, "before_cursor_execute", told)
