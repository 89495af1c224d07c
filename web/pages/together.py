"""Steps that one press may take for many village lists: notices, and the payment of approved lists.

Each list by itself, as if its own button had been pressed: what one is refused for stops no other.
Nothing that is decided or judged is here: no approval, objection, contest, nor a report with dead
or missing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID, uuid4

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from api.auth import Caller
from api.known_at import moment_asked
from api.observing import correlation_of
from api.officer_lists import run_rows, why_not
from domain.commands.notices import PostNotice, PostSecondNotice
from domain.commands.payments import PayList
from domain.world import Command, Role
from eventstore.outcomes import Envelope, Receipt
from projections.lists import village_lists
from web.parts import Desk
from web.ticked import Ticked

ROWS: Final = 100
"""Lists on one page, taken on by one press; the next page has the next ones."""
BYTES: Final = ROWS * 120 + 1000
MOST_LISTS: Final = 5000


@dataclass(frozen=True, slots=True)
class Together:
    """A step that may be taken for many. ``make``: of the list, of the version that was seen, and
    of the number of the paper that goes for all of them."""

    roles: frozenset[Role]
    make: Callable[[UUID, int, str], Command]
    paper: bool = False
    money: bool = False


def _pay(village_list: UUID, seen: int, paper: str) -> Command:
    return PayList(village_list=village_list, document_no=paper, expected_version=seen)


TOGETHER: Final[dict[str, Together]] = {
    "village_list_post": Together(
        PostNotice.roles, lambda one, _, __: PostNotice(village_list=one)
    ),
    "village_list_post_second": Together(
        PostSecondNotice.roles, lambda one, _, __: PostSecondNotice(village_list=one)
    ),
    "village_list_pay": Together(PayList.roles, _pay, paper=True, money=True),
}


async def offered(
    desk: Desk, matter: str, items: list[dict[str, Any]], *, least: int = 2
) -> dict[str, Any] | None:
    """What the form of many shows: ``rows`` (items with ``box``, and ``due_fen`` of a payment) and
    ``key``; None where fewer than ``least`` wait, or the step is one to be looked at each time."""
    step = TOGETHER.get(matter)
    if step is None or len(items) < least or moment_asked() is not None:
        return None
    due = await _due(desk) if step.money else {}

    def boxed() -> list[dict[str, Any]]:
        rows, log = [], desk.caller.system.store.log
        for one in items[:ROWS]:
            seen = log.version_at(UUID(one["subject"]), desk.position)
            box = f"{one['subject']} {seen}"
            rows.append({**one, "box": box, "due_fen": due.get(one["subject"])})
        return rows

    rows = await run_in_threadpool(boxed)
    return {"rows": rows, "key": uuid4(), "paper": step.paper, "money": step.money}


async def _due(desk: Desk) -> dict[str, int]:
    """What is granted and not yet paid, by list."""
    training = desk.caller.system.store.training
    found, _ = await desk.ask_all(
        village_lists, most=MOST_LISTS, status="allocated", exercise=training
    )
    return {one["id"]: one["cash_fen"] - one["paid_fen"] for one in found}


def taken(
    request: Request, caller: Caller, matter: str, key: UUID, ticked: list[Ticked], paper: str
) -> dict[str, Any]:
    """Take the step of each. ``done``: which; ``paid_fen`` and ``held`` (households that must
    wait) of payments; ``refused``: why, by list. The same key again does nothing again."""
    store, step = caller.system.store, TOGETHER[matter]
    envelopes = [
        Envelope(
            id=store.system_command_id("together", key, one.id),
            officer=caller.id,
            command=step.make(one.id, one.version, paper),
            correlation=correlation_of(request),
        )
        for one in ticked
    ]
    told = dict(zip((str(one.id) for one in ticked), run_rows(store, envelopes), strict=True))
    done = {id: answer for id, answer in told.items() if isinstance(answer, Receipt)}
    return {
        "done": set(done),
        "paid_fen": sum(one.result.get("paid_fen", 0) for one in done.values()),
        "held": sum(len(one.result.get("held", ())) for one in done.values()),
        "refused": {
            id: why_not(answer) for id, answer in told.items() if not isinstance(answer, Receipt)
        },
    }
