"""Seals: whoever puts facts into the log by hand has none for them.

In each batch's own transaction the writer adds one row: the leaves of its facts (as they stand in
the tree of `eventstore.merkle`), which outcomes belong to it and their hash, what it says of the
store itself, and over all that an HMAC under a secret of the vault. The log's owner can write any
row, but none that carries this. Seals are numbered without gaps, so that a missing one is noticed.

A log of before is sealed once, when it is opened with its vault by a program that seals: what was
changed by then stays unnoticed. From that moment the database refuses facts without a seal. That
a vault has sealed is a secret in it: deleting all seals does not let them be made again.

Where the secret is lost, or the vault is of before it was made, an operator has all sealed anew
(`relief audit reseal`): the numbers go on, and a mark says which seals count no more.
"""

import hmac
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from hashlib import sha256
from itertools import pairwise
from struct import Struct
from typing import Final, NamedTuple, Self

import msgspec
import structlog

from eventstore.disowned import said_in
from eventstore.errors import SealsHold, VaultOlder
from eventstore.faults import reached
from eventstore.log import OUTCOMES, PUT_SEAL, Log, OutcomeRow, Row, SealRow
from eventstore.merkle import HASH_BYTES, NO_LEAF, leaf_of
from eventstore.sql import Sql
from eventstore.vault import Vault

SECRET: Final = "log-seal"  # noqa: S105 - the names of them
SEALED: Final = "log-sealed"
MARKS: Final = (
    "born",
    "clock",
    "epoch",
    "epoch-head",
    "exercise",
    "resealed",
    "sealed",
    "seat",
    "simulated",
    "simulated-rate",
    "simulated-since",
    "timeline",
)
"""The marks that change what facts mean, and so are sealed. Others are notes of this place."""
SEALS_AT_FIRST, SEALS_AT_ONCE = 32, 256
NEWEST = 64
"""Seals that are looked at before all is sealed anew."""
AT_ONCE = 512
"""Facts, or outcomes, of one seal over a log of before."""
TOLD_EVERY = 50_000
ID_BYTES = 16
TYPES = (int, int, int, bytes, bytes, str, bytes, bytes)
NUMBERS = Struct(">Qqq")
_length = Struct(">I").pack
_lengths = Struct(">IIII").pack

log = structlog.get_logger("seals")


class Sealed(NamedTuple):
    """All up to a position was sealed at once, and when. ``anew``: seals with numbers up to ``n``
    do not count since."""

    anew: bool
    n: int
    head: int
    at: datetime


def sealed_at_once(log: Log) -> Sealed | None:
    """The last time that a whole log was sealed, at an upgrade or anew; None if it never was, or
    was before that was written down. As its marks say, which are sealed."""
    for name, counts in (("resealed", 3), ("sealed", 2)):
        told = (log.mark(name) or "").split(" ")
        if len(told) != counts:
            continue
        with suppress(ValueError):
            *before, head, at = told
            n = int(before[0]) if before else 0
            return Sealed(bool(before), n, int(head), datetime.fromisoformat(at))
    return None


def digest_of(outcomes: Sequence[OutcomeRow]) -> bytes:
    """SHA-256 over outcomes, in the order given."""
    told = [
        _lengths(len(id), len(actor), len(body), len(said)) + id + actor + body + said
        for id, actor, body, said in outcomes
    ]
    return sha256(b"".join(told)).digest()


def _is_in(seal: SealRow, row: Row) -> bool:
    """Whether the seal of a batch covers this very row."""
    at = (row[0] - seal.first) * HASH_BYTES
    try:
        return seal.leaves[at : at + HASH_BYTES] == leaf_of(row)
    except NO_LEAF:
        return False


def _are_as_sealed(rows: Sequence[Row], seals: Sequence[SealRow]) -> bool:
    """Whether seals that follow one another cover these rows, which do too: all compared at once,
    for nearly always all are, and boards wait for it."""
    if not seals or any(two.first != one.last + 1 for one, two in pairwise(seals)):
        return False
    begin = (rows[0][0] - seals[0].first) * HASH_BYTES
    if begin < 0:
        return False
    try:
        leaves = b"".join([leaf_of(row) for row in rows])
    except NO_LEAF:
        return False
    return b"".join([seal.leaves for seal in seals])[begin : begin + len(leaves)] == leaves


