"""The households of season 2017–18: who they are, what they got, and who got nothing.

The totals are exact by construction (`Targets`), everything else is drawn from the seed. Rates
differ by category and by how hard the village was hit, so no village shares out evenly.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from demo.divisions import RESORT, SMALL_VILLAGES, Division, read_published
from demo.people import Family, Registry, dice

CEILING_YUAN = 300
"""Most a person may get in the demo's season, cash and goods at their unit value together."""
FLOOR_YUAN = 40
QUILT_YUAN = 120
COAT_YUAN = 90


class Outcome(StrEnum):
    """How a household's application ended."""

    GRANTED = "granted"
    REFUSED_BY_VILLAGE = "refused_by_village"  # 村评未通过
    STRUCK_AFTER_OBJECTION = "struck_after_objection"  # 异议成立
    WITHDRAWN = "withdrawn"  # 本人撤回
    REFUSED_BY_TOWNSHIP = "refused_by_township"  # 乡审未通过
    REFUSED_BY_COUNTY = "refused_by_county"  # 县定未通过
    DUPLICATE = "duplicate"  # 与他户重复，裁定归他户


class Failure(StrEnum):
    """When the bank sends the first payment back."""

    AT_ONCE = "at_once"
    LATER = "later"


@dataclass(frozen=True, slots=True)
class Targets:
    """What was granted in all. Cash is in whole yuan."""

    households: int
    persons: int
    cash_yuan: int
    quilts: int
    coats: int


@dataclass(frozen=True, slots=True)
class HouseholdPlan:
    """A household, its application and its grants.

    ``in_need`` counts the persons of the case (the first members of the family); the rest of the
    family is registered but not in need. ``round`` is the village's list it is on: 2 for those
    who came home after the sweep. An ``omitted`` one was forgotten, objected, and was added.
    """

    key: str
    village: str
    group: int  # 村民小组
    category: str
    family: Family
    in_need: int
    reason: str
    outcome: Outcome
    round: int = 1
    omitted: bool = False
    cash_yuan: int = 0
    quilts: int = 0
    coats: int = 0
    fails: Failure | None = None
    claims_person_of: str | None = None
    """Key of the household to which its only person really belongs (`Outcome.DUPLICATE`)."""

    @property
    def most_yuan(self) -> int:
        """The most cash that keeps every person of the case within the ceiling."""
        goods = self.quilts * QUILT_YUAN + self.coats * COAT_YUAN
        return (CEILING_YUAN * self.in_need - goods) // 10 * 10


CATEGORIES: tuple[tuple[str, int, int, int], ...] = (
    # name, weight for one person, weight for more, yuan a person
    ("特困", 22, 3, 180),
    ("低保", 34, 30, 150),
    ("低保边缘", 12, 16, 120),
    ("残疾人", 14, 14, 140),
    ("一般困难户", 18, 37, 90),
)
REASONS = ("减产绝收", "因灾倒房", "伤残", "缺衣被", "取暖困难", "口粮不足")
MOUNTAIN = frozenset(
    {"340882105", "340882106", "340882107", "340882110", "340882200", "340882202", "340882204"}
)
"""槎水, 水吼, 官庄, 天柱山, 塔畈, 龙潭, 五庙: colder, so more goods and higher rates."""
SIZE_WEIGHTS = (55, 27, 12, 4, 1.5, 0.5)
EXTRAS = {
    Outcome.REFUSED_BY_VILLAGE: 62,
    Outcome.STRUCK_AFTER_OBJECTION: 18,
    Outcome.WITHDRAWN: 15,
    Outcome.REFUSED_BY_TOWNSHIP: 31,
    Outcome.REFUSED_BY_COUNTY: 12,
    Outcome.DUPLICATE: 6,
}
SECOND_LIST_VILLAGES = 6
SECOND_LIST_HOUSEHOLDS = 2
OMISSIONS = 8
FAILED_PAYMENTS_PER_MILLE = 3
ADULT_BEFORE = date(1999, 9, 1)
SMALL_TARGETS = Targets(households=48, persons=82, cash_yuan=11_000, quilts=6, coats=3)


def targets_of(small: bool) -> Targets:
    """The published totals of the season, or those of the small demo."""
    if small:
        return SMALL_TARGETS
    published = read_published()["winter_relief_2017_2018"]
    return Targets(
        published["households"],
        published["persons"],
        published["cash_yuan"],
        published["quilts"],
        published["coats"],
    )


