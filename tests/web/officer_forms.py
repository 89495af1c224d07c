"""Engaging officers in the tests' county, and asking for their pages."""

import re
from typing import Any
from uuid import UUID, uuid4

from fastapi.testclient import TestClient

from domain.commands.engaging import EngageOfficer
from domain.posts import Post
from domain.world import Role
from tests.id_numbers import id_number
from tests.web.desk import PASSWORD, LivingCounty


def engage(county: LivingCounty, login: str, name: str, sequence: int) -> UUID:
    """A village reporter of 源潭居委会, invited now."""
    command = EngageOfficer(
        person=uuid4(),
        id=uuid4(),
        full_name=name,
        login=login,
        role=Role.VILLAGE_REPORTER,
        area=county.id("yuantan_1"),
        id_number=id_number(sequence),
        post=Post.A,
    )
    return UUID(str(county.run(command, by="admin").result["officer"]))


def token_in(page: str) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert found, page
    return found[1]


def hidden_in(page: str, name: str) -> str:
    """The value that a page keeps for the next step."""
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found, page
    return found[1]


def enter(browser: TestClient, name: str) -> None:
    page = browser.get("/login")
    form = {"csrf_token": token_in(page.text), "name": name, "password": PASSWORD, "next": "/"}
    assert browser.post("/login", data=form).status_code == 303


def ask(browser: TestClient, path: str = "/officers", **said: Any) -> str:
    page = browser.get(path, params=said)
    assert page.status_code == 200, page.text
    return page.text
