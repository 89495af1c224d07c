"""The body of a request, read up to a limit."""

from fastapi import Request
from starlette.requests import ClientDisconnect

from api.problems import ApiProblem
from eventstore.limits_reached import limit_reached

SMALL_BODY = 64 * 1024
"""Bytes of a body that are parsed where they come in: a millisecond."""


async def read_body(
    request: Request, limit: int, refused: Exception | None = None, setting: str = "body_bytes"
) -> bytes:
    """The body, at most ``limit`` bytes (413, told as ``setting``), sent as JSON (415).

    With ``refused`` no more than a small body is read, and that is raised in place of a 413: what
    an officer may not send anyway costs no memory.
    """
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if kind != "application/json":
        raise ApiProblem(
            415, "not-json", "请以 application/json 提交", "Send the body as application/json."
        )
    most = limit if refused is None else min(limit, SMALL_BODY)
    announced = request.headers.get("content-length", "")
    if announced.isdigit() and int(announced) > most:
        raise refused or too_large(limit, setting)
    chunks = []
    size = 0
    more = True
    while more:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > most:
            raise refused or too_large(limit, setting)
        chunks.append(chunk)
        more = message.get("more_body", False)
    return b"".join(chunks)


def too_large(limit: int, setting: str) -> ApiProblem:
    limit_reached(setting)
    return ApiProblem(413, "too-large", "提交内容过大", f"At most {limit} bytes.")
