"""What the master key of ``vault.key`` protects: the persons' keys and the vault's secrets."""

from pathlib import Path
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from domain.world import Sealed
from eventstore.errors import KeyForeign, StoreDamaged
from eventstore.keyfile import read_key
from eventstore.randomness import random_bytes
from eventstore.sql import Sql

NONCE_BYTES = 12


class Wrapping:
    """Keys under the master key, each bound to what it belongs to (a person, a name)."""

    def __init__(self, master: bytes) -> None:
        self._master = AESGCM(master)

    def wrap(self, key: bytes, bound_to: bytes) -> bytes:
        nonce = random_bytes(NONCE_BYTES)
        return nonce + self._master.encrypt(nonce, key, bound_to)

    def unwrap(self, wrapped: bytes, bound_to: bytes) -> bytes:
        """Raises `StoreDamaged` when it was wrapped under another master key."""
        try:
            return self._master.decrypt(wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], bound_to)
        except InvalidTag as problem:
            raise StoreDamaged("vault.key does not belong to this vault") from problem


def opened(cipher: AESGCM, sealed: Sealed, stream: UUID, field: str) -> str:
    """The text of a sealed field. Raises `StoreDamaged` when it was bound to another place."""
    nonce, box = sealed.box[:NONCE_BYTES], sealed.box[NONCE_BYTES:]
    try:
        return cipher.decrypt(nonce, box, stream.bytes + field.encode()).decode()
    except InvalidTag as problem:
        raise StoreDamaged(f"a sealed {field} does not belong to {stream}") from problem


def check_key(db: Sql, path: Path) -> None:
    """That this key file opens this vault. Raises `KeyMissing`, `KeyForeign`."""
    master = Wrapping(read_key(path))
    for name, wrapped in db.execute("SELECT name, value FROM secrets"):
        try:
            master.unwrap(wrapped, name.encode())
        except StoreDamaged as problem:
            raise KeyForeign(str(path)) from problem
