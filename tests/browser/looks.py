"""The sweep over the looks of all pages: width × language × light and dark.

    make looks                            every kind of page; images and findings in var/looks
    python -m tests.browser.looks --county var   the lists of a loaded demo county too (20,000 rows)
    … --widths 375 --languages zh --themes light --no-images     one look at each page, in minutes

Every kind of page that a link leads to is opened once for whoever comes to it first. On each of
them axe is run with all its rules, and a ruler: what is wider than its window, cut off, laid over
something else, a date on two lines, or too small for a thumb. ``findings.csv`` has a line each; the
exit code is 1 if there is one. `tests/browser/test_looks.py` is a sample of it.
"""

import argparse
import csv
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import astuple, dataclass, fields
from itertools import product
from pathlib import Path
from typing import Any, Final

from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Browser, Error, Page, sync_playwright

from api.app import create_app
from cli.compose import running
from cli.demo_command import PASSWORD as DEMO_PASSWORD
from cli.settings import Settings
from scripts.need_browser import browser_path
from tests.browser.conftest import ARGUMENTS, running_app
from tests.web.relief_desk import PASSWORD, running_demo
from tests.web.test_crawl import kind_of
from web.app import mount_pages

FOLDER: Final = Path("var") / "looks"
WIDTHS: Final = (375, 768, 1440)
HEIGHTS: Final = {375: 812, 768: 1024, 1440: 900}
LANGUAGES: Final = ("zh", "en")
THEMES: Final = ("light", "dark")
OFFICERS: Final = (
    "county-approver",
    "county-storekeeper",
    "county-payer",
    "dispatcher",
    "yuantan-reviewer-new",
    "yuantan-shuangfeng-a",
    "taihu-approver",
    "administrator",
    "auditor",
    "city-reviewer",
)
EMPTY: Final = "taihu-approver"
"""In whose county nothing has happened: every list of this officer is empty, and is looked at."""

LEFT_OUT: Final = re.compile(r"\bwhole=|\bcursor=|^/static/|\blang=|/csv|\.csv|form=xlsx|xlsx")
ARGUED: Final[dict[str, str]] = {}
"""Rules of axe that we do not keep, and the decision that argues it."""

RULER = """() => {
  const clipped = (e) => e !== null
    && (getComputedStyle(e).clipPath !== "none" || clipped(e.parentElement));
  const shown = (e) => e.checkVisibility({ visibilityProperty: true })
    && !e.closest(".hidden, .skip") && !clipped(e);
  const told = (e) => e.outerHTML.replace(/\\s+/g, " ").slice(0, 120);
  const all = (what) => [...document.querySelectorAll(what)].filter(shown);
  const box = (e) => (e.matches("[type=checkbox], [type=radio]") && e.closest("label") || e)
    .getBoundingClientRect();
  const found = [];
  const say = (kind, e) => found.push([kind, told(e)]);
  if (document.documentElement.scrollWidth > innerWidth) {
    found.push(["wide", `${document.documentElement.scrollWidth - innerWidth} px`]);
  }
  for (const e of all("main *, header *, footer *")) {
    const style = getComputedStyle(e);
    if (["hidden", "clip"].includes(style.overflowX) && e.scrollWidth > e.clientWidth + 2
        && e.innerText.trim()) say("clipped", e);
  }
  for (const e of all("main time")) {
    const inTable = innerWidth > 640 && e.closest("td");
    if (!inTable && e.getClientRects().length > 1) say("broken", e);
  }
  if (innerWidth <= 375) {
    for (const e of all("main input, main select, main textarea, button, summary, .button, "
      + ".top a, .door")) {
      if (e.type !== "hidden" && (box(e).height < 43.5 || box(e).width < 43.5)) say("small", e);
    }
  }
  // Words over words: of each text its own lines, from top to bottom.
  const lines = [];
  const walker = document.createTreeWalker(document.querySelector("main"), NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const e = node.parentElement;
    if (!node.textContent.trim() || !shown(e) || e.closest("svg, select, .send")) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    for (const r of range.getClientRects()) if (r.width > 2) lines.push({ r, e });
  }
  lines.sort((a, b) => a.r.top - b.r.top);
  for (let i = 0; i < lines.length; i += 1) {
    for (let j = i + 1; j < lines.length && lines[j].r.top < lines[i].r.bottom; j += 1) {
      const [a, b] = [lines[i].r, lines[j].r];
      const across = Math.min(a.right, b.right) - Math.max(a.left, b.left);
      const down = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
      // Lines of one paragraph may touch where letters have none of their ink.
      if (across > 4 && down > 0.45 * Math.min(a.height, b.height) && lines[i].e !== lines[j].e) {
        say("over", lines[j].e);
      }
    }
  }
  return found;
}"""


