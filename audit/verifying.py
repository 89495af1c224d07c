"""Reading a whole log again, row by row, and telling where it was changed.

Like all of this room it imports nothing of the program that wrote the log. It needs memory for some
hashes only, however long the log is.
"""

import struct
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import msgspec

from audit.relief_verify import Checkpoint, entry_of, leaf_hash, node_hash

EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
"""The root over no facts."""


class Bad(NamedTuple):
    """The first thing that is wrong: at a position, or somewhere from one position to another."""

    position: int | None
    between: tuple[int, int] | None
    what: str
    """One of `WHAT`."""


WHAT = {
    "gap": ("缺少记录", "A fact is missing."),
    "readings": ("查阅记录被改", "The record of who read what was changed."),
    "order": ("记录的次序不对", "A fact is out of order."),
    "unreadable": ("记录读不出来", "A fact cannot be read."),
    "other": ("记录与它所在的编号不符", "A fact lies in the place of another one."),
    "time": ("记录的时间早于前一条", "A fact is recorded before the one before it."),
    "version": ("同一件事的记录次序不连续", "The facts of one stream do not follow each other."),
    "outcome": ("记录没有对应的办理结果", "Nobody's command has made this fact."),
    "unsealed": (
        "记录不是经程序写入的（没有封印）",
        "The program has not written this fact: it has no seal.",
    ),
    "seal": (
        "记录与写入时的封印不符",
        "A fact, or its seal, is not as the program has written it.",
    ),
    "answer": (
        "办理结果与写入时的封印不符",
        "An outcome of a command is not as the program has written it.",
    ),
    "mark": (
        "账本自身的标记与写入时的封印不符",
        "What the log says of itself is not as the program has written it.",
    ),
    "checkpoint": ("与保存的检查点不符", "It differs from a checkpoint that was kept."),
    "short": ("账本比保存的检查点短", "The log is shorter than a checkpoint that was kept."),
}
"""What can be wrong, in Chinese and English."""


class _When(msgspec.Struct):
    recorded_at: datetime


class _Recorded(msgspec.Struct):
    """Of a fact of whatever type, what must agree with its row."""

    originator_id: UUID
    originator_version: int
    meta: _When


_recorded = msgspec.json.Decoder(_Recorded).decode


@dataclass
class Examination:
    """``kept``: checkpoints of this log, from elsewhere; those of more facts than there are tell
    that the newest ones were taken away."""

    kept: Iterable[Checkpoint] = ()
    size: int = 0
    bad: Bad | None = None
    _wholes: list[bytes] = field(default_factory=list)
    _last: datetime | None = None
    _agreed: int = 0
    """Up to which position a checkpoint has agreed."""

    def __post_init__(self) -> None:
        self._waiting = sorted(self.kept, key=lambda one: one.size, reverse=True)
        self._compare()

    def take(
        self,
        position: int,
        stream: bytes,
        version: int,
        topic: str,
        state: bytes,
        *,
        counts: bool = True,
    ) -> bytes:
        """The next row of the log; its leaf. After the first bad one the root is of no use.

        ``counts``: it is a fact. One that was disowned stands in the tree, whatever it says.
        """
        if position != self.size + 1:
            self._found(self.size + 1, "gap" if position > self.size + 1 else "order")
            self.size = position - 1
        try:
            if counts:
                self._look_into(position, stream, version, _recorded(state))
        except (msgspec.MsgspecError, UnicodeDecodeError):
            self._found(position, "unreadable")
        try:
            leaf = leaf_hash(entry_of(stream, version, topic, state, position))
        except (struct.error, AttributeError, UnicodeEncodeError):  # no number, no text
            self._found(position, "unreadable")
            leaf = leaf_hash(b"")
        found = leaf
        size = self.size
        while size & 1 and self._wholes:
            found = node_hash(self._wholes.pop(), found)
            size >>= 1
        self._wholes.append(found)
        self.size += 1
        if self._waiting and self._waiting[-1].size == self.size:
            self._compare()
        return leaf

    def _look_into(self, position: int, stream: bytes, version: int, fact: _Recorded) -> None:
        told = fact.originator_id.int, fact.originator_version
        if told != (int.from_bytes(stream), version):
            self._found(position, "other")
        at = fact.meta.recorded_at
        if self._last is not None and at < self._last:
            self._found(position, "time")
        self._last = at

    def _compare(self) -> None:
        while self._waiting and self._waiting[-1].size == self.size:
            if self._waiting.pop().root == self.root:
                self._agreed = self.size
            elif self.bad is None:
                self.bad = Bad(None, (self._agreed + 1, self.size), "checkpoint")

    def _found(self, position: int, what: str) -> None:
        if self.bad is None:
            self.bad = Bad(position, None, what)

    def note(self, position: int, what: str) -> None:
        """What was found otherwise; the earlier one of the two is told."""
        first = self.bad
        if first is None or position < (first.between[0] if first.between else first.position or 0):
            self.bad = Bad(position, None, what)

    def end(self) -> None:
        """No more rows: what a checkpoint has beyond them was taken away."""
        if self._waiting and self.bad is None:
            self.bad = Bad(None, (self._agreed + 1, self._waiting[-1].size), "short")

    @property
    def root(self) -> bytes:
        if not self._wholes:
            return bytes.fromhex(EMPTY)
        found = self._wholes[-1]
        for left in reversed(self._wholes[:-1]):
            found = node_hash(left, found)
        return found
