"""Households, rates and grants to choose from at the relief desk.

What a page hands on: ``one`` is the case (`relief_case`) or the household, ``terms`` those of the
season, ``households`` those of a village that have not applied, ``waiting`` cases with goods to be
signed for.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any
from uuid import UUID

from starlette.concurrency import run_in_threadpool

from api.named_rows import Free, free_rows
from domain.grants import OPEN, GrantStatus
from domain.house_damage import HouseDamage
from domain.household_members import Relation
from domain.need import Cause
from domain.refusal import NotFound
from domain.relief_case import ReliefCase
from domain.rules.parts import Part
from domain.rules.standards import BY_DAYS, TEN_DAYS, Programme, Rate
from domain.season import Season
from domain.telling import yuan
from projections.asking.ledger_books import ledger
from web.forms.form import Finder, Matter, Option
from web.picking.words import in_words
from web.reporting import place_of

if TYPE_CHECKING:
    from web.parts import Desk

THERE = (GrantStatus.PAID, GrantStatus.SIGNED)
MOST = 200
"""Households of one list that stand in one table."""

JOINT = " · "

Line = Mapping[str, Any]


async def terms_of(desk: "Desk", season: UUID | str) -> Programme:
    """The terms of a season as they stand: its rates have their names there."""
    found = await run_in_threadpool(desk.caller.system.store.load, UUID(str(season)))
    if not isinstance(found, Season):
        raise NotFound(kind="Season", id=UUID(str(season)))
    return found.terms


def rate_said(rate: Rate, t: Callable[..., str], language: str) -> str:
    """转移安置 300.00 元／人"""
    name = rate.zh if language == "zh" else rate.en
    return f"{name} {yuan(rate.amount_fen, language)}" + t("case.basis_" + rate.basis)


def more_said(rate: Rate, t: Callable[..., str], language: str) -> str:
    """最多 90 天，每 30 天发一次; 按节点分期：开工 30%、主体完工 40%、竣工验收 30%. "" where it is
    paid at once."""
    if rate.basis in BY_DAYS:
        if rate.pay_every_days is None:
            return t("season.rate_days", n=rate.max_days)
        return t("season.rate_days_every", n=rate.max_days, every=rate.pay_every_days)
    parts = (
        t("season.rate_milestone", name=one.zh if language == "zh" else one.en, percent=one.percent)
        for one in rate.milestones
    )
    return t("season.rate_milestones", parts=t("desk.comma").join(parts)) if rate.milestones else ""


def rates_said(terms: Programme, t: Callable[..., str], language: str) -> list[tuple[str, str]]:
    """Each rate with its amount, and how it is paid."""
    return [(rate_said(rate, t, language), more_said(rate, t, language)) for rate in terms.rates]


def part_said(part: Part, t: Callable[..., str], language: str) -> str:
    """第 2 期（第 31–60 天）, 第 2 期（主体完工 40%）"""
    if part.last_day:
        return t("case.part_days", n=part.number, first=part.first_day, last=part.last_day)
    name = part.zh if language == "zh" else part.en
    return t("case.part_at", n=part.number, name=name, percent=part.percent)


async def rates(matter: Matter) -> list[Option]:
    """What the need is reckoned by, each with its amount; the usual one first."""
    t, language = matter.t, matter.language
    return [
        Option(rate.key, rate_said(rate, t, language), more_said(rate, t, language))
        for rate in matter.known["terms"].rates
    ]


def beside_the_basis(prefix: str = "") -> Callable[[Matter], frozenset[str]]:
    """Of a need, what no rate of the season reckons with: days, rooms or deaths, or which rate; and
    rows of rosters that the programme does not go by."""

    def found(matter: Matter) -> frozenset[str]:
        terms = matter.known["terms"]
        bases = {rate.basis for rate in terms.rates}
        away = set()
        if len(terms.rates) < 2:
            away.add("need.rate")
        if not bases & set(BY_DAYS):
            away.add("need.days")
        if not bases & {"room", "death"} or terms.names == "dead":
            away.add("need.count")
        away |= {"need.kinds"} if terms.names == "dead" else set()
        away |= {"need.another"} if terms.names != "dead" else set()
        away |= {f"need.{what}" for what in ("dead", "house") if terms.names != what}
        return frozenset(prefix + name for name in away)

    return found


async def all_members(matter: Matter) -> dict[str, Any]:
    """All who live there, until somebody says fewer."""
    return {
        "need.persons": matter.known["one"]["size"],
        **_usual(matter),
    }


USUAL_CAUSES: Mapping[str, Cause] = {
    "emergency": Cause.EVACUATED,
    "drought": Cause.WATER_SHORTAGE,
    "housing": Cause.HOUSE_COLLAPSED,
    "condolence": Cause.DEATH,
}
"""Why people mostly apply in a programme."""


def _usual(matter: Matter) -> dict[str, Any]:
    """Rate, days and cause, as most of a programme's applications have them."""
    terms = matter.known["terms"]
    begun: dict[str, Any] = {
        "need.rate": terms.rates[0].key,
        "need.days": _usual_days(terms.rates[0]),
    }
    cause = USUAL_CAUSES.get(terms.key)
    return begun | ({"need.cause": cause} if cause else {})


