"""What a county's own report may begin from: the accepted figures of its townships."""

from datetime import timedelta
from pathlib import Path
from typing import Any

from domain.commands.areas import Merge, RearrangeVillages
from domain.commands.disasters import DeclareDisaster, MergeDisaster
from domain.rules.base import china_day
from projections import disasters, officers, situation
from projections.asking.accepted_below import accepted_below
from tests.domain.county import make_county
from tests.domain.scenario import Scenario
from tests.projections.relief import fold, over
from tests.projections.reporting import START, accept, follow_up, initial

VIEWS = (officers.VIEW, disasters.VIEW, situation.VIEW)


def below(path: Path, county: Scenario, area: str = "county", **asked: Any) -> list[dict[str, Any]]:
    folded = fold(path, county, VIEWS, batch=10_000 + len(list(path.iterdir())))
    with folded.reading() as db:
        found: list[dict[str, Any]] = accepted_below(db, over(county, area), **asked)["processes"]
    folded.close()
    return found


def test_accepted_figures_are_added_and_what_nobody_gave_is_not_there(tmp_path: Path) -> None:
    county = make_county()
    given = {"affected": 500, "dead": 1, "missing": None, "loss_total": "8.85"}
    county.given(initial(county, "yuantan", given), by="township")
    county.given(accept(county, "yuantan"), by="county")
    county.given(initial(county, "shuihou", {"affected": 40, "injured": 0}), by="township2")
    (one,) = below(tmp_path, county)
    assert [part["name"] for part in one["parts"]] == ["源潭镇"]
    assert [(s["name"], s["review"]) for s in one["silent"]] == [("水吼镇", "pending")]
    county.given(accept(county, "shuihou"), by="county")
    later = {"affected": 900, "dead": 4}
    county.wait(minutes=30).given(follow_up(county, "yuantan", later), by="township")
    (one,) = below(tmp_path, county)
    assert one["sums"] == {
        "affected": {"value": "540", "of": 2},
        "dead": {"value": "1", "of": 1},
        "injured": {"value": "0", "of": 1},
        "loss_total": {"value": "8.85", "of": 1},
    }, "what is not accepted yet does not count, unknown is not zero"
    assert one["silent"] == [] and one["own"] == []
    assert one["hazard"] == "flood" and one["disaster"] is None
    county.given(accept(county, "yuantan", 2), by="county")
    (one,) = below(tmp_path, county)
    assert one["sums"]["affected"]["value"] == "940", "the latest accepted version"
    assert below(tmp_path, county, exercise=True) == []


def test_a_townships_own_report_and_its_villages_are_never_added(tmp_path: Path) -> None:
    """The own one counts; its dead are never fewer than the villages'."""
    county = make_county()
    county.given(initial(county, "yuantan_1", {"affected": 30, "dead": 2}), by="village")
    county.given(accept(county, "yuantan_1"), by="township")
    (one,) = below(tmp_path, county)
    (part,) = one["parts"]
    assert part["from_below"] and part["figures"] == {"affected": "30", "dead": "2"}
    (of_township,) = below(tmp_path, county, "yuantan")
    assert of_township["sums"]["affected"] == {"value": "30", "of": 1}
    county.given(initial(county, "yuantan", {"affected": 50, "dead": 1}), by="township")
    county.given(accept(county, "yuantan"), by="county")
    (one,) = below(tmp_path, county)
    (part,) = one["parts"]
    assert not part["from_below"] and part["figures"] == {"affected": "50", "dead": "2"}
    (of_city,) = below(tmp_path, county, "city")
    assert [part["name"] for part in of_city["parts"]] == ["潜山市"]


def test_a_sum_of_villages_says_how_many_of_them_gave_a_figure(tmp_path: Path) -> None:
    """Null is not zero: what one of two villages leaves out is marked up the tree."""
    county = make_county()
    county.given(initial(county, "yuantan_1", {"affected": 30, "injured": 2}), by="village")
    county.given(accept(county, "yuantan_1"), by="township")
    given = {"affected": 40, "injured": None, "dead": 1}
    county.given(initial(county, "yuantan_2", given), by="village2")
    county.given(accept(county, "yuantan_2"), by="township")
    some = {"dead": {"gave": 1, "of": 2}, "injured": {"gave": 1, "of": 2}}
    (one,) = below(tmp_path, county)
    assert one["parts"][0]["in_part"] == some
    county.given(initial(county, "shuihou", {"affected": 7, "dead": 0}), by="township2")
    county.given(accept(county, "shuihou"), by="county")
    (one,) = below(tmp_path, county, "city")
    some = {"dead": {"gave": 2, "of": 3}, "injured": {"gave": 1, "of": 3}}
    assert one["parts"][0]["in_part"] == some
    own = {"affected": 80, "dead": None}
    county.given(initial(county, "yuantan", own), by="township")
    county.given(accept(county, "yuantan"), by="county")
    (one,) = below(tmp_path, county)
    (mine, _) = one["parts"]
    assert mine["figures"] == {"affected": "80", "dead": "1"}, "its dead are the villages'"
    assert mine["in_part"] == {"dead": {"gave": 1, "of": 2}}
    (one,) = below(tmp_path, county, "city")
    assert one["parts"][0]["in_part"] == {"dead": {"gave": 2, "of": 3}}


