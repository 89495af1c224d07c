"""What was typed for one household, village or report is never offered in the form of another.

A tab remembers it by ``data-subject``, and in tables by what a row is about (rows.js).
"""

from collections.abc import Mapping
from typing import Any, cast

import pytest
from fastapi.testclient import TestClient

from domain.commands.disasters import DeclareDisaster
from domain.commands.relief_cases import ApplyForRelief, ApplyOnBehalf, ApplyVillage
from domain.commands.rosters import RecordCasualty, RecordHouseDamage
from domain.world import Command
from tests.web.pressing import Desk
from tests.web.relief_desk import RunningDemo
from tests.web.test_case_story import REPORTER, Story, story
from tests.web.test_disasters_story import COUNTY, VILLAGE, reported
from web.acting import about, commands_by_name
from web.forms import FORMS
from web.forms.form import Matter
from web.forms.pages import BEGUN

__all__ = ["story"]  # the season is that of its story

BEGIN = [
    one
    for one in (*BEGUN, ApplyForRelief, ApplyOnBehalf)
    if FORMS[one].told or commands_by_name()[one.__name__].in_path
]


def subject_of(command: type[Command], known: Mapping[str, Any]) -> str:
    write = commands_by_name()[command.__name__]
    form = FORMS[command]
    in_path = [one for one in write.in_path if one not in form.picks]
    return about(Matter(cast(Any, None), str, "zh", "", None, "", known), form, in_path)


@pytest.mark.parametrize("command", BEGIN, ids=lambda one: one.__name__)
def test_a_form_that_begins_something_is_about_all_that_its_page_tells_it(
    command: type[Command],
) -> None:
    in_path = commands_by_name()[command.__name__].in_path
    told = sorted({*FORMS[command].told.values(), *in_path} - FORMS[command].picks.keys())
    known = {name: f"first-{name}" for name in told}
    first = subject_of(command, known)
    for name in told:
        assert subject_of(command, {**known, name: "second"}) != first, name


def test_pages_of_two_households_two_reports_and_two_proposals_are_about_each_of_them(
    demo: RunningDemo, server: TestClient, story: Story
) -> None:
    desk = Desk(server, REPORTER)
    subjects = [
        desk.open(f"/cases/new?household={story.household(head)}&season={story.season}")
        .form(ApplyForRelief)
        .of["data-subject"]
        for head in ("孙*翠", "韩*海")
    ]
    assert len(set(subjects)) == 2
    reports = [reported(demo, server, hazard, affected="9") for hazard in ("雪灾", "洪涝灾害")]
    desk = Desk(server, VILLAGE)
    for command, book in ((RecordCasualty, "casualties"), (RecordHouseDamage, "houses")):
        for report in reports:
            page = desk.open(f"/report/{report}/{book}")
            assert page.form(command).is_about(report)
    desk = Desk(server, COUNTY)
    for report in reports:
        assert desk.open(f"/disasters/new?report={report}").form(DeclareDisaster).is_about(report)


def test_a_row_that_the_page_brings_says_which_household_it_is_of(
    server: TestClient, story: Story
) -> None:
    """Its place says nothing: the same place is another household's on the next page."""
    page = Desk(server, REPORTER).open(f"/cases/apply?season={story.season}")
    form = page.form(ApplyVillage)
    assert form.is_about(story.season) and form.is_about(story.village)
    rows = [one.value for one in form.inputs if one.name.endswith(".household")]
    assert rows and [page.text.count(f'data-head="{one}"') for one in rows] == [1] * len(rows)
    following = [link for link in page.links if "cursor=" in link and "/cases/apply" in link]
    if following:
        other = page.desk.open(following[0]).form(ApplyVillage)
        assert other.of["data-subject"] != form.of["data-subject"]
