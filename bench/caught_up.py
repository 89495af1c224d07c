"""A township of the small demo county that has told all that it accepted of its villages.

Before, its villages' figures are newer and larger than its own, and nobody is offered to say that
nothing has changed.
"""

from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import select

from bench.winter_list import COUNTY, TOWNSHIP, Sender
from cli.compose import open_store
from cli.settings import Settings
from domain.commands.reports import FileFollowUp
from domain.commands.reviews import AcceptReport
from projections.areas import AREAS
from projections.asking.paging import MAX_LIMIT
from projections.asking.scope import Scope
from projections.asking.situation_board import situation_disasters
from projections.folding.reader import ViewsReader

PLACE = "源潭镇"


def caught_up(folder: Path) -> UUID:
    """The township's follow-up with its villages' figures, and the county accepts it. Answers the
    report. The store must have its demo county, and no server meanwhile."""
    row = _row(folder)
    (report,) = (UUID(one) for one in row["official"]["reports"])
    figures = dict(row["official"]["figures"])
    for key, more in row["official"]["larger"].items():
        figures[key] = format(Decimal(figures.get(key) or 0) + Decimal(more), "f")
    store = open_store(Settings(data=folder))
    try:
        sender = Sender(store)
        told = FileFollowUp(report=report, as_of=store.clock.now(), figures=figures)
        version = sender.send(told, TOWNSHIP)["version"]
        sender.send(AcceptReport(report=report, version=version), COUNTY)
    finally:
        store.close()
    return report


def _row(folder: Path) -> dict[str, Any]:
    """The last disaster of which the township has a report of its own, as its board has it."""
    reader = ViewsReader(folder / "views.sqlite")
    try:
        with reader() as db:
            (id,) = db.execute(select(AREAS.c.id).where(AREAS.c.name == PLACE)).scalars()
            rows = situation_disasters(db, Scope((UUID(id),)), limit=MAX_LIMIT).items
    finally:
        reader.close()
    *_, last = (row for row in rows if row["official"]["source"] == "own")
    return last
