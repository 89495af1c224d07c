"""The city as the acts see it: its divisions, its officers, its people, and a hand to act with."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from math import ceil
from uuid import UUID

from demo.times import at
from domain.fund import Fund
from domain.ids import seeded_id
from domain.officer import Officer
from domain.world import Command
from eventstore.outcomes import Envelope, Receipt
from eventstore.store import Store

BATCH = 128
TOWNSHIPS = 2
MOST_VILLAGES = 40
HOUSEHOLDS = 10
REAL = (
    ("340802", "迎江区"),
    ("340803", "大观区"),
    ("340811", "宜秀区"),
    ("340822", "怀宁县"),
    ("340825", "太湖县"),
    ("340826", "宿松县"),
    ("340827", "望江县"),
    ("340828", "岳西县"),
    ("340881", "桐城市"),
    ("340882", "潜山市"),
)
"""Counties of 安庆市; further ones are made up with codes that are not in use."""

Act = Iterator[None]
"""Acts of one county: each ``yield`` lets another county go first."""


@dataclass(frozen=True)
class Village:
    key: str
    code: str
    township: str

    @property
    def reporter(self) -> str:
        return f"{self.key}-reporter"

    @property
    def reviewer(self) -> str:
        return f"{self.township}-reviewer"

    def household(self, number: int) -> str:
        return f"{self.key}-h{number}"


@dataclass(frozen=True)
class County:
    number: int
    key: str
    code: str
    name: str
    townships: tuple[str, ...]
    villages: tuple[Village, ...]

    def of(self, township: str) -> tuple[Village, ...]:
        return tuple(village for village in self.villages if village.township == township)

    @property
    def approver(self) -> str:
        return f"{self.key}-approver"

    @property
    def payer(self) -> str:
        return f"{self.key}-payer"

    @property
    def storekeeper(self) -> str:
        return f"{self.key}-storekeeper"

    @property
    def dispatcher(self) -> str:
        return f"{self.key}-dispatcher"


def make_county(number: int, scale: int) -> County:
    """``4 * scale`` villages, at most 40 of them in a township."""
    key = f"c{number}"
    code, name = REAL[number] if number < len(REAL) else (f"3408{30 + number}", f"第{number}县")
    townships = max(TOWNSHIPS, ceil(4 * scale / MOST_VILLAGES))
    each = ceil(4 * scale / townships)
    names = tuple(f"{key}-t{t}" for t in range(townships))
    villages = tuple(
        Village(f"{key}-t{t}-v{v}", f"{code}{100 + t}{200 + v}", names[t])
        for t in range(townships)
        for v in range(each)
    )
    return County(number, key, code, name, names, villages)


@dataclass
class City:
    """Gives commands to a store in batches, in the order of their times; a refusal is an error."""

    store: Store
    counties: tuple[County, ...]
    seed: int
    scale: int
    now: datetime = field(default_factory=lambda: at(2018, 6, 1, 8))
    merged: set[str] = field(default_factory=set)
    """Villages that have gone into others."""
    people: dict[str, list[str]] = field(default_factory=dict)
    """ID numbers of the members of each household, its head first."""
    born: int = 0
    commands: int = 0
    _waiting: list[Envelope] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.dice = random.Random(f"city/{self.seed}/{self.scale}")

    # names

    def id(self, kind: str, key: str) -> UUID:
        return seeded_id("city", self.seed, kind, key)

    def area(self, key: str) -> UUID:
        return self.id("area", key)

    def officer(self, key: str) -> UUID:
        return Officer.id_of(self.id("officer", key))

    def household(self, key: str) -> UUID:
        return self.id("household", key)

    def person(self, household: str, place: int = 0) -> UUID:
        """Who holds that ID number, by the random id that the vault keeps for it."""
        return self.store.vault.person_for(self.people[household][place])

    def fund(self, document_no: str, holder: str, *, exercise: bool = False) -> UUID:
        return Fund.id_of(document_no, self.area(holder), exercise)

    def living(self, county: County) -> tuple[Village, ...]:
        return tuple(village for village in county.villages if village.key not in self.merged)

    @property
    def today(self) -> date:
        return self.now.date()

    @property
    def paper(self) -> str:
        """The SHA-256 of a document nobody has."""
        return sha256(str(self.commands).encode()).hexdigest()

    # acting

    def day(self, year: int, month: int, day: int, hour: int = 9) -> None:
        moment = at(year, month, day, hour)
        assert moment > self.now, "time only goes on"
        self.now = moment

    def wait(self, **more: int) -> None:
        self.now += timedelta(**more)

    def do(self, command: Command, by: str | None) -> None:
        """One command by an officer (None: the system), decided with others of its batch."""
        self.commands += 1
        envelope = Envelope(
            id=self.id("command", f"{len(self.counties)}/{self.scale}/{self.commands}"),
            officer=self.officer(by) if by is not None else None,
            command=command,
            at=self.now.astimezone(UTC),
        )
        self._waiting.append(envelope)
        if len(self._waiting) >= BATCH:
            self.send()

    def send(self) -> None:
        """Decide and store what waits."""
        for envelope, answer in zip(self._waiting, self.store.run_many(self._waiting), strict=True):
            if not isinstance(answer, Receipt):
                raise AssertionError(f"{envelope.command}: {answer}") from answer
        self._waiting.clear()

    def in_turn(self, acts: list[Act]) -> None:
        """Let acts go on in an order drawn by lot, each step by step, until all are over."""
        while acts:
            act = self.dice.choice(acts)
            for _ in act:
                break
            else:
                acts.remove(act)
            self.wait(seconds=1)