def plan_households(
    seed: int, registry: Registry, villages: Sequence[Division], small: bool
) -> tuple[HouseholdPlan, ...]:
    """All households that applied, village by village, with exact totals over the granted."""
    targets = targets_of(small)
    counts = _shared_out(seed, villages, targets.households)
    sizes = _sizes(seed, targets)
    granted: list[HouseholdPlan] = []
    for village in villages:
        for number in range(1, counts[village.code] + 1):
            key = f"{village.code}-{number:04d}"
            granted.append(_household(seed, registry, village.code, key, sizes[len(granted)]))
    granted = _with_goods(seed, granted, targets)
    granted = _with_cash(seed, granted, targets.cash_yuan)
    granted = _with_failures(seed, granted)
    granted = _with_second_lists(seed, granted, small)
    extras = _extras(seed, registry, villages, granted, small)
    return tuple(sorted([*granted, *extras], key=lambda one: one.key))


def _shared_out(seed: int, villages: Sequence[Division], households: int) -> dict[str, int]:
    """Households a village, by weight and largest remainder; at least three each."""
    weights = {}
    for village in villages:
        weight = dice(seed, "village", village.code).uniform(0.6, 1.4)
        if village.parent == RESORT:
            weight = 0.01  # a virtual community with next to no residents
        elif village.name.endswith("居委会"):
            weight *= 0.6
        weights[village.code] = weight
    least = 3
    rest = households - least * len(villages)
    unit = rest / sum(weights.values())
    counts = {code: least + int(weight * unit) for code, weight in weights.items()}
    by_remainder = sorted(
        weights, key=lambda code: (int(weights[code] * unit) - weights[code] * unit, code)
    )
    for code in by_remainder[: households - sum(counts.values())]:
        counts[code] += 1
    return counts


def _sizes(seed: int, targets: Targets) -> list[int]:
    """Persons in need of each household, 1 to 6, with the exact sum."""
    roll = dice(seed, "sizes")
    sizes = roll.choices(range(1, 7), weights=SIZE_WEIGHTS, k=targets.households)
    while (missing := targets.persons - sum(sizes)) != 0:
        step = 1 if missing > 0 else -1
        for place in roll.sample(range(len(sizes)), min(abs(missing), len(sizes))):
            if 1 <= sizes[place] + step <= 6:
                sizes[place] += step
    return sizes


def _household(
    seed: int,
    registry: Registry,
    village: str,
    key: str,
    in_need: int,
    outcome: Outcome = Outcome.GRANTED,
) -> HouseholdPlan:
    roll = dice(seed, "household", key)
    weights = [alone if in_need == 1 else more for _, alone, more, _ in CATEGORIES]
    category = roll.choices([name for name, *_ in CATEGORIES], weights=weights)[0]
    elderly = category == "特困" or (in_need <= 2 and roll.random() < 0.5)
    others = 1 if roll.random() < 0.04 and in_need < 6 else 0
    family = registry.family(in_need + others, elderly=elderly, key=key)
    reason = roll.choice(REASONS)
    return HouseholdPlan(
        key, village, roll.randint(1, 16), category, family, in_need, reason, outcome
    )


def _with_goods(
    seed: int, households: Sequence[HouseholdPlan], targets: Targets
) -> list[HouseholdPlan]:
    """A quilt to some, a coat to some: the mountains, the poorest and the old come first."""
    quilts = _chosen(seed, "quilts", households, targets.quilts)
    coats = _chosen(seed, "coats", households, targets.coats)
    return [
        replace(one, quilts=int(one.key in quilts), coats=int(one.key in coats))
        if one.key in quilts or one.key in coats
        else one
        for one in households
    ]


def _chosen(
    seed: int, what: str, households: Iterable[HouseholdPlan], count: int
) -> frozenset[str]:
    """A weighted choice without repetition."""

    def draw(one: HouseholdPlan) -> float:
        weight = 2.5 if one.village[:9] in MOUNTAIN else 1.0
        weight *= 2.0 if one.category in ("特困", "低保") else 1.0
        drawn: float = dice(seed, what, one.key).random() ** (1 / weight)
        return drawn

    ranked = sorted(households, key=lambda one: (-draw(one), one.key))
    return frozenset(one.key for one in ranked[:count])


