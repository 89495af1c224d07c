"""Adjudicated 核定 figures: the board, what is offered above and the findings count the same."""

from pathlib import Path
from typing import Any

from domain.commands.reports import FileZeroReport
from projections import deadlines, disasters, officers, situation
from projections.asking.accepted_below import accepted_below
from projections.asking.deadlines_at import deadlines as due
from projections.asking.report_queries import situation_report
from projections.asking.scope import EVERYTHING
from projections.asking.situation_board import situation_board
from tests.domain.county import make_county
from tests.domain.scenario import Scenario
from tests.projections.relief import fold, over
from tests.projections.reporting import accept, adjudicate, follow_up, initial

VIEWS = (officers.VIEW, disasters.VIEW, situation.VIEW, deadlines.VIEW)


def counted(path: Path, county: Scenario) -> dict[str, Any]:
    """What each reader takes for the official figures of 源潭居委会, and what is due."""
    folded = fold(path, county, VIEWS, batch=10_000 + len(list(path.iterdir())))
    with folded.reading() as db:
        board = situation_board(db, EVERYTHING).items
        rows = {row["name"]: row["official"]["figures"] for row in board}
        (process,) = accepted_below(db, over(county, "yuantan"))["processes"]
        found = situation_report(db, EVERYTHING, report=county.id("report/yuantan_1"))
        owed = [(one["kind"], one["due_at"]) for one in due(db, EVERYTHING, at=county.now).items]
    folded.close()
    assert found is not None
    told = {
        "board": rows["源潭居委会"],
        "above": rows["安徽省"],
        "offered": process["parts"][0]["figures"],
        "page": found["official_figures"],
    }
    assert len({str(one) for one in told.values()}) == 1, told
    return {"figures": told["board"], "owed": owed, "decided": found["adjudicated"]}


def test_every_reader_counts_what_was_adjudicated_until_a_later_version_is_accepted(
    tmp_path: Path,
) -> None:
    county = make_county()
    county.given(initial(county, "yuantan_1", {"affected": 100, "injured": 2}), by="village")
    county.given(accept(county, "yuantan_1"), by="township")
    before = counted(tmp_path, county)
    assert before["figures"] == {"affected": "100", "injured": "2"}
    county.given(adjudicate(county, "yuantan_1", 1, {"affected": 98}), by="township_b")
    after = counted(tmp_path, county)
    assert after["figures"] == {"affected": "98", "injured": "2"}
    assert after["owed"] == before["owed"], "a decision about figures makes nothing due"
    county.given(adjudicate(county, "yuantan_1", 1, {"injured": 3}), by="township_b")
    both = counted(tmp_path, county)
    assert both["figures"] == {"affected": "98", "injured": "3"}, "the first stays decided"
    assert both["decided"]["figures"] == {"affected": "98", "injured": "3"}
    county.wait(hours=15)
    unchanged = FileZeroReport(report=county.id("report/yuantan_1"), as_of=county.now)
    county.given(unchanged, by="village").given(accept(county, "yuantan_1", 2), by="township")
    assert counted(tmp_path, county)["figures"] == {"affected": "98", "injured": "3"}
    county.wait(hours=1)
    more = follow_up(county, "yuantan_1", {"affected": 120, "injured": 2})
    county.given(more, by="village")
    assert counted(tmp_path, county)["figures"]["affected"] == "98", "not accepted yet"
    county.given(accept(county, "yuantan_1", 3), by="township")
    assert counted(tmp_path, county)["figures"] == {"affected": "120", "injured": "2"}


def test_what_is_adjudicated_before_it_is_accepted_counts_with_the_acceptance(
    tmp_path: Path,
) -> None:
    county = make_county()
    county.given(initial(county, "yuantan_1", {"affected": 100, "injured": 2}), by="village")
    county.given(adjudicate(county, "yuantan_1", 1, {"affected": 98}), by="township_b")
    county.given(accept(county, "yuantan_1"), by="township")
    assert counted(tmp_path, county)["figures"] == {"affected": "98", "injured": "2"}
