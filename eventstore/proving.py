"""Proofs of facts, made by reading the log once: whatever its length, a few hashes are held.

A proof is a JSON object, `relief-proof/1` (docs/proof-format.md), that `audit/relief_verify.py`
checks without us.
"""

import base64
import struct
import threading
import time
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from eventstore.log import Log, Row
from eventstore.merkle import (
    Growing,
    Whole,
    consistency,
    entry_of,
    inclusion,
    leaf_hash,
    root_of,
    wholes_of,
)

ROWS_AT_ONCE = 2_000
MOST_FACTS = 2_000
"""Facts of one proof: more than any household, fund or document has."""


class GapInLog(Exception):
    """Positions have no gaps (decision 0017): a fact was taken out. ``position``: the first one
    that is missing."""

    def __init__(self, position: int) -> None:
        super().__init__(f"there is no fact {position}")
        self.position = position


class NotInOrder(Exception):
    """A row that the tree has no place for: it stands before the first position, or is none that
    the program writes. ``position``: where it stands."""

    def __init__(self, position: int) -> None:
        super().__init__(f"row {position} has no place in the order of the log")
        self.position = position


class RowChanged(Exception):
    """The rows from ``first`` to ``last`` are not those that were read before."""

    def __init__(self, first: int, last: int) -> None:
        super().__init__(f"changed since they were read: {first} to {last}")
        self.first, self.last = first, last


def leaf_of(row: Row) -> bytes:
    """The row's leaf. Raises `NotInOrder` for one that the program never wrote."""
    position, stream, version, topic, state = row
    try:
        entry = entry_of(position, UUID(bytes=bytes(stream)), version, topic, bytes(state))
    except (ValueError, OverflowError, TypeError, AttributeError, struct.error):
        raise NotInOrder(position) from None
    return leaf_hash(entry)


def rows_of(log: Log, upto: int) -> Iterator[Row]:
    """All rows to a position, in order. Raises `GapInLog`."""
    after = 0
    while after < upto:
        rows = log.rows(after, ROWS_AT_ONCE, upto)
        if not rows:
            raise GapInLog(after + 1)
        for row in rows:
            if row[0] != after + 1:
                raise GapInLog(after + 1)
            after = row[0]
            yield row


class Tree(NamedTuple):
    """A tree over the first ``size`` facts: of its whole subtrees those that were asked for."""

    size: int
    wholes: dict[tuple[int, int], bytes]

    def whole(self, level: int, number: int) -> bytes:
        return self.wholes[level, number]

    def root(self) -> bytes:
        return root_of(self.size, self.whole)


def tree_of(log: Log, size: int, indices: Sequence[int] = (), old: int = 0) -> Tree:
    """Reads the log up to ``size``; enough is kept to prove the facts at these indices, and that
    the tree begins with that of ``old`` facts (0: no such question). Raises `GapInLog` and
    `NotInOrder`."""
    wanted = _asked(size, indices, old)
    found: dict[tuple[int, int], bytes] = {}
    growing = Growing()
    for row in rows_of(log, size):
        for level, number, made in growing.add(leaf_of(row)):
            if (level, number) in wanted:
                found[level, number] = made
    return Tree(size, found)


def _asked(size: int, indices: Sequence[int], old: int) -> set[tuple[int, int]]:
    """The whole subtrees that such a tree is asked for: found by asking an imagined one."""
    wanted: set[tuple[int, int]] = set(wholes_of(size))

    def note(level: int, number: int) -> bytes:
        wanted.add((level, number))
        return b""

    noting: Whole = note
    for index in indices:
        inclusion(index, size, noting)
    if old:
        consistency(old, size, noting)
    return wanted


TILE_LEVEL = 8
TILE = 1 << TILE_LEVEL
"""Facts of one tile: of a tree that is kept, the hashes above tiles are held, 64 bytes a tile, and
what lies within one is read again."""
MOST_PROMPT = 20_000
"""So many facts a tree takes in while somebody waits for an answer."""


class KeptTree:
    """The tree over a log that grows, for who proves again and again: each fact is read once, and
    once more with its tile when it is proven. Any number of threads may ask."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._growing = Growing()
        self._wholes: dict[tuple[int, int], bytes] = {}
        self._lock = threading.Lock()

    @property
    def size(self) -> int:
        return self._growing.size

    def grow(self, size: int, most: int | None = None) -> bool:
        """Take in the facts up to ``size``, at most so many of them; whether it has them all.
        Raises `GapInLog`, `NotInOrder`."""
        with self._lock:
            begun = after = self._growing.size
            upto = size if most is None else min(size, begun + most)
            while after < upto:
                rows = self._log.rows(after, min(ROWS_AT_ONCE, upto - after), upto)
                leaves = _leaves(rows, after)
                if not leaves:
                    raise GapInLog(after + 1)
                for leaf in leaves:
                    for level, number, made in self._growing.add(leaf):
                        if level >= TILE_LEVEL:
                            self._wholes[level, number] = made
                after = self._growing.size
                time.sleep(0)  # who answers others goes first
            return after >= size

    def tree(self, size: int, indices: Sequence[int] = (), old: int = 0) -> Tree:
        """As `tree_of`, for at most so many facts as it has taken in. Raises `RowChanged` too."""
        wanted = _asked(size, indices, old)
        found = {one: self._wholes[one] for one in wanted if one[0] >= TILE_LEVEL}
        below = {number >> TILE_LEVEL - level for level, number in wanted if level < TILE_LEVEL}
        for tile in sorted(below | {index >> TILE_LEVEL for index in indices}):
            found |= self._within(tile, size)
        return Tree(size, found)

    def _within(self, tile: int, size: int) -> dict[tuple[int, int], bytes]:
        """The subtrees within a tile, read again; they are those of the tile that was read."""
        first, end = tile * TILE, min((tile + 1) * TILE, size)
        leaves = _leaves(self._log.rows(first, end - first, end), first)
        if len(leaves) < end - first:
            raise GapInLog(first + len(leaves) + 1)
        growing, found = Growing(), {}
        for leaf in leaves:
            for level, number, made in growing.add(leaf):
                found[level, (tile << TILE_LEVEL - level) + number] = made
        kept = self._wholes.get((TILE_LEVEL, tile))
        if kept is not None and found.get((TILE_LEVEL, tile), kept) != kept:
            raise RowChanged(first + 1, end)
        return found


def _leaves(rows: Sequence[Row], after: int) -> list[bytes]:
    """The leaves of rows that follow a position. Raises `GapInLog`."""
    for n, row in enumerate(rows, start=after + 1):
        if row[0] != n:
            raise GapInLog(n)
    return [leaf_of(row) for row in rows]


def entry_shown(row: Row, tree: Tree) -> dict[str, Any]:
    """One fact as a proof shows it, with the hashes beside its way up."""
    position, stream, version, topic, state = row
    path = inclusion(position - 1, tree.size, tree.whole)
    return {
        "index": position - 1,
        "stream": str(UUID(bytes=bytes(stream))),
        "version": version,
        "topic": topic,
        "state": _text(bytes(state)),
        "path": [_text(one) for one in path],
    }


def joined(old: int, tree: Tree) -> list[str]:
    """The hashes that show that this tree begins with that of ``old`` facts."""
    return [_text(one) for one in consistency(old, tree.size, tree.whole)]


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()
