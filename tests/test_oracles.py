"""The oracles see what they are there for, each on a city with one thing wrong."""

from collections.abc import Iterator
from copy import deepcopy
from uuid import uuid4

import pytest

from domain.catalog import AGGREGATES
from domain.consignment import Consignment
from eventstore.store import Store
from tests.cluster.cities import embedded
from tests.oracles import (
    Stored,
    Violation,
    check_answers,
    check_books,
    check_log,
    check_order,
    check_tables,
)


@pytest.fixture(scope="module")
def store() -> Iterator[Store]:
    found = Store.at(embedded().folder, AGGREGATES)
    yield found
    found.close()


@pytest.fixture(scope="module")
def city(store: Store) -> Stored:
    """The whole city, in which nothing is wrong."""
    return check_log(store.log, {})


def test_an_acknowledged_command_that_is_not_there_is_lost(city: Stored) -> None:
    with pytest.raises(Violation, match="O1"):
        check_answers(city, {uuid4(): 1})


def test_a_fact_more_than_was_answered_is_a_double(city: Stored) -> None:
    twice = deepcopy(city)
    twice.facts[next(iter(city.answered))] += 1
    with pytest.raises(Violation, match="O2"):
        check_answers(twice, {})


def test_half_a_command_is_not_whole(city: Stored) -> None:
    half = deepcopy(city)
    key = next(key for key, facts in city.answered.items() if facts > 1)
    half.facts[key] -= 1
    with pytest.raises(Violation, match="O2: not whole"):
        check_answers(half, {})


def test_a_position_or_a_version_that_is_missing_is_seen(city: Stored) -> None:
    with pytest.raises(Violation, match="O4"):
        check_order([*city.rows[:100], *city.rows[101:]])
    stream = city.rows[-1][1]
    without = [row for row in city.rows if row[1] != stream or row[2] != 1]
    renumbered = [(n, *row[1:]) for n, row in enumerate(without, start=1)]
    with pytest.raises(Violation, match="O4"):
        check_order(renumbered)


def test_goods_that_were_shipped_and_are_on_no_road_do_not_balance(city: Stored) -> None:
    facts = city.recorded
    came = (Consignment.Arrived, Consignment.TurnedBack)
    back = {fact.event.originator_id for fact in facts if isinstance(fact.event, came)}
    shipped = [
        one.event.originator_id for one in facts if isinstance(one.event, Consignment.Shipped)
    ]
    late = next(one for one in shipped if one not in back)
    with pytest.raises(Violation, match="O3"):
        check_books(fact for fact in facts if fact.event.originator_id != late)


def test_a_table_that_differs_is_named(city: Stored) -> None:
    tables = embedded().tables
    check_tables(tables, city.recorded)
    with pytest.raises(Violation, match="areas"):
        check_tables(tables | {"areas": "0" * 64}, city.recorded)
