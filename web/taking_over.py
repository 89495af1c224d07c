"""Figures that an area's report may take over from the accepted reports of the areas below it.

The page shows them beside the form, with whom they are from and as of when; only the button that
an officer presses puts them into fields (`static/js/take-over.js`).
"""

from decimal import Decimal
from typing import Any
from uuid import UUID

from domain.rules.indicators import Indicators
from projections.asking.accepted_below import accepted_below
from web.figures import Known
from web.parts import Desk, day_of
from web.reporting import Place

NAMED = 4
"""Parts named beside one figure; the table of the parts holds all."""
OFFERED = 5
"""Occurrences offered beside a new report, the latest first."""


async def processes_below(desk: Desk, place: Place, *, exercise: bool | None = None) -> list[Any]:
    """What the areas directly below had accepted, an occurrence each."""
    found = await desk.ask(accepted_below, place.id, exercise=exercise)
    processes: list[Any] = found["processes"]
    return processes


def to_begin_from(
    processes: list[Any], about: UUID | None
) -> tuple[dict[str, Any] | None, list[dict[str, Any]]]:
    """The occurrence that a new report may begin from, and those to choose from.

    One the area has no report of: the one that report ``about`` belongs to, else the only one.
    """
    free = [one for one in processes if not one["own"]]
    for one in free:
        if str(about) in one["reports"]:
            return one, free[:OFFERED]
    only = free[0] if len(free) == 1 and about is None else None
    return only, free[:OFFERED]


def told_already(processes: list[Any], about: UUID | None) -> str | None:
    """The area's own report of the occurrence that report ``about`` from below belongs to."""
    holds = (one["own"] for one in processes if str(about) in one["reports"])
    return next((own[0] for own in holds if own), None)


def that_holds(processes: list[Any], report: str) -> dict[str, Any] | None:
    """The occurrence that a report of the area itself is about."""
    return next((one for one in processes if report in one["own"]), None)


def offered(process: dict[str, Any] | None, rules: Indicators) -> dict[str, Any] | None:
    """An occurrence with what a form takes over: only figures that may be added (``totals``), the
    same of each part (``split``), and what is said beside each (``sources``)."""
    if process is None:
        return None
    parts = [one | {"gone_on": day_of(one["abolished_on"])} for one in process["parts"]]
    keys = [one.key for one in rules.indicators if one.additive and one.key in process["sums"]]
    return process | {
        "parts": parts,
        "totals": {key: process["sums"][key]["value"] for key in keys},
        "split": {part["area"]: _only(part["figures"], keys) for part in parts},
        "sources": {key: _source(parts, key) for key in keys},
        "from": min((part["as_of"] for part in parts), default=None),
        "to": max((part["as_of"] for part in parts), default=None),
    }


def _only(figures: Known, keys: list[str]) -> Known:
    return {key: figures[key] for key in keys if figures.get(key) is not None}


def _source(parts: list[dict[str, Any]], key: str) -> dict[str, Any]:
    """Who gave a figure and as of when, the largest first, and of whose areas below only some did;
    who told others but not this one."""
    gave = [part for part in parts if part["figures"].get(key) is not None]
    gave.sort(key=lambda part: Decimal(part["figures"][key]), reverse=True)
    return {
        "named": [
            (part["name"], part["figures"][key], part["in_part"].get(key)) for part in gave[:NAMED]
        ],
        "more": max(0, len(gave) - NAMED),
        "from": min(part["as_of"] for part in gave),
        "to": max(part["as_of"] for part in gave),
        "not_given": [part["name"] for part in parts if part["figures"].get(key) is None],
    }
