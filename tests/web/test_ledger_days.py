"""The ledger's two times on its page: what was known when, about which day."""

import re
import time

import pytest
from fastapi.testclient import TestClient

from domain.relief_case import ReliefCase
from domain.rules.base import china_day
from tests.web.conftest import demo
from tests.web.relief_desk import RunningDemo
from tests.web.test_relief_pages import enter

__all__ = ["demo"]

PATIENCE_SECONDS = 120.0
SENTENCE = re.compile(r'<p class="muted" id="two-times">(.*?)</p>', re.S)
PAID = re.compile(r"<dt>[^<]*(?:Cash|救助款)</dt><dd>([^<]*)</dd>")


def opened(server: TestClient, **asked: str) -> str:
    """The page; of the past once that is kept."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (page := server.get("/ledger", params=asked)).status_code == 503:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert page.status_code == 200, page.text[:400]
    return page.text


def sentence(page: str) -> str:
    found = SENTENCE.search(page)
    assert found is not None
    return " ".join(found[1].split())


@pytest.fixture(scope="module")
def payment(demo: RunningDemo) -> tuple[int, str]:
    """Position and value date of the last payment."""
    store = demo.system.store
    facts = store.read(0, store.head())
    dated = [
        (fact.position, fact.event.value_date)
        for fact in facts
        if isinstance(fact.event, ReliefCase.Paid) and fact.event.value_date is not None
    ]
    position, day = dated[-1]
    return position, day.isoformat()


def test_each_of_the_four_is_said_in_one_sentence(
    demo: RunningDemo, server: TestClient, payment: tuple[int, str]
) -> None:
    enter(server, "county-approver")
    known, day = str(payment[0]), payment[1]
    asked: list[dict[str, str]] = [
        {},
        {"as_of": day},
        {"known_at": known},
        {"as_of": day, "known_at": known},
    ]
    for language in ("zh", "en"):
        said = [sentence(opened(server, lang=language, **one)) for one in asked]
        assert len(set(said)) == 4
        words = "现在所知" if language == "zh" else "known now"
        assert [words in text for text in said] == [True, True, False, False]
        if language == "zh":
            in_words = said
    year, month, dom = map(int, day.split("-"))
    assert f"{year}年{month}月{dom}日" in in_words[1]


def test_what_was_known_before_the_payment_has_it_not_on_its_day(
    demo: RunningDemo, server: TestClient, payment: tuple[int, str]
) -> None:
    """The same day, as known a record earlier and at it."""
    enter(server, "county-approver")
    position, day = payment
    before = PAID.findall(opened(server, known_at=str(position - 1), as_of=day))
    at = PAID.findall(opened(server, known_at=str(position), as_of=day))
    assert len(before) == len(at) == 2
    assert before[0] == at[0], "what was granted is the same"
    assert before[1] != at[1], "what was paid is not"


def test_a_day_stays_with_links_and_is_taken_back(
    demo: RunningDemo, server: TestClient, payment: tuple[int, str]
) -> None:
    enter(server, "county-approver")
    page = opened(server, as_of=payment[1])
    assert f"as_of={payment[1]}" in page
    rows = server.get("/ledger", params={"as_of": "yesterday"})
    assert rows.status_code == 422
    today = china_day(demo.now).isoformat()
    assert f'max="{today}"' in page
