"""What is said to be open is never refused for the state of its subject, and what is said to be
closed never goes through (decision 0070).

In every state in which a fact of the store of everything left a subject, each command of its kind
is asked whether it is closed, and then decided without that question, with the words of a command
of the story. So by its sender, and by whoever did the last step, whom four eyes may stop.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from itertools import groupby
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from domain.area import AreaAbolished
from domain.base import OWNERS
from domain.casualty_record import WrongFate
from domain.catalog import AGGREGATES
from domain.commands.coming_first import ComingFirst, coming_first
from domain.commands.connecting import NobodysProvider
from domain.commands.consignments import ArriveConsignment, OrderConsignment, ShipConsignment
from domain.commands.disasters import CloseDisaster, StabilizeDisaster
from domain.commands.following import NotMerged
from domain.commands.id_numbers import ExcusedFromAbove
from domain.commands.incidents import AcknowledgeAssignment, AssignUnit
from domain.commands.logins import NobodysFactor
from domain.commands.notices import PostSecondNotice
from domain.commands.payments import PayList
from domain.commands.subjects import NO_SUBJECT, SUBJECTS
from domain.commands.undoing import UNDO
from domain.commands.village_lists import ApproveList, ReviewList
from domain.consignment import NothingDamaged
from domain.grants import NothingDue, NothingHeld, NothingToGrant
from domain.house_damage import DamageWithdrawn
from domain.household import HouseholdMerged
from domain.money import FundEmpty, NothingToReturn
from domain.officer import AlreadySuspended, NotSuspended, SuspendedOfficerChosen
from domain.post_proposal import ProposalDecided, TakenOtherwise
from domain.posts import OwnPosts
from domain.refusal import NotYourRole, Refusal
from domain.report_refusals import (
    AcceptedNotWithdrawn,
    AlreadyIssued,
    AlreadyReviewed,
    IssuesOwnReport,
    NoJumpToExplain,
    NothingReturned,
    NothingToMakeUp,
    NotTheSeat,
    ReportWithdrawn,
    ReturnedFiguresRepeated,
)
from domain.season import SeasonClosed
from domain.separation import SamePersonTwice
from domain.telling import STATES
from domain.unit import UnitOffDuty, UnitOnDuty
from domain.world import About, Command, Role
from eventstore.deciding import DecisionWorld, authorized, settled
from eventstore.outcomes import Envelope
from eventstore.store import Recorded, Store
from tests.domain.test_reasons import commands
from tests.everything import copy_of_everything, sent

TIMES = 4
"""How often a kind is looked at in one state: other subjects in it may stand elsewhere."""

STATE_FIELDS = {"needed", "stage", "phase", "state"}


@dataclass(frozen=True)
class Tried:
    """A command asked and decided in one state of its subject."""

    command: type[Command]
    words: Command
    id: UUID
    state: str
    said: Refusal | None
    met: Refusal | None

    def __str__(self) -> str:
        return f"{self.command.__name__} at {self.state}: said {self.said!r}, met {self.met!r}"

    @property
    def of_state(self) -> bool:
        """Whether what it met speaks of the state of the subject, and of no part of it that the
        command names beside."""
        about, met = self.command.about, self.met
        assert about is not None
        if met is None or met.status != 409 or getattr(met, about.field, None) != self.id:
            return False
        told = met.facts()
        said = [getattr(self.words, one.name) for one in fields(self.words)]  # type: ignore[arg-type]
        parts = {one for one in said if isinstance(one, UUID)} - {self.id}
        names_a_part = any(isinstance(one, UUID) and one in parts for one in told.values())
        return bool(told.keys() & STATE_FIELDS) and not names_a_part


@pytest.fixture(scope="module")
def tried(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Tried]]:
    folder: Path = copy_of_everything(tmp_path_factory.mktemp("closed"))
    store = Store.at(folder, AGGREGATES)
    yield list(_all_tried(store, sent(folder)))
    store.close()


def _all_tried(store: Store, story: list[Envelope]) -> Iterator[Tried]:
    examples: dict[type[Command], Envelope] = {}
    for envelope in story:
        examples.setdefault(type(envelope.command), envelope)
    kinds = {subject.about.of: subject for subject in SUBJECTS.values()}
    seen: Counter[tuple[str, str]] = Counter()
    for recorded in _after_each_commit(store.read(0, 1_000_000)):
        subject = kinds.get(OWNERS[type(recorded.event)])
        if subject is None:
            continue
        id = recorded.event.originator_id
        state = subject.state(store.load(id, position=recorded.position))
        seen[subject.about.kind, state] += 1
        if seen[subject.about.kind, state] <= TIMES:
            for command in subject.commands:
                if command in examples and command.roles - {Role.SYSTEM}:
                    yield from _tried(store, recorded, subject.about, state, examples[command])


def _after_each_commit(facts: list[Recorded]) -> Iterator[Recorded]:
    """The last fact of each stream in each commit, as if it stood at the commit's end."""
    for _, group in groupby(facts, lambda one: one.event.meta.command):
        commit = list(group)
        newest = {one.event.originator_id: one for one in commit}
        for one in newest.values():
            yield one._replace(position=commit[-1].position)


