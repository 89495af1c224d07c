"""Reading a whole log again, for `relief audit verify`: also what no row tells by itself."""

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from audit.relief_verify import Checkpoint
from audit.verifying import Examination
from cli.audit_seals import SealCheck
from domain.store import ForgedRow
from eventstore.disowned import row_told
from eventstore.log import Row, plain
from eventstore.proving import ROWS_AT_ONCE
from eventstore.store import Store

err = Console(stderr=True)

IDS_AT_ONCE = 500


class Read(NamedTuple):
    """What an examination found, and how long it took apart from reading."""

    examined: Examination
    seals: SealCheck
    seconds: float


def examine(store: Store, size: int, known: Sequence[Checkpoint]) -> Read:
    """Every fact, with bounded memory; ``known`` are believed, the log is not. Rows that were
    disowned are part of the tree, and of nothing else."""
    examined = Examination(known)
    seals = SealCheck(store, size, examined.note)
    seconds = 0.0
    known_of = {at: one.row for at, one in store.trust.disowned.items()}
    for rows in _batches(store, size):
        began = time.perf_counter()
        over = {row[0] for row in rows if row[0] in known_of and row_told(row) == known_of[row[0]]}
        for row in rows:
            leaf = examined.take(*row, counts=row[0] not in over)
            if row[0] in over:
                seals.pass_over()
            else:
                seals.take(row[0], leaf)
        seconds += time.perf_counter() - began
        for position in _without_outcome(store, [row for row in rows if row[0] not in over]):
            examined.note(position, "outcome")
    if (torn := _torn(store, size, known_of)) is not None:
        examined.note(torn, "version")
    if (before := _before_all(store)) is not None:
        examined.note(before, "order")
    seals.end()
    examined.end()
    return Read(examined, seals, seconds)


def _batches(store: Store, size: int) -> Iterator[list[Row]]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeElapsedColumn(), console=err, transient=True) as bar:
        task = bar.add_task("核验 · verifying", total=size)
        after = 0
        while rows := store.log.rows(after, ROWS_AT_ONCE, size):
            yield [(at, plain(who), n, topic, plain(what)) for at, who, n, topic, what in rows]
            after = rows[-1][0]
            bar.update(task, completed=after)


class _Command(msgspec.Struct):
    command: UUID


class _Made(msgspec.Struct):
    """Of a stored fact of whatever type, the command that made it."""

    meta: _Command


_made = msgspec.json.Decoder(_Made).decode


class _Range(msgspec.Struct):
    """Of a stored outcome, where its facts lie: the last of them, and how many."""

    position: int
    facts: int = 0


_range = msgspec.json.Decoder(_Range).decode


def _without_outcome(store: Store, rows: Sequence[Row]) -> Iterator[int]:
    """Positions of facts that no command has made here: its outcome is missing, or tells of other
    positions."""
    by_command: dict[UUID, list[int]] = {}
    for row in rows:
        try:
            by_command.setdefault(_made(row[4]).meta.command, []).append(row[0])
        except (msgspec.MsgspecError, UnicodeDecodeError):
            continue  # told as unreadable
    commands = list(by_command)
    for begin in range(0, len(commands), IDS_AT_ONCE):
        some = commands[begin : begin + IDS_AT_ONCE]
        made = {UUID(bytes=row[0]): _positions(row[3]) for row in store.log.outcomes(some)}
        for one in some:
            yield from (at for at in by_command[one] if at not in made.get(one, ()))


def _positions(outcome: bytes) -> range:
    try:
        told = _range(plain(outcome))
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return range(0)
    return range(told.position - told.facts + 1, told.position + 1)


TORN = """
SELECT min(position) FROM (
  SELECT position, version, row_number() OVER (PARTITION BY stream ORDER BY position) AS n
  FROM events WHERE position <= ? {}
) AS numbered WHERE version <> n
"""


def _torn(store: Store, size: int, disowned: Mapping[int, ForgedRow]) -> int | None:
    """The first position where the versions of a stream are not 1, 2, 3 … A row that was disowned
    may have any, and its stream goes on behind it."""
    apart = {row.stream for row in disowned.values()}
    without = f"AND stream NOT IN ({','.join('?' * len(apart))})" if apart else ""
    bound = (size, *(stream.bytes for stream in apart))
    ((position,),) = store.log.fetch(TORN.format(without), bound)
    found = [] if position is None else [int(position)]
    for stream in apart:
        known = 0
        for at, _, version, *_ in sorted(store.log.stream_rows(stream, upto_position=size)):
            if at not in disowned and version != known + 1:
                found.append(at)
                break
            known = max(known, version)
    return min(found, default=None)


BEFORE_ALL = "SELECT min(position) FROM events WHERE position < 1"


def _before_all(store: Store) -> int | None:
    """A position before the first: who reads the log in order misses that row, and who reads its
    stream does not."""
    ((position,),) = store.log.fetch(BEFORE_ALL)
    return position if position is None else int(position)
