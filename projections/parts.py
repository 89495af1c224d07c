"""Folding the log into part files, on all cores: the first half of a rebuild.

The views are dealt out to processes by how many facts they route; those whose rows depend on one
stream each are split by stream over all processes. Each process decodes only what its share
needs and folds into a file of its own, without journal or keys.
"""

import gc
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from domain.base import Event
from domain.catalog import AGGREGATES
from eventstore.mapper import TypedMapper
from eventstore.sqlite import connect
from projections.base import Rows, TableWriter, View, bulk_statement, routed
from projections.catalog import VIEWS
from projections.engine import fold

BATCH = 4096
HELD_ROWS = 300_000
PART = 0
MOST_PARTS = 8
WORTH_A_PROCESS = 20_000
"""As many facts are folded in the time in which a process starts."""

Progress = Callable[[int], None]
"""Told the log position that has been folded so far."""
Facts = list[tuple[int, Event]]


@dataclass(frozen=True, slots=True)
class Share:
    """What one process folds: ``whole`` views of all streams, ``split`` ones of its streams only.

    Streams from ``low`` to below ``high``, by the first byte of their ids, which are random.
    """

    whole: tuple[str, ...]
    split: tuple[str, ...]
    low: int
    high: int

    @property
    def names(self) -> tuple[str, ...]:
        return (*self.whole, *self.split)


def fold_part(
    log: Path,
    part: Path,
    share: Share,
    upto: int,
    batch: int,
    views: Sequence[View] = VIEWS,
    progress: Progress | None = None,
) -> None:
    """Fold a share of the views from the log's begin to ``upto`` into a new file."""
    with _uncollected():
        _fold_part(log, part, share, upto, batch, views, progress)


@contextmanager
def _uncollected() -> Iterator[None]:
    """Without the cycle collector: rows and facts have no cycles, and it would walk them all."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def _fold_part(
    log: Path,
    part: Path,
    share: Share,
    upto: int,
    batch: int,
    views: Sequence[View],
    progress: Progress | None,
) -> None:
    whole = [view for view in views if view.name in share.whole]
    split = [view for view in views if view.name in share.split]
    mine = [*whole, *split]
    db = sqlite3.connect(part, isolation_level=None)
    for pragma in (
        "journal_mode=OFF",
        "synchronous=OFF",
        "cache_size=-65536",
        "locking_mode=EXCLUSIVE",
    ):
        db.execute(f"PRAGMA {pragma}")
    writers = {table.name: TableWriter(table, PART) for view in mine for table in view.tables}
    for view in mine:
        for table in view.tables:
            db.execute(bulk_statement(table))
    rows = Rows(db, writers, fresh=True)
    handlers = routed(whole), routed(split)
    keyed = False
    db.execute("BEGIN")
    for facts in _shared(log, share, whole, split, upto, batch):
        for of_these, batch_facts in zip(handlers, facts, strict=True):
            if batch_facts:
                fold(rows, of_these, batch_facts)
        rows.write_appended()
        if progress is not None:
            progress(max((some[-1][0] for some in facts if some), default=0))
        if rows.held() > HELD_ROWS:
            rows.write()
            if not keyed:
                _index_keys(db, writers)
                keyed = True
            rows.forget()
    rows.write()
    db.execute("COMMIT")
    db.close()


def _index_keys(db: sqlite3.Connection, writers: Mapping[str, TableWriter]) -> None:
    """Give the heaps their keys: rows will be found and replaced from now on."""
    for writer in writers.values():
        db.execute(f"CREATE UNIQUE INDEX key_{writer.name} ON {writer.name} ({writer.key_names})")


def _topics(mapper: TypedMapper, views: Sequence[View]) -> set[str]:
    wanted = {event_class for view in views for event_class in view.routes}
    return {topic for topic in mapper.topics() if mapper.class_of(topic) in wanted}


def _shared(
    log: Path, share: Share, whole: Sequence[View], split: Sequence[View], upto: int, batch: int
) -> Iterator[tuple[Facts, Facts]]:
    """The log's facts of a share, in order, in batches: for its whole and for its split views."""
    mapper = TypedMapper(AGGREGATES, text_ids=True)
    of_whole, of_split = _topics(mapper, whole), _topics(mapper, split)
    low, high = bytes([share.low]), bytes([share.high]) if share.high < 256 else b"\xff" * 17
    marks = ",".join("?" * len(of_whole)) or "NULL"
    db = connect(log)
    db.execute("PRAGMA query_only=ON")
    sql = (
        "SELECT position, topic, state, stream >= ? AND stream < ? AS mine FROM events"  # noqa: S608
        f" WHERE position <= ? AND (mine OR topic IN ({marks})) ORDER BY position"
    )
    cursor = db.execute(sql, (low, high, upto, *of_whole))
    decode = mapper.decode
    try:
        while rows := cursor.fetchmany(batch):
            wholes: Facts = []
            splits: Facts = []
            for position, topic, state, mine in rows:
                wanted, in_split = topic in of_whole, mine and topic in of_split
                if wanted or in_split:
                    fact = (position, decode(topic, state))
                    if wanted:
                        wholes.append(fact)
                    if in_split:
                        splits.append(fact)
            yield wholes, splits
    finally:
        db.close()


