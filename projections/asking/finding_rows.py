"""What every kind of finding looks like: one SELECT with the same columns."""

from typing import Any

from sqlalchemy import Integer, Select, String, cast, literal, null, select
from sqlalchemy.sql.selectable import FromClause

from projections.folding.dialects import ByBytes

NUMBERS = ("amount_fen", "limit_fen", "persons", "number")
COLUMNS = (
    "kind",
    "id",
    "season",
    "area",
    "household",
    "relief_case",
    "village_list",
    "person",
    *NUMBERS,
    "reason",
    "since",
    "status",
    "reports",
    "parts",
    "figures",
)
NOTHING = {name: cast(null(), Integer if name in NUMBERS else String) for name in COLUMNS}
"""A null of each column's type: a UNION wants the same types in all its parts."""


def finding(kind: Any, id: Any, source: FromClause, **known: Any) -> Select[Any]:
    """Findings of a kind out of ``source``; columns that are not ``known`` are null."""
    given = {**NOTHING, "kind": ByBytes(kind), "id": id, "status": literal("open"), **known}
    return select(*[given[name].label(name) for name in COLUMNS]).select_from(source)
