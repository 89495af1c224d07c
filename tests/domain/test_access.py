"""Access: 404 outside the jurisdiction, 403 inside without the role, the best post otherwise."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import ClassVar
from uuid import UUID, uuid4

import pytest

from domain.access import authorize, permits
from domain.area import Area
from domain.base import NOBODY
from domain.commands.officers import NameSubstitute, SuspendOfficer
from domain.officer import Officer, OfficerSuspended
from domain.posts import Post
from domain.refusal import NotFound, NotYourRole
from domain.world import Actor, Command, Result, Role, World
from eventstore.deciding import DecisionWorld
from tests.domain.county import OFFICERS, appointment, make_county
from tests.domain.scenario import Scenario

LINEAGES = {
    "yuantan_1": ("yuantan_1", "yuantan", "county", "city", "province", "nation"),
    "county": ("county", "city", "province", "nation"),
    "foreign_village": (
        "foreign_village",
        "foreign_township",
        "foreign_county",
        "city",
        "province",
        "nation",
    ),
}


def test_a_refusal_names_roles_as_people_do_and_keeps_their_keys() -> None:
    refusal = NotYourRole(needed="county_approver, dispatcher")
    assert refusal.sentence("zh") == "您的岗位无权办理此事项，需要：县级审定员、应急调度员"
    assert refusal.sentence("en").endswith("It takes: County approver, Dispatcher.")
    assert refusal.facts() == {"needed": "county_approver, dispatcher"}
    assert NotYourRole(needed="").sentence("zh") == "您的岗位无权办理此事项"


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe(Command):
    """Ask who would act in an area, reached by way of the area itself."""

    roles: ClassVar[frozenset[Role]] = frozenset(Role) - {Role.SYSTEM, Role.AUDITOR}
    area: UUID

    def scope(self, world: World) -> UUID:
        return world.get(Area, self.area).id

    def decide(self, world: World) -> Result | None:
        return {"actor": world.actor}


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemProbe(Probe):
    """The same for the system alone."""

    roles: ClassVar[frozenset[Role]] = frozenset({Role.SYSTEM})


@dataclass(frozen=True, slots=True, kw_only=True)
class ReporterProbe(Probe):
    """The same for reporters."""

    roles: ClassVar[frozenset[Role]] = frozenset({Role.VILLAGE_REPORTER})


@pytest.fixture
def county() -> Scenario:
    return make_county()


def actor(county: Scenario, by: str, area: str, kind: type[Probe] = Probe) -> Actor:
    county.run(kind(area=county.id(area)), by)
    found = county.result["actor"]
    assert isinstance(found, Actor)
    return found


def stand_in(county: Scenario, substitute: str, absent: str) -> None:
    command = NameSubstitute(
        id=county.id(f"substitution/{absent}"),
        officer=county.officers[absent],
        appointment=county.id(f"appointment/{absent}"),
        substitute=county.officers[substitute],
        starts_on=date(2018, 7, 1),
        ends_on=date(2018, 7, 31),
    )
    county.given(command)


@pytest.mark.parametrize("area", LINEAGES)
@pytest.mark.parametrize("name", OFFICERS)
def test_every_officer_reaches_own_area_and_below_and_nothing_else(
    county: Scenario, name: str, area: str
) -> None:
    role, post_area, post = OFFICERS[name]
    county.when(Probe(area=county.id(area)), by=name)
    if post_area not in LINEAGES[area]:
        refusal = county.then(NotFound)
        assert (refusal.kind, refusal.id) == ("Area", county.id(area))
    elif role is Role.AUDITOR:
        assert "administrator" in county.then(NotYourRole).needed
    else:
        county.then()
        found = county.result["actor"]
        assert found.officer == county.officers[name]
        assert (found.role, found.area, found.post) == (role, county.id(post_area), post)
        assert found.persons == (county.id(f"person/{name}"),)
        assert found.standing_for is None


def test_a_foreign_thing_is_refused_exactly_like_one_that_does_not_exist(county: Scenario) -> None:
    foreign = county.when(Probe(area=county.id("foreign_village")), by="county").then(NotFound)
    missing = county.when(Probe(area=county.id("nowhere")), by="county").then(NotFound)
    assert foreign.kind == missing.kind
    assert foreign.id == county.id("foreign_village")


@dataclass(frozen=True, slots=True, kw_only=True)
class OfficerProbe(Probe):
    """Reach an area by way of an officer employed there: the answer must not name the area."""

    officer: UUID

    def scope(self, world: World) -> UUID:
        return world.get(Officer, self.officer).home


def test_a_refusal_names_what_was_asked_for_and_not_the_area_it_lies_in(county: Scenario) -> None:
    foreign, area = county.officers["foreign_village"], county.id("county")
    refusal = county.when(OfficerProbe(area=area, officer=foreign), by="county").then(NotFound)
    assert (refusal.kind, refusal.id) == ("Officer", foreign)
    nobody = uuid4()
    missing = county.when(OfficerProbe(area=area, officer=nobody), by="county").then(NotFound)
    assert (missing.kind, missing.id) == ("Officer", nobody)


@dataclass(frozen=True, slots=True, kw_only=True)
class PairProbe(Command):
    """A command on two officers."""

    roles = frozenset({Role.COUNTY_APPROVER})
    first: UUID
    second: UUID

    def scope(self, world: World) -> UUID:
        one, _ = (world.get(Officer, id) for id in (self.first, self.second))
        return one.home


def test_of_several_ids_the_answer_is_the_same_whether_the_first_exists(county: Scenario) -> None:
    """Naming the second, unknown one told that the first, of a foreign county, exists."""
    foreign, nobody, own = county.officers["foreign_village"], uuid4(), county.officers["village"]
    for first in (foreign, uuid4()):
        for second in (nobody, foreign):
            pair = PairProbe(first=first, second=second)
            refusal = county.when(pair, by="county").then(NotFound)
            assert (refusal.kind, refusal.id) == ("Officer", first)
    refusal = county.when(PairProbe(first=own, second=nobody), by="county").then(NotFound)
    assert refusal.id == nobody


def test_the_system_does_only_what_lists_it(county: Scenario) -> None:
    found = actor(county, None, "county", SystemProbe)  # type: ignore[arg-type]
    assert found == Actor(officer=NOBODY, role=Role.SYSTEM, area=None)
    county.when(Probe(area=county.id("county"))).then(NotYourRole)
    county.when(SystemProbe(area=county.id("county")), by="county").then(NotYourRole)


def test_an_unknown_officer_is_not_found(county: Scenario) -> None:
    nobody = uuid4()
    refusal = county.when(Probe(area=county.id("county")), by=nobody).then(NotFound)
    assert (refusal.kind, refusal.id) == ("Officer", nobody)


def test_a_suspended_officer_does_nothing_even_to_what_does_not_exist(county: Scenario) -> None:
    county.given(SuspendOfficer(officer=county.officers["county"], reason="调查"), by="admin")
    refusal = county.when(Probe(area=county.id("nowhere")), by="county").then(OfficerSuspended)
    assert (refusal.officer, refusal.reason) == (county.officers["county"], "调查")
    assert refusal.status == 403


def test_the_nearest_of_several_posts_acts(county: Scenario) -> None:
    county.given(appointment(county, "city", Role.COUNTY_APPROVER, "county", nth="2"))
    assert actor(county, "city", "yuantan_1").role is Role.COUNTY_APPROVER
    assert actor(county, "city", "foreign_village").role is Role.CITY_REVIEWER


def test_a_farther_post_acts_when_the_nearer_may_not(county: Scenario) -> None:
    county.given(appointment(county, "township", Role.VILLAGE_REPORTER, "yuantan_1", nth="2"))
    found = actor(county, "township", "yuantan_1", ReporterProbe)
    assert found.area == county.id("yuantan_1")
    county.when(ReporterProbe(area=county.id("yuantan_2")), by="township").then(NotYourRole)


def test_an_own_post_comes_before_a_nearer_one_of_an_absent_officer(county: Scenario) -> None:
    stand_in(county, "township", "village")
    assert actor(county, "township", "yuantan_1").role is Role.TOWNSHIP_REVIEWER
    found = actor(county, "township", "yuantan_1", ReporterProbe)
    assert found.standing_for == county.officers["village"]
    assert found.post == Post.A
    assert found.persons == (county.id("person/township"), county.id("person/village"))


def test_a_post_reaches_from_its_first_to_its_last_day_in_china(county: Scenario) -> None:
    command = NameSubstitute(
        id=county.id("s"),
        officer=county.officers["county"],
        appointment=county.id("appointment/county"),
        substitute=county.officers["township2"],
        starts_on=date(2018, 7, 10),
        ends_on=date(2018, 7, 11),
    )
    county.given(command, by="admin")
    probe = Probe(area=county.id("yuantan_1"))
    for moment, reaches in (
        (datetime(2018, 7, 9, 15, 59, tzinfo=UTC), False),
        (datetime(2018, 7, 9, 16, 0, tzinfo=UTC), True),
        (datetime(2018, 7, 11, 15, 59, tzinfo=UTC), True),
        (datetime(2018, 7, 11, 16, 0, tzinfo=UTC), False),
    ):
        county.now = moment
        county.when(probe, by="township2")
        if reaches:
            county.then()
        else:
            county.then(NotFound)


def test_queries_pass_the_same_core(county: Scenario) -> None:
    officer = county.load(Officer, county.officers["township"])
    roles = frozenset({Role.TOWNSHIP_REVIEWER})
    inside = tuple(county.id(name) for name in LINEAGES["yuantan_1"])
    assert permits(officer, roles, inside, county.now).role is Role.TOWNSHIP_REVIEWER
    with pytest.raises(NotYourRole):
        permits(officer, frozenset({Role.COUNTY_PAYER}), inside, county.now)
    outside = tuple(county.id(name) for name in LINEAGES["foreign_village"])
    with pytest.raises(NotFound) as refused:
        permits(officer, roles, outside, county.now)
    assert refused.value.id == county.id("foreign_village")
    county.given(SuspendOfficer(officer=officer.id, reason="调查"))
    with pytest.raises(OfficerSuspended):
        permits(county.load(Officer, officer.id), roles, inside, county.now)


def test_the_choke_point_costs_no_more_than_some_hundred_additions(
    county: Scenario, benchmark_seconds: Callable[[Callable[[], object], int], float]
) -> None:
    """About 10 µs where a thousand additions take 20: a ratio, as this machine may be busy."""
    world = DecisionWorld(county.load, county.vault, county.now, uuid4())
    person = world.get(Officer, county.officers["county"])
    command = Probe(area=county.id("yuantan_1"))
    authorize(world, person, person.id, command)

    def once() -> object:
        return authorize(world, person, person.id, command)

    def additions() -> object:
        return sum(n + 1 for n in range(1000))

    assert benchmark_seconds(once, 2000) < 5 * benchmark_seconds(additions, 500)


@pytest.fixture
def benchmark_seconds() -> Callable[[Callable[[], object], int], float]:
    """Seconds of one call, the best of five rounds."""
    import timeit

    def measure(call: Callable[[], object], number: int) -> float:
        return min(timeit.repeat(call, number=number, repeat=5)) / number

    return measure
