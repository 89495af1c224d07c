"""The city's drill 演练: a flood, money, goods, a rescue and a household that never were."""

from domain.unit import UnitKind
from tests.city import dispatch, flood, people, supply
from tests.city.base import Act, City, County

DRILL = "drill"


def drill(city: City) -> None:
    supply.money(city, exercise=True)
    supply.receive(city, "city", "quilt", 1_000, "city-storekeeper", exercise=True)
    flood.declare(city, DRILL, "2018年防汛演练", "city", "city-reviewer", exercise=True)
    city.in_turn([_in(city, county) for county in city.counties])


def _in(city: City, county: County) -> Act:
    village = county.villages[0]
    report = flood.Reporting(city, county, DRILL, (village,))
    report.first(village.key, village.reporter, exercise=True)
    yield
    report.accept(village.key, village.reviewer)
    yield
    load = supply.Load(
        city, f"{DRILL}-{county.key}", "city", county.key, "quilt", 20, exercise=True
    )
    for step in (load.request, load.order, load.ship, load.arrive):
        step()
        yield
    key = f"{DRILL}-{county.key}"
    by = county.dispatcher
    dispatch.register(city, key, county.key, by, UnitKind.MILITIA, exercise=True)
    yield
    dispatch.open_incident(city, key, village, exercise=True)
    yield
    yield from dispatch.rescued(city, key, key, by, by)
    yield
    people.register(city, village, people.household(city, key, 2), exercise=True)
