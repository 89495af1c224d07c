"""Frames carry the log's rows unchanged, in order, within their limits, and nothing else."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from random import Random
from uuid import UUID, uuid5

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.catalog import AGGREGATES
from eventstore.log import Row
from eventstore.mapper import TypedMapper
from eventstore.sqlite import SQLiteLog
from projections.folding.partitions import partition_of
from streams.frames import (
    MOST_BYTES,
    MOST_BYTES_ALONE,
    MOST_EVENTS,
    PARTITIONS,
    SCHEMA,
    Frame,
    Framer,
    FrameUndecodable,
    Router,
    decode,
    encode,
    headers,
    partitions_of,
)
from tests.cluster.relaying import COUNTIES, Town, parts_of, rows_of, state
from tests.golden.files import FOLDER, read

STREAM = uuid5(COUNTIES[0], "stream")


@pytest.fixture
def log(tmp_path: Path) -> Iterator[SQLiteLog]:
    log = SQLiteLog(tmp_path / "log.sqlite")
    yield log
    log.close()


def row(position: int, size: int = 0, county: UUID = COUNTIES[0], stream: UUID = STREAM) -> Row:
    return position, stream.bytes, position, "Unit.WentOnDuty", state(county, "x" * size)


def framer(log: SQLiteLog, partitions: int = 1) -> Framer:
    return Framer(Router(log, partitions), {})


def chained(frames: Sequence[Frame], previous: int = 0) -> bool:
    """Whether each frame names the one before it."""
    for frame in frames:
        if frame.previous != previous:
            return False
        previous = frame.last
    return True


def test_a_frame_survives_its_journey() -> None:
    frame = Frame(3, 5, 7, 9, (row(7), row(9)))
    assert decode(encode(frame), headers(frame)) == frame
    assert dict(headers(frame)) == {
        "schema": SCHEMA,
        "previous": b"5",
        "first": b"7",
        "last": b"9",
    }
    mark = Frame(3, 9, 12, 12)
    assert decode(encode(mark), dict(headers(mark))) == mark
    assert not mark.rows
    assert frame.rows


@pytest.mark.parametrize(
    ("value", "schema"),
    [
        (b"", SCHEMA),
        (b"\xc1 not msgpack", SCHEMA),
        (encode(Frame(0, 0, 1, 1, (row(1),)))[:-1], SCHEMA),
        (encode(Frame(0, 0, 1, 2, (row(1),))), SCHEMA),
        (encode(Frame(0, 0, 1, 1)), b"2"),
        (encode(Frame(0, 0, 1, 1)), None),
    ],
)
def test_what_is_not_a_frame_is_refused(value: bytes, schema: bytes | None) -> None:
    with pytest.raises(FrameUndecodable):
        decode(value, [] if schema is None else [("schema", schema)])


@given(st.binary(max_size=60))
def test_no_bytes_make_the_decoder_raise_anything_else(value: bytes) -> None:
    with suppress(FrameUndecodable):
        decode(value, [("schema", SCHEMA)])


def test_each_partition_gets_its_rows_in_order_and_a_chain_without_gaps(log: SQLiteLog) -> None:
    Town().grow(log, 3_000)
    cutter, dice = framer(log, 4), Random(1)
    rows, frames = rows_of(log), []
    while rows:
        taken = dice.randrange(1, 900)
        frames += cutter.cut(rows[:taken])
        if dice.random() < 0.5:
            frames += cutter.watermarks(rows[:taken][-1][0])
        rows = rows[taken:]
    for partition, wanted in parts_of(log, 4).items():
        own = [frame for frame in frames if frame.partition == partition]
        assert [one for frame in own for one in frame.rows] == wanted
        assert chained(own)


def test_a_frame_holds_at_most_so_many_events(log: SQLiteLog) -> None:
    frames = framer(log).cut([row(n) for n in range(1, 2 * MOST_EVENTS + 2)])
    assert [len(frame.rows) for frame in frames] == [MOST_EVENTS, MOST_EVENTS, 1]


def test_a_frame_holds_at_most_so_many_bytes_unless_one_row_has_more(log: SQLiteLog) -> None:
    third = MOST_BYTES // 3
    sizes = [third, third, third, 2 * MOST_BYTES, 10]
    frames = framer(log).cut([row(n, size) for n, size in enumerate(sizes, start=1)])
    assert [len(frame.rows) for frame in frames] == [2, 1, 1, 1]
    assert chained(frames)


def test_a_row_too_large_for_a_message_is_named_by_the_next_frame_as_missing(
    log: SQLiteLog,
) -> None:
    cutter = framer(log)
    frames = cutter.cut([row(1), row(2, MOST_BYTES_ALONE), row(3)])
    assert [(frame.previous, frame.first, frame.last) for frame in frames] == [(0, 1, 1), (2, 3, 3)]
    cutter.cut([row(4, MOST_BYTES_ALONE)])
    assert [mark.previous for mark in cutter.watermarks(4)] == [4]


def test_the_router_agrees_with_the_decoded_fact(log: SQLiteLog) -> None:
    mapper, router = TypedMapper(AGGREGATES), Router(log, 12)
    count = 0
    for fact in (fact for path in sorted(FOLDER.glob("*.json")) for fact in read(path)):
        stored = bytes(fact.state)
        division = mapper.decode(fact.topic, stored).meta.division
        found = router.partition_of((1, STREAM.bytes, 1, fact.topic, stored))
        assert found == partition_of(division, 12)
        count += 1
    assert count > 150


def test_a_row_that_cannot_be_read_goes_where_its_stream_goes(log: SQLiteLog) -> None:
    with log.transaction() as db:
        log.append(db, [row(1, county=COUNTIES[3])])
    router = Router(log, 12)
    for bad in (b"", b"\xff\xfe", b'{"meta":{}}', b'{"meta":{"division":"here"}}', b"[1]"):
        found = router.partition_of((2, STREAM.bytes, 2, "Unit.WentOnDuty", bad))
        assert found == partition_of(COUNTIES[3], 12)
    alone = uuid5(STREAM, "alone")
    assert 0 <= router.partition_of((3, alone.bytes, 1, "Unit.WentOnDuty", b"")) < 12


def test_the_number_of_partitions_is_fixed_by_the_first_to_ask(log: SQLiteLog) -> None:
    assert partitions_of(log) == PARTITIONS
    log.set_mark("partitions", "5")
    assert partitions_of(log) == 5