def facts_of(log: Path, views: Sequence[View], after: int, upto: int) -> Iterator[Facts]:
    """The log's facts that these views route, in order, in batches."""
    mapper = TypedMapper(AGGREGATES, text_ids=True)
    topics = _topics(mapper, views)
    db = connect(log)
    sql = (
        "SELECT position, topic, state FROM events WHERE position > ? AND position <= ?"
        " ORDER BY position"
    )
    try:
        cursor = db.execute(sql, (after, upto))
        while rows := cursor.fetchmany(BATCH):
            yield [(p, mapper.decode(topic, state)) for p, topic, state in rows if topic in topics]
    finally:
        db.close()


def deal(log: Path, views: Sequence[View], hands: int) -> list[Share]:
    """A share for each process: the streams of what can be split, and whole views by their load.

    The view that routes most facts goes first, to the least loaded.
    """
    mapper = TypedMapper(AGGREGATES)
    db = connect(log)
    counts = dict(db.execute("SELECT topic, count(*) FROM events GROUP BY topic"))
    db.close()
    hands = min(hands, MOST_PARTS, 1 + sum(counts.values()) // WORTH_A_PROCESS)
    weight = {
        view.name: sum(n for topic, n in counts.items() if mapper.class_of(topic) in view.routes)
        for view in views
    }
    split = tuple(view.name for view in views if view.by_stream and hands > 1)
    loads = [0] * hands
    dealt: list[list[str]] = [[] for _ in range(hands)]
    for name in sorted(weight.keys() - set(split), key=lambda n: (-weight[n], n)):
        least = loads.index(min(loads))
        dealt[least].append(name)
        loads[least] += weight[name]
    total = sum(counts.values())
    each = max(0, total - WORTH_A_PROCESS) / hands / max(1, total)  # the first starts at once
    edges = [0, *(256 - round(256 * each * n) for n in range(hands - 1, 0, -1)), 256]
    return [Share(tuple(dealt[n]), split, edges[n], edges[n + 1]) for n in range(hands)]


def _started(log: Path, file: Path, share: Share, upto: int, batch: int) -> subprocess.Popen[bytes]:
    """A process of its own that folds a share of the catalog's views. It imports nothing else."""
    given = msgspec.json.encode([str(log.absolute()), str(file.absolute()), upto, batch, share])
    root = str(Path(__file__).parents[1])
    begin = f"import sys; sys.path.insert(0, {root!r}); from projections.parts import main; main()"
    return subprocess.Popen([sys.executable, "-c", begin, given.decode()])  # noqa: S603


def main() -> None:
    """What such a process does: one JSON argument, made by `_started`."""
    log, file, upto, batch, share = msgspec.json.decode(
        sys.argv[1].encode(), type=tuple[str, str, int, int, Share]
    )
    fold_part(Path(log), Path(file), share, upto, batch)


@contextmanager
def parts(
    log: Path, folder: Path, views: Sequence[View], upto: int, *, workers: int, batch: int,
    progress: Progress | None = None,
) -> Iterator[dict[str, list[Path]]]:  # fmt: skip
    """Files with the rebuilt views, by view name; removed at the end.

    This process folds the first share itself, the others are folded by processes of their own.
    """
    _sweep(folder)
    with tempfile.TemporaryDirectory(prefix=f"rebuild-{os.getpid()}-", dir=folder) as scratch:
        dealt = deal(log, views, max(1, workers))
        made: dict[str, list[Path]] = {}
        files = [Path(scratch) / f"part{n}.sqlite" for n in range(len(dealt))]
        for share, file in zip(dealt, files, strict=True):
            for name in share.names:
                made.setdefault(name, []).append(file)
        others = [
            _started(log, *one, upto, batch) for one in zip(files[1:], dealt[1:], strict=True)
        ]
        try:
            fold_part(log, files[0], dealt[0], upto, batch, views, progress)
            for process in others:
                if process.wait() != 0:
                    raise RuntimeError(f"a part of the rebuild ended with {process.returncode}")
        finally:
            for process in others:
                if process.poll() is None:
                    process.kill()
                    process.wait()
        yield made


def _sweep(folder: Path) -> None:
    """Remove what a killed rebuild has left behind; those of living processes stay."""
    for left in folder.glob("rebuild-*-*"):
        pid = left.name.split("-")[1]
        if pid.isdigit() and not _alive(int(pid)):
            shutil.rmtree(left, ignore_errors=True)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # somebody else's
        return True
    return True
