"""What a matter is called where it is chosen from others of its kind."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from projections.asking.report_queries import situation_reports
from projections.lists import village_lists
from projections.sections.consignments import consignments
from web.formats import china

KINDS: Final[dict[Callable[..., Any], tuple[str, str, tuple[str, ...]]]] = {
    situation_reports: ("situation_report", "report", ("area_name", "occurred_at")),
    village_lists: ("village_list", "id", ("township_name", "village_name", "year")),
    consignments: ("consignment", "id", ("document_no", "destination_name")),
}
"""The list of a kind: the kind's key, where a row's id stands, and what names it."""


def named(query: Callable[..., Any], row: dict[str, Any]) -> dict[str, Any]:
    """A row of a list of `KINDS` as a thing: ``kind_key``, ``id`` and ``name``."""
    key, id, names = KINDS[query]
    said = [_said(name, row[name]) for name in names if row[name]]
    return {"kind_key": key, "id": row[id], "name": " ".join(said)}


def _said(name: str, value: Any) -> str:
    if not name.endswith("_at"):
        return str(value)
    return china(datetime.fromisoformat(value)).strftime("%Y-%m-%d %H:%M")
