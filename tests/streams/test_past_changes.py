"""Changes between two moments are exactly what differs, and their facts lie between them."""

import random
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from api.changes import TABLES, VIEW_OF
from eventstore.log import Row
from projections.asking.scope import EVERYTHING, Scope
from projections.folding.base import LOGICAL
from projections.folding.past import FROM, KNOWN_AT, PastReader
from projections.households import HOUSEHOLDS
from streams.past_changes import UNSAID, _parts, changes, generations, versions_of
from tests.projections.test_past import past, rows

__all__ = ["past", "rows"]
PAIRS = 6
NAMES = sorted({name for names in TABLES.values() for name in names})


def standing(past: PastReader, name: str, position: int) -> dict[tuple[Any, ...], dict[str, Any]]:
    """The rows of a table at a position, by key."""
    table = LOGICAL.tables[name]
    keys = [column.name for column in table.primary_key.columns]
    KNOWN_AT.set(position)
    with past() as db:
        found = [dict(row) for row in db.execute(select(table)).mappings()]
    return {tuple(row[key] for key in keys): row for row in found if row["area"] is not None}


def differing(before: dict[Any, Any], now: dict[Any, Any]) -> dict[tuple[Any, str], Any]:
    """By key and column what was and what is, found by comparing whole tables."""
    found = {}
    for key in before.keys() | now.keys():
        old, new = before.get(key, {}), now.get(key, {})
        for column in (old or new).keys() - UNSAID:
            for part, was, is_ in _parts(column, old.get(column), new.get(column)):
                if was != is_:
                    found[key, part] = (was, is_)
    return found


@pytest.mark.parametrize("n", range(PAIRS))
def test_changes_are_what_differs(past: PastReader, rows: list[Row], n: int) -> None:
    chance = random.Random(n)
    since, upto = sorted(chance.sample(range(1, len(rows) + 1), 2))
    told = 0
    for name in NAMES:
        wanted = differing(standing(past, name, since), standing(past, name, upto))
        KNOWN_AT.set(upto)
        found: dict[tuple[Any, str], Any] = {}
        with past() as db:
            generation, after = generations(db)[VIEW_OF[name]], ()
            while after is not None:
                page, after = changes(
                    db,
                    LOGICAL.tables[name],
                    generation,
                    EVERYTHING,
                    since=since,
                    upto=upto,
                    after=after or (),
                    limit=7,
                )
                for one in page:
                    assert (one.key, one.column) not in found, "told once"
                    assert one.positions and since < one.positions[0] <= one.positions[-1] <= upto
                    found[one.key, one.column] = (one.before, one.now)
        assert found == wanted, name
        told += len(found)
    assert told or upto - since < 20


def test_what_moved_is_told_on_each_side_up_to_the_border(
    past: PastReader, rows: list[Row]
) -> None:
    """A household that moved away shows nothing of where it is now, nor one that came of where it
    was: neither side may look there."""
    name = HOUSEHOLDS.name
    KNOWN_AT.set(len(rows))
    with past() as db:
        generation = generations(db)[VIEW_OF[name]]
        versions = versions_of(HOUSEHOLDS, generation)
        asked = select(versions.c.id, versions.c.area, versions.c[FROM]).order_by(versions.c[FROM])
        moved: dict[str, list[str]] = {}
        for id, at, _ in db.execute(asked):
            if at is not None and at not in moved.setdefault(id, []):
                moved[id].append(at)
        sides = {(id, at) for id, areas in moved.items() if len(areas) > 1 for at in areas}
        assert sides
        for id, at in sides:
            mine = Scope((UUID(at),)).on(db)
            span = {"since": 0, "upto": len(rows), "limit": 10_000}
            found, _ = changes(db, HOUSEHOLDS, generation, mine, **span)
            others = set(moved[id]) - {at}
            for one in found:
                assert one.area == at
                assert others.isdisjoint((one.before, one.now)), (id, one)


def test_what_went_and_came_back_is_no_change(past: PastReader, rows: list[Row]) -> None:
    """Between a moment and itself nothing differs, whatever happened before."""
    KNOWN_AT.set(len(rows))
    with past() as db:
        of = generations(db)
        for name in NAMES:
            same = {"since": len(rows), "upto": len(rows)}
            found = changes(db, LOGICAL.tables[name], of[VIEW_OF[name]], EVERYTHING, **same)
            assert found == ([], None), name
