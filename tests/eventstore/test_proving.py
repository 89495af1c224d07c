"""A tree that is kept answers as one that is read from the log, and notices what was changed."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eventstore.log import Row
from eventstore.proving import (
    TILE,
    GapInLog,
    KeptTree,
    NotInOrder,
    RowChanged,
    entry_shown,
    joined,
    leaf_of,
    tree_of,
)


class Rows:
    """The part of a log that is read in order."""

    def __init__(self, count: int) -> None:
        self.all: list[Row] = [
            (n, UUID(int=n).bytes, 1, "Unit.Registered", str(n).encode())
            for n in range(1, count + 1)
        ]

    def rows(self, after: int, limit: int, upto: int | None = None) -> list[Row]:
        most = len(self.all) + 1 if upto is None else upto
        return [row for row in self.all if after < row[0] <= most][:limit]


LONG: Any = Rows(3 * TILE + 41)
END = len(LONG.all)


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.integers(1, END), min_size=1, max_size=4).map(sorted),
    st.lists(st.integers(0, END - 1), max_size=3),
    st.integers(0, END),
)
def test_a_kept_tree_is_that_of_the_log_however_it_grew(
    sizes: list[int], indices: list[int], old: int
) -> None:
    kept = KeptTree(LONG)
    for size in sizes:
        assert kept.grow(size)
    for size in sizes:  # also those of before
        at = [index for index in indices if index < size]
        earlier = min(old, size)
        one, other = kept.tree(size, at, earlier), tree_of(LONG, size, at, earlier)
        assert one.root() == other.root()
        for index in at:
            row = LONG.all[index]
            assert entry_shown(row, one) == entry_shown(row, other)
        if earlier:
            assert joined(earlier, one) == joined(earlier, other)


def test_it_takes_in_so_many_facts_at_once_and_no_more() -> None:
    kept = KeptTree(LONG)
    assert not kept.grow(END, 100) and kept.size == 100
    assert not kept.grow(END, 0) and kept.size == 100
    assert kept.grow(END, END) and kept.size == END
    assert kept.grow(END, 0)


def changed(change: Callable[[list[Row]], list[Row]]) -> Any:
    log = Rows(END)
    kept = KeptTree(log)  # type: ignore[arg-type]
    kept.grow(END)
    log.all = change(log.all)
    return kept


def test_a_row_that_was_changed_since_is_not_proven() -> None:
    kept = changed(lambda rows: [(*row[:4], b"other") if row[0] == 300 else row for row in rows])
    with pytest.raises(RowChanged) as told:
        kept.tree(END, [299])
    assert (told.value.first, told.value.last) == (TILE + 1, 2 * TILE)
    kept.tree(END, [10])


def test_a_row_that_was_taken_out_since_is_missed() -> None:
    kept = changed(lambda rows: [row for row in rows if row[0] != 300])
    with pytest.raises(GapInLog) as told:
        kept.tree(END, [290])
    assert told.value.position == 300


@pytest.mark.parametrize(
    "row",
    [
        (0, bytes(15), 1, "Unit.Registered", b"{}"),
        (1, bytes(16), -1, "Unit.Registered", b"{}"),
        (1, bytes(16), 2**32, "Unit.Registered", b"{}"),
        (1, bytes(16), 1, "x" * 70_000, b"{}"),
        (-1, bytes(16), 1, "Unit.Registered", b"{}"),
        (1, bytes(16), 1, None, b"{}"),
    ],
)
def test_a_row_that_the_program_never_writes_has_no_leaf(row: Any) -> None:
    with pytest.raises(NotInOrder):
        leaf_of(row)
