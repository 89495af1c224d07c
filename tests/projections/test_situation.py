"""The situation view: accepted beside reported, totals up the tree, differences; disasters."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from domain.commands.disasters import AttachReport, DetachReport
from domain.commands.reports import CorrectOccurrence
from projections import disasters, officers, situation
from projections.asking.report_queries import situation_report, situation_reports
from projections.asking.scope import EVERYTHING
from projections.asking.situation_board import situation_board, situation_disasters
from tests.domain.county import make_county
from tests.projections.relief import fold, over
from tests.projections.reporting import (
    START,
    accept,
    flood,
    follow_up,
    initial,
    send_back,
    whole_flood,
)

VIEWS = (officers.VIEW, disasters.VIEW, situation.VIEW)


def test_batches_of_any_size_give_the_same_rows(tmp_path: Path) -> None:
    hashes = []
    for batch in (1, 7, 10_000):
        folded = fold(tmp_path, whole_flood(), (disasters.VIEW, situation.VIEW), batch)
        hashes.append(folded.hashes())
        folded.close()
    assert hashes[0] == hashes[1] == hashes[2]
    assert hashes[0]["situation_versions"][0] == 7


def test_the_official_total_counts_accepted_figures_only(tmp_path: Path) -> None:
    county = flood()
    folded = fold(tmp_path, county, VIEWS)
    with folded.reading() as db:
        rows = {r["name"]: r for r in situation_board(db, over(county, "county")).items}
    top = rows["潜山市"]
    assert top["official"]["figures"] == {"affected": "100", "injured": "2"}
    assert top["official"]["source"] == "children"
    assert top["reported"]["figures"] == {"affected": "157", "injured": "2"}
    assert top["pending"] == 2
    assert list(rows) == ["潜山市", "源潭镇", "源潭居委会", "双峰居委会", "水吼镇", "水吼村"]


def test_a_figure_nobody_knows_is_null_and_a_partly_known_one_is_marked(tmp_path: Path) -> None:
    county = flood()
    folded = fold(tmp_path, county, VIEWS)
    with folded.reading() as db:
        rows = {r["name"]: r for r in situation_board(db, EVERYTHING).items}
    assert rows["双峰居委会"]["reported"]["figures"]["injured"] is None
    assert rows["双峰居委会"]["official"]["figures"] == {}
    assert rows["源潭镇"]["reported"]["partial"] == ["injured"]
    assert rows["源潭镇"]["reported"]["in_part"] == {"injured": {"gave": 1, "of": 2}}


def test_an_own_accepted_report_counts_instead_of_the_childrens(tmp_path: Path) -> None:
    county = flood()
    own = initial(county, "yuantan", {"affected": 500}, disaster=county.id("flood"))
    county.given(own, by="township")
    folded = fold(tmp_path, county, VIEWS)
    with folded.reading() as db:
        row = situation_board(db, over(county, "yuantan")).items[0]
    assert row["official"]["figures"]["affected"] == "100"  # its own is not accepted yet
    assert row["reported"]["figures"] == {"affected": "500"}
    folded.close()
    county.given(accept(county, "yuantan"), by="county")
    later = fold(tmp_path, county, VIEWS, batch=9_999)
    with later.reading() as db:
        row = situation_board(db, over(county, "yuantan")).items[0]
    assert row["official"]["figures"] == {"affected": "500"}
    assert row["official"]["source"] == "own"


def test_separate_disasters_are_never_one_sum_and_none_hides_the_other(tmp_path: Path) -> None:
    """B7: who asked by hazard or year, or for everything, once got the sum of all disasters."""
    county = flood()
    drought = initial(
        county, "yuantan", {"affected": 1000}, hazard="drought", report=county.id("drought")
    )
    county.given(drought, by="township")
    folded = fold(tmp_path, county, VIEWS)
    with folded.reading() as db:
        here = over(county, "yuantan")
        row = situation_board(db, here).items[0]
        floods = situation_board(db, here, hazard="flood").items[0]
        only = situation_board(db, here, disaster=county.id("flood")).items[0]
    assert row["disasters"] == 2 and len(row["reported"]["reports"]) == 3
    for told in (row["official"], row["reported"]):
        assert told["figures"] == {} and told["larger"] == {} and told["partial"] == []
    assert floods["reported"]["figures"]["affected"] == "150"
    assert only["reported"]["figures"]["affected"] == "150"


def test_floods_of_one_year_are_not_one_flood(tmp_path: Path) -> None:
    """B7: asked for all floods, an answer added January's to July's."""
    county = flood()
    before = START - timedelta(days=365)
    for name, at in (("loose", START), ("before", before)):
        told = initial(
            county, "yuantan", {"affected": 1000}, report=county.id(name), occurred_at=at
        )
        county.given(told, by="township")
    with fold(tmp_path, county, VIEWS).reading() as db:
        here = over(county, "yuantan")
        for asked, separate in (
            ({"hazard": "flood"}, {"150", "1000"}),
            ({"year": 2018}, {"150", "1000"}),
            ({"hazard": "flood", "year": 2018}, {"150", "1000"}),
            ({"hazard": "flood", "year": 2017}, {"1000"}),
        ):
            (row, *_) = situation_board(db, here, **asked).items
            each = situation_disasters(db, here, **asked).items
            told = [one["reported"]["figures"]["affected"] for one in each]
            assert set(told) == separate and row["disasters"] == len(told), asked
            sums = row["reported"]["figures"]
            assert sums == ({} if len(told) > 1 else {"affected": told[0]}), asked


def test_reports_on_no_disaster_stand_apart_by_year(tmp_path: Path) -> None:
    """A new year's drought is not added to that of years past, nor hidden by it; the year is
    China's, and a mistyped one takes none of the others away."""
    county = flood()
    new_year = datetime(2017, 12, 31, 16, 30, tzinfo=UTC)  # half past midnight, 2018, in China
    for report, at in (
        ("old", new_year - timedelta(hours=1)),
        ("new", new_year),
        ("typed", START.replace(year=208)),
    ):
        told = initial(
            county,
            "yuantan",
            {"affected": 9},
            hazard="drought",
            report=county.id(report),
            occurred_at=at,
        )
        county.given(told, by="township")
    up = initial(county, "county", {"affected": 1}, hazard="drought", occurred_at=new_year)
    county.given(up, by="county")
    with fold(tmp_path, county, VIEWS).reading() as db:
        rows = situation_disasters(db, over(county, "yuantan")).items
        (whole, *_) = situation_board(db, over(county, "county")).items
    dry = {
        row["subject"]: row["reported"]["figures"]["affected"]
        for row in rows
        if row["hazard"] == "drought"
    }
    assert dry == {"drought/208": "9", "drought/2017": "9", "drought/2018": "9"}
    assert whole["disasters"] == 4, "a flood and three droughts"
    assert whole["reported"]["figures"] == {}, "no sum over separate disasters"


