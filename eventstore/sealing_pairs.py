"""The store's sealing pair: what a phone keeps for the store it seals with the public part.

P-256, made with the vault. What its private part is made of is one of the vault's secrets: it lies
under the master key, is wrapped anew with it, and goes with backups and copies. Each exchange of
the master key begins another pair; the private parts of earlier ones stay, for what was sealed with
them before is still to be opened. A pair is known by its key id, a hash of the public part.
"""

import hashlib
from functools import cached_property
from typing import TYPE_CHECKING, Final

import msgspec
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from eventstore.keyfile import FINGERPRINT_BYTES
from eventstore.sql import Sql
from eventstore.url_text import text_of

if TYPE_CHECKING:
    from eventstore.vault import Vault

PREFIX: Final = "sealing-pair-"
FIRST_PAIR: Final = f"{PREFIX}0001"
ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""Of the curve: private keys are the numbers from 1 to one less."""
WIDE: Final = 64
"""Bytes taken for a number below `ORDER`: so many more that none is likelier than another."""


class PublicKey(msgspec.Struct, frozen=True):
    """The public part as a JSON Web Key, with the fingerprint that people compare."""

    kid: str
    x: str
    y: str
    fingerprint: str
    kty: str = "EC"
    crv: str = "P-256"
    use: str = "enc"


class SealingPair:
    """One pair. ``name``: that of the secret it is made of."""

    def __init__(self, name: str, secret: bytes) -> None:
        self.name = name
        made = HKDF(hashes.SHA256(), WIDE, salt=None, info=b"relief sealing pair").derive(secret)
        number = int.from_bytes(made, "big") % (ORDER - 1) + 1
        self.private = ec.derive_private_key(number, ec.SECP256R1())

    @cached_property
    def _digest(self) -> bytes:
        point = self.private.public_key().public_bytes(
            Encoding.X962, PublicFormat.UncompressedPoint
        )
        return hashlib.sha256(point).digest()[:FINGERPRINT_BYTES]

    @property
    def id(self) -> str:
        return self._digest.hex()

    @property
    def fingerprint(self) -> str:
        """As people compare it: `1f2e 3d4c …`."""
        return self._digest.hex(" ", 2)

    @property
    def public(self) -> PublicKey:
        numbers = self.private.public_key().public_numbers()
        return PublicKey(self.id, _coordinate(numbers.x), _coordinate(numbers.y), self.fingerprint)


def sealing_pair(vault: "Vault") -> SealingPair:
    """The pair that phones seal with today."""
    return sealing_pairs(vault)[-1]


def sealing_pairs(vault: "Vault") -> list[SealingPair]:
    """All of the store's pairs, the first one first."""
    sql = f"SELECT name FROM secrets WHERE name LIKE '{PREFIX}%' ORDER BY name"  # noqa: S608
    names = [name for (name,) in vault.fetch(sql)] or [FIRST_PAIR]
    return [SealingPair(name, vault.secret(name)) for name in names]


def name_of_next(db: Sql) -> str:
    """Under which name the secret of the next pair goes."""
    sql = f"SELECT max(name) FROM secrets WHERE name LIKE '{PREFIX}%'"  # noqa: S608
    (last,) = db.execute(sql).fetchone()
    return f"{PREFIX}{int((last or f'{PREFIX}0').removeprefix(PREFIX)) + 1:04d}"


def _coordinate(number: int) -> str:
    return text_of(number.to_bytes(32, "big"))
