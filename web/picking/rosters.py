"""Places of a report's roster, and what a row says now."""

from typing import Any
from uuid import UUID

from starlette.concurrency import run_in_threadpool

from web.forms.form import Matter, Option
from web.picking.places import below


async def places(matter: Matter) -> list[Option]:
    """The report's area and those below it, by the level above."""
    return await run_in_threadpool(below, matter.desk.caller, (UUID(matter.known["area"]),))


async def here(matter: Matter) -> dict[str, Any]:
    """The report's area, until another one is chosen; who is put down lives there."""
    return {"area": matter.known["area"], "resident": True}


async def as_graded(matter: Matter) -> dict[str, Any]:
    """Grade and rooms of the row, to be changed."""
    row = matter.known["row"]
    return {"grade": row["grade"], "rooms": row["rooms"]}
