"""Who made a frame, and of which log: the seal that frames carry (decision 0021).

Whoever reaches the broker can send what looks like a frame. So a frame names the lineage of its
log, and carries an HMAC over its headers and value. Its key is made of a secret of the vault and
the lineage; a process that has the vault keeps it among the log's marks, which only those may
read who add facts, make frames or fold them. Where relay and workers have the secret of the seals
of facts (`eventstore.sieve`), it is made of that instead. A frame that is not sealed with it is not
believed, but read from the log.
"""

import hmac
from collections.abc import Iterable, Mapping
from typing import NamedTuple, Self

from eventstore.errors import StoreError
from eventstore.log import Log
from eventstore.store import FRAMES_KEY_MARK, Store

SECRET = "frames"  # noqa: S105 - the name of a secret
FRAMES_OF_SEALED = b"relief-frames/1"
MAC, LINEAGE = "mac", "lineage"

Headers = list[tuple[str, bytes]]


class FramesUnsealed(StoreError):
    """The relay waits; workers read the log meanwhile."""

    zh = "消息密钥尚未生成：请启动至少一个 API 进程；看板暂由账本直接更新"
    en = (
        "There is no key to seal frames with yet: start an API process. Until then the boards are"
        " brought on from the log."
    )


class Seal(NamedTuple):
    """The key of the frames of one log's history."""

    lineage: str
    key: bytes

    @classmethod
    def made(cls, lineage: str, secret: bytes) -> Self:
        return cls(lineage, hmac.digest(secret, lineage.encode(), "sha256"))

    def on(self, value: bytes, headers: Headers) -> Headers:
        """These headers of a frame with this value, and those that seal it."""
        named = [*headers, (LINEAGE, self.lineage.encode())]
        return [*named, (MAC, self._mac(value, named))]

    def holds(self, value: bytes, headers: Mapping[str, bytes]) -> bool:
        """Whether the frame is of this log, and as it was sealed."""
        if headers.get(LINEAGE) != self.lineage.encode():
            return False
        named = [(name, said) for name, said in headers.items() if name != MAC]
        return hmac.compare_digest(self._mac(value, named), headers.get(MAC, b""))

    def _mac(self, value: bytes, headers: Iterable[tuple[str, bytes]]) -> bytes:
        """Each part with its length before it, so that none can be taken for another."""
        mac = hmac.new(self.key, digestmod="sha256")
        for name, said in sorted(headers):
            for part in (name.encode(), said):
                mac.update(b"%d:" % len(part))
                mac.update(part)
        mac.update(value)
        return mac.digest()


def seal_of(log: Log, secret: bytes | None = None) -> Seal | None:
    """The seal of this log's frames as it is now; None while no process with a vault made one.

    ``secret``: that of the seals of facts, where this process has it. Then the frames' key is made
    of that, and whoever has only the database cannot seal frames.
    """
    if secret is not None:
        return Seal.made(log.lineage(), hmac.digest(secret, FRAMES_OF_SEALED, "sha256"))
    lineage, _, key = (log.mark(FRAMES_KEY_MARK) or "").rpartition(" ")
    return Seal(lineage, bytes.fromhex(key)) if key and lineage == log.lineage() else None


def keep_seal(log: Log, secret: bytes) -> None:
    """Keep the seal of the log's present lineage at hand for relay and workers."""
    if seal_of(log) is None:
        seal = Seal.made(log.lineage(), secret)
        log.set_mark(FRAMES_KEY_MARK, f"{seal.lineage} {seal.key.hex()}")


def seal_frames(store: Store) -> None:
    """`keep_seal`, by a process that has the vault. Raises a `StoreError`."""
    if seal_of(store.log) is None:
        keep_seal(store.log, store.vault.secret(SECRET))
