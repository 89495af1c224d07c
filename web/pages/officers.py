"""Officers 人员: who is in office where, how far their log-ins are, and what to do about it.

Administrators engage, invite, suspend and end; superiors and auditors may look. The commands
themselves go to the API: what a page offers is only what the caller's posts allow.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID, uuid4

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from api.auth import Caller
from api.invitations import invitation_of, sessions_told
from api.known_at import moment_asked
from api.routes_reports import KEEPERS
from api.system import System
from domain.commands.appointing import has_number, takes_number
from domain.commands.engaging import EngageOfficer
from domain.commands.id_numbers import ExcuseIdNumber
from domain.commands.officers import SuspendOfficer
from domain.commands.reviews import ANY_REVIEWER
from domain.posts import LEVELS_OF
from domain.rules.base import china_day
from domain.world import Role
from eventstore.codes import grouped, plain
from eventstore.lineage import seat_recorded
from projections.asking.officer_lists import STATES, officer, officer_counts, officers
from projections.proposals import proposal_counts
from projections.reviews import review_counts
from projections.timeline import timeline
from web.pages.dispensations import may_dispense
from web.pages.passwords import own_form
from web.paging import ROWS, Turned, book_of
from web.parts import AtDesk, Desk, ToAct
from web.places import MOST, FoundPlace, places
from web.proposing import about_officer, own_level
from web.reporting import place_of
from web.slips import show_slips
from web.typed import TypedPlace, TypedQ, TypedSearch

router = APIRouter(include_in_schema=False)

ROLES: Final = tuple(role for role in Role if role is not Role.SYSTEM)
ADMINISTRATORS: Final = EngageOfficer.roles - {Role.SYSTEM}
AGAIN: Final = frozenset({"no_code", "expired", "void", "never"})
"""States in which officers of the list are chosen to be invited again."""
MANY: Final = 50
"""Rows of that list on one page: what one form invites."""


def found_places(caller: Caller, roles: frozenset[Role], text: str) -> list[FoundPlace]:
    """The areas that the caller's posts of these roles reach, by what was typed."""
    with caller.system.reader() as db:
        return places(db, caller.scope(roles, None), text)


def places_below(caller: Caller, text: str) -> list[FoundPlace]:
    """The areas that a superior proposes for, by what was typed."""
    own = own_level(caller)
    return [one for one in found_places(caller, ANY_REVIEWER, text) if str(one.id) not in own]


@router.get("/officers")
async def all_officers(
    request: Request,
    desk: AtDesk,
    turn: Turned,
    place: TypedPlace,
    search: TypedSearch,
    area: UUID | None = None,
    role: str = "",
    state: str = "",
) -> Response:
    """``place``: an area as it is typed; if several fit, they are offered as links (``area``)."""
    offered: list[FoundPlace] = []
    one: FoundPlace | None = None
    if place.text and area is None:
        offered = await run_in_threadpool(found_places, desk.caller, KEEPERS, place.text)
        one = offered[0] if len(offered) == 1 and offered[0].certain else None
        area = one.id if one is not None else None
    said: dict[str, Any] = {"area": area, "role": role, "state": state, "search": search.sealed}
    rows: Any = []
    leaf = None
    keeps = not ADMINISTRATORS.isdisjoint(desk.caller.roles())
    again = keeps and state in AGAIN and moment_asked() is None
    if area is not None or not place.text:
        found = await desk.ask(
            officers,
            area,
            role=role or None,
            state=state or None,
            search=search.text or None,
            at=desk.now,
            cursor=turn.cursor,
            limit=MANY if again else ROWS,
        )
        rows, book = found.items, book_of("officers", **said)
        rows_most = MANY if again else ROWS
        leaf = turn.leaf(found, "/officers", rows=rows_most, book=book, **said)
    return await desk.show(
        request,
        "officers.html",
        rows=rows,
        leaf=leaf,
        counts=await desk.ask(officer_counts, at=desk.now),
        asked={**said, "place": place.text, "words": search.text},
        offered=offered if area is None else [],
        understood=one.understood if one is not None else None,
        here=await run_in_threadpool(place_of, desk.caller, area) if area else None,
        roles=ROLES,
        states=STATES,
        bare=await run_in_threadpool(
            without_number, desk.caller.system, [one["id"] for one in rows if number_counts(one)]
        ),
        keeps=keeps,
        proposals=(await desk.ask(proposal_counts, at=desk.now))["open"],
        again=again,
        key=uuid4(),
    )


def levels_of_roles(desk: Desk) -> list[dict[str, Any]]:
    """Every role with the levels at which it is held, and whether it takes an ID number here."""
    training = desk.caller.system.store.training
    return [
        {
            "role": role,
            "levels": " ".join(sorted(LEVELS_OF[role])),
            "id": takes_number(role, training=training),
        }
        for role in ROLES
    ]


@router.get("/officers/new")
async def engage_one(request: Request, desk: ToAct, q: TypedQ) -> Response:
    """The form that engages one officer."""
    desk.caller.scope(ADMINISTRATORS, None)
    return await desk.show(
        request,
        "officer_new.html",
        places=await run_in_threadpool(found_places, desk.caller, ADMINISTRATORS, q.text),
        q=q.text,
        roles=levels_of_roles(desk),
    )


