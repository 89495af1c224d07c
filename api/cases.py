"""What a command wants to be told before it is decided, as of the log's head."""

from dataclasses import replace

from starlette.concurrency import run_in_threadpool

from api.auth import Caller
from api.reads import wait_for
from api.system import System
from domain.world import Command
from eventstore.outcomes import Envelope
from projections.asking.cases import cases_of, officers_in, unlisted_in


def wants(command: Command) -> bool:
    """Whether it wants to be told anything."""
    asked = (command.wants_cases_of(), command.wants_posts_in(), command.wants_unlisted_in())
    return any(one is not None for one in asked)


async def with_wanted(caller: Caller, envelope: Envelope) -> Envelope:
    """Raises a problem if the views do not come to the log's head in time."""
    await wait_for(caller, await caller.system.head())
    return await run_in_threadpool(_told, caller.system, envelope)


def _told(system: System, envelope: Envelope) -> Envelope:
    """Whole in one thread: who held a connection while waiting for a thread would wait for those
    whose threads wait for a connection."""
    command = envelope.command
    household, area = command.wants_cases_of(), command.wants_posts_in()
    season = command.wants_unlisted_in()
    with system.reader() as db:
        if household is not None:
            envelope = replace(envelope, cases=cases_of(db, household))
        if area is not None:
            envelope = replace(envelope, officers=officers_in(db, area))
        if season is not None:
            envelope = replace(envelope, villages=unlisted_in(db, season))
    return envelope
