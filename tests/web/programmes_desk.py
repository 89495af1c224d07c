"""What stories of programmes share: a season opened, a list walked, amounts, what a page says."""

import re
from typing import Any
from uuid import UUID

from fastapi.testclient import TestClient

from domain.commands import notices as n
from domain.commands import payments as p
from domain.commands import relief_cases as r
from domain.commands import seasons as s
from domain.commands import village_lists as v
from domain.relief_case import ReliefCase
from domain.rules.base import china_day
from domain.world import Command
from tests.web.desk import LivingCounty
from tests.web.pressing import Desk, Form, Page, uuid_in
from tests.web.season_desk import wait


def season_form(server: TestClient, programme: str, disaster: str) -> tuple[Form, dict[str, Any]]:
    """The form that opens a season, and what is chosen in it."""
    form = Desk(server, "county").open("/seasons/new").form(s.OpenSeason)
    (chosen,) = [one for one in form.options("programme") if programme in one]
    (struck,) = [one for one in form.options("disaster") if disaster in one]
    return form, {"programme": chosen, "year": "2018", "disaster": struck}


def opened(server: TestClient, programme: str, disaster: str = "七月洪涝") -> Page:
    """The season's page, once the county has opened it."""
    form, chosen = season_form(server, programme, disaster)
    assert form.send(**{**chosen, "disaster": ""}).status_code == 409, "a disaster is named"
    page = form.press(**chosen)
    assert page.state == "open" and "冬春" not in page.text.split("<main")[1]
    head = page.text.split('class="matter"')[1].split("</header>")[0]
    assert disaster in head, "which of two of that year it is"
    assert disaster in page.desk.open("/seasons").text
    return page


def applying(village: Desk, county: LivingCounty, season: Page, key: str) -> Form:
    """The form by which the village applies for one household."""
    there = f"/cases/new?household={county.id(key)}&season={uuid_in(season.address)}"
    return village.open(there).form(r.ApplyForRelief)


def the_list(season: Page, county: LivingCounty) -> Page:
    """The village opens its list; its page as the village sees it."""
    there = f"{season.address.split('?')[0]}?parent={county.id('yuantan')}"
    village = Desk(season.desk.server, "village").open(there)
    return village.form(v.OpenVillageList, county.id("yuantan_1")).press()


def drawn_up(page: Page, county: LivingCounty, *, meeting: bool) -> Page:
    """The village puts down who applied on its list."""
    form = page.seen_by("village").form(v.AppraiseList)
    typed: dict[str, Any] = {}
    if meeting:
        typed = {
            "minutes__held_on": china_day(county.now).isoformat(),
            "minutes__attendees": "27",
            "minutes__document_sha256": b"the signed record",
        }
    assert meeting == any(name.startswith("minutes.") for name in form.names())
    return form.press(**typed)


def decided(page: Page) -> Page:
    """Reviewed by the township, approved by the county: the list as the county sees it."""
    page = page.seen_by("township").form(v.ReviewList).press(opinion="入户核实，情况属实")
    return page.seen_by("county").form(v.ApproveList).press(document_no="潜应急〔2018〕40号")


def posted(page: Page, county: LivingCounty, notice: type[Command]) -> Page:
    """The village posts it, and its days go by."""
    page = page.seen_by("village").form(notice).press(photo_sha256=b"photo")
    wait(county)
    return page


def amounts(form: Form) -> list[str]:
    """What stands in the amounts of an allocation, row by row."""
    return [one.value for one in form.inputs if one.name.endswith(".cash_fen")]


def paid(page: Page, county: LivingCounty, number: int) -> Page:
    """What was allocated is posted and paid."""
    page = posted(page, county, n.PostSecondNotice)
    return page.seen_by("payer").form(p.PayList).press(document_no=f"潜支〔2018〕{number}号")


def case_page(server: TestClient, county: LivingCounty, season: Page, key: str) -> Page:
    return Desk(server, "county").open(f"/cases/{case_of(county, season, key)}")


def case_of(county: LivingCounty, season: Page, key: str) -> UUID:
    return ReliefCase.id_of(uuid_in(season.address), county.id(key))


def row_of(form: Form, case: UUID) -> int:
    """Which row of a table is about that case."""
    heads = [one.value for one in form.inputs if one.name.endswith(".case")]
    return heads.index(str(case))


def step_now(page: Page) -> str:
    """The step under way, as the picture of the way says it; there is one."""
    found = re.findall(r'<li class="way-now"[^>]*><b>([^<]*)</b>', page.text)
    assert len(found) == 1, found
    return str(found[0])


def state_word(page: Page) -> str:
    """Where a case stands, as its page says it beside the household's name."""
    words = page.text.split('id="case-state"')[1].split("</p>")[0]
    return str(re.sub(r"<[^>]*>", "", words).split(">", 1)[1].split()[0])


def refused(answer: Any, *words: str) -> None:
    """A rule says no, in Chinese, with these words and without a key, an id or fen."""
    assert answer.status_code == 409, answer.text
    said = answer.json()["zh"]
    assert all(one in said for one in words), said
    assert not re.search(r"[a-z_]{3,}|[0-9a-f]{8}-", said), said
