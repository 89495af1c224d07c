"""A generated city: counties, townships and villages in which a year of relief happens.

Every fact comes from a real command by an officer with a post, all rules on. Money is passed down
from province to city to counties; goods go from the city and between counties; people are claimed
by households of two counties; a flood is the city's and is reported by all its counties; lists
run under seasons of the city and of the counties; villages merge, codes change, a drill is held.
At any time several counties are at work, so that the log mixes their facts.

    city = build_city(store, counties=8, seed=1, scale=1)      # about 6,000 facts

Commands and their ids depend on ``counties``, ``seed`` and ``scale`` only; the ids that the vault
gives to persons are random. ``scale`` multiplies villages and households, and with them the facts.
The store must be empty: it is put on a simulated clock.
"""

from tests.city.base import City
from tests.city.year import build_city

__all__ = ["City", "build_city"]
