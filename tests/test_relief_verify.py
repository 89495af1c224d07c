"""The one file that strangers check proofs with, on a bare interpreter."""

import base64
import hashlib
import json
import random
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import given, settings
from hypothesis import strategies as st

from audit import relief_verify
from audit.relief_verify import (
    BROKEN,
    FORMAT,
    HOLDS,
    UNREADABLE,
    UNWITNESSED,
    L,
    Unreadable,
    checkpoint_of,
    key_of,
    signed_by,
)
from eventstore.checkpoints import SigningKey
from eventstore.merkle import Growing, consistency, entry_of, inclusion, leaf_hash, node_hash
from eventstore.vault import SQLiteVault
from tests.eventstore.support import ROOT

FILE = ROOT / "audit" / "relief_verify.py"
ORIGIN = "relief-ledger/0123/1"
PUBLISHED = (
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701c"
        "f9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0"
        "f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f76098"
        "4dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
)
"""RFC 8032 §7.1, tests 1 to 3: key, message, signature."""


@pytest.mark.parametrize(("key", "message", "signature"), PUBLISHED)
def test_published_signatures_are_genuine(key: str, message: str, signature: str) -> None:
    told = bytes.fromhex(key), bytes.fromhex(message), bytes.fromhex(signature)
    assert signed_by(*told)
    assert not signed_by(told[0], told[1] + b"!", told[2])


@settings(max_examples=60)
@given(st.binary(min_size=32, max_size=32), st.binary(max_size=80), st.integers(0, 511))
def test_signatures_are_judged_as_the_library_judges_them(
    seed: bytes, message: bytes, bit: int
) -> None:
    private = Ed25519PrivateKey.from_private_bytes(seed)
    public, signature = private.public_key().public_bytes_raw(), private.sign(message)
    assert signed_by(public, message, signature)
    changed = (int.from_bytes(signature, "big") ^ 1 << bit).to_bytes(64, "big")
    assert not signed_by(public, message, changed)
    assert not signed_by(public[::-1], message, signature)
    beyond = (int.from_bytes(signature[32:], "little") + L).to_bytes(32, "little")
    for other in (changed, signature[:32] + beyond):  # the same sum, written in a second way
        with pytest.raises(InvalidSignature):
            Ed25519PublicKey.from_public_bytes(public).verify(other, message)
    assert not signed_by(public, message, signature[:32] + beyond)


@pytest.mark.parametrize("key", [b"", b"\xff" * 32, (2).to_bytes(32, "little"), b"\0" * 33])
def test_a_key_that_is_no_point_has_signed_nothing(key: bytes) -> None:
    assert not signed_by(key, b"", bytes.fromhex(PUBLISHED[0][2]))


def test_a_published_note_is_read() -> None:
    """The example of C2SP signed-note."""
    peter = key_of("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")
    text = (
        "If you think cryptography is the answer to your problem,\n"
        "then you don't know what your problem is.\n"
    )
    signature = base64.b64decode(
        "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="
    )
    assert signature[:4] == peter.id
    assert signed_by(peter.public, text.encode(), signature[4:])


# -- whole proofs ------------------------------------------------------------------------------


class Signer:
    """A key of somebody, and what they sign."""

    def __init__(self, name: str, kind: int, number: int) -> None:
        self.name, self.kind = name, kind
        self.private = Ed25519PrivateKey.from_private_bytes(number.to_bytes(32, "big"))
        self.data = bytes([kind]) + self.private.public_key().public_bytes_raw()
        self.id = hashlib.sha256(f"{name}\n".encode() + self.data).digest()[:4]

    @property
    def published(self) -> str:
        return f"{self.name}+{self.id.hex()}+{text(self.data)}"

    def line(self, body: str, at: int = 1_700_000_000) -> str:
        if self.kind == relief_verify.ED25519:
            signature = self.private.sign(body.encode())
        else:
            signature = at.to_bytes(8, "big") + self.private.sign(
                f"cosignature/v1\ntime {at}\n{body}".encode()
            )
        return f"— {self.name} {text(self.id + signature)}\n"


