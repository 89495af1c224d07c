"""The tree after RFC 6962: published values, the definition itself, and both ways of checking."""

import hashlib
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit import relief_verify
from eventstore.merkle import (
    EMPTY,
    Growing,
    consistency,
    entry_of,
    inclusion,
    leaf_hash,
    node_hash,
    root_of,
    wholes_of,
)
from tests.eventstore.support import ROOT

PUBLISHED_LEAVES = [
    bytes.fromhex(one)
    for one in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
PUBLISHED_ROOTS = (
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)
"""Of the tests of Google's certificate-transparency, over the first one, two … eight leaves."""


def naive(leaves: list[bytes]) -> bytes:
    """RFC 6962 §2.1, word by word."""
    if not leaves:
        return hashlib.sha256().digest()
    if len(leaves) == 1:
        return leaves[0]
    half = 1
    while half * 2 < len(leaves):
        half *= 2
    return node_hash(naive(leaves[:half]), naive(leaves[half:]))


class Leaves:
    """Leaves in memory; notes which whole subtrees were asked for."""

    def __init__(self, count: int) -> None:
        self.hashes = [leaf_hash(n.to_bytes(4, "big")) for n in range(count)]
        self.asked: list[tuple[int, int]] = []

    def whole(self, level: int, number: int) -> bytes:
        width = 1 << level
        part = self.hashes[number * width : (number + 1) * width]
        assert len(part) == width, "a subtree that is not whole would change later"
        self.asked.append((level, number))
        return naive(part)

    def root(self, size: int) -> bytes:
        return naive(self.hashes[:size])


@pytest.mark.parametrize("size", range(1, 9))
def test_roots_are_the_published_ones(size: int) -> None:
    growing = Growing()
    for one in PUBLISHED_LEAVES[:size]:
        growing.add(leaf_hash(one))
    assert growing.root().hex() == PUBLISHED_ROOTS[size - 1]


def test_the_root_over_nothing_is_that_of_the_rfc() -> None:
    assert Growing().root() == EMPTY == root_of(0, Leaves(0).whole)
    assert EMPTY.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


@pytest.mark.parametrize("size", [*range(1, 34), 255, 256, 257])
def test_every_fact_of_every_size_is_proven(size: int) -> None:
    leaves = Leaves(size)
    root = leaves.root(size)
    assert root_of(size, leaves.whole) == root
    for index in range(size):
        leaves.asked.clear()
        path = inclusion(index, size, leaves.whole)
        assert relief_verify.root_from(leaves.hashes[index], index, size, path) == root
        assert len(leaves.asked) <= 2 * size.bit_length()


@pytest.mark.parametrize("size", range(1, 34))
def test_every_earlier_size_is_proven_to_be_the_beginning(size: int) -> None:
    leaves = Leaves(size)
    for old in range(1, size + 1):
        path = consistency(old, size, leaves.whole)
        both = (leaves.root(old), size, leaves.root(size))
        assert relief_verify.grown_from(old, *both, path)


@given(st.integers(1, 600), st.data())
def test_a_tree_goes_on_from_its_whole_subtrees(size: int, data: st.DataObject) -> None:
    leaves = Leaves(size)
    begun = data.draw(st.integers(0, size))
    growing = Growing(begun, [leaves.whole(*one) for one in wholes_of(begun)])
    for leaf in leaves.hashes[begun:]:
        growing.add(leaf)
    assert growing.root() == leaves.root(size) and growing.size == size


def test_a_beginning_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="not the subtrees of a tree of 3"):
        Growing(3, [EMPTY])
    for old in (0, 4):
        with pytest.raises(ValueError, match="no beginning"):
            consistency(old, 3, Leaves(3).whole)
    for index in (-1, 3):
        with pytest.raises(ValueError, match="no leaf"):
            inclusion(index, 3, Leaves(3).whole)


def mutations(path: list[bytes], data: st.DataObject) -> list[bytes]:
    """Another path: a hash changed, left out, doubled, or two exchanged."""
    how = data.draw(st.sampled_from(["flip", "drop", "double", "add"]))
    changed = list(path)
    at = data.draw(st.integers(0, max(0, len(path) - 1)))
    if how == "flip" and path:
        bit = data.draw(st.integers(0, 255))
        number = int.from_bytes(path[at], "big") ^ 1 << bit
        changed[at] = number.to_bytes(32, "big")
    elif how == "drop" and path:
        del changed[at]
    elif how == "double" and path:
        changed.insert(at, changed[at])
    else:
        changed.append(data.draw(st.binary(min_size=32, max_size=32)))
    return changed


@given(st.integers(1, 300), st.data())
def test_a_changed_path_proves_nothing(size: int, data: st.DataObject) -> None:
    leaves = Leaves(size)
    index, old = (data.draw(st.integers(low, size - 1 + low)) for low in (0, 1))
    root = leaves.root(size)
    path = mutations(inclusion(index, size, leaves.whole), data)
    assert relief_verify.root_from(leaves.hashes[index], index, size, path) != root
    joined = mutations(consistency(old, size, leaves.whole), data)
    assert not relief_verify.grown_from(old, leaves.root(old), size, root, joined)


def test_an_entry_is_laid_out_as_documented() -> None:
    stream = UUID("01020304-0506-4708-890a-0b0c0d0e0f10")
    entry = entry_of(258, stream, 3, "Village.报告", b"{}")
    assert entry == (
        b"relief-fact/1\n\0\0\0\0\0\0\x01\x02"
        + stream.bytes
        + b"\0\0\0\x03\0\x0eVillage."
        + "报告".encode()
        + hashlib.sha256(b"{}").digest()
    )
    assert entry == relief_verify.entry_of(stream.bytes, 3, "Village.报告", b"{}", 258)
    assert leaf_hash(entry) == relief_verify.leaf_hash(entry)


def test_the_documented_vectors_are_those_of_today() -> None:
    text = (ROOT / "docs" / "proof-format.md").read_text(encoding="utf-8")
    stream = UUID("01020304-0506-4708-890a-0b0c0d0e0f10")
    leaf = leaf_hash(entry_of(258, stream, 3, "Village.报告", b"{}"))
    assert f"| leaf | `{leaf.hex()}` |" in text
    assert f"`{node_hash(leaf, leaf).hex()}` |" in text
