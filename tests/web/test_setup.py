"""The pages of `/setup`: from a log-in page with no way in to an administrator at their desk."""

import re
import time
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from httpx import Response

from api.app import create_app
from api.setup_door import TRIES
from domain.area import AreaLevel
from tests.api.beginnings import REGISTER, Own, own_store
from web.app import mount_pages
from web.i18n import LANGUAGES

PASSWORD = "correct horse battery"
CHINESE = re.compile(r"[\u4e00-\u9fff]{2,}")


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Own]:
    with own_store(tmp_path / "own") as found:
        yield found


@pytest.fixture
def client(own: Own) -> Iterator[TestClient]:
    with TestClient(create_app(own.system, mount=mount_pages)) as found:
        yield found


def code_of(client: TestClient) -> str:
    code: str = client.app.state.setup.code  # type: ignore[attr-defined]
    return code


def token_in(page: Response) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
    assert found is not None, page.text[:2000]
    return unescape(found.group(1))


def enter(client: TestClient, code: str | None = None) -> Response:
    token = token_in(client.get("/setup"))
    given = {"csrf_token": token, "code": code_of(client) if code is None else code}
    return client.post("/setup/sessions", data=given)


def ticked(page: Response, name: str) -> list[str]:
    boxes = re.findall(rf'<input type="checkbox" name="{name}" value="(\d+)"([^>]*)>', page.text)
    return [value for value, more in boxes if "checked" in more]


def begin(client: TestClient, code: str, **more: object) -> Response:
    page = client.get(f"/setup/divisions/{code}")
    form = {
        "csrf_token": token_in(page),
        "seat": code,
        "village": ticked(page, "village"),
        "full_name": "张三",
        "login": "admin",
        **more,
    }
    return client.post("/setup/beginnings", data=form)


def finished(client: TestClient) -> Response:
    deadline = time.monotonic() + 120
    while 'http-equiv="refresh"' in (page := client.get("/setup")).text:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return page


def test_from_the_log_in_page_to_the_administrators_desk(own: Own, client: TestClient) -> None:
    login = client.get("/")
    assert login.url.path == "/login" and 'href="/setup"' in login.text
    assert enter(client).url.path == "/setup"
    assert "康县" not in client.get("/setup").text.replace("康县、kangxian", "")
    found = client.get("/setup", params={"q": "kx"})
    assert 'href="/setup/divisions/621224"' in found.text and "甘肃省 陇南市" in found.text
    page = begin(client, "621224")
    assert page.status_code == 200 and page.url.path == "/setup"
    done = finished(client)
    assert "21 个乡镇（街道），355 个村（社区）" in done.text
    invitation = re.search(r'href="(/invitations/\w+)"', done.text)
    assert invitation is not None and "vault.key" in done.text
    accepting = client.get(invitation.group(1))
    given = {"csrf_token": token_in(accepting), "password": PASSWORD, "again": PASSWORD}
    home = client.post(invitation.group(1), data=given)
    assert home.status_code == 200 and home.url.path == "/" and "张*" in home.text
    for address in ("/setup", "/setup/divisions/621224"):
        gone = client.get(address)
        assert gone.status_code == 410 and "建账入口已关闭" in gone.text
    assert 'href="/setup"' not in client.get("/login").text
    none = client.get(
        "/rulebooks/standards?lang=zh"
    ).text  # the home page of a new county sends there
    assert "尚无现行规则" in none and "导入规则文件" in none and "/rulebooks/change" in none


def test_counties_of_one_name_show_their_city(client: TestClient) -> None:
    enter(client)
    found = client.get("/setup", params={"q": "鼓楼区"}).text
    for above in ("江苏省 南京市", "江苏省 徐州市", "福建省 福州市", "河南省 开封市"):
        assert above in found
    assert "没有找到“不存在县”" in client.get("/setup", params={"q": "不存在县"}).text
    assert "仙桃市" in client.get("/setup", params={"under": "420000"}).text


def test_villages_that_only_statistics_know_are_not_ticked(own: Own, client: TestClient) -> None:
    enter(client)
    page = client.get("/setup/divisions/340882")
    villages = [one for one in REGISTER.below("340882") if one.level is AreaLevel.VILLAGE]
    assert ticked(page, "village") == [one.key for one in villages if not one.virtual]
    assert len(ticked(page, "village")) < len(villages)
    kept = ticked(page, "village")[:5]
    begin(client, "340882", village=kept)
    finished(client)
    rows = own.system.store.log.fetch(
        "SELECT count(*) FROM events WHERE topic LIKE 'Area.Established%'"
    )
    townships = len(REGISTER.children("340882"))
    assert rows[0][0] == 4 + townships + len(kept)


def test_the_largest_county_fits_into_one_form(own: Own, client: TestClient) -> None:
    """浦东新区: more than 1,500 villages."""
    enter(client)
    page = client.get("/setup/divisions/310115")
    assert len(ticked(page, "village")) > 1_400
    assert begin(client, "310115").status_code == 200
    assert "浦东新区" in finished(client).text


def test_a_city_with_two_of_its_counties(own: Own, client: TestClient) -> None:
    enter(client)
    page = client.get("/setup/divisions/621200")
    assert "康县" in page.text and not ticked(page, "county")
    nothing = begin(client, "621200")
    assert nothing.status_code == 422 and "至少选一个" in nothing.text
    assert begin(client, "621200", county=["621224", "621221"]).status_code == 200
    assert "陇南市" in finished(client).text
    assert own.system.store.load(own.area("621221")) is not None
    assert own.system.store.load(own.area("621202")) is None