class Seal:
    """Knows the seals of one log, by their secret."""

    def __init__(self, log: Log, key: bytes) -> None:
        """``key``: it is told to processes of ours only, by a pipe."""
        self._log, self.key = log, key

    # -- holding facts against seals -----------------------------------------------------------

    def unsealed(self, rows: Sequence[Row]) -> set[int]:
        """Positions of those of these rows, in their order, that are not as they were sealed."""
        first, last = rows[0][0], rows[-1][0]
        seals = list(self._right_over(first, last))
        if last - first + 1 == len(rows) and _are_as_sealed(rows, seals):
            return set()
        found: set[int] = set()
        coming = iter(seals)
        seal = next(coming, None)
        for row in rows:
            while seal is not None and seal.last < row[0]:
                seal = next(coming, None)
            if seal is None or row[0] < seal.first or not _is_in(seal, row):
                found.add(row[0])
        return found

    def covers(self, position: int) -> bool:
        """Whether a seal that counts reaches a position, whatever stands there now."""
        seals = self._right_over(position, position)
        return any(seal.first <= position <= seal.last for seal in seals)

    def _right_over(self, first: int, last: int) -> Iterator[SealRow]:
        """The seals that count of facts between these positions, in order. Asked for some at first,
        for one may cover hundreds of facts: what is read beyond the last is read for nothing."""
        at, n, some = first - 1, sys.maxsize, SEALS_AT_FIRST
        while seals := self._log.seals_over(at, n, some):
            for seal in seals:
                if self.right(seal):
                    if seal.first > last:
                        return
                    yield seal
            if len(seals) < some:
                return
            at, n, some = seals[-1].last, seals[-1].n, min(2 * some, SEALS_AT_ONCE)

    def mac_of(self, text: bytes) -> bytes:
        """Under the secret of the seals."""
        return hmac.digest(self.key, text, "sha256")

    def right(self, seal: SealRow) -> bool:
        """Whether the vault has made this seal."""
        if not all(map(isinstance, seal, TYPES)):
            return False
        covered = max(seal.last - seal.first + 1, 0)
        if len(seal.leaves) != covered * HASH_BYTES or len(seal.commands) % ID_BYTES:
            return False
        return hmac.compare_digest(bytes(seal.mac), self._mac(seal))

    def _mac(self, seal: SealRow) -> bytes:
        parts = (seal.commands, seal.outcomes, seal.marks.encode(), seal.leaves)
        sealed = [b"relief-seal/1\n", NUMBERS.pack(*seal[:3])]
        sealed += [_length(len(part)) + part for part in parts]
        return self.mac_of(b"".join(sealed))


