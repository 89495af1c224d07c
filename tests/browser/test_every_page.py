"""Every page that a link leads to, in a browser: it fits its window, and a keyboard gets through.

One walk looks at everything, since opening the pages is what takes the time; each test asks one
question of what the walk has seen.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from playwright.sync_api import Browser, Error, Page

from tests.browser.conftest import DESK, HEIGHTS, PHONE, Serve
from tests.browser.test_relief_pages import enter
from tests.web.relief_desk import RunningDemo, running_demo
from tests.web.test_crawl import kind_of

TABLET = 768
SCREENS = 7
"""At most, on a phone: what a thumb still gets through. A list of 50 rows had 23, of 100 had 38."""

FORM = "/file?"
FORM_SCREENS = 9
"""A form of sixty figures shows those that were reported before; they are to be seen when sent."""

PARTS = "/design"
"""Every component in every state, for whoever changes pages: nobody's work waits below."""

OFFICERS = (
    "county-storekeeper",
    "dispatcher",
    "yuantan-reviewer-new",
    "yuantan-shuangfeng-a",
    "county-approver",
    "administrator",
    "auditor",
    "city-reviewer",
)
"""Those whose desk it is come first: of pages alike, the first one met is looked at."""

AGAIN = ("county-approver", "city-reviewer")
"""Their desks show so much more that they are looked at even if an officer below has the same."""

LEFT_OUT = re.compile(r"\bwhole=|\bcursor=")
"""The whole of a form, which is opened to be printed, and further pages of a list that was seen."""

LOOK = """() => {
  // Sums whose unit stands on the next line: of each text, and of a figure and what follows it.
  const apart = (root) => {
    const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    const range = document.createRange();
    const line = (node, from, to) => {
      range.setStart(node, from);
      range.setEnd(node, to);
      return [...range.getClientRects()].map((one) => Math.round(one.top + one.height / 2));
    };
    const found = [];
    let before = null;
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      const text = node.data;
      for (const one of text.matchAll(/[\\d,.]*\\d\\s?元/g)) {
        if (new Set(line(node, one.index, one.index + one[0].length)).size > 1) found.push(one[0]);
      }
      const begins = /^\\s*(?:床|件|顶|户|人)/.exec(text);
      if (begins && before && /\\d$/.test(before.data)) {
        const end = before.data.length;
        const above = line(before, end - 1, end).at(-1);
        const below = line(node, begins[0].length - 1, begins[0].length).at(-1);
        if (above && below && below - above > 20) found.push(before.data + text);
      }
      if (text.trim()) before = node;
    }
    return found;
  };
  const OWN = "[role=button], [role=tab], [role=menuitem], [role=switch], [role=checkbox], "
    + "[role=radio], [role=option], [role=link], [onclick], [contenteditable], [tabindex='0']";
  const NATIVE = "a[href], button, input, select, textarea, summary, .scroll, [role=region], "
    + "[role=group], pre";
  const shown = (e) => e.getClientRects().length > 0;
  const told = (e) => e.outerHTML.slice(0, 120);
  const box = (e) => (e.matches("[type=checkbox], [type=radio]") && e.closest("label") || e)
    .getBoundingClientRect();
  const all = (what) => [...document.querySelectorAll(what)];
  return {
    wide: document.documentElement.scrollWidth - innerWidth,
    height: document.documentElement.scrollHeight,
    cut: all(".scroll").filter((e) => e.querySelector("table.cards")
      && e.scrollWidth > e.clientWidth + 1).map(told),
    thin: all("td, th").filter((e) => {
      const { width, height } = e.getBoundingClientRect();
      return width > 1 && width < 48 && height > 90 && e.innerText.trim().length > 5;
    }).map(told),
    small: all("main input, main select, main textarea, button, summary, .button, .top a, a.door")
      .filter((e) => e.type !== "hidden" && shown(e))
      .filter((e) => box(e).height < 44 || box(e).width < 44).map(told),
    hints: all("input[placeholder]").filter(shown).filter((e) => {
      const { font, paddingLeft, paddingRight } = getComputedStyle(e);
      const pen = document.createElement("canvas").getContext("2d");
      pen.font = font;
      const there = e.clientWidth - parseFloat(paddingLeft) - parseFloat(paddingRight);
      return pen.measureText(e.placeholder).width > there;
    }).map(told),
    apart: apart(document.querySelector("main") ?? document.body),
    own: all(OWN).filter((e) => !e.matches(NATIVE)).map(told),
    empty: all("h1, h2, h3, h4, th, caption, legend, dt")
      .filter((e) => !e.textContent.trim()).map(told),
  };
}"""


