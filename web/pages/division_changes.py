"""What is done to one division by page: another code with all below it, a new one, a part of a
village, one village into another with what hangs on it.

Names and abolitions are plain forms of the page of one division. What comes here is told before it
is done; a merger then runs a few things a step, and goes on where it stopped.
"""

from datetime import date
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from api.auth import Caller
from api.division_lists import brought_about, differences
from api.following import following
from domain.area import AreaLevel
from domain.commands.areas import AreaPlan, Merge, RearrangeVillages, Split
from domain.ids import seeded_id
from domain.rules.base import china_day
from domain.world import Command
from eventstore.outcomes import Envelope, Problem, Refused
from intake.columns import Column
from intake.division_changes import Differences, DivisionTree
from intake.divisions import DivisionLine, fill
from projections.asking.village_groups import changed_codes
from web.keeping import KEEPERS, UNNUMBERED, division_of, keeper, keeps, merged_by, moving, on_it
from web.pages.division_files import SHOWN, kinds_of, problems_of
from web.pages.passwords import own_form
from web.parts import AtDesk, Desk, ToAct
from web.places import places

router = APIRouter(include_in_schema=False)


# -- another code ---------------------------------------------------------------------------------


@router.get("/divisions/{id}/code")
async def new_codes(request: Request, desk: ToAct, id: UUID, code: str = "") -> Response:
    """Which codes all below would have, before anything is done."""
    return await _codes(request, desk, id, code)


@router.post("/divisions/{id}/code")
async def change_codes(request: Request, desk: AtDesk, id: UUID) -> Response:
    form = await own_form(request, desk)
    await _kept(desk, id)
    code, document = form.get("code", ""), _document(form)
    found = await run_in_threadpool(
        _renumbered, desk, id, code, document, form.get("effective_on", "")
    )
    if not document or found.refused or not found.changed:
        return await _codes(request, desk, id, code)
    caller = desk.caller
    try:
        await run_in_threadpool(brought_about, caller.system, caller.id, found, document)
    except Refused as refused:
        return await _codes(request, desk, id, code, refused.problem)
    return RedirectResponse(f"/divisions/{id}", 303)


async def _codes(
    request: Request, desk: Desk, id: UUID, code: str, refused: Problem | None = None
) -> Response:
    one = await _kept(desk, id)
    found = None
    if code.strip():
        found = await run_in_threadpool(_renumbered, desk, id, code, UNNUMBERED, "")
    return await desk.show(
        request,
        "division_code.html",
        one=one,
        code=code.strip(),
        found=found,
        kinds=kinds_of(found) if found is not None else (),
        problems=problems_of(found.refused) if found is not None else [],
        refused=refused,
        today=china_day(desk.now).isoformat(),
        shown=SHOWN,
    )


def _renumbered(desk: Desk, id: UUID, code: str, document: str, since: str) -> Differences:
    """The list of this division and of what lies below it, whose codes begin as its own does."""
    caller = desk.caller
    scope = caller.scope(KEEPERS, None)
    with caller.system.reader() as db:
        tree = DivisionTree(db, scope)
    one = tree.by_id[str(id)]
    today = china_day(desk.now)
    head = _line(1, code, one.name, since, today, former=one.code)
    lines = [head]
    old, new = _prefix(one.code), _prefix(head.code)
    waiting = tree.children(one.id) if not head.problems and len(old) == len(new) < 12 else []
    while waiting:
        child = waiting.pop(0)
        if child.code.startswith(old):
            now = new + child.code[len(old) :]
            lines.append(_line(len(lines) + 1, now, child.name, since, today, former=child.code))
            waiting += tree.children(child.id)
    return differences(caller.system, caller.id, scope, lines, document or UNNUMBERED)


def _prefix(code: str) -> str:
    """With what the codes below begin: 6 digits of a county's, 9 of a township's."""
    return code[:9] if len(code) == 12 and code.endswith("000") else code


def _line(
    row: int, code: str, name: str, since: str, today: date, former: str | None = None
) -> DivisionLine:
    line = DivisionLine("", row)
    texts = {
        Column.VILLAGE_CODE: code.strip(),
        Column.VILLAGE: " ".join(name.split()),
        Column.VALID_FROM: since.strip() or None,
        Column.FORMER_CODE: former,
    }
    line.texts = {column: text for column, text in texts.items() if text}
    fill(line, texts, today)
    return line


# -- a new division, or a part of a village -------------------------------------------------------


@router.get("/divisions/{id}/new")
async def ask_new(request: Request, desk: ToAct, id: UUID) -> Response:
    """The form for what begins below a township or county, or as a part of a village."""
    return await _new(request, desk, id, {})


@router.post("/divisions/{id}/new")
async def begin_new(request: Request, desk: AtDesk, id: UUID) -> Response:
    form = await own_form(request, desk)
    one = await _kept(desk, id, below=True)
    problem = await run_in_threadpool(_begin, desk, one, form)
    if problem is not None:
        return await _new(request, desk, id, form, problem)
    return RedirectResponse(f"/divisions/{id}", 303)


async def _new(
    request: Request, desk: Desk, id: UUID, form: dict[str, str], sentence: Any = None
) -> Response:
    return await desk.show(
        request,
        "division_new.html",
        one=await _kept(desk, id, below=True),
        form=form,
        sentence=sentence,
        today=china_day(desk.now).isoformat(),
    )


