#!/usr/bin/env python3
"""救灾一本账 · 核验证明 · Check a proof of Relief Ledger, with nothing but this file and Python.

    python3 relief_verify.py PROOF.json --key KEY [--witness KEY]… [--seen CHECKPOINT]

``KEY`` is a line ``name+hash+key`` as its owner publishes it, or a file of such lines. ``--seen``
is a checkpoint that was kept from an earlier day: the proof must be about the same history.

Ends with 0 if the proof holds and an office that watches (a witness) has signed too, 3 if it holds
but nobody else has signed, 1 if it does not hold, 2 if it cannot be read or nobody knows the key.

It is written from the published rules alone and shares no line with the program that makes proofs:
the tree is that of RFC 6962 §2.1, checked as in RFC 9162 §2.1.3 and §2.1.4; checkpoints are C2SP
tlog-checkpoint in C2SP signed-note; witnesses sign as in C2SP tlog-cosignature; signatures are
Ed25519 after RFC 8032 §5.1. What a proof is made of stands in docs/proof-format.md.
"""

import argparse
import base64
import hashlib
import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from io import TextIOWrapper
from pathlib import Path
from struct import pack
from typing import Any, NamedTuple
from uuid import UUID

HOLDS, BROKEN, UNREADABLE, UNWITNESSED = 0, 1, 2, 3
FORMAT = "relief-proof/1"
MOST_BYTES = 64 * 1024 * 1024
"""Of a file: a proof of a whole household has some hundred kilobytes."""
MOST_SIGNATURES = 100
HASH_BYTES = 32
LONGEST_PATH = 63
"""Hashes beside one another on the way up, in a tree of 2^63 entries."""

ED25519, COSIGNATURE = 1, 4
"""Kinds of signatures, as C2SP numbers them."""


