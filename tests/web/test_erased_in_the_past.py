"""Who is erased is erased in the past too: the keys decide, whatever moment is looked at."""

import time
from pathlib import Path

import httpx
import pytest
from fastapi.testclient import TestClient

from api.known_at import COOKIE
from domain.commands import erasure as e
from domain.commands import households as h
from streams.past import FILE
from tests.id_numbers import id_number
from tests.web.pressing import Desk
from tests.web.relief_desk import RunningDemo
from tests.web.test_household_story import registered
from tests.web.test_relief_pages import enter

PATIENCE_SECONDS = 120.0
NAME, NUMBER = "欧阳销毁", id_number(611)
WORDS = "投奔外省亲戚欧阳氏"
"""Free words about the person, sealed under the keys of the household's members."""


def opened(server: TestClient, path: str, **params: str) -> httpx.Response:
    """The answer of the past, once it is kept."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (answer := server.get(path, params=params)).status_code == 503:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return answer


def file_of(demo: RunningDemo) -> bytes:
    """Every byte that the past is kept in."""
    found = (Path(demo.system.past.path).with_name(FILE + end) for end in ("", "-wal"))
    return b"".join(file.read_bytes() for file in found if file.exists())


@pytest.mark.timeout(300)
def test_an_erased_name_is_unreadable_at_every_moment_of_the_past(
    server: TestClient, demo: RunningDemo
) -> None:
    reporter = Desk(server, "yuantan-shuangfeng-a")
    typed = {"members.1.id_number": NUMBER}
    page = registered(reporter, "任留下", id_number(612), (NAME, "子女"), **typed)
    address, household = page.address, page.address.rpartition("/")[2]
    assert household in server.get("/v1/households", params={"search": NAME}).text
    page.form(h.RemoveMember).press(person="欧**毁", reason=WORDS)
    before = demo.system.store.head()

    def in_the_past(login: str) -> dict[str, str]:
        """What pages, lists, search and history say of the time before the erasure."""
        enter(server, login)
        server.cookies.set(COOKIE, str(before))
        told = {path: opened(server, path).text for path in (address, f"/timeline/{household}")}
        told["full"] = opened(server, f"{address}/in-full").text
        server.cookies.delete(COOKIE)
        found = opened(server, "/v1/households", known_at=str(before), search=NAME)
        told["search"] = str([row["id"] for row in found.json()["items"]])
        for path in (f"/v1/households/{household}", f"/v1/timeline/{household}"):
            told[path] = opened(server, path, known_at=str(before)).text
        return told

    there = in_the_past("county-approver")
    assert WORDS in there[f"/v1/timeline/{household}"] and "欧**毁" in there[address]
    assert all(NAME not in text and NUMBER not in text for text in there.values())

    approver = Desk(server, "county-approver")
    (left,) = (
        person
        for person in map(approver.open, {one for one in page.links if "/persons/" in one})
        if "ErasePerson" in person.offers()
    )
    left.form(e.ErasePerson).press(document_no="潜民〔2018〕11号", reason="响应结束")
    store = demo.system.store
    store.effects.until(store.head(), 20)

    for login in ("county-approver", "auditor"):
        for path, text in in_the_past(login).items():
            assert NAME not in text and NUMBER not in text and WORDS not in text, path
            if path == "search":
                assert household not in text, "the index of today knows nobody of this name"
    kept = file_of(demo)
    for word in (NAME, NUMBER, WORDS):
        assert word.encode() not in kept and word.encode("utf-16-le") not in kept, word
