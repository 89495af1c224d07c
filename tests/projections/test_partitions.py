"""Views do not depend on the order of facts of different divisions: Kafka keeps none (design §3).

A city's facts are folded in the order of the log, division by division, mixed at random, and
dealt to four workers of which none sees the others' facts: the tables are equal by SHA-256.
"""

import secrets
from collections import defaultdict
from contextlib import closing
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from uuid import UUID

import pytest

from domain.area import Area
from domain.base import Created
from domain.catalog import AGGREGATES
from domain.household import Household
from domain.village_list import VillageList
from eventstore.store import Recorded, Store
from projections import seasons
from projections.catalog import VIEWS
from projections.folding.base import Rows, View, text_of, when
from projections.folding.partitions import partition_of
from tests.city import build_city
from tests.everything import everything
from tests.projections.partitions import (
    Tables,
    by_division,
    hashes_of,
    interleaved,
    shared_rows,
    stream_of,
)

WORKERS = 4


def built(folder: Path, **size: int) -> list[Recorded]:
    store = Store.at(folder, AGGREGATES)
    try:
        build_city(store, **size)
        return store.read(0, limit=store.head())
    finally:
        store.close()


@lru_cache(maxsize=1)
def city() -> tuple[Recorded, ...]:
    """The facts of the city, built once."""
    with TemporaryDirectory() as folder:
        return tuple(built(Path(folder)))


@lru_cache(maxsize=1)
def as_logged() -> dict[str, str]:
    return hashes_of(VIEWS, city())


def dealt() -> list[list[Recorded]]:
    """The facts by the worker that owns their partition, each in the order of the log."""
    hands: list[list[Recorded]] = [[] for _ in range(WORKERS)]
    for fact in city():
        hands[partition_of(fact.event.meta.division, WORKERS)].append(fact)
    return hands


def test_no_row_is_touched_by_facts_of_two_divisions() -> None:
    assert shared_rows(VIEWS, city()) == {}


def test_no_row_is_touched_by_facts_of_two_streams_whatever_happens() -> None:
    """Stricter, and with every event type: a handler cannot know where another stream was born."""
    store = Store.at(everything(), AGGREGATES)
    try:
        facts = store.read(0, limit=store.head())
    finally:
        store.close()
    assert shared_rows(VIEWS, facts, stream_of) == {}, "let a query join the rows"


def test_cities_of_other_sizes_and_seeds_share_no_row_either(tmp_path: Path) -> None:
    for counties, seed in ((6, 3), (11, secrets.randbits(16))):
        facts = built(tmp_path / str(counties), counties=counties, seed=seed)
        assert shared_rows(VIEWS, facts) == {}, f"seed {seed}"


def test_one_division_after_the_other_gives_the_same_tables() -> None:
    parts = list(by_division(city()).values())
    forward = [fact for part in parts for fact in part]
    backward = [fact for part in reversed(parts) for fact in part]
    assert hashes_of(VIEWS, forward) == as_logged()
    assert hashes_of(VIEWS, backward) == as_logged()


@pytest.mark.parametrize("known", [1, 2, None])
def test_any_mixture_that_keeps_each_divisions_order_gives_the_same_tables(
    known: int | None,
) -> None:
    seed = known or secrets.randbits(32)
    mixed = interleaved(by_division(city()).values(), Random(seed))
    assert hashes_of(VIEWS, mixed, seed) == as_logged(), f"seed {seed}"


def test_frames_of_four_partitions_in_any_order_give_the_same_tables() -> None:
    assert hashes_of(VIEWS, interleaved(dealt(), Random(3)), 3) == as_logged()


def test_four_workers_that_see_only_their_own_facts_make_the_tables_together() -> None:
    together = Tables(VIEWS)
    with closing(together.db):
        for hand in dealt():
            assert hand, "every worker has something to do"
            alone = Tables(VIEWS)
            with closing(alone.db):
                alone.fold(hand, Random(4))
                together.take(alone)
        assert together.hashes() == as_logged()


def dependent() -> View:
    """The seasons, with a handler of a list that changes the season's row."""

    def list_opened(rows: Rows, at: int, e: VillageList.Opened) -> None:
        season = text_of(e.season)
        if rows.get(seasons.SEASONS, season) is not None:
            rows.change(seasons.SEASONS, season, closed_at=when(e.meta.recorded_at))

    routes = {**seasons.VIEW.routes, VillageList.Opened: list_opened}
    return replace(seasons.VIEW, routes=routes)


