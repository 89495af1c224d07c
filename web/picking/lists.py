"""Cases, funds, depots and goods to choose from on a village's list; what a season begins with.

What the page hands on: ``one``, the list as it has read it; ``roles`` that may open a season.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from starlette.concurrency import run_in_threadpool

from api.words import Words
from domain.disaster import GOES_ON, DisasterStage
from domain.grants import guide_fen
from domain.refusal import NotFound
from domain.relief_case import ReliefCase
from domain.rules.base import china_day
from domain.rules.parts import Part, parts_of
from domain.rules.standards import Standards
from domain.season import VILLAGES_SAID, Season
from domain.world import InForce
from projections.asking.fund_books import funds
from projections.asking.ledger_books import ledger
from projections.asking.stock_books import stockpiles
from projections.disasters import disasters
from web.formats import Formats
from web.forms.form import Matter, Option
from web.i18n import catalog
from web.parts import Desk
from web.picking.cases import part_said
from web.picking.words import in_words

MOST: Final = 2000
"""Cases of one village, funds and stockpiles that are looked through."""

# What a season begins with


async def programmes_in_force(matter: Matter) -> list[Option]:
    """The programmes of the standards in force for the officer's area, with their document."""
    desk = matter.desk
    area, *_ = desk.caller.areas(matter.known["roles"])
    found = await run_in_threadpool(_standards, desk, area)
    if found is None:
        return []
    return [
        Option(one.key, one.zh if matter.language == "zh" else one.en, found.ref.document_no)
        for one in found.rule.programmes
    ]


def _standards(desk: Desk, area: UUID) -> InForce[Standards] | None:
    """None: nobody has adopted any there."""
    try:
        return desk.caller.system.store.world().rules(Standards, area, desk.now)
    except NotFound:
        return None


async def disasters_here(matter: Matter) -> list[Option]:
    """Disasters, those that go on first, the latest of them before the others. One that is closed
    too: homes are built again, and the families of the dead condoled with, after its end."""
    rows, _ = await matter.desk.ask_all(disasters, most=MOST)
    said = Formats(catalog(matter.language))
    known = [row for row in rows if row["stage"] != DisasterStage.MERGED]
    return [
        Option(
            row["id"],
            row["name"],
            " · ".join(
                (
                    said.day(china_day(datetime.fromisoformat(row["occurred_at"]))),
                    matter.t("disasters.stage_" + row["stage"]),
                )
            ),
        )
        for row in sorted(known, key=lambda row: row["stage"] not in GOES_ON)
    ]


async def this_year(matter: Matter) -> dict[str, Any]:
    return {"year": china_day(matter.desk.now).year}


# Cases of a list


async def on_list(matter: Matter) -> list[Option]:
    """The households on the list, each with its need."""
    return await _cases_told(matter, await _listed(matter))


async def to_appraise(matter: Matter) -> list[Option]:
    """Those on the list, and those of the village that applied and stand on none."""
    return await _cases_told(matter, [*await _listed(matter), *await _waiting(matter)])


async def all_accepted(matter: Matter) -> dict[str, Any]:
    """Every household is accepted until the meeting has held otherwise."""
    rows = [*await _listed(matter), *await _waiting(matter)]
    tier = {row["id"]: row["tier"] or "general" for row in rows}
    return {"verdicts": [{"case": id, "accepted": True, "tier": one} for id, one in tier.items()]}


def _meets(matter: Matter) -> bool:
    """Whether the list's programme has an appraisal; so it is taken where no list is known."""
    one = matter.known.get("one")
    return not isinstance(one, Mapping) or "appraisal" in one["season_steps"]


def without_a_meeting(matter: Matter) -> frozenset[str]:
    """Nobody is asked for the record of a meeting, nor for its tiers, where the programme has no
    appraisal: the village puts down who applied."""
    return frozenset() if _meets(matter) else frozenset({"minutes", "verdicts.tier"})


