"""Proofs of facts, made by reading the log once: whatever its length, a few hashes are held.

A proof is a JSON object, `relief-proof/1` (docs/proof-format.md), that `audit/relief_verify.py`
checks without us.
"""

import base64
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
    the tree begins with that of ``old`` facts (0: no such question). Raises `GapInLog`."""
    wanted: set[tuple[int, int]] = set(wholes_of(size))

    def note(level: int, number: int) -> bytes:
        wanted.add((level, number))
        return b""

    noting: Whole = note
    for index in indices:
        inclusion(index, size, noting)
    if old:
        consistency(old, size, noting)
    found: dict[tuple[int, int], bytes] = {}
    growing = Growing()
    for position, stream, version, topic, state in rows_of(log, size):
        entry = entry_of(position, UUID(bytes=bytes(stream)), version, topic, bytes(state))
        for level, number, made in growing.add(leaf_hash(entry)):
            if (level, number) in wanted:
                found[level, number] = made
    return Tree(size, found)


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
