"""Members, kinds, villages, doubles and claims to choose from at the households' desk.

What the page hands on: ``one``, the household as it has read it; ``to``, the name of a village of
another county that is looked for; ``unsettled``, ids of the cases of which something may still
come; ``doubles`` and, of a person, ``claims``: households.
"""

from typing import Any, Final
from uuid import UUID

from sqlalchemy import select
from starlette.concurrency import run_in_threadpool

from api.auth import Caller
from api.words import rule_for
from domain.area import AreaLevel
from domain.household_members import Relation
from domain.rules.household_kinds import HouseholdKinds
from projections.areas import AREAS
from web.forms.form import Begun, Matter, Option

MOST_VILLAGES: Final = 50
"""Of other counties, by the name that was typed."""


async def members_here(matter: Matter) -> list[Option]:
    """Who counts in the household now, the head first."""
    return [
        Option(one["person"], one["masked"], matter.t("story.word_relation_" + one["relation"]))
        for one in matter.known["one"]["members"]
        if one["status"] == "present"
    ]


async def not_head(matter: Matter) -> list[Option]:
    head = matter.known["one"]["head"]
    return [one for one in await members_here(matter) if one.value != head]


def the_member(field: str) -> Begun:
    """The member beside whose name the step was chosen (``member`` of the page), in that field."""

    async def begun(matter: Matter) -> dict[str, Any]:
        return {field: matter.known["member"]} if matter.known.get("member") else {}

    return begun


async def kinds_here(matter: Matter) -> list[Option]:
    """The kinds of household 家庭类型 in force where it lives."""
    return await _kinds(matter, UUID(matter.known["one"]["area"]))


async def kinds_of_posts(matter: Matter) -> list[Option]:
    """The same, for a household to be registered below the officer's posts."""
    return await _kinds(matter, next(iter(matter.desk.caller.areas(matter.known["roles"]))))


async def _kinds(matter: Matter, area: UUID) -> list[Option]:
    desk = matter.desk
    rule = await run_in_threadpool(rule_for, desk.caller, HouseholdKinds, area, desk.now)
    chinese = matter.language == "zh"
    return [Option(one.key, one.zh if chinese else one.en) for one in (rule.kinds if rule else ())]


async def as_it_is(matter: Matter) -> dict[str, Any]:
    return {"category": matter.known["one"]["category"]}


async def head_first(matter: Matter) -> dict[str, Any]:
    """A household begins with its head."""
    return {"members": [{"relation": Relation.HEAD}]}


async def villages_elsewhere(matter: Matter) -> list[Option]:
    """Villages of other counties whose name holds what was typed (``to``); without it none."""
    to = str(matter.known.get("to", "")).strip()
    if not to:
        return []
    lineage = matter.desk.caller.system.tree.lineage(UUID(matter.known["one"]["area"]))
    return await run_in_threadpool(_elsewhere, matter.desk.caller, to, lineage)


def _elsewhere(caller: Caller, to: str, lineage: tuple[UUID, ...]) -> list[Option]:
    """The tree is public. Grouped by county and township, so that names alike are told apart."""
    village, town = AREAS.alias("village"), AREAS.alias("town")
    county = AREAS.alias("county")
    query = (
        select(village.c.id, village.c.name, town.c.name.label("town"), county.c.name.label("at"))
        .join(town, town.c.id == village.c.parent)
        .join(county, county.c.id == town.c.parent)
        .where(
            village.c.level == AreaLevel.VILLAGE,
            village.c.abolished_on.is_(None),
            village.c.name.contains(to, autoescape=True),
            county.c.id.not_in([str(one) for one in lineage]),
        )
        .order_by(village.c.code)
        .limit(MOST_VILLAGES)
    )
    with caller.system.reader() as db:
        return [
            Option(row.id, row.name, "", f"{row.at} {row.town}") for row in db.execute(query).all()
        ]


async def open_cases(matter: Matter) -> list[Option]:
    """What the old county still decides and pays after a move."""
    t = matter.t
    return [
        Option(one["id"], f"{t('household.programme_' + one['programme'])} {one['year']}")
        for one in matter.known["one"]["cases"]
        if one["id"] in matter.known["unsettled"]
    ]


async def all_cases(matter: Matter) -> dict[str, Any]:
    return {"cases": [option.value for option in await open_cases(matter)]}


async def doubles(matter: Matter) -> list[Option]:
    """What may be the same household, entered once more."""
    t = matter.t
    return [
        Option(
            one["id"],
            t(
                "household.double",
                head=one["head_masked"] or t("household.no_head"),
                village=one["village_name"] or "",
                group=one["village_group"] or "",
            ),
            t("household.double_note", n=one["size"], same=one["same"]),
        )
        for one in matter.known["doubles"]
    ]


async def claiming(matter: Matter) -> list[Option]:
    """The households that claim the person, or none of them."""
    t = matter.t
    found = [
        Option(
            one["id"],
            t(
                "household.double",
                head=one["head_masked"] or t("household.no_head"),
                village=f"{one['township_name'] or ''} {one['village_name'] or ''}",
                group=one["village_group"] or "",
            ),
        )
        for one in matter.known["claims"]
    ]
    return [*found, Option("", t("household.keep_none"))]
