"""Household 户: masked members, its cases and numbered grants, what may be done, its whole history.

Addresses of timelines of other things (a list, a case) are served here too. A county that a
household is offered to sees the offer here, and nothing else of it until it takes the household in.
"""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from api.words import words_of
from domain.case_checks import ENDED
from domain.commands.contests import MergeHouseholds
from domain.commands.household_groups import ChangeHouseholdGroup
from domain.commands.households import RegisterHousehold, RevealHousehold
from domain.commands.relief_cases import ApplyForRelief
from domain.grants import OPEN
from domain.refusal import NotFound
from domain.world import Command
from projections.asking.belongings import household_moves
from projections.asking.ledger_books import household
from projections.asking.persons import MOST_DOUBLES, Doubles, doubles_of
from projections.asking.stock_books import stockpiles
from projections.households import households
from projections.timeline import timeline
from web.acting import Act, Acts, acts_of, begin_of
from web.forms.households import OF_MEMBER
from web.likely_same import likely_same
from web.officials import name_officials
from web.pages.applying import left_to_apply
from web.pages.in_full import open_now
from web.pages.readings import who_looked
from web.pages.receipts import receipts_of
from web.parts import MOST_STOCKPILES, AtDesk, Desk
from web.render import language_of
from web.story import Teller
from web.typed import TypedSearch
from web.village_groups import living_groups

router = APIRouter(include_in_schema=False)

WHOLE = 1000
"""Facts that are asked for at once."""
MOST_FACTS = 5000
"""Facts of one history that a page tells."""
MOST_NAMED = 1000
"""Households that somebody of a name belongs to, of which those are looked for that may be merged:
some of them are others', and the first ones may all be."""
Name = Annotated[str, Query(max_length=100)]


async def history(request: Request, desk: Desk, subject: UUID) -> list[dict[str, Any]]:
    """Everything that happened to a thing, from the beginning, in sentences."""
    rows: list[dict[str, Any]] = []
    cursor = None
    while len(rows) < MOST_FACTS:
        found = await desk.ask(timeline, subject=subject, cursor=cursor, limit=WHOLE)
        rows += found.items
        cursor = found.next
        if cursor is None:
            break
    return await run_in_threadpool(in_sentences, request, desk, rows)


def in_sentences(request: Request, desk: Desk, rows: list[Any]) -> list[dict[str, Any]]:
    """Facts as they are told, the latest first, given from the beginning."""
    name_officials(desk.caller, rows)
    language = language_of(request)
    return Teller(language, words_of(desk.caller, desk.now, language)).tell(reversed(rows))


@router.get("/households/new")
async def new(request: Request, desk: AtDesk) -> Response:
    made = await begin_of(request, desk, RegisterHousehold)
    return await desk.show(request, "household_new.html", made=made)


