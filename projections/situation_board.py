"""The situation board: totals up the tree, from the reports of `projections.situation`.

Kept beside the view for its length: it has no table of its own.
"""

from uuid import UUID

import msgspec
from sqlalchemy import Connection, select

from domain.report_filing import Review
from projections.areas import AREAS
from projections.disasters import absorbed_into
from projections.figures import Held, roll_up
from projections.paging import Page, page
from projections.scope import Scope
from projections.situation import REPORTS


def situation_board(
    db: Connection,
    scope: Scope,
    *,
    disaster: UUID | None = None,
    hazard: str | None = None,
    exercise: bool = False,
    cursor: str | None = None,
    limit: int = 100,
) -> Page:
    """The board: one row an area with harm in it or below, down the tree, by code.

    ``official`` sums accepted figures, ``reported`` the latest versions (未审 or not), each as
    ``figures``, keys only ``partial``ly known, ``source`` (own or children) and ``reports``.
    Reports of one disaster (unattached ones: of one hazard) are counted by the rule "own, else
    the children's"; different disasters add up.
    """
    held = _held(db, scope, disaster, hazard, exercise)
    parents = _tree(db, {one.area for one in held})
    totals = roll_up(held, parents)
    query = select(
        AREAS.c.id.label("area"), AREAS.c.code, AREAS.c.name, AREAS.c.level, AREAS.c.parent
    ).where(scope.covers(AREAS.c.id), AREAS.c.id.in_(list(parents)))
    found = page(db, query, [query.selected_columns.code, query.selected_columns.area],
                 cursor=cursor, limit=limit)  # fmt: skip
    return Page([row | totals[row["area"]] for row in found.items], found.next)


def _held(
    db: Connection, scope: Scope, disaster: UUID | None, hazard: str | None, exercise: bool
) -> list[Held]:
    query = select(REPORTS).where(scope.covers(REPORTS.c.area), REPORTS.c.exercise == exercise)
    hosts: dict[str, str] = {}
    if disaster is not None:
        hosts = dict.fromkeys(absorbed_into(db, disaster), str(disaster))
        query = query.where(REPORTS.c.disaster.in_(list(hosts)))
    if hazard is not None:
        query = query.where(REPORTS.c.hazard == hazard)
    held = []
    for row in db.execute(query.order_by(REPORTS.c.report)).mappings():
        accepted = row["accepted_figures"]
        held.append(
            Held(
                report=row["report"],
                area=row["area"],
                group=hosts.get(row["disaster"], row["disaster"]) or row["hazard"],
                pending=row["review"] == Review.PENDING,
                late=row["late_minutes"] > 0,
                reported=msgspec.json.decode(row["figures"]),
                accepted=msgspec.json.decode(accepted) if accepted else None,
                as_of=row["as_of"],
            )
        )
    return held


def _tree(db: Connection, areas: set[str]) -> dict[str, str | None]:
    """These areas and all above them, each with its parent."""
    start = select(AREAS.c.id, AREAS.c.parent).where(AREAS.c.id.in_(sorted(areas)))
    up = start.cte("up", recursive=True)
    step = select(AREAS.c.id, AREAS.c.parent).join(up, AREAS.c.id == up.c.parent)
    up = up.union(step)
    return {row.id: row.parent for row in db.execute(select(up.c.id, up.c.parent))}