def test_a_view_that_reads_another_divisions_row_is_found() -> None:
    views = (dependent(),)
    topics = {"Season.Opened", "VillageList.Opened"}
    assert shared_rows(views, city()) == {"seasons": topics}
    logged = hashes_of(views, city())
    orders = [interleaved(by_division(city()).values(), Random(seed)) for seed in range(5)]
    assert any(hashes_of(views, order) != logged for order in orders)


# the city, and where its streams belong

CROSSING = {
    "money passed down": ("Fund.PassedDown", "Fund.Received"),
    "money given back": ("Fund.Returned", "Fund.GotBack"),
    "goods sent": ("Stockpile.Shipped", "Consignment.Shipped"),
    "goods turned back": ("Stockpile.ReturnedIn", "Consignment.TurnedBack"),
    "a person claimed by two": ("Person.Contested", "Household.MemberContested"),
    "a contest decided": ("Person.Resolved", "Household.ContestSettled"),
    "one household of two": ("Household.Merged", "Household.Absorbed"),
    "a report of the city's flood": ("SituationReport.Attached", "Disaster.ReportAttached"),
    "two floods that were one": ("Disaster.MergedInto", "Disaster.Absorbed"),
    "and were not": ("Disaster.SplitBack", "Disaster.Released"),
    "a list of the city's season": ("VillageList.Opened", "Season.ListOpened"),
    "a neighbor's unit": ("Incident.Assigned", "Unit.Assigned"),
    "a post handed over": ("Officer.HandedOver", "Officer.TookOver"),
}


@pytest.mark.parametrize("what", CROSSING)
def test_what_touches_two_divisions_is_in_a_stream_of_each_in_one_commit(what: str) -> None:
    one, other = CROSSING[what]
    places: dict[UUID, dict[str, set[UUID]]] = defaultdict(lambda: defaultdict(set))
    for _, fact in city():
        topic = fact.topic().split("@")[0]
        if topic in (one, other):
            places[fact.meta.command][topic].add(fact.meta.division)
    assert any(found[one] and found[other] - found[one] for found in places.values())


def test_every_division_has_a_part_in_the_flood_and_in_the_winter() -> None:
    divisions = by_division(city())
    counties = [part for part in divisions.values() if len(part) > 500]
    assert len(counties) == 8
    for part in counties:
        topics = {fact.topic() for _, fact in part}
        assert {
            "SituationReport.InitialReported",
            "SituationReport.Accepted",
            "Incident.Closed",
            "ReliefCase.Paid",
            "ReliefCase.PaymentFailed",
            "ReliefCase.GoodsSigned",
            "Person.Erased",
        } <= topics


def test_a_stream_has_the_division_of_its_birth_all_its_life() -> None:
    lives: dict[UUID, set[UUID]] = defaultdict(set)
    begun: set[UUID] = set()
    for _, fact in city():
        lives[fact.originator_id].add(fact.meta.division)
        if isinstance(fact, Created):
            begun.add(fact.originator_id)
    assert begun == set(lives)
    assert {stream for stream, divisions in lives.items() if len(divisions) > 1} == set()


def test_moving_merging_and_new_codes_leave_a_stream_in_the_county_of_its_birth() -> None:
    """The county of the village, by its stable id, whatever has become of either since."""
    areas: dict[UUID, Area.Established] = {}
    villages: dict[UUID, UUID] = {}
    changed: set[str] = set()
    for _, fact in city():
        if isinstance(fact, Area.Established):
            areas[fact.originator_id] = fact
        elif isinstance(fact, Household.Registered):
            villages[fact.originator_id] = fact.village
        elif isinstance(fact, Area.MergedInto | Area.CodeChanged | Area.Renamed | Household.Moved):
            changed.add(type(fact).__name__)
        home = villages.get(fact.originator_id)
        if home is not None:
            assert fact.meta.division == county_of(areas, home)
        elif fact.originator_id in areas:
            assert fact.meta.division == county_of(areas, fact.originator_id)
    assert changed == {"MergedInto", "CodeChanged", "Renamed", "Moved"}


def county_of(areas: dict[UUID, Area.Established], area: UUID) -> UUID:
    """The county above this area or itself; areas above the counties stand for themselves."""
    at: UUID | None = area
    while at is not None:
        if areas[at].level == "county":
            return at
        at = areas[at].parent
    return area


def test_the_same_seed_makes_the_same_city(tmp_path: Path) -> None:
    def told(facts: list[Recorded] | tuple[Recorded, ...]) -> list[tuple[object, ...]]:
        return [(p, f.topic(), f.meta.command, f.meta.division, f.timestamp) for p, f in facts]

    assert told(built(tmp_path)) == told(city())