@dataclass(frozen=True)
class Finding:
    """What is wrong on a page. ``kind``: of the ruler (wide clipped broken small over) or axe's
    rule."""

    page: str
    officer: str
    width: int
    language: str
    theme: str
    kind: str
    what: str


View = tuple[int, str, str]
"""Width, language, theme."""

VIEWS: Final = tuple(product(WIDTHS, LANGUAGES, THEMES))


def looked_at(page: Page, address: str, officer: str) -> Iterator[Finding]:
    """What axe and the ruler find on the page as it is shown now, at this view."""
    size = page.viewport_size
    assert size is not None
    language = "en" if page.locator("html").get_attribute("lang") == "en" else "zh"
    theme = page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light'")
    found = [tuple(one) for one in page.evaluate(RULER)]
    for rule in Axe().run(page).response["violations"]:
        if rule["id"] not in ARGUED:
            found += [(f"axe {rule['id']}", str(node["html"])[:160]) for node in rule["nodes"]]
    for kind, what in found:
        yield Finding(address, officer, size["width"], language, theme, kind, what)


def enter(page: Page, server: str, login: str, password: str = PASSWORD) -> None:
    page.goto(f"{server}/login?lang=zh")
    page.get_by_label("登录名").fill(login)
    page.get_by_label("密码").fill(password)
    page.get_by_role("button", name="登录").click()
    page.wait_for_url(lambda url: "/login" not in url)


def links_of(page: Page) -> list[str]:
    found: list[str] = page.evaluate(
        "[...document.querySelectorAll('a[href^=\"/\"]')].map(a => a.getAttribute('href'))"
    )
    return [one.partition("#")[0] for one in found if not LEFT_OUT.search(one)]


def opened(page: Page, server: str, address: str, language: str) -> bool:
    """Whether it is a page: False for a file that is kept, or shown as it is."""
    joint = "&" if "?" in address else "?"
    try:
        answer = page.goto(f"{server}{address}{joint}lang={language}")
    except Error as problem:
        if "Download is starting" not in problem.message:
            raise
        return False
    return answer is not None and "text/html" in answer.headers.get("content-type", "")


def name_of(address: str) -> str:
    """The name of a page's images: its kind, as a file may be called."""
    return re.sub(r"[^a-z0-9]+", "-", kind_of(address).replace("…", "one")).strip("-") or "home"


Seen = Callable[[Page, str, str, View], None]


def walk(
    browser: Browser,
    server: str,
    officers: Iterable[str],
    views: Iterable[View],
    seen: Seen,
    password: str = PASSWORD,
) -> int:
    """Every kind of page once, for the first officer who gets to it, at all views; how many."""
    met: set[str] = set()
    wanted = tuple(views)
    count = 0
    context = browser.new_context(
        locale="zh-CN", timezone_id="Asia/Shanghai", reduced_motion="reduce"
    )
    context.set_default_timeout(60_000)
    page = context.new_page()
    for officer in officers:
        context.clear_cookies()
        enter(page, server, officer, password)
        waiting = ["/", *links_of(page)]
        if officer == EMPTY:
            met -= {kind_of(one) for one in waiting}  # what others see full, this one sees empty
        met.discard("/")
        while waiting:
            address = waiting.pop(0)
            if (kind := kind_of(address)) in met:
                continue
            met.add(kind)
            if not opened(page, server, address, wanted[0][1]):
                continue
            count += 1
            waiting += links_of(page)
            shown = wanted[0][1]
            for view in sorted(wanted, key=lambda one: one[1] != shown):
                width, language, theme = view
                if language != shown:
                    opened(page, server, address, language)
                    shown = language
                page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
                page.set_viewport_size({"width": width, "height": HEIGHTS[width]})
                seen(page, address, officer, view)
    context.close()
    return count


