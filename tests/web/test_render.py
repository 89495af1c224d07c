"""Pages are strict: escaped, complete, in the language asked for, and under a closed policy."""

import html
import re
import sys
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse
from fastapi.testclient import TestClient
from jinja2 import Environment, UndefinedError

from domain.commands.reports import ANY_FILER
from domain.world import Role
from web.i18n import LANGUAGES
from web.render import CONTENT_POLICY, Compiled, make_environment, render, render_error
from web.shell import NAV, REPORT, Mark, Shell

OFFICER = Shell(
    officer="7",
    user="王<b>小明",
    role=Role.TOWNSHIP_REVIEWER,
    post="A",
    area="源潭镇",
    marks=(Mark.DEMO, Mark.EXERCISE),
    csrf_token='t0k"en',
)


def make_client() -> TestClient:
    app = FastAPI()

    @app.get("/login")
    def login(request: Request) -> HTMLResponse:
        return render(request, "login.html", failure="", minutes=0, name="", next="/")

    @app.get("/")
    def home(request: Request) -> HTMLResponse:
        request.state.shell = OFFICER
        return render(request, "home.html")

    @app.get("/incomplete")
    def incomplete(request: Request) -> HTMLResponse:
        return render(request, "login.html")

    @app.get("/error/{status}")
    def error(request: Request, status: int, sentence: str = "") -> HTMLResponse:
        return render_error(request, status, sentence=sentence, reference="ref-1")

    return TestClient(app)


def test_pages_are_chinese_unless_somebody_switches() -> None:
    client = make_client()
    page = client.get("/login")
    assert '<html lang="zh-CN">' in page.text
    assert "登录名" in page.text
    assert "set-cookie" not in page.headers


def test_the_switch_is_remembered_and_can_be_taken_back() -> None:
    client = make_client()
    english = client.get("/login?lang=en&next=/stock")
    assert '<html lang="en">' in english.text
    assert 'href="?next=%2Fstock&amp;lang=zh"' in english.text
    assert "Log-in name" in client.get("/login").text
    assert "登录名" in client.get("/login?lang=zh").text
    assert "登录名" in client.get("/login").text


def test_a_language_we_do_not_have_is_ignored() -> None:
    page = make_client().get("/login?lang=xx", headers={"Cookie": "lang=../../etc"})
    assert '<html lang="zh-CN">' in page.text
    assert "set-cookie" not in page.headers


def test_every_page_has_the_closed_policy_and_is_not_stored() -> None:
    page = make_client().get("/login")
    assert page.headers["content-security-policy"] == CONTENT_POLICY
    assert "unsafe" not in CONTENT_POLICY
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["x-content-type-options"] == "nosniff"


def test_what_people_typed_is_escaped() -> None:
    text = make_client().get("/").text
    assert "王&lt;b&gt;小明" in text
    assert "王<b>" not in text
    [token] = re.findall(r'name="csrf-token" content="([^"]*)"', text)
    assert html.unescape(token) == 't0k"en'


def test_a_desk_sees_its_own_pages_its_post_and_the_marks_of_the_store() -> None:
    text = make_client().get("/").text
    for item in NAV[Role.TOWNSHIP_REVIEWER]:
        assert f'href="{item.href}"' in text
    assert 'href="/dispatch"' not in text
    assert "乡镇审核员 A 岗" in text
    assert "演示数据" in text
    assert "演练" in text
    assert "模拟时钟" not in text


@pytest.mark.parametrize("role", sorted(ANY_FILER))
def test_who_may_file_a_report_finds_the_form(role: Role) -> None:
    """A county's own report, which is signed and sent upward, begins with its approver."""
    assert REPORT in NAV[role]


@pytest.mark.parametrize("role", [Role.COUNTY_PAYER, Role.AUDITOR])
def test_whose_work_is_money_finds_it_by_its_name(role: Role) -> None:
    """It lay two clicks away, behind the goods."""
    assert "/funds" in [item.href for item in NAV[role]]


def test_every_role_has_its_desk_named() -> None:
    assert set(NAV) == set(Role)


def test_a_page_with_a_value_missing_fails_instead_of_showing_a_hole() -> None:
    with pytest.raises(UndefinedError):
        make_client().get("/incomplete")


@pytest.mark.parametrize("status", [401, 403, 404, 409, 412, 422, 429, 500, 503])
def test_an_error_page_says_what_to_do_in_both_languages(status: int) -> None:
    client = make_client()
    chinese = client.get(f"/error/{status}")
    english = client.get(f"/error/{status}?lang=en")
    assert chinese.status_code == english.status_code == status
    assert "ref-1" in chinese.text
    assert "办不了" in chinese.text
    assert "That did not work" in english.text


def test_an_error_page_uses_the_rules_own_words() -> None:
    assert "库存不足" in make_client().get("/error/409?sentence=库存不足").text


def test_a_template_is_compiled_once_for_both_languages_and_all_processes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiled: list[str] = []
    whole = Environment._generate

    def note(env: Environment, source: Any, name: str | None, *rest: Any, **more: Any) -> Any:
        compiled.append(name or "")
        return whole(env, source, name, *rest, **more)

    monkeypatch.setattr(Environment, "_generate", note)
    monkeypatch.setattr(sys, "dont_write_bytecode", False)

    def two_languages(folder: Path) -> list[str]:
        compiled.clear()
        for language in LANGUAGES:
            env = make_environment(language)
            env.bytecode_cache = Compiled(folder)
            env.get_template("login.html")
        return list(compiled)

    assert two_languages(tmp_path / "kept") == ["login.html"]
    assert two_languages(tmp_path / "kept") == [], "as another process finds it"
    for one in (tmp_path / "kept").iterdir():
        one.write_bytes(one.read_bytes()[:40])  # a power cut while it was written
    assert two_languages(tmp_path / "kept") == ["login.html"]

    (tmp_path / "a file").write_text("")
    assert two_languages(tmp_path / "a file" / "below") == ["login.html"] * 2, "cannot be written"
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    assert two_languages(tmp_path / "unwanted") == ["login.html"] * 2
    assert not (tmp_path / "unwanted").exists()
