"""What a store knows of itself: where its seat is, which epoch of its log this is.

A log that was restored, copied or promoted goes on in another history than the one that views,
frames and other copies of it may have seen. So it begins an epoch, with a name that nobody else
gives: two restores of one backup are two epochs. What was made before has epoch 1 (decision 0020).
"""

import secrets
from typing import Any
from uuid import UUID, uuid4

import msgspec

from domain.area import Area
from domain.base import NOBODY
from domain.commands.store import BeginEpoch, DisownRow, RecordResealing, RecordStore, StoreCommand
from domain.officer import Officer
from domain.rules.base import china_day
from domain.seat import highest, makes_seat
from domain.store import FIRST_EPOCH, Cause, EpochBegunAlready, ForgedRow
from domain.store import Store as Ledger
from eventstore.log import Log
from eventstore.mapper import TypedMapper
from eventstore.outcomes import Envelope, Receipt, Refused
from eventstore.proving import tree_of
from eventstore.seals import sealed_at_once
from eventstore.store import COPIED_UNTIL, COPY_MARK, COPY_PROVEN, Store

TOKEN_BYTES = 8


def epoch_of(log: Log) -> str:
    """The name of this log's epoch."""
    return log.mark("epoch") or FIRST_EPOCH


def begun_by(log: Log) -> Ledger.EpochBegun | None:
    """The fact that began this log's epoch; None while it is the first."""
    facts = log.stream_rows(Ledger.id_of(log.mark("born") or ""))
    decode = TypedMapper([Ledger]).decode
    for _, _, _, topic, state in reversed(facts):
        if isinstance(fact := decode(topic, bytes(state)), Ledger.EpochBegun):
            return fact
    return None


def next_epoch(log: Log) -> str:
    """A name for the epoch after this one: a number for people, and what nobody else has."""
    number = int(epoch_of(log).partition("-")[0]) + 1
    return f"{number}-{secrets.token_hex(TOKEN_BYTES)}"


def seat_recorded(store: Store) -> UUID | None:
    """The store's seat as commands know it (`domain.seat.seat_of`); None: it has recorded none."""
    known = store.log.mark("seat")
    return None if known is None or known == str(NOBODY) else UUID(known)


def seat_recorded_or_found(store: Store) -> UUID:
    """The store's seat as recorded; else by the rule of `domain.seat` as of today, without
    anybody in post the highest area; `NOBODY` in a store without areas."""
    known = seat_recorded(store)
    if known is not None:
        return known
    found = _highest(store, _areas_in_post(store))
    return found or _highest(store, _streams(store.log, "Area.Established")) or NOBODY


def _streams(log: Log, topic: str) -> set[UUID]:
    sql = "SELECT DISTINCT stream FROM events WHERE topic = ? OR topic LIKE ?"
    return {UUID(bytes=stream) for (stream,) in log.fetch(sql, (topic, f"{topic}/%"))}


def _areas_in_post(store: Store) -> set[UUID]:
    today = china_day(store.clock.now())
    officers = [store.load(id) for id in _streams(store.log, "Officer.Appointed")]
    return {
        post.area
        for officer in officers
        if isinstance(officer, Officer)
        for post in officer.appointments.values()
        if makes_seat(post, today)
    }


def _highest(store: Store, areas: set[UUID]) -> UUID | None:
    loaded = [area for id in areas if isinstance(area := store.load(id), Area)]
    first = highest(loaded)
    return None if first is None else first.id


def run_about(store: Store, kind: type[StoreCommand], **fields: Any) -> Receipt:
    """Let the system run a command about the store itself. Raises `Refused` or a `StoreError`."""
    born = store.log.mark("born") or ""
    nature = {"simulated": store.simulated, "training": store.training}
    command = kind(born=born, seat=seat_recorded_or_found(store), **nature, **fields)
    return store.run(Envelope(id=uuid4(), officer=None, command=command))


def begin_epoch(store: Store, cause: Cause, *, reason: str = "", operator: str = "") -> str:
    """Begin the log's next epoch; its name. Where somebody else has just done so: theirs."""
    try:
        run_about(
            store,
            BeginEpoch,
            epoch=next_epoch(store.log),
            cause=cause,
            head=store.head(),
            timeline=store.log.timeline(),
            reason=reason,
            operator=operator,
        )
    except Refused as refused:
        if refused.problem.code != EpochBegunAlready.code():
            raise
    return epoch_of(store.log)


def disown_row(store: Store, row: ForgedRow, reason: str, operator: str) -> Receipt:
    """Say of a row that `Trust.disownable` has named that it is no fact. Raises `Refused` or a
    `StoreError`."""
    told = msgspec.structs.asdict(row)
    return run_about(store, DisownRow, reason=reason, operator=operator, **told)


def record_resealing(store: Store, reason: str, operator: str) -> Receipt:
    """Say in the log that it was sealed anew, and what it was then. Raises `Refused` (it is said
    already), a `StoreError`, `GapInLog` or `NotInOrder`."""
    since = sealed_at_once(store.log)
    assert since is not None, "nothing was sealed anew"
    root = tree_of(store.log, since.head).root().hex()
    told = {"seals": since.n, "head": since.head, "root": root}
    return run_about(store, RecordResealing, reason=reason, operator=operator, **told)


def settle_epoch(store: Store) -> None:
    """At a start: a store that was copied, or whose PostgreSQL was promoted since, begins its next
    epoch; one that knows nothing of itself yet is recorded. Nothing is written on an empty store.
    """
    log = store.log
    if not log.head():
        return
    if log.mark(COPY_MARK) == COPY_PROVEN:
        begin_epoch(store, Cause.COPY, reason=_ends_earlier(log))
    elif log.promoted():
        begin_epoch(store, Cause.PROMOTION)
    elif log.mark("seat") is None or (not log.mark("timeline") and log.timeline()):
        run_about(store, RecordStore, timeline=log.timeline())


def _ends_earlier(log: Log) -> str:
    """What the fact says of a copy of the store as it was at a position; "" of a whole one."""
    until = log.mark(COPIED_UNTIL)
    if until != str(log.head()):
        return ""
    return f"副本：截至第 {until} 条记录 · a copy up to record {until}"


def note_timeline(store: Store) -> None:
    """Later than at a start: a log that was empty then has no timeline yet, and nobody would notice
    a promotion. It waits until somebody is in post, for before that nobody knows the seat."""
    log = store.log
    if log.mark("timeline") is None and (now := log.timeline()) and _areas_in_post(store):
        run_about(store, RecordStore, timeline=now)
