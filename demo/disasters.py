"""The three disasters of 2018: when they began, who was hit, when each thing was known.

Kinds and months are the published ones; days, hours, places and figures are ours.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from demo.divisions import COUNTY, RESORT, SMALL_TOWNSHIP, SMALL_VILLAGES, Division
from demo.figures import (
    FIRST_DAY,
    FLOOD,
    HAIL,
    SECOND_DAY,
    SNOW,
    VERIFIED,
    Figures,
    Stage,
    at_stage,
    final_harm,
)
from demo.households import MOUNTAIN
from demo.people import dice
from demo.season import LATE_TOWNSHIP
from demo.times import at


@dataclass(frozen=True, slots=True)
class Occurrence:
    """What happened and when, whether or not somebody declares it a disaster."""

    key: str
    name: str
    hazard: str
    sub_hazard: str
    occurred_at: datetime


@dataclass(frozen=True, slots=True)
class DisasterPlan(Occurrence):
    """A disaster: when it began, who is hit (villages by township), when it was stable."""

    villages: dict[str, tuple[str, ...]]
    late: frozenset[str]
    stages: tuple[Stage | None, ...]
    """What is known on each following day at 24:00; None is a zero report."""
    stable_at: datetime
    verified: tuple[datetime, datetime, datetime]


def plan_disasters(seed: int, divisions: Sequence[Division]) -> tuple[DisasterPlan, ...]:
    """The snow of January, the hail of May and the flood of July."""
    everywhere: dict[str, list[str]] = {}
    for division in divisions:
        if division.level == "village" and division.code.startswith(COUNTY):
            everywhere.setdefault(division.code[:9], []).append(division.code)

    def hit(disaster: str, townships: frozenset[str], each: int) -> dict[str, tuple[str, ...]]:
        chosen: dict[str, tuple[str, ...]] = {}
        for township in sorted(townships | {SMALL_TOWNSHIP}):
            known = [v for v in everywhere.get(township, []) if v not in SMALL_VILLAGES]
            if township == SMALL_TOWNSHIP:
                chosen[township] = SMALL_VILLAGES
            elif known:
                drawn = dice(seed, disaster, township).sample(known, min(each, len(known)))
                chosen[township] = tuple(sorted(drawn))
        return chosen

    plain = frozenset({"340882103", "340882104", "340882108", "340882201"})
    flooded = frozenset(
        {"340882100", "340882102", "340882105", "340882106", "340882109", LATE_TOWNSHIP}
    )
    mountain = MOUNTAIN - {RESORT}
    return (
        DisasterPlan(
            SNOW,
            "2018年1月低温冷冻和雪灾",
            "low_temperature",
            "",
            at(2018, 1, 25, 7),
            hit(SNOW, mountain, 2),
            frozenset(),
            (FIRST_DAY, SECOND_DAY, None),
            at(2018, 1, 28, 10),
            (at(2018, 1, 29, 9), at(2018, 1, 29, 16), at(2018, 1, 30, 10)),
        ),
        DisasterPlan(
            HAIL,
            "2018年5月风雹灾害",
            "wind_hail",
            "hail",
            at(2018, 5, 16, 16, 20),
            hit(HAIL, plain, 3),
            frozenset({SMALL_TOWNSHIP}),
            (FIRST_DAY,),
            at(2018, 5, 17, 15),
            (at(2018, 5, 18, 9), at(2018, 5, 18, 16), at(2018, 5, 21, 10)),
        ),
        DisasterPlan(
            FLOOD,
            "2018年7月4日暴雨洪涝灾害",
            "flood",
            "flash_flood",
            at(2018, 7, 4, 5, 30),
            hit(FLOOD, flooded | plain, 2),
            frozenset({LATE_TOWNSHIP}),
            (FIRST_DAY, SECOND_DAY, None),
            at(2018, 7, 7, 10),
            (at(2018, 7, 8, 9), at(2018, 7, 9, 9), at(2018, 7, 10, 10)),
        ),
    )


def report_key(disaster: str, division: str) -> str:
    """The plan's name of an area's report about a disaster."""
    return f"{disaster}/{division}"


def final_figures(seed: int, plan: DisasterPlan) -> dict[str, Figures]:
    """The verified figures of each village that is hit."""
    return {
        village: at_stage(plan.key, village, final_harm(seed, plan.key, village), VERIFIED)
        for villages in plan.villages.values()
        for village in villages
    }
