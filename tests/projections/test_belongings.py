"""What hangs on a village, before and after it moves; and offers as both counties see them."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from domain.commands.areas import Merge, RearrangeVillages
from domain.commands.following import FollowMerger
from domain.commands.reports import FileVerifiedReport, ResubmitReport
from domain.commands.reviews import StrikeReport
from domain.commands.rulebooks import AdoptRulebook
from domain.rules.base import china_day
from domain.rules.loading import parse_rulebook
from projections import (
    deadlines,
    households,
    ledger,
    lists,
    notices,
    officers,
    reviews,
    situation,
    stock,
)
from projections.asking.belongings import belongings, household_moves, still_there
from projections.asking.scope import EVERYTHING
from projections.deadlines import DUE, DUTIES
from projections.ledger import LEDGER
from projections.lists import OBJECTIONS
from projections.notices import NOTICES
from projections.sections.grants import GRANTS
from tests.domain.county import RULES, make_county
from tests.domain.ledger import Ledger, objection
from tests.domain.reporting import (
    START,
    follow_up,
    initial,
    loaded,
    send_back,
    stabilize,
    zero,
)
from tests.domain.reporting import accept as accept_report
from tests.domain.scenario import Scenario
from tests.domain.test_moving_villages import accept, merge, offer
from tests.domain.test_village_groups import naming
from tests.projections.relief import fold, over, same_for_all_batches

VIEWS = (
    officers.VIEW,
    deadlines.VIEW,
    stock.VIEW,
    households.VIEW,
    ledger.VIEW,
    lists.VIEW,
    notices.VIEW,
    reviews.VIEW,
    situation.VIEW,
)

DEADLINES = RULES / "regional/qianshan/deadlines.toml"


def moved(story: Ledger) -> None:
    s = story.scenario
    merge(story)
    names = tuple(Ledger.SIZES)
    follow = FollowMerger(
        area=s.id("yuantan_1"),
        document_no="1号",
        households=tuple(s.id(name) for name in names),
        cases=tuple(story.case(name) for name in names),
        village_lists=(story.list,),
    )
    s.given(follow, by="admin")


def asked(story: Ledger, path: Path, query: Any, scope: Any, **more: Any) -> Any:
    folded = fold(path, story.scenario, VIEWS)
    with folded.reading() as db:
        found = query(db, scope, at=story.scenario.now, **more)
    folded.close()
    return found


def test_a_merger_is_told_before_with_its_counts(tmp_path: Path) -> None:
    story = Ledger().until("payable")
    s = story.scenario
    found = asked(story, tmp_path, belongings, over(s, "county"), village=s.id("yuantan_1"))
    assert {name: found[name] for name in ("households", "persons", "cases")} == {
        "households": 3,
        "persons": 6,
        "cases": 3,
    }
    assert (found["village_lists"], found["posts"], found["merged_into"]) == (1, 2, None)
    assert (found["groups"], found["changed_groups"]) == (0, [])
    for village in ("yuantan_1", "yuantan_2"):
        s.given(replace(naming(s, "一组", at=village), effective_on=china_day(s.now)), by="admin")
    into = {"village": s.id("yuantan_1"), "into": s.id("yuantan_2")}
    found = asked(story, tmp_path / "groups", belongings, over(s, "county"), **into)
    assert found["groups"] == 1
    assert found["changed_groups"] == [{"code": "01", "name": "一组", "new_code": "02"}]
    foreign = over(s, "foreign_county")
    assert (
        asked(story, tmp_path / "foreign", belongings, foreign, village=s.id("yuantan_1")) is None
    )


def adopt(s: Scenario, told: str) -> None:
    """Deadlines of 源潭 alone."""
    book = parse_rulebook(DEADLINES.name, told)
    s.given(
        AdoptRulebook(
            area=s.id("yuantan"),
            kind=book.kind,
            version="village",
            document_no="村报1号",
            valid_from=book.valid_from,
            valid_to=book.valid_to,
            content=book.content,
        )
    )


def steps_of_a_report(s: Scenario) -> Iterator[str]:
    """A village's report, step by step: what has just been done."""
    s.given(initial(s), by="village")
    yield "initial"
    s.given(accept_report(s), by="township")
    yield "initial accepted"
    s.given(stabilize(s), by="county")
    yield "stable"
    s.given(follow_up(s, FileVerifiedReport), by="village")
    yield "verified"
    s.given(send_back(s, 2), by="township")
    yield "verified returned"
    s.given(follow_up(s, ResubmitReport), by="village")
    yield "verified resubmitted"
    s.given(accept_report(s, version=3), by="township")
    yield "verified accepted"
    s.given(follow_up(s), by="village")
    yield "opened again"
    s.given(StrikeReport(report=s.id("report/yuantan_1"), version=4, reason="重复"), by="township")
    yield "withdrawn"