def text(data: bytes) -> str:
    return base64.b64encode(data).decode()


OURS = Signer(ORIGIN, 1, 1)
OTHERS = Signer(ORIGIN, 1, 2)
WITNESS = Signer("安庆市审计局", 4, 3)
SIZE, OLD = 41, 23
SHOWN = (0, 17, 40)


def row(index: int) -> tuple[UUID, int, str, bytes]:
    return UUID(int=index + 1, version=4), index + 1, f"Case.第{index}步", b'{"n":%d}' % index


def leaves() -> list[bytes]:
    found = []
    for index in range(SIZE):
        stream, version, topic, state = row(index)
        found.append(leaf_hash(entry_of(index + 1, stream, version, topic, state)))
    return found


def whole(level: int, number: int) -> bytes:
    parts = leaves()[number << level : (number + 1) << level]
    while len(parts) > 1:
        parts = [node_hash(parts[n], parts[n + 1]) for n in range(0, len(parts), 2)]
    return parts[0]


def note(size: int, *signers: Signer) -> str:
    growing = Growing()
    for leaf in leaves()[:size]:
        growing.add(leaf)
    body = f"{ORIGIN}\n{size}\n{text(growing.root())}\n"
    return body + "\n" + "".join(one.line(body) for one in signers)


def made(*signers: Signer) -> dict[str, Any]:
    entries = []
    for index in SHOWN:
        stream, version, topic, state = row(index)
        entries.append(
            {
                "index": index,
                "stream": str(stream),
                "version": version,
                "topic": topic,
                "state": text(state),
                "path": [text(one) for one in inclusion(index, SIZE, whole)],
            }
        )
    return {
        "format": FORMAT,
        "origin": ORIGIN,
        "checkpoint": note(SIZE, *signers),
        "entries": entries,
        "consistency": {
            "checkpoint": note(OLD, *signers),
            "path": [text(one) for one in consistency(OLD, SIZE, whole)],
        },
        "says": {"zh": "…", "en": "…"},
    }


def verified(folder: Path, proof: Any, *words: str) -> int:
    file = folder / "proof.json"
    file.write_text(proof if isinstance(proof, str) else json.dumps(proof), encoding="utf-8")
    return relief_verify.main([str(file), *words], say=lambda _: None)


KEY = ("--key", OURS.published)
WATCHED = ("--witness", WITNESS.published)


def test_a_bare_interpreter_says_what_holds(tmp_path: Path) -> None:
    (tmp_path / "keys.txt").write_text(f"# 公钥\n{OURS.published}\n", encoding="utf-8")
    (tmp_path / "proof.json").write_text(json.dumps(made(OURS, WITNESS)), encoding="utf-8")
    (tmp_path / "seen").write_text(note(OLD, OURS), encoding="utf-8")
    (tmp_path / "verify.py").write_bytes(FILE.read_bytes())

    def run(*words: str) -> tuple[int, str]:
        bare = [sys.executable, "-I", "-S", "verify.py", "proof.json", *words]
        done = subprocess.run(bare, cwd=tmp_path, capture_output=True, text=True, timeout=120)
        assert not done.stderr, done.stderr
        return done.returncode, done.stdout

    code, said = run("--key", "keys.txt", *WATCHED, "--seen", "seen")
    assert code == HOLDS and "成立，见证：安庆市审计局" in said and "Holds, witnessed by" in said
    code, said = run("--key", "keys.txt")
    assert code == UNWITNESSED and "没有见证机构签名" in said
    code, said = run("--key", OTHERS.published)
    assert code == UNREADABLE and "没有“relief-ledger/0123/1”的公钥" in said
    changed = made(OURS)
    changed["entries"][1]["state"] = text(b'{"n":18}')
    (tmp_path / "proof.json").write_text(json.dumps(changed), encoding="utf-8")
    code, said = run("--key", "keys.txt")
    assert code == BROKEN and "第 18 条记录与检查点不符" in said and "Does not hold" in said