class Seals(Seal):
    """Makes the seals of one store, too."""

    def __init__(self, log: Log, vault: Vault, *, anew: bool = False) -> None:
        """``anew``: seals that this vault cannot check do not count any more, see `reseal`."""
        self._vault = vault
        # asked first: whoever begins to seal makes the secret before any seal
        sealed = bool(log.seals(0, 1))
        if sealed and not anew and not vault.has_secret(SECRET):
            raise VaultOlder
        super().__init__(log, vault.secret(SECRET))

    # -- making -------------------------------------------------------------------------------

    def made(
        self,
        n: int,
        rows: Sequence[Row],
        outcomes: Sequence[OutcomeRow],
        marks: Mapping[str, str],
        head: int,
    ) -> SealRow:
        """The seal of a batch after which the log ends at ``head``."""
        told = {key: marks[key] for key in MARKS if key in marks}
        seal = SealRow(
            n,
            rows[0][0] if rows else head + 1,
            head,
            b"".join([row[0] for row in outcomes]),
            digest_of(outcomes),
            msgspec.json.encode(told).decode() if told else "",
            b"",
            b"".join([leaf_of(row) for row in rows]),
        )
        return seal._replace(mac=self._mac(seal))

    def put(
        self,
        db: Sql,
        rows: Sequence[Row],
        outcomes: Sequence[OutcomeRow] = (),
        marks: Mapping[str, str] | None = None,
    ) -> None:
        """Add facts, outcomes and marks with their seal, inside a transaction of the log."""
        known = self._log.newest_seal(db)
        if rows:
            head = rows[-1][0]
        else:
            (head,) = db.execute("SELECT coalesce(max(position), 0) FROM events").fetchone()
        seal = self.made(known + 1, rows, outcomes, marks or {}, head)
        self._log.append(db, rows, outcomes, seal)
        self._log.put_marks(db, marks or {})

    def mark(self, times: Mapping[str, datetime]) -> None:
        """Say of the store, outside any batch, what changes the meaning of its facts."""
        with self._log.transaction() as db:
            self.put(db, (), (), {key: at.isoformat() for key, at in times.items()})

    # -- a log of before ----------------------------------------------------------------------

    def begin(self, at: datetime) -> Self:
        """Seal what is there if nothing ever was. Raises `VaultOlder` for a log that another vault
        has sealed, and another `StoreError`. ``at``: the machine's time."""
        if self._vault.has_secret(SEALED):
            return self
        with self._log.transaction() as db:
            if not self._log.newest_seal(db):
                head = self._log.head()
                self._seal_all(db, 0, {"sealed": f"{head} {at.isoformat()}"} if head else {})
        (first, *_) = self._log.seals(0, 1)
        if not self.right(first):
            raise VaultOlder
        self._vault.secret(SEALED)
        return self

    def reseal(self, at: datetime) -> None:
        """Seal all facts, outcomes and marks that there are under the secret of this vault. The
        seals of before stay where they are, and count for nothing. Raises `SealsHold` where this
        vault can check them, and another `StoreError`."""
        with self._log.transaction() as db:
            self.refuse_holding()
            n = self._log.newest_seal(db)
            told = f"{n} {self._log.head()} {at.isoformat()}"
            self._seal_all(db, n, {"resealed": told})
        self._vault.secret(SEALED)

    def refuse_holding(self) -> None:
        """Raises `SealsHold` where the newest seals are this vault's."""
        newest = self._log.newest_seal()
        if any(map(self.right, self._log.seals(max(0, newest - NEWEST), NEWEST))):
            raise SealsHold

    def _seal_all(self, db: Sql, n: int, marks: Mapping[str, str]) -> None:
        """Inside a transaction: seals over all that there is, numbered from ``n`` + 1 on."""
        self._log.put_marks(db, marks)
        db.executemany(PUT_SEAL, self._of_all(n, marks))
        reached("in-sealing")

    def _of_all(self, n: int, marks: Mapping[str, str]) -> Iterator[SealRow]:
        """Seals over all facts, all outcomes, and the marks that there are beside these."""
        head = self._log.head()
        for rows in self._runs(head):
            n += 1
            yield self.made(n, rows, (), {}, rows[-1][0])
        last = b""
        sql = f"{OUTCOMES} WHERE command > ? ORDER BY command LIMIT {AT_ONCE}"
        while outcomes := self._log.fetch(sql, (last,)):
            n, last = n + 1, outcomes[-1][0]
            yield self.made(n, (), outcomes, {}, head)
        known = dict(self._log.fetch("SELECT key, value FROM marks"))
        yield self.made(n + 1, (), (), known | dict(marks), head)

    def _runs(self, head: int) -> Iterator[Sequence[Row]]:
        """The facts, some hundreds at a time, and never over a gap, nor over a row that was
        disowned, which stays without a seal."""
        after, none = 0, {one.row.position for one in said_in(self._log)}
        while found := self._log.rows(after, AT_ONCE, head):
            after = found[-1][0]
            rows = [row for row in found if row[0] not in none]
            if not rows:
                continue
            cuts = [n for n, (one, two) in enumerate(pairwise(rows), 1) if two[0] != one[0] + 1]
            for begin, end in pairwise([0, *cuts, len(rows)]):
                yield rows[begin:end]
            if found[0][0] // TOLD_EVERY != after // TOLD_EVERY:
                log.info("log.sealing", facts=after, of=head)
