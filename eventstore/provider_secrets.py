"""What a log-in over an identity provider needs of the vault: a keyed hash, and sealed notes.

A note is what a browser carries between two steps and must neither read nor change: sealed under a
secret of the vault, good for some minutes, for one purpose. Every process of the store opens it.
"""

import hashlib
import hmac
import os
from functools import cached_property
from typing import Any, TypeVar

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from eventstore.url_text import bytes_of, text_of
from eventstore.vault import Vault

N = TypeVar("N", bound=msgspec.Struct)

SUBJECTS = "provider-subjects"
NOTES = "provider-notes"
NONCE_BYTES = 12
LONGEST_NOTE = 4096
"""Characters: a browser keeps no longer cookie."""


class _Sealed(msgspec.Struct):
    until: float
    note: Any


class ProviderSecrets:
    """Of one store's vault. Time is the machine's guarded clock."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    @cached_property
    def _subjects(self) -> bytes:
        return self._vault.secret(SUBJECTS)

    @cached_property
    def _notes(self) -> AESGCM:
        return AESGCM(self._vault.secret(NOTES))

    def subject(self, provider: str, subject: str) -> str:
        """The keyed hash of an account at a provider, in hexadecimal."""
        text = msgspec.json.encode((provider, subject))
        return hmac.new(self._subjects, text, hashlib.sha256).hexdigest()

    def seal(self, note: msgspec.Struct, seconds: float) -> str:
        """The note as a browser may carry it; nobody opens it after so many seconds."""
        nonce = os.urandom(NONCE_BYTES)
        text = msgspec.json.encode(_Sealed(self._vault.seconds() + seconds, note))
        box = nonce + self._notes.encrypt(nonce, text, _bound_to(type(note)))
        return text_of(box)

    def opened(self, kind: type[N], text: str) -> N | None:
        """The note, if it was sealed here as one of this kind and its time is not over."""
        if not text or len(text) > LONGEST_NOTE:
            return None
        try:
            box = bytes_of(text)
            plain = self._notes.decrypt(box[:NONCE_BYTES], box[NONCE_BYTES:], _bound_to(kind))
            found = msgspec.json.decode(plain, type=_Sealed)
            note = msgspec.convert(found.note, kind)
        except (ValueError, InvalidTag, msgspec.MsgspecError):
            return None
        return note if found.until >= self._vault.seconds() else None


def _bound_to(kind: type[msgspec.Struct]) -> bytes:
    """A note of one purpose is none of another."""
    return f"provider-note/{kind.__name__}".encode()