def summary(found: Iterable[Finding]) -> str:
    """How many of each kind, and the first place where each thing was seen."""
    kinds: dict[str, dict[str, Finding]] = {}
    for one in found:
        kinds.setdefault(one.kind, {}).setdefault(re.sub(r"\d+", "0", one.what), one)
    lines = []
    for kind, things in sorted(kinds.items()):
        lines.append(f"{kind}: {len(things)}")
        lines += [
            f"  {one.page} ({one.officer}, {one.width} px, {one.language}, {one.theme}) {one.what}"
            for one in list(things.values())[:8]
        ]
    return "\n".join(lines)


@contextmanager
def county(data: Path, folder: Path) -> Iterator[str]:
    """The address of a server on a copy of a loaded demo county."""
    copy = Path(shutil.copytree(data, folder / "county", ignore=shutil.ignore_patterns("looks")))
    with (
        running(Settings(data=copy)) as system,
        running_app(create_app(system, mount=mount_pages)) as server,
    ):
        yield server


def launched(playwright: Any) -> Browser:
    path = browser_path() or sys.exit("chromium is not installed")
    browser: Browser = playwright.chromium.launch(
        executable_path=path, args=list(ARGUMENTS), headless=True
    )
    return browser


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--county", type=Path, help="a folder with a loaded demo county")
    parser.add_argument("--officers", nargs="*", default=list(OFFICERS))
    parser.add_argument("--widths", nargs="*", type=int, default=list(WIDTHS))
    parser.add_argument("--languages", nargs="*", choices=LANGUAGES, default=list(LANGUAGES))
    parser.add_argument("--themes", nargs="*", choices=THEMES, default=list(THEMES))
    parser.add_argument("--no-images", action="store_true")
    given = parser.parse_args()
    wanted = (given.widths, given.languages, given.themes)
    views = [
        view for view in VIEWS if all(one in some for one, some in zip(view, wanted, strict=True))
    ]
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    findings: list[Finding] = []

    def seen(page: Page, address: str, officer: str, view: View) -> None:
        found = list(looked_at(page, address, officer))
        findings.extend(found)
        kinds = ", ".join(sorted({one.kind for one in found}))
        print(f"{len(found):4} {address} {officer} {view} {kinds}", file=sys.stderr, flush=True)
        if not given.no_images:
            name = "-".join((name_of(address), officer, *(str(part) for part in view)))
            page.screenshot(path=FOLDER / f"{name}.png", full_page=True)

    with sync_playwright() as playwright:
        browser = launched(playwright)
        with tempfile.TemporaryDirectory(prefix="relief-looks-") as folder:
            with running_demo(Path(folder)) as demo, running_app(demo.app()) as server:
                count = walk(browser, server, given.officers, views, seen)
            if given.county is not None:
                with county(given.county, Path(folder)) as server:
                    few = [view for view in views if view[0] != 768 and view[2] == "light"] or views
                    count += walk(browser, server, given.officers[:1], few, seen, DEMO_PASSWORD)
        browser.close()
    with (FOLDER / "findings.csv").open("w", encoding="utf-8-sig", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(one.name for one in fields(Finding))
        rows.writerows(astuple(one) for one in findings)
    print(f"{count} pages × {len(views)} views: {len(findings)} findings, {FOLDER}")
    print(summary(findings))
    sys.exit(1 if findings else 0)


if __name__ == "__main__":
    main()
