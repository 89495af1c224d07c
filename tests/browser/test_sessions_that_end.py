"""A session that ends under a filled form: nothing typed is lost, and nobody else sees it.

Over every form of the pages that has fields: which there are, the templates say.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from playwright.sync_api import Page, expect

import web
from tests.browser.conftest import PHONE, OpenPage, Serve
from tests.browser.test_relief_pages import enter, opened
from tests.web.relief_desk import PASSWORD, RunningDemo, running_demo
from tests.web.test_crawl import ID, Seen, kind_of
from tests.web.test_relief_pages import enter as enter_quietly

TEMPLATES = Path(web.__file__).parent / "templates"
FORM = re.compile(r"<form[^>]*\bdata-form\b.*?</form>", re.DOTALL)
FIELD = re.compile(r"<(?:select|textarea|input(?![^>]*hidden))|\b(?:field|figure_line)\(")
OF_A_KIND = 4
"""Pages of one kind that are looked at: what may be done depends on the state of the thing."""

WRITERS = {
    "dispatcher": "county-approver",
    "yuantan-shuangfeng-a": "yuantan-reviewer-new",
    "yuantan-reviewer-new": "county-approver",
    "county-approver": "dispatcher",
    "administrator": "county-approver",
}
"""Who writes, and who takes the same phone afterwards."""

FILL = """() => {
  for (const form of document.querySelectorAll("form[data-form]")) {
    for (const [n, one] of [...form.elements].entries()) {
      if (!one.name || one.tagName === "BUTTON" || one.type === "hidden" || one.readOnly) continue;
      if (one.type === "checkbox") one.checked = !one.checked;
      else if (one.type === "radio") one.checked = true;
      else if (one.tagName === "SELECT") {
        [...one.options].findLast((option) => !option.disabled).selected = true;
      }
      else if (one.type === "datetime-local") one.value = `2018-07-03T14:${10 + (n % 50)}`;
      else if (one.type === "date") one.value = "2018-07-03";
      else one.value = String(n + 11);
      for (const type of ["input", "change"]) one.dispatchEvent(new Event(type, { bubbles: true }));
    }
  }
}"""
SAID = """() => Object.fromEntries([...document.querySelectorAll("form[data-form]")].map((form) => [
  form.getAttribute("id"), // a field may be called id
  Object.fromEntries([...form.elements]
    .filter((one) => one.name && one.tagName !== "BUTTON" && one.type !== "hidden")
    .filter((one) => one.type !== "radio" || one.checked)
    .filter((one) => !("unkept" in one.dataset)) // an ID number stays in no browser
    .map((one) => [one.name, one.type === "checkbox" ? String(one.checked) : one.value])),
]))"""


def of_templates() -> set[str]:
    """Every form of the pages that somebody can fill in."""
    found: set[str] = set()
    for path in TEMPLATES.glob("*.html"):
        for form in FORM.findall(path.read_text(encoding="utf-8")):
            id = re.search(r'\bid="([^"]*)"', form)
            if FIELD.search(form.partition(">")[2]) and id is not None:
                found.add(re.sub(r"\{\{.*?\}\}", "…", id[1]))
    return found


def named(id: str, forms: set[str]) -> str | None:
    """The form of the templates that has this id."""
    fits = [one for one in forms if re.fullmatch(re.escape(one).replace("…", ".+"), id)]
    return min(fits, key=lambda one: one.count("…"), default=None)


class Forms(HTMLParser):
    """The ids of the forms of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        of = dict(attrs)
        if tag == "form" and "data-form" in of and of["action"] != "/design":  # it sends nothing
            self.ids.append(of["id"] or "")


