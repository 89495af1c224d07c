"""The demo's whole plan: one county from September 2017 to August 2018, as plain values.

`build_plan` is pure: the same seed gives the same plan on every machine. What was granted equals
the published totals of the season to the yuan and the quilt (`Targets`); everything below the
totals is made up. ``small`` is one township with three villages in which everything happens once.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import chain

from demo.changes import changes
from demo.disasters import DisasterPlan, Occurrence, plan_disasters
from demo.divisions import COUNTY, Division, of_the_demo, read_divisions
from demo.figures import FLOOD
from demo.flood import incidents, rosters
from demo.households import HouseholdPlan, Outcome, Targets, plan_households
from demo.last_day import GUST, last_day
from demo.people import Registry
from demo.posts import Posts, appoint, posts_of
from demo.reporting import disasters
from demo.season import ListPlan, lists_of, season
from demo.steps import AdoptRules, ChangeCodes, EstablishDivisions, Step
from demo.supply import FundPlan, funds_of, goods, money, share_out
from demo.times import at

SEED = 2017
OLD_COUNTY = "340824"
OLD_NAME = "潜山县"
ESTABLISHED_ON = date(2016, 1, 1)
CITY_FROM = date(2018, 8, 30)
"""The day of the county's new codes in the demo; the year and the document are real."""
CITY_DOCUMENT = "民函〔2018〕104号"


@dataclass(frozen=True, slots=True)
class DemoPlan:
    """Everything that happens, in order of time, and the things it happens to."""

    seed: int
    small: bool
    divisions: tuple[Division, ...]
    posts: Posts
    households: dict[str, HouseholdPlan]
    lists: dict[str, ListPlan]
    funds: tuple[FundPlan, ...]
    disasters: dict[str, DisasterPlan]
    steps: tuple[Step, ...]

    @property
    def occurrences(self) -> dict[str, Occurrence]:
        """What reports are about: the disasters, and what nobody has declared yet."""
        return {**self.disasters, GUST.key: GUST}

    @property
    def granted(self) -> Targets:
        """What the season grants in all, counted from the households."""
        some = [one for one in self.households.values() if one.outcome is Outcome.GRANTED]
        return Targets(
            households=len(some),
            persons=sum(one.in_need for one in some),
            cash_yuan=sum(one.cash_yuan for one in some),
            quilts=sum(one.quilts for one in some),
            coats=sum(one.coats for one in some),
        )


def code_of_day(division: Division) -> str:
    """A division's code before the county became a city: 6 digits, or 12 below a county."""
    code = division.code
    if code.startswith(COUNTY):
        code = OLD_COUNTY + code[6:]
    return full_code(code)


def full_code(code: str) -> str:
    """A code of the register in the length forms use: 340882101 is 340882101000."""
    return code.ljust(6, "0") if len(code) <= 6 else code.ljust(12, "0")


def name_of_day(division: Division) -> str:
    """A division's name before the county became a city."""
    return OLD_NAME if division.code == COUNTY else division.name


def build_plan(seed: int = SEED, *, small: bool = False) -> DemoPlan:
    """The plan of the whole county, or of the small demo. Takes a few seconds at most."""
    divisions = of_the_demo(read_divisions(), small)
    villages = [one for one in divisions if one.level == "village" and one.code.startswith(COUNTY)]
    posts = posts_of(divisions)
    registry = Registry(seed, date(2017, 9, 19))
    households = plan_households(seed, registry, villages, small)
    grouped = lists_of(households)
    funds = funds_of(small)
    yuan = {key: sum(one.cash_yuan for one in some) for key, some in grouped.items()}
    chosen = share_out(funds, yuan)
    lists = tuple(
        ListPlan(key, some[0].village, some[0].round, some, chosen[key])
        for key, some in grouped.items()
    )
    plans = plan_disasters(seed, divisions)
    flood = next(plan for plan in plans if plan.key == FLOOD)
    steps = chain(
        _beginning(divisions),
        appoint(registry, divisions, posts),
        money(funds, yuan, chosen),
        goods(households, posts),
        season(lists, posts),
        changes(seed, households, registry, posts, small),
        disasters(seed, plans, posts),
        rosters(seed, flood, registry, posts),
        incidents(posts),
        last_day(seed, posts),
        _end(divisions),
    )
    return DemoPlan(
        seed=seed,
        small=small,
        divisions=divisions,
        posts=posts,
        households={one.key: one for one in households},
        lists={one.key: one for one in lists},
        funds=funds,
        disasters={plan.key: plan for plan in plans},
        steps=in_order(tuple(steps)),
    )


def in_order(steps: Sequence[Step]) -> tuple[Step, ...]:
    """By time; steps of the same minute stay in the order in which they were planned."""
    return tuple(sorted(steps, key=lambda step: step.at))


def _beginning(divisions: tuple[Division, ...]) -> Iterator[Step]:
    yield EstablishDivisions(
        key="divisions",
        at=at(2017, 9, 11, 8),
        by=None,
        divisions=divisions,
        established_on=ESTABLISHED_ON,
        document_no="统计用区划代码（演示）",
    )
    yield AdoptRules(key="rules", at=at(2017, 9, 11, 8, 30), by=None)


def _end(divisions: Sequence[Division]) -> Iterator[Step]:
    """The county becomes a city at the end of August 2018."""
    yield ChangeCodes(
        key="codes",
        at=at(2018, 8, 30, 17),
        by=None,
        divisions=tuple(one for one in divisions if one.code.startswith(COUNTY)),
        effective_on=CITY_FROM,
        document_no=CITY_DOCUMENT,
    )
