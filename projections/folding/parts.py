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
from projections.folding.facts import Fact, PartitionOf, Takes, decoded, fact_of, is_poison
from projections.folding.fold import Folding, Routing, cannot_fold
from projections.folding.part_files import PartFile, Target

BATCH = 4096
MOST_PARTS = 8
ORPHAN_SECONDS = 0.5
WORTH_A_PROCESS = 20_000
"""A process takes as long to start as to fold so many facts; for fewer it is not started."""
HEAD_START = 30_000
"""The first process need not be started: so many facts of the split views it has folded before the
others begin. Its share is larger by as much."""

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


class Job(msgspec.Struct, frozen=True):
    """What one process folds, of which log, into which file or tables."""

    source: str
    file: str
    share: Share
    takes: Takes
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
    foldings = [Folding(Routing(some), job.takes) for some in (whole, split)]
    with closing(PartFile(job.file, [*whole, *split])) as part:
        for shared in _shared(job, whole, split):
            for folding, facts in zip(foldings, shared, strict=True):
                if facts:
                    folding.run(part.rows, facts)
            if progress is not None:
                progress(max((facts[-1].position for facts in shared if facts), default=0))
            part.relieve()
        part.finish(job.target)


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
            job.takes.highest(),
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
    of: PartitionOf,
) -> Iterator[Facts]:
    """The log's facts that these views route, and those of types that nobody knows; in order, in
    batches."""
    unread = sorted(set(mapper.topics()) - _topics(mapper, views))
    columns = "position, stream, version, topic, state"
    where = f"AND topic NOT IN ({','.join('?' * len(unread))})" if unread else ""
    with closing(open_source(source)) as db:
        for rows in pages(db, after, upto, BATCH, columns=columns, where=where, bound=unread):
            yield decoded(mapper, rows, of)


def refuse_unknown(source: str | Path, views: Sequence[View], takes: Takes) -> None:
    """Raise `CannotFold` if the log holds a fact of a type that nobody knows or has given up."""
    known = set(TypedMapper(AGGREGATES).topics())
    with closing(open_source(source)) as db:
        topics = [topic for (topic,) in db.execute("SELECT DISTINCT topic FROM events")]
        for unknown in set(topics) - known:
            sql = "SELECT position FROM events WHERE topic = ? AND position <= ?"
            for (position,) in db.execute(sql, (unknown, takes.highest())).fetchall():
                if not all((view.name, position) in takes.without for view in views):
                    raise CannotFold(f"{unknown} at {position}: an unknown type")


def deal(log: str | Path, views: Sequence[View], processes: int) -> list[Share]:
    """A share for each process: the streams of what can be split, and whole views by their load.

    The view that routes most facts goes first, to the least loaded.
    """
    mapper = TypedMapper(AGGREGATES)
    with closing(open_source(log)) as db:
        counts = dict(db.execute("SELECT topic, count(*) FROM events GROUP BY topic"))
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

    What to do is written to its standard input, not to its command line, which others can read:
    an address may hold a password. Only this line knows of the catalog; all else in this folder
    folds whatever views it is given.
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
    takes: Takes,
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
    refuse_unknown(address, views, takes)
    with tempfile.TemporaryDirectory(prefix=f"rebuild-{os.getpid()}-", dir=folder) as scratch:
        dealt = deal(address, views, 1 + len(others))
        jobs = [
            Job(
                address,
                str(Path(scratch).absolute() / f"part{n}.sqlite"),
                share,
                takes,
                batch,
                target,
            )
            for n, share in enumerate(dealt)
        ]
        made = {
            view.name: [Path(job.file) for job in jobs if view.name in job.share.names]
            for view in views
        }
        first, *rest = jobs
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