def _with_cash(
    seed: int, households: Sequence[HouseholdPlan], total_yuan: int
) -> list[HouseholdPlan]:
    """Tens of yuan a household, by rate, hardship and size, with the exact sum."""
    rates = {name: rate for name, _, _, rate in CATEGORIES}
    wished = [_wish(seed, one, rates[one.category]) for one in households]
    scale = total_yuan / sum(wished)
    amounts = [
        min(max(round(wish * scale / 10) * 10, FLOOR_YUAN * one.in_need), one.most_yuan)
        for wish, one in zip(wished, households, strict=True)
    ]
    places = list(range(len(amounts)))
    dice(seed, "rounding").shuffle(places)
    while (missing := total_yuan - sum(amounts)) != 0:
        step = 10 if missing > 0 else -10
        for place in places[: abs(missing) // 10]:
            one = households[place]
            if FLOOR_YUAN * one.in_need <= amounts[place] + step <= one.most_yuan:
                amounts[place] += step
        places = places[1:] + places[:1]
    return [replace(one, cash_yuan=amount) for one, amount in zip(households, amounts, strict=True)]


def _wish(seed: int, one: HouseholdPlan, rate: int) -> float:
    hardship = dice(seed, "hardship", one.village).uniform(0.9, 1.1)
    hardship *= 1.08 if one.village[:9] in MOUNTAIN else 1.0
    return one.in_need * rate * hardship * dice(seed, "wish", one.key).uniform(0.85, 1.15)


def _with_failures(seed: int, households: Sequence[HouseholdPlan]) -> list[HouseholdPlan]:
    """Some cards turn out wrong: the first payment fails, the second one arrives."""
    count = max(2, len(households) * FAILED_PAYMENTS_PER_MILLE // 1000)
    drawn = dice(seed, "failures").sample([one.key for one in households], count)
    chosen = {key: list(Failure)[number % 2] for number, key in enumerate(drawn)}
    return [replace(one, fails=chosen[one.key]) if one.key in chosen else one for one in households]


def _with_second_lists(
    seed: int, households: Sequence[HouseholdPlan], small: bool
) -> list[HouseholdPlan]:
    """A few villages have a second list, in a few somebody asks “why am I not on it?”."""
    others = sorted({one.village for one in households} - set(SMALL_VILLAGES))
    others = [] if small else [code for code in others if code[:9] != RESORT]
    drawn = dice(seed, "villages").sample(others, len(others))
    second = {SMALL_VILLAGES[1], *drawn[: SECOND_LIST_VILLAGES - 1]}
    asking = {SMALL_VILLAGES[0], *drawn[-(OMISSIONS - 1) :]}
    mine: dict[str, list[str]] = {}
    for one in households:
        mine.setdefault(one.village, []).append(one.key)
    late = {key for village in second for key in mine[village][-SECOND_LIST_HOUSEHOLDS:]}
    omitted = {mine[village][-1] for village in asking}
    return [
        replace(one, round=2 if one.key in late else 1, omitted=one.key in omitted)
        if one.key in late or one.key in omitted
        else one
        for one in households
    ]


def _extras(
    seed: int,
    registry: Registry,
    villages: Sequence[Division],
    granted: Sequence[HouseholdPlan],
    small: bool,
) -> list[HouseholdPlan]:
    """Applications that ended without a grant: the first of each kind in the small villages."""
    counts = dict.fromkeys(EXTRAS, 1) if small else EXTRAS
    codes = [village.code for village in villages if village.parent != RESORT]
    extras: list[HouseholdPlan] = []
    for outcome, count in counts.items():
        for number in range(count):
            home = SMALL_VILLAGES[len(extras) % 3] if number == 0 else ""
            village = home or dice(seed, "extra", outcome, number).choice(codes)
            key = f"{village}-9{len(extras):03d}"
            if outcome is Outcome.DUPLICATE:
                extras.append(_duplicate(seed, registry, village, key, granted))
            else:
                size = dice(seed, "extra size", key).choice((1, 1, 1, 2, 2, 3))
                extras.append(_household(seed, registry, village, key, size, outcome))
    return extras


def _duplicate(
    seed: int,
    registry: Registry,
    village: str,
    key: str,
    granted: Sequence[HouseholdPlan],
) -> HouseholdPlan:
    """A second registration, in another village, of a member of a household that is granted."""
    taken = [
        one
        for one in granted
        if one.village != village and one.in_need >= 2
        if one.family.members[1].born_on < ADULT_BEFORE
    ]
    first = dice(seed, "duplicate", key).choice(taken)
    again = replace(first.family.members[1], relation="户主")
    made = _household(seed, registry, village, key, 1, Outcome.DUPLICATE)
    family = replace(made.family, members=(again,))
    return replace(made, family=family, in_need=1, claims_person_of=first.key)
