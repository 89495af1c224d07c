"""Hazards, places, levels, reports and disasters to choose from.

What the page hands on: ``one``, the disaster as it has read it; ``reached`` (`reached_in`);
``report``, the report that is attached or corrected; ``proposal``, one of ``occurrences`` of
`loose_reports` with the area and the names that the page put to it.
"""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from starlette.concurrency import run_in_threadpool

from api.words import rule_for
from domain.commands.disasters import DECIDERS, DECLARERS, MOST_REPORTS
from domain.disaster import GOES_ON
from domain.rules.hazards import Hazards
from projections.disasters import disasters
from web.figures import names_for
from web.formats import Formats
from web.forms.form import Matter, Option
from web.i18n import catalog
from web.picking.places import no_villages
from web.reporting import place_of

MOST: Final = 1000
"""Disasters of a stage that are looked through at most: those that began last."""
LEVELS: Final = (1, 2, 3, 4)


async def hazards(matter: Matter) -> list[Option]:
    """The kinds by their group: in force where the officer is, or there and then of the report that
    is corrected."""
    rule = await _hazards(matter)
    zh = matter.language == "zh"
    return [
        Option(one.key, one.zh if zh else one.en, "", one.group if zh else "")
        for one in (rule.hazards if rule else ())
    ]


async def sub_hazards(matter: Matter) -> list[Option]:
    """The sub-kinds of each kind."""
    rule = await _hazards(matter)
    zh = matter.language == "zh"
    return [
        Option(sub.key, sub.zh if zh else sub.en, "", one.zh if zh else one.en, of=one.key)
        for one in (rule.hazards if rule else ())
        for sub in one.sub_kinds
    ]


async def _hazards(matter: Matter) -> Hazards | None:
    report = matter.known.get("report")
    area, at = matter.desk.caller.areas()[0], matter.desk.now
    if report:
        area, at = UUID(report["area"]), datetime.fromisoformat(report["occurred_at"])
    return await run_in_threadpool(rule_for, matter.desk.caller, Hazards, area, at)


async def places(matter: Matter) -> list[Option]:
    """The areas of the officer's posts and those below them that are no villages."""
    caller = matter.desk.caller
    return await run_in_threadpool(no_villages, caller, caller.areas(DECLARERS))


async def places_within(matter: Matter) -> list[Option]:
    """Those of them that lie within the disaster and have no response that runs."""
    caller = matter.desk.caller
    disaster = UUID(matter.known["one"]["area"])
    lineage = caller.system.tree.lineage
    roots = [
        area if disaster in lineage(area) else disaster
        for area in caller.areas(DECIDERS)
        if disaster in lineage(area) or area in lineage(disaster)
    ]
    found = await run_in_threadpool(no_villages, caller, tuple(dict.fromkeys(roots)))
    running = {one["area"] for one in matter.known["one"]["responses"]}
    return [one for one in found if one.value not in running]


async def places_running(matter: Matter) -> list[Option]:
    """The areas in which a response runs, with its level and document."""
    caller, t = matter.desk.caller, matter.t
    lineage = caller.system.tree.lineage
    mine = set(caller.areas(DECIDERS))
    return [
        Option(
            one["area"],
            one["area_name"],
            f"{t('disasters.level_' + str(one['level']))} · {one['document_no']}",
        )
        for one in matter.known["one"]["responses"]
        if not mine.isdisjoint(lineage(UUID(one["area"])))
    ]


async def levels(matter: Matter) -> list[Option]:
    """1 (the gravest) to 4, each with whether a threshold of it is reached, and where."""
    t, area = matter.t, UUID(str(matter.known["reached"]["area"]))
    place = await run_in_threadpool(place_of, matter.desk.caller, area)
    reached = {one["level"] for one in matter.known["reached"]["grounds"]}
    return [
        Option(
            str(n),
            t(f"disasters.level_{n}"),
            t("disasters.level_reached", place=place.name) if n in reached else "",
        )
        for n in LEVELS
    ]


async def response_proposed(matter: Matter) -> dict[str, Any]:
    """The area whose thresholds the page shows, and the gravest level that is reached there."""
    reached = matter.known["reached"]
    grounds = reached["grounds"]
    level = min((one["level"] for one in grounds), default=None)
    running = {one["area"] for one in matter.known["one"]["responses"]}
    return {} if reached["area"] in running else {"area": reached["area"], "level": level}


async def loose_ones(matter: Matter) -> list[Option]:
    """The reports of the occurrence that is looked at; of each area the first."""
    proposal = matter.known.get("proposal")
    t, desk = matter.t, matter.desk
    rows = proposal["reports"][:MOST_REPORTS] if proposal else ()
    said = Formats(catalog(matter.language))

    def told() -> list[Option]:
        names = names_for(desk.caller, None, desk.now, matter.language)
        return [
            Option(
                row["report"],
                row["area_name"],
                " · ".join(
                    (
                        names.hazard(row["hazard"], row["sub_hazard"]),
                        said.when(datetime.fromisoformat(row["occurred_at"])),
                        t("report.kind_" + row["kind"]),
                        t("chip." + row["review"]),
                    )
                ),
            )
            for row in rows
        ]

    return await run_in_threadpool(told)


async def as_proposed(matter: Matter) -> dict[str, Any]:
    """What the reports say of the occurrence that is looked at."""
    proposal = matter.known.get("proposal")
    if proposal is None:
        return {"area": next(iter(matter.desk.caller.areas(DECLARERS)), None)}
    return {
        "hazard": proposal["hazard"],
        "sub_hazard": proposal["sub_hazard"] or None,
        "occurred_at": datetime.fromisoformat(proposal["occurred_at"]),
        "area": proposal["area"],
        "name": _name(matter, proposal),
        "reports": [row["report"] for row in proposal["reports"] if not row["again"]],
    }


def _name(matter: Matter, proposal: dict[str, Any]) -> str:
    begun = datetime.fromisoformat(proposal["occurred_at"])
    t = matter.t
    return t(
        "disasters.name_proposed",
        place=proposal["area_name"],
        hazard=proposal["hazard_name"],
        day=Formats(catalog(matter.language)).day(begun.date()),
    )


async def occurrence_told(matter: Matter) -> dict[str, Any]:
    """When it happened and of what kind, as the report says now."""
    report = matter.known["report"]
    return {
        "occurred_at": datetime.fromisoformat(report["occurred_at"]),
        "hazard": report["hazard"],
        "sub_hazard": report["sub_hazard"] or None,
    }


async def others(matter: Matter) -> list[Option]:
    """What a disaster could be merged into, those of its kind first."""
    one = matter.known["one"]
    found = [row for row in await _going_on(matter, one["exercise"]) if row["id"] != one["id"]]
    found.sort(key=lambda row: row["hazard"] != one["hazard"])
    return [Option(row["id"], row["name"], row["area_name"]) for row in found]


async def _going_on(matter: Matter, exercise: bool) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for stage in GOES_ON:
        rows, _ = await matter.desk.ask_all(
            disasters, most=MOST, stage=str(stage), exercise=exercise
        )
        found += rows
    return found


async def going_on(matter: Matter) -> list[Option]:
    """Disasters that take reports, those of the report's kind first; not the one it is on."""
    report = matter.known["report"]
    lineage = matter.desk.caller.system.tree.lineage(UUID(report["area"]))
    fit = [
        one
        for one in await _going_on(matter, report["exercise"])
        if one["id"] != report["disaster"] and UUID(one["area"]) in lineage
    ]
    fit.sort(key=lambda one: one["hazard"] != report["hazard"])
    return [Option(one["id"], one["name"], one["area_name"]) for one in fit]
