"""Pages by cursor: keyset paging over the columns a list is ordered by."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import msgspec
from sqlalchemy import ColumnElement, Connection, Select, and_, literal, tuple_

from domain.refusal import Refusal
from eventstore.url_text import bytes_of, text_of

MAX_LIMIT = 1000


@dataclass(eq=False)
class BadCursor(Refusal):
    status: ClassVar[int] = 400
    zh: ClassVar[str] = "翻页标记不属于这个列表或这次筛选，请从第一页重新查询"
    en: ClassVar[str] = (
        "The cursor is not one of this list as it is filtered now. Start from the first page."
    )
    cursor: str


BACK = "<"
"""Begins the cursor of the rows before a row, in place of those after it."""


@dataclass(frozen=True, slots=True)
class Page:
    """Rows of a list and the cursors of the next page (None on the last) and the one before (None
    on the first)."""

    items: list[dict[str, Any]]
    next: str | None = None
    previous: str | None = None

    def of(self, items: list[dict[str, Any]]) -> "Page":
        """The same page with its rows said otherwise."""
        return replace(self, items=items)


def page(
    db: Connection,
    query: Select[Any],
    order: Sequence[ColumnElement[Any]],
    *,
    cursor: str | None,
    limit: int,
    descending: bool = False,
) -> Page:
    """Run a query page by page. ``order``: selected columns that together are unique."""
    limit = allowed(limit)
    back, cursor = backwards(cursor)
    descending = descending != back
    if cursor is not None:
        query = query.where(beyond(cursor, order, descending=descending))
    ordered = [c.desc() if descending else c.asc() for c in order]
    found = db.execute(query.order_by(*ordered).limit(limit + 1)).mappings().all()
    rows = [dict(row) for row in found]
    keys = [[row[c.name] for c in order] for row in found]
    return between(rows, keys, begun=cursor is not None, back=back, limit=limit)


def page_in_parts(
    db: Connection,
    parts: Sequence[str],
    part: Callable[[str], tuple[Select[Any], Sequence[ColumnElement[Any]]]],
    *,
    cursor: str | None,
    limit: int,
) -> Page:
    """A page of a list that is made of parts, one after the other, of which no more are asked for
    than the page needs. ``parts``: their names in order, each what the first column of the order
    is throughout that part; ``part``: its query and the order."""
    limit = allowed(limit)
    back, cursor = backwards(cursor)
    found: list[Any] = []
    keys: list[list[Any]] = []
    for name in reversed(parts) if back else parts:
        query, order = part(name)
        if cursor is not None:
            begins = str(values_of(cursor, order)[0].value)
            if name > begins if back else name < begins:
                continue
            query = query.where(beyond(cursor, order, descending=back))
        ordered = [c.desc() if back else c.asc() for c in order]
        more = limit + 1 - len(found)
        some = db.execute(query.order_by(*ordered).limit(more)).mappings().all()
        found += some
        keys += [[row[c.name] for c in order] for row in some]
        if len(found) > limit:
            break
    rows = [dict(row) for row in found]
    return between(rows, keys, begun=cursor is not None, back=back, limit=limit)


def backwards(cursor: str | None) -> tuple[bool, str | None]:
    """Whether a cursor asks for the rows before it, and the cursor without that."""
    if cursor is not None and cursor.startswith(BACK):
        return True, cursor[len(BACK) :]
    return False, cursor


def between(
    rows: list[dict[str, Any]],
    keys: Sequence[Sequence[Any]],
    *,
    begun: bool,
    back: bool,
    limit: int,
) -> Page:
    """The page of ``rows`` (one more than ``limit`` if it goes on that way), in their order or,
    ``back``, in the reverse one. ``keys``: their values of the order; ``begun``: by a cursor."""
    more = len(rows) > limit
    rows, keys = rows[:limit], keys[:limit]
    if back:
        rows, keys = rows[::-1], keys[::-1]
    if not rows:
        return Page(rows)
    goes_on, came = (begun, more) if back else (more, begun)
    following = cursor_of(list(keys[-1])) if goes_on else None
    return Page(rows, following, BACK + cursor_of(list(keys[0])) if came else None)


def allowed(limit: int) -> int:
    """How many rows a page may have when so many are asked for."""
    return max(1, min(limit, MAX_LIMIT))


def beyond(
    cursor: str, order: Sequence[ColumnElement[Any]], *, descending: bool = False
) -> ColumnElement[bool]:
    """The rows after a cursor. What is said of the first column alone lets an index begin there."""
    first, *_ = values = values_of(cursor, order)
    here, last = tuple_(*order), tuple_(*values)
    if descending:
        return and_(order[0] <= first, here < last)
    return and_(order[0] >= first, here > last)


def values_of(cursor: str, order: Sequence[ColumnElement[Any]]) -> list[ColumnElement[Any]]:
    """The values of a cursor as what its columns hold: no database compares text with numbers."""
    values = _decode(cursor, len(order))
    for value, column in zip(values, order, strict=True):
        if type(value) is not column.type.python_type:
            raise BadCursor(cursor=cursor[:40])
    return [literal(value, c.type) for value, c in zip(values, order, strict=True)]


def cut(
    items: list[dict[str, Any]], order: tuple[str, ...], *, cursor: str | None, limit: int
) -> Page:
    """A page of a list that a query computed itself. ``order``: keys that together are unique."""
    limit = allowed(limit)
    back, cursor = backwards(cursor)
    ordered = sorted((tuple(item[name] for name in order), n) for n, item in enumerate(items))
    if cursor is not None:
        last = tuple(_decode(cursor, len(order)))
        try:
            ordered = [one for one in ordered if (one[0] < last if back else one[0] > last)]
        except TypeError as problem:
            raise BadCursor(cursor=cursor[:40]) from problem
    some = (ordered[::-1] if back else ordered)[: limit + 1]
    rows, keys = [items[n] for _, n in some], [key for key, _ in some]
    return between(rows, keys, begun=cursor is not None, back=back, limit=limit)


def _storable(value: int | str | None) -> bool:
    """Whether a column could hold it: 64 bits, no NUL in text."""
    if isinstance(value, int):
        return -(2**63) <= value < 2**63
    return value is None or "\0" not in value


def cursor_of(values: list[Any]) -> str:
    """The cursor of the page behind a row with these values of the order's columns."""
    return text_of(msgspec.json.encode(values))


def _decode(cursor: str, length: int) -> list[Any]:
    try:
        values = msgspec.json.decode(bytes_of(cursor), type=list[int | str | None])
    except (msgspec.MsgspecError, ValueError) as problem:
        raise BadCursor(cursor=cursor[:40]) from problem
    if len(values) != length or not all(map(_storable, values)):
        raise BadCursor(cursor=cursor[:40])
    return list(values)
