"""A form with a file in it, as pages of lists send it: within the limits, and of this site."""

import hashlib
from typing import Any

from fastapi import Request
from starlette.datastructures import UploadFile

from api.bodies import too_large
from domain.world import Role
from web.parts import Desk
from web.session import require_token


async def form_with_file(
    request: Request, desk: Desk, roles: frozenset[Role], *, fields: int = 6
) -> Any:
    """The form with its file and at most so many ``fields``. 403 for who may not, or of another
    site; 413 beyond the limit."""
    desk.caller.scope(roles, None)
    most = desk.caller.system.limits.bulk_body_bytes
    announced = request.headers.get("content-length", "")
    if not announced.isdigit() or int(announced) > most:
        raise too_large(most, "bulk_body_bytes")
    form = await request.form(max_files=1, max_fields=fields, max_part_size=most)
    require_token(desk.caller.session, form)
    return form


async def file_of(form: Any) -> tuple[str, bytes]:
    """The file's name and content; both empty where none was chosen."""
    file = form.get("file")
    if not isinstance(file, UploadFile):
        return "", b""
    return file.filename or "", await file.read()


def digest_of(content: bytes) -> str:
    """By which a second step knows the file of the first."""
    return hashlib.sha256(content).hexdigest()
