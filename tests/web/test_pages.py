"""Pages over HTTP: log-in, errors, jurisdiction. What a browser must show is in tests/browser."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from html import escape, unescape
from pathlib import Path
from urllib.parse import quote, unquote

import pytest
from fastapi.testclient import TestClient
from httpx import Response

import web
from domain.catalog import AGGREGATES
from domain.commands.officers import SuspendOfficer
from domain.commands.reports import FileInitialReport
from domain.commands.reviews import AcceptReport, ReturnReport
from tests.web.desk import PASSWORD, LivingCounty, living_county
from web.i18n import read_messages
from web.pages.timeline import DETAILS, snake
from web.session import TYPED

WEB = Path(web.__file__).parent


@pytest.fixture(scope="module")
def county(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LivingCounty]:
    with living_county(tmp_path_factory.mktemp("county")) as one:
        yield one


@pytest.fixture
def stranger(county: LivingCounty) -> Iterator[TestClient]:
    with TestClient(county.app(), follow_redirects=False) as client:
        yield client


def token_of(page: Response) -> str:
    found = re.search(r'name="csrf_token" value="([^"]*)"', page.text)
    assert found is not None
    return unescape(found[1])


def enter(
    client: TestClient, name: str, password: str = PASSWORD, next_path: str = "/"
) -> Response:
    token = token_of(client.get("/login"))
    form = {"csrf_token": token, "name": name, "password": password, "next": next_path}
    answer: Response = client.post("/login", data=form)
    return answer


@pytest.fixture(scope="module")
def report(county: LivingCounty) -> str:
    """A flood in 源潭居委会, reported by its own officer and not reviewed."""
    at = county.now - timedelta(minutes=30)
    id = county.id("report")
    county.run(
        FileInitialReport(
            report=id,
            area=county.id("yuantan_1"),
            occurred_at=at,
            as_of=at,
            hazard="flood",
            figures={"affected": 12, "dead": None},
            narrative="<script>alert(1)</script>",
        ),
        by="village",
    )
    return str(id)


def test_a_stranger_is_led_to_the_log_in_and_back(stranger: TestClient) -> None:
    asked = stranger.get("/?lang=en")
    assert asked.status_code == 303
    assert asked.headers["location"] == "/login?next=/%3Flang%3Den&lang=en"
    done = enter(stranger, "county", next_path="/?lang=en")
    assert (done.status_code, done.headers["location"]) == (303, "/?lang=en")
    home = stranger.get("/?lang=en")
    assert home.status_code == 200
    assert "County approver" in home.text and "潜山市" in home.text


def test_no_name_stands_in_the_address_of_the_log_in(stranger: TestClient) -> None:
    """Neither what was searched for nor anything else that a person typed: addresses are kept."""
    season = "5b1f4a52-95f1-4b0b-9c55-0d3a6b3e8b11"
    kept = f"/ledger?season={season}&status=paid&kind=zero&lang=zh"
    said = f"search=王秀兰&season={season}&status=paid&kind=zero&q=zhangsan&lang=zh"
    asked = f"/ledger?{said}&x=13812345678"
    for path in ("/ledger?search=王秀兰", "/officers?place=zhangsan&search=li.na"):
        location = stranger.get(path).headers["location"]
        assert location == f"/login?next={path.partition('?')[0]}"
    assert unquote(stranger.get(asked).headers["location"]) == f"/login?next={kept}&lang=zh"
    page = stranger.get(f"/login?next={quote(asked)}").text
    assert f'name="next" value="{escape(kept)}"' in page and "王秀兰" not in page
    assert unquote(enter(stranger, "county", next_path=asked).headers["location"]) == kept


def test_every_search_box_is_known_by_name() -> None:
    """Server and scripts leave out of the way back from the log-in what was typed there."""
    boxes = set()
    for template in (WEB / "templates").glob("*.html"):
        for box in re.findall(r"<input[^>]*type=\"search\"[^>]*>", template.read_text("utf-8")):
            boxes.add(re.search(r'name="([^"]+)"', box)[1])  # type: ignore[index]
    script = (WEB / "static" / "js" / "csrf.js").read_text("utf-8")
    known = re.search(r"TYPED = new Set\(\[(.*)\]\)", script)
    assert known is not None and boxes == set(re.findall(r'"(\w+)"', known[1])) == TYPED


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example", "/\\evil", "x"])
def test_nobody_is_led_to_another_host(stranger: TestClient, elsewhere: str) -> None:
    assert enter(stranger, "village", next_path=elsewhere).headers["location"] == "/"


def test_a_wrong_password_is_said_and_not_which_part_was_wrong(stranger: TestClient) -> None:
    refused = enter(stranger, "township", "wrong-password")
    assert refused.status_code == 401
    assert "登录名或密码不对" in refused.text
    assert "wrong-password" not in refused.text
    assert stranger.get("/").status_code == 303


def test_five_failures_lock_the_name_for_a_while(stranger: TestClient) -> None:
    for _ in range(5):
        assert enter(stranger, "nobody", "wrong-password").status_code == 401
    locked = enter(stranger, "nobody", "wrong-password")
    assert locked.status_code == 429
    assert "1 分钟" in locked.text


def test_a_log_in_from_a_foreign_page_is_refused(stranger: TestClient) -> None:
    form = {"csrf_token": "guessed", "name": "county", "password": PASSWORD}
    assert stranger.post("/login", data=form).status_code == 403
    stranger.get("/login")
    assert stranger.post("/login", data=form).status_code == 403


def test_the_session_cookie_is_strict_and_out_of_reach_of_scripts(stranger: TestClient) -> None:
    cookie = enter(stranger, "county").headers["set-cookie"]
    assert "HttpOnly" in cookie and "SameSite=strict" in cookie


def test_log_out_needs_the_token_and_ends_the_session(stranger: TestClient) -> None:
    enter(stranger, "county")
    home = stranger.get("/")
    assert stranger.post("/logout", data={"csrf_token": "x"}).status_code == 403
    assert stranger.get("/").status_code == 200
    secret = stranger.cookies["relief_session"]
    assert stranger.post("/logout", data={"csrf_token": token_of(home)}).status_code == 303
    stranger.cookies.set("relief_session", secret)
    assert stranger.get("/").headers["location"] == "/login?next=/&failure=ended"


def test_a_giant_form_is_not_read(stranger: TestClient) -> None:
    stranger.get("/login")
    assert stranger.post("/login", data={"name": "x" * 20_000}).status_code == 413


def test_an_unknown_address_is_a_page_for_people_and_a_problem_for_programs(
    stranger: TestClient,
) -> None:
    page = stranger.get("/no-such-page")
    assert page.status_code == 404 and "<h1>" in page.text
    assert "content-security-policy" in page.headers
    problem = stranger.get("/v1/no-such-thing")
    assert problem.headers["content-type"] == "application/problem+json"


def test_the_language_switch_is_remembered(stranger: TestClient) -> None:
    assert "登录名" in stranger.get("/login").text
    assert "Log-in name" in stranger.get("/login?lang=en").text
    assert "Log-in name" in stranger.get("/login").text


@pytest.mark.parametrize(
    ("said", "shown"),
    [("en-US,en;q=0.9", "Log-in name"), ("zh-CN,en", "登录名"), ("fr,en;q=0.3", "Log-in name")],
)
def test_who_has_not_chosen_meets_the_language_of_the_browser(
    stranger: TestClient, said: str, shown: str
) -> None:
    """An English browser met a Chinese log-in page."""
    headers = {"Accept-Language": said}
    page = stranger.get("/login", headers=headers)
    assert shown in page.text
    assert "Accept-Language" in page.headers["vary"]
    stranger.get("/login?lang=zh")
    assert "登录名" in stranger.get("/login", headers=headers).text


def test_assets_are_served_from_here(stranger: TestClient) -> None:
    assert stranger.get("/static/css/relief.css").status_code == 200
    assert stranger.get("/static/../app.py").status_code == 404


def test_every_desk_of_a_role_is_on_its_home_page(stranger: TestClient) -> None:
    enter(stranger, "village")
    page = stranger.get("/").text
    assert 'href="/report/new"' in page and 'href="/situation"' in page
    assert 'href="/review"' not in page


READERS = ["village", "township", "county", "city", "province", "auditor", "payer"]


@pytest.mark.parametrize("name", READERS)
def test_whoever_is_above_sees_the_report(stranger: TestClient, report: str, name: str) -> None:
    enter(stranger, name)
    for path in (f"/report/{report}", f"/timeline/{report}", "/situation"):
        assert stranger.get(path).status_code == 200, path
    assert "源潭居委会" in stranger.get("/situation").text


@pytest.mark.parametrize("name", ["village2", "township2", "foreign_county"])
def test_whoever_is_beside_it_finds_nothing(stranger: TestClient, report: str, name: str) -> None:
    enter(stranger, name)
    for path in (f"/report/{report}", f"/report/{report}/file", f"/timeline/{report}"):
        page = stranger.get(path)
        assert page.status_code == 404 and "<h1>" in page.text, path
    assert "源潭居委会" not in stranger.get("/situation").text


def test_an_administrator_has_no_business_with_reports(stranger: TestClient, report: str) -> None:
    enter(stranger, "admin")
    assert stranger.get("/").status_code == 200
    assert stranger.get("/situation").status_code == 403
    assert stranger.get(f"/report/{report}").status_code == 403


def test_only_the_own_level_gets_the_form(stranger: TestClient, report: str) -> None:
    enter(stranger, "township")
    assert stranger.get(f"/report/{report}/file?kind=follow_up").status_code == 403
    assert stranger.get(f"/report/{report}/file?kind=phone_follow_up").status_code == 200
    assert stranger.get(f"/report/{report}/file?kind=nonsense").status_code == 404


def test_only_the_level_above_gets_the_buttons(stranger: TestClient, report: str) -> None:
    enter(stranger, "township")
    assert "/acceptances" in stranger.get(f"/report/{report}").text
    enter(stranger, "county")
    assert "/acceptances" not in stranger.get(f"/report/{report}").text


def test_what_people_write_is_text_and_never_markup(stranger: TestClient, report: str) -> None:
    enter(stranger, "township")
    for path in (f"/report/{report}", "/review", f"/timeline/{report}"):
        page = stranger.get(path).text
        assert "alert(1)" in page and "<script>alert" not in page


def test_what_was_returned_stands_by_itself_beside_what_was_accepted(
    county: LivingCounty, stranger: TestClient
) -> None:
    at = county.now - timedelta(minutes=20)
    for name, affected in (("accepted", 1537), ("returned", 40)):
        county.run(
            FileInitialReport(
                report=county.id(name),
                area=county.id("yuantan_2"),
                occurred_at=at,
                as_of=at,
                hazard="wind_hail",
                figures={"affected": affected},
            ),
            by="village2",
        )
    county.run(AcceptReport(report=county.id("accepted"), version=1), by="township")
    county.run(
        ReturnReport(report=county.id("returned"), version=1, reason="数字不清"), by="township"
    )
    enter(stranger, "county")
    page = stranger.get("/situation").text
    row = page.split(f'id="a-{county.id("yuantan_2")}"')[1].split("</tr>")[0]
    assert "chip-returned" in row and "chip-accepted" not in row
    assert "<b>1,537</b>" in row and "被退回、不计入的报告写 40 人" in row and "1,577" not in row


def test_a_fragment_is_never_answered_by_the_log_in_page(stranger: TestClient) -> None:
    answer = stranger.get("/situation/board", headers={"HX-Request": "true"})
    assert answer.status_code == 401


@pytest.mark.parametrize("query", ["disaster=nonsense", "area=x", "after=-1"])
def test_a_broken_address_is_told_and_no_server_error(stranger: TestClient, query: str) -> None:
    enter(stranger, "county")
    page = stranger.get(f"/situation?{query}")
    assert page.status_code == 422 and "<h1>" in page.text


@pytest.mark.parametrize(
    ("typed", "found"),
    [("源潭居委", "源潭居委会"), ("340882101", "340882101"), ("源潭居委", "灾情报告")],
)
def test_a_subject_is_looked_up_by_name_or_number(
    stranger: TestClient, report: str, typed: str, found: str
) -> None:
    """The box once took nothing but a UUID, which no page shows."""
    enter(stranger, "county")
    page = stranger.get("/timeline", params={"subject": typed}).text
    assert found in page and not re.search(r"\d{4}-\d\d-\d\dT\d\d:\d\d<", page)
    for address in re.findall(r'id="f-[^"]*"><span><a href="(/timeline/[^"]+)"', page):
        assert stranger.get(address).status_code in (200, 404)
    assert 'href="/timeline/' in page


def test_what_nobody_is_called_is_told_beside_the_box(stranger: TestClient) -> None:
    enter(stranger, "county")
    page = stranger.get("/timeline", params={"subject": "没有这个<b>"}).text
    assert "没有找到“没有这个&lt;b&gt;”" in page


def test_a_subject_of_another_county_is_not_found(stranger: TestClient, report: str) -> None:
    enter(stranger, "village2")
    page = stranger.get("/timeline", params={"subject": "源潭居委"}).text
    assert report not in page


def test_a_suspended_officer_keeps_nothing_but_the_way_out(
    county: LivingCounty, stranger: TestClient
) -> None:
    enter(stranger, "village_b")
    why = "因慕容建国举报停职"
    county.run(SuspendOfficer(officer=county.officers["village_b"], reason=why), by="admin")
    assert stranger.get("/").status_code == 200
    assert 'href="/report/new"' not in stranger.get("/").text
    assert stranger.get("/report/new").status_code in (200, 403)
    assert stranger.get("/situation").status_code == 403
    county.system.store.writer.cache.kept.clear()
    page, answer = stranger.get("/situation"), stranger.get("/v1/situation-reports")
    assert answer.json()["facts"]["reason"] == why
    for told in (page.text, answer.json()["zh"], answer.json()["en"]):
        assert why in told and "\x02" not in told, "told to the officer, not the seal"


def test_a_store_on_a_simulated_clock_says_so_on_every_page(tmp_path: Path) -> None:
    at = datetime(2018, 7, 4, 8, tzinfo=UTC)
    with (
        living_county(tmp_path, simulated_from=at) as one,
        TestClient(one.app(), follow_redirects=False) as client,
    ):
        assert "模拟时钟：2018-07-04" in client.get("/login").text
        enter(client, "county")
        for path in ("/", "/situation", "/review", "/report/new", "/timeline", "/no-such-page"):
            assert "模拟时钟：2018-07-04" in client.get(path).text, path


def test_every_kind_of_fact_has_its_name_in_both_languages() -> None:
    messages = read_messages()
    topics = [event.topic() for kind in AGGREGATES for event in kind.event_classes()]
    wanted = {f"event.{snake(topic)}" for topic in topics}
    wanted |= {f"timeline.kind_{snake(topic.split('.')[0])}" for topic in topics}
    wanted |= {f"timeline.detail_{name}" for name in DETAILS}
    assert wanted <= messages.keys()


def test_a_page_opens_with_a_parameter_that_a_messenger_added(stranger: TestClient) -> None:
    enter(stranger, "county")
    answer = stranger.get("/situation?from=singlemessage&isappinstalled=0")
    assert answer.status_code == 200
