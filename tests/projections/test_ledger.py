"""The ledger of a season, row by row and in totals; households and their history, masked."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from domain.commands.grant_corrections import RecordPaymentFailure, RefundGrant, RetryPayment
from domain.commands.payments import GrantInput
from domain.commands.village_lists import CloseList
from domain.rules.base import china_day
from eventstore.names import Hit
from projections import disasters, households, ledger, seasons
from projections.asking.ledger_books import household, relief_case
from projections.asking.ledger_books import ledger as ledger_page
from projections.asking.ledger_sums import ledger_by_area, ledger_totals
from projections.asking.scope import EVERYTHING
from projections.asking.searching import Names
from projections.households import households as households_page
from projections.seasons import season
from projections.seasons import seasons as seasons_page
from tests.domain.ledger import Ledger, paying
from tests.domain.test_parts import approved
from tests.domain.test_parts import paid as in_parts_paid
from tests.projections.folding import Folded
from tests.projections.relief import fold, over, same_for_all_batches
from tests.projections.test_households import forget

VIEWS = (households.VIEW, seasons.VIEW, ledger.VIEW)


@pytest.fixture(scope="module")
def paid() -> Ledger:
    """All granted and paid; a's quilt signed for; b's payment bounced."""
    story = Ledger().until("signed")
    bounce = RecordPaymentFailure(case=story.case("b"), number=1, reason="账号错误")
    story.scenario.given(bounce, by="payer")
    return story


@pytest.fixture(scope="module")
def folded(paid: Ledger, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Folded]:
    found = fold(tmp_path_factory.mktemp("ledger"), paid.scenario, (disasters.VIEW, *VIEWS))
    yield found
    found.close()


def test_the_rows_do_not_depend_on_the_batch(tmp_path: Path) -> None:
    story = Ledger().until("signed")
    forget(story.scenario, "a")
    same_for_all_batches(tmp_path, story.scenario, VIEWS)


def test_totals_tell_granted_from_paid(paid: Ledger, folded: Folded) -> None:
    with folded.reading() as db:
        totals = ledger_totals(db, over(paid.scenario, "county"), year=2017)
        same = ledger_totals(db, over(paid.scenario, "yuantan_1"), season=paid.season)
        other_year = ledger_totals(db, EVERYTHING, year=2018)
        foreign = ledger_totals(db, over(paid.scenario, "foreign_county"), year=2017)
        named = ledger_totals(db, EVERYTHING, county=paid.scenario.id("county"), year=2017)
        hidden = ledger_totals(
            db, over(paid.scenario, "county"), county=paid.scenario.id("foreign_county"), year=2017
        )
    assert totals == same == named and hidden is None
    assert totals is not None and other_year is not None and foreign is not None
    assert totals["needed"] == {"households": 3, "persons": 6}
    assert totals["granted"] == {
        "households": 3,
        "persons": 6,
        "cash_fen": 81_000,
        "goods_fen": 12_000,
        "goods": {"quilt": 1},
    }
    assert totals["paid_or_signed"] == {
        "households": 2,
        "persons": 4,
        "cash_fen": 54_000,
        "goods_fen": 12_000,
        "goods": {"quilt": 1},
    }
    assert other_year["granted"]["households"] == foreign["granted"]["households"] == 0


def test_a_row_has_the_columns_of_the_official_table(paid: Ledger, folded: Folded) -> None:
    with folded.reading() as db:
        rows = ledger_page(db, over(paid.scenario, "yuantan_1"), season=paid.season).items
    a = next(row for row in rows if row["id"] == str(paid.case("a")))
    assert (a["head_masked"], a["category"], a["size"], a["persons"]) == ("张*三", "hardship", 3, 3)
    assert (a["cash_paid_fen"], a["goods_signed_fen"], a["form"]) == (
        40_500,
        12_000,
        "cash_and_goods",
    )
    assert (a["village_name"], a["township_name"]) == ("源潭居委会", "源潭镇")
    assert a["goods_signed"] == {"quilt": 1} and a["status"] == "approved"
    assert a["applied_at"] < a["reviewed_at"] <= a["approved_at"] < a["delivered_at"]


@pytest.mark.parametrize(
    ("status", "names"),
    [
        ("delivered", "ac"),
        ("partly", ""),
        ("failed", "b"),
        ("waiting", "b"),
        ("granted", "abc"),
        ("closed", ""),
    ],
)
def test_rows_are_asked_for_by_state(paid: Ledger, folded: Folded, status: str, names: str) -> None:
    with folded.reading() as db:
        found = ledger_page(db, over(paid.scenario, "county"), status=status).items
    assert {row["id"] for row in found} == {str(paid.case(name)) for name in names}


def states_of(ledger: Ledger, path: Path, names: str = "abc") -> dict[str, str]:
    """Where the case of each household stands; the filter by that word finds the same ones."""
    path.mkdir()
    folded = fold(path, ledger.scenario, (disasters.VIEW, *VIEWS))
    with folded.reading() as db:
        scope = over(ledger.scenario, "county")
        rows = {row["id"]: row["state"] for row in ledger_page(db, scope).items}
        for word in ("partly", "delivered"):
            asked = ledger_page(db, scope, status=word).items
            assert {row["id"] for row in asked} == {one for one in rows if rows[one] == word}
    folded.close()
    return {name: rows[str(ledger.case(name))] for name in names}


def test_cash_without_the_quilt_that_goes_with_it_is_partly_delivered(tmp_path: Path) -> None:
    story = Ledger().until("paid")  # a is to have a quilt beside its cash
    assert states_of(story, tmp_path / "paid") == {
        "a": "partly",
        "b": "delivered",
        "c": "delivered",
    }
    assert states_of(Ledger().until("signed"), tmp_path / "signed")["a"] == "delivered"


def test_what_was_given_back_as_a_whole_waits_for_nothing(tmp_path: Path) -> None:
    story = Ledger().until("signed")
    back = RefundGrant(
        case=story.case("c"), number=1, amount_fen=13_500, reason="外出务工", document_no="退1号"
    )
    story.scenario.given(back, by="payer")
    assert states_of(story, tmp_path / "back")["c"] == "returned"


@pytest.mark.parametrize(
    ("programme", "need", "first_fen"),
    [
        ("transitional", {"days": 75}, {"a": 180_000, "b": 120_000, "c": 60_000}),
        ("housing", {}, {"a": 600_000, "b": 600_000, "c": 600_000}),
    ],
)
def test_one_month_or_milestone_of_several_is_partly_delivered(
    tmp_path: Path, programme: str, need: dict[str, int], first_fen: dict[str, int]
) -> None:
    story = approved(programme, **need)
    assert states_of(story, tmp_path / "approved")["a"] == "approved"
    grants = [GrantInput(case=story.case(name), cash_fen=fen) for name, fen in first_fen.items()]
    story.scenario.given(story.allocation(*grants), by="county")
    assert states_of(story, tmp_path / "granted")["a"] == "waiting"
    in_parts_paid(story)
    assert set(states_of(story, tmp_path / "paid").values()) == {"partly"}
    closed = CloseList(village_list=story.list, reason="均改为进城购房")
    story.scenario.given(closed, by="county")
    assert set(states_of(story, tmp_path / "closed").values()) == {"partly"}, "nor later"


def index(paid: Ledger, *persons: UUID | None) -> Names:
    """An index that finds these persons, where the villages asked for are theirs."""

    def names(villages: Sequence[UUID], *, exercise: bool | None) -> list[Hit]:
        assert not exercise
        homes = [paid.household(name) for name in "abc"]
        return [
            Hit(home.village, home.id, person)
            for home in homes
            for person in persons
            if person in home.members and home.village in villages
        ]

    return names


def test_a_household_is_found_by_person_village_and_document(paid: Ledger, folded: Folded) -> None:
    s = paid.scenario
    head = paid.household("b").head
    child = next(iter(paid.household("a").members.keys() - {paid.household("a").head}))
    with folded.reading() as db:
        scope = over(s, "county")

        def found(search: str, *persons: UUID | None) -> set[str]:
            rows = ledger_page(db, scope, search=search, names=index(paid, *persons)).items
            return {row["id"] for row in rows}

        assert found("张小三", head) == {str(paid.case("b"))}
        assert found("zhangxiao1", child) == {str(paid.case("a"))}
        assert len(found("源潭")) == len(found("潜民救〔2017〕9号")) == len(found("张*")) == 3
        assert found("100%") == found("没有") == set()
        assert len(households_page(db, scope, search="张小三", names=index(paid, head)).items) == 1
        assert households_page(db, over(s, "foreign_county")).items == []


def test_pages_follow_each_other(paid: Ledger, folded: Folded) -> None:
    with folded.reading() as db:
        scope = over(paid.scenario, "county")
        every = ledger_page(db, scope).items
        first = ledger_page(db, scope, limit=2)
        second = ledger_page(db, scope, limit=2, cursor=first.next)
    assert first.items + second.items == every and second.next is None


def test_totals_roll_up_by_township_and_village(paid: Ledger, folded: Folded) -> None:
    with folded.reading() as db:
        scope = over(paid.scenario, "county")
        (town,) = ledger_by_area(db, scope, year=2017).items
        (village,) = ledger_by_area(db, scope, season=paid.season, level="village").items
    assert (town["name"], village["name"]) == ("源潭镇", "源潭居委会")
    assert town["granted"] == village["granted"]
    assert town["granted"]["goods"] == {"quilt": 1} and town["granted"]["cash_fen"] == 81_000


def test_one_case_shows_every_grant_and_a_foreign_village_sees_none(
    paid: Ledger, folded: Folded
) -> None:
    with folded.reading() as db:
        found = relief_case(db, over(paid.scenario, "yuantan"), case=paid.case("a"))
        hidden = relief_case(db, over(paid.scenario, "yuantan_2"), case=paid.case("a"))
        history = household(db, over(paid.scenario, "county"), household=paid.scenario.id("a"))
    assert found is not None and hidden is None and history is not None
    cash, quilt = found["grant_lines"]
    assert (cash["status"], cash["cash_fen"], cash["fund"]) == ("paid", 40_500, str(paid.fund))
    assert (quilt["status"], quilt["signed_by"], quilt["lots"][0]["quantity"]) == (
        "signed",
        "张*三",
        1,
    )
    assert history["members"][0]["masked"] == "张*三"
    assert [one["id"] for one in history["cases"]] == [str(paid.case("a"))]
    assert len(history["grants"]) == 2 and history["size"] == 3


def test_corrections_retries_and_refunds_reach_the_totals(tmp_path: Path) -> None:
    story = Ledger().until("signed")
    s = story.scenario
    s.given(
        RecordPaymentFailure(case=story.case("b"), number=1, reason="账号错误"),
        RetryPayment(case=story.case("b"), number=1, document_no="支2号"),
        RecordPaymentFailure(case=story.case("c"), number=1, reason="销户"),
        RefundGrant(case=story.case("a"), number=2, units=1, reason="多发", document_no="退1号"),
        RefundGrant(
            case=story.case("b"), number=1, amount_fen=7_000, reason="多发", document_no="退2号"
        ),
        by="payer",
    )
    s.given(story.correction("c", cash_fen=0), by="county")
    folded = fold(tmp_path, s, VIEWS)
    with folded.reading() as db:
        totals = ledger_totals(db, EVERYTHING, year=2017)
        rows = {row["id"]: row for row in ledger_page(db, EVERYTHING).items}
    folded.close()
    assert totals is not None
    assert totals["granted"]["households"] == 2 and totals["granted"]["cash_fen"] == 67_500
    assert totals["paid_or_signed"]["cash_fen"] == 60_500
    assert totals["paid_or_signed"]["goods"] == {} and totals["granted"]["goods"] == {"quilt": 1}
    for name in "abc":
        row, case = rows[str(story.case(name))], story.load_case(name)
        assert row["grants"] == sum(s != "void" for s in case.status.values())
        assert row["failed"] == 0
    assert rows[str(story.case("c"))]["delivered"] == 0


def test_a_season_from_above_is_listed_with_its_rates(paid: Ledger, folded: Folded) -> None:
    with folded.reading() as db:
        (row,) = seasons_page(db, over(paid.scenario, "yuantan_1"), year=2017).items
        one = season(db, over(paid.scenario, "county"), season=paid.season)
        above = season(db, over(paid.scenario, "yuantan_1"), season=paid.season)
        elsewhere = over(paid.scenario, "foreign_county")
        foreign = (season(db, elsewhere, season=paid.season), seasons_page(db, elsewhere).items)
    assert one == above == {**row} and foreign == (None, [])
    assert row["rates"][0]["basis"] == "person" and "appraisal" in row["steps"]
    assert row["deliver_by"] == "2018-02-15"


def test_sums_of_a_day_go_by_what_the_bank_and_the_paper_say(tmp_path: Path) -> None:
    """Written down today, there since days: and what came back later was there until then."""
    story = Ledger().until("payable")
    s = story.scenario
    today = china_day(s.now)
    days = [today - timedelta(days=back) for back in (5, 4, 3, 1)]
    s.given(replace(paying(story), value_date=days[1]), by="payer")
    s.given(replace(story.signing("a"), signed_on=days[2]), by="storekeeper")
    s.wait(days=2)
    later = china_day(s.now)
    s.given(
        RecordPaymentFailure(case=story.case("b"), number=1, reason="账号错误"),
        RefundGrant(case=story.case("a"), number=2, units=1, reason="多发", document_no="退1号"),
        RetryPayment(case=story.case("b"), number=1, document_no="支2号"),
        by="payer",
    )
    folded = fold(tmp_path, s, VIEWS)

    def had(day: date) -> tuple[int, int, dict[str, int], int]:
        with folded.reading() as db:
            totals = ledger_totals(db, EVERYTHING, year=2017, as_of=day)
            (row,) = ledger_by_area(db, EVERYTHING, year=2017, as_of=day).items
        assert totals is not None and totals["as_of"] == day.isoformat()
        side = totals["paid_or_signed"]
        assert row["paid_or_signed"] == side
        return side["households"], side["cash_fen"], side["goods"], totals["by_record"]

    assert had(days[0]) == (0, 0, {}, 0)
    assert had(days[1]) == (2, 54_000, {}, 0), "what bounced was never there"
    assert had(days[2]) == (2, 54_000, {"quilt": 1}, 0)
    assert had(today) == (2, 54_000, {"quilt": 1}, 0)
    assert had(later) == (3, 81_000, {}, 1), "the retry has no value date: that of its record"
    with folded.reading() as db:
        now = ledger_totals(db, EVERYTHING, year=2017)
        last = ledger_totals(db, EVERYTHING, year=2017, as_of=later)
        before = ledger_totals(db, EVERYTHING, year=2017, as_of=date(2017, 10, 1))
    folded.close()
    assert now is not None and last is not None and before is not None
    assert {name: last[name] for name in now} == now, "of today they are those without a day"
    assert before["needed"]["households"] == before["granted"]["households"] == 0