@pytest.mark.parametrize("encoding", ["cp1252", "ascii", "gbk"])
def test_a_console_without_chinese_signs_changes_no_exit_code(
    tmp_path: Path, encoding: str
) -> None:
    """Python ends with 1 when it cannot print: that would say that the proof does not hold."""
    (tmp_path / "proof.json").write_text(json.dumps(made(OURS, WITNESS)), encoding="utf-8")
    words = [sys.executable, "-S", FILE, "proof.json", *KEY, *WATCHED]
    here = {"PYTHONIOENCODING": encoding}
    done = subprocess.run(words, cwd=tmp_path, env=here, capture_output=True, timeout=120)
    assert done.returncode == HOLDS, done.stderr
    assert b"Holds, witnessed by" in done.stdout


def leaves_in(value: Any, way: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if isinstance(value, dict):
        pairs: list[tuple[Any, Any]] = list(value.items())
    elif isinstance(value, list):
        pairs = list(enumerate(value))
    else:
        return [way]
    return [
        found for name, one in pairs if name != "says" for found in leaves_in(one, (*way, name))
    ]


def mutated(proof: Any, way: tuple[Any, ...], chance: random.Random) -> Any:
    """A copy in which one value is another: a number, or one sign of a text."""
    copy = json.loads(json.dumps(proof))
    at = copy
    for name in way[:-1]:
        at = at[name]
    value = at[way[-1]]
    if isinstance(value, int):
        at[way[-1]] = value + chance.choice([-1, 1, 2, 64])
    else:
        n = chance.randrange(len(value))
        how = chance.choice(["change", "drop", "double"])
        sign = chance.choice([one for one in "AZaz09+/=\n —é" if one != value[n]])
        put = {"change": sign, "drop": "", "double": value[n] * 2}[how]
        at[way[-1]] = value[:n] + put + value[n + 1 :]
    return copy


def test_a_thousand_changed_proofs_do_not_hold(tmp_path: Path) -> None:
    """Whatever is changed, but for the words to people, which the file does not repeat."""
    proof = made(OURS)
    assert verified(tmp_path, proof, *KEY) == UNWITNESSED
    ways, chance = leaves_in(proof), random.Random(6962)
    held = []
    for n in range(1_000):
        way = ways[n % len(ways)]
        changed = mutated(proof, way, chance)
        if verified(tmp_path, changed, *KEY) not in (BROKEN, UNREADABLE):
            held.append((way, changed))
    assert not held, held[:3]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("format", "relief-proof/2"),
        ("entries", []),
        ("entries", None),
        ("checkpoint", ""),
        ("checkpoint", "a\n1\n"),
        ("origin", 5),
        ("consistency", []),
    ],
)
def test_what_is_not_there_cannot_be_read(tmp_path: Path, name: str, value: Any) -> None:
    assert verified(tmp_path, made(OURS) | {name: value}, *KEY) == UNREADABLE


@pytest.mark.parametrize("name", ["index", "version"])
@pytest.mark.parametrize("value", [True, 1.0, "1", None, -1, 2**64])
def test_a_number_is_a_number(tmp_path: Path, name: str, value: Any) -> None:
    proof = made(OURS)
    proof["entries"][0][name] = value
    assert verified(tmp_path, proof, *KEY) == UNREADABLE


