"""The queue of reviews shows all that a version says, and what it does not know."""

import re
from datetime import timedelta
from html import unescape
from pathlib import Path

from fastapi.testclient import TestClient

from domain.commands.reports import FileFollowUp, FileInitialReport
from domain.commands.reviews import AcceptReport
from tests.web.desk import LivingCounty, living_county
from tests.web.test_pages import enter


def card(county: LivingCounty) -> str:
    """What a reader of the county's queue reads of its only report."""
    with TestClient(county.app(), follow_redirects=False) as client:
        enter(client, "county")
        found = client.get("/review").text
    article = found[found.index("<article") : found.index("</article>")]
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", article)))


def test_a_first_version_shows_every_figure_and_later_ones_what_changed(tmp_path: Path) -> None:
    """It showed the seven of a board: livestock and homes were accepted unseen."""
    with living_county(tmp_path / "county") as county:
        at, report = county.now - timedelta(minutes=50), county.id("report")
        part = {str(county.id("yuantan_1")): {"affected": 40}}
        county.run(
            FileInitialReport(
                report=report,
                area=county.id("yuantan"),
                occurred_at=at,
                as_of=at,
                hazard="flood",
                figures={
                    "affected": 40,
                    "dead": None,
                    "large_livestock_dead": 3,
                    "loss_homes": "8.8",
                },
                split=part,
            ),
            by="township",
        )
        first = card(county)
        for told in ("受灾人口 40 人", "大牲畜（因灾死亡牲畜） 3 头只", "8.80 万元"):
            assert told in first, told
        unknown = first.split("尚未掌握")[1]
        assert "死亡、失踪" in unknown and "因灾受伤人口" in unknown
        assert "大牲畜" not in unknown and not re.search("(：|、)受灾、", unknown)
        assert "源潭居委会 受灾人口 40" in first
        county.run(AcceptReport(report=report, version=1), by="county")
        for minutes, affected in ((40, 60), (30, 70)):
            county.run(
                FileFollowUp(
                    report=report,
                    as_of=county.now - timedelta(minutes=minutes),
                    figures={"affected": affected, "dead": 0, "large_livestock_dead": 3},
                ),
                by="township",
            )
        later = card(county)
        assert "与已采用的第 1 版相比" in later and "与上一版相比" in later
        against_accepted, against_before = later.split("与上一版相比")
        assert "+30" in against_accepted and "+10" in against_before
        assert "大牲畜（因灾死亡牲畜） 3 头只" in later, "what did not change is shown too"
