"""Reading is noted before it is answered: searches by name, exports, texts that are opened.

What cannot be noted is not shown: the answer is the store's 503.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, Final
from uuid import UUID

from starlette.concurrency import run_in_threadpool

from api.system import System
from domain.commands.households import RevealHousehold
from domain.commands.revealing import RevealCaller, RevealObjection
from domain.world import Command
from projections.asking.paging import Page

HOUSEHOLDS: Final = "households"
"""The list whose rows are households themselves; rows of others name theirs."""
OPENED: Final = {
    RevealHousehold: ("household", "household"),
    RevealCaller: ("caller", "incident"),
    RevealObjection: ("objection", "village_list"),
}
"""Commands that open texts → what is opened, and the field with the id of the thing."""

Row = dict[str, Any]


def households_in(what: str, rows: Iterable[Row]) -> set[UUID]:
    """The households that rows of this list show."""
    ids = (row.get("household") or (row.get("id") if what == HOUSEHOLDS else None) for row in rows)
    return {UUID(str(id)) for id in ids if id}


def note_search(system: System, officer: UUID, what: str, text: str, found: Page) -> None:
    """Somebody looked for a name in this list, and is shown these rows."""
    system.readings.note(
        "search",
        what,
        officer=officer,
        at=system.store.clock.now(),
        found=len(found.items),
        shown=households_in(what, found.items),
        sought=text,
    )


def note_taken(system: System, officer: UUID, what: str, rows: Sequence[Row]) -> None:
    """Somebody takes these rows of this list away, as a sheet or on paper."""
    system.readings.note(
        "export",
        what,
        officer=officer,
        at=system.store.clock.now(),
        found=len(rows),
        shown=households_in(what, rows),
    )


def note_refused_rows(system: System, officer: UUID, rows: int) -> None:
    """Somebody takes away the rows of a list that an import refused: of no household yet."""
    system.readings.note(
        "export",
        "refused_rows",
        officer=officer,
        at=system.store.clock.now(),
        found=rows,
        shown=(),
    )


async def note_export(system: System, officer: UUID, what: str, rows: Sequence[Row]) -> None:
    """`note_taken`, on a thread that may wait."""
    await run_in_threadpool(note_taken, system, officer, what, rows)


def noting_export(
    system: System, officer: UUID, what: str, more: Callable[[str], Awaitable[Page]]
) -> Callable[[str], Awaitable[Page]]:
    """``more``, each of whose pages is noted before it is sent."""

    async def page(cursor: str) -> Page:
        found = await more(cursor)
        await note_export(system, officer, what, found.items)
        return found

    return page


def note_opened(system: System, officer: UUID, command: Command) -> None:
    """Texts are opened by this command, or once more while its reason holds. Nothing is noted of
    a command that opens none."""
    opened = OPENED.get(type(command))
    if opened is None:
        return
    what, field = opened
    system.readings.note(
        "unseal",
        what,
        officer=officer,
        at=system.store.clock.now(),
        found=1,
        shown=(getattr(command, field),),
    )
