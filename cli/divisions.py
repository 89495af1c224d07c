"""Divisions as operators name them: by code, of 6, 9 or 12 digits, and by codes of former days.

A county is renumbered and its lists and habits keep the old codes for years. The log holds every
change, so an old code means the division that has the new one, with a note that says so.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from rich.console import Console
from sqlalchemy import Connection, select

from cli.saying import failed
from domain.area import Area
from eventstore.store import Store
from projections.areas import AREAS, by_code
from projections.asking.old_codes import old_code

err = Console(stderr=True)


@dataclass(frozen=True, slots=True)
class Former:
    """A division that had a code until a day; ``code`` is the one it has now."""

    area: UUID
    code: str
    name: str
    until: date


def division(store: Store, db: Connection, code: str) -> UUID | None:
    """The living division of a code, or of one that it had or was merged under: then said."""
    found = by_code(db, code)
    if found is not None:
        return found
    known = former(store, map(UUID, db.execute(select(AREAS.c.id)).scalars()))
    old = known.get(_whole(code))
    if old is None:
        return _of_the_nation(db, code)
    err.print(
        f"区划代码 {code} 自 {old.until} 起已停用，现为 {old.code} {old.name} · "
        f"code {code} went out of use on {old.until}; it is {old.code} now",
        highlight=False,
        markup=False,
    )
    return old.area


def _of_the_nation(db: Connection, code: str) -> UUID | None:
    """The division that a county's or city's code of former decades means now: then said."""
    old = old_code(code)
    found = by_code(db, old.now) if old is not None else None
    if old is not None and found is not None:
        err.print(f"{old.zh} · {old.en}", highlight=False, markup=False)
    return found


def required(store: Store, db: Connection, wanted: str, *, code: int = 2) -> UUID:
    """`division`, or the command ends with a sentence and this exit code."""
    found = division(store, db, wanted)
    if found is None:
        zh, en = f"没有区划代码 {wanted}", f"There is no division with code {wanted}."
        raise failed(zh, en, code=code)
    return found


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
            known = found.get(_whole(code))
            if now is not None and (known is None or known.until < until):
                found[_whole(code)] = Former(now.id, now.code, now.name, until)
    return found


def _successor(store: Store, area: Area) -> Area | None:
    """The living division that a division has become, if there is one."""
    at: Area | None = area
    while at is not None and at.abolished_on is not None:
        at = store.load(at.merged_into) if at.merged_into is not None else None
    return at


def _whole(code: str) -> str:
    return code.ljust(12, "0") if len(code) in (6, 9) else code
