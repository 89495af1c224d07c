"""People looked for by name among very many, while registrations go on.

The index is filled with made-up names, 500 persons a village, then measured twice: how long four
searchers wait, and how long one writer's registrations take beside them and without them. Searchers
are a village, a township's worth of villages and the whole store, by turns; they type one
character, two, a whole name, pinyin and initials, five times a second each: twice what one
officer's quota allows.

What the index costs is told for a million persons: processor seconds of the worker that reads
registrations from the log, unseals the names and writes the terms, and bytes of the vault.
"""

import random
import tempfile
import threading
import time
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from bench import county
from bench.base import Reach, Result, machine, median, percentile, ratio
from domain.catalog import AGGREGATES
from domain.commands.households import HouseholdInput, RegisterHousehold, RegisterHouseholds
from domain.commands.sealing import MemberInput
from domain.household_members import Relation
from domain.world import Role
from eventstore.outcomes import Envelope
from eventstore.spelling import terms
from eventstore.store import Store

PERSONS = 1_000_000
A_VILLAGE = 500
SEARCHERS = 4
A_SECOND = 5
SECONDS = 15.0
HOUSEHOLDS = 10_000
"""Registered, three persons each, to measure the worker that indexes them."""
ROUNDS = 3
SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭"
    "曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢单查解"
)
GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华建国文辉力海燕玉兰春梅志红小翠花金凤龙飞云"


def named(chance: random.Random) -> str:
    given = chance.choice(GIVEN) + (chance.choice(GIVEN) if chance.random() < 0.8 else "")
    return chance.choice(SURNAMES) + given


def fill(store: Store, persons: int, chance: random.Random) -> list[UUID]:
    """The index as the worker would have made it; answers the villages."""
    villages = [UUID(int=chance.getrandbits(128)) for _ in range(max(1, persons // A_VILLAGE))]
    for village in villages:
        rows, entries, homes = [], [], []
        for _ in range(min(A_VILLAGE, persons)):
            household, person = (chance.getrandbits(128).to_bytes(16, "big") for _ in range(2))
            name = named(chance)
            homes.append((household, village.bytes, 0))
            entries.append((household, person, name))
            rows += [(village.bytes, 0, term, household, person) for term in terms(name)]
        with store.vault.aside() as db:
            db.executemany("INSERT INTO name_homes VALUES (?,?,?)", homes)
            db.executemany("INSERT INTO name_entries VALUES (?,?,?)", entries)
            db.executemany("INSERT INTO name_terms VALUES (?,?,?,?,?)", sorted(rows))
    return villages


class Searchers:
    """Four threads that search at a pace until they are told to end."""

    def __init__(self, store: Store, villages: list[UUID]) -> None:
        self.took: list[float] = []
        self._store, self._villages = store, villages
        self._ending = threading.Event()
        self._threads = [
            threading.Thread(target=self._search, args=(n,), daemon=True) for n in range(SEARCHERS)
        ]

    def __enter__(self) -> "Searchers":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        for thread in self._threads:
            thread.join()

    def _search(self, n: int) -> None:
        chance = random.Random(n)
        while not self._ending.wait(1 / A_SECOND):
            name = named(chance)
            typed = chance.choice([name, name[:1], name[1:], name[:2], "zhangw", "lyh", "shan"])
            size = chance.choice([1, 20, len(self._villages)])
            some = chance.sample(self._villages, min(size, len(self._villages)))
            began = time.perf_counter()
            self._store.find(typed, some)
            self.took.append(time.perf_counter() - began)


def registrations(store: Store, seconds: float) -> list[float]:
    """One registration after another; the seconds that each took."""
    took: list[float] = []
    ends = time.perf_counter() + seconds
    chance = random.Random()
    while time.perf_counter() < ends:
        command = RegisterHousehold(
            id=uuid4(),
            village=county.village(chance.randrange(county.VILLAGES)),
            members=(MemberInput(name=named(chance), relation=Relation.HEAD),),
            category="ordinary",
        )
        envelope = Envelope(
            id=uuid4(), officer=county.officer_of(Role.COUNTY_APPROVER), command=command
        )
        began = time.perf_counter()
        store.run(envelope)
        took.append(time.perf_counter() - began)
    return took


def worker_seconds(households: int) -> tuple[float, int]:
    """Processor seconds in which the index is built from the log, and how many persons it holds."""
    chance = random.Random(9)
    relations = (Relation.HEAD, Relation.SPOUSE, Relation.CHILD)
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        store = Store.at(Path(name), AGGREGATES)
        county.build(store)
        officer = county.officer_of(Role.COUNTY_APPROVER)
        for start in range(0, households, A_VILLAGE):
            village = county.village(start // A_VILLAGE % county.VILLAGES)
            given = tuple(
                HouseholdInput(
                    id=uuid4(),
                    members=tuple(MemberInput(name=named(chance), relation=r) for r in relations),
                    category="ordinary",
                )
                for _ in range(min(A_VILLAGE, households - start))
            )
            command = RegisterHouseholds(village=village, households=given)
            store.run(Envelope(id=uuid4(), officer=officer, command=command))
        began = time.process_time()
        store.effects.rebuild()
        took = time.process_time() - began
        store.close()
    return took, households * len(relations)


def run(*, tiny: bool = False, scale: float | None = None) -> Result:
    """``scale``: the share of a million persons."""
    about = machine()
    persons = 2_000 if tiny else round(PERSONS * (scale or 1.0))
    seconds, rounds = (0.5, 1) if tiny else (SECONDS, ROUNDS)
    worked, indexed = worker_seconds(100 if tiny else HOUSEHOLDS)
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        store = Store.at(Path(name), AGGREGATES)
        county.build(store)
        villages = fill(store, persons, random.Random(8))
        store.effects.start(store.watch.wait)
        alone: list[float] = []
        beside: list[float] = []
        waited: list[float] = []
        for _ in range(rounds):
            alone.append(median(registrations(store, seconds)))
            with Searchers(store, villages) as searchers:
                beside.append(median(registrations(store, seconds)))
            waited += searchers.took
        store.close()  # what still lies in the vault's write-ahead log goes into the file
        size = (Path(name) / "vault.sqlite").stat().st_size
    waited.sort()
    p95 = 1000 * percentile(waited, 0.95)
    figures: dict[str, Any] = {
        "persons": persons,
        "villages": len(villages),
        "searches": len(waited),
        "search_p50_ms": round(1000 * percentile(waited, 0.5), 2),
        "search_p95_ms": round(p95, 2),
        "write_p50_ms_alone": round(1000 * median(alone), 2),
        "write_p50_ms_beside": round(1000 * median(beside), 2),
        "vault_bytes_a_person": size // persons,
        "index_cpu_seconds_a_million": round(worked / indexed * 1_000_000, 1),
        "indexed": indexed,
    }
    ratios = {"search_p95_ms": round(p95, 2), "write_beside_over_alone": ratio(beside, alone)}
    reaches = {
        "search_p95_ms": Reach(at_most=50, unit="ms"),
        "write_beside_over_alone": Reach(at_most=1.1),
    }
    return Result("search", figures, ratios, about, reaches)
