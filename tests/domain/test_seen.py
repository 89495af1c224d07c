"""Who changes or decides on what they saw is refused when it has changed since.

Each such command of the store of everything is decided once more as of the moment before it was
sent: with the version that its sender saw it goes through, with one that is gone it is refused.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from api.routes_writes import WRITES
from api.writes import takes_version
from domain.catalog import AGGREGATES
from domain.commands.reports import FileVerifiedOnBehalf, PhoneInFollowUp
from domain.commands.village_lists import AppraiseOnBehalf
from domain.refusal import ChangedMeanwhile, MovedOn, Refusal
from domain.world import Command
from eventstore.deciding import decide
from eventstore.outcomes import Envelope
from eventstore.store import Store
from tests.everything import copy_of_everything, sent

GONE = 100_000
COMMANDS = {write.command for write in WRITES}
GUARDED = {one for one in COMMANDS if takes_version(one)}

TRIED_ELSEWHERE = {AppraiseOnBehalf, FileVerifiedOnBehalf, PhoneInFollowUp}
"""The store of everything has none: `tests/web/test_on_behalf.py`, `tests/api/test_writes.py`."""


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Store, list[Envelope]]]:
    folder: Path = copy_of_everything(tmp_path_factory.mktemp("seen"))
    found = Store.at(folder, AGGREGATES)
    yield found, sent(folder)
    found.close()


def refusal(store: Store, position: int, envelope: Envelope, command: Command) -> Refusal | None:
    world = store.world(position)
    mark = store.vault.mark()
    try:
        world.now = envelope.at or world.now
        decide(world, command, envelope.officer)
    except Refusal as found:
        return found
    finally:
        store.vault.undo(mark)
    return None


def test_a_version_that_is_gone_is_refused(store: tuple[Store, list[Envelope]]) -> None:
    log, story = store
    began: dict[object, int] = {}
    for fact in log.read(0, log.head()):
        began.setdefault(fact.event.meta.command, fact.position)
    tried = set()
    for envelope in story:
        command = envelope.command
        if type(command) not in GUARDED or type(command) in tried or envelope.id not in began:
            continue
        before = began[envelope.id] - 1
        stale = replace(command, expected_version=GONE)
        met = refusal(log, before, envelope, stale)
        assert isinstance(met, MovedOn | ChangedMeanwhile), f"{command}: {met!r}"
        assert met.status == 412
        assert refusal(log, before, envelope, replace(command, expected_version=None)) is None
        tried.add(type(command))
    assert GUARDED - tried == TRIED_ELSEWHERE, "no command of the story tries the rest"


def test_what_overwrites_values_that_a_person_saw_asks_for_the_version() -> None:
    """New ones of the kind are seen here: a command that corrects, changes or counts anew."""
    verbs = ("Correct", "Regrade", "Categorize", "Recount", "Allocate", "Approve", "Review")
    ask = {one for one in COMMANDS if one.__name__.startswith(verbs)}
    assert {one.__name__ for one in ask - GUARDED} == set()
