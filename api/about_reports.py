"""What the boards know beside a report that was just filed or accepted.

Whether it is likely one that stands already, and what the areas below had accepted and it does not
say. The command itself finds their reports only through a disaster; the boards also find those of
a report on none (decision 0040).
Nothing that saves lives is refused: the report is kept, and whoever sent it is asked, here in the
answer and on the pages of the report and of its review.
"""

from collections.abc import Callable
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool

from api.auth import Caller
from domain.world import Command
from projections.asking.report_queries import likely_same_reports, situation_report
from projections.asking.scope import Scope

Found = dict[str, Any]

SECONDS = 1.0
"""How long an answer waits for the views at most: the report itself is durable by then."""


class AboutReport(Protocol):
    """A command about one report."""

    report: UUID


async def likely_same(caller: Caller, command: Command, position: int) -> Found:
    """``likely_same``: other reports of that area and hazard, at most an hour apart: the first.

    None if the views have not come to ``position`` yet: nobody knows. ``parts``: see `parts_of`.
    """
    about: AboutReport = command  # type: ignore[assignment]

    def ask(db: Connection, scope: Scope) -> Found:
        twins, _ = likely_same_reports(db, scope, report=about.report)
        return {"likely_same": twins, "parts": _parts(db, scope, about.report)}

    found = await _asked(caller, command, position, ask)
    return {"likely_same": None, "parts": None} if found is None else found


async def parts_of(caller: Caller, command: Command, position: int) -> Found:
    """``parts``: what the areas below had accepted and the report does not say. None: see above.

    ``hidden``: dead and missing of all parts that are more than its own, each with ``own`` and
    ``parts``; ``less``: by the name of a part, the figures of its share that are smaller.
    """
    about: AboutReport = command  # type: ignore[assignment]

    def ask(db: Connection, scope: Scope) -> Found:
        return {"parts": _parts(db, scope, about.report)}

    found = await _asked(caller, command, position, ask)
    return {"parts": None} if found is None else found


async def _asked(
    caller: Caller,
    command: Command,
    position: int,
    question: Callable[[Connection, Scope], Found],
) -> Found | None:
    system = caller.system
    if not await system.waiting.until(position, min(SECONDS, system.after_wait_seconds)):
        return None
    scope = caller.scope(command.roles, None)

    def ask() -> Found | None:
        try:
            with system.reader() as db:
                return question(db, scope.on(db))
        except SQLAlchemyError:
            return None  # the report stands: a board that fails must not look like a refusal

    return await run_in_threadpool(ask)


def _parts(db: Connection, scope: Scope, report: UUID) -> Found | None:
    found = situation_report(db, scope, report=report)
    if found is None:
        return None
    own = found["versions"][-1]["figures"]
    return {
        "hidden": {
            key: {"own": own.get(key), "parts": found["sums"][key]} for key in found["hidden"]
        },
        "less": {one["name"]: one["less"] for one in found["parts"] if one["less"]},
    }
