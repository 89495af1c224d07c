"""What differs between two moments of the past: which column of which row, and by which facts.

Asked of the past alone (`projections.folding.past`), whose tables hold the versions of each row.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Column, Connection, MetaData, Table, and_, or_, select, tuple_
from sqlalchemy.sql.elements import ColumnElement

from projections.asking.scope import Scope
from projections.folding.base import physical
from projections.folding.past import FROM, TO

MOST_POSITIONS = 50
"""Of one row, the newest: one that changed a thousand times has a timeline of its own."""
UNSAID = frozenset({"changed_at", "changed_position", "last_position"})


class Change(NamedTuple):
    """One column of one row. ``before`` or ``now`` is None also where there was no row."""

    table: str
    key: tuple[Any, ...]
    area: str | None
    column: str
    before: Any
    now: Any
    positions: tuple[int, ...]
    """Of the facts that changed the row between the two moments, `MOST_POSITIONS` at most."""


def generations(db: Connection) -> dict[str, int]:
    """Which generation of each view the past has."""
    return {
        row[0]: row[1] for row in db.exec_driver_sql("SELECT view, generation FROM generations")
    }


def changes(
    db: Connection,
    table: Table,
    generation: int,
    scope: Scope,
    *,
    since: int,
    upto: int,
    after: Sequence[Any] = (),
    limit: int = 100,
) -> tuple[list[Change], tuple[Any, ...] | None]:
    """The changes of a table's rows, ``limit`` rows at most in the order of their keys after
    ``after``; and the key of the last one looked at if there may be more. What left the scope is
    as if it had ended, and what came into it as if it had begun there."""
    versions = versions_of(table, generation)
    key = [versions.c[c.name] for c in table.primary_key.columns]
    first, last = versions.c[FROM], versions.c[TO]
    touched = or_(_between(first, since, upto), _between(last, since, upto))
    mine = scope.covers(versions.c.area)
    asked = select(*key).where(touched, mine).distinct().order_by(*key)
    if after:
        asked = asked.where(tuple_(*key) > tuple_(*after))
    keys = [tuple(row) for row in db.execute(asked.limit(limit))]
    found = [one for one in keys for one in _of_row(db, versions, key, one, mine, since, upto)]
    return found, keys[-1] if len(keys) == limit else None


def versions_of(table: Table, generation: int) -> Table:
    bounds: list[Column[int]] = [Column(FROM), Column(TO)]
    columns = [Column(c.name, c.type) for c in table.columns]
    return Table(physical(table, generation), MetaData(), *columns, *bounds)


def _between(column: ColumnElement[Any], since: int, upto: int) -> ColumnElement[bool]:
    return and_(column > since, column <= upto)


def _of_row(
    db: Connection,
    versions: Table,
    key: Sequence[Column[Any]],
    values: tuple[Any, ...],
    mine: ColumnElement[bool],
    since: int,
    upto: int,
) -> Iterator[Change]:
    same = and_(*(column == value for column, value in zip(key, values, strict=True)))
    first, last = versions.c[FROM], versions.c[TO]
    lasted = and_(first <= upto, or_(last.is_(None), last > since))
    rows = db.execute(select(versions).where(same, lasted, mine).order_by(first)).mappings().all()
    before = next((row for row in rows if row[FROM] <= since), None)
    now = next((row for row in rows if row[TO] is None or row[TO] > upto), None)
    bounds: set[int] = {
        at for row in rows for at in (row[FROM], row[TO]) if at and since < at <= upto
    }
    positions = tuple(sorted(bounds)[-MOST_POSITIONS:])
    name = versions.name.rpartition("__")[0]
    shown: Mapping[Any, Any] = now or before or {}
    area = shown.get("area")
    for column in versions.columns:
        if column.name in (FROM, TO) or column.name in UNSAID:
            continue
        was = before[column.name] if before is not None else None
        is_ = now[column.name] if now is not None else None
        for part, old, new in _parts(column.name, was, is_):
            if old != new:
                yield Change(name, values, area, part, old, new, positions)


def _parts(column: str, was: Any, is_: Any) -> Iterator[tuple[str, Any, Any]]:
    """A column that holds an object, such as the figures of a report, part by part."""
    old, new = _object(was), _object(is_)
    if old is None and new is None:
        yield column, was, is_
        return
    for name in sorted({*(old or {}), *(new or {})}):
        yield f"{column}.{name}", (old or {}).get(name), (new or {}).get(name)


def _object(value: Any) -> dict[str, Any] | None:
    if not isinstance(value, str) or not value.startswith("{"):
        return None
    try:
        found = msgspec.json.decode(value)
    except msgspec.DecodeError:
        return None
    return found if isinstance(found, dict) else None
