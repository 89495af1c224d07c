"""given / when / then over the real commands, in memory, with all rules on.

    def test_a_township_cannot_accept_its_own_report(county: Scenario) -> None:
        county.given(reported, by="village")
        county.when(AcceptReport(...), by="reporter").then(SamePersonTwice)

States are built by replaying commands, never by inserting rows. ``then`` takes event classes
(or event names) in order, or one `Refusal` class, which it returns for closer looks.
"""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import msgspec

from domain.area import Area, AreaLevel
from domain.base import Aggregate, Event, Meta, stamp
from domain.ids import seeded_id
from domain.lateness import NEVER_HELD, HeldSpan, HeldTime, joined
from domain.refusal import Refusal
from domain.relief_case import ReliefCase
from domain.season import Season
from domain.world import Command, Result, Sealed
from eventstore.deciding import DecisionWorld, authorized, closed, decide, pending

BORN = "b" * 32
"""The birth mark of the store."""


class MemoryVault:
    """A vault that keeps texts beside random boxes: the domain cannot tell the difference."""

    def __init__(self) -> None:
        self.tokens: dict[str, UUID] = {}
        self.texts: dict[bytes, tuple[UUID, UUID, str, str]] = {}

    def person_for(self, id_number: str, instead_of: UUID | None = None) -> UUID:
        known = self.tokens.get(id_number)
        if known is None or known == instead_of:
            known = self.tokens[id_number] = uuid4()
        return known

    def is_fresh(self, person: UUID) -> bool:
        return False

    def is_person(self, id: UUID) -> bool:
        return id in self.tokens.values()

    def new_person(self) -> UUID:
        return uuid4()

    def seal(self, person: UUID, stream: UUID, field: str, text: str) -> Sealed:
        box = uuid4().bytes
        self.texts[box] = (person, stream, field, text)
        return Sealed(person, box)

    def unseal(self, sealed: Sealed, stream: UUID, field: str) -> str | None:
        person, at, name, text = self.texts[sealed.box]
        assert (person, at, name) == (sealed.person, stream, field)
        return text


class Scenario:
    """A log in memory. Streams are replayed from encoded bytes, as the store would."""

    def __init__(self, now: datetime = datetime(2018, 7, 4, 8, tzinfo=UTC)) -> None:
        self.now = now
        self.held = NEVER_HELD
        self.vault = MemoryVault()
        self.streams: dict[UUID, list[tuple[type[Event], bytes]]] = {}
        self.facts: list[Event] = []
        self.officers: dict[str, UUID] = {}
        self.outcome: list[Event] | Refusal = []
        self.result: Result = {}

    def id(self, name: str) -> UUID:
        """A stable id for a readable name."""
        return seeded_id(name)

    def wait(self, **duration: float) -> "Scenario":
        self.now += timedelta(**duration)
        return self

    @property
    def clock_held(self) -> bool:
        return self.held.good_until is not None

    @clock_held.setter
    def clock_held(self, held: bool) -> None:
        """Held since just now, or again going as if it had never been."""
        self.held = HeldTime(self.now if held else None, self.held.spans)

    def leap(self, **duration: float) -> "Scenario":
        """The clock was held since now, and an operator has accepted that it is later."""
        good = self.now
        self.wait(**duration)
        spans = joined([*self.held.spans, HeldSpan(good, self.now)])
        self.held = HeldTime(None, spans)
        return self

    def load(self, kind: type[Any], id: UUID) -> Any:
        aggregate: Aggregate | None = None
        for event_class, body in self.streams.get(id, []):
            fact = msgspec.json.decode(body, type=event_class)
            aggregate = fact.mutate(aggregate)
        return aggregate

    def _cases(self, household: UUID | None) -> tuple[UUID, ...]:
        applied = (one for one in self.facts if isinstance(one, ReliefCase.Applied))
        return tuple(one.originator_id for one in applied if one.household == household)

    def _unlisted(self, season: UUID | None) -> tuple[UUID, ...]:
        if season is None:
            return ()
        areas = (one for one in self.facts if isinstance(one, Area.Established))
        villages = [one.originator_id for one in areas if one.level == AreaLevel.VILLAGE]
        lists = (one for one in self.facts if isinstance(one, Season.ListOpened))
        listed = {one.village for one in lists if one.originator_id == season}
        return tuple(one for one in villages if one not in listed)

    def _world(self, command: Command) -> DecisionWorld:
        return DecisionWorld(
            self.load,
            self.vault,
            self.now,
            uuid4(),
            held=self.held,
            cases=self._cases(command.wants_cases_of()),
            officers=tuple(self.officers.values()) if command.wants_posts_in() else (),
            villages=self._unlisted(command.wants_unlisted_in()),
            born=BORN,
        )

    def closed(self, command: Command, by: str | UUID | None = None) -> Refusal | None:
        """What a page is told of the command before it is sent."""
        world = self._world(command)
        officer = self.officers[by] if isinstance(by, str) else by
        world.actor = authorized(world, command, officer)
        return closed(world, command)

    def run(self, command: Command, by: str | UUID | None = None) -> list[Any]:
        """Decide and keep one command; ``by`` is an officer's name here or id, None the system."""
        officer = self.officers[by] if isinstance(by, str) else by
        world = self._world(command)
        command_id = world.command_id
        self.result = decide(world, command, officer)
        facts = pending(world)
        actor = world.actor
        for fact in facts:
            division = world.touched[fact.originator_id].division
            meta = Meta(
                actor.officer,
                actor.role,
                command_id,
                command_id,
                division,
                self.now,
                area=actor.area,
                clock_held=self.clock_held,
            )
            stamp(fact, meta)
            stream = self.streams.setdefault(fact.originator_id, [])
            assert fact.originator_version == len(stream) + 1
            stream.append((type(fact), msgspec.json.encode(fact)))
        self.facts.extend(facts)
        return facts

    def given(self, *commands: Command, by: str | UUID | None = None) -> "Scenario":
        for command in commands:
            self.run(command, by)
        return self

    def when(self, command: Command, by: str | UUID | None = None) -> "Scenario":
        try:
            self.outcome = self.run(command, by)
        except Refusal as refusal:
            self.outcome = refusal
        return self

    def then(self, *expected: type[Any] | str) -> Any:
        """The facts' classes or names in order, or one refusal class. Answers the outcome."""
        if len(expected) == 1:
            (one,) = expected
            if isinstance(one, type) and issubclass(one, Refusal):
                assert isinstance(self.outcome, one), f"expected {one.__name__}: {self.outcome!r}"
                assert self.outcome.sentence("zh") and self.outcome.sentence("en")
                return self.outcome
        assert not isinstance(self.outcome, Refusal), f"refused: {self.outcome!r}"
        wanted = [name if isinstance(name, str) else name.topic() for name in expected]
        assert [fact.topic() for fact in self.outcome] == wanted
        return self.outcome
