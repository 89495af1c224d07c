"""Help along real tasks: every page leads to its own, every step names what is there."""

import re

import pytest
from fastapi.testclient import TestClient

from domain.world import Role
from tests.web.relief_desk import RunningDemo
from tests.web.test_crawl import LOGINS, Seen, faults_of
from tests.web.test_relief_pages import enter
from web.app import ROUTERS
from web.help_steps import NAMED, doors_of, parts_of, said_by, steps_of
from web.helping import PAGES, POSTS, TASKS, WITHOUT, help_at, tasks_by_post
from web.i18n import LANGUAGES, UnknownMessage, catalog, read_messages
from web.pages import provider

FEWEST, MOST = 3, 7
"""Steps of a task: fewer say nothing, more are not read."""

NOT_YOURS = ("report.not_yours", "case.not_yours", "household.not_registrar", "stock.not_your_step")
"""What a page says to a post that does not do this."""


def pages() -> set[str]:
    routes = [route for router in (*ROUTERS, provider.router) for route in router.routes]
    return {route.path for route in routes if "GET" in getattr(route, "methods", ())}  # type: ignore[attr-defined]


def test_every_page_has_a_task_or_says_why_it_has_none() -> None:
    assert pages() - PAGES.keys() - WITHOUT.keys() == set(), "name it in web/helping.py"
    assert PAGES.keys() & WITHOUT.keys() == set()
    assert (PAGES.keys() | WITHOUT.keys()) - pages() == set(), "there is no such page"
    assert all(WITHOUT.values())


def test_every_task_is_led_to_and_every_post_has_its_own() -> None:
    assert {task for tasks in PAGES.values() for task in tasks} == TASKS.keys()
    assert set(POSTS) == set(Role) - {Role.SYSTEM}
    for role in POSTS:
        own = [task for task, who in TASKS.items() if role in who and who != POSTS]
        assert len(own) >= 3, role


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("task", TASKS)
def test_a_task_has_a_title_and_a_few_steps(task: str, language: str) -> None:
    words = catalog(language)  # type: ignore[arg-type]
    steps = steps_of(task, words, {})
    assert words.t(f"help.{task}")
    assert FEWEST <= len(steps) <= MOST
    assert all("[" not in part.text and "{" not in part.text for step in steps for part in step)


def test_both_languages_name_the_same_buttons_and_no_word_is_left_over() -> None:
    said = {key: one for key, one in read_messages().items() if key.startswith("help.")}
    for key, sentence in said.items():
        assert set(NAMED.findall(sentence["zh"])) == set(NAMED.findall(sentence["en"])), key
    told = {f"help.{task}" for task in TASKS}
    rest = {key for key in said if key not in told and re.sub(r"_\d+$", "", key) not in told}
    assert rest == {"help.title", "help.all", "help.others", "help.named"} | {
        f"help.all_{n}" for n in range(1, 6)
    }


def test_what_a_step_names_is_said_as_its_page_says_it() -> None:
    words = catalog("zh")
    assert said_by("act.pay_list", words) == words.t("act.pay_list")
    assert said_by("report.send", words) == "上报…", "what the page fills in is left open"
    named = parts_of("按[act.pay_list]。", words, {"act.pay_list": "/x"})
    assert [(part.text, part.named, part.href) for part in named] == [
        ("按", False, ""),
        (words.t("act.pay_list"), True, "/x"),
        ("。", False, ""),
    ]
    with pytest.raises(UnknownMessage):
        parts_of("按[act.no_such_button]", words, {})


def test_a_door_stands_open_only_to_the_posts_that_may_go_through() -> None:
    assert doors_of([Role.STOREKEEPER])["act.receive_goods"] == "/stock/receive"
    assert "act.receive_goods" not in doors_of([Role.AUDITOR])
    assert "nav.system" not in doors_of([Role.COUNTY_APPROVER])
    assert doors_of([Role.ADMINISTRATOR])["nav.system"] == "/system"


def test_a_page_leads_to_the_task_of_its_reader() -> None:
    assert help_at("/lists/{id}", [Role.TOWNSHIP_REVIEWER]) == "/help#review_list"
    assert help_at("/lists/{id}", [Role.COUNTY_PAYER]) == "/help#pay"
    assert help_at("/lists/{id}", [Role.VILLAGE_REPORTER]) == "/help#appraise"
    assert help_at("/lists/{id}/held", [Role.AUDITOR]) == "/help#held", "somebody else's"
    assert help_at("/nowhere", [Role.AUDITOR]) == "/help"


@pytest.mark.parametrize("role", POSTS)
def test_every_task_stands_on_the_page_once_whoever_reads(role: Role) -> None:
    everybody = [task for task, who in TASKS.items() if who == POSTS]
    told = [task for _, tasks in tasks_by_post([role]) for task in tasks]
    assert sorted(told + everybody) == sorted(TASKS)
    assert tasks_by_post([role])[0] == (
        role,
        [task for task, who in TASKS.items() if role in who and who != POSTS],
    )


@pytest.mark.parametrize("login", LOGINS)
def test_every_anchor_is_there_and_every_link_opens_for_its_reader(
    demo: RunningDemo, server: TestClient, login: str
) -> None:
    enter(server, login)
    for language in LANGUAGES:
        page = server.get("/help", params={"lang": language}).text
        anchors = re.findall(r'<ol id="(\w+)">', page)
        assert sorted(anchors) == sorted(TASKS)
        main = page[page.index("<main") : page.index("</main>")]
        links = {link for link in Seen(main).links if link != "/docs"}
        refusals = [catalog(language).t(key) for key in NOT_YOURS]
        for link in sorted(links):
            answer = server.get(link)
            assert answer.status_code == 200, link
            assert not [said for said in refusals if said in answer.text], link
        unread = [
            fault
            for text in Seen(main).texts
            for fault in faults_of(language, text, "", frozenset())
        ]
        assert unread == []


def test_the_frame_of_a_page_leads_to_the_help_of_its_task(server: TestClient) -> None:
    enter(server, "county-approver")
    for page, task in (
        ("/", "work"),
        ("/review", "review"),
        ("/stock", "order_goods"),
        ("/disasters/new", "declare"),
    ):
        assert f'<a href="/help#{task}">' in server.get(page).text, page
    enter(server, "county-storekeeper")
    assert '<a href="/help#receive_goods">' in server.get("/stock").text
    assert 'href="/help" aria-current="page"' in server.get("/help").text
