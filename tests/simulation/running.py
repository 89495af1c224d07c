"""Running worlds by their seeds, and what became of them."""

import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field

from tests.simulation.chance import FAULTS
from tests.simulation.oracles import judge
from tests.simulation.world import World

CHUNK = 10


@dataclass(frozen=True)
class Fate:
    """What became of one world. ``problem`` is empty when all oracles hold."""

    seed: int
    trace: str
    fired: Counter[str]
    commands: int
    facts: int
    steps: int
    problem: str = ""
    where: str = ""

    @property
    def repro(self) -> str:
        return f"python -m tests.simulation --seed {self.seed}"


@dataclass
class Found:
    """What became of many."""

    seconds: float = 0.0
    seeds: int = 0
    commands: int = 0
    facts: int = 0
    fired: Counter[str] = field(default_factory=Counter)
    failed: list[Fate] = field(default_factory=list)

    def add(self, fate: Fate) -> None:
        self.seeds += 1
        self.commands += fate.commands
        self.facts += fate.facts
        self.fired += fate.fired
        if fate.problem:
            self.failed.append(fate)

    def summary(self) -> str:
        faults = "\n".join(f"  {kind:<28}{self.fired[kind]:>8}" for kind in FAULTS)
        return (
            f"{self.seeds} worlds, {self.commands} commands decided, {self.facts} facts, "
            f"{self.fired.total()} faults, {len(self.failed)} failed, {self.seconds:.0f} s\n"
            f"{faults}"
        )


def live(seed: int) -> Fate:
    """One world from birth to judgment."""
    world = World(seed)
    before = world.log.head()
    problem = where = ""
    try:
        world.run()
        judge(world)
    except Exception as found:
        problem, where = f"{type(found).__name__}: {found}", traceback.format_exc()
    return Fate(
        seed,
        world.chance.trace,
        world.chance.fired,
        len(world.clients.decided),
        world.log.head() - before,
        world.steps,
        problem,
        where,
    )


def run_seeds(
    seeds: Sequence[int], *, jobs: int = 1, told: Callable[[str], object] = lambda _: None
) -> Found:
    """Let worlds live. Tells of each that fails, with its repro."""
    began = time.monotonic()
    found = Found()
    for fate in _fates(seeds, jobs):
        found.add(fate)
        if fate.problem:
            told(f"seed {fate.seed}: {fate.problem}\n  repro: {fate.repro}")
            if len(seeds) == 1:
                told(fate.where)
    found.seconds = time.monotonic() - began
    return found


def _fates(seeds: Sequence[int], jobs: int) -> Iterator[Fate]:
    if jobs == 1:
        yield from map(live, seeds)
        return
    chunks = [seeds[start : start + CHUNK] for start in range(0, len(seeds), CHUNK)]
    with ProcessPoolExecutor(jobs) as pool:
        for fates in pool.map(_chunk, chunks):
            yield from fates


def _chunk(seeds: Sequence[int]) -> list[Fate]:
    return [live(seed) for seed in seeds]


def unfired(found: Found) -> list[str]:
    """Kinds of fault that no world met."""
    return [kind for kind in FAULTS if not found.fired[kind]]
