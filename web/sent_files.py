"""A form with a file in it, as pages of lists send it: within the limits, and of this site."""

import hashlib
from typing import Any

from fastapi import Request
from starlette.datastructures import UploadFile

from api.bodies import too_large
from api.problems import ApiProblem
from domain.world import Role
from web.parts import Desk
from web.session import same

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


async def form_with_file(request: Request, desk: Desk, roles: frozenset[Role]) -> Any:
    """The form with its file. 403 for who may not, or of another site; 413 beyond the limit."""
    desk.caller.scope(roles, None)
    most = desk.caller.system.limits.bulk_body_bytes
    announced = request.headers.get("content-length", "")
    if not announced.isdigit() or int(announced) > most:
        raise too_large(most, "bulk_body_bytes")
    form = await request.form(max_files=1, max_fields=6, max_part_size=most)
    if not same(desk.caller.session.csrf, str(form.get("csrf_token", ""))):
        raise ApiProblem(
            403, "csrf-token-missing", "页面已过期，请刷新后重试", "Reload the page and try again."
        )
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
