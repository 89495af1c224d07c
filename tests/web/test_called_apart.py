"""Forms of many rows of one page: who hears the page knows which row each of them is for."""

import re
from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from tests.web.relief_desk import RunningDemo
from tests.web.test_relief_pages import enter

ROWS = ("/seasons", "/dispatch/units", "/disasters")
FORM = re.compile(r'<form id="[^"]+" class="act[^>]*?aria-label="([^"]+)"', re.S)


@pytest.fixture
def server(demo: RunningDemo) -> Iterator[TestClient]:
    with TestClient(demo.app()) as client:
        yield client


@pytest.mark.parametrize("login", ["county-approver", "dispatcher", "yuantan-reviewer-new"])
def test_no_two_forms_of_a_page_are_called_alike(server: TestClient, login: str) -> None:
    """Each village of a season had a form 建立名册, and nothing told them apart."""
    enter(server, login)
    met = 0
    for path in ROWS:
        first = server.get(f"{path}?lang=zh")
        if first.status_code != 200:
            continue
        inner = re.findall(rf'href="({path}/[0-9a-f-]{{36}})[?"#]', first.text)
        for page in [path, *dict.fromkeys(inner)]:
            called = FORM.findall(server.get(f"{page}?lang=zh").text)
            assert len(called) == len(set(called)), (page, called)
            met += len(called)
    assert met
