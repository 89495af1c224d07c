"""Playback 回放: a board between two moments of the past, held anywhere or let run.

``/playback/situation?since=…&upto=…&known_at=1234`` shows the board as it was known at that record;
steps lead to others. With scripts a slider does, and lets time run up to 600 times as fast. The
moment is kept as the browser's (`web.pages.known_at`), so that what is led to is of it, too.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from api.auth import Caller
from api.known_at import LONGEST, PARAMETER, Moment, moment_asked, moment_of
from api.problems import ApiProblem, malformed
from api.routes import LIVE
from domain.rules.base import CHINA
from eventstore.moments import makers
from web.pages.dispatch import dispatch_parts
from web.pages.known_at import keep_moment
from web.pages.situation import Filters, situation_parts
from web.parts import AtDesk, Desk
from web.reporting import show

router = APIRouter(include_in_schema=False)

View = Literal["situation", "dispatch"]
TICKS: Final = 400
"""Records of which the page knows the time, so that time can run; one film has no more pictures."""
STEPS: Final = 20
SPEEDS: Final = (1, 10, 60, 300, 600)
USUAL: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Film:
    """Between which moments a board is played, and when some of the records were made."""

    first: Moment
    last: Moment
    ticks: list[tuple[int, int]]
    """Position and seconds since 1970, in order."""

    def steps(self, at: int) -> dict[str, int]:
        """By name, where the steps lead; at the ends some stay where they are."""
        first, last = self.first.position, self.last.position
        far = max(1, (last - first) // STEPS)
        wanted = {"begin": first, "far_back": at - far, "back": at - 1}
        wanted |= {"on": at + 1, "far_on": at + far, "end": last}
        return {name: min(max(to, first), last) for name, to in wanted.items()}


def film_of(caller: Caller, since: str, upto: str) -> Film:
    """Raises 422 for moments that cannot be meant, or of which the later is said first."""
    store = caller.system.store
    first, last = moment_of(store, since), moment_of(store, upto)
    if last.position < first.position:
        zh, en = "后一时点早于前一时点", "The second moment is the earlier."
        raise malformed([{"field": "upto", "rule": "order", "zh": zh, "en": en}])
    span = last.position - first.position
    some = {first.position + span * n // TICKS for n in range(TICKS + 1)}
    made = makers(store.log, sorted(some))
    ticks = [(one, int(made[one].recorded_at.timestamp())) for one in sorted(made)]
    return Film(first, last, ticks)


@router.get("/playback/{view}")
async def playback(
    request: Request,
    desk: AtDesk,
    view: View,
    asked: Filters,
    since: str = "",
    upto: str = "",
) -> Response:
    """The page. Without a moment of the film it goes to its first one."""
    desk.caller.scope(LIVE[view][1], None)
    film: Film | None = None
    errors: list[dict[str, Any]] = []
    if since and upto:
        try:
            film = await run_in_threadpool(film_of, desk.caller, since, upto)
        except ApiProblem as problem:
            if problem.problem.status != 422:
                raise
            errors = problem.errors or []
    said = {"since": since or _typed(desk.now - USUAL), "upto": upto or _typed(desk.now)}
    said = {name: value[:LONGEST] for name, value in said.items()}
    told: dict[str, Any] = {
        "view": view,
        "errors": errors,
        "said": said,
        "film": film,
        "speeds": SPEEDS,
    }
    if film is None:
        return await show(request, desk, "playback.html", asked=asked, **told)
    moment = moment_asked()
    if PARAMETER not in request.query_params or not _in(film, moment):
        spoken = {"lang": request.query_params.get("lang")}
        begin = said | spoken | {"known_at": film.first.position}
        first = asked.address(f"/playback/{view}", **begin)
        return RedirectResponse(first, 303)
    assert moment is not None
    steps = film.steps(moment.position)
    return await _shown(request, desk, "playback.html", moment, asked, steps=steps, **told)


@router.get("/playback/{view}/board")
async def picture(request: Request, desk: AtDesk, view: View, asked: Filters) -> Response:
    """The part of the page that changes, as it was known at ``known_at``."""
    desk.caller.scope(LIVE[view][1], None)
    moment = moment_asked()
    if moment is None:
        zh, en = "请说明时点", "Say which moment."
        raise malformed([{"field": PARAMETER, "rule": "moment", "zh": zh, "en": en}])
    return await _shown(request, desk, "playback_board.html", moment, asked, view=view)


async def _shown(
    request: Request,
    desk: Desk,
    template: str,
    moment: Moment,
    asked: Any,
    *,
    view: str,
    **told: Any,
) -> Response:
    if view == "situation":
        parts = await situation_parts(desk, asked)
        said = told | {"asked": asked, "view": view}
        response = await show(request, desk, template, **said, **parts)
    else:
        parts = await dispatch_parts(desk)
        response = await desk.show(request, template, asked=asked, view=view, **told, **parts)
    keep_moment(response, request, str(moment.position))
    return response


def _in(film: Film, moment: Moment | None) -> bool:
    return moment is not None and film.first.position <= moment.position <= film.last.position


def _typed(at: datetime) -> str:
    """As a field for a moment takes it."""
    return at.astimezone(CHINA).strftime("%Y-%m-%dT%H:%M")