def test_a_corrected_year_or_disaster_moves_the_report(tmp_path: Path) -> None:
    county = flood()
    dry: dict[str, Any] = {"hazard": "drought", "report": county.id("dry")}
    county.given(initial(county, "shuihou_2", {"affected": 9}, **dry), by="village4")

    def subjects() -> set[str]:
        with fold(tmp_path, county, VIEWS, batch=len(county.facts)).reading() as db:
            rows = situation_disasters(db, over(county, "shuihou_2")).items
        return {row["subject"] for row in rows}

    assert subjects() == {"drought/2018"}
    about: dict[str, Any] = {"report": county.id("dry"), "reason": "年份写错"}
    right = CorrectOccurrence(
        **about, occurred_at=START - timedelta(days=365), hazard="low_temperature"
    )
    county.given(right, by="village4")
    assert subjects() == {"low_temperature/2017"}
    flooded = {"report": county.id("dry"), "disaster": county.id("flood")}
    county.given(AttachReport(**flooded), by="county")
    assert subjects() == {str(county.id("flood"))}
    county.given(DetachReport(report=county.id("dry"), reason="误挂"), by="county")
    assert subjects() == {"low_temperature/2017"}


def test_real_and_exercise_reports_never_meet(tmp_path: Path) -> None:
    county = flood()
    drill = initial(
        county, "shuihou_2", {"affected": 9999}, exercise=True, report=county.id("drill")
    )
    county.given(drill, by="village4")
    folded = fold(tmp_path, county, VIEWS)
    with folded.reading() as db:
        real = situation_board(db, EVERYTHING)
        drills = situation_board(db, EVERYTHING, exercise=True)
        assert len(situation_reports(db, EVERYTHING, exercise=True).items) == 1
        assert len(situation_reports(db, EVERYTHING).items) == 3
    assert "横中村" not in {row["name"] for row in real.items}
    assert drills.items[-1]["reported"]["figures"] == {"affected": "9999"}


def test_a_returned_version_stays_beside_the_accepted_one(tmp_path: Path) -> None:
    county = make_county()
    county.given(initial(county, "yuantan_1", {"affected": 10}), by="village")
    county.given(accept(county, "yuantan_1"), by="township").wait(hours=1)
    county.given(follow_up(county, "yuantan_1", {"affected": 12, "dead": 1}), by="village")
    county.given(send_back(county, "yuantan_1", 2), by="township")
    folded = fold(tmp_path, county, VIEWS)
    with folded.reading() as db:
        found = situation_report(db, EVERYTHING, report=county.id("report/yuantan_1"))
    assert found is not None
    assert (found["version"], found["review"], found["accepted_number"]) == (2, "returned", 1)
    assert found["accepted"]["figures"] == {"affected": "10"}
    first, second = found["versions"]
    assert first["changes"] == {}
    assert second["changes"] == {
        "affected": {"before": "10", "now": "12", "by": "2"},
        "dead": {"before": None, "now": "1", "by": None},
    }
    assert second["return_reason"] == "数字不清"
    assert first["reviewer_name"] is not None


