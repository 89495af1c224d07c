"""The year of the city, from its officers' first day to the winter's payments."""

from eventstore.store import Store
from tests.city import changes, dispatch, flood, people, places, relief, supply
from tests.city.base import Act, City, County, make_county
from tests.city.drill import drill


def build_city(store: Store, counties: int = 8, seed: int = 1, scale: int = 1) -> City:
    """Fill an empty store with the facts of a city. At least 6 counties."""
    assert counties >= 6, "the city's emergency relief alone takes five"
    made = tuple(make_county(number, scale) for number in range(counties))
    city = City(store, made, seed, scale)
    store.begin_simulated(city.now)
    places.begin(city)
    _summer(city)
    _flood(city)
    _autumn(city)
    city.day(2018, 11, 5)
    relief.winter(city)
    city.day(2019, 1, 7)
    relief.close_seasons(city)
    supply.money_back(city)
    city.in_turn([changes.forgotten(city, county) for county in made])
    city.send()
    return city


def _summer(city: City) -> None:
    city.day(2018, 6, 6)
    supply.money(city)
    supply.shelves(city)
    dispatch.teams(city)
    city.in_turn([people.settle(city, county) for county in city.counties])


def _flood(city: City) -> None:
    city.day(2018, 7, 4, 7)
    flood.declare(city, flood.FLOOD, "7·4暴雨洪涝（演示）", "city", "city-reviewer")
    reports = flood.reporting(city)
    acts: list[Act] = [flood.first_day(city, reports[county.key]) for county in city.counties]
    acts += [dispatch.rescues(city, county) for county in city.counties]
    acts += [flood.brook(city, county) for county in city.counties[:4]]
    city.in_turn(acts)
    flood.respond(city)
    city.day(2018, 7, 5)
    acts = [flood.second_day(city, reports[county.key]) for county in city.counties]
    acts += [supply.from_the_city(city, county) for county in city.counties]
    acts += [supply.to_the_neighbor(city, *pair) for pair in _pairs(city)]
    city.in_turn(acts)
    city.day(2018, 7, 9)
    relief.emergency(city)
    city.day(2018, 7, 12)
    city.in_turn([flood.verified(city, reports[county.key]) for county in city.counties])
    flood.stabilize(city)


def _pairs(city: City) -> list[tuple[County, County]]:
    return list(zip(city.counties[::2], city.counties[1::2], strict=False))


def _autumn(city: City) -> None:
    """A drill; people, villages, codes and officers change, county's in its own order."""
    city.day(2018, 8, 6)
    drill(city)
    city.day(2018, 9, 3)
    city.in_turn([changes.contests(city, county) for county in city.counties])
    acts: list[Act] = [changes.families(city, county) for county in city.counties]
    acts += [changes.officers(city, county) for county in city.counties]
    acts += [changes.villages(city, county) for county in city.counties[1::2]]
    city.in_turn(acts)
    city.in_turn([changes.becomes_a_city(city, county) for county in city.counties[3:5]])
