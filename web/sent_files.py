"""A form with a file in it, as pages of lists send it: within the limits, and of this site."""

from typing import Any

from fastapi import Request

from api.sent_forms import digest_of, file_of, sent_form
from domain.world import Role
from web.parts import Desk
from web.session import require_token

__all__ = ["digest_of", "file_of", "form_with_file"]


async def form_with_file(
    request: Request,
    desk: Desk,
    roles: frozenset[Role],
    *,
    fields: int = 6,
    limit: str = "bulk_body_bytes",
) -> Any:
    """The form with its file and at most so many ``fields``. 403 for who may not, or of another
    site; 409 in the past; 413 beyond the limit of that name."""
    desk.caller.scope(roles, None)
    system = desk.caller.system
    most = getattr(system.limits, limit)
    with system.bodies.holding() as holding:
        form = await sent_form(request, most, limit, holding, fields=fields)
    require_token(desk.caller.session, form)
    return form