KEYED = """() => {
  const wanted = [...document.querySelectorAll(
    "a[href], button, input, select, textarea, summary, [tabindex='0']")]
    .filter((e) => e.type !== "hidden" && !e.disabled)
    .filter((e) => e.checkVisibility({ visibilityProperty: true }))
    .filter((e) => {
      if (e.type !== "radio" || e.checked) return true;
      const group = [...(e.form ?? document).querySelectorAll(`[name="${e.name}"]`)];
      return e === group[0] && !group.some((one) => one.checked);
    });
  window.passed = [];
  addEventListener("focusin", ({ target }) => window.passed.push(target));
  window.wanted = wanted;
  document.activeElement?.blur();
  return wanted.length;
}"""
"""All that must be reached by Tab: of radio buttons one, the arrows go to the others."""

REACHED = """() => {
  const told = (e) => e.outerHTML.slice(0, 120);
  const seen = new Set(window.passed);
  const unseen = (e) => {
    e.focus({ focusVisible: true });
    const { outlineStyle, outlineWidth } = getComputedStyle(e);
    const box = e.getBoundingClientRect();
    const inside = box.top >= -1 && box.bottom <= innerHeight + 1 || box.height > innerHeight / 2;
    return outlineStyle === "none" || parseFloat(outlineWidth) < 2 || !inside;
  };
  return {
    // A page with one field to fill in begins there: the way before it comes round.
    first: document.querySelector("[autofocus]") ? "" : told(window.passed[0]),
    missed: window.wanted.filter((e) => !seen.has(e)).map(told),
    unseen: window.wanted.filter((e) => seen.has(e) && unseen(e)).map(told),
  };
}"""

STOPS = 3
"""Within a field for date and time Tab stops at year, month, day, hour, minute and the calendar."""


@dataclass
class Seen:
    """What was seen of one page: by width on the Chinese one, and on a phone in English."""

    address: str
    officer: str
    at: dict[int, dict[str, Any]] = field(default_factory=dict)
    english: dict[str, Any] = field(default_factory=dict)
    keys: dict[str, Any] | None = None

    def on_a_phone(self) -> tuple[dict[str, Any], dict[str, Any]]:
        return self.at[PHONE], self.english


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDemo]:
    with running_demo(tmp_path_factory.mktemp("demo")) as one:
        yield one


def links(page: Page) -> list[str]:
    found = page.evaluate(
        "[...document.querySelectorAll('a[href^=\"/\"]')].map(a => a.getAttribute('href'))"
    )
    return [
        one.partition("#")[0]
        for one in found
        if "lang=" not in one and not one.startswith(("/static/", "/v1/"))
    ]


def look_at(page: Page, server: str, seen: Seen) -> bool:
    """Whether it is a page: False for a file that is kept. Chinese last: its links are followed,
    and what comes next is opened in Chinese."""
    joint = "&" if "?" in seen.address else "?"
    try:
        page.goto(f"{server}{seen.address}{joint}lang=en")
    except Error as problem:
        if "Download is starting" not in problem.message:
            raise
        return False
    seen.english = page.evaluate(LOOK)
    page.goto(f"{server}{seen.address}{joint}lang=zh")
    for width in (TABLET, DESK, PHONE):
        page.set_viewport_size({"width": width, "height": HEIGHTS.get(width, 900)})
        seen.at[width] = page.evaluate(LOOK)
        if width == DESK and "?" not in seen.address:
            seen.keys = through_by_keys(page)
    return True