@router.post("/officers/places")
async def some_places(request: Request, desk: AtDesk) -> Response:
    """The areas that fit what is typed, as the choices of a list: to decide or to propose for."""
    text = (await own_form(request, desk, acts=False)).get("q", "")
    decides = not ADMINISTRATORS.isdisjoint(desk.caller.roles())
    found = await run_in_threadpool(_placed, desk.caller, text, decides=decides)
    return await desk.show(request, "officer_places.html", places=found)


def _placed(caller: Caller, text: str, *, decides: bool) -> list[FoundPlace]:
    return found_places(caller, ADMINISTRATORS, text) if decides else places_below(caller, text)


@router.post("/officers/others")
async def some_officers(request: Request, desk: AtDesk) -> Response:
    """The officers whose log-in name fits what is typed, as the choices of a list."""
    form = await own_form(request, desk, acts=False)
    found = await others(desk, form.get("q", ""))
    return await desk.show(request, "officer_others.html", others=found)


async def others(desk: Desk, text: str) -> list[dict[str, Any]]:
    found = await desk.ask(officers, search=text.strip() or None, suspended=False, limit=MOST)
    rows: list[dict[str, Any]] = found.items
    return rows


def number_counts(row: dict[str, Any]) -> bool:
    """Whether it matters that this officer has no ID number: for a post held, or one to come."""
    held = {Role(post["role"]) for post in row["appointments"]}
    return not held or any(takes_number(role, training=False) for role in held)


def without_number(system: System, officers: Iterable[str]) -> set[str]:
    """Those of these officers who were registered without an ID number. Nobody on a simulated
    clock: there they are made up."""
    if system.store.simulated:
        return set()
    known = {id: system.officer_lately(UUID(id)) for id in officers}
    vault = system.store.vault
    return {id for id, one in known.items() if one is not None and not has_number(vault, one)}


def may_excuse(desk: Desk, home: str) -> bool:
    """Whether the caller is above the officer's area, or at the seat, where nobody is above."""
    if not desk.may(ExcuseIdNumber, home):
        return False
    at = desk.caller.actor(ExcuseIdNumber.roles, UUID(home)).area
    return at != UUID(home) or at == seat_recorded(desk.caller.system.store)


@router.get("/officers/{id}")
async def one_officer(request: Request, desk: AtDesk, id: UUID, q: TypedQ) -> Response:
    found = await desk.ask(officer, officer=id, at=desk.now)
    today = china_day(desk.now).isoformat()
    own = id == desk.caller.id
    may = not own and desk.may(SuspendOfficer, found["area"])
    bare = bool(await run_in_threadpool(without_number, desk.caller.system, [str(id)]))
    asked = bare and found["number_excused_at"] is None
    held = [
        one
        for one in found["appointments"]
        if one["handed_to"] is None and (one["ends_on"] is None or one["ends_on"] >= today)
    ]
    proposing = await about_officer(desk, found, held)
    acts = may or proposing["proposes"]
    return await desk.show(
        request,
        "officer.html",
        one=found,
        told=desk.may_ask(timeline),
        held=held,
        past=[post for post in found["appointments"] if post not in held],
        substitutions=[one for one in found["substitutions"] if one["ended_on"] is None],
        may=may,
        may_dispense=may_dispense(desk, found),
        open_steps=await run_in_threadpool(_open_steps, desk.caller, held) if may else [],
        own=own,
        bare=bare,
        may_excuse=asked and may and await run_in_threadpool(may_excuse, desk, found["area"]),
        **proposing,
        roles=[one for one in levels_of_roles(desk) if not (asked and one["id"])] if acts else [],
        places=await run_in_threadpool(_placed, desk.caller, q.text, decides=may) if acts else [],
        others=[one for one in await others(desk, q.text) if one["id"] != str(id)] if may else [],
        q=q.text,
        today=today,
        **await run_in_threadpool(_logged_in, desk, id, found["logins"] if may else ()),
    )


def _open_steps(caller: Caller, held: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What waits for each of these posts: it waits for whoever holds the post."""
    found = []
    with caller.system.reader() as db:
        for post in held:
            here = caller.scope(KEEPERS, UUID(post["area"]))
            waits = review_counts(db, here, role=post["role"], exercise=here.training)
            found.append({**post, "counts": waits["counts"]})
    return found


def _logged_in(desk: Desk, id: UUID, logins: Any) -> dict[str, Any]:
    """For who may end it: which log-in names ask for a code, which of them an account at the
    identity provider opens, and where the officer is logged in."""
    system = desk.caller.system
    accounts = system.accounts
    names = [system.login_name(one["login"]) for one in logins] if system.provider else []
    return {
        "provided": system.provider is not None,
        "connected": {one.login for one in names if one is not None and system.connected(one)},
        "factors": {one["login"] for one in logins if accounts.factors.has(one["login"])},
        "sessions": sessions_told(accounts.sessions_of(id)) if logins else [],
    }


@router.post("/officers/slips")
async def slip(request: Request, desk: AtDesk) -> Response:
    """The slip of an invitation whose code somebody has just been shown."""
    desk.caller.scope(ADMINISTRATORS, None)
    form = await own_form(request, desk)
    made = await invitation_of(request, form.get("code", ""))
    found = await desk.ask(officer, officer=made.officer, at=desk.now)
    one = {
        "name": form.get("name", "").strip() or found["masked_name"],
        "unit": found["area_name"],
        "posts": [post["role"] for post in found["appointments"] if post["handed_to"] is None],
        "login": made.login,
        "code": grouped(plain(form["code"])),
        "until": datetime.fromtimestamp(made.expires, UTC),
    }
    return await show_slips(request, desk, [one])
