"""What people do every day, from home after the log-in: taps, bytes, and the first paint.

The small demo county, served as `relief serve` does, in Chromium at 375 px. A tap is a press on a
link, a button or a choice; writing into a field is typing and is not counted. ``bytes_first`` is
home with an empty cache, styles and scripts included, ``bytes_after`` the largest page of the task
behind it, both as they came over the wire (compressed). ``paint_ms`` is the first paint of the
page on which the task is done, with an empty cache, a processor four times slower and a line of
400 kbit/s with 400 ms to and fro.
"""

import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Locator, Page, sync_playwright

from bench.base import Reach, Result, machine
from bench.caught_up import caught_up
from bench.demo_store import ROOT, build
from bench.serving import server
from bench.winter_list import approved
from cli.demo_command import PASSWORD
from scripts.from_maven import Unavailable
from scripts.need_browser import browser_path

PHONE = {"width": 375, "height": 740}
FIRST_BYTES, AFTER_BYTES, PAINT_MS = 150_000, 30_000, 3_000
SLOW_PROCESSOR, LINE_BYTES, LATENCY_MS = 4, 50_000, 400
WAIT_MS = 40_000
STREAM = "/v1/live"
QUIET_S = 0.5
"""A page has loaded when it has asked for nothing so long."""


class Person:
    """Somebody who is logged in at home: counts what they press and what comes over the wire."""

    def __init__(self, browser: Browser, address: str, login: str) -> None:
        self.address = address
        self.context = _context(browser)
        self.page = self.context.new_page()
        self.page.goto(f"{address}/login")
        self.page.get_by_label("登录名").fill(login)
        self.page.get_by_label("密码").fill(PASSWORD)
        self.page.get_by_role("button", name="登录").click()
        self.page.get_by_role("button", name="退出登录").wait_for(state="attached")
        self.taps = 0
        self.bytes: dict[str, int] = {}
        self._document = ""
        self._waiting: set[str] = set()
        self._last = time.monotonic()
        told = self.context.new_cdp_session(self.page)
        told.send("Network.enable")
        told.send("Network.clearBrowserCache")
        told.on("Network.requestWillBeSent", self._asked)
        told.on("Network.loadingFinished", self._loaded)
        told.on("Network.loadingFailed", self._over)
        self.first_bytes = self.opened("/")

    def _asked(self, said: dict[str, Any]) -> None:
        self._last = time.monotonic()
        if STREAM not in said["request"]["url"]:  # a live page is never done with its own
            self._waiting.add(said["requestId"])

    def _over(self, said: dict[str, Any]) -> None:
        self._last = time.monotonic()
        self._waiting.discard(said["requestId"])

    def _settled(self) -> None:
        """Wait until all that the page asked for has come, after what was just done."""
        self._last = time.monotonic()
        self.page.wait_for_timeout(50)  # what was pressed asks for the next page
        self.page.wait_for_load_state("load")
        until = time.monotonic() + WAIT_MS / 1000
        while self._waiting or time.monotonic() < self._last + QUIET_S:
            assert time.monotonic() < until, f"{self.page.url}: {self._waiting}"
            self.page.wait_for_timeout(50)

    def _loaded(self, said: dict[str, Any]) -> None:
        self._over(said)
        key = self._document
        self.bytes[key] = self.bytes.get(key, 0) + int(said["encodedDataLength"])

    def opened(self, path: str) -> int:
        """Bytes of a page that is opened by its address."""
        self._document = path
        self.page.goto(self.address + path)
        self._settled()
        return self.bytes[path]

    def tap(self, thing: Locator) -> None:
        """Press it, and wait for what comes of that."""
        self.taps += 1
        self._document = f"tap {self.taps}"
        thing.first.click()
        self._settled()

    def choose(self, thing: Locator, value: str) -> None:
        self.taps += 1
        thing.select_option(value)

    def done(self, browser: Browser, name: str, limit: int, path: str) -> "Task":
        """What the task took. ``path`` is of the page on which it was done."""
        after = [size for page, size in self.bytes.items() if page.startswith("tap ")]
        task = Task(
            name,
            self.taps,
            limit,
            self.first_bytes,
            max(after, default=0),
            _paint(browser, self.context, self.address + path),
        )
        self.context.close()
        return task


@dataclass(frozen=True, slots=True)
class Task:
    task: str
    taps: int
    limit: int
    bytes_first: int
    bytes_after: int
    paint_ms: int


def _context(browser: Browser, **more: Any) -> BrowserContext:
    made = browser.new_context(
        viewport=PHONE,  # type: ignore[arg-type]
        locale="zh-CN",
        timezone_id="Asia/Shanghai",
        **more,
    )
    made.set_default_timeout(WAIT_MS)
    return made


def _paint(browser: Browser, logged_in: BrowserContext, url: str) -> int:
    """Milliseconds until the page's first paint on a slow phone with an empty cache."""
    slow = _context(browser, storage_state=logged_in.storage_state())
    page = slow.new_page()
    told = slow.new_cdp_session(page)
    told.send("Emulation.setCPUThrottlingRate", {"rate": SLOW_PROCESSOR})
    told.send("Network.enable")
    line = {"offline": False, "latency": LATENCY_MS}
    speed = {"downloadThroughput": LINE_BYTES, "uploadThroughput": LINE_BYTES}
    told.send("Network.emulateNetworkConditions", {**line, **speed})
    page.goto(url)
    said: float = page.evaluate(
        "performance.getEntriesByName('first-contentful-paint')[0].startTime"
    )
    slow.close()
    return round(said)


def _path(page: Page) -> str:
    return "/" + page.url.split("/", 3)[3]


# -- the tasks ------------------------------------------------------------------------------------


