"""Folding the log into part files, on all cores: the first half of a rebuild.

The views are dealt out to processes by how many facts they route; those whose rows depend on one
stream each are split by stream over all processes. Each process decodes only what its share
needs and folds into a file of its own, without journal or keys.
"""

import gc
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from domain.catalog import AGGREGATES
from eventstore.errors import StoreError, error_named
from eventstore.mapper import TypedMapper
from eventstore.source import head_of, open_source, pages
from eventstore.sql import DATABASE_ERRORS, explain
from projections.folding.base import View
from projections.folding.errors import CannotFold
from projections.folding.facts import (
    Dropped,
    Fact,
    PartitionOf,
    decoded,
    fact_of,
    in_partition_0,
    is_poison,
)
from projections.folding.fold import Folding, Routing, Takes, cannot_fold
from projections.folding.part_files import PartFile, Target
from projections.folding.partitions import partition_of

BATCH = 4096
MOST_PARTS = 8
ORPHAN_SECONDS = 0.5
WORTH_A_PROCESS = 20_000
"""Facts that are folded in the time in which a process starts."""
HEAD_START = 30_000
"""Facts of the split views that the first process, which need not start, folds in that time."""

Progress = Callable[[int], None]
"""Told the log position that has been folded so far."""
Facts = list[Fact]
Helper = subprocess.Popen[bytes]


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


class Upto(msgspec.Struct, frozen=True):
    """Which facts a rebuild folds: by view and partition those up to a position.

    ``without``: views and positions that are left out, because they are parked or dropped.
    """

    positions: dict[str, dict[int, int]]
    without: frozenset[tuple[str, int]] = frozenset()

    def lowest(self) -> int:
        """Up to here every view has every fact."""
        return min((at for by in self.positions.values() for at in by.values()), default=0)

    def highest(self) -> int:
        """Beyond this no view has any."""
        return max((at for by in self.positions.values() for at in by.values()), default=0)


def everything_upto(views: Sequence[View], position: int, without: Dropped = frozenset()) -> Upto:
    return Upto({view.name: {0: position} for view in views}, without)


class Job(msgspec.Struct, frozen=True):
    """What one process folds, of which log, into which file or tables."""

    source: str
    file: str
    share: Share
    upto: Upto
    batch: int
    target: Target | None = None


def fold_part(job: Job, views: Sequence[View], progress: Progress | None = None) -> None:
    """Fold a share of the views from the log's begin into a new file. Raises `CannotFold`."""
    with _uncollected():
        try:
            _fold_part(job, views, progress)
        except StoreError:
            raise
        except DATABASE_ERRORS as problem:
            if not is_poison(problem):
                raise explain(problem) from problem
            raise cannot_fold(problem) from problem
        except Exception as problem:
            raise cannot_fold(problem) from problem


