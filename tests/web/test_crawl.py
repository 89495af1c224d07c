"""Every page that a link or a live part of a page leads to, for whoever may log in, in zh and en.

What a reader must never meet on any of them: an error, an id, a sealed text, a program's key, a
placeholder that nobody filled in, or, in English, Chinese words that are no data.
"""

import re
from collections.abc import Callable, Iterator
from enum import StrEnum
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlencode

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

import domain.catalog  # noqa: F401  all state words of the domain are loaded with it
from api.routes_writes import WRITES
from domain.officer import Officer
from projections.catalog import VIEWS
from tests.web.relief_desk import RunningDemo
from tests.web.test_relief_pages import enter
from web.forms.pages import BEGUN, BY_HAND, KINDS, NO_PAGE, pages_of, sendable

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


@cache
def seen(page: str) -> Seen:
    """Many tests look at a page: it is parsed once, which takes as long as to make it."""
    return Seen(page)


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


PLACE = re.compile(rf"{ID.pattern}|{{\w+}}|(?<=^/rulebooks/)(?!change)\w+$")
"""What differs in addresses of one page."""

ADDRESSES = [
    (re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(write.path))), write.command.__name__)
    for write in WRITES
]


def sent_by(text: str) -> set[str]:
    """The commands that the forms of a page send, and the kinds of things whose acts it shows."""
    found = set(re.findall(r'data-command="(\w+)"', text))
    found |= {f"acts of {kind}" for kind in re.findall(r'data-acts="([\w-]+)"', text)}
    for address in re.findall(r'action="(/v1/[^"]+)"', text):
        found |= {name for path, name in ADDRESSES if path.fullmatch(address)}
    return found


ASKED = ("division_lists.py", "following.py")
"""Where pages find the commands of what they carry out in steps."""

Crawled = Callable[[str], list[tuple[str, str, int, str]]]


@pytest.fixture(scope="module")
def crawled(server: TestClient) -> Iterator[Crawled]:
    """Language, address, status and text of every page that somebody is led to, one a kind."""

    @cache
    def pages(login: str) -> list[tuple[str, str, int, str]]:
        enter(server, login)
        found = []
        for language in ("zh", "en"):
            waiting, met = [f"/?lang={language}"], {"/"}
            while waiting:
                address = waiting.pop(0)
                answer = server.get(address)
                if answer.history:  # it leads on: what is shown is the other page
                    address = answer.url.raw_path.decode()
                is_page = answer.headers.get("content-type", "").startswith("text/html")
                found.append(
                    (language, address, answer.status_code, answer.text if is_page else "")
                )
                for link in seen(answer.text).links if is_page else ():
                    known = kind_of(link) in met or EMPTY.search(link)
                    if "lang=" in link or known or link.startswith("/static/"):
                        continue
                    met.add(kind_of(link))
                    waiting.append(link)
        return found

    yield pages
    seen.cache_clear()


OF_A_KIND = 1
"""So many more pages of a kind than the walk has opened are opened to see whether they answer:
another one of the same kind may lie elsewhere."""
BESIDE = ("yuantan-storekeeper", "city-storekeeper", "city-dispatcher")


def of_things(text: str) -> list[str]:
    """The pages of single things that a page leads to."""
    links = seen(text).links
    return [one for one in links if ID.search(one) and "lang=" not in one and "sheet" not in one]


@pytest.mark.parametrize("login", [*LOGINS, *BESIDE])
def test_no_page_leads_to_one_that_is_not_for_its_reader(
    server: TestClient, crawled: Crawled, login: str
) -> None:
    """Of each kind the walk opens the first page alone: that a fund leads to the one its money
    came from, above the reader, and a row to a household that moved away, was not seen."""
    links: dict[str, dict[str, str]] = {}
    for language, address, _, text in crawled(login):
        for link in of_things(text) if language == "zh" else ():
            links.setdefault(kind_of(link), {}).setdefault(link, address)
    enter(server, login)
    broken = []
    for of_kind in links.values():
        for link, led_from in list(of_kind.items())[1 : 1 + OF_A_KIND]:
            status = server.get(link).status_code
            broken += [f"{led_from} leads to {link}: {status}"] if status != 200 else []
    assert broken == [], "\n".join(broken)