def through_by_keys(page: Page) -> dict[str, Any]:
    """What Tab reaches, from the top of the page to its end."""
    dates = page.locator("main input[type^=date]:visible").count()
    for _ in range(page.evaluate(KEYED) + 2 * STOPS * dates + 1):
        page.keyboard.press("Tab")
    found: dict[str, Any] = page.evaluate(REACHED)
    return found


@pytest.fixture(scope="module")
def walked(demo: RunningDemo, chromium: Browser, module_serve: Serve) -> list[Seen]:
    """Every kind of page once, with the first officer who gets to it."""
    found: list[Seen] = []
    met: set[str] = set()
    context = chromium.new_context(
        viewport={"width": PHONE, "height": HEIGHTS[PHONE]}, locale="zh-CN"
    )
    context.set_default_timeout(60_000)
    page = context.new_page()
    with module_serve(demo.app()) as server:
        for officer in OFFICERS:
            context.clear_cookies()
            enter(page, server, officer)
            waiting = ["/", *links(page)]
            met -= set(waiting) if officer in AGAIN else {"/"}
            while waiting:
                address = waiting.pop(0)
                if (kind := kind_of(address)) in met or LEFT_OUT.search(address):
                    continue
                met.add(kind)
                if look_at(page, server, seen := Seen(address, officer)):
                    found.append(seen)
                    waiting += links(page)
    context.close()
    return found


def told(faults: dict[str, Any]) -> str:
    return "\n".join(f"{where}: {what}" for where, what in faults.items())


def test_the_walk_gets_to_the_pages(walked: list[Seen]) -> None:
    paths = {re.sub(r"\?.*", "", kind_of(one.address)) for one in walked}
    assert {"/situation", "/lists/…", "/report/new", "/rulebooks/standards", "/me"} <= paths
    assert len(paths) > 35


@pytest.mark.parametrize("width", [PHONE, TABLET, DESK])
def test_no_page_is_wider_than_its_window(walked: list[Seen], width: int) -> None:
    wide = {one.address: px for one in walked if (px := one.at[width]["wide"]) > 0}
    assert not wide, told(wide)


def test_no_english_page_is_wider_than_a_phone(walked: list[Seen]) -> None:
    wide = {one.address: one.english["wide"] for one in walked if one.english["wide"] > 0}
    assert not wide, told(wide)


def test_no_page_is_taller_than_some_screens_of_a_phone(walked: list[Seen]) -> None:
    tall = {}
    for one in walked:
        if one.address == PARTS:
            continue
        screens = FORM_SCREENS if FORM in one.address else SCREENS
        height = max(side["height"] for side in one.on_a_phone())
        if height > screens * HEIGHTS[PHONE]:
            tall[f"{one.officer} {one.address}"] = height
    assert not tall, told(tall)


@pytest.mark.parametrize("fault", ["cut", "thin", "small", "empty", "own"])
def test_on_a_phone_no_page_has(walked: list[Seen], fault: str) -> None:
    """Rows cut off at their edge, columns of single letters, things too small for a thumb,
    headings that say nothing, hints wider than their field, sums whose unit begins a line;
    controls of our own, which Enter and Space do not press: what is pressed is a button, a link, a
    summary or a field, and the browser sees to its keys."""
    found = {
        one.address: there
        for one in walked
        if (there := [each for side in one.on_a_phone() for each in side[fault]])
    }
    assert not found, told(found)


def test_tab_reaches_everything_and_is_seen_where_it_is(walked: list[Seen]) -> None:
    keyed = {one.address: one.keys for one in walked if one.keys is not None}
    assert len(keyed) > 25
    for fault in ("missed", "unseen"):
        found = {address: keys[fault] for address, keys in keyed.items() if keys[fault]}
        assert not found, f"{fault}: {told(found)}"
    first = {address: keys["first"] for address, keys in keyed.items()}
    assert all('class="skip"' in one for one in first.values() if one), told(first)
