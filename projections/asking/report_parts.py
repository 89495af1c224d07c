"""What the parts of a report's area have had accepted, beside the shares its versions give them.

The comparison is made at each question: the parts go on reporting after the report was filed.
"""

from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select

from domain.casualties import CASUALTIES
from domain.report_filing import Review
from projections.areas import AREAS
from projections.asking.figures import Total, official_by_area, text
from projections.asking.scope import Scope
from projections.asking.situation_board import held_by, tree_of
from projections.disasters import absorbed_into
from projections.folding.base import Row
from projections.situation import REPORTS


def parts_beside(db: Connection, scope: Scope, told: Row) -> dict[str, Any]:
    """``parts``: a row for each area directly below that has something accepted, ``sums`` of them.

    A row: ``area``, ``name``, ``as_of``, ``accepted`` figures, those of them that only some of its
    reports gave (``in_part``, see the board), the ``share`` that the current version gives it
    (None: it is left out of the split) and ``less``: keys whose share is smaller or, of dead and
    missing, not given. ``sums`` holds the dead and missing of all parts, ``hidden`` those of them
    that exceed the current version's own (``own``: with what was adjudicated of it).
    """
    area = told["area"]
    below = select(AREAS.c.id).where(AREAS.c.parent == area).cte("parts", recursive=True)
    below = below.union(select(AREAS.c.id).join(below, AREAS.c.parent == below.c.id))
    conditions = [
        scope.covers(REPORTS.c.area),
        REPORTS.c.area.in_(select(below.c.id)),
        REPORTS.c.exercise.is_(told["exercise"]),
        REPORTS.c.review != str(Review.WITHDRAWN),
    ]
    hosts: dict[str, str] = {}
    if told["disaster"] is not None:
        absorbed = absorbed_into(db, UUID(told["disaster"]))
        hosts = dict.fromkeys(absorbed, str(told["disaster"]))
        conditions.append(REPORTS.c.disaster.in_(absorbed))
    else:
        conditions.append(REPORTS.c.occurrence == told["occurrence"])
    areas = tree_of(db, conditions)
    parents = {id: one["parent"] for id, one in areas.items()}
    totals = official_by_area(held_by(db, conditions, hosts), parents)
    current = told["versions"][-1]
    rows = [
        _row(areas[id], totals[id][0], current["split"])
        for id in sorted(areas, key=lambda id: areas[id]["code"])
        if areas[id]["parent"] == area and totals.get(id)
    ]
    sums = _sums(rows)
    decided = told["adjudicated"]
    counts = decided is not None and decided["through"] >= current["number"]
    own = current["figures"] | (decided["figures"] if counts else {})
    hidden = [key for key, value in sums.items() if Decimal(value) > Decimal(own.get(key) or 0)]
    return {"parts": rows, "sums": sums, "hidden": hidden, "own": own}


def _row(area: Row, total: Total, split: dict[str, dict[str, str | None]]) -> Row:
    share = split.get(area["area"])
    less = []
    for key, value in sorted(total.known.items()) if share is not None else ():
        given = share.get(key) if share is not None else None
        unsaid = given is None and key in CASUALTIES and value > 0
        if unsaid or (given is not None and Decimal(given) < value):
            less.append(key)
    return {
        "area": area["area"],
        "name": area["name"],
        "as_of": total.as_of,
        "accepted": {key: text(value) for key, value in sorted(total.known.items())},
        "in_part": total.in_part,
        "share": share,
        "less": less,
    }


def _sums(rows: list[Row]) -> dict[str, str]:
    """Dead and missing of all parts, where somebody knows them."""
    found: dict[str, Decimal] = {}
    for row in rows:
        for key in CASUALTIES:
            if (value := row["accepted"].get(key)) is not None:
                found[key] = found.get(key, Decimal(0)) + Decimal(value)
    return {key: format(value, "f") for key, value in found.items()}
