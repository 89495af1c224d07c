"""`relief serve` with one route that fails in every way in which a program can: an exception that
quotes what was typed, one in a thread, one that nobody waits for, a warning, a library's line.
"""

import asyncio
import logging
import sys
import threading
import warnings

import structlog
from fastapi import FastAPI, Request

from cli import main as program
from cli import serve_command
from web.app import mount_pages


async def broken(request: Request) -> None:
    body = await request.json()
    hostile = body["hostile"]

    def fail() -> None:
        raise ValueError(f"nobody is called {hostile}")

    async def fail_alone() -> None:
        fail()

    threading.Thread(target=fail).start()
    lost = asyncio.create_task(fail_alone())
    await asyncio.sleep(0.05)
    del lost
    warnings.warn(f"{hostile} is deprecated", UserWarning, stacklevel=1)
    try:
        fail()
    except ValueError:
        logging.getLogger("some.library").exception("it failed\r\nagain")
        structlog.get_logger("ours").exception("it failed\r\n\x1b[31m\u2028again")
    raise KeyError(hostile)


def mount(app: FastAPI) -> None:
    app.add_api_route("/v1/broken/{name}", broken, methods=["POST"])
    mount_pages(app)


if __name__ == "__main__":
    serve_command.mount_pages = mount
    sys.argv[1:] = ["serve"]
    program.main()
