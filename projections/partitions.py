"""Which partition carries a county's facts and owns its rows. Fixed at a store's first start."""

from uuid import UUID
from zlib import crc32

from eventstore.log import Log

PARTITIONS = 12
MARK = "partitions"


def partition_of(division: UUID, partitions: int) -> int:
    """The partition of the facts of a division (a stream's county of birth, or higher)."""
    return crc32(division.bytes) % partitions


def partitions_of(log: Log) -> int:
    """How many partitions this log is cut into; the first to ask on a new log fixes it."""
    known = log.mark(MARK)
    if known is None:
        log.set_mark(MARK, str(PARTITIONS), keep=True)
        known = log.mark(MARK)
    assert known is not None
    return int(known)
