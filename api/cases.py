"""What a command wants to be told before it is decided, as of the log's head."""

from dataclasses import replace

from starlette.concurrency import run_in_threadpool

from api.auth import Caller
from api.reads import wait_for
from domain.world import Command
from eventstore.outcomes import Envelope
from projections.asking.cases import cases_of, officers_in, unlisted_in


def wants(command: Command) -> bool:
    """Whether it wants to be told anything."""
    asked = (command.wants_cases_of(), command.wants_posts_in(), command.wants_unlisted_in())
    return any(one is not None for one in asked)


async def with_wanted(caller: Caller, envelope: Envelope) -> Envelope:
    """Raises a problem if the views do not come to the log's head in time."""
    household, area = envelope.command.wants_cases_of(), envelope.command.wants_posts_in()
    season = envelope.command.wants_unlisted_in()
    await wait_for(caller, await caller.system.head())
    with caller.system.reader() as db:
        if household is not None:
            cases = await run_in_threadpool(cases_of, db, household)
            envelope = replace(envelope, cases=cases)
        if area is not None:
            officers = await run_in_threadpool(officers_in, db, area)
            envelope = replace(envelope, officers=officers)
        if season is not None:
            villages = await run_in_threadpool(unlisted_in, db, season)
            envelope = replace(envelope, villages=villages)
    return envelope
