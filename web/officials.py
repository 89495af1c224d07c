"""Names of officials. Views hold their masks; an auditor may see who acted (design.md §7)."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from api.auth import Caller
from domain.officer import Officer
from domain.world import Role
from projections.sections.consignments import STEPS

BY_ID = {
    "actor": "actor_name",
    "standing_for": "standing_for_name",
    "reported_by": "reporter_name",
    "reviewed_by": "reviewer_name",
    "accepted_by": "accepted_by_name",
    **{f"{step}_by": f"{step}_by_name" for step in STEPS},
}
"""Columns that hold an officer's id, and those that hold the masked name beside it."""


def name_officials(caller: Caller, rows: Iterable[dict[str, Any]]) -> None:
    """Put full names in place of masks, if the caller audits. A destroyed name stays a mask."""
    if Role.AUDITOR not in caller.roles():
        return
    known: dict[str, str | None] = {}
    for row in rows:
        for id, name in BY_ID.items():
            officer = row.get(id)
            if not officer or name not in row:
                continue
            if officer not in known:
                known[officer] = _name(caller, UUID(str(officer)))
            row[name] = known[officer] or row[name]


def _name(caller: Caller, officer: UUID) -> str | None:
    store = caller.system.store
    for fact in store.history(officer):
        if isinstance(fact.event, Officer.Registered):
            return store.vault.reveal(fact.event.name, officer, "name")
    return None
