"""Village lists and what hangs on the board: shown for its days, masked, gone when void."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from domain.commands.notices import PostNotice, PostSecondNotice, WithdrawNotice
from domain.commands.village_lists import RaiseObjection, ReturnList, SettleObjection
from domain.notice import ObjectionKind
from projections import households, ledger, lists, notices, seasons
from projections.lists import village_list, village_lists
from projections.notices import notice
from projections.notices import notices as notices_page
from tests.domain.ledger import Ledger
from tests.projections.relief import fold, over, same_for_all_batches

VIEWS = (households.VIEW, seasons.VIEW, ledger.VIEW, lists.VIEW, notices.VIEW)
SHOWN = {"head_masked", "village_group", "persons", "cash_fen", "goods"}


@pytest.fixture
def story() -> Ledger:
    """A first notice with an objection that was dismissed; then all the way to the end."""
    story = Ledger().until("listed")
    s = story.scenario
    s.given(PostNotice(village_list=story.list), by="village")
    s.given(
        RaiseObjection(
            village_list=story.list,
            id=s.id("objection"),
            kind=ObjectionKind.OMITTED,
            text="为什么没有我家",
        ),
        by="village",
    )
    s.given(
        SettleObjection(
            village_list=story.list, objection=s.id("objection"), upheld=False, reason="家境尚可"
        ),
        by="township",
    )
    s.wait(days=7)
    for step in ("reviewed", "approved", "allocated", "posted_again", "payable", "paid", "signed"):
        getattr(story, f"_{step}")()
    return story


def test_the_rows_do_not_depend_on_the_batch(story: Ledger, tmp_path: Path) -> None:
    story._closed()
    same_for_all_batches(tmp_path, story.scenario, VIEWS)


def test_a_list_shows_its_steps_and_what_it_gives(story: Ledger, tmp_path: Path) -> None:
    folded = fold(tmp_path, story.scenario, VIEWS)
    with folded.reading() as db:
        scope = over(story.scenario, "yuantan")
        found = village_list(db, scope, village_list=story.list)
        (row,) = village_lists(db, scope, season=story.season).items
        foreign = village_lists(db, over(story.scenario, "yuantan_2")).items
    folded.close()
    assert found is not None and foreign == []
    assert (row["households"], row["persons"], row["status"]) == (3, 6, "allocated")
    assert (row["cash_fen"], row["paid_fen"], row["payments"]) == (81_000, 81_000, 3)
    assert (row["goods"], row["units_handed_out"]) == ({"quilt": 1}, 1)
    (objection,) = found["objection_lines"]
    assert (objection["status"], objection["reason"]) == ("dismissed", "家境尚可")
    assert (found["objections"], found["open_objections"]) == (1, 0)


def _hangs(story: Ledger, tmp_path: Path, kind: str, **later: float) -> dict[str, Any] | None:
    folded = fold(tmp_path, story.scenario, VIEWS)
    with folded.reading() as db:
        at = story.scenario.now + timedelta(**later)
        scope = over(story.scenario, "yuantan_1")
        found = notice(db, scope, village_list=story.list, notice=kind, at=at)
        listed = notices_page(db, scope, at=at).items
    folded.close()
    assert found is not None
    assert found["hanging"] == (kind in {one["notice_kind"] for one in listed})
    assert found["hanging"] == bool(found["lines"])
    return found if found["hanging"] else None


def test_the_first_notice_names_who_and_no_amounts(tmp_path: Path) -> None:
    story = Ledger().until("listed")
    story.scenario.given(PostNotice(village_list=story.list), by="village")
    found = _hangs(story, tmp_path, "first")
    assert found is not None and found["households"] == 3
    assert {line["head_masked"] for line in found["lines"]} == {"张*三"}
    assert all(set(line) == SHOWN - {"cash_fen", "goods"} for line in found["lines"])


def test_the_second_notice_names_amounts_and_nothing_personal(
    story: Ledger, tmp_path: Path
) -> None:
    found = _hangs(story, tmp_path, "second", days=-1)
    assert found is not None
    assert sorted(line["cash_fen"] for line in found["lines"]) == [13_500, 27_000, 40_500]
    assert all(set(line) == SHOWN for line in found["lines"])


def test_a_notice_is_gone_when_its_days_are_over(tmp_path: Path) -> None:
    story = Ledger().until("listed")
    story.scenario.given(PostNotice(village_list=story.list), by="village")
    assert _hangs(story, tmp_path, "first", days=6)
    assert _hangs(story, tmp_path, "first", days=9) is None
    assert _hangs(story, tmp_path, "first", days=-1) is None


@pytest.mark.parametrize("how", ["withdrawn", "returned", "relisted"])
def test_a_notice_that_counts_no_more_does_not_hang(tmp_path: Path, how: str) -> None:
    story = Ledger().until("listed")
    s = story.scenario
    s.given(PostNotice(village_list=story.list), by="village").wait(hours=1)
    if how == "withdrawn":
        s.given(WithdrawNotice(village_list=story.list, reason="写错"), by="village")
    elif how == "returned":
        s.given(ReturnList(village_list=story.list, reason="重评"), by="township")
    else:
        s.given(story.appraisal(a=True, b=True, c=False), by="village")
    assert _hangs(story, tmp_path, "first") is None


def test_a_raised_amount_takes_the_second_notice_down(tmp_path: Path) -> None:
    story = Ledger().until("allocated")
    s = story.scenario
    s.given(PostSecondNotice(village_list=story.list), by="village").wait(hours=1)
    assert _hangs(story, tmp_path, "second")
    s.given(story.correction("c", cash_fen=14_000), by="county")
    assert _hangs(story, tmp_path / "then", "second") is None