def report(browser: Browser, address: str) -> Task:
    """初报 of a village."""
    one = Person(browser, address, "yuantan-shuangfeng-a")
    one.tap(one.page.locator("main").get_by_role("link", name=re.compile("^报灾")))
    path = _path(one.page)
    one.choose(one.page.locator("#hazard"), "flood")
    one.tap(one.page.get_by_role("button", name="半小时前"))
    one.page.get_by_label(re.compile("^受灾人口")).fill("120")
    one.tap(one.page.get_by_role("button", name="上报初报"))
    one.page.locator("#receipt").wait_for()
    return one.done(browser, "初报", 7, path)


def accept(browser: Browser, address: str) -> Task:
    """A township accepts what a village has reported."""
    one = Person(browser, address, "yuantan-reviewer-new")
    one.tap(one.page.locator("main").get_by_role("link", name=re.compile("^审核.*双峰")))
    path = _path(one.page)
    one.tap(one.page.get_by_role("button", name="通过"))
    one.page.get_by_text(re.compile("^已通过")).first.wait_for()
    return one.done(browser, "审核通过", 2, path)


def order(browser: Browser, address: str) -> Task:
    """A county orders the quilts that a township asked for."""
    one = Person(browser, address, "county-approver")
    one.tap(one.page.get_by_role("link", name=re.compile("^下达调拨令")))
    path = _path(one.page)
    form = one.page.locator("form[data-command=OrderConsignment]")
    if not form.locator("[name=source]:checked").count():
        one.tap(form.locator("[name=source]"))
    form.locator("[name=document_no]").fill("潜应急〔2018〕31号")
    one.tap(form.locator("button[type=submit]").last)
    one.page.locator("form[data-command=OrderConsignment]").wait_for(state="detached")
    return one.done(browser, "下达调拨令", 3, path)


def find(browser: Browser, address: str) -> Task:
    """A township looks for a householder by name."""
    one = Person(browser, address, "yuantan-reviewer-new")
    one.page.locator("main input[type=search], main form input[name=q]").first.fill("储")
    one.tap(one.page.get_by_role("button", name="查找"))
    path = _path(one.page)
    one.tap(one.page.locator("main a[href^='/households/']"))
    return one.done(browser, "找人", 2, path)


def nothing_new(browser: Browser, address: str) -> Task:
    """A township says the next day that nothing has changed."""
    one = Person(browser, address, "yuantan-reviewer-new")
    one.tap(one.page.locator("form[action$='/zero-reports'] button"))
    one.page.locator("form[action$='/zero-reports']").first.wait_for(state="detached")
    return one.done(browser, "零报告", 1, "/")


def allocate(browser: Browser, address: str) -> Task:
    """A county sets the amounts of a village's list, household by household as the rule gives."""
    one = Person(browser, address, "county-approver")
    one.tap(one.page.locator("main").get_by_role("link", name=re.compile("双峰居委会")))
    path = _path(one.page)
    form = one.page.locator("form[data-command=AllocateList]")
    form.locator("[name=document_no]").fill("潜应急〔2018〕32号")
    fund = form.locator("[name=fund] option[value]:not([value=''])").first
    one.choose(form.locator("[name=fund]"), str(fund.get_attribute("value")))
    one.tap(form.locator("button[type=submit]").last)
    one.page.locator("#allocate-list[data-state=approved]").wait_for(state="detached")
    return one.done(browser, "一村救助款物分配", 5, path)


TASKS: tuple[Callable[[Browser, str], Task], ...] = (report, accept, order, find)
NEXT_DAY: tuple[Callable[[Browser, str], Task], ...] = (nothing_new,)
WINTER: tuple[Callable[[Browser, str], Task], ...] = (allocate,)


def chromium() -> str:
    """Where the browser is. Raises `Unavailable` on a machine without one."""
    found = browser_path()
    if found is None:
        raise Unavailable("没有 Chromium。Chromium is missing: see scripts/need_browser.py")
    return found


def advance(folder: Path, span: str) -> None:
    """The demo's clock goes forward, as `relief clock advance` does."""
    subprocess.run(
        [sys.executable, "-m", "cli.main", "clock", "advance", span],
        cwd=ROOT,
        env={"RELIEF_DATA": str(folder), "PATH": "/usr/bin:/bin"},
        check=True,
        stdout=subprocess.DEVNULL,
    )


def run(*, tiny: bool = False) -> Result:
    """All tasks; ``tiny`` leaves out what is due the next day."""
    tasks = []
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as started:
        folder = Path(scratch) / "demo"
        build(folder, small=True)
        browser = started.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        days = [TASKS[:2]] if tiny else [TASKS, NEXT_DAY, WINTER]
        for day in days:
            if day is NEXT_DAY:  # townships owe a follow-up each day
                caught_up(folder)
                advance(folder, "1d")
            if day is WINTER:
                approved(folder)
            with server(str(folder)) as served:
                tasks += [task(browser, f"http://127.0.0.1:{served.port}") for task in day]
        browser.close()
    return Result(
        name="tasks",
        figures={"tasks": [asdict(one) for one in tasks]},
        ratios={
            "taps_over_limit": max(one.taps / one.limit for one in tasks),
            "bytes_first_over_limit": max(one.bytes_first for one in tasks) / FIRST_BYTES,
            "bytes_after_over_limit": max(one.bytes_after for one in tasks) / AFTER_BYTES,
            "paint_over_limit": max(one.paint_ms for one in tasks) / PAINT_MS,
        },
        machine=machine(),
        reaches={
            name: Reach(at_most=1)
            for name in (
                "taps_over_limit",
                "bytes_first_over_limit",
                "bytes_after_over_limit",
                "paint_over_limit",
            )
        },
    )