@contextmanager
def _uncollected() -> Iterator[None]:
    """Without Python's garbage collector, which would look for cycles in all rows that are held:
    rows and facts have none."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def _fold_part(job: Job, views: Sequence[View], progress: Progress | None) -> None:
    whole = [view for view in views if view.name in job.share.whole]
    split = [view for view in views if view.name in job.share.split]
    takes = _Selected(job.upto)
    foldings = [Folding(Routing(some), takes) for some in (whole, split)]
    with closing(PartFile(job.file, [*whole, *split], job.target)) as part:
        for shared in _shared(job, whole, split):
            for folding, facts in zip(foldings, shared, strict=True):
                if facts:
                    folding.run(part.rows, facts)
            if progress is not None:
                progress(max((facts[-1].position for facts in shared if facts), default=0))
            part.relieve()
        part.finish()


class _Selected(Takes):
    """What views take that have come as far as `Upto` says."""

    def __init__(self, upto: Upto) -> None:
        self._upto, self._lowest = upto, upto.lowest()
        self._holes = {position for _, position in upto.without}

    def by_all(self, facts: Sequence[Fact]) -> bool:
        if facts and facts[-1].position > self._lowest:
            return False
        return not self._holes or self._holes.isdisjoint([fact.position for fact in facts])

    def by(self, view: str, fact: Fact) -> bool:
        if (view, fact.position) in self._upto.without:
            return False
        if fact.position <= self._lowest or fact.event is None:
            return True
        by = self._upto.positions[view]
        return fact.position <= by[partition_of(fact.event.meta.division, len(by))]


def _topics(mapper: TypedMapper, views: Sequence[View]) -> set[str]:
    wanted = {event_class for view in views for event_class in view.routes}
    return {topic for topic in mapper.topics() if mapper.class_of(topic) in wanted}


def _shared(
    job: Job, whole: Sequence[View], split: Sequence[View]
) -> Iterator[tuple[Facts, Facts]]:
    """The log's facts of a share, in order, in batches: for its whole and for its split views."""
    mapper = TypedMapper(AGGREGATES, text_ids=True)
    of_whole, of_split = _topics(mapper, whole), _topics(mapper, split)
    share = job.share
    streams = bytes([share.low]), bytes([share.high]) if share.high < 256 else b"\xff" * 17
    mine = "stream >= ? AND stream < ?"
    marks = ",".join("?" * len(of_whole)) or "NULL"
    with closing(open_source(job.source)) as db:
        for rows in pages(
            db,
            0,
            job.upto.highest(),
            job.batch,
            columns=f"position, topic, state, {mine}",
            given=streams,
            where=f"AND (({mine}) OR topic IN ({marks}))",
            bound=(*streams, *of_whole),
        ):
            wholes: Facts = []
            splits: Facts = []
            for position, topic, state, its_mine in rows:
                wanted, in_split = topic in of_whole, its_mine and topic in of_split
                if wanted or in_split:
                    fact = fact_of(mapper, position, topic, state)
                    if wanted:
                        wholes.append(fact)
                    if in_split:
                        splits.append(fact)
            yield wholes, splits


def facts_of(
    source: str | Path,
    mapper: TypedMapper,
    views: Sequence[View],
    after: int,
    upto: int,
    partition_of: PartitionOf = in_partition_0,
) -> Iterator[Facts]:
    """The log's facts that these views route, and those of types that nobody knows; in order, in
    batches."""
    unread = sorted(set(mapper.topics()) - _topics(mapper, views))
    columns = "position, stream, version, topic, state"
    where = f"AND topic NOT IN ({','.join('?' * len(unread))})" if unread else ""
    with closing(open_source(source)) as db:
        for rows in pages(db, after, upto, BATCH, columns=columns, where=where, bound=unread):
            yield decoded(mapper, rows, partition_of)


def refuse_unknown(source: str | Path, views: Sequence[View], upto: Upto) -> None:
    """Raise `CannotFold` if the log holds a fact of a type that nobody knows or has given up."""
    mapper = TypedMapper(AGGREGATES)
    db = open_source(source)
    try:
        topics = [topic for (topic,) in db.execute("SELECT DISTINCT topic FROM events")]
        for unknown in set(topics) - set(mapper.topics()):
            sql = "SELECT position FROM events WHERE topic = ? AND position <= ?"
            for (position,) in db.execute(sql, (unknown, upto.highest())).fetchall():
                if not all((view.name, position) in upto.without for view in views):
                    raise CannotFold(f"{unknown} at {position}: an unknown type")
    finally:
        db.close()


