"""Which seasons were opened: by whom, by which rules, and whether anybody had confirmed these."""

from pathlib import Path

from domain.commands.seasons import CloseSeason
from domain.rules.standards import Standards
from projections import officers, seasons
from projections.asking.scope import EVERYTHING, Scope
from projections.asking.season_openings import season_openings
from tests.domain.scenario import Scenario
from tests.domain.test_confirming_rulebooks import (
    ADMIN,
    APPROVER,
    adopt,
    confirm,
    county,
    season,
    standards,
)
from tests.projections.relief import fold

__all__ = ["county"]

VIEWS = (officers.VIEW, seasons.VIEW)


def test_a_season_says_who_opened_it_and_whether_its_standards_were_confirmed(
    tmp_path: Path, county: Scenario
) -> None:
    county.given(adopt(county, standards()), by=ADMIN)
    county.given(season(county, exercise=True), by=APPROVER)
    county.given(confirm(county, Standards), by=APPROVER)
    (opened,) = county.when(season(county), by=APPROVER).then("Season.Opened")
    county.given(
        CloseSeason(
            season=opened.originator_id, reason="发放完毕", without_list_reason="各村摸排后无需救助"
        ),
        by=APPROVER,
    )
    folded = fold(tmp_path, county, VIEWS)
    with folded.reading() as db:
        found = season_openings(db, EVERYTHING).items
        open_ones = season_openings(db, EVERYTHING, closed=False).items
        elsewhere = season_openings(db, Scope((county.id("yuantan_1"),))).items
    folded.close()
    assert {(one["exercise"], one["unconfirmed"]) for one in found} == {
        (True, True),
        (False, False),
    }
    assert {one["opened_by"] for one in found} == {str(county.officers[APPROVER])}
    assert all(one["opened_by_name"] and one["area_name"] for one in found)
    assert [one["exercise"] for one in open_ones] == [True] and elsewhere == []
