"""Every page that a link or a live part of a page leads to, for whoever may log in, in zh and en.

What a reader must never meet on any of them: an error, an id, a sealed text, a program's key, a
placeholder that nobody filled in, or, in English, Chinese words that are no data.
"""

import re
from collections.abc import Callable, Iterator
from enum import StrEnum
from functools import cache
from html.parser import HTMLParser
from urllib.parse import urlencode

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

import domain.catalog  # noqa: F401  all state words of the domain are loaded with it
from domain.officer import Officer
from projections.catalog import VIEWS
from tests.web.relief_desk import RunningDemo
from tests.web.test_relief_pages import enter

ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
SNAKE = re.compile(r"(?<![\w./@-])[a-z]+[0-9]*(?:_[a-z0-9]+)+(?![\w./@-])")
UNFILLED = re.compile(r"\{[^{}]*\}|\{\{|\}\}|\{%")
CHINESE = re.compile(r"[\u3400-\u9fff]+")
WORD = re.compile(r"(?<![\w./@-])[a-z]+(?![\w./@（-])")
EMPTY = re.compile(r"=(?:&|$)")
"""An address with an empty value: what is no text refuses it."""

SAID = ("title", "aria-label", "aria-description", "placeholder", "alt")
LINKS = ("href", "hx-get")
SILENT = ("script", "style", "template")
SOURCES = ("pre", "textarea")
"""With ``data-source`` they show the text of a file as it is: its keys are what it is made of."""
OTHER_LANGUAGE = "中文"


class Seen(HTMLParser):
    """What a page says to a reader, and where it leads."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.links: list[str] = []
        self._silent = 0
        self._asks = ""  # where the form at hand fetches a part of the page from
        self._fields: dict[str, str] = {}
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._silent += tag in SILENT or any(name == "data-source" for name, _ in attrs)
        of = {name: value for name, value in attrs if value}
        self.texts += [of[name] for name in SAID if name in of]
        if tag == "form":
            self._asks, self._fields = of.pop("hx-get", ""), {}
        if tag == "input" and of.get("type") == "hidden":
            self._fields[of["name"]] = of.get("value", "")
        found = [of[name].partition("#")[0] for name in LINKS if name in of]
        self.links += [link for link in found if link.startswith("/")]

    def handle_endtag(self, tag: str) -> None:
        if tag in (*SILENT, *SOURCES):
            self._silent = max(0, self._silent - 1)
        if tag == "form" and self._asks:
            self.links.append(f"{self._asks}?{urlencode(self._fields)}")
            self._asks = ""

    def handle_data(self, data: str) -> None:
        if not self._silent and data.strip():
            self.texts.append(" ".join(data.split()))


@pytest.fixture(scope="module")
def data(demo: RunningDemo) -> str:
    """Every text that somebody gave to the store, as readers see it: it is in no language."""
    store = demo.system.store
    found = [row[0] for row in store.vault.fetch("SELECT name FROM name_entries")]
    for fact in store.read(0, store.head()):
        found.append(str(store.texts.opened(dict(vars(fact.event)))))
        if isinstance(fact.event, Officer.Registered):
            officer = fact.event.originator_id
            found.append(store.vault.reveal(fact.event.name, officer, "name") or "")
    with demo.system.reader() as db:
        for table in (table for view in VIEWS for table in view.tables):
            rows = [dict(row) for row in db.execute(select(table)).mappings()]
            store.texts.opened(rows)
            found += [str(value) for row in rows for value in row.values() if value]
    return "\n".join(found)


@pytest.fixture(scope="module")
def states() -> frozenset[str]:
    """The program's own words for states and kinds, which have names in both languages."""
    return frozenset(str(member) for kind in StrEnum.__subclasses__() for member in kind)


@pytest.fixture(scope="module")
def logins(demo: RunningDemo) -> frozenset[str]:
    """Names by which people log in here or to the machine: some are called like a word of ours."""
    store = demo.system.store
    facts = [vars(fact.event) for fact in store.read(0, store.head())]
    return frozenset(fact[key] for fact in facts for key in ("login", "operator") if key in fact)


def kind_of(address: str) -> str:
    """Addresses that differ in ids and values only are of one kind: one of them is opened."""
    return re.sub(r"=[^&]*", "", ID.sub("…", address))


Faults = Callable[[str, str], tuple[str, ...]]


@pytest.fixture(scope="module")
def faults(data: str, states: frozenset[str]) -> Faults:
    """What is wrong with a text on a page of a language. Most stand on many pages: looked at once,
    for all that anybody gave to the store is searched for each Chinese word."""
    return cache(lambda language, text: tuple(faults_of(language, text, data, states)))


def faults_of(language: str, text: str, data: str, states: frozenset[str]) -> Iterator[str]:
    if ID.search(text):
        yield f"id: {text}"
    if "\x02" in text or "\x03" in text:
        yield f"sealed: {text!r}"
    if UNFILLED.search(text):
        yield f"placeholder: {text}"
    if SNAKE.search(text):
        yield f"key: {text}"
    if language == "zh":
        yield from (f"state: {word}: {text}" for word in WORD.findall(text) if word in states)
    else:
        said = [run for run in CHINESE.findall(text) if not is_data(run, data)]
        yield from (f"Chinese: {run}: {text}" for run in said if run != OTHER_LANGUAGE)


def is_data(run: str, data: str) -> bool:
    """Whether it is made of names that somebody gave, such as those of a township and a village."""
    while len(run) > 1:
        longest = next((n for n in range(len(run), 1, -1) if run[:n] in data), 0)
        if not longest:
            return False
        run = run[longest:]
    return run in data


LOGINS = (
    "administrator",
    "county-approver",
    "county-payer",
    "county-storekeeper",
    "dispatcher",
    "auditor",
    "city-reviewer",
    "province-reviewer",
    "taihu-approver",
    "yuantan-shuangfeng-a",
    "yuantan-reviewer-new",
)


@pytest.mark.parametrize("login", LOGINS)
def test_every_page_opens_and_says_nothing_that_is_not_for_readers(
    server: TestClient,
    faults: Faults,
    logins: frozenset[str],
    login: str,
) -> None:
    enter(server, login)
    broken: list[str] = []
    for language in ("zh", "en"):
        waiting, met = [f"/?lang={language}"], {"/"}
        while waiting:
            address = waiting.pop(0)
            answer = server.get(address)
            if answer.status_code != 200:
                broken.append(f"{address}: {answer.status_code}")
            if not answer.headers.get("content-type", "").startswith("text/html"):
                continue
            page = Seen(answer.text)
            texts = [
                " · ".join(part for part in text.split(" · ") if part not in logins)
                for text in page.texts
            ]
            found = [one for text in texts for one in faults(language, text)]
            broken += [f"{address}: {one}" for one in found]
            for link in page.links:
                if EMPTY.search(link):
                    broken.append(f"{address}: empty value: {link}")
                elif "lang=" in link or kind_of(link) in met or link.startswith("/static/"):
                    continue
                else:
                    met.add(kind_of(link))
                    waiting.append(link)
    assert broken == [], "\n".join(broken)