class Unreadable(Exception):
    """It is not what it should be, or signed by somebody unknown. Chinese and English words."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(f"{zh} · {en}")
        self.zh, self.en = zh, en


class Broken(Unreadable):
    """It can be read, and what it claims is not so."""


# -- Ed25519, RFC 8032 §5.1 --------------------------------------------------------------------

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT_OF_MINUS_ONE = pow(2, (P - 1) // 4, P)

Point = tuple[int, int, int, int]
"""X, Y, Z and T of extended coordinates: x = X/Z, y = Y/Z, xy = T/Z."""
ZERO: Point = (0, 1, 1, 0)


def _add(p: Point, q: Point) -> Point:
    a, b = (p[1] - p[0]) * (q[1] - q[0]) % P, (p[1] + p[0]) * (q[1] + q[0]) % P
    c, d = 2 * p[3] * q[3] * D % P, 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def _times(number: int, p: Point) -> Point:
    found = ZERO
    while number:
        if number & 1:
            found = _add(found, p)
        p = _add(p, p)
        number >>= 1
    return found


def _same(p: Point, q: Point) -> bool:
    return (p[0] * q[2] - q[0] * p[2]) % P == 0 and (p[1] * q[2] - q[1] * p[2]) % P == 0


def _point(data: bytes) -> Point | None:
    """The point that 32 bytes stand for, None if for none."""
    number = int.from_bytes(data, "little")
    odd, y = number >> 255, number & ((1 << 255) - 1)
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT_OF_MINUS_ONE % P
    if (x * x - square) % P or (x == 0 and odd):
        return None
    if x & 1 != odd:
        x = P - x
    return x, y, 1, x * y % P


BASE = _point((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))


def signed_by(key: bytes, message: bytes, signature: bytes) -> bool:
    """Whether this Ed25519 signature (64 bytes) of the message is of this key (32 bytes)."""
    if len(key) != 32 or len(signature) != 64 or BASE is None:
        return False
    whose, sign = _point(key), _point(signature[:32])
    s = int.from_bytes(signature[32:], "little")
    if whose is None or sign is None or s >= L:
        return False
    hashed = hashlib.sha512(signature[:32] + key + message).digest()
    h = int.from_bytes(hashed, "little") % L
    return _same(_times(s, BASE), _add(sign, _times(h, whose)))


# -- the tree, RFC 6962 §2.1 -------------------------------------------------------------------


def entry_of(stream: bytes, version: int, topic: str, state: bytes, position: int) -> bytes:
    """What one fact puts into the tree. ``position``: from 1 on, one more than its index."""
    name = topic.encode()
    place = pack(">Q16sIH", position, stream, version, len(name))
    return b"relief-fact/1\n" + place + name + hashlib.sha256(state).digest()


def leaf_hash(entry: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def root_from(leaf: bytes, index: int, size: int, path: Iterable[bytes]) -> bytes | None:
    """The root that a leaf and the hashes beside its way up lead to (RFC 9162 §2.1.3.2).

    None if the path is not as long as that of this index in a tree of this size.
    """
    if not 0 <= index < size:
        return None
    at, last, found = index, size - 1, leaf
    for beside in path:
        if last == 0:
            return None
        if at & 1 or at == last:
            found = node_hash(beside, found)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            found = node_hash(found, beside)
        at, last = at >> 1, last >> 1
    return found if last == 0 else None


def grown_from(old_size: int, old_root: bytes, size: int, root: bytes, path: list[bytes]) -> bool:
    """Whether the larger tree begins with the smaller one (RFC 9162 §2.1.4.2)."""
    if not 0 < old_size <= size:
        return False
    if old_size == size:
        return old_root == root and not path
    if not path:
        return False
    rest = list(path)
    if old_size & (old_size - 1) == 0:
        rest.insert(0, old_root)
    at, last = old_size - 1, size - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    before = now = rest[0]
    for beside in rest[1:]:
        if last == 0:
            return False
        if at & 1 or at == last:
            before, now = node_hash(beside, before), node_hash(beside, now)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            now = node_hash(now, beside)
        at, last = at >> 1, last >> 1
    return last == 0 and before == old_root and now == root


# -- keys, notes and checkpoints, C2SP ---------------------------------------------------------


class Key(NamedTuple):
    """Whose signatures are believed. ``id`` is the short hash that a signature names it by."""

    name: str
    id: bytes
    kind: int
    public: bytes


def key_of(line: str) -> Key:
    """A key as its owner publishes it: ``name+hash+base64``."""
    name, _, rest = line.strip().partition("+")
    told, _, text = rest.partition("+")
    data = bytes_of(text)
    if not name or " " in name or len(data) != 33 or data[0] not in (ED25519, COSIGNATURE):
        raise Unreadable(f"公钥看不懂：{line.strip()[:60]}", f"This is no key: {line.strip()[:60]}")
    found = hashlib.sha256(name.encode(errors="replace") + b"\n" + data).digest()[:4]
    if told != found.hex():
        raise Unreadable(f"公钥与其校验码不符：{name}", f"The key does not fit its hash: {name}")
    return Key(name, found, data[0], data[1:])


class Checkpoint(NamedTuple):
    """What a log says of itself at one moment: so many entries, with this hash above them all."""

    origin: str
    size: int
    root: bytes
    body: bytes
    signatures: tuple[tuple[str, bytes, bytes], ...]
    """Name, id of the key, signature."""
    text: str
    """As it was read, with its signatures."""


def checkpoint_of(text: str) -> Checkpoint:
    body, blank, tail = text.rpartition("\n\n")
    lines = body.split("\n")
    signatures = [_signature_of(line) for line in tail.split("\n")[:-1]]
    if not blank or not tail.endswith("\n") or not 0 < len(signatures) <= MOST_SIGNATURES:
        raise Unreadable("检查点看不懂：没有签名", "This checkpoint has no signatures.")
    if len(lines) < 3 or not lines[0] or not re.fullmatch(r"0|[1-9][0-9]{0,18}", lines[1]):
        raise Unreadable("检查点看不懂：缺少名称、条数或根", "It lacks origin, size or root.")
    if not all(line.isprintable() for line in lines):
        raise Unreadable("检查点里有控制字符", "There are control characters in it.")
    root = bytes_of(lines[2])
    if len(root) != HASH_BYTES:
        raise Unreadable("检查点的根长度不对", "The root of the checkpoint has a wrong length.")
    return Checkpoint(lines[0], int(lines[1]), root, f"{body}\n".encode(), tuple(signatures), text)


def _signature_of(line: str) -> tuple[str, bytes, bytes]:
    found = re.fullmatch(r"— ([^\s+]+) (\S+)", line)
    if found is None:
        raise Unreadable("签名行看不懂", "A line of signatures cannot be read.")
    data = bytes_of(found[2])
    return found[1], data[:4], data[4:]


def signers(checkpoint: Checkpoint, keys: Iterable[Key]) -> list[Key]:
    """Who of these has signed. Raises `Broken` if a signature of theirs is not one."""
    known = {(key.name, key.id): key for key in keys}
    found: list[Key] = []
    for name, id_, signature in checkpoint.signatures:
        key = known.get((name, id_))
        if key is None:
            continue
        if not _is_signed(checkpoint.body, key, signature):
            raise Broken(f"{name} 的签名是假的", f"The signature of {name} is not genuine.")
        if key not in found:
            found.append(key)
    return found


def _is_signed(body: bytes, key: Key, signature: bytes) -> bool:
    if key.kind == ED25519:
        return signed_by(key.public, body, signature)
    seconds = int.from_bytes(signature[:8], "big")
    said = b"cosignature/v1\ntime %d\n" % seconds + body
    return len(signature) == 72 and signed_by(key.public, said, signature[8:])


# -- proofs ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Entry:
    index: int
    stream: UUID
    version: int
    topic: str
    state: bytes
    path: list[bytes]


class Proof(NamedTuple):
    checkpoint: Checkpoint
    entries: list[Entry]
    before: Checkpoint | None
    """An earlier checkpoint that the proof itself brings, with the hashes that join the two."""
    joined: list[bytes]


def proof_of(data: bytes) -> Proof:
    """Raises `Unreadable`: each field must be there, be of its kind, and be written in one way."""
    if len(data) > MOST_BYTES:
        raise Unreadable("文件太大", "The file is too large.")
    try:
        found = json.loads(data.decode(), object_pairs_hook=_once, parse_constant=_once)
    except (ValueError, RecursionError) as problem:
        raise Unreadable("不是 JSON 文件", "This is no JSON file.") from problem
    fields = _fields(found, format=str, origin=str, checkpoint=str, entries=list)
    if fields["format"] != FORMAT:
        raise Unreadable("不是本系统的证明", f"This is no {FORMAT}.")
    checkpoint = checkpoint_of(fields["checkpoint"])
    if fields["origin"] != checkpoint.origin:
        raise Broken("证明与检查点说的不是同一本账", "Proof and checkpoint are of different logs.")
    if not fields["entries"]:
        raise Unreadable("证明里没有记录", "There are no facts in this proof.")
    before, joined = None, []
    if found.get("consistency") is not None:
        earlier = _fields(found["consistency"], checkpoint=str, path=list)
        before, joined = checkpoint_of(earlier["checkpoint"]), _path(earlier["path"])
    return Proof(checkpoint, [_entry(one) for one in fields["entries"]], before, joined)


def _entry(found: Any) -> Entry:
    named = _fields(found, index=int, stream=str, version=int, topic=str, state=str, path=list)
    try:
        stream = UUID(named["stream"])
    except ValueError:
        stream = UUID(int=0)
    if str(stream) != named["stream"]:
        raise Unreadable("记录的编号看不懂", "The stream of a fact cannot be read.")
    if not (0 <= named["index"] < 2**63 and 0 < named["version"] < 2**32):
        raise Unreadable("记录的序号超出范围", "An index or a version is out of range.")
    if not named["topic"].isprintable() or not 0 < len(named["topic"].encode()) < 2**16:
        raise Unreadable("记录的种类看不懂", "The topic of a fact cannot be read.")
    return Entry(
        named["index"],
        stream,
        named["version"],
        named["topic"],
        bytes_of(named["state"]),
        _path(named["path"]),
    )


def _path(found: list[Any]) -> list[bytes]:
    path = [bytes_of(one) if isinstance(one, str) else b"" for one in found]
    if len(path) > 2 * LONGEST_PATH or any(len(one) != HASH_BYTES for one in path):
        raise Unreadable("路径看不懂", "A path of hashes cannot be read.")
    return path


def _fields(found: Any, **kinds: type) -> dict[str, Any]:
    if not isinstance(found, dict):
        raise Unreadable("缺少一部分", "A part is missing.")
    for name, kind in kinds.items():
        if type(found.get(name)) is not kind:
            raise Unreadable(f"缺少或看不懂：{name}", f"Missing or of another kind: {name}")
    return found


def _once(pairs: Any) -> dict[str, Any]:
    """Of the pairs of an object; a constant (NaN) comes as text, and is not taken either."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name twice")
    return found


