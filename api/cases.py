"""What a command wants to be told before it is decided, as of the log's head."""

from dataclasses import replace

from starlette.concurrency import run_in_threadpool

from api.auth import Caller
from api.reads import wait_for
from domain.world import Command
from eventstore.outcomes import Envelope
from projections.asking.cases import cases_of, officers_in


def wants(command: Command) -> bool:
    """Whether it wants to be told anything."""
    return command.wants_cases_of() is not None or command.wants_posts_in() is not None


async def with_wanted(caller: Caller, envelope: Envelope) -> Envelope:
    """Raises a problem if the views do not come to the log's head in time."""
    household, area = envelope.command.wants_cases_of(), envelope.command.wants_posts_in()
    await wait_for(caller, await caller.system.head())
    with caller.system.reader() as db:
        if household is not None:
            cases = await run_in_threadpool(cases_of, db, household)
            envelope = replace(envelope, cases=cases)
        if area is not None:
            officers = await run_in_threadpool(officers_in, db, area)
            envelope = replace(envelope, officers=officers)
    return envelope
