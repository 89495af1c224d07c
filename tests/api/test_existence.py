"""Nobody learns by a refusal whether a foreign thing exists (trial G9).

Each command of the routes that once was accepted is decided again in its world of that moment,
with one of its ids replaced: by one that nobody has, and by that of a foreign thing, which is the
twin of the thing it named, in an area out of the officer's reach. Both answers must be the same.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any, cast
from uuid import UUID, uuid5

import pytest
from msgspec import structs

from api.made_ids import fields_with_ids
from api.routes import WRITES
from domain.access import posts_at
from domain.area import Area
from domain.base import NAMESPACE, Aggregate
from domain.catalog import AGGREGATES
from domain.consignment import Consignment
from domain.household import Household
from domain.officer import Officer
from domain.person import Person
from domain.posts import post_of
from domain.refusal import Refusal
from domain.relief_case import ReliefCase
from domain.world import Command
from eventstore.deciding import DecisionWorld, decide
from eventstore.outcomes import Envelope
from eventstore.store import Store
from tests.everything import copy_of_everything, sent

SAMPLES = 2
UNKNOWN, TWIN = UUID(int=1 << 78 | 4 << 76 | 2 << 62), UUID(int=2 << 78 | 4 << 76 | 2 << 62)


@dataclass(frozen=True)
class Accepted:
    """A command that was accepted, and the log's head just before."""

    envelope: Envelope
    head: int


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Store, list[Accepted]]]:
    """Everything that happens, and the commands it was made by."""
    folder = copy_of_everything(tmp_path_factory.mktemp("existence"))
    store = Store.at(folder, AGGREGATES)
    yield store, [Accepted(one, head) for one, head in _heads(store, sent(folder))]
    store.close()


def _heads(store: Store, sent: list[Envelope]) -> Iterator[tuple[Envelope, int]]:
    first: dict[UUID, int] = {}
    for recorded in store.read(0, 1_000_000):
        first.setdefault(recorded.event.meta.command, recorded.position)
    for envelope in sent:
        if envelope.id in first and envelope.officer is not None:
            yield envelope, first[envelope.id] - 1


Place = tuple[str | int, ...]


def references(value: Any, kind: type[Any], path: Place = ()) -> Iterator[tuple[Place, UUID]]:
    """Where a command names something by id that it does not begin itself."""
    new = {one.name for one in fields_with_ids(kind) if one.inside is None}
    for field in fields(kind):
        if field.name in new:
            continue
        held = getattr(value, field.name)
        for step, one in (
            [((field.name, n), each) for n, each in enumerate(held)]
            if isinstance(held, tuple)
            else [((field.name,), held)]
        ):
            if isinstance(one, UUID):
                yield path + step, one
            elif is_dataclass(one) and not isinstance(one, type):
                yield from references(one, type(one), path + step)


def put(value: Any, path: Place, id: UUID) -> Any:
    """The same command with another id there."""
    if not path:
        return id
    step, *rest = path
    if isinstance(step, int):
        return tuple(put(one, tuple(rest), id) if n == step else one for n, one in enumerate(value))
    return replace(value, **{step: put(getattr(value, step), tuple(rest), id)})


class Past:
    """The log as of a position, with one twin in it."""

    def __init__(self, store: Store, head: int) -> None:
        self.store, self.head = store, head
        self.twins: dict[UUID, tuple[UUID, UUID]] = {}
        self.twins_at = head

    def load(self, kind: type[Any], id: UUID) -> Any:
        if id not in self.twins:
            return self.store.load(id, position=self.head)
        origin, area = self.twins[id]
        twin = cast(Aggregate, self.store.load(origin, position=self.twins_at))
        home = twin.home
        vars(twin).update({"_id": id, **{k: area for k, v in vars(twin).items() if v == home}})
        self._estrange(twin, area)
        assert twin.home == area, "it lies elsewhere"
        return twin

    def _estrange(self, twin: Any, area: UUID) -> None:
        """What ties the thing to ours beside its place: the twin is tied to its own neighbors."""
        match twin:
            case Household():
                twin.offer = None
            case Consignment(source=UUID()):
                twin.source = area
            case Officer():
                twin.appointments = {
                    uuid5(NAMESPACE, str(held.id)): structs.replace(held, area=area)
                    for held in twin.appointments.values()
                }
            case ReliefCase():
                twin.household = self.beside(twin.household, area)
            case Person():
                twin.claims = [self.beside(claim, area) for claim in twin.claims]

    def beside(self, origin: UUID, area: UUID) -> UUID:
        id = uuid5(NAMESPACE, f"beside/{origin}")
        self.twins[id] = origin, area
        return id


