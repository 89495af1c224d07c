"""Checkpoints: what the log says of itself at one moment, signed (C2SP signed-note, Ed25519).

A checkpoint names the log, how many facts it has, and the root of the tree over them. Whoever
keeps one elsewhere notices later if anything before it was changed, and two who compare theirs
notice if they were shown different logs.

The key is made of one of the vault's secrets: it lies under the master key and goes with backups.
"""

import base64
import hashlib
import re
from datetime import datetime
from typing import Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from domain.rules.base import CHINA
from eventstore.lineage import epoch_of
from eventstore.store import Store
from eventstore.vault import Vault

SECRET: Final = "checkpoint-key-0001"  # noqa: S105 - the name of it
ED25519: Final = b"\x01"
ID_BYTES: Final = 4


def origin_of(store: Store) -> str:
    """How this log is called in its checkpoints: its birth mark and its epoch; a store that is not
    for real business says so."""
    kind = ("/simulated" if store.simulated else "") + ("/exercise" if store.training else "")
    return f"relief-ledger/{store.log.mark('born')}/{epoch_of(store.log)}{kind}"


class SigningKey:
    """The store's key, under the name of its log."""

    def __init__(self, vault: Vault, origin: str) -> None:
        info = b"relief checkpoint key"
        seed = HKDF(hashes.SHA256(), 32, salt=None, info=info).derive(vault.secret(SECRET))
        self.origin = origin
        self._private = Ed25519PrivateKey.from_private_bytes(seed)
        self._public = ED25519 + self._private.public_key().public_bytes_raw()
        self._id = hashlib.sha256(f"{origin}\n".encode() + self._public).digest()[:ID_BYTES]

    @property
    def published(self) -> str:
        """The public part as others are given it: ``name+hash+key``."""
        return f"{self.origin}+{self._id.hex()}+{_text(self._public)}"

    def signed(
        self, size: int, root: bytes, at: datetime, readings: tuple[int, bytes] | None = None
    ) -> str:
        """The checkpoint of a tree of ``size`` facts. ``at``: when it is made, in China time
        beside it, for people. ``readings``: how many are noted, and the last link of their
        chain."""
        made = at.astimezone(CHINA).isoformat(timespec="seconds")
        body = f"{self.origin}\n{size}\n{_text(root)}\nmade {made}\n"
        if readings is not None:
            body += f"readings {readings[0]} {_text(readings[1])}\n"
        signature = self._private.sign(body.encode())
        return f"{body}\n— {self.origin} {_text(self._id + signature)}\n"


READINGS = re.compile(r"^readings (0|[1-9][0-9]{0,18}) ([A-Za-z0-9+/]{43}=)$", re.MULTILINE)


def readings_said(checkpoint: str) -> tuple[int, bytes] | None:
    """What a checkpoint says of the readings: how many, and the last link of their chain."""
    found = READINGS.search(checkpoint.rpartition("\n\n")[0])
    return None if found is None else (int(found[1]), base64.b64decode(found[2]))


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()
