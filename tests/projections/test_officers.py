"""Officers: posts, substitutes, hand-over and suspension, with masked names."""

from datetime import date, timedelta
from pathlib import Path

from domain.commands.logins import InviteOfficer
from domain.commands.officers import (
    EndSubstitution,
    HandOver,
    NameSubstitute,
    OpenAccount,
    ReinstateOfficer,
    SuspendOfficer,
)
from domain.world import Role
from projections import officers as view
from projections.asking.officer_lists import officer, officers
from projections.asking.scope import EVERYTHING
from tests.domain.county import make_county, register
from tests.domain.scenario import Scenario
from tests.projections.relief import fold, over, same_for_all_batches

DAY = date(2018, 7, 4)


def office() -> Scenario:
    """A township reviewer is stood in for, a reporter hands over, another is suspended."""
    county = make_county()
    register(county, "newcomer", "yuantan_1")
    county.given(
        NameSubstitute(
            id=county.id("holiday"),
            officer=county.officers["township"],
            appointment=county.id("appointment/township"),
            substitute=county.officers["township_b"],
            starts_on=DAY,
            ends_on=DAY + timedelta(days=5),
        ),
        HandOver(
            officer=county.officers["village"],
            successor=county.officers["newcomer"],
            reason="调离",
        ),
        SuspendOfficer(officer=county.officers["village2"], reason="核查"),
        OpenAccount(officer=county.officers["township"], login="chen"),
        InviteOfficer(officer=county.officers["township"], login="chen"),
        by="admin",
    )
    return county


def test_batches_of_any_size_give_the_same_rows(tmp_path: Path) -> None:
    same_for_all_batches(tmp_path, office(), (view.VIEW,))


def test_officers_are_listed_by_area_role_and_suspension(tmp_path: Path) -> None:
    county = office()
    folded = fold(tmp_path, county, (view.VIEW,))
    with folded.reading() as db:
        own = officers(db, over(county, "shuihou"), at=county.now)
        reviewers = officers(db, over(county, "county"), at=county.now, role=Role.TOWNSHIP_REVIEWER)
        suspended = officers(db, EVERYTHING, at=county.now, suspended=True)
        pages, cursor = 0, None
        while (found := officers(db, EVERYTHING, at=county.now, cursor=cursor, limit=10)).next:
            pages, cursor = pages + 1, found.next
    assert [row["area_name"] for row in own.items] == ["水吼镇", "水吼镇", "水吼村", "横中村"]
    assert len(reviewers.items) == 3
    assert [row["suspended"] for row in suspended.items] == ["核查"]
    assert pages == 3
    assert all("*" in row["masked_name"] for row in own.items)


def test_a_hand_over_moves_the_post_and_stays_visible(tmp_path: Path) -> None:
    county = office()
    folded = fold(tmp_path, county, (view.VIEW,))
    with folded.reading() as db:
        old = officer(db, EVERYTHING, at=county.now, officer=county.officers["village"])
        new = officer(db, EVERYTHING, at=county.now, officer=county.officers["newcomer"])
    assert old is not None and new is not None
    assert old["appointments"][0]["handed_to"] == str(county.officers["newcomer"])
    assert new["appointments"][0]["taken_from"] == str(county.officers["village"])
    assert new["appointments"][0]["role"] == "village_reporter"


def test_a_substitution_is_told_of_both_and_ends(tmp_path: Path) -> None:
    county = office()
    end = EndSubstitution(officer=county.officers["township"], substitution=county.id("holiday"))
    county.given(end, by="admin")
    county.given(ReinstateOfficer(officer=county.officers["village2"], reason="无误"), by="admin")
    folded = fold(tmp_path, county, (view.VIEW,))
    with folded.reading() as db:
        for name in ("township", "township_b"):
            found = officer(db, EVERYTHING, at=county.now, officer=county.officers[name])
            assert found is not None
            assert found["substitutions"][0]["ended_on"] == "2018-07-04"
        assert officers(db, EVERYTHING, at=county.now, suspended=True).items == []
        foreign = over(county, "foreign_county")
        assert officer(db, foreign, at=county.now, officer=county.officers["township"]) is None