def _usual_days(rate: Rate) -> int:
    """One part of a rate by days: a month, or ten days."""
    if rate.basis not in BY_DAYS:
        return 1
    return rate.pay_every_days or (TEN_DAYS if rate.basis == "person_ten_days" else 1)


async def as_applied(matter: Matter) -> dict[str, Any]:
    one = matter.known["one"]
    return {
        "need.persons": one["persons"],
        "need.kinds": tuple(one["kinds"]),
        "need.cause": one["cause"],
        "need.rate": one["rate"],
        "need.days": one["days"],
        "need.count": one["need_count"],
        **(await run_in_threadpool(_rows_named, matter)),
    }


def _rows_named(matter: Matter) -> dict[str, Any]:
    """The rows of rosters that the case names."""
    case = matter.desk.caller.system.store.load(UUID(matter.known["one"]["id"]))
    assert isinstance(case, ReliefCase), "a page of a case"
    return {"need.dead": case.need.dead, "need.house": case.need.house}


async def the_dead(matter: Matter) -> list[Option]:
    """Who died in the season's disaster, as the rosters in the officer's reach have it, without
    those whom another household's application names."""
    return await run_in_threadpool(_on_rosters, matter, "dead")


async def damaged_homes(matter: Matter) -> list[Option]:
    """The homes on these rosters that no other application names."""
    return await run_in_threadpool(_on_rosters, matter, "house")


def _on_rosters(matter: Matter, which: str) -> list[Option]:
    caller, known = matter.desk.caller, matter.known
    if known["terms"].names != which:
        return []
    season = known.get("season") or known["one"]["season"]
    own = UUID(str(matter.id)) if matter.id else None
    told = free_rows(caller, UUID(str(season)), which, own, _households_of(known))
    return [_row_said(matter, free) for free in told]


def _households_of(known: Mapping[str, Any]) -> list[UUID]:
    """Whose application it is: one household's, a case's, or those of a village."""
    if "households" in known:
        return [UUID(one["id"]) for one in known["households"]]
    one = known["one"]
    return [UUID(one["household"] if "household" in one else one["id"])]


def _row_said(matter: Matter, free: Free) -> Option:
    """张*三 · 男，63 岁，源潭村，本户成员; 李*的住房 · 倒塌，3 间"""
    t, row = matter.t, free.row
    if isinstance(row, HouseDamage):
        said = [t(f"roster.grade_{row.grade}"), t("roster.rooms", n=row.rooms)]
        return Option(
            str(row.id), t("case.home_said", name=row.masked_name), t("desk.comma").join(said)
        )
    told = row.casualty
    said = [t(f"roster.sex_{told.sex}")] if told.sex != "unknown" else []
    said += [t("roster.age", n=told.age)] if told.age is not None else []
    if free.kin:
        place = place_of(matter.desk.caller, row.area)
        said += [place.name, t("case.kin_" + free.kin)]
    return Option(str(row.id), row.masked_name, t("desk.comma").join(said))


async def households_here(matter: Matter) -> list[Option]:
    """The households of the village that have not applied in this season."""
    t = matter.t
    return [
        Option(
            one["id"],
            JOINT.join(
                said
                for said in (
                    one["head_masked"] or t("household.no_head"),
                    one["village_group"] or "",
                    t("household.size", n=one["size"]),
                )
                if said
            ),
        )
        for one in matter.known["households"]
    ]