def deal(log: str | Path, views: Sequence[View], processes: int) -> list[Share]:
    """A share for each process: the streams of what can be split, and whole views by their load.

    The view that routes most facts goes first, to the least loaded.
    """
    mapper = TypedMapper(AGGREGATES)
    db = open_source(log)
    counts = dict(db.execute("SELECT topic, count(*) FROM events GROUP BY topic"))
    db.close()
    processes = min(processes, MOST_PARTS, 1 + sum(counts.values()) // WORTH_A_PROCESS)
    weight = {
        view.name: sum(n for topic, n in counts.items() if mapper.class_of(topic) in view.routes)
        for view in views
    }
    split = tuple(view.name for view in views if view.by_stream and processes > 1)
    loads = [0] * processes
    dealt: list[list[str]] = [[] for _ in range(processes)]
    for name in sorted(weight.keys() - set(split), key=lambda n: (-weight[n], n)):
        least = loads.index(min(loads))
        dealt[least].append(name)
        loads[least] += weight[name]
    total = sum(counts.values())
    each = max(0, total - HEAD_START) / processes / max(1, total)
    edges = [0, *(256 - max(n, round(256 * each * n)) for n in range(processes - 1, 0, -1)), 256]
    return [Share(tuple(dealt[n]), split, edges[n], edges[n + 1]) for n in range(processes)]


@contextmanager
def helpers(source: str | Path, wanted: int) -> Iterator[list[Helper]]:
    """Processes beside this one, as many as the log is worth, that wait for a `Job` each.

    They are started before there is one: their imports take as long as thousands of facts.
    """
    worth = min(wanted, MOST_PARTS, 1 + head_of(source) // WORTH_A_PROCESS)
    started = [_started() for _ in range(worth - 1)]
    try:
        yield started
    finally:
        _end(started)


def _started() -> Helper:
    """A process of its own that folds a share of the catalog's views. It imports nothing else.

    It is told by its standard input what to do: an address may hold a password. The catalog is
    named here alone: this room folds whatever views it is given.
    """
    root = str(Path(__file__).parents[2])
    begin = (
        f"import sys; sys.path.insert(0, {root!r}); "
        "from projections.catalog import VIEWS; "
        "from projections.folding.parts import main; main(VIEWS)"
    )
    return subprocess.Popen(  # noqa: S603
        [sys.executable, "-c", begin], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )


def _give(process: Helper, job: Job) -> None:
    assert process.stdin is not None
    process.stdin.write(msgspec.json.encode(job))
    process.stdin.close()
    process.stdin = None


def _end(processes: Sequence[Helper]) -> None:
    for process in processes:
        with process:
            process.kill()


def main(views: Sequence[View]) -> None:
    """What such a process does: one `Job` as JSON. What stops it is said on standard output."""
    given = sys.stdin.buffer.read()
    if not given:  # it was not needed
        return
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    try:
        fold_part(msgspec.json.decode(given, type=Job), views)
    except StoreError as problem:
        sys.stdout.write(f"{type(problem).__name__}\n{problem.detail}")
        sys.exit(1)


def _end_with(parent: int) -> None:
    """End this process when the rebuild that started it has been killed."""
    while os.getppid() == parent:
        time.sleep(ORPHAN_SECONDS)
    os._exit(1)


def _finish(process: Helper) -> None:
    told, _ = process.communicate()
    if process.returncode != 0:
        name, _, detail = told.decode().partition("\n")
        if name:
            raise error_named(name)(detail)
        raise RuntimeError(f"a part of the rebuild ended with {process.returncode}")


@contextmanager
def parts(
    source: str | Path,
    folder: Path,
    views: Sequence[View],
    upto: Upto,
    *,
    others: Sequence[Helper],
    batch: int,
    progress: Progress | None = None,
    target: Target | None = None,
) -> Iterator[dict[str, list[Path]]]:
    """Files with the rebuilt views, by view name; removed at the end.

    This process folds the first share itself, the others are folded by `helpers`.
    """
    _sweep(folder)
    address = str(source.absolute()) if isinstance(source, Path) else source
    refuse_unknown(address, views, upto)
    with tempfile.TemporaryDirectory(prefix=f"rebuild-{os.getpid()}-", dir=folder) as scratch:
        dealt = deal(address, views, 1 + len(others))
        made: dict[str, list[Path]] = {}
        files = [Path(scratch).absolute() / f"part{n}.sqlite" for n in range(len(dealt))]
        for share, file in zip(dealt, files, strict=True):
            for name in share.names:
                made.setdefault(name, []).append(file)
        first, *rest = [
            Job(address, str(file), share, upto, batch, target)
            for share, file in zip(dealt, files, strict=True)
        ]
        busy = others[: len(rest)]
        try:
            for process, job in zip(busy, rest, strict=True):
                _give(process, job)
            fold_part(first, views, progress)
            for process in busy:
                _finish(process)
        except BaseException:
            _end(busy)  # before anybody tidies up after them
            raise
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
