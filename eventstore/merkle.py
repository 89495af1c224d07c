"""The tree over the log's facts (RFC 6962 §2.1): its root, and the hashes that prove a fact.

Leaf ``i`` is the fact at position ``i + 1``. A *whole* subtree at level ``l`` has ``2^l`` leaves
and never changes again; it is asked for by level and number. All hashes have 32 bytes.

The one file that strangers check proofs with (`audit/relief_verify.py`) has this written a second
time and apart, so that a mistake here cannot be one there as well.
"""

import struct
from collections.abc import Callable, Iterable, Iterator
from hashlib import sha256
from struct import Struct
from uuid import UUID

HASH_BYTES = 32
EMPTY = sha256().digest()
"""The root over no facts at all."""

Whole = Callable[[int, int], bytes]
"""The hash of a whole subtree, by its level and its number at that level."""


NO_LEAF = (struct.error, AttributeError, TypeError, UnicodeEncodeError)
"""What making a leaf raises of a row in which somebody has put something else."""
LEAF = b"\x00relief-fact/1\n"
_begin = Struct(f">{len(LEAF)}sQ16sIH").pack


def entry_of(position: int, stream: UUID, version: int, topic: str, state: bytes) -> bytes:
    """What a fact puts into the tree. ``state``: the bytes as they are stored."""
    return _leaf((position, stream.bytes, version, topic, state))[1:]


def leaf_of(row: tuple[int, bytes, int, str, bytes]) -> bytes:
    """The hash of a row of the log: that of its entry."""
    return sha256(_leaf(row)).digest()


def _leaf(row: tuple[int, bytes, int, str, bytes]) -> bytes:
    """A leaf before it is hashed. The writer makes one of each fact: it calls little."""
    position, stream, version, topic, state = row
    name = topic.encode()
    return _begin(LEAF, position, stream, version, len(name)) + name + sha256(state).digest()


def leaf_hash(entry: bytes) -> bytes:
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


class Growing:
    """A tree that leaves are added to, kept as the roots of its whole subtrees: log2(size)."""

    def __init__(self, size: int = 0, wholes: Iterable[bytes] = ()) -> None:
        """``wholes``: the roots of the whole subtrees that a tree of this size is made of, the
        largest first."""
        self.size = size
        self._wholes = list(wholes)
        if len(self._wholes) != size.bit_count():
            raise ValueError(f"not the subtrees of a tree of {size}")

    def add(self, leaf: bytes) -> list[tuple[int, int, bytes]]:
        """The subtrees that this leaf makes whole, itself first: level, number, hash."""
        made, size, level = [(0, self.size, leaf)], self.size, 0
        while size & 1:
            size, level = size >> 1, level + 1
            made.append((level, size, node_hash(self._wholes.pop(), made[-1][2])))
        self._wholes.append(made[-1][2])
        self.size += 1
        return made

    def root(self) -> bytes:
        return _joined(self._wholes)


def wholes_of(size: int) -> Iterator[tuple[int, int]]:
    """Level and number of the whole subtrees that a tree of this size is made of, from the left."""
    begin = 0
    for level in reversed(range(size.bit_length())):
        if size >> level & 1:
            yield level, begin >> level
            begin += 1 << level


def root_of(size: int, whole: Whole) -> bytes:
    return _joined([whole(*one) for one in wholes_of(size)])


def inclusion(index: int, size: int, whole: Whole) -> list[bytes]:
    """The hashes beside the way from a leaf up to the root, as RFC 6962 §2.1.1 orders them."""
    if not 0 <= index < size:
        raise ValueError(f"no leaf {index} in a tree of {size}")
    return list(_beside(index, 0, size, whole))


def consistency(old: int, size: int, whole: Whole) -> list[bytes]:
    """The hashes that show that the tree of ``size`` begins with that of ``old`` (§2.1.2)."""
    if not 0 < old <= size:
        raise ValueError(f"a tree of {old} is no beginning of one of {size}")
    return list(_grown(old, 0, size, whole, known=True))


def _beside(index: int, begin: int, end: int, whole: Whole) -> Iterator[bytes]:
    if end - begin == 1:
        return
    middle = begin + _half(end - begin)
    if index < middle:
        yield from _beside(index, begin, middle, whole)
        yield _range(middle, end, whole)
    else:
        yield from _beside(index, middle, end, whole)
        yield _range(begin, middle, whole)


def _grown(old: int, begin: int, end: int, whole: Whole, *, known: bool) -> Iterator[bytes]:
    """``known``: whether the root over what is left of the old tree is the one that is asked."""
    if old == end:
        if not known:
            yield _range(begin, end, whole)
        return
    middle = begin + _half(end - begin)
    if old <= middle:
        yield from _grown(old, begin, middle, whole, known=known)
        yield _range(middle, end, whole)
    else:
        yield from _grown(old, middle, end, whole, known=False)
        yield _range(begin, middle, whole)


def _half(size: int) -> int:
    """The largest power of two below a size of two or more."""
    return 1 << (size - 1).bit_length() - 1


def _range(begin: int, end: int, whole: Whole) -> bytes:
    """The root over leaves from ``begin`` on, which a subtree of at least this width begins at."""
    parts: list[bytes] = []
    while begin < end:
        level = (end - begin).bit_length() - 1
        parts.append(whole(level, begin >> level))
        begin += 1 << level
    return _joined(parts)


def _joined(wholes: list[bytes]) -> bytes:
    """One root above whole subtrees that stand beside one another, the largest first."""
    if not wholes:
        return EMPTY
    found = wholes[-1]
    for left in reversed(wholes[:-1]):
        found = node_hash(left, found)
    return found