async def nobody_yet(matter: Matter) -> dict[str, Any]:
    """A row for each of them, with nothing in it: only who is in need gets a number."""
    begun = _usual(matter)
    households = matter.known["households"]
    return {"applications": [{"household": one["id"], **begun} for one in households]}


# Grants


def _of_case(fits: Callable[[Line], bool]) -> Finder:
    async def found(matter: Matter) -> list[Option]:
        return [
            Option(
                str(one["number"]),
                await _said(matter, one),
                matter.t(f"household.grant_{one['status']}"),
            )
            for one in _lines(matter, fits)
        ]

    return found


def _lines(matter: Matter, fits: Callable[[Line], bool]) -> list[Line]:
    return [one for one in matter.known["one"]["grant_lines"] if fits(one)]


def _to_come(one: Line) -> bool:
    return one["status"] in OPEN


def _there(one: Line) -> bool:
    return one["status"] in THERE


grants_to_come = _of_case(_to_come)
"""What has not gone out yet, or came back from the bank."""
grants_there = _of_case(_there)
"""What the household has."""
cash_to_come = _of_case(lambda one: _to_come(one) and not one["item"])
cash_paid = _of_case(lambda one: one["status"] == GrantStatus.PAID)


def _beside(
    lines: Iterable[Line], money: str, goods: str, prefix: str, *also: str
) -> frozenset[str]:
    """Of an amount and a number of goods the one that no grant of these has."""
    have = {bool(one["item"]) for one in lines}
    away = {money, *also} if have == {True} else {goods} if have == {False} else set()
    return frozenset(prefix + name for name in away)


def kinds_to_come(prefix: str = "") -> Callable[[Matter], frozenset[str]]:
    """The amount if only goods are to come, the number of goods if only money is."""

    def found(matter: Matter) -> frozenset[str]:
        return _beside(_lines(matter, _to_come), "cash_fen", "units", prefix)

    return found


def kinds_there(matter: Matter) -> frozenset[str]:
    """The same of what the household has."""
    return _beside(_lines(matter, _there), "amount_fen", "units", "")


async def _said(matter: Matter, one: Line) -> str:
    """第 1 号 · 1,200.00 元"""
    t = matter.t
    what = yuan(one["cash_fen"] - one["returned_fen"], matter.language)
    if one["part"]:
        what = JOINT.join((t("case.part", n=one["part"]), what))
    if one["item"]:
        what = await _goods(matter, one["item"], one["units"] - one["returned_units"])
    return JOINT.join((t("household.nth", n=one["number"]), what))


async def _goods(matter: Matter, item: str, units: int) -> str:
    return await in_words(matter, lambda words: f"{units:,} {words.counted(item, units)}")


# Goods signed for


async def _with_goods(matter: Matter) -> list[Line]:
    """The cases of a list (or of the page) with goods that nobody has signed for."""
    if "waiting" in matter.known:
        return list(matter.known["waiting"])
    rows, _ = await matter.desk.ask_all(
        ledger, most=MOST, village_list=matter.id, status="unsigned"
    )
    return rows


async def goods_waiting(matter: Matter) -> list[Option]:
    """Each household with what lies ready for it."""
    found = []
    for one in await _with_goods(matter):
        ready = {
            item: units - one["goods_signed"].get(item, 0)
            for item, units in one["goods_granted"].items()
        }
        said = [await _goods(matter, item, units) for item, units in ready.items() if units > 0]
        head = one["head_masked"] or matter.t("household.no_head")
        found.append(Option(one["id"], JOINT.join((head, *said))))
    return found


async def unsigned(matter: Matter) -> dict[str, Any]:
    """A row for each: who signs is typed, and who that is to the head is chosen."""
    return {"signatures": [{"case": one["id"]} for one in await _with_goods(matter)]}


async def signers(matter: Matter) -> list[Option]:
    """Who may sign, as the list keeps it: 本人, 配偶, 子女 …"""
    t = matter.t
    others = (t(f"story.word_relation_{one.value}") for one in Relation if one != Relation.HEAD)
    return [Option(one, one) for one in (t("case.oneself"), *others)]
