"""Units and incidents to choose from."""

from typing import Any
from uuid import UUID

from starlette.concurrency import run_in_threadpool

from api.words import rule_for
from domain.incident import WORKING, IncidentKind, Severity, Stage
from domain.rules.dispatch import Dispatch
from projections.dispatch import incidents, units
from web.forms.form import Finder, Matter, Option

MOST_UNITS = 5_000
MOST_INCIDENTS = 2_000
"""No county has so many. What is put into another order, or looked through for a few, is read whole
before: the unit that fits best would else stand behind the end of the list."""


async def usual_call(matter: Matter) -> dict[str, Any]:
    """What a call is taken for until somebody says more: no caller waits for a choice."""
    first, *_ = matter.desk.caller.areas(matter.known["roles"])
    return {"kind": IncidentKind.TRAPPED, "severity": Severity.UNKNOWN, "area": first}


async def priorities(matter: Matter) -> list[Option]:
    """1 (first) to 4."""
    t = matter.t
    return [Option(str(n), f"{n} {t(f'dispatch.priority_{n}')}") for n in (1, 2, 3, 4)]


async def free_units(matter: Matter) -> list[Option]:
    """Units that can be sent now, those that fit this kind of incident first."""
    one = matter.known["one"]
    desk = matter.desk
    free, _ = await desk.ask_all(units, most=MOST_UNITS, status="free", exercise=one["exercise"])
    charge = UUID(one["in_charge"])
    rule = await run_in_threadpool(rule_for, desk.caller, Dispatch, charge, desk.now)
    fit = sorted(free, key=lambda u: rule.fitness(one["kind"], u["kind"]) if rule else 0)
    return [_unit(matter, unit, unit["id"], unit["area_name"] or "") for unit in fit]


async def units_out(matter: Matter) -> list[Option]:
    """The units that work on this incident."""
    return _working(matter, *WORKING)


def units_at(*stages: Stage) -> Finder:
    """The units of this incident whose work stands at one of these stages."""

    async def found(matter: Matter) -> list[Option]:
        return _working(matter, *stages)

    return found


async def other_incidents(matter: Matter) -> list[Option]:
    """Open incidents besides this one, the newest first."""
    one = matter.known["one"]
    found, _ = await matter.desk.ask_all(
        incidents, most=MOST_INCIDENTS, open=True, exercise=one["exercise"]
    )
    t = matter.t
    return [
        Option(other["id"], f"{t('dispatch.kind_' + other['kind'])} · {other['place']}")
        for other in found
        if other["id"] != one["id"]
    ]


def _working(matter: Matter, *stages: Stage) -> list[Option]:
    t = matter.t
    return [
        Option(unit["unit"], unit["name"], t("dispatch.stage_" + unit["stage"]))
        for unit in matter.known["one"]["units"]
        if unit["stage"] in stages
    ]


def _unit(matter: Matter, unit: dict[str, Any], id: str, area: str) -> Option:
    t = matter.t
    said = (t("dispatch.unit_" + unit["kind"]), t("dispatch.people", n=unit["size"]), area)
    return Option(id, unit["name"], " · ".join(part for part in said if part))
