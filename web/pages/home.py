"""Home: what waits for me, and the way to my desks."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from web.render import render
from web.session import Visitor

router = APIRouter(include_in_schema=False)


@router.get("/")
async def home(request: Request, caller: Visitor) -> Response:
    return render(request, "home.html")
