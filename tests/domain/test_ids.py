"""Ids of new things are random; what has a derived id stands on that and on no other."""

from collections.abc import Callable
from uuid import NAMESPACE_OID, UUID, uuid1, uuid3, uuid4, uuid5

import pytest

from domain.base import Aggregate
from domain.catalog import AGGREGATES
from domain.fund import Fund
from domain.household import Household
from domain.ids import client_made, seeded_id
from domain.incident import Incident
from domain.officer import Officer
from domain.person import Person
from domain.refusal import IdNotFresh
from domain.relief_case import ReliefCase
from domain.rulebook import Rulebook
from domain.season import Season
from domain.stockpile import Stockpile
from domain.village_list import VillageList
from eventstore.deciding import DecisionWorld
from tests.domain.scenario import Scenario

SOME = seeded_id("some", "area")
DERIVED: dict[str, UUID] = {
    "season": Season.id_of(SOME, "winter_spring", 2019, None, exercise=False),
    "village list": VillageList.id_of(SOME, SOME, 1),
    "stockpile": Stockpile.id_of(SOME, "quilt", exercise=False),
    "fund": Fund.id_of("财社〔2019〕1号", SOME, exercise=False),
    "relief case": ReliefCase.id_of(SOME, SOME),
    "rulebook": Rulebook.id_of(SOME, "deadlines"),
    "officer": Officer.id_of(SOME),
    "claims of a drill": Person.id_of(SOME, exercise=True),
}


def _world() -> DecisionWorld:
    scenario = Scenario()
    return DecisionWorld(scenario.load, scenario.vault, scenario.now, uuid4())


def _blank(kind: type[Aggregate], id: UUID) -> Aggregate:
    """An aggregate of a kind whose id is the client's, as if a command had just begun it."""
    made = kind.__new__(kind)
    made._id = id
    return made


def test_ids_of_the_shape_of_versions_4_and_7_are_a_clients() -> None:
    seven = UUID("01890a5d-ac96-774b-bcce-b302099a8057")
    assert client_made(uuid4()) and client_made(seven) and client_made(seeded_id("a", 1))
    other = (uuid1(), uuid3(NAMESPACE_OID, "x"), uuid5(NAMESPACE_OID, "x"), UUID(int=0))
    assert not any(client_made(id) for id in other)
    microsoft = UUID("00000000-0000-4000-c000-000000000000")  # another variant has no version
    assert not client_made(microsoft)


def test_a_seeded_id_follows_from_its_parts() -> None:
    assert seeded_id("a", 1) == seeded_id("a", 1) != seeded_id("a", 2)


@pytest.mark.parametrize("kind", [Incident, Household], ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("id", DERIVED.values(), ids=DERIVED.keys())
def test_nothing_else_can_stand_on_a_derived_id(kind: type[Aggregate], id: UUID) -> None:
    """Who opened an incident under the id of next year's season closed that season for ever."""
    with pytest.raises(IdNotFresh):
        _world().add(_blank(kind, id))


def test_nothing_else_can_stand_on_a_person_who_is_in_no_household_yet() -> None:
    """A roster and an office show the person's id: who opened an incident under it kept them out
    of every household for ever."""
    world = _world()
    person = world.vault.person_for("340824195001010012")
    for kind in (Incident, Household):
        with pytest.raises(IdNotFresh):
            world.add(_blank(kind, person))
    assert world.add(Person(id=person, household=SOME, village=SOME)).id == person


def test_what_has_a_derived_id_stands_on_no_other() -> None:
    world = _world()
    book = Rulebook(id=uuid4(), area=SOME, kind="deadlines")
    with pytest.raises(IdNotFresh):
        world.add(book)
    with pytest.raises(IdNotFresh):
        world.add(Stockpile(id=DERIVED["rulebook"], warehouse=SOME, item="quilt", exercise=False))


def test_every_kind_that_derives_its_id_says_so() -> None:
    """A new aggregate with an `id_of` that forgets `derived_id` could be occupied again."""
    says: Callable[[type[Aggregate]], bool] = lambda kind: (  # noqa: E731
        kind.derived_id is not Aggregate.derived_id
    )
    derived = {kind for kind in AGGREGATES if hasattr(kind, "id_of")} - {Person}
    assert derived == {kind for kind in AGGREGATES if says(kind)}