def test_two_floods_are_two_processes_and_two_reports_of_one_township_are_not_added(
    tmp_path: Path,
) -> None:
    county = make_county()
    county.given(initial(county, "yuantan", {"affected": 500}), by="township")
    county.given(accept(county, "yuantan"), by="county")
    county.wait(days=6)
    again = START + timedelta(days=6)
    when = {"occurred_at": again, "as_of": again}
    county.given(initial(county, "shuihou", {"affected": 40}, **when), by="township2")
    county.given(accept(county, "shuihou"), by="county")
    second, first = below(tmp_path, county)
    assert (first["sums"]["affected"]["value"], second["sums"]["affected"]["value"]) == (
        "500",
        "40",
    )
    other = county.id("report/yuantan again")
    county.given(initial(county, "yuantan", {"affected": 7}, report=other, **when), by="township")
    county.given(accept(county, "yuantan again"), by="county")
    third = {**when, "report": county.id("report/yuantan third")}
    third["occurred_at"] = again + timedelta(hours=4)
    third["as_of"] = third["occurred_at"]
    county.wait(hours=5)
    county.given(initial(county, "yuantan", {"affected": 8}, **third), by="township")
    county.given(accept(county, "yuantan third"), by="county")
    second, first = below(tmp_path, county)
    assert second["sums"] == {"affected": {"value": "40", "of": 1}}
    assert [one["name"] for one in second["several"]] == ["源潭镇"]
    assert len(second["several"][0]["reports"]) == 2
    own = initial(county, "county", {"affected": 40}, **when)
    county.given(own, by="county")
    second, first = below(tmp_path, county)
    assert second["own"] == [str(county.id("report/county"))] and first["own"] == []


def test_the_dead_of_a_village_that_was_merged_since_still_count(tmp_path: Path) -> None:
    """Its accepted report stays its own: a merger let two dead vanish from what was offered."""
    county = make_county()
    for village, by, dead in (("yuantan_1", "village", 2), ("yuantan_2", "village2", 1)):
        county.given(initial(county, village, {"affected": 30, "dead": dead}), by=by)
        county.given(accept(county, village), by="township")
    merger = RearrangeVillages(
        merges=(Merge(area=county.id("yuantan_1"), into=county.id("yuantan_2")),),
        effective_on=china_day(county.now),
        document_no="皖民〔2018〕1号",
    )
    county.given(merger, by="admin")
    (one,) = below(tmp_path, county, "yuantan")
    assert one["sums"]["dead"] == {"value": "3", "of": 2}
    assert [(part["name"], part["abolished_on"]) for part in one["parts"]] == [
        ("源潭居委会", "2018-07-04"),
        ("双峰居委会", None),
    ]
    (of_county,) = below(tmp_path, county)
    assert of_county["sums"]["dead"]["value"] == "3", "and is silent nowhere"
    other = initial(county, "shuihou_1", {"affected": 4})
    county.given(other, by="village3")
    county.given(accept(county, "shuihou_1"), by="township2")
    (one,) = below(tmp_path, county, "shuihou")
    assert [row["name"] for row in one["silent"]] == ["横中村"]


def test_two_reports_of_a_village_do_not_unsettle_the_report_of_its_township(
    tmp_path: Path,
) -> None:
    """They took the township's own accepted figures and its dead out of what was offered."""
    county = make_county()
    county.given(initial(county, "yuantan_1", {"affected": 10, "dead": 2}), by="village")
    county.given(accept(county, "yuantan_1"), by="township")
    later = START + timedelta(hours=13)
    again = {"occurred_at": later, "as_of": later, "report": county.id("report/again")}
    county.wait(hours=14)
    county.given(initial(county, "yuantan_1", {"affected": 10, "dead": 1}, **again), by="village")
    county.given(accept(county, "again"), by="township")
    (one,) = below(tmp_path, county)
    assert [part["name"] for part in one["several"]] == ["源潭镇"] and one["sums"] == {}
    county.given(initial(county, "yuantan", {"affected": 50, "dead": 1}), by="township")
    county.given(accept(county, "yuantan"), by="county")
    (one,) = below(tmp_path, county)
    assert one["several"] == [] and one["sums"] == {
        "affected": {"value": "50", "of": 1},
        "dead": {"value": "3", "of": 1},
    }, "as on the board"


