"""Divisions as operators name them: by code, of 6, 9 or 12 digits, and by codes of former days.

A county is renumbered and its lists and habits keep the old codes for years. The log holds every
change, so an old code means the division that has the new one, with a note that says so.
"""

from uuid import UUID

from rich.console import Console
from sqlalchemy import Connection, select

from cli.saying import failed
from eventstore.store import Store
from intake.known_places import former, whole_code
from projections.areas import AREAS, by_code
from projections.asking.child_codes import meant
from projections.asking.old_codes import old_code

err = Console(stderr=True)


def division(store: Store, db: Connection, code: str, *, exit_code: int = 2) -> UUID | None:
    """The living division of a code, or of one that it had, was merged under or has by a former
    code of its county: then said. Where several could be meant the command ends."""
    found = by_code(db, code)
    if found is not None:
        return found
    known = former(store, map(UUID, db.execute(select(AREAS.c.id)).scalars()))
    old = known.get(whole_code(code))
    if old is None:
        found = _of_the_nation(db, code)
        return found if found is not None else _below_a_renumbered_county(db, code, exit_code)
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


def _below_a_renumbered_county(db: Connection, code: str, exit_code: int) -> UUID | None:
    """The township or village that a code means by a former code of its county: then said.

    The command ends with the candidates named where several could be meant.
    """
    derived = meant(db, code)
    if derived is None:
        return None
    if derived.one is None:
        raise failed(derived.zh, derived.en, code=exit_code)
    err.print(f"{derived.zh} · {derived.en}", highlight=False, markup=False)
    return UUID(derived.one.id)


def required(store: Store, db: Connection, wanted: str, *, code: int = 2) -> UUID:
    """`division`, or the command ends with a sentence and this exit code."""
    found = division(store, db, wanted, exit_code=code)
    if found is None:
        zh, en = f"没有区划代码 {wanted}", f"There is no division with code {wanted}."
        raise failed(zh, en, code=code)
    return found
