"""What happens in households beside the season: births, deaths, moves, and an entry made twice."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta

from demo.divisions import SMALL_VILLAGES
from demo.households import HouseholdPlan, Outcome
from demo.people import Registry, dice
from demo.posts import Posts
from demo.steps import Change, ChangeHousehold, MergeHouseholds, RegisterTwice, Step
from demo.times import at

EACH = 6
"""How many of each change there are in the whole county; the small demo has one of each."""
TWICE = 3


def changes(
    seed: int,
    households: Sequence[HouseholdPlan],
    registry: Registry,
    posts: Posts,
    small: bool,
) -> Iterator[Step]:
    """Changes of granted households after the grants, and households that are entered twice."""
    claimed = {one.claims_person_of for one in households}
    quiet = [
        one
        for one in households
        if one.outcome is Outcome.GRANTED
        and one.key not in claimed
        and one.round == 1
        and not one.omitted
        and one.fails is None
        and one.in_need >= 2
        and all(member.id_number for member in one.family.members)
    ]
    here = [one for one in quiet if one.village in SMALL_VILLAGES]
    elsewhere = [one for one in quiet if one.village not in SMALL_VILLAGES]
    each, twice = (1, 1) if small else (EACH, TWICE)
    drawn = dice(seed, "changes").sample(elsewhere, 0 if small else EACH * 7)
    dice(seed, "changes here").shuffle(here)
    chosen = here[: len(Change) + 1] + drawn
    for number, one in enumerate(chosen):
        kind = number % (len(Change) + 1)
        turn = number // (len(Change) + 1)
        if kind == len(Change):
            if turn < twice:
                yield from _twice(one, posts)
        elif turn < each:
            yield _change(one, list(Change)[kind], turn, registry, posts)


def _twice(one: HouseholdPlan, posts: Posts) -> Iterator[Step]:
    """The B reporter enters a household again, the township merges the two entries."""
    copy = f"{one.key}-again"
    yield RegisterTwice(
        key=f"register/{copy}",
        at=at(2017, 9, 25, 10),
        by=posts.reporter(one.village).removesuffix("-a") + "-b",
        household=one.key,
        copy=copy,
    )
    yield MergeHouseholds(
        key=f"merge/{copy}",
        at=at(2017, 9, 26, 10),
        by=posts.reviewer(one.village[:9]),
        copy=copy,
        into=one.key,
        reason="同一户重复登记，予以合并",
    )


def _change(
    one: HouseholdPlan, change: Change, turn: int, registry: Registry, posts: Posts
) -> ChangeHousehold:
    order = list(Change).index(change)
    when = at(2018, 4, 2 + order, 10) + timedelta(days=7 * turn)
    by, on = posts.reporter(one.village), when.date() - timedelta(days=5)
    member, person, village, category = len(one.family.members) - 1, None, "", ""
    reason = {
        Change.BORN: "新生儿随父母登记",
        Change.DIED: "因病去世",
        Change.LEFT: "外嫁迁出",
        Change.MOVED: "搬迁安置",
        Change.IDENTIFIED: "登记时身份证号码有误",
        Change.CATEGORIZED: "纳入低保",
    }[change]
    if change is Change.BORN:
        person = registry.infant(one.family, on)
    elif change is Change.IDENTIFIED:
        person = registry.corrected(one.family.members[member])
    elif change is Change.MOVED:
        by = posts.reviewer(one.village[:9], when.date())
        village = _neighbor(one.village, posts)
    elif change is Change.CATEGORIZED:
        category = "低保"
    return ChangeHousehold(
        key=f"{change}/{one.key}",
        at=when,
        by=by,
        household=one.key,
        change=change,
        on=on if change is not Change.MOVED else date(2018, 3, 25),
        reason=reason,
        member=member,
        person=person,
        village=village,
        category=category,
    )


def _neighbor(village: str, posts: Posts) -> str:
    """Another village of the same township."""
    others = [code for code in posts.slugs if len(code) == 12 and code[:9] == village[:9]]
    return next((code for code in sorted(others) if code != village), village)
