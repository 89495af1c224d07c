"""The villagers' groups of a village on its pages: which there are, who may change them, and which
households say the name of one without referring to it."""

from typing import Any
from uuid import UUID

from starlette.concurrency import run_in_threadpool

from domain.commands.household_groups import MOST_IN_ONE_STEP, PutIntoGroup
from domain.commands.village_groups import NameVillageGroups
from domain.village_group import MOST_GROUPS, group_meant
from projections.asking.village_groups import group_of_row, village_groups
from projections.households import NO_GROUP, households
from web.keeping import keeper
from web.parts import Desk


async def living_groups(desk: Desk, village: UUID) -> list[dict[str, Any]]:
    """The groups a household may be put into, by sub-code."""
    rows, _ = await desk.ask_all(village_groups, village, most=MOST_GROUPS, ended=False)
    return [row for row in rows if row["village"] == str(village)]


async def groups_on_page(desk: Desk, one: dict[str, Any]) -> dict[str, Any]:
    """``living`` and ``gone`` groups of a village, whether the caller ``may`` change them, and
    ``named_alike``: group → the households that have its name written and may be put into it."""
    village = UUID(one["id"])
    rows, _ = await desk.ask_all(village_groups, village, most=10 * MOST_GROUPS)
    mine = [row for row in rows if row["village"] == one["id"]]
    living = [row for row in mine if row["ended_on"] is None]
    there = one["abolished_on"] is None
    return {
        "living": living,
        "gone": [row for row in mine if row["ended_on"] is not None],
        "may": there and await run_in_threadpool(_may_name, desk, one),
        "named_alike": await _named_alike(desk, village, living) if there else [],
    }


def _may_name(desk: Desk, one: dict[str, Any]) -> bool:
    return desk.may(NameVillageGroups, keeper(desk, one))


async def _named_alike(
    desk: Desk, village: UUID, living: list[dict[str, Any]]
) -> list[tuple[dict[str, Any], list[dict[str, Any]]]]:
    if not living or not desk.may_ask(households) or not desk.may(PutIntoGroup, village):
        return []
    rows, _ = await desk.ask_all(households, village, most=MOST_IN_ONE_STEP, group=NO_GROUP)
    groups = [group_of_row(row) for row in living]
    found: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        if row["area"] != str(village) or not row["village_group"]:
            continue
        meant = group_meant(groups, row["village_group"])
        if meant is not None:
            found.setdefault(meant.code, []).append(row)
    return [(row, found[row["code"]]) for row in living if row["code"] in found]
