"""What every kind of finding looks like: one SELECT with the same columns."""

from typing import Any

from sqlalchemy import Select, literal, null, select
from sqlalchemy.sql.selectable import FromClause

COLUMNS = (
    "kind", "id", "season", "area", "household", "relief_case", "village_list", "person",
    "amount_fen", "limit_fen", "persons", "number", "reason", "since", "status",
)  # fmt: skip


def finding(kind: Any, id: Any, source: FromClause, **known: Any) -> Select[Any]:
    """Findings of a kind out of ``source``; columns that are not ``known`` are null."""
    given = {"kind": kind, "id": id, "status": literal("open"), **known}
    return select(*[given.get(name, null()).label(name) for name in COLUMNS]).select_from(source)