def _begin(desk: Desk, one: dict[str, Any], form: dict[str, str]) -> Any:
    """Begin it; else what is wrong, with its sentences ``zh`` and ``en``."""
    caller, document = desk.caller, _document(form)
    scope = caller.scope(KEEPERS, None)
    village = one["level"] == AreaLevel.VILLAGE
    code, today = form.get("code", ""), china_day(desk.now)
    line = _line(1, code, form.get("name", ""), form.get("effective_on", ""), today)
    with caller.system.reader() as db:
        tree = DivisionTree(db, scope)
    parent = tree.by_id[one["parent"] if village else one["id"]]
    line.parent = parent.code
    found = differences(caller.system, caller.id, scope, [line], document or UNNUMBERED)
    if line.problems:
        return line.problems[0]
    if not found.new:  # the code is of a division that there is
        return line.said(Column.VILLAGE_CODE, "division-code-taken")
    if not village:
        return _brought(desk, found, document)
    id = seeded_id(caller.system.store.vault.secret("divisions").hex(), line.code, one["id"])
    plan = AreaPlan(id=id, code=line.code, name=line.name, level=line.level, parent=UUID(parent.id))
    command = RearrangeVillages(
        established=(plan,),
        splits=(Split(area=id, source=UUID(one["id"])),),
        effective_on=line.valid_from or today,
        document_no=document,
    )
    return _ran(caller, command, "split", id)


def _brought(desk: Desk, found: Differences, document: str) -> Problem | None:
    try:
        brought_about(desk.caller.system, desk.caller.id, found, document)
    except Refused as refused:
        return refused.problem
    return None


def _ran(caller: Caller, command: Command, *parts: object) -> Problem | None:
    """Run it as the caller, once for the same parts; why not, if it is refused."""
    store = caller.system.store
    key = store.system_command_id("divisions", caller.id, *parts, command)
    try:
        store.run(Envelope(id=key, officer=caller.id, command=command))
    except Refused as refused:
        return refused.problem
    return None


# -- one village into another ---------------------------------------------------------------------


@router.get("/divisions/{id}/merger")
async def ask_merger(
    request: Request, desk: ToAct, id: UUID, q: str = "", into: UUID | None = None
) -> Response:
    """What hangs on the village and would move, and into which village."""
    return await _merger(request, desk, id, q, into)


@router.post("/divisions/{id}/merger")
async def merge(request: Request, desk: AtDesk, id: UUID) -> Response:
    """The merger, one commit. What hangs on the village moves after it, step by step."""
    form = await own_form(request, desk)
    one = await _kept(desk, id)
    into = _uuid(form.get("into", ""))
    since = form.get("effective_on", "").strip()
    if into is None or not _document(form) or not _is_day(since):
        return await _merger(request, desk, id, form.get("q", ""), into)
    if one["merged_into"] is None:
        command = RearrangeVillages(
            merges=(Merge(area=id, into=into),),
            effective_on=date.fromisoformat(since),
            document_no=_document(form),
        )
        problem = await run_in_threadpool(_ran, desk.caller, command, "merge")
        if problem is not None:
            return await _merger(request, desk, id, form.get("q", ""), into, problem)
    return RedirectResponse(f"/divisions/{id}", 303)


@router.post("/divisions/{id}/merger/steps")
async def go_on(request: Request, desk: AtDesk, id: UUID) -> Response:
    """Move some more of what hangs on a merged village; how far it has come by that."""
    form = await own_form(request, desk)
    one = await _kept(desk, id)

    def step() -> tuple[bool, Problem | None]:
        run = following(desk.caller.system, desk.caller.id, id, merged_by(desk, id))
        try:
            return next(run, None) is not None, None
        except Refused as refused:
            return False, refused.problem

    more, problem = await run_in_threadpool(step)
    if "hx-request" not in request.headers:
        return RedirectResponse(f"/divisions/{id}", 303)
    return await desk.show(
        request,
        "division_moving.html",
        one=one,
        goes_on=more and problem is None,
        refused=problem,
        **await run_in_threadpool(moving, desk, id, form.get("of", "")),
    )


async def _merger(
    request: Request,
    desk: Desk,
    id: UUID,
    q: str,
    into: UUID | None,
    refused: Problem | None = None,
) -> Response:
    one = await _kept(desk, id)

    def asked() -> dict[str, Any]:
        with desk.caller.system.reader() as db:
            near = None if q else UUID(one["parent"] or one["id"])
            scope = desk.caller.scope(KEEPERS, near)
            found = places(db, scope, q)
            fit = [it for it in found if it.level == AreaLevel.VILLAGE and str(it.id) != one["id"]]
            both = desk.caller.scope(KEEPERS, None)
            changed = changed_codes(db, both, id, [it.id for it in fit])
        return {"hangs": on_it(desk.caller, id), "places": fit, "changed_codes": changed}

    return await desk.show(
        request,
        "division_merger.html",
        one=one,
        q=q,
        into=into,
        refused=refused,
        today=china_day(desk.now).isoformat(),
        **await run_in_threadpool(asked),
    )


# -- what they share ------------------------------------------------------------------------------


async def _kept(desk: Desk, id: UUID, *, below: bool = False) -> dict[str, Any]:
    """The division, if the caller may change it, or begin another one ``below`` it: 403 otherwise,
    404 out of reach."""
    one = await division_of(desk, id)
    desk.caller.scope(KEEPERS, None)
    if below and one["level"] != AreaLevel.VILLAGE:
        desk.caller.actor(KEEPERS, id)
    else:
        await run_in_threadpool(_require_keeping, desk, one)
    return one


def _require_keeping(desk: Desk, one: dict[str, Any]) -> None:
    if not keeps(desk, one):
        desk.caller.actor(KEEPERS, keeper(desk, one))


def _document(form: dict[str, str]) -> str:
    return " ".join(form.get("document_no", "").split())[:200]


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True
