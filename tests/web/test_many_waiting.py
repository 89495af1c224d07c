"""More waits than a page of the boards holds: it is filtered first, and counts are counted."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path
from uuid import uuid4

import pytest
from fastapi.testclient import TestClient

from domain.commands.reports import FileInitialReport
from eventstore.outcomes import Envelope, Receipt
from streams.keeping import advance_clock
from tests.web.desk import LivingCounty, living_county
from tests.web.test_duties_on_pages import overdue
from tests.web.test_pages import enter

WAITING = 1_050
DAYS = 390
AT = datetime(2018, 7, 4, 7, tzinfo=UTC)


def told(county: LivingCounty, name: str, area: str) -> FileInitialReport:
    return FileInitialReport(
        report=county.id(name),
        area=county.id(area),
        occurred_at=AT - timedelta(minutes=50),
        as_of=AT - timedelta(minutes=20),
        hazard="flood",
        figures={"affected": 40},
    )


@pytest.fixture(scope="module")
def county(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LivingCounty]:
    """A township with its own running report and more of its villages' than any page holds."""
    folder: Path = tmp_path_factory.mktemp("many")
    with living_county(folder / "county", simulated_from=AT) as found:
        found.run(told(found, "mine", "yuantan"), by="township")
        officer = found.officers["village"]
        envelopes = [
            Envelope(id=uuid4(), officer=officer, command=told(found, f"no {n}", "yuantan_1"))
            for n in range(WAITING)
        ]
        assert all(isinstance(one, Receipt) for one in found.system.store.run_many(envelopes))
        found.run(told(found, "other", "shuihou"), by="township2")
        found.run(told(found, "whole", "county"), by="county")
        advance_clock(found.system.store, by=timedelta(days=DAYS), rate=1, operator="li")
        assert found.system.boards.wait_for(found.system.store.head(), 60)
        yield found


@pytest.fixture
def client(county: LivingCounty) -> Iterator[TestClient]:
    with TestClient(county.app(), follow_redirects=False) as one:
        yield one


def test_home_and_the_queue_count_all_that_waits(client: TestClient) -> None:
    enter(client, "township")
    home = client.get("/").text
    assert re.search(r'class="count">1,?050<', home), "home"
    assert re.search(r"待审核灾情共 1,?050 份", client.get("/review").text)


def test_a_matter_is_paged_to_its_last_row_and_each_page_is_light(client: TestClient) -> None:
    """All of a thousand rows were one page of 518 kB."""
    enter(client, "township")
    found: list[str] = []
    address: str | None = "/waiting/report_review"
    while address is not None:
        page = client.get(address)
        assert page.status_code == 200 and len(page.content) < 60_000
        assert re.search(r'class="work-number">1,?050<', page.text), "counted, not capped"
        rows = re.findall(r'data-subject="([^"]+)"', page.text)
        assert 0 < len(rows) <= 15
        found += rows
        following = re.search(r'rel="next" href="([^"]+)"', page.text)
        address = unescape(following[1]) if following else None
    assert len(found) == len(set(found)) == WAITING


def test_a_report_is_told_beside_some_of_its_likes_and_the_others_are_counted(
    client: TestClient,
) -> None:
    """Each card of the queue named all thousand others of its hour: ten cards were 3.6 MB."""
    enter(client, "township")
    page = client.get("/review")
    assert len(page.content) < 200_000
    assert f"另有 {WAITING - 1} 份" in page.text and f"还有 {WAITING - 21} 份没有列出" in page.text


def test_the_queue_is_paged_to_its_last_row(client: TestClient) -> None:
    enter(client, "township")
    found: set[str] = set()
    query = {"limit": "200", "role": "township_reviewer"}
    while True:
        page = client.get("/v1/reviews", params=query).json()
        found |= {row["subject"] for row in page["items"]}
        if page["next"] is None:
            break
        query["cursor"] = page["next"]
    assert len(found) == WAITING


def test_an_own_running_report_is_there_beside_many_newer_ones_below(
    county: LivingCounty, client: TestClient
) -> None:
    enter(client, "township")
    assert f"/report/{county.id('mine')}" in client.get("/report/new").text


def test_home_counts_all_that_is_owed_behind_what_others_owe(client: TestClient) -> None:
    """Two townships owe as many days: a page of a thousand held a third of the county's own."""
    enter(client, "county")
    assert f"欠 {DAYS} 次" in overdue(client.get("/").text)