@pytest.mark.parametrize("sign", ["\ud800", "\n", "\x1b", "\u2028"])
def test_signs_that_nobody_can_print_are_not_read(tmp_path: Path, sign: str) -> None:
    """A half sign ended the program with the code of a proof that does not hold; a new line in a
    topic could have said to people that a witness signed."""
    proof = made(OURS)
    proof["entries"][0]["topic"] += sign
    assert verified(tmp_path, proof, *KEY) == UNREADABLE
    proof = made(OURS)
    proof["checkpoint"] = proof["checkpoint"].replace("\n\n", f"\nmade{sign}\n\n", 1)
    assert verified(tmp_path, proof, *KEY) in (BROKEN, UNREADABLE)
    assert verified(tmp_path, made(OURS), "--key", f"{sign}{OURS.published}") in (
        UNREADABLE,
        UNWITNESSED,
    )


@pytest.mark.parametrize("said", ["", "{", "[]", '{"a":1,"a":2}', "[" * 100_000, '{"a":NaN}'])
def test_what_is_no_json_cannot_be_read(tmp_path: Path, said: str) -> None:
    assert verified(tmp_path, said, *KEY) == UNREADABLE


def test_a_file_as_large_as_allowed_is_read_and_a_larger_one_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    proof = json.dumps(made(OURS))
    monkeypatch.setattr(relief_verify, "MOST_BYTES", len(proof.encode()))
    assert verified(tmp_path, proof, *KEY) == UNWITNESSED
    assert verified(tmp_path, proof + " ", *KEY) == UNREADABLE


def test_a_checkpoint_that_was_kept_is_of_the_same_history(tmp_path: Path) -> None:
    seen = tmp_path / "seen"

    def with_seen(kept: str) -> int:
        seen.write_text(kept, encoding="utf-8")
        return verified(tmp_path, made(OURS), *KEY, "--seen", str(seen))

    assert with_seen(note(OLD, OURS)) == with_seen(note(SIZE, OURS)) == UNWITNESSED
    assert with_seen(note(OLD - 1, OURS)) == UNREADABLE, "it is not joined to that one"
    assert with_seen(note(OLD, OTHERS)) == UNREADABLE, "of somebody unknown"
    body = f"{ORIGIN}\n{OLD}\n{text(bytes(32))}\n"
    assert with_seen(f"{body}\n{OURS.line(body)}") == BROKEN, "signed by us, and another history"


@pytest.mark.parametrize(
    "line",
    [
        "",
        "name",
        "name+00000000",
        f"name+{'0' * 8}+{text(bytes(33))}",
        OURS.published.replace("+", "+0", 1),
        OURS.published[:-2],
        OURS.published.replace(ORIGIN, "other"),
    ],
)
def test_a_key_that_is_none_is_told(line: str) -> None:
    with pytest.raises(Unreadable):
        key_of(line)


@pytest.mark.parametrize("size", ["-1", "01", "1e3", "", "1" * 20, "１"])
def test_a_size_is_written_in_one_way(size: str) -> None:
    body = f"{ORIGIN}\n{size}\n{text(bytes(32))}\n"
    with pytest.raises(Unreadable):
        checkpoint_of(f"{body}\n{OURS.line(body)}")


def test_a_hundred_signatures_are_read_and_one_more_is_not() -> None:
    body = f"{ORIGIN}\n1\n{text(bytes(32))}\n"
    assert len(checkpoint_of(f"{body}\n{OURS.line(body) * 100}").signatures) == 100
    with pytest.raises(Unreadable):
        checkpoint_of(f"{body}\n{OURS.line(body) * 101}")


def test_the_store_s_own_key_is_believed(tmp_path: Path) -> None:
    """What the store signs is read by the file, under the line that it publishes."""
    vault = SQLiteVault(tmp_path / "vault.sqlite")
    try:
        key = SigningKey(vault, ORIGIN)
        signed = checkpoint_of(key.signed(7, bytes(32), datetime(2018, 1, 5, tzinfo=UTC)))
    finally:
        vault.close()
    assert relief_verify.signers(signed, [key_of(key.published)])
    assert (signed.origin, signed.size, signed.root) == (ORIGIN, 7, bytes(32))
    assert b"\nmade 2018-01-05T08:00:00+08:00\n" in signed.body