def test_the_whole_life_of_a_report_is_told(tmp_path: Path) -> None:
    county = whole_flood()
    folded = fold(tmp_path, county, VIEWS)
    with folded.reading() as db:
        found = situation_report(db, EVERYTHING, report=county.id("report/yuantan_1"))
        made_up = situation_report(db, EVERYTHING, report=county.id("report/shuihou_1"))
    assert found is not None and made_up is not None
    kinds = [(v["number"], v["kind"], v["review"]) for v in found["versions"]]
    assert kinds == [
        (1, "initial", "accepted"),
        (2, "zero", "accepted"),
        (3, "verified", "pending"),
    ]
    assert found["adjudicated"]["figures"] == {"affected": "98"}
    assert found["area_code"] == "340882101001"
    assert found["stable_at"] and found["verified_due_at"]
    assert [v["phoned"] for v in made_up["versions"]] == [True, False]
    assert not made_up["to_make_up"]


def test_reports_and_disasters_are_seen_within_the_scope_only(tmp_path: Path) -> None:
    county = flood()
    folded = fold(tmp_path, county, VIEWS)
    report, disaster = county.id("report/yuantan_1"), county.id("flood")
    with folded.reading() as db:
        assert situation_report(db, over(county, "shuihou"), report=report) is None
        assert situation_board(db, over(county, "foreign_county")).items == []
        foreign = over(county, "foreign_county")
        assert disasters.disaster(db, foreign, disaster=disaster) is None
        own = disasters.disaster(db, over(county, "shuihou_1"), disaster=disaster)
        whole = disasters.disaster(db, over(county, "city"), disaster=disaster)
    assert own is not None and whole is not None
    assert [r["area_name"] for r in own["reports"]] == ["水吼村"]
    assert len(whole["reports"]) == 3
    assert [(r["level"], r["document_no"]) for r in whole["responses"]] == [(3, "潜减〔2018〕3号")]


def test_the_board_pages_without_losing_a_row(tmp_path: Path) -> None:
    county = flood()
    folded = fold(tmp_path, county, VIEWS)
    with folded.reading() as db:
        whole = situation_board(db, EVERYTHING).items
        found, cursor = [], None
        while True:
            part = situation_board(db, EVERYTHING, cursor=cursor, limit=4)
            found += part.items
            if (cursor := part.next) is None:
                break
    assert found == whole and len(whole) == 9


def test_as_of_a_day_the_versions_until_then_count(tmp_path: Path) -> None:
    """Filed on the 5th about the 3rd: of the 3rd it counts, of the 2nd it does not."""
    county = make_county()
    first = START.date()
    told = initial(county, "yuantan_1", {"affected": 10}, as_of=START)
    county.given(told, by="village").given(accept(county, "yuantan_1"), by="township")
    county.wait(days=2)
    late = follow_up(county, "yuantan_1", {"affected": 30}, as_of=START + timedelta(days=1))
    county.given(late, by="village").given(send_back(county, "yuantan_1", 2), by="township")
    county.given(initial(county, "yuantan_2", {"affected": 5}, as_of=county.now), by="village2")

    def sums(day: date) -> tuple[dict[str, Any], dict[str, Any], int]:
        top, *_ = situation_board(db, over(county, "county"), as_of=day).items
        return top["official"]["figures"], top["reported"]["figures"], top["pending"]

    with fold(tmp_path, county, VIEWS).reading() as db:
        before = first - timedelta(days=1)
        assert situation_board(db, over(county, "county"), as_of=before).items == []
        assert sums(first) == ({"affected": "10"}, {"affected": "10"}, 0)
        assert sums(first + timedelta(days=1)) == ({"affected": "10"}, {"affected": "30"}, 0)
        assert sums(first + timedelta(days=2)) == ({"affected": "10"}, {"affected": "35"}, 1)


def test_as_of_today_is_what_the_board_says(tmp_path: Path) -> None:
    """Adjudicated, set aside, returned and pending: each as the board without a day has it."""
    county = whole_flood()
    today = (county.now + timedelta(days=1)).date()
    with fold(tmp_path, county, VIEWS).reading() as db:
        for scope in (EVERYTHING, over(county, "county")):
            for question in (situation_board, situation_disasters):
                now = question(db, scope).items
                assert now and question(db, scope, as_of=today).items == now
