"""Proofs of what was done, for pages and programs: a receipt's facts under a checkpoint made now.

The tree over the log is kept in memory, so that a fact is read once and not for each proof. The
first question after a start lets it be read, in a thread; until then the answer is 503 with how
far it has come. Nothing is proven while the log is known to have been changed.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import msgspec
from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from api.auth import Asking, Caller
from api.known_at import refuse_in_the_past
from api.problems import ApiProblem
from api.proofs_kept import ProofsBehind
from api.watched import watched
from api.writes import RESPONSES
from domain.refusal import NotFound
from domain.world import Role
from eventstore.errors import LogForged
from eventstore.log import Row
from eventstore.outcomes import decode_outcome
from eventstore.proofs import as_file
from eventstore.proving import MOST_FACTS, GapInLog, NotInOrder, RowChanged
from projections.timeline import BETWEEN_HOUSEHOLDS, facts_between

router = APIRouter(tags=["receipts"])

PROVERS: Final = frozenset(
    {
        Role.COUNTY_APPROVER,
        Role.COUNTY_PAYER,
        Role.CITY_REVIEWER,
        Role.PROVINCE_REVIEWER,
        Role.AUDITOR,
    }
)
"""Who hands out proofs: a proof shows facts as they are stored, with ids that pages leave out."""
RETRY_SECONDS: Final = 2


@dataclass(frozen=True)
class Received:
    """The facts of one command that the reader may see, as the timeline tells them, and as they
    are stored. ``left_out``: how many of the command lie out of their sight."""

    items: list[dict[str, Any]]
    rows: list[Row]
    left_out: int

    def alone(self, position: int) -> "Received":
        """Of these facts the one at this position."""
        return Received(
            [one for one in self.items if one["position"] == position],
            [row for row in self.rows if row[0] == position],
            0,
        )

    @property
    def first(self) -> int:
        return self.rows[0][0]

    @property
    def last(self) -> int:
        return self.rows[-1][0]


class _Command(msgspec.Struct):
    command: UUID


class _Made(msgspec.Struct):
    meta: _Command


def received_at(caller: Caller, position: int) -> Received:
    """The receipt that the fact at this position belongs to. Raises 403, and 404 for what lies
    out of the reader's sight."""
    caller.scope(PROVERS, None)
    store = caller.system.store
    for row in store.log.rows(position - 1, 1, position):
        try:
            command = msgspec.json.decode(bytes(row[4]), type=_Made).meta.command
        except msgspec.MsgspecError:
            break  # no fact of ours
        return received(caller, command)
    raise NotFound(kind="Receipt", id=UUID(int=0))


def received(caller: Caller, command: UUID) -> Received:
    """As `received_at`, of a command. Of one with thousands of facts the first ones."""
    scope = caller.scope(PROVERS, None)
    store = caller.system.store
    for _, _, _, stored in store.log.outcomes([command]):
        try:
            outcome = decode_outcome(bytes(stored))
        except msgspec.MsgspecError:
            break  # no outcome of ours
        first, last = outcome.position - outcome.facts + 1, outcome.position
        until = min(last, first + MOST_FACTS - 1)
        with caller.system.reader() as db:
            found = facts_between(db, scope.on(db), first=first, last=until)
        items = [one for one in found if not _is_of_another(one)]
        seen = {one["position"] for one in items}
        rows = [row for row in store.log.rows(first - 1, MOST_FACTS, until) if row[0] in seen]
        if outcome.problem is None and rows:
            store.texts.opened(items)
            return Received(items, rows, outcome.facts - len(rows))
    raise NotFound(kind="Receipt", id=command)


def _is_of_another(row: dict[str, Any]) -> bool:
    """Whether it is about somebody whom another household claims too, and was done elsewhere."""
    return row["topic"] in BETWEEN_HOUSEHOLDS and row["actor"] is None


def proof_for(caller: Caller, receipt: Received) -> dict[str, Any]:
    """The proof of a receipt, signed now. Raises 409 while the log is not what it was, and 503
    until the log has been read."""
    system = caller.system
    refuse_while_changed(system.house.data)
    try:
        return system.proofs.of(receipt.rows)
    except ProofsBehind as behind:
        raise being_read(behind) from behind
    except LogForged as problem:
        raise _changed(problem.detail) from problem
    except (GapInLog, NotInOrder) as problem:
        raise _changed(str(problem.position)) from problem
    except RowChanged as problem:
        raise _changed(f"{problem.first}–{problem.last}") from problem


def refuse_while_changed(data: Path) -> None:
    """Raises 409 while the watch finds that somebody else than the program wrote to the log."""
    alarm = watched(data).alarm
    if alarm is not None:
        raise _changed(alarm.position)


def _changed(where: str) -> ApiProblem:
    return ApiProblem(
        409,
        "log-changed",
        f"账本第 {where} 条被程序以外的人改动，查明以前不出证明，请报告管理员",
        f"The log was changed at {where} by somebody else than the program. Nothing is proven "
        "until that is cleared up: tell an administrator.",
    )


def being_read(behind: ProofsBehind) -> ApiProblem:
    """The log has not been read that far yet."""
    done = f"{behind.done:,} / {behind.of:,}"
    return ApiProblem(
        503,
        "proof-being-prepared",
        f"正在准备证明（已读 {done} 条），请稍候，页面会自动刷新",
        f"The proof is being prepared; read so far: {done}. Wait a little and ask again.",
        headers={"Retry-After": str(RETRY_SECONDS), "Refresh": str(RETRY_SECONDS)},
    )


@router.get(
    "/v1/receipts/{command}/proof",
    summary="A proof of a command's facts, for who does not trust us: relief-proof/1",
    description=(
        "A checkpoint signed now, and of each fact that you may see its stored bytes and the "
        "hashes up to the checkpoint's root (`docs/proof-format.md`); `relief_verify.py` checks "
        "it. 409 while the log is known to have been changed, 503 while it is being read.\n\n"
        f"Roles: {', '.join(sorted(PROVERS))}."
    ),
    responses={code: RESPONSES[code] for code in (401, 403, 404, 409, 422, 503)},
)
async def proof(command: UUID, caller: Asking) -> Response:
    refuse_in_the_past()

    def made() -> str:
        return as_file(proof_for(caller, received(caller, command)))

    return proof_answer(await run_in_threadpool(made), str(command))


def proof_answer(text: str, name: str) -> Response:
    """A proof as a file to keep."""
    return Response(
        text,
        media_type="application/json",
        headers={
            "Content-Disposition": f'attachment; filename="proof-{name}.json"',
            "Cache-Control": "no-store",
        },
    )
