"""The vault's master key: a file of 32 random bytes that only its owner reads."""

import hashlib
import os
from contextlib import suppress
from pathlib import Path

from eventstore.errors import KeyMissing, StoreDamaged
from eventstore.modes import private_folder
from eventstore.randomness import random_uuid

KEY_BYTES = 32
FINGERPRINT_BYTES = 8
"""Of the SHA-256 that are told: two keys are told apart, and nothing is learned of either."""


def read_key(path: Path) -> bytes:
    """The master key of a key file. Raises `KeyMissing`, `StoreDamaged` when it cannot be one."""
    try:
        key = path.read_bytes()
    except FileNotFoundError as problem:
        raise KeyMissing(str(path)) from problem
    if len(key) != KEY_BYTES:
        raise StoreDamaged(f"{path.name}: {len(key)} bytes, {KEY_BYTES} expected")
    return key


def write_key(path: Path, key: bytes) -> bytes:
    """Put a key file in place, whole or not at all; the key that is there in the end.

    That is another process's if one was quicker: one key for all.
    """
    private_folder(path.parent)
    new = path.with_name(f".{path.name}.{random_uuid().hex}")
    handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(key)
        file.flush()
        os.fsync(file.fileno())
    with suppress(FileExistsError):
        os.link(new, path)
    new.unlink()
    return read_key(path)


def fingerprint(path: Path) -> str:
    """What a key is known by: `1f2e 3d4c …`. Raises what `read_key` raises."""
    return hashlib.sha256(read_key(path)).digest()[:FINGERPRINT_BYTES].hex(" ", 2)
