"""What an officer may do with a thing now, and why not what is closed: pages draw buttons from it.

The domain answers (`Command.closed`); here it is asked for the posts that the officer has there.
A command is listed if one of them may send it to the thing, whatever else its body says.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool

from api.auth import Asking, Caller
from api.known_at import position_asked
from api.reads import KnownAt, Position, of_moment, wait_for
from api.routes import READS
from api.routes_reports import EVERYBODY, IN_POST
from api.routes_writes import WRITES
from api.telling import named_for
from api.writes import RESPONSES
from domain.commands.coming_first import ComingFirst, coming_first
from domain.commands.subjects import SUBJECTS, Subject
from domain.commands.undoing import UNDO, Undo
from domain.refusal import NotFound, NotYourRole, Refusal
from domain.telling import STATES
from domain.world import Actor, Command, Role
from eventstore.deciding import DecisionWorld
from eventstore.outcomes import problem_of
from projections.asking.cases import officers_in

READERS: dict[str, frozenset[Role]] = {
    "casualty-records": IN_POST,
    "house-damages": IN_POST,
    "relief-cases": IN_POST,
    "rulebooks": EVERYBODY,
    **{read.path.split("/")[2]: read.roles for read in READS if read.path.count("/") == 2},
}
"""Who may read a thing of each kind: as its list (`api.routes`); those without one stand here."""
PATHS: dict[type[Command], str] = {write.command: write.path for write in WRITES}


@dataclass(frozen=True, slots=True)
class Action:
    """A step that one of the officer's posts may take. ``why``: what speaks against it now;
    ``first``: what comes before it.

    ``path``: where it is sent; ``{names}`` that are left in it are fields of the command.
    """

    command: type[Command]
    path: str
    actor: Actor
    why: Refusal | None
    first: ComingFirst
    undo: Undo

    @property
    def open(self) -> bool:
        return self.why is None


@dataclass(frozen=True, slots=True)
class Actions:
    """All of a thing, in the order of its life, as of a position of the log. ``state`` is a key
    of `domain.telling.STATES`."""

    kind: str
    id: UUID
    state: str
    position: int
    actions: tuple[Action, ...]

    def of(self, command: type[Command]) -> Action | None:
        return next((one for one in self.actions if one.command is command), None)


def actions_of(
    caller: Caller, kind: str, id: UUID, only: Collection[type[Command]] | None = None
) -> Actions:
    """Raises `NotFound` for what is not there or out of the officer's reach. ``only``: nobody asks
    about other steps than these, for many of which much must be looked at."""
    subject = SUBJECTS[kind]
    system = caller.system
    then = position_asked()
    position = system.store.head() if then is None else then
    world = system.store.world(position)
    thing = world.find(subject.about.of, id)
    unknown = NotFound(kind=subject.about.of.__name__, id=id)
    if thing is None:
        raise unknown
    asked = subject.commands if only is None else only
    if any(one.wants_posts_in is not Command.wants_posts_in for one in asked):
        with system.reader() as db:
            world.officers = officers_in(db, thing.home)
    steps = _actions(caller, world, subject, thing, only)
    found = tuple(steps) if then is None else ()  # nothing is done in the past
    mine = bool(found) or next(steps, None) is not None
    if not mine and not _reads(caller, subject, thing.home):  # one offered here has steps here
        raise unknown
    return Actions(kind, id, subject.state(thing), position, found)


def _nearest(caller: Caller, home: UUID, roles: frozenset[Role] = EVERYBODY) -> UUID:
    """Where the officer stands to the thing: there, or below what is set for all below it."""
    lineage = caller.system.tree.lineage
    return next((area for area in caller.areas(roles) if home in lineage(area)), home)


def _reads(caller: Caller, subject: Subject, home: UUID) -> bool:
    """Whether the officer may read such a thing there, and so may know how it stands. False
    outside the jurisdiction; raises `NotYourRole` inside it without a role that reads it."""
    roles = READERS[subject.about.kind]
    try:
        caller.actor(roles, _nearest(caller, home, roles) if subject.for_below else home)
    except NotFound:
        return False
    return True


def _actions(
    caller: Caller,
    world: DecisionWorld,
    subject: Subject,
    thing: Any,
    only: Collection[type[Command]] | None,
) -> Iterator[Action]:
    for command in subject.commands:
        if only is not None and command not in only:
            continue
        path, roles = PATHS.get(command), command.roles - {Role.SYSTEM}
        if path is None or not roles:
            continue
        try:
            area = command.lies_in(world, thing)  # what it would be done to may be gone
            world.actor = caller.actor(roles, area or _nearest(caller, thing.home, roles))
        except (NotFound, NotYourRole):
            continue
        why = command.closed(world, thing)
        if isinstance(why, NotYourRole):  # the role does it at another level: not listed here
            continue
        for field, value in {subject.about.field: thing.id, **command.path_fields(thing)}.items():
            path = path.replace(f"{{{field}}}", str(value))
        state = subject.state(thing)
        first = coming_first(command, why, state) if why is not None else ComingFirst()
        yield Action(command, path, world.actor, why, first, UNDO[command])


def as_told(caller: Caller, found: Actions) -> dict[str, Any]:
    """As the API answers it, with names and states as people say them."""
    zh, en = STATES[found.state]
    problems = [problem_of(one.why) if one.why is not None else None for one in found.actions]
    told = iter(named_for(caller, [problem for problem in problems if problem is not None]))
    return {
        "subject": {"kind": found.kind, "id": found.id, "state": found.state, "zh": zh, "en": en},
        "position": found.position,
        "actions": [
            {
                "command": one.command.__name__,
                "path": one.path,
                "open": one.open,
                "why": _why(one.why, one.first, next(told)) if one.why is not None else None,
                "undo": {
                    "command": one.undo.by.__name__ if one.undo.by is not None else None,
                    "zh": one.undo.zh,
                    "en": one.undo.en,
                },
            }
            for one in found.actions
        ],
    }


def _why(refusal: Refusal, first: ComingFirst, told: Any) -> dict[str, Any]:
    """``first``: the steps of which one comes before it, with the roles that take them; ``over``:
    the matter is past it."""
    return {
        "type": f"/problems/{refusal.code()}",
        "zh": told.zh,
        "en": told.en,
        "until": refusal.opens_at,
        "over": first.over,
        "first": [
            {"command": step.__name__, "roles": [one.value for one in Role if one in step.roles]}
            for step in first.steps
        ],
    }


def _route(router: APIRouter, kind: str, subject: Subject) -> None:
    field = subject.about.field

    async def actions(
        id: UUID, caller: Asking, after: Position = None, known_at: KnownAt = None
    ) -> Any:
        del known_at
        await wait_for(caller, after)

        def ask() -> dict[str, Any]:
            return as_told(caller, actions_of(caller, kind, id))

        return of_moment(await run_in_threadpool(ask))

    actions.__name__ = f"actions_{field}"
    router.get(
        f"/v1/actions/{kind}/{{id}}",
        summary="What I may do with it now, and why not the rest",
        description="Of the past: how it stood, and no actions: nothing is done in the past.",
        responses={code: RESPONSES[code] for code in (401, 403, 404, 422)},
    )(actions)


router = APIRouter(tags=["actions"])
for kind, subject in SUBJECTS.items():
    _route(router, kind, subject)