def without_a_word_of_it(labels: Mapping[str, str]) -> Callable[[Matter], Mapping[str, str]]:
    """What fields are called where the programme has no meeting."""

    def called(matter: Matter) -> Mapping[str, str]:
        return {} if _meets(matter) else labels

    return called


def notice_void(matter: Matter) -> str:
    """What appraising again does to a notice that counts."""
    one, t = matter.known["one"], matter.t
    if not one["first_posted_at"]:
        return ""
    return t("list.voids_hanging") if one["showing"] else t("list.voids_posted")


async def not_on_list(matter: Matter) -> list[Option]:
    """Those of the village that applied and stand on no list."""
    return await _cases_told(matter, await _waiting(matter))


async def households_on(matter: Matter) -> list[Option]:
    """Whom an objection may be about: households on the list, and those left out of it."""
    rows = [*await _listed(matter), *await _waiting(matter)]
    told = await _cases_told(matter, rows)
    return [one._replace(value=row["household"]) for one, row in zip(told, rows, strict=True)]


async def by_the_rule(matter: Matter) -> dict[str, Any]:
    """What the standard gives each household: of relief in parts the next part, else nothing where
    amounts are added to earlier ones.

    The fund, where only one is there to be chosen.
    """
    one = matter.known["one"]
    season = await run_in_threadpool(_season, matter)
    rows = await _listed(matter)
    cases = await run_in_threadpool(_cases, matter, rows)
    grants: list[dict[str, Any]] = []
    for row, case in zip(rows, cases, strict=True):
        rate = season.rate(case.need.rate)
        left = case.parts_left(rate)
        part = left[0].number if left else 0
        begun: dict[str, Any] = {"case": row["id"]}
        if part:
            begun["part"] = part
        if part or not (one["allocated_at"] or case.parts_granted):
            begun["cash_fen"] = guide_fen(rate, case.need, part)
        grants.append(begun)
    there = await funds_for(matter)
    return {"grants": grants} | ({"fund": there[0].value} if len(there) == 1 else {})


async def parts_here(matter: Matter) -> list[Option]:
    """The parts in which relief is paid here, by days or by milestones."""
    season = await run_in_threadpool(_season, matter)
    cases = await run_in_threadpool(_cases, matter, await _listed(matter))
    found: dict[int, Part] = {}
    for case in cases:
        rate = season.terms.rate(case.need.rate)
        for part in parts_of(rate, case.need.days) if rate else ():
            longer = part.number not in found or part.last_day > found[part.number].last_day
            found |= {part.number: part} if longer else {}
    return [
        Option(str(number), part_said(part, matter.t, matter.language))
        for number, part in sorted(found.items())
    ]


def paid_at_once(matter: Matter) -> frozenset[str]:
    """Which part is asked for where relief is paid in parts."""
    return frozenset() if _season(matter).terms.in_parts else frozenset({"grants.part"})


def nobody_decided(matter: Matter) -> str:
    """What closing a season does to households that applied and stand on no list, and to the
    villages that never opened one."""
    left, villages, t = matter.known.get("applied"), matter.known.get("unlisted"), matter.t
    told = [t("season.close_applied", n=left)] if left else []
    if villages:
        count, names = villages
        more = t("season.and_more") if count > VILLAGES_SAID else ""
        told.append(t("season.close_unlisted", n=count, names=t("desk.comma").join(names) + more))
    return " ".join(told)


def all_listed(matter: Matter) -> frozenset[str]:
    """No reason is asked for where every village had a list."""
    return frozenset() if matter.known.get("unlisted") else frozenset({"without_list_reason"})


def nothing_granted(matter: Matter) -> str:
    """What closing does to households that were approved and got nothing yet."""
    left, t = matter.known.get("nothing_granted"), matter.t
    return t("list.close_nothing", n=left) if left else ""


def exactly(matter: Matter) -> str:
    """What to know where the standard is an amount and no range."""
    return matter.t("season.exact") if _season(matter).terms.exact else ""


def _cases(matter: Matter, rows: Iterable[Mapping[str, Any]]) -> list[ReliefCase]:
    return _loaded(matter, (UUID(row["id"]) for row in rows))


