"""Take the pictures of README and the walks again, from a demo store, in headless Chromium.

python scripts/screenshots.py                 the store of RELIEF_DATA (default var/)
python scripts/screenshots.py DATA [FOLDER]   another store; pictures into FOLDER

The store is copied first: on the copy a village officer files an initial report, the township
accepts it, and the county's board is pictured both times. The store itself is only read.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, expect, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from cli.demo_command import PASSWORD  # noqa: E402
from scripts.need_browser import browser_path  # noqa: E402

IMAGES = ROOT / "docs" / "images"
SERVE = "from cli.main import main; main()"
LIMIT = 300 * 1024
DESK, PHONE = (1440, 900), (375, 812)
PLACE = "双峰居委会"
VILLAGE, TOWNSHIP = "yuantan-shuangfeng-a", "yuantan-reviewer-new"
STARTS_WITHIN = 180.0
WAIT_MS = 30_000


@contextmanager
def serving(store: Path) -> Iterator[str]:
    """The address of a server on a copy of the store."""
    with tempfile.TemporaryDirectory(prefix="relief-pictures-") as folder:
        data = Path(folder) / "store"
        shutil.copytree(store, data)
        server = subprocess.Popen(
            [sys.executable, "-u", "-c", SERVE, "serve", "--port", "8790"],
            cwd=ROOT,
            env={**os.environ, "RELIEF_DATA": str(data), "NO_COLOR": "1"},
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            assert server.stdout is not None
            said = ""
            while not (found := re.search(r"http://[\w.:\[\]]+", said)):
                said = server.stdout.readline()
                if not said:
                    sys.exit("the server did not start")
            wait_ready(found[0])
            yield found[0]
        finally:
            server.terminate()
            server.wait(30)


def wait_ready(address: str) -> None:
    """Until the views have reached the log."""
    deadline = time.monotonic() + STARTS_WITHIN
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"{address}/ready", timeout=5) as said:  # noqa: S310 - ours
                if json.load(said)["lag"] == 0:
                    return
        except OSError:
            pass
        time.sleep(0.2)
    sys.exit("the server is not ready")


class Studio:
    """One browser, and a page for each who is pictured."""

    def __init__(self, browser: Browser, address: str, folder: Path) -> None:
        self.browser, self.address, self.folder = browser, address, folder

    def enter(self, name: str, size: tuple[int, int] = DESK, language: str = "zh-CN") -> Page:
        """A page on which this log-in has just come home."""
        context = self.browser.new_context(
            viewport={"width": size[0], "height": size[1]},
            locale=language,
            timezone_id="Asia/Shanghai",
            reduced_motion="reduce",
            base_url=self.address,
        )
        page = context.new_page()
        page.goto("/login")
        page.get_by_label("登录名").fill(name)
        page.get_by_label("密码").fill(PASSWORD)
        page.get_by_role("button", name="登录").click()
        page.wait_for_url(lambda url: "/login" not in url)
        return page

    def take(self, page: Page, name: str, *, whole: bool = False, most: int = 1600) -> None:
        """Keep a picture: what the window shows, or the whole page down to ``most`` pixels."""
        live = page.locator("[data-live-state]")
        if live.count():
            expect(live.first).to_have_text(re.compile("实时|Live"))
        size = page.viewport_size
        assert size is not None
        if whole:
            tall = page.evaluate("document.documentElement.scrollHeight")
            page.set_viewport_size({"width": size["width"], "height": min(tall, most)})
        page.evaluate("scrollTo(0, 0)")
        path = self.folder / f"{name}.png"
        page.screenshot(path=path)
        page.set_viewport_size(size)
        if (weight := path.stat().st_size) > LIMIT:
            sys.exit(f"{path.name} weighs {weight:,} bytes, over {LIMIT:,}")
        print(f"{path.name}  {weight // 1024} KiB")


def village(studio: Studio) -> None:
    """The officer at home, the form with its arithmetic asked about, the receipt."""
    page = studio.enter(VILLAGE, PHONE)
    studio.take(page, "village-home")
    page.goto("/report/new")
    page.get_by_label("灾种", exact=True).select_option("flood")
    page.get_by_role("button", name="半小时前").click()
    page.get_by_label(re.compile("^受灾人口")).fill("120")
    page.get_by_label(re.compile("^因灾受伤人口")).fill("2")
    page.get_by_label(re.compile("^因灾死亡人口")).fill("0")
    page.get_by_label(re.compile("^紧急转移安置人口（累计）")).fill("35")
    page.get_by_label(re.compile("^紧急转移安置人口（实时）")).fill("53")
    page.keyboard.press("Tab")
    studio.take(page, "village-form", whole=True, most=1880)
    page.get_by_label(re.compile("^紧急转移安置人口（实时）")).fill("35")
    page.get_by_role("button", name="上报初报").click()
    expect(page.locator("#receipt")).to_be_visible()
    studio.take(page, "village-receipt")


def county(studio: Studio) -> None:
    """The board before and after the township's acceptance, then the county's other desks."""
    board = studio.enter("county-approver")
    board.goto("/situation")
    place = board.get_by_role("row").filter(has=board.get_by_role("link", name=PLACE)).first
    expect(place).to_contain_text("未审")
    studio.take(board, "situation-pending", whole=True, most=1280)
    township = studio.enter(TOWNSHIP)
    township.goto("/review")
    studio.take(township, "township-review")
    article = township.locator("article").filter(has_text=PLACE).first
    article.get_by_role("button", name="通过", exact=True).click()
    expect(place).not_to_contain_text("未审")
    studio.take(board, "situation", whole=True, most=1280)
    incident(studio)
    for path in ("dispatch", "stock", "ledger", "lists", "funds"):
        board.goto(f"/{path}")
        studio.take(board, path)


def incident(studio: Studio) -> None:
    """The dispatcher opens an incident, so that the board has one."""
    page = studio.enter("dispatcher")
    page.goto("/dispatch/new")
    page.get_by_label("道路中断").check()
    page.locator("[name=area]").select_option(label=PLACE)
    page.locator("[name=place]").fill("双峰小学门前路段")
    page.locator("[name=details]").fill("山体滑坡，道路中断，车辆绕行。")
    page.locator("form[data-form] button[type=submit]").click()
    page.wait_for_url("**/dispatch*")


def phones(studio: Studio) -> None:
    """The boards in a hand."""
    page = studio.enter("county-approver", PHONE)
    for path in ("situation", "ledger"):
        page.goto(f"/{path}")
        studio.take(page, f"{path}-phone")


def auditor(studio: Studio) -> None:
    """A household's whole history, and who did what."""
    page = studio.enter("auditor")
    page.goto("/ledger?status=paid")
    page.locator("#ledger-rows [data-row] a").first.click()
    studio.take(page, "household", whole=True)
    page.goto("/timeline")
    studio.take(page, "timeline")


def main() -> None:
    store = Path(sys.argv[1] if sys.argv[1:] else os.environ.get("RELIEF_DATA", "var"))
    folder = Path(sys.argv[2]) if sys.argv[2:] else IMAGES
    if not (store / "log.sqlite").exists():
        sys.exit(f"{store} holds no store: load it first by relief demo")
    folder.mkdir(parents=True, exist_ok=True)
    path = browser_path() or sys.exit("chromium is not installed")
    with serving(store) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path,
            env={**os.environ, "LANGUAGE": "zh_CN", "LANG": "zh_CN.UTF-8"},
            args=["--no-sandbox", "--disable-gpu", "--disable-quic", "--lang=zh-CN"],
        )
        expect.set_options(timeout=WAIT_MS)
        studio = Studio(browser, address, folder)
        for walk in (village, county, phones, auditor):
            walk(studio)
        browser.close()


if __name__ == "__main__":
    main()
