"""Forms, buttons and links of many rows of one page: who hears the page knows which row each of
them is for."""

import re
from collections import Counter
from collections.abc import Iterator
from html.parser import HTMLParser

import pytest
from fastapi.testclient import TestClient

from tests.web.relief_desk import RunningDemo
from tests.web.test_crawl import Seen, kind_of
from tests.web.test_relief_pages import enter

ROWS = ("/seasons", "/dispatch/units", "/disasters")
FORM = re.compile(r'<form id="[^"]+" class="act[^>]*?aria-label="([^"]+)"', re.S)


@pytest.fixture
def server(demo: RunningDemo) -> Iterator[TestClient]:
    with TestClient(demo.app()) as client:
        yield client


@pytest.mark.parametrize("login", ["county-approver", "dispatcher", "yuantan-reviewer-new"])
def test_no_two_forms_of_a_page_are_called_alike(server: TestClient, login: str) -> None:
    """Each village of a season had a form 建立名册, and nothing told them apart."""
    enter(server, login)
    met = 0
    for path in ROWS:
        first = server.get(f"{path}?lang=zh")
        if first.status_code != 200:
            continue
        inner = re.findall(rf'href="({path}/[0-9a-f-]{{36}})[?"#]', first.text)
        for page in [path, *dict.fromkeys(inner)]:
            called = FORM.findall(server.get(f"{page}?lang=zh").text)
            assert len(called) == len(set(called)), (page, called)
            met += len(called)
    assert met


PRESSED = ("button", "summary")
ELSEWHERE = ("/v1", "/static", "/docs", "/help", "/log")
MOST_PAGES = 80


class Pressed(HTMLParser):
    """What is pressed or unfolded on a page, and the links of a work list, by what each is called:
    a button within a form that has a name is told apart by that. A button that
    sends nothing (take this row away) belongs to its row."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.called: Counter[tuple[str, str, str]] = Counter()
        self._form, self._open = "", list[tuple[str, str, list[str]]]()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        of = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._form = of.get("aria-label", "")
        sends = tag in PRESSED and of.get("type") != "button"
        if sends or (tag == "a" and "work-do" in of.get("class", "")):
            self._open.append((tag, of.get("aria-label", ""), []))

    def handle_data(self, data: str) -> None:
        for _, _, texts in self._open:
            texts.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = ""
        if self._open and self._open[-1][0] == tag:
            _, label, texts = self._open.pop()
            name = label or " ".join(" ".join(texts).split())
            self.called[tag, name, self._form if tag == "button" else ""] += 1


class Linked(HTMLParser):
    """Where the links of a page lead, by what each is called: those in tables, figures and lists
    of its main part. A link to a place of the same page is told apart by its row."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.led: dict[str, set[str]] = {}
        self._main, self._open = False, list[tuple[str, str, list[str]]]()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        of = {name: value or "" for name, value in attrs}
        self._main = self._main or tag == "main"
        if tag == "a" and self._main:
            self._open.append((of.get("href", "").split("#")[0], of.get("aria-label", ""), []))

    def handle_data(self, data: str) -> None:
        for _, _, texts in self._open:
            texts.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "main":
            self._main = False
        if tag == "a" and self._open:
            there, label, texts = self._open.pop()
            name = label or " ".join(" ".join(texts).split())
            if there:
                self.led.setdefault(name, set()).add(there)


@pytest.mark.parametrize("login", ["county-approver", "dispatcher", "yuantan-reviewer-new"])
def test_no_two_buttons_foldings_or_links_of_a_page_are_called_alike(
    server: TestClient, login: str
) -> None:
    """Six foldings "take off duty" stood on one page, and two links "accept" in one work list;
    seven links 潜山市 of one page led to seven stocks."""
    enter(server, login)
    waiting, seen, met = ["/"], set[str](), 0
    while waiting and met < MOST_PAGES:
        path = waiting.pop(0)
        if kind_of(path) in seen or path.startswith(ELSEWHERE):
            continue
        seen.add(kind_of(path))
        page = server.get(path)
        if page.status_code != 200 or "html" not in page.headers["content-type"]:
            continue
        met += 1
        waiting += Seen(page.text).links
        alike = {one: n for one, n in Pressed(page.text).called.items() if n > 1}
        assert not alike, (path, alike)
        apart = {one: there for one, there in Linked(page.text).led.items() if len(there) > 1}
        assert not apart, (path, apart)
    assert met > 20
