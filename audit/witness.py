"""A witness: another office that signs what a log says of itself, if it only ever grows.

It knows the logs it watches by their keys, and of each the last checkpoint that it signed. A later
one is signed when it is shown to begin with that one; two different histories never are. What it
is asked is the body of C2SP tlog-witness's ``add-checkpoint``, over whatever way it comes, also on
a stick; what it signs is C2SP tlog-cosignature.
"""

import base64
import fcntl
import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit.relief_verify import (
    COSIGNATURE,
    ED25519,
    HASH_BYTES,
    LONGEST_PATH,
    Broken,
    Checkpoint,
    Key,
    Unreadable,
    bytes_of,
    checkpoint_of,
    grown_from,
    key_of,
    signers,
)

KEY, LOGS, SEEN = "witness.key", "logs.txt", "seen.json"
MOST_LOGS = 1_000
LONGEST_NAME = 100


class Refused(Exception):
    """It is not signed. Chinese and English words."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(f"{zh} · {en}")
        self.zh, self.en = zh, en


@dataclass(frozen=True)
class Request:
    """A checkpoint to be signed, and the hashes that join it to the one of ``old`` facts."""

    old: int
    path: list[bytes]
    checkpoint: Checkpoint


def request_text(old: int, path: list[str], checkpoint: str) -> str:
    """The body as it is written. ``path``: hashes in base64."""
    return "".join(f"{line}\n" for line in (f"old {old}", *path, "")) + checkpoint


def request_of(text: str) -> Request:
    """Raises `Unreadable`."""
    head, blank, note = text.partition("\n\n")
    first, *path = head.split("\n")
    size = first.removeprefix("old ")
    if not blank or not first.startswith("old ") or not size.isascii() or not size.isdigit():
        raise Unreadable("申请看不懂", "This is no request for a signature.")
    if len(path) > LONGEST_PATH or len(size) > len(str(2**63)):
        raise Unreadable("申请太长", "The request is too long.")
    hashes = [bytes_of(one) for one in path]
    if any(len(one) != HASH_BYTES for one in hashes):
        raise Unreadable("申请里的路径看不懂", "A path of hashes in the request cannot be read.")
    return Request(int(size), hashes, checkpoint_of(note))


class Witness:
    """What lies in one folder: key, known logs, and what was signed last of each."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        try:
            told = json.loads((folder / KEY).read_text(encoding="utf-8"))
            self.name = str(told["name"])
            self._private = Ed25519PrivateKey.from_private_bytes(base64.b64decode(told["seed"]))
        except FileNotFoundError:
            raise Refused(f"{folder} 里没有见证密钥", f"There is no witness in {folder}.") from None
        except (OSError, ValueError, KeyError, TypeError):
            raise Refused(
                f"{folder} 里的密钥读不出来", f"The key in {folder} is damaged."
            ) from None

    @classmethod
    def begin(cls, folder: Path, name: str) -> "Witness":
        """Make a key. Raises `Refused` where there is one, or of a name that signatures lack
        room for: they name who signed in one word without ``+``."""
        if not name or len(name) > LONGEST_NAME or any(s.isspace() or s in "+\0" for s in name):
            raise Refused(
                f"名称要在 {LONGEST_NAME} 字以内，不含空格和加号",
                f"The name has at most {LONGEST_NAME} signs, without spaces and plus signs.",
            )
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        seed = Ed25519PrivateKey.generate().private_bytes_raw()
        body = json.dumps({"name": name, "seed": base64.b64encode(seed).decode()})
        try:
            file = os.open(folder / KEY, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            raise Refused(f"{folder} 里已有见证密钥", f"There is a witness in {folder}.") from None
        with os.fdopen(file, "w", encoding="utf-8") as opened:
            opened.write(body)
            opened.flush()
            os.fsync(opened.fileno())
        made = cls(folder)
        made._keep({})
        return made

    @property
    def _key(self) -> bytes:
        return bytes([COSIGNATURE]) + self._private.public_key().public_bytes_raw()

    @property
    def _id(self) -> bytes:
        return hashlib.sha256(self.name.encode() + b"\n" + self._key).digest()[:4]

    @property
    def published(self) -> str:
        """The line by which others know its signatures."""
        return f"{self.name}+{self._id.hex()}+{base64.b64encode(self._key).decode()}"

    # -- which logs ---------------------------------------------------------------------------

    def logs(self) -> list[Key]:
        try:
            lines = (self.folder / LOGS).read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return []
        return [key_of(line) for line in lines if line]

    def trust(self, line: str) -> Key:
        """Watch the log of this key from now on. Raises `Unreadable`, or `Refused` of a key that is
        a witness's, and when there are as many as may be."""
        key = key_of(line)
        if key.kind != ED25519:
            raise Refused(
                f"{key.name} 的公钥是见证单位的，不是账本的",
                f"The key of {key.name} is that of a witness and not of a log.",
            )
        with self._alone():
            known = self.logs()
            if key in known:
                return key
            if len(known) >= MOST_LOGS:
                raise Refused(
                    f"最多见证 {MOST_LOGS} 本账", f"{MOST_LOGS} logs are watched at most."
                )
            text = (self.folder / LOGS).read_text(encoding="utf-8") if known else ""
            self._put(LOGS, f"{text}{line.strip()}\n")
        return key

    # -- signing ------------------------------------------------------------------------------

    def sign(self, request: Request, at: datetime) -> str:
        """The checkpoint with the witness's signature below the others. Raises `Refused`,
        `Broken` or `Unreadable`.

        What was signed is durable before anybody gets the signature: a witness that has forgotten
        would sign a second history. What was signed last is signed again whatever it is joined to:
        its signature may have been lost on the way.
        """
        told = request.checkpoint
        if not any(key.name == told.origin for key in signers(told, self.logs())):
            raise Refused(f"不认识这本账：{told.origin}", f"This log is not known: {told.origin}")
        with self._alone():
            seen = self._seen()
            size, root = seen.get(told.origin, (0, b""))
            is_joined = request.old == size
            if not is_joined and (told.size, told.root) != (size, root):
                raise Refused(
                    f"上次见证到第 {size} 条，请从那份检查点接起",
                    f"The last checkpoint signed had {size} facts: join this one to it.",
                )
            if (
                is_joined
                and size
                and not grown_from(size, root, told.size, told.root, request.path)
            ):
                raise Broken(
                    f"与上次见证的检查点（{size} 条）不是同一本账：账本被改写过",
                    f"It is not the history signed before ({size} facts): the log was rewritten.",
                )
            seen[told.origin] = (told.size, told.root)
            self._keep(seen)
        return told.text + self._line(told.body, int(at.timestamp()))

    def _line(self, body: bytes, seconds: int) -> str:
        signature = self._private.sign(b"cosignature/v1\ntime %d\n" % seconds + body)
        data = self._id + seconds.to_bytes(8, "big") + signature
        return f"— {self.name} {base64.b64encode(data).decode()}\n"

    def _seen(self) -> dict[str, tuple[int, bytes]]:
        try:
            told = json.loads((self.folder / SEEN).read_text(encoding="utf-8"))
            return {name: (int(size), bytes.fromhex(root)) for name, (size, root) in told.items()}
        except (OSError, ValueError, TypeError, AttributeError):
            raise Refused(
                f"{SEEN} 读不出来：不知道上次见证到哪里，不能再签",
                f"{SEEN} is lost or damaged: without knowing what was signed nothing more is.",
            ) from None

    def _keep(self, seen: dict[str, tuple[int, bytes]]) -> None:
        told = {name: [size, root.hex()] for name, (size, root) in seen.items()}
        self._put(SEEN, json.dumps(told, ensure_ascii=False, indent=1))

    def _put(self, name: str, text: str) -> None:
        """Write a file whole or not at all."""
        new = self.folder / f"{name}.new"
        with new.open("w", encoding="utf-8") as opened:
            opened.write(text)
            opened.flush()
            os.fsync(opened.fileno())
        new.replace(self.folder / name)
        folder = os.open(self.folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Two runs at once would each sign what the other does not know of."""
        with (self.folder / "lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield
