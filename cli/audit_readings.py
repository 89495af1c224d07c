"""Whether the record of who read what is whole, for `relief audit verify` and the watch."""

from collections.abc import Iterable
from typing import NamedTuple

from audit.relief_verify import Checkpoint
from eventstore.access_log import AccessLog, Chain
from eventstore.checkpoints import readings_said
from eventstore.store import Store


class Readings(NamedTuple):
    """How many readings are noted, and the first that is missing or changed (None: all whole)."""

    noted: int
    first_bad: int | None


def examine_readings(store: Store, known: Iterable[Checkpoint]) -> Readings:
    """All of them, against what these checkpoints say of them."""
    log = AccessLog(store.vault)
    try:
        said = (readings_said(one.text) for one in known)
        ends = [Chain(*one) for one in said if one is not None]
        return Readings(log.end().n, log.first_bad(ends))
    finally:
        log.close()
