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
from uuid import UUID

import msgspec

from domain.base import Event
from domain.catalog import AGGREGATES
from eventstore.errors import (
    StoreDamaged,
    StoreError,
    StoreForbidden,
    StoreFull,
    StoreLocked,
    StoreOutOfHandles,
    StoreReadOnly,
    StoreUnreachable,
    UnknownTopic,
)
from eventstore.mapper import TypedMapper
from eventstore.source import head_of, open_source, pages
from eventstore.sql import DATABASE_ERRORS, explain
from projections.catalog import VIEWS
from projections.folding.base import Handlers, Rows, View, routed
from projections.folding.engine import fold
from projections.folding.errors import CannotFold
from projections.folding.parking import Dropped, is_poison
from projections.folding.part_files import PartFile, Target
from projections.folding.partitions import partition_of

BATCH = 4096
MOST_PARTS = 8
ORPHAN_SECONDS = 0.5
STOPS: dict[str, type[StoreError]] = {
    kind.__name__: kind
    for kind in (
        *(CannotFold, StoreDamaged, StoreForbidden, StoreFull, StoreLocked, StoreReadOnly),
        *(StoreOutOfHandles, StoreUnreachable, UnknownTopic),
    )
}
"""What a process says when it cannot go on."""
WORTH_A_PROCESS = 20_000
"""Facts that are folded in the time in which a process starts."""
HEAD_START = 30_000
"""Facts of the split views that the first process, which need not start, folds in that time."""

Progress = Callable[[int], None]
"""Told the log position that has been folded so far."""
Facts = list[tuple[int, Event]]
Hand = subprocess.Popen[bytes]


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

    @property
    def all(self) -> int:
        """Up to here every view has every fact."""
        return min((at for by in self.positions.values() for at in by.values()), default=0)

    @property
    def any(self) -> int:
        return max((at for by in self.positions.values() for at in by.values()), default=0)

    def has(self, view: str, position: int, division: UUID | str) -> bool:
        """Whether the view has folded the division's fact at the position."""
        by = self.positions[view]
        at = by[partition_of(division, len(by))]
        return position <= at and (view, position) not in self.without


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


def fold_part(job: Job, views: Sequence[View] = VIEWS, progress: Progress | None = None) -> None:
    """Fold a share of the views from the log's begin into a new file. Raises `CannotFold`."""
    with _uncollected():
        try:
            _fold_part(job, views, progress)
        except StoreError:
            raise
        except DATABASE_ERRORS as problem:
            if not is_poison(problem):
                raise explain(problem) from problem
            raise _cannot_fold(problem) from problem
        except Exception as problem:
            raise _cannot_fold(problem) from problem


def _cannot_fold(problem: Exception) -> CannotFold:
    where = ", ".join(getattr(problem, "__notes__", ()))
    return CannotFold(f"{where}: {type(problem).__name__}: {problem}")


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


def _fold_part(job: Job, views: Sequence[View], progress: Progress | None) -> None:
    whole = [view for view in views if view.name in job.share.whole]
    split = [view for view in views if view.name in job.share.split]
    folds = _Fold(whole, job.upto), _Fold(split, job.upto)
    with closing(PartFile(job.file, [*whole, *split], job.target)) as part:
        for facts in _shared(job, *folds):
            for each, batch_facts in zip(folds, facts, strict=True):
                each(part.rows, batch_facts)
            if progress is not None:
                progress(max((some[-1][0] for some in facts if some), default=0))
            part.relieve()
        part.finish()


class _Fold:
    """Some views' handlers, and which facts not all of these views have."""

    def __init__(self, views: Sequence[View], upto: Upto) -> None:
        self.views, self._upto = views, upto
        self._all = routed(views)
        self._from = upto.all
        self._holes = {position for _, position in upto.without}
        self._some: dict[tuple[str, ...], Handlers] = {}

    def __call__(self, rows: Rows, facts: Facts) -> None:
        if not facts:
            return
        if facts[-1][0] <= self._from and self._holes.isdisjoint([at for at, _ in facts]):
            fold(rows, self._all, facts)
            return
        for fact in facts:
            fold(rows, self._handlers(*fact), (fact,))

    def _handlers(self, position: int, event: Event) -> Handlers:
        if position <= self._from and position not in self._holes:
            return self._all
        has, division = self._upto.has, event.meta.division
        these = tuple(view for view in self.views if has(view.name, position, division))
        names = tuple(view.name for view in these)
        if names not in self._some:
            self._some[names] = routed(these)
        return self._some[names]

    def given_up(self, position: int, event_class: type[Event] | None) -> bool:
        """Whether every view that routes it leaves this fact out, so that none need decode it."""
        return position in self._holes and all(
            (view.name, position) in self._upto.without
            for view in self.views
            if event_class in view.routes
        )


def _topics(mapper: TypedMapper, views: Sequence[View]) -> set[str]:
    wanted = {event_class for view in views for event_class in view.routes}
    return {topic for topic in mapper.topics() if mapper.class_of(topic) in wanted}