def _loaded(matter: Matter, ids: Iterable[UUID]) -> list[ReliefCase]:
    world = matter.desk.caller.system.store.world()
    return [world.get(ReliefCase, id) for id in ids]


# Money and goods for a list


async def funds_for(matter: Matter) -> list[Option]:
    """Funds with money left that may be spent on the season's programme."""
    one = matter.known["one"]
    t = matter.t
    rows, _ = await matter.desk.ask_all(funds, most=MOST, exercise=one["exercise"])
    said = Formats(catalog(matter.language))
    return [
        Option(
            row["id"],
            f"{row['document_no']} {row['holder_name'] or ''}".strip(),
            t("list.fund_left", amount=said.fen(row["available_fen"])),
            most={"grants.cash_fen": row["available_fen"]},
        )
        for row in rows
        if row["available_fen"] and (not row["earmark"] or one["programme"] in row["earmark"])
    ]


async def depots_for(matter: Matter) -> list[Option]:
    """Depots with something free of what the programme gives, with how much of each."""
    depots: dict[str, list[dict[str, Any]]] = {}
    for row in await _stock(matter):
        depots.setdefault(row["area"], []).append(row)

    def told(words: Words) -> list[Option]:
        return [
            Option(
                area,
                rows[0]["warehouse_name"] or matter.t("stock.depot"),
                matter.t("desk.comma").join(
                    f"{row['available']:,} {words.counted(row['item'], row['available'])}"
                    for row in rows
                ),
                most={f"grants.goods:{row['item']}": row["available"] for row in rows},
            )
            for area, rows in depots.items()
        ]

    return await in_words(matter, told)


async def goods_for(matter: Matter) -> list[Option]:
    """The items that the programme gives and some depot has, with the unit of each."""
    items = dict.fromkeys(row["item"] for row in await _stock(matter))

    def told(words: Words) -> list[Option]:
        return [
            Option(item, f"{words.item(item)} {unit_of(words, item)}".strip()) for item in items
        ]

    def unit_of(words: Words, item: str) -> str:
        return matter.t("stock.in_units", unit=words.unit(item))

    return await in_words(matter, told)


async def _stock(matter: Matter) -> list[dict[str, Any]]:
    season = await run_in_threadpool(_season, matter)
    given = {allowance.item for allowance in season.terms.goods}
    drill = matter.known["one"]["exercise"]
    rows, _ = await matter.desk.ask_all(stockpiles, most=MOST, exercise=drill)
    return [row for row in rows if row["available"] and row["item"] in given]


def _season(matter: Matter) -> Season:
    found = matter.desk.caller.system.store.load(UUID(matter.known["one"]["season"]))
    assert isinstance(found, Season), "a list is opened in a season"
    return found


async def _listed(matter: Matter) -> list[dict[str, Any]]:
    one = UUID(matter.known["one"]["id"])
    rows, _ = await matter.desk.ask_all(ledger, most=MOST, village_list=one)
    return rows


async def _waiting(matter: Matter) -> list[dict[str, Any]]:
    """Cases of the list's season and village that stand on no list."""
    one = matter.known["one"]
    rows, _ = await matter.desk.ask_all(
        ledger, UUID(one["area"]), most=MOST, season=UUID(one["season"]), status="applied"
    )
    return [row for row in rows if row["village_list"] is None and row["area"] == one["area"]]


async def _cases_told(matter: Matter, rows: list[dict[str, Any]]) -> list[Option]:
    return await in_words(matter, lambda words: [_case(matter, words, row) for row in rows])


def _case(matter: Matter, words: Words, row: Mapping[str, Any]) -> Option:
    """A masked name with the group; how many of its members are in need, and its kind."""
    t = matter.t
    said = [t("list.in_need", persons=row["persons"], size=row["size"])]
    if row["category"]:
        said.append(words.kind(row["category"]))
    name = f"{row['head_masked'] or t('list.unnamed')} {row['village_group'] or ''}"
    return Option(row["id"], name.strip(), t("desk.comma").join(said))
