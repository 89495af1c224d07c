"""Whether a report that was just filed is likely one that stands already.

Nothing that saves lives is refused: the report is kept, and whoever sent it is asked, here in the
answer and on the pages of the report and of its review.
"""

from typing import Any, Protocol
from uuid import UUID

from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool

from api.auth import Caller
from domain.world import Command
from projections.report_queries import likely_same_reports

SECONDS = 1.0
"""How long an answer waits for the views at most: the report itself is durable by then."""


class AboutReport(Protocol):
    """A command that says when and of what kind a report's occurrence was."""

    report: UUID


async def likely_same(caller: Caller, command: Command, position: int) -> dict[str, Any]:
    """``likely_same``: other reports of that area and hazard, at most an hour apart.

    None if the views have not come to ``position`` yet: nobody knows.
    """
    about: AboutReport = command  # type: ignore[assignment]
    system = caller.system
    if not await system.waiting.until(position, min(SECONDS, system.after_wait_seconds)):
        return {"likely_same": None}
    scope = caller.scope(command.roles, None)

    def ask() -> list[dict[str, Any]] | None:
        try:
            with system.reader() as db:
                return likely_same_reports(db, scope, report=about.report)
        except SQLAlchemyError:
            return None  # the report stands: a board that fails must not look like a refusal

    return {"likely_same": await run_in_threadpool(ask)}
