"""What hangs on a merged village moves to its successor, a few things a commit.

The merger itself is one commit. What follows is many small ones, each of what is still there: a
run that was killed is given again and goes on where it stopped.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

from api.system import System
from domain.commands.following import FollowMerger, PostInput
from eventstore.outcomes import Envelope
from projections.asking.belongings import belongings, still_there
from projections.asking.scope import EVERYTHING

WAIT_SECONDS = 30.0
AT_ONCE = 50
"""Things of a kind that move in one commit."""


def caught_up(system: System) -> None:
    """Wait until the boards have all that is in the log."""
    system.boards.wait_for(system.store.head(), WAIT_SECONDS)


def belongings_now(system: System, village: UUID) -> dict[str, Any]:
    """How much hangs on a village now; see `projections.asking.belongings`."""
    caught_up(system)
    with system.reader() as db:
        found = belongings(db, EVERYTHING, village=village, at=system.store.clock.now())
    assert found is not None
    return found


def following(
    system: System,
    officer: UUID | None,
    origin: UUID,
    document_no: str,
    at_once: int = AT_ONCE,
) -> Iterator[Counter[str]]:
    """Move what is still there; after each commit, what it moved. Ends when nothing moves.

    Raises `Refused` for what the domain refuses; nothing of that commit is done then.
    """
    while True:
        caught_up(system)
        with system.reader() as db:
            at = system.store.clock.now()
            there = still_there(db, EVERYTHING, origin, at, limit=at_once)
        if not any(there.values()):
            return
        command = FollowMerger(
            area=origin,
            document_no=document_no,
            households=_ids(there["households"]),
            cases=_ids(there["cases"]),
            village_lists=_ids(there["village_lists"]),
            reports=_ids(there["reports"]),
            stockpiles=_ids(there["stockpiles"]),
            posts=tuple(
                PostInput(officer=UUID(p["officer"]), appointment=UUID(p["appointment"]))
                for p in there["posts"]
            ),
        )
        receipt = system.store.run(Envelope(id=uuid4(), officer=officer, command=command))
        if not any(receipt.result.values()):
            return
        yield Counter(receipt.result)


def _ids(found: list[str]) -> tuple[UUID, ...]:
    return tuple(UUID(id) for id in found)
