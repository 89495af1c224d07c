"""Looking at the past: the moment that a browser has chosen, and back to now.

``/known-at?at=…&next=…`` chooses: every page and part of a page is answered as it was known then,
until ``/known-at/now``. It stands in a cookie, so that no link has to carry it; nothing else of
the store is changed by it, which is why a plain link may do it.
"""

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from api.auth import system_of
from api.known_at import COOKIE, LONGEST, moment_of
from api.problems import ApiProblem
from web.parts import AtDesk
from web.session import local

router = APIRouter(include_in_schema=False)


@router.get("/known-at")
async def choose(request: Request, desk: AtDesk, at: str = "", next: str = "/") -> Response:
    """Choose a moment; without one, or with one that cannot be, the page that asks for it."""
    errors = []
    if at.strip():
        try:
            await run_in_threadpool(moment_of, desk.caller.system.store, at)
        except ApiProblem as problem:
            errors = problem.errors or []
        else:
            response = RedirectResponse(local(next), 303)
            keep_moment(response, request, at.strip())
            return response
    return await desk.show(
        request, "known_at.html", at=at[:LONGEST], next_path=local(next), errors=errors
    )


@router.get("/known-at/now")
async def back(next: str = "/") -> Response:
    """Back to the present."""
    response = RedirectResponse(local(next), 303)
    response.delete_cookie(COOKIE)
    return response


def keep_moment(response: Response, request: Request, at: str) -> None:
    response.set_cookie(
        COOKIE,
        at,
        httponly=True,
        samesite="lax",
        secure=system_of(request).secure_cookies,
    )