def test_reports_of_a_disaster_belong_together_however_far_apart(tmp_path: Path) -> None:
    county = make_county()
    county.given(
        DeclareDisaster(
            disaster=county.id("drought"),
            area=county.id("county"),
            name="秋旱",
            hazard="drought",
            occurred_at=START,
        ),
        by="county",
    )
    told = {"hazard": "drought", "disaster": county.id("drought")}
    county.given(initial(county, "yuantan", {"affected": 500}, **told), by="township")
    county.given(accept(county, "yuantan"), by="county")
    county.wait(days=20)
    when = {"occurred_at": county.now, "as_of": county.now}
    county.given(initial(county, "shuihou", {"affected": 40}, **told, **when), by="township2")
    county.given(accept(county, "shuihou"), by="county")
    (one,) = below(tmp_path, county)
    assert one["disaster_name"] == "秋旱" and one["sums"]["affected"]["value"] == "540"


def test_what_was_years_ago_is_not_offered(tmp_path: Path) -> None:
    county = make_county()
    county.given(initial(county, "yuantan", {"affected": 500}), by="township")
    county.given(accept(county, "yuantan"), by="county")
    assert len(below(tmp_path, county)) == 1
    county.wait(days=800)
    when = {"occurred_at": county.now, "as_of": county.now}
    county.given(initial(county, "shuihou", {"affected": 40}, **when), by="township2")
    county.given(accept(county, "shuihou"), by="county")
    (one,) = below(tmp_path, county)
    assert one["sums"]["affected"]["value"] == "40"


def test_the_first_dead_of_a_disaster_of_years_are_not_left_out(tmp_path: Path) -> None:
    """The township that had reported them was even told as one that had not."""
    county = make_county()
    for name in ("drought", "other"):
        county.given(
            DeclareDisaster(
                disaster=county.id(name),
                area=county.id("county"),
                name=name,
                hazard="drought",
                occurred_at=START,
            ),
            by="county",
        )
    told = {"hazard": "drought", "disaster": county.id("other")}
    county.given(initial(county, "yuantan", {"dead": 2}, **told), by="township")
    county.given(accept(county, "yuantan"), by="county")
    merged = MergeDisaster(
        disaster=county.id("other"), into=county.id("drought"), reason="同一过程"
    )
    county.given(merged, by="county")
    county.wait(days=800)
    late = {"occurred_at": county.now, "as_of": county.now, "disaster": county.id("drought")}
    late["hazard"] = "drought"
    county.given(initial(county, "shuihou", {"dead": 1}, **late), by="township2")
    county.given(accept(county, "shuihou"), by="county")
    (one,) = below(tmp_path, county)
    assert one["sums"]["dead"] == {"value": "3", "of": 2} and one["silent"] == []


def test_a_city_that_reported_by_itself_is_not_told_to_report_a_disaster_of_its_county(
    tmp_path: Path,
) -> None:
    """Its report can join no disaster of a county: its figures stood, and it was asked for them."""
    county = make_county()
    county.given(initial(county, "city", {"affected": 70}), by="city")
    flood = DeclareDisaster(
        disaster=county.id("flood"),
        name="潜山洪涝",
        hazard="flood",
        occurred_at=START,
        area=county.id("county"),
    )
    county.given(flood, by="county")
    told = initial(county, "county", {"affected": 60}, disaster=county.id("flood"))
    county.given(told, by="county").given(accept(county, "county"), by="city")
    (one,) = below(tmp_path, county, "city")
    assert one["disaster"] == str(county.id("flood"))
    assert one["own"] == [str(county.id("report/city"))], "by hazard and time it is the same"
    assert [part["name"] for part in one["parts"]] == ["潜山市"]
    later = make_county()
    before = START - timedelta(days=40)
    old = initial(later, "city", {"affected": 70}, occurred_at=before, as_of=before)
    later.given(old, by="city")
    later.given(flood, told, by="county").given(accept(later, "county"), by="city")
    (one,) = below(tmp_path, later, "city")
    assert one["own"] == [], "a flood of a month before is another one"
