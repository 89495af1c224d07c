"""Slips of invitations, to be printed and handed out: four on an A4, each with its code.

A code is in the answer that made it and nowhere else, so the page is made of that answer, is kept
by nobody, and cannot be opened again.
"""

from typing import Any

import segno
from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from api.invitations import page_of
from web.parts import Desk

NOT_KEPT = "no-store"


async def show_slips(
    request: Request, desk: Desk, slips: list[dict[str, Any]], **more: Any
) -> Response:
    """``slips``: name, unit, posts (roles), login, code, until (a moment) each."""
    public = desk.caller.system.public_url
    drawn = await run_in_threadpool(_with_codes, slips, public)
    told = {"refused": [], "known": [], **more}
    response = await desk.show(request, "slips.html", slips=drawn, public=public, **told)
    response.headers["Cache-Control"] = NOT_KEPT
    return response


def _with_codes(slips: list[dict[str, Any]], public: str) -> list[dict[str, Any]]:
    """Each with its address as a drawing, if it is known where the pages are reached."""
    return [one | {"qr": drawing(public + page_of(one["code"])) if public else ""} for one in slips]


def drawing(address: str) -> str:
    """A QR code as an SVG element that takes the size of where it stands."""
    return segno.make(address, error="m", micro=False).svg_inline(omitsize=True, border=2)
