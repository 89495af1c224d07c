"""What merging disasters and splitting them would do is told before, and is what it then does."""

from pathlib import Path
from typing import Any

import pytest

from domain.commands.disasters import SplitDisaster
from domain.commands.seasons import OpenSeason
from domain.disaster import MergeDoublesAreas, ResponseRuns
from domain.refusal import Refusal
from projections import (
    deadlines,
    disasters,
    dispatch,
    funds,
    households,
    ledger,
    lists,
    officers,
    seasons,
    situation,
    stock,
)
from projections.asking.mergers import merger_preview, split_preview
from projections.asking.situation_board import situation_board
from tests.domain.county import make_county
from tests.domain.reporting import accept
from tests.domain.scenario import Scenario
from tests.domain.test_disasters import declare, end, merge, report, start
from tests.projections.relief import fold, over

VIEWS = (
    officers.VIEW,
    deadlines.VIEW,
    stock.VIEW,
    households.VIEW,
    ledger.VIEW,
    lists.VIEW,
    situation.VIEW,
    disasters.VIEW,
    dispatch.VIEW,
    funds.VIEW,
    seasons.VIEW,
)


@pytest.fixture
def two() -> Scenario:
    """A storm with a report of 源潭, accepted; a flood with one of a village of 水吼."""
    s = make_county()
    s.given(declare(s), declare(s, "storm"), by="county")
    ours = {"disaster": s.id("storm"), "figures": {"dead": 2, "missing": 1}}
    s.given(report(s, "yuantan", **ours), by="township")
    s.given(accept(s, area="yuantan"), by="county")
    other = report(s, "shuihou_1", disaster=s.id("flood"), figures={"dead": 1, "missing": 0})
    return s.given(other, by="village3")


def asked(s: Scenario, path: Path, query: Any, area: str = "county", **given: Any) -> Any:
    folded = fold(path, s, VIEWS)
    try:
        with folded.reading() as db:
            return query(db, over(s, area), **given)
    finally:
        folded.close()


def previewed(s: Scenario, path: Path, area: str = "county") -> Any:
    ids = {"disaster": s.id("storm"), "into": s.id("flood")}
    return asked(s, path, merger_preview, area, at=s.now, **ids)


def dead(total: Any) -> tuple[Any, Any]:
    return total["official"]["figures"].get("dead"), total["reported"]["figures"].get("dead")


def test_a_merger_does_what_was_told_before(two: Scenario, tmp_path: Path) -> None:
    yuantan = str(two.id("yuantan"))
    season = OpenSeason(
        area=two.id("county"), programme="emergency", year=2018, disaster=two.id("storm")
    )
    two.given(season, by="county").wait(days=1, hours=3)
    told = previewed(two, tmp_path / "before")
    assert [one["programme"] for one in told["stays"]["seasons"]] == ["emergency"]
    (moved,) = told["counted_together"]["reports"]
    assert (moved["report"], moved["area"]) == (str(two.id("report/yuantan")), yuantan)
    assert (moved["number"], moved["review"]) == (1, "accepted")
    owed = told["counted_together"]["deadlines"]
    assert owed and {one["area"] for one in owed} <= {yuantan, str(two.id("county"))}
    (county,) = told["figures"]
    assert county["area"] == str(two.id("county"))
    apart = {one["disaster"]: dead(one) for one in county["apart"]}
    assert apart == {str(two.id("storm")): ("2", "2"), str(two.id("flood")): (None, "1")}
    assert dead(county["together"]) == ("2", "3")
    assert told["against"] == [] and told["doubled"] == []

    two.given(merge(two), by="county")
    board = asked(two, tmp_path / "after", situation_board, disaster=two.id("flood"))
    assert dead(board.items[0]) == dead(county["together"])

    back = asked(two, tmp_path / "back", split_preview, disaster=two.id("storm"), at=two.now)
    assert [one["report"] for one in back["leaves"]["reports"]] == [moved["report"]]
    assert back["disaster"]["stage_afterwards"] == "open" and back["against"] == []
    assert back["into"]["id"] == str(two.id("flood"))
    assert {one["disaster"]: dead(one) for one in back["figures"][0]["apart"]} == apart
    assert dead(back["figures"][0]["together"]) == dead(county["together"])


def test_what_speaks_against_a_merger_is_what_then_refuses_it(
    two: Scenario, tmp_path: Path
) -> None:
    two.given(start(two, disaster=two.id("storm"), forecast="研判"), by="county")
    again = report(two, "yuantan", report=two.id("report/again"), disaster=two.id("flood"))
    two.given(again, by="township")
    told = previewed(two, tmp_path / "both")
    kinds: list[type[Refusal]] = [ResponseRuns, MergeDoublesAreas]
    assert [one["type"] for one in told["against"]] == [kind.code() for kind in kinds]
    first = two.when(merge(two), by="county").then(ResponseRuns)
    assert told["against"][0]["facts"] == first.facts()
    assert "潜山市" in told["against"][0]["zh"] and "潜山市" in told["against"][0]["en"]
    (doubled,) = told["doubled"]
    assert doubled["area"] == str(two.id("yuantan"))
    assert {doubled["report"], doubled["other_report"]} == {
        str(two.id("report/again")),
        str(two.id("report/yuantan")),
    }
    two.given(end(two, "storm"), by="county")
    told = previewed(two, tmp_path / "one")
    second = two.when(merge(two), by="county").then(MergeDoublesAreas)
    assert [one["facts"] for one in told["against"]] == [second.facts()]
    alone = asked(two, tmp_path / "alone", split_preview, disaster=two.id("storm"), at=two.now)
    refusal = two.when(SplitDisaster(disaster=two.id("storm"), reason="另一过程"), by="county")
    assert isinstance(refusal.outcome, Refusal)
    assert [one["type"] for one in alone["against"]] == [refusal.outcome.code()]


def test_a_preview_is_for_who_sees_both(two: Scenario, tmp_path: Path) -> None:
    assert previewed(two, tmp_path / "township", "yuantan") is None
    assert previewed(two, tmp_path / "foreign", "foreign_county") is None
    alone = asked(two, tmp_path, merger_preview, disaster=two.id("storm"), at=two.now)
    assert alone["into"] is None and len(alone["counted_together"]["reports"]) == 1
