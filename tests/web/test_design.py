"""The page of components calls the macros of all pages, in all their states, and nothing else."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from jinja2 import Environment, nodes

from domain.rulebook import Rulebook
from domain.rules.indicators import Indicators
from eventstore.deciding import rule_of
from tests.web.relief_desk import RunningDemo
from tests.web.test_crawl import LOGINS
from tests.web.test_relief_pages import enter
from web.figures import COMMON, arithmetic

TEMPLATES = Path(__file__).parents[2] / "web" / "templates"
SHARED = ("macros.html", "acting.html", "desk.html", "story.html", "work_parts.html")
"""Where the parts of pages stand."""

NOT_SHOWN = {
    "which": "it is heard and not seen",
    "csrf": "a token that nobody sees",
    "sends": "an address and what is said afterwards: attributes that nobody sees",
    "unsure_rules": "a sentence with a link; it names rules that are in force somewhere",
    "board": "a part of a live page without looks of its own",
    "unfold_own": "the same for one panel of many",
    "downloads": "two buttons",
    "folded": "shown by acts",
    "begin": "a form without its frame: the page shows forms",
    "act": "shown by acts",
    "other_step": "shown by acts",
    "why_not": "shown by acts",
    "may_be_empty": "shown by input",
    "said": "attributes",
    "most": "attributes",
    "choices": "shown by input",
    "control": "shown by input",
    "rows": "shown by input",
    "tail": "a name",
    "is_head": "a test",
    "one_row": "shown by input",
    "stock_tabs": "tabs with their names",
    "ledger_tabs": "tabs with their names",
    "import_door": "a button for some posts",
    "applying_door": "a button for some posts",
    "at": "moment, of a text",
    "goods": "a number with its unit",
    "consignment_state": "chip with the words of consignments",
}
"""Macros that the page does not call itself, and why."""

HAND_MADE = re.compile(r'class="(?:chip|act-box|nothing|tile|drill|way-(?:done|now|open)|live)[ "]')
"""What only a macro may write."""


def trees() -> Iterator[tuple[str, nodes.Template]]:
    env = Environment(autoescape=True)
    for file in sorted(TEMPLATES.glob("*.html")):
        yield file.name, env.parse(file.read_text(encoding="utf-8"))


def macros_of(tree: nodes.Template) -> set[str]:
    return {one.name for one in tree.find_all(nodes.Macro)}


def imported_by(tree: nodes.Template) -> set[str]:
    found = [name for one in tree.find_all(nodes.FromImport) for name in one.names]
    return {name if isinstance(name, str) else name[1] for name in found}


def called_in(tree: nodes.Template) -> set[str]:
    calls = tree.find_all(nodes.Call)
    return {one.node.name for one in calls if isinstance(one.node, nodes.Name)}


def test_a_template_imports_every_macro_that_it_calls() -> None:
    """A name that is missing shows only in the state that calls it: at three in the morning."""
    macros = set().union(*(macros_of(tree) for _, tree in trees()))
    parts = {name: macros_of(tree) | imported_by(tree) for name, tree in trees()}
    for name, tree in trees():
        given = {arg.name for one in tree.find_all(nodes.Macro) for arg in one.args}
        missing = (called_in(tree) & macros) - parts[name] - given
        above = [have for other, have in parts.items() if name in includes(other)]
        missing -= set.intersection(*above) if above else set()
        assert not missing, f"{name} calls {sorted(missing)}"


def includes(name: str) -> set[str]:
    """What stands in a template, or is imported there, with all that it knows itself."""
    text = (TEMPLATES / name).read_text(encoding="utf-8")
    found = re.findall(r'{%-? include "([\w.]+)"', text)
    return {*found, *re.findall(r'{%-? from "([\w.]+)" import [^%]* with context', text)}


def test_the_page_shows_every_part_that_pages_share() -> None:
    found = dict(trees())
    shown = called_in(found["design.html"])
    shared = set().union(*(macros_of(found[name]) for name in SHARED))
    assert shared - shown - NOT_SHOWN.keys() == set(), "show it on the page of components"
    assert NOT_SHOWN.keys() - shared == set(), "there is no such macro"
    assert all(NOT_SHOWN.values())


def test_no_template_makes_a_part_by_hand() -> None:
    copies = {
        file.name: found
        for file in sorted(TEMPLATES.glob("*.html"))
        if file.name != "macros.html"
        and (found := HAND_MADE.findall(file.read_text(encoding="utf-8")))
    }
    assert copies == {}


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("login", LOGINS)
def test_whoever_is_logged_in_may_open_it(server: TestClient, login: str, language: str) -> None:
    enter(server, login)
    page = server.get(f"/design?lang={language}")
    assert page.status_code == 200
    for state in ("pending", "accepted", "issued", "returned", "overdue"):
        assert f'class="chip chip-{state}"' in page.text
    for state in ("done", "now", "open"):
        assert f'class="way-{state}"' in page.text
    for part in ("act act-next", "step-list", "not-now", "nothing not-yours", "drill", "waiting"):
        assert f'class="{part}"' in page.text
    assert re.findall(r'class="live"[^>]*data-state="(\w+)"', page.text) == [
        "connecting",
        "live",
        "silent",
        "silent",
        "silent",
    ]
    assert 'aria-invalid="true"' in page.text
    assert set(re.findall(r'data-command="(\w+)"', page.text)) == {"Sample"}
    assert "data-live=" not in page.text  # a sample listens to nothing


def test_a_stranger_is_asked_to_log_in(server: TestClient) -> None:
    server.cookies.clear()
    answer = server.get("/design", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"][:11]) == (303, "/login?next")


def test_name_unit_and_rules_of_a_figure_are_those_of_the_rulebook_in_force(
    server: TestClient, demo: RunningDemo
) -> None:
    enter(server, "county-approver")
    page = server.get("/design?lang=zh").text
    officer = demo.system.officer(demo.officers["county-approver"])
    assert officer is not None
    area = next(iter(officer.appointments.values())).area
    ids = [Rulebook.id_of(step, Indicators.KIND) for step in demo.system.tree.lineage(area)]
    books = [book for id in ids if (book := demo.system.store.load(id)) is not None]
    in_force = rule_of(books, Indicators, demo.now)
    assert in_force is not None
    rules = in_force.rule
    checks = arithmetic(rules, {}, verifying=False)
    assert len(checks) > 5
    for key in COMMON:
        one = rules.find(key)
        assert one is not None
        row = re.search(rf"<th scope=\"row\">{one.zh}</th>.*?</tr>", page, re.S)
        assert row is not None and one.unit_zh in row[0]
        for rule in checks:
            assert (rule["zh"] in row[0]) == (key in (*rule["left"], *rule["right"]))