@pytest.mark.parametrize("limit", [True, False], ids=["limit", "no limit"])
def test_a_report_is_still_there_as_long_as_it_owes(tmp_path: Path, *, limit: bool) -> None:
    """The report says what it owes, and so does the view; with and without a limit for the 核报."""
    s = make_county()
    if not limit:
        told = DEADLINES.read_text(encoding="utf-8")
        adopt(s, re.sub(r"(?ms)^verified = \[.*?^\]$", "verified = []", told))
    owing = []
    for number, step in enumerate(steps_of_a_report(s)):
        folded = fold(tmp_path / str(number), s, VIEWS)
        with folded.reading() as db:
            there = still_there(db, EVERYTHING, s.id("yuantan_1"), s.now)["reports"]
        folded.close()
        owes = loaded(s).owes
        assert there == ([str(s.id("report/yuantan_1"))] if owes else []), step
        if owes:
            owing.append(step)
    until_verified = ["stable", "verified", "verified returned", "verified resubmitted"]
    more = until_verified if limit else []
    assert owing == ["initial", "initial accepted", *more, "opened again"]


def test_duties_of_the_old_village_are_asked_of_the_successor(tmp_path: Path) -> None:
    """C3: they were counted before the merger and stayed where they were."""
    s = make_county()
    told = DEADLINES.read_text(encoding="utf-8")
    for name, limit in (("follow_up", "due = 07:00:00"), ("verified", "working_days = 1")):
        told = told.replace(f"{name} = [", f'{name} = [ {{ level = "village", {limit} }},')
    adopt(s, told)
    s.given(initial(s), by="village")
    old, new = s.id("yuantan_1"), s.id("yuantan_2")
    merges = (Merge(area=old, into=new),)
    merger = RearrangeVillages(merges=merges, effective_on=START.date(), document_no="1号")
    s.given(merger, by="admin")
    views = (deadlines.VIEW,)
    folded = fold(tmp_path / "before", s, VIEWS)
    with folded.reading() as db:
        owed = still_there(db, EVERYTHING, old, s.now)["reports"]
        told = belongings(db, EVERYTHING, village=old, at=s.now)
        assert told is not None and (told["reports"], told["duties"]) == (1, 1)
        assert owed == [str(s.id("report/yuantan_1"))]
    folded.close()
    follow = FollowMerger(area=old, document_no="1号", reports=tuple(map(UUID, owed)))
    s.given(follow, by="admin").wait(days=1)
    s.given(zero(s), by="village2").given(stabilize(s), by="county")
    folded = fold(tmp_path / "after", s, VIEWS)
    with folded.reading() as db:
        assert still_there(db, EVERYTHING, old, s.now)["reports"] == []
        (verified,) = db.execute(DUE.select().where(DUE.c.kind == "verified_report")).all()
        (duty,) = db.execute(DUTIES.select()).all()
        assert {verified.area, duty.area} == {str(new)}
    folded.close()
    same_for_all_batches(tmp_path / "batches", s, views)


def test_every_row_of_what_moved_lies_in_the_successor(tmp_path: Path) -> None:
    story = Ledger().until("payable")
    s = story.scenario
    s.given(objection(story), by="village")
    moved(story)
    folded = fold(tmp_path, s, VIEWS)
    with folded.reading() as db:
        here = still_there(db, EVERYTHING, s.id("yuantan_1"), s.now, limit=9)
        assert {kind for kind, ids in here.items() if ids} == {"posts"}
        for table in (LEDGER, GRANTS, OBJECTIONS, NOTICES):
            places = {row.area for row in db.execute(table.select())}
            assert places == {str(s.id("yuantan_2"))}, table.name
    folded.close()
    same_for_all_batches(tmp_path / "batches", s, (households.VIEW, ledger.VIEW, lists.VIEW))


def test_the_successor_reads_what_the_old_village_left_behind(tmp_path: Path) -> None:
    story = Ledger().until("closed")
    merge(story)
    s = story.scenario
    for name, rows in (("yuantan_2", 3), ("yuantan", 3), ("shuihou_1", 0)):
        folded = fold(tmp_path / name, s, VIEWS)
        with folded.reading() as db:
            scope = over(s, name)
            found = db.execute(LEDGER.select().where(scope.covers(LEDGER.c.area))).all()
        folded.close()
        assert len(found) == rows, name


def test_both_counties_see_an_offer_and_the_clock_ends_it(tmp_path: Path) -> None:
    story = Ledger().until("allocated")
    s = story.scenario
    s.given(offer(story, cases=(story.case("a"),)), by="county")
    for n, place in enumerate(("county", "foreign_village")):
        (row,) = asked(story, tmp_path / str(n), household_moves, over(s, place)).items
        assert (row["status"], row["cases"][0]["cash_fen"]) == ("offered", 40_500)
    none = asked(story, tmp_path / "other", household_moves, over(s, "shuihou")).items
    assert none == []
    s.wait(days=15)
    late = asked(story, tmp_path / "late", household_moves, EVERYTHING, status="expired").items
    assert len(late) == 1
    s.given(offer(story, cases=(story.case("a"),)), by="county").given(
        accept(story), by="foreign_county"
    )
    done = asked(story, tmp_path / "done", household_moves, EVERYTHING).items
    assert [row["status"] for row in done] == ["accepted"]
