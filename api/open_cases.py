"""Whether an offer to move a household to another county names all that is open there.

A household's stream does not know its relief cases, and a command finds a case by its id only. The
ledger knows them, so the edge asks it before the offer is decided, as of the log's head: so the new
county is told of all of them.
"""

from uuid import UUID

from sqlalchemy import select
from starlette.concurrency import run_in_threadpool

from api.auth import Caller
from api.reads import wait_for
from domain.commands.household_moves import OfferHouseholdMove
from domain.household_move import OpenCasesLeftOut
from domain.relief_case import Stage
from domain.world import Command
from projections.households import HOUSEHOLDS
from projections.ledger import LEDGER

SETTLED = (str(Stage.REFUSED), str(Stage.CLOSED))


async def all_open_cases_named(caller: Caller, command: Command) -> None:
    """Raises `OpenCasesLeftOut`, or a problem if the ledger does not come to the log's head.

    An officer without a post for it is let through: the command refuses them, and tells nothing of
    households elsewhere.
    """
    assert isinstance(command, OfferHouseholdMove)
    if command.roles.isdisjoint(caller.roles()):
        return
    offer: OfferHouseholdMove = command
    scope = caller.scope(command.roles, None)
    await wait_for(caller, await caller.system.head())

    def left_out() -> tuple[list[UUID], str]:
        head = HOUSEHOLDS.c.head_masked
        query = (
            select(LEDGER.c.id, head)
            .join(HOUSEHOLDS, HOUSEHOLDS.c.id == LEDGER.c.household)
            .where(
                LEDGER.c.household == str(offer.household),
                LEDGER.c.status.not_in(SETTLED),
                scope.covers(LEDGER.c.area),
            )
        )
        with caller.system.reader() as db:
            rows = db.execute(query.order_by(LEDGER.c.id)).all()
        missing = [UUID(row[0]) for row in rows if UUID(row[0]) not in offer.cases]
        return missing, rows[0][1] if rows else ""

    missing, head = await run_in_threadpool(left_out)
    if missing:
        raise OpenCasesLeftOut(
            household=offer.household, head=head, count=len(missing), cases=tuple(missing)
        )
