"""What must hold after any fault, read from the store alone (O1 to O6 of the reliability plan).

Each check raises `Violation` that says what was found; none of them changes anything.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import msgspec

from domain.catalog import AGGREGATES
from domain.conservation import conserved, money_broken
from domain.consignment import Consignment
from domain.fund import Fund
from domain.stockpile import Stockpile
from eventstore.log import Log, Row
from eventstore.mapper import TypedMapper
from eventstore.outcomes import decode_outcome
from eventstore.sql import begun
from eventstore.store import Recorded
from projections.catalog import VIEWS
from projections.folding.base import View
from projections.folding.engine import ViewsDatabase
from projections.folding.rebuild import hashed
from tests.projections.partitions import hashes_of

PAGE = 5_000
MAPPER = TypedMapper(AGGREGATES)


class Violation(AssertionError):
    """Something that never may be."""


class _Made(msgspec.Struct):
    """Of a stored fact, the command that made it."""

    class Meta(msgspec.Struct):
        command: UUID

    meta: Meta


_made = msgspec.json.Decoder(_Made).decode


@dataclass
class Stored:
    """What a log holds: rows in the order of their positions, and answers by command.

    ``facts`` counts each command's facts, ``answered`` what its stored answer says of them.
    """

    rows: list[Row] = field(default_factory=list)
    facts: Counter[UUID] = field(default_factory=Counter)
    answered: dict[UUID, int] = field(default_factory=dict)

    @classmethod
    def of(cls, log: Log) -> "Stored":
        return cls().more(log)

    def more(self, log: Log) -> "Stored":
        """Read what has come since; the answers whole, but those to facts that came later yet."""
        while rows := log.rows(self.head, PAGE):
            self.rows += [(r[0], bytes(r[1]), r[2], r[3], bytes(r[4])) for r in rows]
            self.facts.update(_made(row[4]).meta.command for row in rows)
        for command, encoded in log.fetch("SELECT command, outcome FROM outcomes"):
            outcome = decode_outcome(bytes(encoded))
            if outcome.position <= self.head:
                self.answered[UUID(bytes=bytes(command))] = outcome.facts
        return self

    @property
    def head(self) -> int:
        return self.rows[-1][0] if self.rows else 0

    def lost(self, acknowledged: Mapping[UUID, int]) -> set[UUID]:
        """Acknowledged commands of which facts are missing."""
        return {key for key, facts in acknowledged.items() if self.facts[key] < facts}

    def doubled(self, acknowledged: Mapping[UUID, int]) -> set[UUID]:
        """Commands, acknowledged or not, with more facts than one decision of them made."""
        wanted = {**self.answered, **acknowledged}
        return {key for key, facts in self.facts.items() if facts > wanted.get(key, 0)}

    @property
    def recorded(self) -> list[Recorded]:
        return [Recorded(row[0], MAPPER.decode(row[3], row[4])) for row in self.rows]


def check_answers(stored: Stored, acknowledged: Mapping[UUID, int]) -> None:
    """O1: what was answered is there once. O2: of the rest, all of a command or nothing."""
    if lost := stored.lost(acknowledged):
        raise Violation(f"O1: acknowledged and lost: {lost}")
    if doubled := stored.doubled(acknowledged):
        raise Violation(f"O2: there more than once, or without an answer: {doubled}")
    half = {key for key, facts in stored.answered.items() if stored.facts[key] != facts}
    if half:
        raise Violation(f"O2: not whole: {half}")


def check_order(rows: Sequence[Row]) -> None:
    """O4: positions 1 to n, and in every stream versions 1 to m, in this order."""
    versions: Counter[bytes] = Counter()
    for expected, (position, stream, version, *_) in enumerate(rows, start=1):
        versions[stream] += 1
        if position != expected or version != versions[stream]:
            raise Violation(f"O4: position {position}, version {version} of {stream.hex()}")


def check_books(facts: Iterable[Recorded]) -> None:
    """O3: goods and money neither come from nowhere nor vanish, and nothing is below zero."""
    streams: dict[UUID, Any] = {}
    for _, fact in facts:
        streams[fact.originator_id] = fact.mutate(streams.get(fact.originator_id))

    def of(kind: type[Any]) -> list[Any]:
        return [one for one in streams.values() if isinstance(one, kind)]

    for exercise in (False, True):
        books = conserved(of(Stockpile), of(Consignment), exercise=exercise)
        if books.broken:
            raise Violation(f"O3: goods do not balance: {books.broken} {dict(books.units)}")
        if broken := money_broken(of(Fund), exercise=exercise):
            raise Violation(f"O3: money does not balance: {broken}")
    for pile in of(Stockpile):
        held = [
            units for lots in (pile.available, *pile.reserved.values()) for units in lots.values()
        ]
        if min(held, default=0) < 0:
            raise Violation(f"O3: stockpile {pile.id} holds {held}")


def tables_of(views: ViewsDatabase) -> dict[str, str]:
    """SHA-256 of every live table, in the same order on SQLite and PostgreSQL."""
    writers = views.writers({live.view: live.generation for live in views.live()})
    with views.lock, begun(views.db):
        return {name: hashed(writer.rows(views.db)).sha256 for name, writer in writers.items()}


def check_tables(
    tables: Mapping[str, str], facts: Sequence[Recorded], views: Sequence[View] = VIEWS
) -> None:
    """O5 and O6: the live tables are those of each fact folded once, in order, from nothing."""
    wanted = hashes_of(views, facts)
    wrong = {name for name in wanted if wanted[name] != tables.get(name)}
    if wrong:
        raise Violation(f"O5: not as a rebuild makes them: {sorted(wrong)}")


def check_log(log: Log, acknowledged: Mapping[UUID, int]) -> Stored:
    """O1 to O4 of a log."""
    stored = Stored.of(log)
    check_answers(stored, acknowledged)
    check_order(stored.rows)
    check_books(stored.recorded)
    return stored
