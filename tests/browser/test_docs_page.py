"""The page of the API in a browser: it shows the document, asks nobody else, and stays silent."""

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import DESK, PHONE, OpenPage, Serve
from tests.browser.looks import looked_at
from tests.web.desk import living_county


@pytest.mark.parametrize("width", [PHONE, DESK])
def test_it_shows_every_part_and_what_one_address_takes_and_asks_nobody_else(
    serve: Serve, open_page: OpenPage, tmp_path: Path, width: int
) -> None:
    """A broken content policy, an error or a warning in the console fails it (`open_page`)."""
    with living_county(tmp_path) as county:
        app = county.app()
        document: dict[str, Any] = app.openapi()
        page = open_page(width)
        asked: set[str] = set()
        said: list[str] = []
        with serve(app) as address:
            page.on("request", lambda request: asked.add(request.url))
            page.on("console", lambda message: said.append(message.text))
            page.goto(f"{address}/docs?lang=zh")
            parts = page.locator(".opblock-tag")
            expect(parts).to_have_count(len(document["tags"]))
            page.get_by_placeholder("按部分查找").fill("goods")
            expect(parts).to_have_count(1)
            page.locator("#operations-tag-goods .expand-operation").press("Enter")
            goods = [
                path
                for path, item in document["paths"].items()
                for operation in item.values()
                if operation["tags"] == ["goods"]
            ]
            rows = page.locator(".opblock-summary-path")
            expect(rows).to_have_count(len(goods))
            shown = {one.replace("\u200b", "") for one in rows.all_inner_texts()}
            assert shown == set(goods)
            page.locator("#operations-goods-ReceiveGoods .opblock-summary-control").press("Enter")
            body = page.locator("#operations-goods-ReceiveGoods .opblock-body")
            expect(body.get_by_role("heading", name="参数")).to_be_visible()
            expect(body.get_by_text("请求内容")).to_be_visible()
            expect(body.get_by_text("Idempotency-Key").first).to_be_visible()
            for tab in body.get_by_role("tab", name="结构").all():
                tab.click()
            expect(page.locator(".try-out, .execute, .authorize")).to_have_count(0)
            expect(page.locator("main")).to_have_count(1)
            assert [one.kind for one in looked_at(page, "/docs", "") if "axe" in one.kind] == []
            page.emulate_media(color_scheme="dark")  # what is typed was light on white
            page.get_by_placeholder("按部分查找").fill("")
            assert [one.what for one in looked_at(page, "/docs", "") if "axe" in one.kind] == []
            page.emulate_media(color_scheme="light")
            page.get_by_placeholder("按部分查找").fill("goods")
            wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
            assert wide <= 0
        assert asked and {one for one in asked if not one.startswith(address)} == set()
        assert said == []
