"""Frames that come again, late, too early, broken or never: the tables are those of the follower.

Without Kafka: what applies frames alone, so that nothing but frames brings the views on.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from functools import lru_cache
from random import Random
from types import SimpleNamespace

import pytest

from domain.catalog import AGGREGATES
from eventstore.errors import StoreLocked
from eventstore.log import Row
from eventstore.mapper import TypedMapper
from eventstore.postgres import PostgresLog
from eventstore.store import Recorded
from projections.catalog import VIEWS
from projections.folding.engine import ViewsDatabase
from streams import applying
from streams.applying import LOOK_SECONDS, Applying, GivenUp, Message, Run, Unread, runs
from streams.frames import PARTITIONS, Frame, Framer, Router, encode, headers
from streams.sealing import Seal, keep_seal, seal_of
from tests.cluster.relaying import SECRET, cut_off, urls
from tests.cluster.workers import city, frames_of
from tests.faults import FULL, count
from tests.oracles import tables_of
from tests.projections.partitions import hashes_of
from tests.servers import Database

ROWS = 1_200
SEEDS = range(count(2, 30))
WINDOW = 1_000
"""Facts between which frames change places."""


@lru_cache(maxsize=1)
def facts() -> tuple[tuple[Row, ...], dict[str, str]]:
    """The first facts of the city, which are of all its counties, and their tables."""
    rows = city()[0] if FULL else city()[0][:ROWS]
    decode = TypedMapper(AGGREGATES).decode
    return rows, hashes_of(VIEWS, [Recorded(r[0], decode(r[3], r[4])) for r in rows])


SEAL = Seal.made("unnamed/1", SECRET)
"""Of the tests' log, which no process has given a birth mark."""


class Hand:
    """A clock that goes on when it is told to."""

    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds

    def go_on(self, seconds: float) -> None:
        self.seconds += seconds


@contextmanager
def place(
    database: Database, rows: Sequence[Row], *, sealed: bool = True
) -> Iterator[SimpleNamespace]:
    """Log, views and what applies on a database of their own; the log holds these facts."""
    made, clock = urls(database), Hand()
    with ExitStack() as stack:
        log = PostgresLog(made.database)
        stack.callback(log.close)
        if sealed:
            keep_seal(log, SECRET)
        with log.transaction() as db:
            log.append(db, rows)
        views = ViewsDatabase(made.views, VIEWS, PARTITIONS)
        stack.callback(views.close)
        router = Router(log, PARTITIONS)
        yield SimpleNamespace(
            log=log,
            views=views,
            router=router,
            clock=clock,
            applier=Applying(log, views, router, clock=clock),
        )


@pytest.fixture
def there(postgres_database: Database) -> Iterator[SimpleNamespace]:
    with place(postgres_database, facts()[0]) as found:
        yield found


def message(frame: Frame, seal: Seal | None = SEAL) -> Message:
    """As the relay would send it."""
    assert seal is not None
    value = encode(frame)
    return Message(value, seal.on(value, headers(frame)))


