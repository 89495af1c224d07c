"""What every benchmark shares: its result, medians over pairs, the machine it ran on."""

import os
import platform
import sqlite3
import statistics
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

REPETITIONS = int(os.environ.get("BENCH_REPETITIONS", "3"))


@dataclass(frozen=True, slots=True)
class Reach:
    """What a ratio should reach: at least or at most a bound, and the unit it is told in."""

    at_least: float | None = None
    at_most: float | None = None
    unit: str = "×"

    def met(self, value: float) -> bool:
        low = self.at_least is None or value >= self.at_least
        return low and (self.at_most is None or value <= self.at_most)

    def __str__(self) -> str:
        sign, bound = ("≥", self.at_least) if self.at_least is not None else ("≤", self.at_most)
        return f"{sign} {bound:g} {self.unit}"


@dataclass(frozen=True, slots=True)
class Result:
    """What a benchmark answers. ``reaches`` is not in the JSON object: it is no measurement."""

    name: str
    figures: dict[str, Any]
    ratios: dict[str, float]
    machine: dict[str, Any]
    reaches: dict[str, Reach] = field(default_factory=dict)

    def as_object(self) -> dict[str, Any]:
        made = asdict(self)
        del made["reaches"]
        return made

    def lines(self) -> list[str]:
        """The table of `python -m bench NAME`: ratios with what they should reach, then figures."""
        made = [f"\n{self.name}"]
        for name, value in self.ratios.items():
            reach = self.reaches.get(name)
            said = f"{reach}: {'reached' if reach.met(value) else 'MISSED'}" if reach else ""
            made.append(f"  {name:44} {value:>12,.3f}   {said}")
        for name, value in self.figures.items():
            shown = (
                f"{value:,.3f}"
                if isinstance(value, float)
                else f"{value:,}"
                if isinstance(value, int)
                else str(value)
            )
            made.append(f"    {name:42} {shown:>12}")
        return made


def machine() -> dict[str, Any]:
    """Where it ran, and how busy that was as it began."""
    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [line for line in info.read_text().splitlines() if line.startswith("model name")]
        model = names[0].partition(":")[2].strip() if names else model
    return {
        "cpu": model,
        "cores": os.cpu_count() or 1,
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "system": platform.system(),
        "load_1min": round(os.getloadavg()[0], 2),
    }


def median(values: Sequence[float]) -> float:
    return float(statistics.median(values))


def pairs(
    ours: Callable[[int], float], theirs: Callable[[int], float], repetitions: int
) -> tuple[list[float], list[float]]:
    """Both measurements in turn, so that a busy minute hits both; the order swaps every time."""
    mine: list[float] = []
    other: list[float] = []
    for n in range(repetitions):
        both = [partial(_keep, mine, ours, n), partial(_keep, other, theirs, n)]
        for measure in both if n % 2 == 0 else reversed(both):
            measure()
    return mine, other


def _keep(into: list[float], measure: Callable[[int], float], n: int) -> None:
    into.append(measure(n))


def ratio(above: Sequence[float], below: Sequence[float]) -> float:
    """The median of the pairs' ratios."""
    return round(median([a / b for a, b in zip(above, below, strict=True)]), 4)


def percentile(ordered: Sequence[float], share: float) -> float:
    """Of sorted values; nearest rank."""
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
