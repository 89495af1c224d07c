"""The situation page: what is hidden above is shown, what is due is told, disasters stay apart."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from domain.commands.disasters import AttachReport, DeclareDisaster
from domain.commands.reports import FileInitialReport
from domain.commands.reviews import AcceptReport
from tests.web.desk import LivingCounty, living_county
from tests.web.test_pages import enter


@pytest.fixture(scope="module")
def county(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LivingCounty]:
    folder: Path = tmp_path_factory.mktemp("situation")
    with living_county(folder / "county") as found:
        _tell(found, "yuantan", "township", {"affected": 5000, "dead": 1}, minutes=50)
        _accept(found, "yuantan", "county")
        share = {str(found.id("yuantan")): {"affected": 700, "dead": 0}}
        _tell(found, "county", "county", {"affected": 700, "dead": 0}, minutes=20, split=share)
        _accept(found, "county", "city")
        _tell(found, "shuihou", "township2", {"affected": 40}, minutes=20, hazard="snow")
        yield found


def _tell(
    county: LivingCounty,
    area: str,
    by: str,
    figures: dict[str, int],
    minutes: int,
    hazard: str = "flood",
    split: dict[str, dict[str, int]] | None = None,
) -> None:
    command = FileInitialReport(
        report=county.id(f"report/{area}"),
        area=county.id(area),
        occurred_at=county.now - timedelta(minutes=50),
        as_of=county.now - timedelta(minutes=minutes),
        hazard=hazard,
        figures=dict(figures),
        split={part: dict(values) for part, values in (split or {}).items()},
    )
    county.run(command, by=by)


def _accept(county: LivingCounty, area: str, by: str) -> None:
    county.run(AcceptReport(report=county.id(f"report/{area}"), version=1), by=by)


def page(county: LivingCounty, name: str, path: str) -> str:
    with TestClient(county.app(), follow_redirects=False) as client:
        assert enter(client, name).status_code == 303
        found = client.get(path)
        assert found.status_code == 200
        return found.text


def test_the_row_says_that_its_parts_are_larger_and_disasters_stay_apart(
    county: LivingCounty,
) -> None:
    told = page(county, "county", "/situation")
    assert "下级多 受灾 4,300" in told
    assert "各次灾害" in told and "人次" in told
    assert 'class="tiles"' not in told, "no headline over separate disasters"
    assert "接下来要报的" in told


def test_a_row_over_separate_disasters_has_no_sum_but_the_way_to_each(
    county: LivingCounty,
) -> None:
    """5,000 of a flood and 40 of a snow are two times somebody suffered, not 5,040 people."""
    told = page(county, "county", "/situation")
    table = told[told.index('<table class="cards situation" data-rows') :]
    row = table[table.index(f'id="a-{county.id("county")}"') :]
    row = row[: row.index("</tr>")]
    assert "2 次灾害，分次查看" in row
    assert "5,040" not in row and "740" not in row
    assert "各次不相加" in told


def test_what_is_not_reviewed_says_what_it_counts(county: LivingCounty) -> None:
    """A total with what waits is no addition to the large figure beside it."""
    told = page(county, "township2", "/situation")
    assert "含未审共 40 人" in told and "未审 40" not in told


def test_the_report_shows_what_its_parts_had_accepted_and_the_way_out(
    county: LivingCounty,
) -> None:
    told = page(county, "city", f"/report/{county.id('report/county')}")
    assert "少于下级已审定合计 1" in told
    assert "/parts-set-aside" in told and "/withdrawals" in told


def test_a_verified_report_is_offered_only_once_it_is_stable(county: LivingCounty) -> None:
    told = page(county, "township", f"/report/{county.id('report/yuantan')}")
    told = re.sub(r"<div[^>]* hidden>.*?</div>", "", told, flags=re.DOTALL)  # of unsent forms
    assert "kind=follow_up" in told and "kind=verified" not in told
    assert "kind=verified" not in page(county, "township", "/report/new")


def test_a_finding_about_figures_says_which_and_leads_to_the_reports(
    county: LivingCounty,
) -> None:
    told = page(county, "county", "/findings?kind=casualties_hidden")
    assert "因灾死亡人口 本级 0，下级 1" in told
    for area in ("county", "yuantan"):
        assert f'href="/report/{county.id(f"report/{area}")}"' in told


def test_who_reviews_hears_at_home_of_figures_that_do_not_fit(county: LivingCounty) -> None:
    for name in ("county", "city"):
        assert 'href="/findings?kind=casualties_hidden"' in page(county, name, "/"), name
    for name in ("township2", "payer"):
        assert "/findings?kind=" not in page(county, name, "/"), name


def test_two_reports_that_may_be_one_are_told_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both links said 水吼镇 雪灾 初报 第 1 版: nobody knew which was which. And a finding led to
    all of its reports: with 5,000 of one place the page had 2.5 MB."""
    with living_county(tmp_path / "twins") as county:
        for minutes in (50, 20):
            command = FileInitialReport(
                report=county.id(f"report/{minutes}"),
                area=county.id("shuihou"),
                occurred_at=county.now - timedelta(minutes=minutes),
                as_of=county.now - timedelta(minutes=10),
                hazard="snow",
                figures={"affected": 40},
            )
            county.run(command, by="township2")
        told = page(county, "county", "/findings?kind=likely_same")
        rows = told.partition("<main")[2]  # the menu leads to the form of reports
        texts = re.findall(r'<a href="/report/[^"]+">(.*?)</a>', rows, flags=re.DOTALL)
        monkeypatch.setattr("web.pages.ledger.MOST_NAMED", 1)
        told = page(county, "county", "/findings?kind=likely_same")
        assert told.partition("<main")[2].count('<a href="/report/') == 1
        assert "另有 1 份" in told
    assert len(texts) == 2
    assert len({re.sub(r"<[^>]+>", "", text) for text in texts}) == 2


def test_the_city_reads_on_its_board_that_one_flood_is_counted_twice(tmp_path: Path) -> None:
    """Its own report joins no disaster of the county: 130 人次 stood there without a word."""
    with living_county(tmp_path / "twice") as county:
        _tell(county, "city", "city", {"affected": 70}, minutes=20)
        flood = DeclareDisaster(
            disaster=county.id("flood"),
            name="潜山洪涝",
            hazard="flood",
            occurred_at=county.now - timedelta(minutes=50),
            area=county.id("county"),
        )
        county.run(flood, by="county")
        _tell(county, "county", "county", {"affected": 60}, minutes=20)
        report = county.id("report/county")
        county.run(AttachReport(report=report, disaster=county.id("flood")), by="county")
        told = page(county, "city", "/situation")
        assert told.count("可能是一次灾害：") == 2, "each of the two names the other"
        assert "与“潜山洪涝”灾种相同" in told and "在合计里计了两次" in told
        assert "maybe one disaster" in page(county, "city", "/situation?lang=en")
        assert "可能是一次灾害" not in page(county, "county", "/situation")
