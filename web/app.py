"""The pages on the application: routers, static files, and problems as pages.

`mount_pages` is what `api.app.create_app` takes as ``mount``. An address below ``/v1`` (and
``/health``, ``/ready``) answers problems as JSON; every other address answers them as a page.
"""

import contextlib
from collections.abc import Awaitable, Callable
from typing import Any, Final
from urllib.parse import quote

import msgspec
from fastapi import FastAPI, Request
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from api.auth import COOKIE
from eventstore.errors import StoreError
from projections.asking.paging import BadCursor
from web import session, typed
from web.assets import PREFIX, Assets
from web.pages import (
    applying,
    cases,
    changes,
    changes_equal,
    consignments,
    design,
    disasters,
    dispatch,
    dispensations,
    division_changes,
    division_files,
    divisions,
    docs,
    funds,
    help,
    home,
    household_list,
    households,
    imports,
    in_full,
    invited_again,
    known_at,
    ledger,
    lists,
    officer_files,
    officers,
    own_sheets,
    parked,
    passwords,
    persons,
    playback,
    proposals,
    provider,
    readings,
    receipts,
    reports,
    reviews,
    rosters,
    rulebook_changes,
    rulebooks,
    searching,
    seasons,
    second_factor,
    setup,
    sheets,
    situation,
    stock,
    system,
    timeline,
    year_end,
    zero_reports,
)
from web.render import language_of, render_error

ROUTERS: Final = (
    session.router,
    home.router,
    zero_reports.router,
    searching.router,
    help.router,
    design.router,
    docs.router,
    seasons.router,
    reports.router,
    reviews.router,
    situation.router,
    disasters.router,
    rosters.router,
    sheets.router,
    own_sheets.router,
    timeline.router,
    receipts.router,
    readings.router,
    known_at.router,
    changes.router,
    changes_equal.router,
    playback.router,
    dispatch.router,
    stock.router,
    consignments.router,
    funds.router,
    ledger.router,
    imports.router,
    household_list.router,
    households.router,
    in_full.router,
    applying.router,
    cases.router,
    persons.router,
    lists.router,
    parked.router,
    system.router,
    passwords.router,
    second_factor.router,
    setup.router,
    rulebook_changes.router,
    rulebooks.router,
    officer_files.router,
    division_files.router,
    division_changes.router,
    divisions.router,
    year_end.router,
    proposals.router,
    invited_again.router,
    dispensations.router,
    officers.router,
    typed.router,
)

PROGRAMS: Final = ("/v1/", "/health", "/ready", PREFIX)
"""Addresses that no person reads."""

FIRST: Final = {
    "/problems/second-factor-required": "/me/second-factor",
    "/problems/provider-required": "/me/provider",
}
"""What somebody must do before everything else, and where."""

Handler = Callable[[Request, Any], Awaitable[Response]]


def mount_pages(app: FastAPI) -> None:
    """Add every page to the application."""
    for router in ROUTERS:
        app.router.routes.extend(router.routes)  # as those of the API: flat, and made once
    if app.state.system.provider is not None:
        app.router.routes.extend(provider.router.routes)
    app.mount(PREFIX, Assets(), name="static")
    for kind, handler in list(app.exception_handlers.items()):
        app.exception_handlers[kind] = _as_page(handler, own_words=kind is not HTTPException)


def _as_page(handler: Any, *, own_words: bool) -> Handler:
    """The same problem as a page, for those who read pages."""

    async def told(request: Any, problem: Any) -> Response:
        answer: Response = await handler(request, problem)
        if request.scope["type"] != "http" or request.url.path.startswith(PROGRAMS):
            return answer
        if answer.status_code == 401 and request.method == "GET" and not is_fragment(request):
            asked = session.local(f"{request.url.path}?{request.url.query}")
            ended = "&failure=ended" if COOKIE in request.cookies else ""
            spoken = f"&lang={language_of(request)}" if "lang" in request.query_params else ""
            return RedirectResponse(f"/login?next={quote(asked, safe='/')}{ended}{spoken}", 303)
        said = msgspec.json.decode(bytes(answer.body), type=dict[str, Any])
        if said.get("type") in FIRST and not is_fragment(request):
            return RedirectResponse(FIRST[said["type"]], 303)
        with contextlib.suppress(StoreError):  # then with the shell of a stranger
            await run_in_threadpool(session.put_shell, request)
        errors = said.get("errors", []) if own_words else []
        page = render_error(
            request,
            answer.status_code,
            reference=said.get("incident", ""),
            sentence=said.get(language_of(request), "") if own_words else "",
            errors=errors,
            again=_list_again(
                request, problem, [one["field"].removeprefix("query.") for one in errors]
            ),
        )
        if "refresh" in answer.headers:  # it passes by itself
            page.headers["Refresh"] = answer.headers["refresh"]
        return page

    return told


def _list_again(request: Request, problem: Any, wrong: list[str]) -> str:
    """The same list without the cursor or the filters that were refused; "" if it was no list."""
    refused = {"cursor", "before", *wrong} if wrong or isinstance(problem, BadCursor) else set()
    if request.method != "GET" or refused.isdisjoint(request.query_params):
        return ""
    kept = request.url.remove_query_params([*refused])
    return f"{kept.path}?{kept.query}" if kept.query else kept.path


def is_fragment(request: Request) -> bool:
    """A part of a page that htmx asks for: it must not be answered by another page."""
    return "hx-request" in request.headers
