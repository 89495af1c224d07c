"""The divisions of a reader, looked for by name, code or pinyin, as they stood on a day."""

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, or_, select

from domain.half_width import half_width
from projections.areas import AREAS
from projections.asking.child_codes import Meant, meant
from projections.asking.looked_for import spelled
from projections.asking.old_codes import earlier_codes, old_code
from projections.asking.paging import Page, page
from projections.asking.scope import Scope

CODE_DIGITS = 12
"""Shorter codes are filled up with zeros, as people write them: a township's of 9 digits."""


def areas(
    db: Connection,
    scope: Scope,
    *,
    parent: UUID | None = None,
    q: str = "",
    on: date | None = None,
    cursor: str | None = None,
    limit: int = 100,
) -> Page:
    """Areas of the jurisdiction, by code: ``items`` with ``id, code, name, level, parent,
    established_on, abolished_on, merged_into, former_codes, earlier_codes, understood``:
    ``former_codes`` by changes recorded here, ``earlier_codes`` (with ``name``, ``until``, a year,
    ``document_no``) as the nation knows them; ``understood`` (``code, certain, zh, en``) where
    ``q`` is a township's or village's code by a former code of its county, else None.

    ``parent``: those right below it. ``q``: the beginning of a code (also of one it had before),
    a part of the name, or its pinyin or initials. ``on``: that existed on that day; names and
    codes are those of now.
    """
    kept: list[ColumnElement[bool]] = []
    if parent is not None:
        kept.append(AREAS.c.parent == str(parent))
    if on is not None:
        day, end = on.isoformat(), AREAS.c.abolished_on
        kept += [AREAS.c.established_on <= day, or_(end.is_(None), end > day)]
    derived: Meant | None = None
    if text := half_width(q).strip():
        digits = text.isascii() and text.isdigit()
        derived = meant(db, text, on) if digits else None
        kept.append(coded(text, derived) if digits else _named(db, scope, kept, text))
    query = select(AREAS).where(scope.covers(AREAS.c.id), *kept)
    found = page(db, query, (AREAS.c.code, AREAS.c.id), cursor=cursor, limit=limit)
    return found.of([_told(row, derived) for row in found.items])


def _told(row: dict[str, Any], derived: Meant | None) -> dict[str, Any]:
    earlier = [
        {"code": one.code, "name": one.name, "until": one.until, "document_no": one.document_no}
        for one in earlier_codes(row["code"])
    ]
    understood = None
    if derived is not None and row["id"] in derived.ids:
        certain = derived.one is not None
        understood = {"code": derived.typed, "certain": certain}
        understood |= {"zh": derived.zh, "en": derived.en}
    told = {"former_codes": row["former_codes"].split(), "earlier_codes": earlier}
    return row | told | {"understood": understood}


def coded(digits: str, derived: Meant | None) -> ColumnElement[bool]:
    """A code that begins so, now or before; ``derived``: what it means by its county's former
    code. Zeros that only fill up a short code say nothing."""
    filled = digits.rstrip("0") if len(digits) in (6, CODE_DIGITS) else digits
    begins = filled or digits
    ways: list[ColumnElement[bool]] = [
        AREAS.c.code.like(f"{begins}%"),
        AREAS.c.former_codes.like(f"% {begins}%"),
    ]
    if (old := old_code(digits)) is not None:
        ways.append(AREAS.c.code == old.now)
    if derived is not None:
        ways.append(AREAS.c.id.in_(derived.ids))
    return or_(*ways)


def _named(
    db: Connection, scope: Scope, kept: list[ColumnElement[bool]], text: str
) -> ColumnElement[bool]:
    """Those whose name is spelled so: the spelling is not the database's to know."""
    rows = db.execute(select(AREAS.c.id, AREAS.c.name).where(scope.covers(AREAS.c.id), *kept)).all()
    return AREAS.c.id.in_([id for id, name in rows if spelled(name, text)])
