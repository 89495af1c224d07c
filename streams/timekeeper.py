"""The timekeeper: does what must happen by itself when its time has come (ADR 0013).

A duty is a query that says what is due at a moment, and the ordinary command that does it. The
command's id follows from duty, subject and due time. So a duty is done once, though a second pass
or a second process sends it again, or the view does not know yet that it is done: they get the
first answer. The id is made with a secret of the vault (`Store.system_command_id`): whoever could
work it out could use it first, and the duty would never be done. What a rule refuses is not tried
again; trouble that passes is tried at the next pass. It runs once in the cluster (``leader``). Late
work can be seen: ``recorded_at`` is the server's time, the due time stands in the fact before.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from typing import Any
from uuid import UUID, uuid5

import structlog
from sqlalchemy import Connection

from domain.base import NAMESPACE, NOBODY
from domain.commands.incidents import EscalateIncidentWhenDue
from domain.commands.notices import WithdrawNoticeWhenDue
from domain.due import NotDueYet
from domain.notice import Notice
from domain.world import Command
from eventstore.outcomes import Envelope, Outcome, Receipt, Refused, decode_outcome
from eventstore.store import Store
from projections.asking.paging import MAX_LIMIT, Page
from projections.asking.scope import EVERYTHING
from projections.dispatch import escalations_due
from projections.notices import withdrawals_due

INTERVAL_SECONDS = 5.0
ASKED_AT_ONCE = 500

log = structlog.get_logger("timekeeper")

Reader = Callable[[], AbstractContextManager[Connection]]


@dataclass(frozen=True, slots=True)
class Duty:
    """One kind of thing that happens by itself. ``due`` is a query; a row of it is one command."""

    name: str
    due: Callable[..., Page]
    command: Callable[[dict[str, Any]], Command]


@dataclass(frozen=True, slots=True)
class Due:
    """One command that is due. ``key`` names duty, subject and due time."""

    key: str
    command: Command

    def old_id(self, attempt: int) -> UUID:
        """The command's id as it was made before: from public text alone."""
        return uuid5(NAMESPACE, f"timekeeper/{self.key}/{attempt}")


def _withdrawal(row: dict[str, Any]) -> Command:
    return WithdrawNoticeWhenDue(
        village_list=UUID(row["village_list"]),
        notice=Notice(row["notice_kind"]),
        due_at=datetime.fromisoformat(row["withdraw_at"]),
    )


def _escalation(row: dict[str, Any]) -> Command:
    due_at = datetime.fromisoformat(row["acknowledge_by"])
    return EscalateIncidentWhenDue(incident=UUID(row["id"]), due_at=due_at)


DUTIES: tuple[Duty, ...] = (
    Duty("escalation", escalations_due, _escalation),
    Duty("notice-withdrawal", withdrawals_due, _withdrawal),
)


def _too_early(outcome: Outcome) -> bool:
    return outcome.problem is not None and outcome.problem.code == NotDueYet.code()


class Timekeeper:
    """Sends what is due by the store's clock, on a thread of its own or step by step."""

    def __init__(
        self,
        store: Store,
        reader: Reader,
        *,
        leader: Callable[[], bool] = lambda: True,
        interval: float = INTERVAL_SECONDS,
        duties: tuple[Duty, ...] = DUTIES,
    ) -> None:
        self._store = store
        self._reader = reader
        self._leader = leader
        self._interval = interval
        self._duties = duties
        self._attempts: dict[str, int] = {}
        self._settled: set[str] = set()
        self._asked: set[str] = set()
        """Keys that are known not to have been done under an old id."""
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="timekeeper", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Finish the pass that runs. Call it before the store is closed."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def due(self, at: datetime) -> Iterator[Due]:
        """What the views say is due at ``at``, duty by duty, the longest due first.

        Nothing falls due by a clock that is held; what would have fallen due meanwhile has as long
        to go afterwards as when the clock was last right (decision 0057).
        """
        held = self._store.clock.held_time
        for duty in self._duties:
            cursor: str | None = None
            while True:
                with self._reader() as db:
                    found = duty.due(
                        db, EVERYTHING, at=at, held=held, cursor=cursor, limit=MAX_LIMIT
                    )
                for row in found.items:
                    key = "/".join((duty.name, *[str(value) for value in row.values()]))
                    yield Due(key, duty.command(row))
                cursor = found.next
                if cursor is None:
                    break

    def step(self, at: datetime | None = None) -> int:
        """One pass: send what is due by the store's clock. How many commands did something new."""
        if not self._leader():
            return 0
        found = {one.key: one for one in self.due(at or self._store.clock.now())}
        self._settled &= found.keys()  # the views have caught up with the others
        self._asked &= found.keys()
        self._settle_done_before([one for key, one in found.items() if key not in self._asked])
        waiting = [one for key, one in found.items() if key not in self._settled]
        envelopes = [self._envelope(one) for one in waiting]
        answers = self._store.run_many(envelopes)
        return sum(self._heard(one, answer) for one, answer in zip(waiting, answers, strict=True))

    def _envelope(self, one: Due) -> Envelope:
        """The command from the system. Only a refusal for coming too early makes a next attempt."""
        attempt = self._attempts.get(one.key, 0)
        id = self._store.system_command_id("timekeeper", one.key, attempt)
        return Envelope(id=id, officer=None, command=one.command)

    def _settle_done_before(self, new: Sequence[Due]) -> None:
        """Of what was not asked before: what the system has done under an id of before is done.

        An outcome of anybody else under such an id settles nothing.
        """
        for start in range(0, len(new), ASKED_AT_ONCE):
            asked = {one.key: one for one in new[start : start + ASKED_AT_ONCE]}
            self._asked |= asked.keys()
            for attempt in count():
                ids = {one.old_id(attempt): one for one in asked.values()}
                found = {
                    ids[UUID(bytes=command)].key: decode_outcome(outcome)
                    for command, actor, _, outcome in self._store.log.outcomes(list(ids))
                    if actor == NOBODY.bytes
                }
                early = {key for key, outcome in found.items() if _too_early(outcome)}
                self._settled |= found.keys() - early
                asked = {key: one for key, one in asked.items() if key in early}
                if not asked:
                    break

    def _heard(self, one: Due, answer: Receipt | BaseException) -> bool:
        """Take note of an answer. True if the command did something that was not done before."""
        name = type(one.command).__name__
        if isinstance(answer, Receipt):
            self._settled.add(one.key)
            if not answer.repeated:
                log.info("timekeeper.done", command=name, key=one.key, position=answer.position)
            return not answer.repeated
        if isinstance(answer, Refused):
            if _too_early(answer.outcome):
                self._attempts[one.key] = self._attempts.get(one.key, 0) + 1
            else:
                self._settled.add(one.key)
            log.warning("timekeeper.refused", key=one.key, rule=answer.problem.code)
            return False
        log.warning("timekeeper.failed", key=one.key, problem=repr(answer))
        return False

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self.step()
            except Exception as problem:
                if self._stop.is_set():
                    return
                log.warning("timekeeper.failed", problem=repr(problem))
            self._stop.wait(self._interval)
