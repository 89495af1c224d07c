"""Relief cases 救助个案: one household in one season, and the cases of a list that wait for a step.

A case's page has what whoever decides needs to see: what was applied for, each grant with what
became of it, and the steps that are open now. The lists of those that wait (bounced, held, goods to
be signed for) are where the work list leads: one step, household by household.
"""

from collections.abc import Callable
from typing import Any, Final, Literal
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from api.auth import Caller
from api.known_at import position_asked
from api.routes import read_of
from api.telling import named_for
from domain.case_checks import Stage
from domain.casualty_record import CasualtyRecord
from domain.commands.grant_corrections import RetryPayment
from domain.commands.handing_out import SignGoods
from domain.commands.held_grants import DecideHeldGrants
from domain.grants import OPEN
from domain.house_damage import HouseDamage
from domain.paying import check_payable
from domain.refusal import refusal_of
from domain.relief_case import ReliefCase
from domain.rules.parts import parts_of
from domain.rules.standards import BY_DAYS, Programme, Rate
from domain.season import Season
from domain.world import Command
from eventstore.outcomes import problem_of
from projections.asking.ledger_books import household, ledger, relief_case, waiting_cases
from projections.asking.paging import Page
from projections.lists import village_list
from web.acting import Acts, acts_of
from web.i18n import catalog
from web.pages.households import history
from web.paging import ROWS, Leaf, Turn, Turned, book_of
from web.parts import AtDesk, Desk
from web.picking.cases import part_said, rate_said, terms_of
from web.render import language_of

router = APIRouter(include_in_schema=False)

STEPS: Final = {
    "applied": "application",
    "appraised": "appraisal",
    "listed": "",
    "reviewed": "township_review",
    "approved": "county_approval",
    "granted": "",
    "delivered": "",
    "closed": "",
}
"""Step of a case → the step of its programme that it needs; "": every programme has it."""


@router.get("/cases/{id}")
async def one_case(request: Request, desk: AtDesk, id: UUID) -> Response:
    one = await desk.ask(relief_case, case=id)
    terms = await terms_of(desk, one["season"])
    rate = terms.rate(one["rate"])
    language = language_of(request)
    made = await acts_of(request, desk, "relief-cases", id, one=one, terms=terms)
    parts = await run_in_threadpool(_parts, desk.caller, id, rate, catalog(language).t, language)
    return await desk.show(
        request,
        "case.html",
        one=one,
        open_households=await desk.reached(household, [one["household"]]),
        made=made,
        signing=await _signing(request, desk, one),
        steps=_steps(one, terms),
        under_way=_under_way(one),
        rate=rate,
        by_days=rate is not None and rate.basis in BY_DAYS,
        rate_said=rate_said(rate, catalog(language).t, language) if rate else "",
        named=await run_in_threadpool(_named, desk.caller, id),
        parts=parts,
        waits=_waits(one, terms),
        gone=[each for each in one["members"] if each["status"] != "present"],
        story=await history(request, desk, id),
    )


def _waits(one: dict[str, Any], terms: Programme) -> str:
    """What the case waits for, where its programme goes without what others wait for: a key of
    ``case.now_…``, "" where it waits as others do."""
    if one["status"] == Stage.APPLIED and not terms.requires("appraisal"):
        return "applied_unmet"
    if one["status"] == Stage.ON_LIST and not terms.requires("first_notice"):
        return "on_list_unposted"
    return ""


def _named(caller: Caller, id: UUID) -> list[str]:
    """The rows of the rosters that the case names, masked: who died, whose home."""
    world = caller.system.store.world(position_asked())
    need = world.get(ReliefCase, id).need
    named = [world.get(CasualtyRecord, row).masked_name for row in need.dead]
    if need.house is not None:
        named.append(world.get(HouseDamage, need.house).masked_name)
    return named


def _parts(
    caller: Caller, id: UUID, rate: Rate | None, t: Callable[..., str], language: str
) -> dict[str, Any]:
    """Of relief in parts: what each part is called, and which of a case that goes on have not been
    granted."""
    case = caller.system.store.load(id, position=position_asked())
    assert isinstance(case, ReliefCase)
    if rate is None:
        return {"names": {}, "left": []}
    names = {p.number: part_said(p, t, language) for p in parts_of(rate, case.need.days)}
    left = case.parts_left(rate) if case.stage is Stage.APPROVED else ()
    return {"names": names, "left": [names[p.number] for p in left]}


async def _signing(request: Request, desk: Desk, one: dict[str, Any]) -> Acts | None:
    """The form to sign for what lies ready; None where nothing does."""
    ready = any(line["item"] and line["status"] == "granted" for line in one["grant_lines"])
    if not ready or one["village_list"] is None:
        return None
    return await acts_of(
        request,
        desk,
        "village-lists",
        one["village_list"],
        only=(SignGoods,),
        of=one["id"],
        waiting=[one],
    )


def _steps(one: dict[str, Any], terms: Programme) -> list[dict[str, Any]]:
    """The steps done and to come, in order: name, when, and whether it is waited for. A refused
    case has no steps to come. Where all that was granted was a part of it, the next part is set."""
    names = [name for name, step in STEPS.items() if not step or terms.requires(step)]
    refused = one["status"] == Stage.REFUSED
    next_part = one["parts_left"] and one["delivered"] and not _under_way(one)
    steps = []
    for name in names:
        at = one["closed_at" if name == "closed" and refused else f"{name}_at"]
        key = "refused" if name == "closed" and refused else name
        if at or not refused:
            again = next_part and name == "granted" and one["status"] != Stage.CLOSED
            steps.append({"key": key, "at": at, "done": _done(one, name, at) and not again})
    waited = next((step for step in steps if not step["done"]), None)
    return [{**step, "now": step is waited} for step in steps]


