"""Whether everything in the log carries the writer's seal, for `relief audit verify` and the watch.

Told are facts that nobody sealed or that are not as they were sealed, outcomes of commands and
marks likewise, and seals that are missing. Of the newest batches, taken away with their seals,
nothing is left to tell: only a checkpoint does.
"""

from collections.abc import Callable, Iterator
from uuid import UUID

import msgspec

from eventstore.log import OutcomeRow, SealRow, plain
from eventstore.merkle import HASH_BYTES
from eventstore.seals import ID_BYTES, MARKS, Seals, digest_of, sealed_at_once
from eventstore.store import Store

SEALS_AT_ONCE = 256
IDS_AT_ONCE = 500
NOW = """
SELECT marks.key, marks.value, newest.n, there.n
FROM (SELECT coalesce(max(n), 0) AS n FROM seals) AS newest
CROSS JOIN (SELECT count(*) AS n FROM outcomes) AS there LEFT JOIN marks ON 1 = 1
"""
"""All of one moment, while others write."""

Note = Callable[[int, str], None]


class SealCheck:
    """Takes the facts of a log in order. ``note`` hears of a position and what is wrong there."""

    def __init__(self, store: Store, size: int, note: Note) -> None:
        self._log, self._size, self._note = store.log, size, note
        self._seals = Seals(store.log, store.vault)
        found = self._log.fetch(NOW)
        since = sealed_at_once(store.log)
        self._from = 0 if since is None else since.n
        """Seals that count no more: a mark says so, and is sealed itself."""
        self._marks = {key: value for key, value, _, _ in found if key in MARKS}
        _, _, self._newest, self._outcomes = found[0]
        self.unsealed_batches = 0
        """How often facts without a seal that counts begin."""
        self.outcomes = 0
        self.marks: dict[str, str] = {}
        """What the log last said of itself, as it was sealed."""
        self._top = 0
        self._lacking = False
        self.disowned = 0
        """Rows that somebody has put there by hand, and that are known to be none of ours."""
        self._coming = self._in_order()
        self._seal: SealRow | None = next(self._coming, None)

    def take(self, position: int, leaf: bytes) -> None:
        """The next fact."""
        while self._seal is not None and self._seal.last < position:
            self._seal = next(self._coming, None)
        seal = self._seal
        if seal is None or position < seal.first:
            if not self._lacking:
                self.unsealed_batches += 1
            self._lacking = True
            self._note(position, "unsealed")
            return
        self._lacking = False
        at = (position - seal.first) * HASH_BYTES
        if seal.leaves[at : at + HASH_BYTES] != leaf:
            self._note(position, "seal")

    def pass_over(self) -> None:
        """A row that was disowned comes next, as it stood when it was."""
        self.disowned += 1

    def end(self) -> None:
        """No more facts."""
        while next(self._coming, None) is not None:
            pass
        if self._top > self._size and (head := self._log.head()) < self._top:
            self._note(head + 1, "gap")
        if self._outcomes > self.outcomes:  # somebody put one there
            self._note(max(self._size, 1), "answer")
        if self._marks != self.marks:
            self._note(max(self._size, 1), "mark")

    def _in_order(self) -> Iterator[SealRow]:
        """The seals that count. One that does not leaves its facts unsealed."""
        n = self._from
        while n < self._newest and (seals := self._log.seals(n, SEALS_AT_ONCE)):
            fine: list[SealRow] = []
            for seal in seals:
                if seal.n > self._newest:
                    break
                at = max(seal.first, 1)
                if seal.n != n + 1:
                    self._note(at, "seal")
                n = seal.n
                if not self._seals.right(seal):
                    self._note(at, "seal")
                    continue
                self._top = max(self._top, seal.last)
                if seal.marks:
                    self.marks |= msgspec.json.decode(seal.marks)
                fine.append(seal)
            self._look_up(fine)
            yield from fine
            if seals[-1].n >= self._newest:
                return

    def _look_up(self, seals: list[SealRow]) -> None:
        """Whether the outcomes of these batches are as they were sealed."""
        waiting: list[SealRow] = []
        count = 0
        for seal in seals:
            waiting.append(seal)
            count += len(seal.commands) // ID_BYTES
            if count >= IDS_AT_ONCE:
                self._compare(waiting)
                waiting, count = [], 0
        self._compare(waiting)

    def _compare(self, seals: list[SealRow]) -> None:
        ids = [
            seal.commands[at : at + ID_BYTES]
            for seal in seals
            for at in range(0, len(seal.commands), ID_BYTES)
        ]
        found: dict[bytes, OutcomeRow] = {}
        for begin in range(0, len(ids), IDS_AT_ONCE):
            some = [UUID(bytes=id) for id in ids[begin : begin + IDS_AT_ONCE]]
            found |= {
                row[0]: (row[0], plain(row[1]), plain(row[2]), plain(row[3]))
                for row in self._log.outcomes(some)
            }
        self.outcomes += len(ids)
        for seal in seals:
            its = range(0, len(seal.commands), ID_BYTES)
            rows = [found.get(seal.commands[at : at + ID_BYTES]) for at in its]
            there = [row for row in rows if row is not None]
            if len(there) < len(rows) or digest_of(there) != seal.outcomes:
                self._note(max(seal.first, 1), "answer")
