"""The relief cases that a command wants to be told, as of the log's head."""

from dataclasses import replace

from starlette.concurrency import run_in_threadpool

from api.auth import Caller
from api.reads import wait_for
from eventstore.outcomes import Envelope
from projections.asking.cases import cases_of


async def with_cases(caller: Caller, envelope: Envelope) -> Envelope:
    """Raises a problem if the ledger does not come to the log's head in time."""
    household = envelope.command.wants_cases_of()
    assert household is not None
    await wait_for(caller, await caller.system.head())
    with caller.system.reader() as db:
        cases = await run_in_threadpool(cases_of, db, household)
    return replace(envelope, cases=cases)
