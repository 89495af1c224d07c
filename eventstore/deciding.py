"""The world one command sees while it decides, over whatever can load aggregates.

The writer uses it on aggregates it brings up to date from the log, the domain tests on
aggregates in memory. Nothing here reads a clock or a file.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, NamedTuple, TypeVar, cast
from uuid import UUID, uuid5

from domain.access import authorize
from domain.area import Area
from domain.base import Aggregate, Event
from domain.exercise import AS_THE_STORE, TrainingOnly
from domain.ids import client_made
from domain.lateness import NEVER_HELD, Counting, HeldTime
from domain.officer import Officer
from domain.one_line import in_one_line
from domain.person import Person
from domain.reach import in_sight
from domain.reasons import check_reasons
from domain.refusal import AlreadyExists, IdNotFresh, MovedOn, NotFound, Refusal, refusal_of
from domain.report_versions import Versions
from domain.rows import check_rows
from domain.rulebook import BINDING, Edition, Rulebook, nearest_of
from domain.rules.base import china_day
from domain.store import Store as Ledger
from domain.world import Actor, Command, InForce, Result, Vault, World
from eventstore import national

A = TypeVar("A", bound=Aggregate)
R = TypeVar("R")
Load = Callable[[type[Any], UUID], Any]


class Memo:
    """What seldom changes, kept from command to command: lines of areas, and where rulebooks are.

    An area's line changes when a village is merged into another, the places of rulebooks when
    one is opened: whenever that is decided here or read from another process, all is forgotten.
    """

    def __init__(self) -> None:
        self.lines: dict[UUID, tuple[UUID, ...]] = {}
        self.divisions: dict[UUID, UUID] = {}
        self.books: dict[tuple[type[Any], UUID], tuple[UUID, ...]] = {}

    def forget(self) -> None:
        self.lines.clear()
        self.divisions.clear()
        self.books.clear()


class DecisionWorld:
    """A `World` for one command. ``touched`` holds what it loaded or began, in that order."""

    actor: Actor

    def __init__(
        self,
        load: Load,
        vault: Vault,
        now: datetime,
        command_id: UUID,
        memo: Memo | None = None,
        *,
        held: HeldTime = NEVER_HELD,
        cases: tuple[UUID, ...] = (),
        officers: tuple[UUID, ...] = (),
        villages: tuple[UUID, ...] = (),
        born: str = "",
        begins_after: Callable[[UUID], int] = lambda _: 0,
    ) -> None:
        """``begins_after``: behind which version of its stream something new begins."""
        self.held = held
        self.cases = cases
        self.officers = officers
        self.villages = villages
        self.born, self._begins_after = born, begins_after
        self._memo = memo or Memo()
        self._load = load
        self._vault = vault
        self.now = now
        self.command_id = command_id
        self.touched: dict[UUID, Aggregate] = {}

    @property
    def clock_held(self) -> bool:
        return self.held.good_until is not None

    @property
    def counting(self) -> Counting:
        return Counting(self.now, self.held)

    @property
    def vault(self) -> Vault:
        return self._vault

    @property
    def training(self) -> bool:
        return is_training(self._load, self.born)

    def find(self, kind: type[A], id: UUID) -> A | None:
        known = self.touched.get(id)
        if known is None:
            known = self._load(kind, id)
            if known is None:
                return None
            self.touched[id] = known
        return known if isinstance(known, kind) else None

    def get(self, kind: type[A], id: UUID) -> A:
        found = self.find(kind, id)
        if found is None:
            raise NotFound(kind=kind.__name__, id=id)
        return found

    def look(self, kind: type[A], id: UUID) -> A | None:
        known = self.touched.get(id) or self._load(kind, id)
        return known if isinstance(known, kind) else None

    def add(self, aggregate: A) -> A:
        if not _rightly_named(aggregate) or self._is_a_persons(aggregate):
            raise IdNotFresh(kind=type(aggregate).__name__, id=aggregate.id)
        taken = aggregate.id in self.touched or self._load(type(aggregate), aggregate.id)
        if taken:  # by whatever kind: ids are client-made, and one stream has one owner
            raise AlreadyExists(kind=type(aggregate).__name__, id=aggregate.id)
        if after := self._begins_after(aggregate.id):
            aggregate.begin_after(after)
        self.touched[aggregate.id] = aggregate
        if isinstance(aggregate, Area | Rulebook):  # not stored yet: nothing to remember
            self._memo.books.clear()
            self._memo = Memo()
        aggregate.division = self.division_of(aggregate.home)
        return aggregate

    def forget(self) -> None:
        """An area has changed: what is remembered of the tree is found anew."""
        self._memo.forget()

    def division_of(self, area: UUID) -> UUID:
        """The county above (or at) this area, else the area itself (a city, a province)."""
        known = self._memo.divisions.get(area)
        if known is not None:
            return known
        line = self.lineage(area)
        levels = [(step, self.find(Area, step)) for step in line]
        counties = [step for step, found in levels if found and found.level == "county"]
        division = counties[0] if counties else area
        if levels[0][1] is not None:
            self._memo.divisions[area] = division
        return division

    def lineage(self, area: UUID) -> tuple[UUID, ...]:
        known = self._memo.lines.get(area)
        if known is None:
            known = self._line(area)
            if len(known) > 1:
                self._memo.lines[area] = known
        return known

    def _is_a_persons(self, aggregate: Aggregate) -> bool:
        """Whether the id is that of a person who may be in no household yet (on a roster, in
        office): views show it, and whoever put something else there would keep them out of all."""
        free = isinstance(aggregate, Person) or aggregate.derived_id() is not None
        return not free and self._vault.is_person(aggregate.id)

    def _line(self, area: UUID) -> tuple[UUID, ...]:
        steps: list[UUID] = []
        at: UUID | None = area
        while at is not None and at not in steps:
            steps.append(at)
            found = self.find(Area, at)
            at = found.above if found is not None else None
        return tuple(steps)

    def rules(self, kind: type[R], area: UUID, at: datetime) -> InForce[R]:
        places = self._memo.books.get((kind, area))
        if places is None:
            name = kind.KIND  # type: ignore[attr-defined]
            ids = [Rulebook.id_of(step, name) for step in self.lineage(area)]
            places = tuple(id for id in ids if self.find(Rulebook, id) is not None)
            self._memo.books[(kind, area)] = places
        books = [self.get(Rulebook, place) for place in places]
        found = rule_of(books, kind, at)
        if found is not None:
            return found
        raise NotFound(kind=f"Rulebook {kind.KIND}", id=area)  # type: ignore[attr-defined]

    def make_id(self, *parts: object) -> UUID:
        return uuid5(self.command_id, "/".join(str(part) for part in parts))


def _rightly_named(aggregate: Aggregate) -> bool:
    """Whether nobody could have put this thing under an id that another one will need.

    What has a derived id stands on exactly that; all else on an id that no rule derives. A person
    is named by the vault, at random; the claims of a drill by `Person.id_of` of that name, which
    no client can choose for anything else because it is derived.
    """
    derived = aggregate.derived_id()
    if derived is not None:
        return aggregate.id == derived
    return client_made(aggregate.id) or isinstance(aggregate, Person)


class InPlace(NamedTuple):
    """The version in force somewhere. ``book`` None: a national one that comes with the program."""

    edition: Edition
    book: Rulebook | None
    nearest: bool = False


def edition_of(books: Sequence[Rulebook], kind: str, at: datetime) -> InPlace | None:
    """The version of the first of these books (the nearest area's first), else a national one.

    On a day that nothing covers the nearest one counts: a report with a death, its year mistyped,
    is never refused for a missing rulebook. None only for what must be adopted. Of binding kinds a
    confirmed book goes before every unconfirmed one, however near: one person alone changes none.
    """
    day = china_day(at)
    for confirmed in (True, False) if kind in BINDING else (False,):
        for book in books:
            if (found := book.covering(day, confirmed=confirmed)) is not None:
                return InPlace(found, book)
    if kind in national.ADOPTED_ONLY:
        return None
    covered = [edition for edition in national.editions(kind) if edition.covers(day)]
    if covered:
        return InPlace(covered[-1], None)
    for place in books:
        if (close := nearest_of(place.editions, day)) is not None:
            return InPlace(close, place, nearest=True)
    last = nearest_of(national.editions(kind), day)
    return InPlace(last, None, nearest=True) if last is not None else None


def rule_of(books: Sequence[Rulebook], kind: type[R], at: datetime) -> InForce[R] | None:
    """What `edition_of` finds, typed."""
    found = edition_of(books, kind.KIND, at)  # type: ignore[attr-defined]
    if found is None:
        return None
    typed = found.edition.typed(kind)
    return replace(typed, nearest=True) if found.nearest else typed


def is_training(load: Load, born: str) -> bool:
    """Whether the store of this birth mark says of itself that it is for training."""
    store = load(Ledger, Ledger.id_of(born)) if born else None
    return isinstance(store, Ledger) and store.exercise


def settled(command: Command, training: Callable[[], bool]) -> Command:
    """The command with its mark of an exercise: where it says none, it is as the store is."""
    if getattr(command, "exercise", AS_THE_STORE) is not AS_THE_STORE:
        return command
    if "exercise" not in command.__dataclass_fields__:  # type: ignore[attr-defined]
        return command
    marked: Command = replace(command, exercise=training())  # type: ignore[type-var]
    return marked


def authorized(world: DecisionWorld, command: Command, officer: UUID | None) -> Actor:
    """In which post the officer may do this now. Raises a `Refusal`."""
    person = world.find(Officer, officer) if officer is not None else None
    return authorize(world, person, officer, command)


def decide(world: DecisionWorld, command: Command, officer: UUID | None) -> Result:
    """Authorize and decide one command. ``officer`` None is the system itself.

    Raises a `Refusal`. The new facts are then pending on the aggregates in ``world.touched``.
    """
    command = settled(command, lambda: world.training)
    world.actor = authorized(world, command, officer)
    if getattr(command, "exercise", True) is False and world.training:
        raise TrainingOnly
    if (refusal := closed(world, command)) is not None:
        raise refusal
    check_rows(command)
    check_reasons(command)
    command = in_one_line(command)
    return command.decide(world) or {}


def closed(world: DecisionWorld, command: Command) -> Refusal | None:
    """Why the command is not open for its subject as it is now."""
    if command.about is None:
        return None
    looking = cast(World, _Looking(world))
    subject: Any = looking.find(command.about.of, getattr(command, command.about.field))
    if subject is None:
        return None
    elsewhere = command.lies_in(looking, subject) is None and not in_sight(world, subject.home)
    if elsewhere:
        return None
    seen = getattr(command, "expected_version", None)
    if seen is not None and (newer := refusal_of(expect, subject, seen)) is not None:
        return newer  # what they saw is not so any more: that first, then what follows from it
    return command.closed(looking, subject)


def expect(subject: Aggregate, seen: int) -> None:
    """`MovedOn` unless that is how many facts it has; of a report people see the number of its
    version (`ChangedMeanwhile`). Else the second of two who look at the same values overwrites
    the first one's, or decides on what is no longer there."""
    if isinstance(subject, Versions):
        subject.expect(seen)
    elif subject.version != seen:
        raise MovedOn(kind=type(subject).__name__, id=subject.id)


class _Looking:
    """A world that only looks: what it is asked for belongs to no decision yet."""

    def __init__(self, world: World) -> None:
        self._world = world

    def __getattr__(self, name: str) -> Any:
        return getattr(self._world, name)

    def find(self, kind: type[A], id: UUID) -> A | None:
        return self._world.look(kind, id)

    def get(self, kind: type[A], id: UUID) -> A:
        found = self.find(kind, id)
        if found is None:
            raise NotFound(kind=kind.__name__, id=id)
        return found


def pending(world: DecisionWorld) -> list[Event]:
    """The facts decided by this command, collected stream by stream."""
    collected: list[Event] = []
    for aggregate in world.touched.values():
        if isinstance(aggregate, Area) and aggregate.pending_events:
            world.forget()
        collected.extend(aggregate.collect_events())  # type: ignore[arg-type]
    return collected