def foreign_area(past: Past, officer: UUID, home: UUID, areas: list[UUID]) -> UUID | None:
    """An area of the same level out of the officer's reach, and not above it."""
    world = DecisionWorld(past.load, past.store.vault, _now(past), UUID(int=3))
    someone = past.load(Officer, officer)
    posts = [post_of(held).area for held in posts_at(someone, world.now)]
    level = past.load(Area, home).level
    for one in areas:
        area = past.load(Area, one)
        if area is None or area.level != level or area.abolished_on is not None:
            continue
        if not any(post in world.lineage(one) for post in posts):
            return one
    return None


def _now(past: Past) -> Any:
    (newest,) = past.store.read(past.head - 1, 1)
    return newest.event.meta.recorded_at


def answer(past: Past, at: Any, envelope: Envelope, command: Command, id: UUID) -> str:
    """What the officer is told, with the id that differs left out."""
    world = DecisionWorld(past.load, past.store.vault, at, UUID(int=3))
    mark = past.store.vault.mark()
    try:
        decide(world, command, envelope.officer)
    except Refusal as refusal:
        said = f"{refusal.code()} {refusal.status} {refusal.facts()} {refusal.sentence('zh')}"
        derived = str(Person.id_of(id, False)), str(Person.id_of(id, True))
        for one in (str(id), *derived):
            said = said.replace(one, "ID")
        return said
    finally:
        past.store.vault.undo(mark)
    return "accepted"


def told_of(past: Past, one: Accepted, path: Place, id: UUID, areas: list[UUID]) -> list[str]:
    """What is told of an unknown id there, of a foreign thing as the named one was then, and of
    one as the named one is at the end. Nothing if no thing is named, or nothing is foreign."""
    store, envelope = past.store, one.envelope
    streams = [id] if past.load(Aggregate, id) is not None else []
    if not streams:
        ids = [Person.id_of(id, drill) for drill in (False, True)]
        streams = [each for each in ids if past.load(Person, each) is not None]
    if not streams:
        return []
    home = past.load(Aggregate, streams[0]).home
    area = foreign_area(past, cast(UUID, envelope.officer), home, areas)
    if area is None:
        return []
    at = store.read(one.head, 1)[0].event.meta.recorded_at
    answers = [answer(past, at, envelope, put(envelope.command, path, UNKNOWN), UNKNOWN)]
    for head in (past.head, store.head()):
        past.twins_at = head
        for stream in streams:
            twin = TWIN if stream == id else Person.id_of(TWIN, stream == Person.id_of(id, True))
            past.twins[twin] = stream, area
        answers.append(answer(past, at, envelope, put(envelope.command, path, TWIN), TWIN))
    return answers


def test_an_unknown_id_and_a_foreign_one_are_told_alike(
    told: tuple[Store, list[Accepted]],
) -> None:
    store, accepted = told
    streams = dict.fromkeys(one.event.originator_id for one in store.read(0, 1_000_000))
    areas = [id for id in streams if isinstance(store.load(id), Area)]  # the tree is public
    routed = {write.command for write in WRITES}
    tried: Counter[tuple[str, ...]] = Counter()
    wrong = []
    for one in accepted:
        command = one.envelope.command
        if type(command) not in routed:
            continue
        for path, id in references(command, type(command)):
            name = (type(command).__name__, *(step for step in path if isinstance(step, str)))
            if tried[name] >= SAMPLES or id in areas:
                continue
            answers = told_of(Past(store, one.head), one, path, id, areas)
            tried[name] += bool(answers)
            if len(set(answers)) > 1:
                wrong.append((*name, *answers))
    assert not wrong
    assert len(tried) > 120, "ids of commands that were tried"
