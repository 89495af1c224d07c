"""Frames: runs of the log as they travel on Kafka, a partition at a time.

A frame is only a copy of the log: it says which positions of its partition it carries and which
position came before, so that whoever reads it knows whether anything is missing, and can fetch
that from the log. A frame without rows is a watermark: "complete to ``last``".
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from uuid import UUID
from zlib import crc32

import msgspec

from eventstore.errors import StoreForbidden
from eventstore.log import Log, Row
from projections.folding.partitions import partition_of
from streams.sealing import Headers

SCHEMA = b"1"
MOST_EVENTS = 500
MOST_BYTES = 512 * 1024
MOST_BYTES_ALONE = 2 * 1024 * 1024
"""A larger row is not sent: the next frame's ``previous`` names it, and it is fetched."""

PARTITIONS = 12
PARTITIONS_MARK = "partitions"


def partitions_of(log: Log) -> int:
    """How many partitions this log is cut into; the first to ask on a new log fixes it.

    Relay and workers may not: of a new log they are told what the first API process will fix.
    """
    known = log.mark(PARTITIONS_MARK)
    if known is None:
        try:
            log.set_mark(PARTITIONS_MARK, str(PARTITIONS), keep=True)
        except StoreForbidden:
            return PARTITIONS
        known = log.mark(PARTITIONS_MARK)
    assert known is not None
    return int(known)


class FrameUndecodable(ValueError):
    """The bytes are not a frame of a schema we know. Its positions can be fetched from the log."""


class Frame(msgspec.Struct, frozen=True, array_like=True):
    """Consecutive rows of one partition, and the position that was sent before them."""

    partition: int
    previous: int
    first: int
    last: int
    rows: tuple[Row, ...] = ()


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Frame).decode


def encode(frame: Frame) -> bytes:
    return _encode(frame)


def headers(frame: Frame) -> Headers:
    """What can be known of a frame without decoding it."""
    said = {"previous": frame.previous, "first": frame.first, "last": frame.last}
    return [("schema", SCHEMA), *[(name, b"%d" % at) for name, at in said.items()]]


def decode(value: bytes, given: Iterable[tuple[str, bytes]] | Mapping[str, bytes]) -> Frame:
    """The frame of a message. Raises `FrameUndecodable`."""
    schema = dict(given).get("schema")
    if schema != SCHEMA:
        raise FrameUndecodable(f"schema {schema!r}, not {SCHEMA!r}")
    try:
        frame = _decode(value)
    except msgspec.MsgspecError as problem:
        raise FrameUndecodable(str(problem)) from problem
    if frame.rows and (frame.rows[0][0], frame.rows[-1][0]) != (frame.first, frame.last):
        raise FrameUndecodable(f"rows are not those of {frame.first}…{frame.last}")
    return frame


class _Where(msgspec.Struct):
    division: str


class _Fact(msgspec.Struct):
    meta: _Where


class Router:
    """Knows the partition of a stored row by decoding nothing but its ``meta.division``.

    A row that cannot be read goes to the partition of its stream's other rows: it will be parked,
    and later facts of the stream have to park behind it.
    """

    def __init__(self, log: Log, partitions: int) -> None:
        self._log = log
        self.partitions = partitions
        self._decode: Callable[[bytes], _Fact] = msgspec.json.Decoder(_Fact).decode

    def partition_of(self, row: Row) -> int:
        found = self._read(row[4])
        return self._of_stream(row[1]) if found is None else found

    def _read(self, state: bytes) -> int | None:
        try:
            return partition_of(self._decode(state).meta.division, self.partitions)
        except ValueError:  # msgspec's and UUID's
            return None

    def _of_stream(self, stream: bytes) -> int:
        for row in self._log.stream_rows(UUID(bytes=stream)):
            found = self._read(row[4])
            if found is not None:
                return found
        return crc32(stream) % self.partitions


class Framer:
    """Cuts rows of the log, in order, into frames; ``sent`` is how far each partition has come."""

    def __init__(self, router: Router, sent: Mapping[int, int]) -> None:
        self._router = router
        self.sent = {n: sent.get(n, 0) for n in range(router.partitions)}

    def cut(self, rows: Sequence[Row]) -> list[Frame]:
        """The frames of these rows, each partition's in the order of the log."""
        parts: dict[int, list[Row]] = {}
        for row in rows:
            parts.setdefault(self._router.partition_of(row), []).append(row)
        return [frame for n, part in parts.items() for frame in self._cut_part(n, part)]

    def _cut_part(self, partition: int, rows: Sequence[Row]) -> Iterable[Frame]:
        run: list[Row] = []
        size = 0
        for row in rows:
            weight = len(row[4])
            if run and (len(run) == MOST_EVENTS or size + weight > MOST_BYTES):
                yield self._frame(partition, run)
                run, size = [], 0
            if weight > MOST_BYTES_ALONE:
                self.sent[partition] = row[0]
                continue
            run.append(row)
            size += weight
        if run:
            yield self._frame(partition, run)

    def _frame(self, partition: int, rows: Sequence[Row]) -> Frame:
        frame = Frame(partition, self.sent[partition], rows[0][0], rows[-1][0], tuple(rows))
        self.sent[partition] = frame.last
        return frame

    def watermarks(self, upto: int) -> list[Frame]:
        """One for each partition: all that it has up to this position has been sent."""
        found = [Frame(n, sent, upto, upto) for n, sent in self.sent.items()]
        self.sent = dict.fromkeys(self.sent, upto)
        return found
