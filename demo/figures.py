"""Made-up figures of the three disasters of 2018, right in their arithmetic by construction.

A village's final harm is drawn from the seed; what it reports at a stage is a share of it, so
that parts stay below wholes; sums (relocated, losses, townships, county) are computed, never drawn.
Keys are those of the indicators of 2016, which were in force (``rules/indicators-2016.toml``).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from demo.divisions import SMALL_VILLAGES
from demo.people import dice

Figure = int | Decimal
Figures = dict[str, Figure]

CENT = Decimal("0.01")
BODY_VILLAGE = SMALL_VILLAGES[1]
"""Where a person is missing at first and found dead, and two are injured."""
CROWDED_VILLAGE = SMALL_VILLAGES[0]
"""So many people that its first follow-up is a big jump."""

FLOOD, HAIL, SNOW = "flood", "hail", "snow"


@dataclass(frozen=True, slots=True)
class Stage:
    """How much is known (``share`` of the final harm), how many relocated are still away."""

    name: str
    share: Decimal
    away: Decimal
    body_found: bool


INITIAL = Stage("initial", Decimal("0.12"), Decimal(1), False)
FIRST_DAY = Stage("first-day", Decimal("0.65"), Decimal(1), True)
SECOND_DAY = Stage("second-day", Decimal("0.95"), Decimal("0.6"), True)
VERIFIED = Stage("verified", Decimal(1), Decimal(0), True)

RANGES: dict[str, dict[str, tuple[int, int]]] = {
    FLOOD: {
        "affected": (60, 320),
        "relocated_central_cumulative": (0, 4),
        "relocated_dispersed_cumulative": (1, 7),
        "emergency_relief_needed_cumulative": (1, 8),
        "collapsed_households": (0, 1),
        "severely_damaged_households": (0, 2),
        "slightly_damaged_households": (1, 5),
        "small_livestock_dead": (0, 60),
        "large_livestock_dead": (0, 2),
    },
    HAIL: {
        "affected": (40, 180),
        "slightly_damaged_households": (0, 4),
        "small_livestock_dead": (0, 30),
    },
    SNOW: {
        "affected": (20, 120),
        "slightly_damaged_households": (0, 2),
        "small_livestock_dead": (0, 25),
    },
}
CENTS: dict[str, dict[str, tuple[int, int]]] = {
    FLOOD: {
        "crops_affected": (800, 6_000),
        "aquaculture_affected": (0, 400),
        "roads_damaged": (20, 300),
        "dikes_damaged": (0, 60),
        "power_lines_damaged": (0, 80),
        "loss_homes": (200, 3_000),
        "loss_farming": (1_000, 9_000),
        "loss_industry": (0, 800),
        "loss_infrastructure": (500, 8_000),
        "loss_public_services": (0, 600),
    },
    HAIL: {
        "crops_affected": (500, 3_500),
        "power_lines_damaged": (0, 60),
        "loss_homes": (50, 600),
        "loss_farming": (500, 4_500),
        "loss_infrastructure": (0, 300),
    },
    SNOW: {
        "crops_affected": (300, 2_500),
        "power_lines_damaged": (10, 120),
        "roads_damaged": (0, 200),
        "loss_homes": (20, 300),
        "loss_farming": (300, 3_000),
        "loss_infrastructure": (50, 900),
    },
}
ROOMS = {
    "collapsed": (2, 4),
    "severely_damaged": (1, 3),
    "slightly_damaged": (1, 3),
}
LOSSES = (
    "loss_homes",
    "loss_farming",
    "loss_industry",
    "loss_infrastructure",
    "loss_public_services",
)


def final_harm(seed: int, disaster: str, village: str) -> Figures:
    """What in the end turns out to have happened in a village: independent figures only."""
    roll = dice(seed, "harm", disaster, village)
    found: Figures = {key: roll.randint(*span) for key, span in RANGES[disaster].items()}
    if disaster == FLOOD and village == CROWDED_VILLAGE:
        found["affected"] = 1_260
    if disaster == FLOOD and village == BODY_VILLAGE:
        found["collapsed_households"] = 2
    for damage, (least, most) in ROOMS.items():
        households = int(found.get(f"{damage}_households", 0))
        dwelling = sum(roll.randint(least, most) for _ in range(households))
        found[f"{damage}_dwelling_rooms"] = dwelling
        found[f"{damage}_rooms"] = dwelling + (roll.randint(0, 2) if households else 0)
    for key, span in CENTS[disaster].items():
        found[key] = Decimal(roll.randint(*span)) / 100
    for share, key in ((Decimal("0.55"), "crops_damaged"), (Decimal("0.14"), "crops_lost")):
        found[key] = _cents(found["crops_affected"] * share)
    for key in ("affected", "damaged", "lost"):
        found[f"grain_{key}"] = _cents(found[f"crops_{key}"] * Decimal("0.7"))
    return found


def at_stage(disaster: str, village: str, final: Mapping[str, Figure], stage: Stage) -> Figures:
    """What the village reports at a stage: scaled, with its sums and pairs filled in."""
    known = {key: _share(value, stage.share) for key, value in final.items()}
    if disaster == FLOOD:
        here = village == BODY_VILLAGE
        known["missing"] = int(here and not stage.body_found)
        known["dead"] = int(here and stage.body_found)
        known["injured"] = 2 if here and stage.body_found else 0
        known["severely_injured"] = 1 if here and stage.body_found else 0
        central = known["relocated_central_cumulative"]
        known["shelters_cumulative"] = int(central > 0)
        known["relocated_cumulative"] = central + known["relocated_dispersed_cumulative"]
        known["shelters_current"] = int(known["shelters_cumulative"] and stage.away > 0)
        away = stage.away
        parts = ("relocated_central", "relocated_dispersed", "emergency_relief_needed")
        for part in parts:
            known[f"{part}_current"] = _share(known[f"{part}_cumulative"], away)
        known["relocated_current"] = (
            known["relocated_central_current"] + known["relocated_dispersed_current"]
        )
    elif stage is VERIFIED:
        known |= {"dead": 0, "missing": 0}  # a 核报 says that there were none
    if "large_livestock_dead" in known:
        known["livestock_dead"] = known["small_livestock_dead"] + known["large_livestock_dead"]
    known["loss_total"] = sum((known[key] for key in LOSSES if key in known), Decimal(0))
    return dict(sorted(known.items()))


def summed(parts: Iterable[Mapping[str, Figure]]) -> Figures:
    """The figures of an area: the sums of its parts."""
    total: Figures = {}
    for part in parts:
        for key, value in part.items():
            total[key] = total.get(key, 0) + value
    return dict(sorted(total.items()))


def _share(value: Figure, share: Decimal) -> Figure:
    if isinstance(value, Decimal):
        return _cents(value * share)
    return int((value * share).quantize(Decimal(1), ROUND_HALF_UP))


def _cents(value: Figure) -> Decimal:
    return Decimal(value).quantize(CENT, ROUND_HALF_UP)