def _tried(
    store: Store, recorded: Recorded, about: About, state: str, example: Envelope
) -> Iterator[Tried]:
    id = recorded.event.originator_id
    words: Command = replace(example.command, **{about.field: id})  # type: ignore[type-var]
    thing = store.load(id, position=recorded.position)
    named = {
        field: part for field, part in words.path_fields(thing).items() if hasattr(words, field)
    }
    words = replace(words, **named)  # type: ignore[type-var]
    for officer in {example.officer, recorded.event.meta.actor}:
        said, met = (
            _refusal(store, recorded, words, officer, ask=ask) for ask in (_closed, _decided)
        )
        if not isinstance(said, NotHere):
            yield Tried(type(words), words, id, state, said, met)


class NotHere(Refusal):
    """The officer may not do this here: nobody asks what is open to them."""


def _closed(world: DecisionWorld, words: Command) -> None:
    about = words.about
    assert about is not None
    refusal = words.closed(world, world.get(about.of, getattr(words, about.field)))
    if refusal is not None:
        raise refusal


def _decided(world: DecisionWorld, words: Command) -> None:
    settled(words, lambda: world.training).decide(world)


def _refusal(
    store: Store, recorded: Recorded, words: Command, officer: UUID | None, *, ask: Any
) -> Refusal | None:
    world = store.world(recorded.position)
    world.now = recorded.event.meta.recorded_at
    mark = store.vault.mark()
    try:
        try:
            world.actor = authorized(world, words, officer)
        except Refusal:
            return NotHere()
        ask(world, words)
    except Refusal as refusal:
        return refusal
    finally:
        store.vault.undo(mark)
    return None


def test_every_command_is_about_one_kind_of_thing_or_says_why_not() -> None:
    told = Counter(one for subject in SUBJECTS.values() for one in subject.commands)
    assert not [one.__name__ for one, times in told.items() if times > 1]
    assert not told.keys() & NO_SUBJECT.keys()
    known = {one.__name__ for one in (*told, *NO_SUBJECT)}
    ours = (one for one in commands() if one.__module__.startswith("domain."))
    rest = {one.__name__ for one in ours} - known
    assert not rest, sorted(rest)
    assert all(reason.strip() for reason in NO_SUBJECT.values())
    for subject in SUBJECTS.values():
        assert {one.about for one in subject.commands} == {subject.about}
        names = {one.name for command in subject.commands for one in fields(command)}  # type: ignore[arg-type]
        assert subject.about.field in names


def test_of_every_step_is_said_what_takes_it_back() -> None:
    steps = {
        one
        for subject in SUBJECTS.values()
        for one in subject.commands
        if one.roles - {Role.SYSTEM}
    }
    assert UNDO.keys() == steps
    assert all(undo.zh and undo.en for undo in UNDO.values())


def test_what_is_open_is_not_refused_for_the_state_of_its_subject(tried: list[Tried]) -> None:
    kinds_said = {(one.command, type(one.said)) for one in tried if one.said is not None}
    wrong = [
        str(one)
        for one in tried
        if one.said is None and (one.of_state or (one.command, type(one.met)) in kinds_said)
    ]
    assert not wrong, "\n".join(wrong[:30])