def _under_way(one: dict[str, Any]) -> bool:
    """Something was granted that has not gone out."""
    return any(line["status"] in OPEN for line in one["grant_lines"])


def _done(one: dict[str, Any], name: str, at: str | None) -> bool:
    """What was given to one hand and not yet to the other is not done, unless the list closed over
    it."""
    if name == "delivered":
        return one["state"] in ("delivered", "returned") or (
            at is not None and one["status"] == Stage.CLOSED
        )
    reached = (Stage.APPLIED, Stage.APPRAISED, Stage.ON_LIST, Stage.REVIEWED, Stage.APPROVED)
    names = ("applied", "appraised", "listed", "reviewed", "approved")
    if name in names and one["status"] in reached:  # reopened: what it had passed comes again
        return names.index(name) <= reached.index(one["status"])
    return at is not None


# Those of a list that wait


WAITING = Literal["bounced", "held", "goods"]


async def waiting_rows(desk: Desk, id: UUID, key: WAITING, cursor: str | None, limit: int) -> Page:
    """The cases of a list that wait, by why: payments that the bank sent back; grants that have not
    gone out, first those that the county decides upon; goods that nobody has signed for."""
    if key == "held":
        return await run_in_threadpool(_not_delivered, desk.caller, id, cursor, limit)
    status = {"bounced": "failed", "goods": "unsigned"}[key]
    found: Page = await desk.ask(ledger, village_list=id, status=status, cursor=cursor, limit=limit)
    return found


def _leaf(turn: Turn, rows: Page, id: UUID, key: WAITING) -> Leaf:
    return turn.leaf(rows, f"/lists/{id}/{key}", book=book_of(f"waiting/{id}/{key}"))


@router.get("/lists/{id}/bounced")
async def bounced(request: Request, desk: AtDesk, id: UUID, turn: Turned) -> Response:
    """Payments that the bank sent back, each to be paid again."""
    return await _waiting(request, desk, id, turn, "bounced", (RetryPayment,))


@router.get("/lists/{id}/held")
async def held(request: Request, desk: AtDesk, id: UUID, turn: Turned) -> Response:
    """Grants that have not gone out and what holds each of them; what bounced is paid again here
    too."""
    return await _waiting(request, desk, id, turn, "held", (DecideHeldGrants, RetryPayment))


def _not_delivered(caller: Caller, id: UUID, cursor: str | None, limit: int) -> Page:
    scope = caller.scope(read_of(ledger).roles, None)
    with caller.system.reader() as db:
        return waiting_cases(db, scope.on(db), village_list=id, cursor=cursor, limit=limit)


@router.get("/lists/{id}/goods")
async def goods(request: Request, desk: AtDesk, id: UUID, turn: Turned) -> Response:
    """Goods that lie ready: one table in which each household signs."""
    found = await desk.ask(village_list, village_list=id)
    rows = await waiting_rows(desk, id, "goods", turn.cursor, ROWS)
    made = await acts_of(
        request,
        desk,
        "village-lists",
        id,
        only=(SignGoods,),
        first=SignGoods,
        of=turn.cursor,
        waiting=rows.items,
    )
    leaf = _leaf(turn, rows, id, "goods")
    return await desk.show(
        request, "cases_goods.html", one=found, made=made, rows=rows.items, leaf=leaf
    )


async def _waiting(
    request: Request,
    desk: Desk,
    id: UUID,
    turn: Turned,
    key: WAITING,
    commands: tuple[type[Command], ...],
) -> Response:
    """These cases of a list, each with the steps that they wait for."""
    found = await desk.ask(village_list, village_list=id)
    terms = await terms_of(desk, found["season"])
    rows = await waiting_rows(desk, id, key, turn.cursor, ROWS)
    cases = []
    for row in rows.items:
        one = await desk.ask(relief_case, case=UUID(row["id"]))
        made = await acts_of(
            request,
            desk,
            "relief-cases",
            row["id"],
            only=commands,
            each=True,
            one=one,
            terms=terms,
        )
        cases.append({**one, "made": made})
    ids = [UUID(one["id"]) for one in cases]
    whys = await run_in_threadpool(whys_of, desk.caller, ids, language_of(request))
    return await desk.show(
        request,
        "cases_waiting.html",
        one=found,
        open_households=await desk.reached(household, (case["household"] for case in cases)),
        key=key,
        cases=cases,
        whys=whys,
        leaf=_leaf(turn, rows, id, key),
    )


def whys_of(caller: Caller, ids: list[UUID], language: str) -> dict[str, str]:
    """Case → what holds its open money or goods back at present, as people say it; without those
    that nothing holds."""
    world = caller.system.store.world(position_asked())
    problems: dict[str, Any] = {}
    for id in ids:
        case = world.get(ReliefCase, id)
        season = world.get(Season, case.season)
        for number in case.grants_at(*OPEN):
            refusal = refusal_of(check_payable, world, season, case, case.grants[number])
            if refusal is not None:
                problems.setdefault(str(id), problem_of(refusal))
    told = named_for(caller, list(problems.values()))
    return {
        id: one.zh if language == "zh" else one.en for id, one in zip(problems, told, strict=True)
    }
