"""Search: one box for whatever has a name or a number."""

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from api.searching import LONGEST, MOST_READ, by_kind, found
from web.figures import names_for
from web.parts import AtDesk
from web.render import language_of
from web.typed import TypedQ

router = APIRouter(include_in_schema=False)


@router.get("/search")
async def search(request: Request, desk: AtDesk, q: TypedQ) -> Response:
    """What the words find, kind by kind, as far as the caller's own lists go."""
    text = q.text[:LONGEST]
    told = await found(desk.caller, text)
    kinds = by_kind(told["items"])
    names = await run_in_threadpool(names_for, desk.caller, None, desk.now, language_of(request))
    return await desk.show(
        request, "search.html", q=text, kinds=kinds, told=told, names=names, most_read=MOST_READ
    )
