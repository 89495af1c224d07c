"""Pages, JSON and CSV are sent compressed to whoever takes gzip.

Only answers that come in one piece are: never a live board, whose events must not wait in a
compressor. And never a page on which a secret and a text of the asker's meet: whoever can make an
officer's browser ask for ``?search=…`` and see how many bytes come back could guess the page's
CSRF token letter by letter (the attack called BREACH). The cookie is ``SameSite=strict``, so no
other site can make a browser ask as an officer; that no such page is compressed holds even for a
page of the same site. An id, a number or a key in the address is too little to guess with.
"""

import asyncio
import gzip
import re
from urllib.parse import parse_qsl

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LEAST = 1024
BESIDE = 64 * 1024
"""Bytes from which compressing takes long enough to be done beside the event loop."""
LEVEL = 5
KINDS = frozenset(
    {
        "text/html",
        "text/csv",
        "text/css",
        "text/javascript",
        "application/javascript",
        "application/json",
        "application/problem+json",
        "image/svg+xml",
    }
)
HARMLESS = re.compile(r"[0-9A-Za-z_.:+-]{0,40}")


class Compressed:
    """Middleware: compresses whole answers."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not _takes_gzip(scope):
            await self._app(scope, receive, send)
            return
        held: Message | None = None

        async def compressing(message: Message) -> None:
            nonlocal held
            if message["type"] == "http.response.start":
                if _may_be_compressed(message, scope):
                    held = message
                else:
                    await send(message)
                return
            if held is not None:
                start, held = held, None
                body = message.get("body", b"")
                if not message.get("more_body") and len(body) >= LEAST:
                    message = {**message, "body": await compressed(body)}
                    headers = MutableHeaders(raw=start["headers"])
                    headers["Content-Encoding"] = "gzip"
                    headers["Content-Length"] = str(len(message["body"]))
                await send(start)
            await send(message)

        await self._app(scope, receive, compressing)


async def compressed(body: bytes) -> bytes:
    if len(body) < BESIDE:
        return gzip.compress(body, LEVEL, mtime=0)
    return await asyncio.to_thread(gzip.compress, body, LEVEL, mtime=0)


def _takes_gzip(scope: Scope) -> bool:
    return scope["method"] != "HEAD" and any(
        name == b"accept-encoding" and b"gzip" in value for name, value in scope["headers"]
    )


def _may_be_compressed(start: Message, scope: Scope) -> bool:
    headers = MutableHeaders(raw=start["headers"])
    kind = headers.get("content-type", "").partition(";")[0]
    if kind not in KINDS:
        return False
    headers.add_vary_header("Accept-Encoding")
    if "content-encoding" in headers or start["status"] in (204, 206, 304):
        return False
    return kind != "text/html" or not reflects(scope["query_string"])


def reflects(query: bytes) -> bool:
    """Whether an address carries a text that the page may repeat."""
    given = parse_qsl(query.decode("latin-1"), keep_blank_values=True)
    return any(not HARMLESS.fullmatch(part) for pair in given for part in pair)
