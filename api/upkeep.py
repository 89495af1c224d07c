"""How the house stands, for its administrators: what was found wrong, and what to do about it."""

from typing import Any, Final

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool

from api.auth import Asking, Caller, check_parameters, system_of, writing_session
from api.backing_up import Backups
from api.checkup import told
from api.errands import Errand
from api.house import limits_told, process_told
from api.permitting import not_allowed
from api.problems import ApiProblem
from api.writes import RESPONSES
from domain.plurals import counted
from domain.world import Role

router = APIRouter(tags=["system"])

ADMINISTRATORS: Final = frozenset({Role.ADMINISTRATOR})
ASKED: Final[dict[int | str, dict[str, Any]]] = {code: RESPONSES[code] for code in (401, 403, 422)}
BEGUN: Final[dict[int | str, dict[str, Any]]] = ASKED | {429: RESPONSES[429]}


async def administrators_only(caller: Caller) -> None:
    """Raises 403 for everybody else."""
    await run_in_threadpool(caller.scope, ADMINISTRATORS, None)


@router.get(
    "/v1/system/checkup",
    summary="What the server found when it last looked whether everything is whole",
    description=(
        "`findings` with `name`, `level` (`fail`: somebody has to act, `warn`, `ok`) and a "
        "sentence in `zh` and `en`, the worst first; of this process, `null` in `checked_at` "
        "before its first look. `only_by_doctor`: checks that read the whole log, left "
        "to `relief doctor`. "
        "`running`, `done` and `of` tell of a look that goes on."
    ),
    responses=ASKED,
)
async def checkup(request: Request, caller: Asking) -> dict[str, Any]:
    check_parameters(request)
    await administrators_only(caller)
    return told(caller.system.checkup)


@router.post(
    "/v1/system/checkups",
    summary="Look again now; the answer tells how far it has come",
    responses=BEGUN,
    status_code=202,
)
async def look_again(request: Request) -> dict[str, Any]:
    await writing_administrator(request)
    system = system_of(request)
    begun(system.checkup)
    return told(system.checkup)


async def writing_administrator(request: Request) -> None:
    """Whoever sends this is an administrator who is logged in. Raises 401 and 403."""
    session = await writing_session(request)
    check_parameters(request)
    refused = await not_allowed(system_of(request), session.officer, ADMINISTRATORS, None)
    if refused is not None:
        raise refused


def begun(errand: Errand[Any]) -> None:
    """Begin it, or join the one that runs. 429 when one has ended a moment ago."""
    if not errand.begin() and not errand.standing.running:
        seconds = int(errand.wait_seconds()) + 1
        raise ApiProblem(
            429,
            "done-just-now",
            f"刚刚做过一次，请 {seconds} 秒后再试",
            f"This was done a moment ago. Try again in {counted(seconds, 'second|seconds')}.",
            headers={"Retry-After": str(seconds)},
        )


@router.get(
    "/v1/system/backups",
    summary="When the store was last backed up, and when a backup was last put back to try it",
    description=(
        "`last` with `at`, `head`, `bytes` and `folder` (its name), by `relief backup` or by the "
        "server; `too_old`; `tried`, the last `relief restore --drill`, with `ok`. Backups by the "
        "database's own means are not known. `here`: whether the server makes one itself; "
        "`running`, `done` and `of` (bytes) tell of one that it makes now."
    ),
    responses=ASKED,
)
async def backups(request: Request, caller: Asking) -> dict[str, Any]:
    check_parameters(request)
    await administrators_only(caller)
    system = caller.system
    return await run_in_threadpool(system.backups.told, system.store)


@router.post(
    "/v1/system/backups",
    summary="Make a backup now, of a store in files; the answer tells how far it has come",
    responses=BEGUN | {409: RESPONSES[409]},
    status_code=202,
)
async def back_up(request: Request) -> dict[str, Any]:
    await writing_administrator(request)
    system = system_of(request)
    begin_backup(system.backups)
    return await run_in_threadpool(system.backups.told, system.store)


def begin_backup(backups: Backups) -> None:
    """Begin one, or join the one that runs. 409 where the server makes none."""
    if backups.into is None:
        raise ApiProblem(
            409,
            "backed-up-elsewhere",
            "本账本在 PostgreSQL 上，请按操作手册由数据库备份",
            "This ledger is on PostgreSQL. Back it up by the database's own means.",
        )
    begun(backups.errand)


@router.get(
    "/v1/system",
    summary="The process and its store in figures: version, head, each view's lag, clock, disk",
    description=(
        "`views` with `version`, `position`, `lag`, and how many facts are `parked` since when; "
        "`clock.state` is `fine`, `held`, `decided` or `simulated`; `schemas` of log and vault; "
        "`watched`: the last checkpoint, the last that a witness signed, when the whole log was "
        "last `verified`, and where it was `changed`."
    ),
    responses=ASKED,
)
async def process(request: Request, caller: Asking) -> dict[str, Any]:
    check_parameters(request)
    await administrators_only(caller)
    return await run_in_threadpool(process_told, caller.system)


@router.get(
    "/v1/system/limits",
    summary="Each limit with its setting and value, and whether it was lately reached",
    description=(
        "`items`; `reached` counts the last 24 hours of all processes of the data folder, "
        "`last_at` in seconds since 1970. Who was refused is not kept."
    ),
    responses=ASKED,
)
async def limits(request: Request, caller: Asking) -> dict[str, Any]:
    check_parameters(request)
    await administrators_only(caller)
    return {"items": await run_in_threadpool(limits_told, caller.system)}