def test_what_was_typed_and_ticked_stays_when_it_is_refused(own: Own, client: TestClient) -> None:
    enter(client)
    kept = ticked(client.get("/setup/divisions/621224"), "village")[:3]
    page = begin(client, "621224", login="a b", village=kept)
    assert page.status_code == 422 and "应由汉字、字母、数字" in page.text
    assert ticked(page, "village") == kept and 'value="a b"' in page.text and "张三" in page.text
    assert own.system.store.head() == 0


def test_a_wrong_clock_is_asked_about_before_the_first_fact(own: Own, client: TestClient) -> None:
    """What is stamped with a wrong year stays so."""
    enter(client)
    before = begin(client, "621224", browser_time="2018-07-04T08:00:00.000Z")
    assert before.status_code == 409 and "请先校准服务器时钟" in before.text
    assert "您的设备是 2018年7月4日 16:00" in before.text
    assert "clock_confirmed" in before.text and own.system.store.head() == 0
    more = {"browser_time": "2018-07-04T08:00:00.000Z", "clock_confirmed": "yes"}
    assert begin(client, "621224", **more).status_code == 200
    assert "355 个村（社区）" in finished(client).text


def test_a_training_store_is_ticked_and_every_page_says_so(own: Own, client: TestClient) -> None:
    enter(client)
    assert "演练账本：" not in client.get("/setup").text
    refused = begin(client, "621224", exercise="yes", login="a b")
    assert re.search(r'name="exercise" value="yes" checked', refused.text), "the tick stays"
    begin(client, "621224", exercise="yes")
    page = finished(client)
    assert "演练账本：一切均非真实灾情" in page.text and own.system.store.training is True
    assert "演练账本：一切均非真实灾情" in client.get("/login").text
    invitation = re.search(r'href="(/invitations/\w+)"', page.text)
    assert invitation is not None
    given = {
        "csrf_token": token_in(client.get(invitation.group(1))),
        "password": PASSWORD,
        "again": PASSWORD,
    }
    client.post(invitation.group(1), data=given)
    rules = client.get("/rulebooks?lang=zh").text
    assert "未经确认的规则按示例使用" in rules and "不能据以" not in rules


def test_a_fault_before_anything_is_noted_is_told_on_the_page(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    enter(client)
    with monkeypatch.context() as change:
        change.setattr("api.beginning.Beginning.mark", broken)
        begin(client, "621224")
        page = finished(client)
    assert "意外错误（ZeroDivisionError）" in page.text and "为哪个县" in page.text
    begin(client, "621224")
    page = finished(client)
    assert "意外错误" not in page.text
    assert "/login?next=%2Frulebooks%2Fnotices" in page.text, "what waits to be confirmed"
    assert "公示期也不会结束" in page.text and "已演练恢复" in page.text


def test_a_wrong_code_is_said_and_ten_close_the_page(client: TestClient) -> None:
    wrong = enter(client, "AAAA-AAAA")
    assert wrong.status_code == 403 and f"还可再试 {TRIES - 1} 次" in wrong.text
    assert client.post("/setup/sessions", data={"code": code_of(client)}).status_code == 403
    for _ in range(TRIES - 1):
        enter(client, "AAAA-AAAA")
    assert client.get("/setup").status_code == 410


def test_another_browser_finds_the_door_closed(own: Own, client: TestClient) -> None:
    enter(client)
    with TestClient(client.app) as other:
        assert other.get("/setup").status_code == 410
        assert other.get("/setup/divisions/621224").status_code == 410
        sent = other.post("/setup/beginnings", data={"seat": "621224", "csrf_token": "made up"})
        assert sent.status_code == 410
    sent = client.post("/setup/beginnings", data={"seat": "621224", "csrf_token": "made up"})
    assert sent.status_code == 403 and own.system.store.head() == 0


def test_a_beginning_that_was_broken_off_is_gone_on_with(own: Own, client: TestClient) -> None:
    """The county stands fast, and what was left out stays left out."""
    from api.choosing import choice_of, county_of

    county = county_of(REGISTER, "621224")
    village = next(one.key for one in REGISTER.below("621224100"))
    own.beginning.mark(choice_of(REGISTER, county, [county], [village]))
    enter(client)
    page = client.get("/setup")
    assert "康县" in page.text and village not in ticked(page, "village")
    begin(client, "621224")
    assert "354 个村（社区）" in finished(client).text


def test_pages_of_setting_up_speak_two_languages(client: TestClient) -> None:
    """Names of places apart, which are Chinese in both."""
    enter(client)
    begin_page = "/setup/divisions/500103"
    for address in ("/setup", begin_page):
        for language in LANGUAGES:
            text = client.get(address, params={"lang": language}).text
            main = re.sub(r"<[^>]*>", " ", text[text.index("<main") : text.index("</main>")])
            if language == "en":
                names = {"重庆市", "渝中区", "康县"}
                below = {one.name for one in REGISTER.below("500103")}
                rest = [run for run in CHINESE.findall(main) if run not in names | below]
                assert not rest, rest
            else:
                assert CHINESE.search(main)