def test_what_is_closed_does_not_go_through(tried: list[Tried]) -> None:
    wrong = [str(one) for one in tried if one.said is not None and one.met is None]
    assert not wrong, "\n".join(wrong[:30])


def test_every_kind_was_seen_in_its_states(tried: list[Tried]) -> None:
    seen = {(one.command.about.kind, one.state) for one in tried if one.command.about}
    assert {kind for kind, _ in seen} == SUBJECTS.keys()
    assert {state for _, state in seen} <= STATES.keys()
    said = {one.command for one in tried if one.said is not None}
    assert said, "something is closed somewhere"


SAYS_ALL: Mapping[type[Refusal], str] = {
    AcceptedNotWithdrawn: "it says what is done instead",
    AlreadyIssued: "it is done",
    AlreadyReviewed: "it is done",
    AlreadySuspended: "it is done",
    AreaAbolished: "it is no more",
    DamageWithdrawn: "it is no more",
    ExcusedFromAbove: "it says who does it",
    FundEmpty: "it says where the money went",
    HouseholdMerged: "it says where to go on",
    IssuesOwnReport: "it says who does it",
    NoJumpToExplain: "there is nothing to do",
    NobodysFactor: "there is nothing to take away",
    NobodysProvider: "there is nothing to take away",
    NotMerged: "nothing moves with it",
    NotSuspended: "there is nothing to lift",
    NotTheSeat: "it says who does it",
    NotYourRole: "it says who does it",
    NothingDamaged: "there is nothing to write off",
    NothingDue: "it says what is done instead",
    NothingHeld: "there is nothing to decide",
    NothingReturned: "it says what is done instead",
    NothingToGrant: "there is nothing to hand out",
    NothingToMakeUp: "there is nothing to make up",
    NothingToReturn: "there is nothing to return",
    OwnPosts: "nobody does it for themselves",
    ProposalDecided: "it is done",
    ReportWithdrawn: "it says what is done instead",
    ReturnedFiguresRepeated: "it says what is done instead",
    SamePersonTwice: "it says who does it",
    SeasonClosed: "it is over",
    SuspendedOfficerChosen: "it says why nobody chooses them",
    TakenOtherwise: "it says what is done instead",
    UnitOffDuty: "it is done",
    UnitOnDuty: "it is done",
    WrongFate: "it says whom the change is for",
}
"""Refusals before which no step stands, and why."""


def test_each_closed_step_names_the_step_that_comes_before_it(tried: list[Tried]) -> None:
    """A sentence alone, as "this cannot be done now", leaves an officer to guess."""
    bare, named = [], set()
    for one in tried:
        if one.said is None:
            continue
        found = coming_first(one.command, one.said, one.state)
        named |= {type(one.said)} if found.steps or found.over else set()
        if not found.steps and not found.over and type(one.said) not in SAYS_ALL:
            bare.append(str(one))
        assert one.command not in found.steps, f"{one} comes before itself"
        assert all(step.roles - {Role.SYSTEM} for step in found.steps), "somebody takes it"
    assert not bare, "\n".join(bare[:30])
    assert not named & SAYS_ALL.keys(), "one way to say it"


@pytest.mark.parametrize(
    ("command", "state", "first"),
    [
        (ArriveConsignment, "ordered", ShipConsignment),
        (CloseDisaster, "open", StabilizeDisaster),
        (ApproveList, "draft", ReviewList),
        (AcknowledgeAssignment, "triaged", AssignUnit),
        (PayList, "allocated", PostSecondNotice),
        (OrderConsignment, "arrived", None),
        (StabilizeDisaster, "stabilized", None),
    ],
)
def test_what_comes_before_a_closed_step(
    tried: list[Tried], command: type[Command], state: str, first: type[Command] | None
) -> None:
    said = [one for one in tried if (one.command, one.state) == (command, state) and one.said]
    answers = [coming_first(one.command, one.said, one.state) for one in said if one.said]
    wanted = ComingFirst((first,)) if first else ComingFirst(over=True)
    assert wanted in answers