def bytes_of(text: str) -> bytes:
    """Of several ways to write the same bytes only one is taken."""
    try:
        found = base64.b64decode(text, validate=True)
    except ValueError:
        found = b""
    if (not found and text) or base64.b64encode(found).decode() != text:
        raise Unreadable("编码看不懂", "Something is not in base64.")
    return found


def check(proof: Proof, keys: Iterable[Key], seen: Checkpoint | None = None) -> list[Key]:
    """Who has signed what the proof leads to. Raises `Broken`, or `Unreadable` of unknown keys."""
    signed = signers(proof.checkpoint, known := list(keys))
    if not any(key.kind == ED25519 and key.name == proof.checkpoint.origin for key in signed):
        raise Unreadable(
            f"没有“{proof.checkpoint.origin}”的公钥，无法核验",
            f"The key of {proof.checkpoint.origin} is not known: it cannot be checked.",
        )
    for entry in proof.entries:
        _check_entry(entry, proof.checkpoint)
    if proof.before is not None:
        _check_growth(proof.before, proof, known)
    if seen is not None:
        _check_seen(seen, proof, known)
    return signed


def _check_entry(entry: Entry, checkpoint: Checkpoint) -> None:
    position = entry.index + 1
    leaf = leaf_hash(
        entry_of(entry.stream.bytes, entry.version, entry.topic, entry.state, position)
    )
    if root_from(leaf, entry.index, checkpoint.size, entry.path) != checkpoint.root:
        raise Broken(
            f"第 {position} 条记录与检查点不符：内容或次序被改过",
            f"Fact {position} is not in this log as it is shown: it, or its place, was changed.",
        )


