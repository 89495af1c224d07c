"""Figures that ought to be equal: at each position they are the sums that the past shows there."""

import random
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
from sqlalchemy import Connection, func, select

from projections.asking.scope import EVERYTHING
from projections.catalog import VIEWS
from projections.folding.past import KNOWN_AT, PastReader, PastViews
from streams.past_changes import generations
from streams.past_equal import PAIRS, Pair, Part, Turn, turns
from tests.projections.test_past import facts


@pytest.fixture(scope="module")
def head() -> int:
    return len(facts())


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PastReader]:
    path, rows = tmp_path_factory.mktemp("past") / "past.sqlite", facts()
    views = PastViews(path, VIEWS)
    views.apply_frame(0, 0, rows[-1][0], rows)
    views.close()
    reader = PastReader(path)
    yield reader
    reader.close()


def plainly(db: Connection, parts: tuple[Part, ...], position: int) -> int:
    """The figure asked of the views of the past, as any query asks them."""
    KNOWN_AT.set(position)
    total = 0
    for part in parts:
        c: Any = part.table.c
        signed = [c[name] for name in part.plus] + [-c[name] for name in part.less]
        asked = select(*(func.coalesce(func.sum(one), 0) for one in signed))
        if part.only is not None:
            asked = asked.where(c[part.only[0]].in_(part.only[1]))
        if part.of is None:
            asked = asked.where(c.exercise.is_(False))
        else:
            of: Any = part.of.c
            asked = asked.where(c[part.case].in_(select(of.id).where(of.exercise.is_(False))))
        total += sum(db.execute(asked).one())
    return total


def found(db: Connection, pair: Pair, since: int, upto: int) -> list[Turn]:
    KNOWN_AT.set(upto)
    known = generations(db)
    tables = {table.name: known[view.name] for view in VIEWS for table in view.tables}
    span = {"since": since, "upto": upto}
    return list(turns(db, pair, tables, EVERYTHING.on(db), exercise=False, **span))


@pytest.mark.parametrize("name", PAIRS)
def test_figures_are_those_of_the_past_and_between_two_turns_nothing_turns(
    past: PastReader, head: int, name: str
) -> None:
    pair, chance = PAIRS[name], random.Random(name)
    with past() as db:
        made = found(db, pair, 0, head)
        assert [one.equal for one in made] == [n % 2 == 0 for n in range(len(made))]
        looked = {one.position for one in made[1:]}
        looked |= {at - 1 for at in looked} | set(chance.sample(range(1, head), 20))
        for at in sorted(looked):
            left, right = plainly(db, pair.left, at), plainly(db, pair.right, at)
            last = [one for one in made if one.position <= at][-1]
            assert last.equal == (left == right), at
            if last.position == at:
                assert (last.left, last.right) == (left, right)
            begun = found(db, pair, at, head)[0]
            assert begun == Turn(at, left, right), "what it begins with is how it stood then"
        assert plainly(db, pair.left, head) > 0 or name == "committed"


def test_what_no_fact_keeps_apart_is_told_where_it_parts(past: PastReader, head: int) -> None:
    """Two figures that are no pair: where they part for good, and stay so."""
    left, right = PAIRS["paid"].left, (Part(PAIRS["granted"].left[0].table, ("cash_granted_fen",)),)
    with past() as db:
        made = found(db, Pair("ledger", left, right), 0, head)
    assert len(made) >= 2 and not made[1].equal
    assert all(later.position > earlier.position for earlier, later in pairwise(made))