@router.get("/households/{id}")
async def one_household(
    request: Request,
    desk: AtDesk,
    id: UUID,
    to: Name = "",
    member: UUID | None = None,
    step: Name = "",
    *,
    search: TypedSearch,
) -> Response:
    """``to``: a village of another county is looked for by this name, to offer the household.
    ``member``, ``step``: the step that was chosen beside a member's name stands open, about them.
    ``search``: by this name the household is looked for that this one is to be merged into.
    """
    offer = await _latest_move(desk, id)
    try:
        found = await desk.ask(household, household=id)
    except NotFound:
        if offer is None or offer["status"] not in ("offered", "expired"):
            raise
        made = await acts_of(request, desk, "households", id, one=offer)
        return await desk.show(request, "household_offered.html", one=offer, made=made)
    grants: dict[str, list[dict[str, Any]]] = {}
    for one in found["grants"]:
        grants.setdefault(one["relief_case"], []).append(one)
    seen, _ = await desk.ask_all(stockpiles, most=MOST_STOCKPILES)
    depots = {row["stockpile"] for row in seen}
    named, more = await _named(desk, found, search.text)
    doubles = await run_in_threadpool(_doubles, desk, found, named)
    made = await acts_of(
        request,
        desk,
        "households",
        id,
        leave_out=(ChangeHouseholdGroup,),
        of=member or "",
        first=MergeHouseholds if search.text else _step(member, step),
        one=found,
        member=str(member or ""),
        to=to,
        doubles=doubles.rows,
        unsettled=_unsettled(found),
    )
    return await desk.show(
        request,
        "household.html",
        one=found,
        grants=grants,
        depots=depots,
        open_households=await desk.reached(household, [found["merged_into"]]),
        groups=await living_groups(desk, UUID(found["area"])),
        may_apply=desk.may(ApplyForRelief, found["area"]) and await left_to_apply(desk, found),
        may_group=desk.may(ChangeHouseholdGroup, found["area"]) and not found["merged_into"],
        made=made,
        merges=any(act.command == "MergeHouseholds" for act in made.open),
        search=search.text,
        found_none=bool(search.text) and not named and not more,
        found_more=more,
        offers_move=any(act.command == "OfferHouseholdMove" for act in made.open),
        offer=offer,
        to=to,
        of_members={one["person"]: _steps_of(made, one["person"]) for one in found["members"]},
        doubles=doubles.rows,
        doubles_in_all=doubles.total,
        likely=await run_in_threadpool(likely_same, desk, found),
        open_until=await open_now(desk, RevealHousehold(household=id, reason="")),
        **await _told(request, desk, id),
    )


async def _told(request: Request, desk: Desk, id: UUID) -> dict[str, Any]:
    """What happened to the household, the receipts of its grants, and who has seen it."""
    story = await history(request, desk, id)
    receipts = receipts_of(desk, story)
    return {"story": story, "receipts": receipts, "seen_by": await who_looked(desk, id)}


def _steps_of(made: Acts, person: str) -> list[Act]:
    """Of what may be done to the household now the steps that may be about this member: those whose
    form has the member to choose."""
    fields = {command.__name__: field for command, field in OF_MEMBER.items()}
    return [
        act
        for act in made.open
        for ask in act.asks
        if ask.name == fields.get(act.command)
        and person in {option.value for option in ask.options}
    ]


async def _latest_move(desk: Desk, id: UUID) -> dict[str, Any] | None:
    """The latest move between counties, as either of the two sees it."""
    found = await desk.ask(household_moves, household=id, at=desk.now, limit=1)
    return next(iter(found.items), None)


def _step(member: UUID | None, step: str) -> type[Command] | None:
    """The command that was chosen beside a member's name."""
    return next((one for one in OF_MEMBER if member and one.__name__ == step), None)


async def _named(desk: Desk, one: dict[str, Any], text: str) -> tuple[list[UUID], bool]:
    """The first other households that somebody of this name belongs to, for who merges them; and
    whether there are more."""
    if not text or not desk.caller.areas(MergeHouseholds.roles):
        return [], False
    found, more = await desk.ask_all(
        households, most=MOST_NAMED, search=text, exercise=one["exercise"]
    )
    others = [
        UUID(row["id"])
        for row in found
        if row["id"] != one["id"] and desk.may(MergeHouseholds, row["area"])
    ]
    return others[:MOST_DOUBLES], more or len(others) > MOST_DOUBLES


def _doubles(desk: Desk, one: dict[str, Any], named: list[UUID]) -> Doubles:
    """What may be the same household, for who may merge them: only where they may."""
    if one["merged_into"] or not desk.may(MergeHouseholds, one["area"]):
        return Doubles([], 0)
    scope = desk.caller.scope(MergeHouseholds.roles, None)
    namesakes = desk.caller.system.store.namesakes
    with desk.caller.system.reader() as db:
        return doubles_of(
            db, scope.on(db), household=UUID(one["id"]), namesakes=namesakes, named=named
        )


def _unsettled(one: dict[str, Any]) -> frozenset[str]:
    """The cases of which something may still come: a payment that bounced is owed after closing."""
    owed = {grant["relief_case"] for grant in one["grants"] if grant["status"] in OPEN}
    return frozenset(
        case["id"] for case in one["cases"] if case["status"] not in ENDED or case["id"] in owed
    )