def _check_growth(before: Checkpoint, proof: Proof, keys: list[Key]) -> None:
    now = proof.checkpoint
    if before.origin != now.origin or not any(
        key.name == before.origin for key in signers(before, keys)
    ):
        raise Broken("先前的检查点不属于这本账", "The earlier checkpoint is not of this log.")
    if not grown_from(before.size, before.root, now.size, now.root, proof.joined):
        raise Broken(
            "两个检查点不是同一本账：中间有记录被改过或删除",
            "The two checkpoints are of different histories: facts were changed or removed.",
        )


def _check_seen(seen: Checkpoint, proof: Proof, keys: list[Key]) -> None:
    """The checkpoint that somebody kept: the same as one of the two that the proof joins."""
    if not any(key.name == seen.origin for key in signers(seen, keys)):
        raise Unreadable(
            "保存的检查点没有可信签名", "The kept checkpoint is signed by nobody known."
        )
    told = [one for one in (proof.checkpoint, proof.before) if one is not None]
    if any((one.origin, one.size) == (seen.origin, seen.size) for one in told):
        if not any((one.size, one.root) == (seen.size, seen.root) for one in told):
            raise Broken(
                "与您保存的检查点不符：账本被改写过",
                "It is not the history that you kept a checkpoint of: the log was rewritten.",
            )
        return
    raise Unreadable(
        f"证明没有与您保存的检查点（{seen.size} 条）相连，请要求另出一份",
        f"The proof is not joined to the checkpoint that you kept ({seen.size}): ask for another.",
    )


# -- the command -------------------------------------------------------------------------------


def _keys(given: Iterable[str], kind: int) -> Iterator[Key]:
    for one in given:
        lines = (
            [one]
            if "+" in one and not Path(one).exists()
            else _bytes(one).decode(errors="replace").splitlines()
        )
        for line in lines:
            if line.strip() and not line.startswith("#") and (key := key_of(line)).kind == kind:
                yield key


def _bytes(path: str) -> bytes:
    try:
        with Path(path).open("rb") as file:
            return file.read(MOST_BYTES + 1)
    except OSError as problem:
        raise Unreadable(f"打不开文件：{path}", f"This file cannot be opened: {path}") from problem


def main(words: list[str] | None = None, say: Callable[[str], object] = print) -> int:
    """The exit code: 0 holds, 1 does not, 2 unreadable or unknown key, 3 holds, unwitnessed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("proof", help="证明文件 · the proof")
    parser.add_argument("--key", action="append", default=[], help="账本公钥 · the log's key")
    parser.add_argument("--witness", action="append", default=[], help="见证公钥 · a witness's key")
    parser.add_argument("--seen", help="您保存的检查点 · a checkpoint that you kept")
    told = parser.parse_args(words)
    try:
        keys = [*_keys(told.key, ED25519), *_keys(told.witness, COSIGNATURE)]
        proof = proof_of(_bytes(told.proof))
        seen = checkpoint_of(_bytes(told.seen).decode(errors="replace")) if told.seen else None
        signed = check(proof, keys, seen)
    except Broken as broken:
        say(f"不成立：{broken.zh}\nDoes not hold: {broken.en}")
        return BROKEN
    except Unreadable as problem:
        say(f"无法核验：{problem.zh}\nCannot be checked: {problem.en}")
        return UNREADABLE
    _tell(proof, say)
    watching = [key.name for key in signed if key.kind == COSIGNATURE]
    if not watching:
        say("成立，但没有见证机构签名。\nHolds, but no witness has signed.")
        return UNWITNESSED
    say(f"成立，见证：{'、'.join(watching)}\nHolds, witnessed by {', '.join(watching)}.")
    return HOLDS


def _tell(proof: Proof, say: Callable[[str], object]) -> None:
    say(f"账本 · log: {proof.checkpoint.origin}（{proof.checkpoint.size} 条 · facts）")
    for entry in proof.entries:
        say(f"  第 {entry.index + 1} 条 · fact {entry.index + 1}: {entry.topic}")


if __name__ == "__main__":
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a console that lacks Chinese: the code decides
    sys.exit(main())
