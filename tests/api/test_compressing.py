"""What is sent compressed, what never, and what no cache may keep."""

from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from starlette.responses import HTMLResponse, Response

from api.compressing import LEAST, Compressed, reflects
from domain.world import Role
from tests.api.edge import Edge
from tests.api.test_live import watching
from tests.web.desk import living_county
from web.assets import UNCHANGING, Assets, asset, state

LONG = "灾" * LEAST


def app() -> Any:
    inner = FastAPI()
    inner.add_api_route("/page", lambda: HTMLResponse(LONG))
    inner.add_api_route("/short", lambda: HTMLResponse("x"))
    inner.add_api_route("/picture", lambda: Response(LONG.encode(), media_type="image/png"))
    inner.mount("/static", Assets())
    return Compressed(inner)


def test_pages_are_compressed_for_whoever_takes_it() -> None:
    client = TestClient(app())
    for takes in ("gzip", "gzip, deflate, br"):
        answer = client.get("/page", headers={"Accept-Encoding": takes})
        assert answer.headers["content-encoding"] == "gzip" and answer.text == LONG
        assert int(answer.headers["content-length"]) < 200
        assert "Accept-Encoding" in answer.headers["vary"]
    plain = client.get("/page", headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers and plain.text == LONG
    for path in ("/short", "/picture"):
        assert "content-encoding" not in client.get(path).headers


@pytest.mark.parametrize(
    ("query", "harmful"),
    [
        ("", False),
        ("after=12&area=8a0e4a5c-6d7c-4f0e-9a52-30c2b64b7f11&status=open", False),
        ("search=张三", True),
        ('search=content="aB', True),
        ("x=" + "a" * 41, True),
        ("a%22b=1", True),
    ],
)
def test_a_page_that_may_repeat_what_was_asked_is_not_compressed(query: str, harmful: bool) -> None:
    """Else its length would tell, letter by letter, whether a guess of its token was right."""
    answer = TestClient(app()).get(f"/page?{query}")
    assert ("content-encoding" in answer.headers) is not harmful
    assert reflects(query.encode()) is harmful


def test_lists_are_compressed_live_boards_are_not_and_no_cache_keeps_either(edge: Edge) -> None:
    with edge.client(Role.COUNTY_APPROVER, "county") as us:
        answer = us.get("/v1/officers")
        assert answer.status_code == 200 and answer.headers["content-encoding"] == "gzip"
        assert answer.headers["cache-control"] == "no-store"
        assert us.get("/v1/me").headers["cache-control"] == "no-store"
        assert us.get("/v1/households/x").headers["cache-control"] == "no-store"
        params = {"boards": "situation"}
        with us.stream("GET", "/v1/live", params=params) as live:
            assert "content-encoding" not in live.headers
    with watching(edge, Role.COUNTY_APPROVER, "county") as stream:
        assert stream.next("beat")


def test_a_page_asks_for_its_files_once(tmp_path: Path) -> None:
    """Every page once asked again for each of its 16 files."""
    client = TestClient(app())
    for path in ("js/app.js", "js/live.js", "css/relief.css"):
        answer = client.get(asset(path))
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == UNCHANGING
        assert len(answer.content) < LEAST or answer.headers["content-encoding"] == "gzip"
    other = client.get("/static/v-0123456789abcdef/js/app.js")
    assert other.status_code == 200 and other.headers["cache-control"] == "no-cache"
    assert client.get(f"/static/{state()}/../assets.py").status_code == 404
    assert client.get(f"/static/{state()}/js/none.js").status_code == 404
    with living_county(tmp_path) as county, TestClient(county.app()) as browser:
        page = browser.get("/login")
        assert page.status_code == 200 and page.headers["content-encoding"] == "gzip"
        ours = [part.split('"')[0] for part in page.text.split('="/static/')[1:]]
        assert ours and all(path.startswith((f"{state()}/", "vendor/")) for path in ours), ours
        for path in ours:
            assert browser.get(f"/static/{path}").headers["cache-control"] == UNCHANGING