@dataclass
class Walk:
    """The pages on which each form was met first, for each of the writers."""

    pages: dict[str, list[str]] = field(default_factory=dict)
    met: set[str] = field(default_factory=set)

    def of(self, server: TestClient, login: str, forms: set[str]) -> None:
        enter_quietly(server, login)
        waiting, seen, kinds = ["/"], {"/"}, dict[str, int]()
        while waiting and not forms <= self.met:
            address = waiting.pop(0)
            answer = server.get(address)
            if not answer.headers.get("content-type", "").startswith("text/html"):
                continue
            here = {named(id, forms) for id in Forms(answer.text).ids} - {None}
            kinds_here = {ID.sub("…", one) for one in Forms(answer.text).ids}
            if (here - self.met) or (kinds_here - self.met and here):
                self.pages.setdefault(login, []).append(address)
                self.met |= here | kinds_here  # type: ignore[operator]
            for link in Seen(answer.text).links:
                kind = kind_of(link)
                if link in seen or "lang=" in link or "/static/" in link or "hx" in kind:
                    continue
                if kinds.get(kind, 0) < (OF_A_KIND if ID.search(link) else 1):
                    kinds[kind] = kinds.get(kind, 0) + 1
                    seen.add(link)
                    waiting.append(link)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDemo]:
    with running_demo(tmp_path_factory.mktemp("demo")) as one:
        opened(one, "石桥组")
        yield one


@pytest.fixture(scope="module")
def walk(demo: RunningDemo) -> Walk:
    found, forms = Walk(), of_templates()
    with TestClient(demo.app()) as server:
        for login in WRITERS:
            found.of(server, login, forms)
    return found


@pytest.fixture
def server(demo: RunningDemo, serve: Serve) -> Iterator[str]:
    with serve(demo.app()) as address:
        yield address


NOT_AT_HAND = {"set-aside", "object", "review", "approve", "pay", "sent-upward"}
"""Forms of states that nothing is in at the end of the demo; they are started as all others are."""
UNCONFIRMED = {"adopt", "confirm-…-…"}
"""Of rules that are changed or wait for a second person: nobody does either in the demo."""
PROPOSED = {"engage-…", "decline-…"}
"""Of what superiors propose about posts: nobody proposes anything in the demo."""


def test_every_form_is_met(walk: Walk) -> None:
    assert of_templates() - walk.met <= NOT_AT_HAND | UNCONFIRMED | PROPOSED


def logged_in_again(page: Page, login: str) -> None:
    page.get_by_label("登录名").fill(login)
    page.get_by_label("密码").fill(PASSWORD)
    page.get_by_role("button", name="登录").click()
    expect(page.get_by_role("button", name="退出登录")).to_be_visible()


def started(page: Page) -> None:
    expect(page.locator("form[data-form]:not([data-ready])")).to_have_count(0)


@pytest.mark.parametrize("login", WRITERS)
def test_what_was_typed_is_back_after_the_log_in_and_nobody_elses(
    demo: RunningDemo, walk: Walk, server: str, open_page: OpenPage, login: str
) -> None:
    accounts = demo.system.accounts
    page = open_page(PHONE)
    enter(page, server, login)
    for address in walk.pages[login]:
        page.goto(server + address)
        started(page)
        page.evaluate(FILL)
        said = page.evaluate(SAID)
        filled = [id for id, fields in said.items() if fields]
        assert filled, address
        accounts.set_password(login, demo.officers[login], PASSWORD)  # ends the officer's sessions
        for id in filled:
            page.locator(f"[id='{id}']").evaluate("form => form.requestSubmit()")
        told = page.locator("[data-problem]:has(a[href^='/login'])")
        expect(told).to_have_count(len(filled))
        expect(told.first).to_contain_text("登录已失效。内容保留在本页")
        told.locator("a").first.evaluate("link => link.click()")
        page.wait_for_url(re.compile("/login"))
        logged_in_again(page, login)
        assert page.url == server + address
        started(page)
        again = page.evaluate(SAID)
        for id in filled:
            assert again[id] == said[id], (address, id)
            draft = page.locator(f"[id='{id}'] [data-draft]")
            expect(draft).to_contain_text(re.compile(r"(刚刚|[秒分]钟?前).*\d+ 项"))

    # Another officer on the same phone: there, and on the way back through what was open before.
    page.goto(server)
    page.get_by_role("button", name="退出登录").click()
    enter(page, server, WRITERS[login])
    for address in walk.pages[login]:
        page.goto(server + address)
        started(page)
        expect(page.locator("[data-draft]")).to_have_count(0)
    for _ in range(4):
        page.go_back()
        page.wait_for_load_state()
        expect(page.locator("[data-draft]")).to_have_count(0)