def broken(frame: Frame, dice: Random) -> Message:
    """A frame that nobody can read: its bytes, its schema, its partition or all of its header."""
    whole, given = encode(frame), list(message(frame).headers)
    return dice.choice(
        [
            Message(whole[: len(whole) // 2], given),
            Message(whole, [("schema", b"99"), *given[1:]]),
            Message(encode(Frame(frame.partition + 1, *_rest(frame))), given),
            Message(b"", []),
        ]
    )


def _rest(frame: Frame) -> tuple[int, int, int, tuple[Row, ...]]:
    return frame.previous, frame.first, frame.last, frame.rows


def shuffled(frames: list[Frame], dice: Random) -> list[Frame]:
    """Each one to five times, at most a window away from its place; some never."""
    placed = [
        (frame.last + dice.uniform(0, WINDOW), frame)
        for frame in frames
        for _ in range(dice.randint(1, 5))
        if not frame.rows or dice.random() > 0.02
    ]
    return [frame for _, frame in sorted(placed, key=lambda pair: pair[0])]


@pytest.mark.parametrize("seed", SEEDS)
def test_frames_repeated_shuffled_lost_and_broken_make_the_same_tables(
    there: SimpleNamespace, seed: int
) -> None:
    dice = Random(seed)
    rows, tables = facts()
    waiting: dict[int, list[Message]] = defaultdict(list)
    for frame in shuffled(frames_of(there.router, rows), dice):
        whole = message(frame) if dice.random() > 0.02 else broken(frame, dice)
        waiting[frame.partition].append(whole)
        if dice.random() < 0.3:
            there.applier.apply(frame.partition, waiting.pop(frame.partition))
    for partition, messages in waiting.items():
        there.applier.apply(partition, messages)
    assert there.views.position() == rows[-1][0], f"seed {seed}"
    assert tables_of(there.views) == tables, f"seed {seed}"


def test_threads_on_connections_of_their_own_make_the_same_tables(there: SimpleNamespace) -> None:
    rows, tables = facts()
    waiting: dict[int, list[Message]] = defaultdict(list)
    for one in frames_of(there.router, rows):
        waiting[one.partition].append(message(one))
    with closing(there.views.beside()) as other, ThreadPoolExecutor(2) as threads:
        applier = Applying(there.log, there.views, there.router, [other])
        list(threads.map(applier.apply, waiting, waiting.values()))
        assert applier.trouble is None and not applier.stuck_seconds()
    assert set(applier.positions.values()) == {rows[-1][0]}
    assert tables_of(there.views) == tables


def test_a_partition_is_brought_on_from_the_log_alone(there: SimpleNamespace) -> None:
    rows, tables = facts()
    there.applier.catch_up(range(PARTITIONS))
    assert there.views.position() == rows[-1][0]
    assert tables_of(there.views) == tables
    assert set(there.applier.positions.values()) == {rows[-1][0]}


def test_what_an_unreadable_frame_carried_is_read_from_the_log(there: SimpleNamespace) -> None:
    frames = [f for f in frames_of(there.router, facts()[0]) if f.rows]
    busiest, _ = Counter(f.partition for f in frames).most_common(1)[0]
    first, *_, last = [f for f in frames if f.partition == busiest]
    there.applier.apply(first.partition, [Message(b"\xc1", headers(first))])
    assert there.views.position(first.partition) == first.last
    there.applier.apply(last.partition, [Message(b"", [])])
    assert there.views.position(last.partition) == facts()[0][-1][0]


def row(position: int) -> Row:
    return position, bytes(16), position, "Unit.WentOnDuty", b"{}"


def frame(previous: int, *positions: int) -> Frame:
    return Frame(0, previous, positions[0], positions[-1], tuple(row(p) for p in positions))


def joined(*frames: Frame) -> list[tuple[int, int, list[int]]]:
    found = runs(0, [message(one) for one in frames], SEAL)
    return [(r.previous, r.last, [x[0] for x in r.rows]) for r in found if isinstance(r, Run)]


def test_frames_that_follow_each_other_are_folded_together() -> None:
    assert joined(frame(0, 2, 3), frame(3, 5), Frame(0, 5, 9, 9)) == [(0, 9, [2, 3, 5])]


def test_a_repeated_frame_adds_nothing() -> None:
    assert joined(frame(0, 2, 3), frame(0, 2, 3), frame(2, 3, 5)) == [(0, 5, [2, 3, 5])]


def test_what_an_older_frame_carries_is_not_taken_for_known() -> None:
    """Joined in the wrong place it would claim facts that it does not have."""
    assert joined(frame(5, 7), frame(0, 2, 5)) == [(5, 7, [7]), (0, 5, [2, 5])]
    assert joined(frame(0, 2), frame(5, 7)) == [(0, 2, [2]), (5, 7, [7])]


def test_a_transaction_does_not_grow_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(applying, "MOST_ROWS_TOGETHER", 3)
    found = joined(frame(0, 1, 2), frame(2, 3, 4), frame(4, 5), Frame(0, 5, 9, 9))
    assert found == [(0, 4, [1, 2, 3, 4]), (4, 9, [5])]


def test_an_unreadable_frame_says_how_far_it_went_if_its_header_does() -> None:
    found = list(runs(0, [Message(b"\xc1", headers(frame(0, 7))), Message(b"", [])], SEAL))
    assert found == [Unread(7), Unread(None)]


def test_a_locked_database_is_waited_for_and_a_stopping_worker_does_not_wait(
    there: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[int] = []
    apply_frame = there.views.apply_frame

    def locked_twice(*given: object) -> object:
        tried.append(1)
        if len(tried) < 3:
            raise StoreLocked("views")
        return apply_frame(*given)

    monkeypatch.setattr(there.views, "apply_frame", locked_twice)
    there.applier.apply(0, [message(Frame(0, 0, 1, 1))])
    assert len(tried) == 3 and there.applier.trouble is None
    tried.clear()
    there.applier.give_up()
    with pytest.raises(GivenUp):
        there.applier.apply(0, [message(Frame(0, 0, 2, 2))])
    assert isinstance(there.applier.trouble, StoreLocked)


# -- a frame is a copy, never authority -----------------------------------------------------------

BEGUN = 600
"""Facts that the views have when somebody lies about those that follow."""
HEAD = 1_000
RECEIVED = 528
"""The row of the city's facts by which a storekeeper receives goods."""


def false_row(position: int) -> Row:
    """Goods that nobody has received, as a fact."""
    _, stream, _, topic, state = city()[0][RECEIVED]
    assert topic.startswith("Stockpile.Received")
    return position, stream, 10_000, topic, state


def partition_of_false(there: SimpleNamespace) -> int:
    found: int = there.router.partition_of(false_row(1))
    return found


def unsealed(frame: Frame) -> Message:
    return Message(encode(frame), headers(frame))


def sealed_by_another(frame: Frame) -> Message:
    return message(frame, Seal.made(SEAL.lineage, b"guessed"))


def with_the_seal_of_another_frame(frame: Frame) -> Message:
    return Message(encode(frame), message(Frame(frame.partition, 0, 1, 1)).headers)


def with_changed_headers(frame: Frame) -> Message:
    given = dict(message(frame).headers) | {"last": b"%d" % (frame.last + 1)}
    return Message(encode(frame), list(given.items()))


FORGERIES = [
    unsealed,
    sealed_by_another,
    with_the_seal_of_another_frame,
    with_changed_headers,
]


def relayed(there: SimpleNamespace, rows: Sequence[Row], sent: int = 0) -> None:
    """Append these facts, and apply their frames as a relay would send them."""
    with there.log.transaction() as db:
        there.log.append(db, rows)
    framer = Framer(there.router, dict.fromkeys(range(PARTITIONS), sent))
    for one in [*framer.cut(rows), *framer.watermarks(rows[-1][0])]:
        there.applier.apply(one.partition, [message(one, seal_of(there.log))])


def tables_made_of(rows: Sequence[Row]) -> dict[str, str]:
    decode = TypedMapper(AGGREGATES).decode
    return hashes_of(VIEWS, [Recorded(r[0], decode(r[3], r[4])) for r in rows])


@pytest.mark.parametrize("forged", FORGERIES, ids=lambda one: one.__name__)
def test_forged_frames_before_and_beyond_the_head_change_nothing(
    postgres_database: Database, forged: Callable[[Frame], Message]
) -> None:
    """H2: the board showed what one frame said, and the next command never reached it."""
    rows = city()[0]
    with place(postgres_database, rows[:0]) as there:
        relayed(there, rows[:BEGUN])
        with there.log.transaction() as db:
            there.log.append(db, rows[BEGUN:HEAD])
        p = partition_of_false(there)
        before = Frame(p, BEGUN, BEGUN + 1, HEAD, (false_row(BEGUN + 1), false_row(HEAD)))
        beyond = Frame(p, HEAD, HEAD + 1, HEAD + 2, (false_row(HEAD + 1), false_row(HEAD + 2)))
        mark = Frame(p, HEAD, HEAD + 500, HEAD + 500)
        for one in (before, beyond, mark):
            there.applier.apply(p, [forged(one)])
            assert there.views.position(p) <= HEAD
        there.applier.catch_up(range(PARTITIONS))
        assert tables_of(there.views) == tables_made_of(rows[:HEAD])
        relayed(there, rows[HEAD:ROWS], HEAD)
        assert there.views.position() == ROWS
        assert tables_of(there.views) == tables_made_of(rows[:ROWS])


def test_a_sealed_frame_beyond_the_head_is_not_folded_either(
    postgres_database: Database,
) -> None:
    """The relay had sent a tail that the log has lost since, and nobody has said so yet."""
    rows = city()[0]
    with place(postgres_database, rows[:0]) as there:
        relayed(there, rows[:HEAD])
        p = partition_of_false(there)
        lost = Frame(p, HEAD, HEAD + 1, HEAD + 1, (false_row(HEAD + 1),))
        there.applier.apply(p, [message(lost), message(Frame(p, HEAD, HEAD + 9, HEAD + 9))])
        assert there.views.position(p) == HEAD
        relayed(there, rows[HEAD:ROWS], HEAD)
        assert tables_of(there.views) == tables_made_of(rows[:ROWS])


def test_frames_of_another_epoch_are_not_folded(postgres_database: Database) -> None:
    """H1: frames of lost facts fit on behind the head of the log that was put back."""
    rows = city()[0]
    with place(postgres_database, rows[:0]) as there:
        relayed(there, rows[:BEGUN])
        with there.log.transaction() as db:
            there.log.append(db, rows[BEGUN:HEAD])
        there.log.set_mark("epoch", "2-restored")
        keep_seal(there.log, SECRET)
        there.clock.go_on(LOOK_SECONDS)
        p = partition_of_false(there)
        lost = Frame(p, BEGUN, BEGUN + 1, HEAD, (false_row(BEGUN + 1), false_row(HEAD)))
        there.applier.apply(p, [message(lost)])
        there.applier.catch_up(range(PARTITIONS))
        assert there.views.position() == HEAD
        assert tables_of(there.views) == tables_made_of(rows[:HEAD])


def test_frames_without_a_seal_from_before_an_upgrade_are_read_from_the_log(
    postgres_database: Database,
) -> None:
    """Views and frames of an older program: nothing is remade, nothing is missed."""
    rows = city()[0]
    with place(postgres_database, rows[:HEAD], sealed=False) as there:
        generations = {live.view: live.generation for live in there.views.live()}
        for one in frames_of(there.router, rows[:BEGUN]):
            there.views.apply_frame(one.partition, one.previous, one.last, one.rows)
        for one in frames_of(there.router, rows[:HEAD]):
            there.applier.apply(one.partition, [unsealed(one)])
        assert there.views.position() == HEAD
        assert {live.view: live.generation for live in there.views.live()} == generations
        assert tables_of(there.views) == tables_made_of(rows[:HEAD])


def test_a_log_put_back_under_a_living_worker_is_noticed(postgres_database: Database) -> None:
    """Also by hand and without a new epoch: the views stand beyond its head."""
    rows = city()[0]
    with place(postgres_database, rows[:0]) as there:
        wrong = [*rows[:BEGUN], *[false_row(n) for n in range(BEGUN + 1, BEGUN + 2)]]
        relayed(there, wrong)
        assert tables_of(there.views) != tables_made_of(rows[:BEGUN])
        cut_off(postgres_database, BEGUN)
        there.clock.go_on(LOOK_SECONDS)
        there.applier.catch_up(range(PARTITIONS))
        assert tables_of(there.views) == tables_made_of(rows[:BEGUN])
        relayed(there, rows[BEGUN:HEAD], BEGUN)
        assert tables_of(there.views) == tables_made_of(rows[:HEAD])
