"""Households of the city: made-up people with ID numbers that nobody has."""

from datetime import date, timedelta
from uuid import UUID

from demo.people import (
    CARD_PREFIX,
    GIVEN_FEMALE,
    GIVEN_MALE,
    REGION,
    SEQUENCE_FROM,
    SURNAMES,
    check_character,
    luhn_digit,
)
from domain.commands.households import HouseholdInput, RegisterHouseholds
from domain.commands.sealing import CardInput, MemberInput
from domain.household_members import Relation
from tests.city.base import HOUSEHOLDS, Act, City, County, Village

ELDEST, DAYS = date(1935, 1, 1), 29_000
KINDS = ("extreme_poverty", "subsistence_allowance", "hardship", "ordinary")
GROWN = 6
"""The household of every village that has three members for sure."""
WITHOUT_CARD = 5
"""Every so many households has no card, so that its payment waits."""


def id_number(city: City) -> str:
    """The next number that nobody has: one of the last hundred of a birthday."""
    turn, day = divmod(city.born, DAYS)
    city.born += 1
    assert turn < 100, "more people than made-up numbers"
    body = f"{REGION}{ELDEST + timedelta(days=day):%Y%m%d}{SEQUENCE_FROM + turn}"
    return body + check_character(body)


def member(city: City, number: str, relation: Relation) -> MemberInput:
    given = city.dice.choice(GIVEN_MALE) + city.dice.choice(GIVEN_FEMALE)
    return MemberInput(name=city.dice.choice(SURNAMES) + given, relation=relation, id_number=number)


def household(
    city: City, key: str, size: int, numbers: tuple[str, ...] = (), *, card: bool = True
) -> HouseholdInput:
    """A new household; ``numbers`` are of people who are registered elsewhere already."""
    known = [*(id_number(city) for _ in range(size - len(numbers))), *numbers]
    city.people[key] = known
    members = [
        member(city, number, Relation.OTHER if place else Relation.HEAD)
        for place, number in enumerate(known)
    ]
    account = f"{CARD_PREFIX}{city.born:012d}"
    return HouseholdInput(
        id=city.household(key),
        members=tuple(members),
        category=city.dice.choice(KINDS),
        group=str(1 + city.dice.randrange(6)),
        card=CardInput(number=account + luhn_digit(account)) if card else None,
    )


def register(
    city: City, village: Village, *households: HouseholdInput, exercise: bool = False
) -> None:
    command = RegisterHouseholds(
        village=city.area(village.key), households=households, exercise=exercise
    )
    city.do(command, village.reporter)


def settle(city: City, county: County) -> Act:
    """Every village of the county registers its households."""
    for village in county.villages:
        register(
            city,
            village,
            *(
                household(
                    city,
                    village.household(n),
                    3 if n == GROWN else city.dice.randint(1, 4),
                    card=n % WITHOUT_CARD != WITHOUT_CARD - 1,
                )
                for n in range(HOUSEHOLDS)
            ),
        )
        yield


def ids(city: City, village: Village) -> list[UUID]:
    return [city.household(village.household(n)) for n in range(HOUSEHOLDS)]