def test_a_fund_leads_only_to_funds_that_its_reader_may_open(server: TestClient) -> None:
    """The money of a county came from its city, whose fund answered the county 404."""
    enter(server, "county-payer")
    funds = {one for one in of_things(server.get("/funds").text) if one.startswith("/funds/")}
    led = {link for one in sorted(funds) for link in of_things(server.get(one).text)}
    wrong = [one for one in sorted(led) if re.fullmatch(rf"/funds/{ID.pattern}", one)]
    assert [one for one in wrong if server.get(one).status_code != 200] == []


@pytest.mark.parametrize("login", LOGINS)
def test_every_page_opens_and_says_nothing_that_is_not_for_readers(
    crawled: Crawled, faults: Faults, logins: frozenset[str], login: str
) -> None:
    broken: list[str] = []
    for language, address, status, text in crawled(login):
        if status != 200:
            broken.append(f"{address}: {status}")
        if not text:
            continue
        page = seen(text)
        texts = [
            " · ".join(part for part in text.split(" · ") if part not in logins)
            for text in page.texts
        ]
        found = [one for text in texts for one in faults(language, text)]
        broken += [f"{address}: {one}" for one in found]
        broken += [f"{address}: empty value: {link}" for link in page.links if EMPTY.search(link)]
    assert broken == [], "\n".join(broken)


def others_of(server: TestClient, crawled: Crawled, page: str) -> Iterator[str]:
    """The texts of all pages of this kind that somebody is led to, but for the one walked.

    The walk opens the first page of a kind that it meets. Whether that one's steps are open, or it
    is in the reader's hand at all, is chance. A page that hangs below another one (the casualties
    of a report) is led to by each of those.
    """
    above, _, last = page.rpartition("/")
    for login in LOGINS:
        enter(server, login)
        links = {
            link.partition("?")[0]
            for language, _, _, text in crawled(login)
            if language == "zh"
            for link in seen(text).links
        }
        links |= {f"{link}/{last}" for link in links if PLACE.sub("…", link) == above}
        for link in sorted(one for one in links if PLACE.sub("…", one) == page):
            yield server.get(link).text


def test_every_command_that_a_post_may_send_has_a_page(
    server: TestClient, crawled: Crawled
) -> None:
    """Held to what the pages of the store of all events show, not to what a table says of them."""
    without = {one.__name__ for one in sendable() if not pages_of(one) and one not in NO_PAGE}
    assert without == set(), "give it a form on a page (docs/development.md)"
    assert not [one for one in NO_PAGE if pages_of(one) or not NO_PAGE[one]]

    seen: dict[str, set[str]] = {}
    for login in LOGINS:
        for _, address, _, text in crawled(login):
            if "<!doctype" in text:  # else it is a part of another page
                seen.setdefault(PLACE.sub("…", address.split("?")[0]), set()).update(sent_by(text))
    told = {one.__name__: {PLACE.sub("…", page) for page in pages_of(one)} for one in sendable()}
    for page, shown in sorted(seen.items()):
        unsaid = {name for name in shown & told.keys() if page not in told[name]}
        assert unsaid == set(), f"{page} sends them: say so in web/forms/pages.py"

    def kept(page: str, what: str, otherwise: str) -> None:
        shown = seen.get(page, set())
        others = others_of(server, crawled, page)
        assert what in shown or any(what in sent_by(text) for text in others), otherwise

    for kind, page in KINDS.items():
        kept(PLACE.sub("…", page), f"acts of {kind}", f"{page} shows no acts of {kind}")
    for command, page in BEGUN.items():
        kept(PLACE.sub("…", page), command.__name__, f"{page} does not begin it")


def test_what_is_said_to_be_written_by_hand_stands_in_a_template_or_a_page() -> None:
    """Many of these forms show in one state only, which a walk over links does not meet."""
    web = Path(__file__).parents[2] / "web"
    files = [
        *web.rglob("*.html"),
        *web.rglob("*.py"),
        *(web.parent / "api" / name for name in ASKED),
    ]
    files.remove(web / "forms" / "pages.py")
    source = "\n".join(file.read_text(encoding="utf-8") for file in files)
    routes = set(re.findall(r'@router\.get\("([^"]+)"', source))
    addresses = {write.command.__name__: write.path for write in WRITES}
    for page, names in BY_HAND.items():
        assert page in routes, f"there is no page {page}"
        for name in names:
            last = re.sub(r"{\w+}", "", addresses[name]).rstrip("/").rsplit("/", 1)[-1]
            assert re.search(rf"\b({name}|{last})\b", source), f"no page sends {name}"