def test_a_page_from_before_another_log_in_is_read_again_and_keeps_what_was_typed(
    demo: RunningDemo, server: str, open_page: OpenPage
) -> None:
    """Its token is of a session that is over: a plain refusal once, with no way on."""
    page = open_page(PHONE)
    enter(page, server, "yuantan-shuangfeng-a")
    page.goto(f"{server}/report/new")
    started(page)
    page.locator("[name='figures.affected']").fill("55")
    page.get_by_role("button", name="半小时前").click()
    other = page.context.new_page()
    enter(other, server, "yuantan-shuangfeng-a")
    page.get_by_role("button", name="上报初报").click()
    told = page.get_by_role("alert")
    expect(told).to_contain_text("您填的内容已保留")
    told.get_by_role("button", name="刷新后再提交").click()
    expect(page.locator("[data-draft]")).to_contain_text(re.compile("没有提交的内容"))
    expect(page.locator("[name='figures.affected']")).to_have_value("55")
    enter(other, server, "yuantan-reviewer-new")
    page.get_by_role("button", name="上报初报").click()
    page.get_by_role("button", name="刷新后再提交").click()
    expect(page.locator("main")).to_be_visible()
    expect(page.locator("[data-draft]")).to_have_count(0)
    expect(page.locator("[name='figures.affected']")).not_to_have_value("55")


def test_a_page_that_is_left_holds_no_values_for_who_comes_back(
    server: str, open_page: OpenPage
) -> None:
    """A browser puts back what stood in a form, for whoever opens it again."""
    page = open_page(PHONE)
    enter(page, server, "yuantan-shuangfeng-a")
    page.goto(f"{server}/report/new")
    started(page)
    page.locator("[name='figures.affected']").fill("55")
    page.get_by_role("button", name="退出登录").click()
    expect(page.get_by_label("登录名")).to_be_visible()
    logged_in_again(page, "yuantan-reviewer-new")
    for _ in range(2):
        page.go_back()
    page.wait_for_url(f"{server}/report/new*")
    started(page)
    expect(page.locator("[name='figures.affected']")).to_have_value("")


def test_the_banner_of_a_live_page_leads_back_to_it(
    demo: RunningDemo, server: str, open_page: OpenPage
) -> None:
    page = open_page(PHONE)
    enter(page, server, "county-approver")
    page.goto(f"{server}/situation?exercise=true")
    link = page.locator("[data-live-login]")
    expect(link).to_have_attribute("href", "/login?next=%2Fsituation%3Fexercise%3Dtrue")


def test_no_name_that_was_searched_for_stands_in_the_address_of_the_log_in(
    demo: RunningDemo, server: str, open_page: OpenPage
) -> None:
    page = open_page(PHONE)
    enter(page, server, "county-approver")
    page.goto(f"{server}/ledger?search=zhangsan&status=paid")
    made = page.evaluate("import('/static/js/csrf.js').then((csrf) => csrf.logInAndBack())")
    assert made == "/login?next=%2Fledger%3Fstatus%3Dpaid"
    demo.system.accounts.set_password(
        "county-approver", demo.officers["county-approver"], PASSWORD
    )  # ends the officer's sessions
    page.goto(f"{server}/ledger?search=王秀兰&status=paid")
    page.wait_for_url(re.compile("/login"))
    assert page.url.startswith(f"{server}/login?next=/ledger%3Fstatus%3Dpaid")