def _shared(job: Job, whole: _Fold, split: _Fold) -> Iterator[tuple[Facts, Facts]]:
    """The log's facts of a share, in order, in batches: for its whole and for its split views."""
    mapper = TypedMapper(AGGREGATES, text_ids=True)
    of_whole, of_split = _topics(mapper, whole.views), _topics(mapper, split.views)
    share = job.share
    streams = bytes([share.low]), bytes([share.high]) if share.high < 256 else b"\xff" * 17
    mine = "stream >= ? AND stream < ?"
    marks = ",".join("?" * len(of_whole)) or "NULL"
    db = open_source(job.source)
    found = pages(
        db,
        0,
        job.upto.any,
        job.batch,
        columns=f"position, topic, state, {mine}",
        given=streams,
        where=f"AND (({mine}) OR topic IN ({marks}))",
        bound=(*streams, *of_whole),
    )
    decode, class_of = mapper.decode, mapper.class_of
    holes = {position for _, position in job.upto.without}
    try:
        for rows in found:
            wholes: Facts = []
            splits: Facts = []
            for position, topic, state, its_mine in rows:
                wanted, in_split = topic in of_whole, its_mine and topic in of_split
                if position in holes:
                    kind = class_of(topic)
                    wanted = wanted and not whole.given_up(position, kind)
                    in_split = in_split and not split.given_up(position, kind)
                if wanted or in_split:
                    fact = (position, decode(topic, state))
                    if wanted:
                        wholes.append(fact)
                    if in_split:
                        splits.append(fact)
            yield wholes, splits
    finally:
        db.close()


def facts_of(source: str | Path, views: Sequence[View], after: int, upto: int) -> Iterator[Facts]:
    """The log's facts that these views route, in order, in batches."""
    mapper = TypedMapper(AGGREGATES, text_ids=True)
    topics = _topics(mapper, views)
    db = open_source(source)
    try:
        for rows in pages(db, after, upto, BATCH):
            yield [(p, mapper.decode(topic, state)) for p, topic, state in rows if topic in topics]
    finally:
        db.close()


def refuse_unknown(source: str | Path, views: Sequence[View], upto: Upto) -> None:
    """Raise `CannotFold` if the log holds a fact of a type that nobody knows or has given up."""
    mapper = TypedMapper(AGGREGATES)
    db = open_source(source)
    try:
        topics = [topic for (topic,) in db.execute("SELECT DISTINCT topic FROM events")]
        for unknown in set(topics) - set(mapper.topics()):
            sql = "SELECT position FROM events WHERE topic = ? AND position <= ?"
            for (position,) in db.execute(sql, (unknown, upto.any)).fetchall():
                if not all((view.name, position) in upto.without for view in views):
                    raise CannotFold(f"{unknown} at {position}: an unknown type")
    finally:
        db.close()


def deal(log: str | Path, views: Sequence[View], hands: int) -> list[Share]:
    """A share for each process: the streams of what can be split, and whole views by their load.

    The view that routes most facts goes first, to the least loaded.
    """
    mapper = TypedMapper(AGGREGATES)
    db = open_source(log)
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
    each = max(0, total - HEAD_START) / hands / max(1, total)
    edges = [0, *(256 - max(n, round(256 * each * n)) for n in range(hands - 1, 0, -1)), 256]
    return [Share(tuple(dealt[n]), split, edges[n], edges[n + 1]) for n in range(hands)]


@contextmanager
def hands(source: str | Path, wanted: int) -> Iterator[list[Hand]]:
    """Processes beside this one, as many as the log is worth, that wait for a `Job` each.

    They are started before there is one: their imports take as long as thousands of facts.
    """
    worth = min(wanted, MOST_PARTS, 1 + head_of(source) // WORTH_A_PROCESS)
    started = [_started() for _ in range(worth - 1)]
    try:
        yield started
    finally:
        _end(started)


def _started() -> Hand:
    """A process of its own that folds a share of the catalog's views. It imports nothing else.

    It is told by its standard input what to do: an address may hold a password.
    """
    root = str(Path(__file__).parents[2])
    begin = (
        f"import sys; sys.path.insert(0, {root!r}); "
        "from projections.folding.parts import main; main()"
    )
    return subprocess.Popen(  # noqa: S603
        [sys.executable, "-c", begin], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )


def _give(process: Hand, job: Job) -> None:
    assert process.stdin is not None
    process.stdin.write(msgspec.json.encode(job))
    process.stdin.close()
    process.stdin = None


def _end(processes: Sequence[Hand]) -> None:
    for process in processes:
        with process:
            process.kill()


def main() -> None:
    """What such a process does: one `Job` as JSON. What stops it is said on standard output."""
    given = sys.stdin.buffer.read()
    if not given:  # it was not needed
        return
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    try:
        fold_part(msgspec.json.decode(given, type=Job))
    except StoreError as problem:
        sys.stdout.write(f"{type(problem).__name__}\n{problem.detail}")
        sys.exit(1)


def _end_with(parent: int) -> None:
    """Nobody takes over what a process folds whose rebuild has been killed."""
    while os.getppid() == parent:
        time.sleep(ORPHAN_SECONDS)
    os._exit(1)


def _finish(process: Hand) -> None:
    told, _ = process.communicate()
    if process.returncode != 0:
        name, _, detail = told.decode().partition("\n")
        if name:
            raise STOPS.get(name, StoreError)(detail)
        raise RuntimeError(f"a part of the rebuild ended with {process.returncode}")


@contextmanager
def parts(
    source: str | Path,
    folder: Path,
    views: Sequence[View],
    upto: Upto,
    *,
    others: Sequence[Hand],
    batch: int,
    progress: Progress | None = None,
    target: Target | None = None,
) -> Iterator[dict[str, list[Path]]]:
    """Files with the rebuilt views, by view name; removed at the end.

    This process folds the first share itself, the others are folded by other `hands`.
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
