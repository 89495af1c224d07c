"""A real browser: Debian's Chromium through Playwright.

The browser lives as long as this package, not the session: Playwright keeps an event loop running
in the main thread, and tests elsewhere call ``asyncio.run``.
"""

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from scripts.need_browser import browser_path
from tests.browser.fake_desk import FakeDesk

ARGUMENTS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PHONE = 375
DESK = 1440
HEIGHTS = {PHONE: 812, DESK: 900}
WAIT_MS = 60_000
"""For whatever must come; a quiet machine shows it within one second."""

Check = Callable[[Page], None]
Shot = Callable[[Page, str], Path]
OpenPage = Callable[..., Page]
Serve = Callable[[Any], AbstractContextManager[str]]


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """The browser. Without one: failed under CI, skipped in plain words elsewhere."""
    path = browser_path()
    if path is None:
        if os.environ.get("CI") == "true":
            pytest.fail("chromium is not installed, and CI must not skip the browser tests")
        pytest.skip("NO BROWSER TESTS: chromium is not installed (see scripts/need_browser.py)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path, args=list(ARGUMENTS), headless=True
        )
        expect.set_options(timeout=WAIT_MS)
        yield browser
        browser.close()


@pytest.fixture
def open_page(chromium: Browser) -> Iterator[OpenPage]:
    """``open_page(width=1440, dark=False, **context options)`` → a page of its own context.

    The test fails if a page breaks its content policy, throws, or logs an error; a failed request
    is not an error here, since tests cut connections on purpose.
    """
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def open_one(width: int = DESK, *, dark: bool = False, **options: Any) -> Page:
        context = chromium.new_context(
            viewport={"width": width, "height": HEIGHTS.get(width, 900)},
            color_scheme="dark" if dark else "light",
            **{"locale": "zh-CN", "timezone_id": "Asia/Shanghai", **options},
        )
        contexts.append(context)
        context.set_default_timeout(WAIT_MS)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(f"threw: {error}"))
        page.on(
            "console",
            lambda message: (
                complaints.append(message.text)
                if message.type == "error" and not is_failed_request(message.text)
                else None
            ),
        )
        return page

    yield open_one
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture
def chromium_page_without_watch(chromium: Browser) -> Iterator[Page]:
    """A page whose complaints are the test's own business."""
    page = chromium.new_page()
    yield page
    page.close()


def is_failed_request(text: str) -> bool:
    return text.startswith(("Failed to load resource", "Response Status Error")) or (
        "net::ERR_" in text
    )


@pytest.fixture
def axe() -> Check:
    """``axe(page)`` fails on serious and critical accessibility violations, naming the nodes."""

    def check(page: Page) -> None:
        found = Axe().run(page).response["violations"]
        grave = [
            f"{v['id']} ({v['impact']}): " + "; ".join(str(n["html"])[:160] for n in v["nodes"])
            for v in found
            if v["impact"] in ("serious", "critical")
        ]
        assert grave == []

    return check


@pytest.fixture
def shot(tmp_path_factory: pytest.TempPathFactory) -> Shot:
    """``shot(page, name)`` keeps a picture of the whole page in pytest's temporary folder."""
    folder = tmp_path_factory.getbasetemp() / "shots"
    folder.mkdir(exist_ok=True)

    def take(page: Page, name: str) -> Path:
        path = folder / f"{name}.png"
        page.screenshot(path=path, full_page=True)
        return path

    return take


@contextmanager
def running_app(app: Any) -> Iterator[str]:
    """An ASGI app on a free port of this machine; its address."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen()  # who comes before the server has started waits
    config = uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(timeout=60)
        assert not thread.is_alive(), "the test server did not stop"
        listener.close()


@pytest.fixture
def serve() -> Serve:
    """``with serve(app) as address:`` runs an ASGI app on a free port of this machine."""
    return running_app


@pytest.fixture(scope="module")
def module_serve() -> Serve:
    """The same for what a whole module looks at."""
    return running_app


@pytest.fixture
def desk() -> FakeDesk:
    """The shell with a board and forms, in the test's hand."""
    return FakeDesk()


@pytest.fixture
def address(desk: FakeDesk, serve: Serve) -> Iterator[str]:
    """Where the fake desk listens."""
    with serve(desk.app()) as url:
        yield url


def until(condition: Callable[[], bool], page: Page, seconds: float = WAIT_MS / 1000) -> None:
    """Wait for something on the server's side while the browser goes on."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "did not happen in time"
        page.wait_for_timeout(20)
