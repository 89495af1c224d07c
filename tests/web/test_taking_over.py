"""What a new report of an area is offered of the accepted figures of the areas below."""

import re
from datetime import timedelta
from pathlib import Path

from fastapi.testclient import TestClient

from domain.commands.areas import Merge, RearrangeVillages
from domain.commands.reports import FileInitialReport
from domain.commands.reviews import AcceptReport
from domain.rules.base import china_day
from tests.web.desk import living_county
from tests.web.officer_forms import enter


def test_the_form_takes_over_the_dead_of_a_village_that_was_merged_since(tmp_path: Path) -> None:
    with living_county(tmp_path) as county:
        at = county.now - timedelta(hours=1)
        lost = {"yuantan_1": {"missing": 4}, "yuantan_2": {}}
        for village, by, dead in (("yuantan_1", "village", 2), ("yuantan_2", "village2", 1)):
            filed = FileInitialReport(
                report=county.id(f"report/{village}"),
                area=county.id(village),
                occurred_at=at,
                as_of=at,
                hazard="flood",
                figures={"affected": 30, "dead": dead, **lost[village]},
            )
            county.run(filed, by=by)
            county.run(AcceptReport(report=filed.report, version=1), by="township")
        merger = RearrangeVillages(
            merges=(Merge(area=county.id("yuantan_1"), into=county.id("yuantan_2")),),
            effective_on=china_day(county.now),
            document_no="皖民〔2018〕1号",
        )
        county.run(merger, by="admin")
        with TestClient(county.app(), base_url="http://test", follow_redirects=False) as browser:
            enter(browser, "township")
            page = browser.get("/report/new?lang=zh").text
        with TestClient(county.app(), base_url="http://test", follow_redirects=False) as browser:
            enter(browser, "county")
            above = browser.get("/report/new?lang=zh").text
            board = browser.get("/situation?lang=zh").text
    assert '"totals": {"affected": "60", "dead": "3", "missing": "4"}' in page
    for shown in (above, board):
        assert "2 份报告中只有 1 份填了此数" in shown, "one village gave no missing: not zero"
    assert re.search(r"源潭居委会</a> <span class=\"muted\">\S+ 撤销或并入", page)
    areas = re.search(r'"areas": \[[^\]]*\]', page)
    assert areas and "源潭居委会" in areas[0], "a share that is taken over has a row to go to"
