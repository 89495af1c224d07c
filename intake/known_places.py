"""What is known of the division that a list is about: its villages, under every name and code
that they have or had, and the household kinds in force there.

A county is renumbered and its lists and habits keep the old codes for years. The log holds every
change, so an old code means the division that has the new one, with a note that says so.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select

from domain.area import Area
from domain.refusal import NotFound
from domain.rulebook import Rulebook
from domain.rules.household_kinds import HouseholdKinds
from eventstore.store import Store
from intake.placing import Places, Renumbered, plain_name
from projections.areas import AREAS
from projections.asking.child_codes import OldCounties
from projections.asking.scope import Scope


@dataclass(frozen=True, slots=True)
class Former:
    """A division that had a code until a day; ``code`` is the one it has now."""

    area: UUID
    code: str
    name: str
    until: date


def places_below(store: Store, db: Connection, scope: Scope, root: UUID) -> Places:
    """What the rows of a list about a division may say of their village, for that division;
    ``scope`` covers it."""
    above = AREAS.alias()
    a = AREAS.c
    query = (
        select(a.id, a.code, a.name, above.c.name, a.abolished_on, a.merged_into)
        .join(above, above.c.id == AREAS.c.parent)
        .where(AREAS.c.level == "village", scope.covers(AREAS.c.id))
    )
    ever = {UUID(row.id): row for row in db.execute(query)}
    by_name: dict[str, list[UUID]] = {}
    codes: dict[str, UUID] = {}
    townships: dict[UUID, str] = {}
    for id, row in ever.items():
        if row.abolished_on is None:
            codes[row.code] = id
            townships[id] = row[3]
            for known in {row.name, plain_name(row.name)}:
                by_name.setdefault(known, []).append(id)
    merged: dict[str, list[Renumbered]] = {}
    for row in ever.values():
        into: Any = row
        while into is not None and into.merged_into is not None:
            into = ever.get(UUID(into.merged_into))
        if row.merged_into is not None and into is not None and UUID(into.id) in townships:
            old = Renumbered(UUID(into.id), into.code, into.name, row.abolished_on)
            for known in {row.name, plain_name(row.name)}:
                merged.setdefault(known, []).append(old)

    @cache
    def old_codes() -> dict[str, Former]:
        """Read from the log once a list has a code that is not in use: few lists have."""
        return former(store, ever)

    def renumbered(code: str) -> Renumbered | None:
        old = old_codes().get(code)
        if old is None or old.area not in townships:  # merged into a village outside this area
            return None
        return Renumbered(old.area, old.code, old.name, old.until.isoformat())

    default = root if root in townships else None
    old_county = OldCounties.of(db).meant
    return Places(codes, by_name, default, townships, renumbered, merged, old_county)


def kinds_in_force(store: Store, lineage: Sequence[UUID]) -> HouseholdKinds:
    """The household kinds in force now in an area, by the areas above it, from itself up."""
    now = store.clock.now()
    for step in lineage:
        book = store.load(Rulebook.id_of(step, HouseholdKinds.KIND))
        found = book.in_force(HouseholdKinds, now) if book is not None else None
        if found is not None:
            rule: HouseholdKinds = found.rule
            return rule
    raise NotFound(kind="Rulebook household_kinds", id=lineage[0])


def former(store: Store, areas: Iterable[UUID]) -> dict[str, Former]:
    """Codes out of use, in 12 digits, with the division that each means now.

    A code that two divisions had is of the one that had it last.
    """
    found: dict[str, Former] = {}
    for id in areas:
        area: Area | None = store.load(id)
        if area is None:
            continue
        now = _successor(store, area)
        ends = [day for day, _ in area.codes[1:]]
        if area.abolished_on is not None:
            ends.append(area.abolished_on)
        for (_, code), until in zip(area.codes, ends, strict=False):
            known = found.get(whole_code(code))
            if now is not None and (known is None or known.until < until):
                found[whole_code(code)] = Former(now.id, now.code, now.name, until)
    return found


def _successor(store: Store, area: Area) -> Area | None:
    """The living division that a division has become, if there is one."""
    at: Area | None = area
    while at is not None and at.abolished_on is not None:
        at = store.load(at.merged_into) if at.merged_into is not None else None
    return at


def whole_code(code: str) -> str:
    return code.ljust(12, "0") if len(code) in (6, 9) else code
