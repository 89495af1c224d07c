"""Units 救援力量 of the dispatch desk: who they are, and whether they are free."""

from typing import Any

from sqlalchemy import Boolean, Column, Index, Integer, String, Table

from domain.unit import Unit
from projections.folding.base import LOGICAL, Rows, text_of, when

UNITS = Table(
    "units",
    LOGICAL,
    Column("id", String(36), primary_key=True),
    Column("area", String(36), nullable=False),
    Column("name", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("size", Integer, nullable=False),
    Column("exercise", Boolean, nullable=False),
    Column("status", String, nullable=False),
    Column("incident", String(36)),
    Column("reason", String),
    Column("since", String, nullable=False),
    Index("units_by_area", "area"),
)


def unit_registered(rows: Rows, at: int, e: Unit.Registered) -> None:
    rows.put(
        UNITS,
        {
            "id": text_of(e.originator_id),
            "area": text_of(e.area),
            "name": e.name,
            "kind": str(e.kind),
            "size": e.size,
            "exercise": e.exercise,
            "status": "free",
            "since": when(e.meta.recorded_at),
        },
    )


def _unit(rows: Rows, e: Any, status: str, **changes: Any) -> None:
    rows.change(
        UNITS,
        text_of(e.originator_id),
        **{"incident": None, "reason": None, **changes},
        status=status,
        since=when(e.meta.recorded_at),
    )


def unit_assigned(rows: Rows, at: int, e: Unit.Assigned) -> None:
    _unit(rows, e, "assigned", incident=text_of(e.incident))


def unit_free(rows: Rows, at: int, e: Unit.Released | Unit.CameOnDuty) -> None:
    _unit(rows, e, "free")


def unit_off_duty(rows: Rows, at: int, e: Unit.WentOffDuty) -> None:
    _unit(rows, e, "off_duty", reason=e.reason)


ROUTES: dict[Any, Any] = {
    Unit.Registered: unit_registered,
    Unit.Assigned: unit_assigned,
    Unit.Released: unit_free,
    Unit.WentOffDuty: unit_off_duty,
    Unit.CameOnDuty: unit_free,
}
