"""Stock in double entry: balances, journal, lots, consignments, and the proof over them."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest

from domain.base import Event
from domain.conservation import conserved
from domain.consignment import Consignment
from domain.stockpile import Stockpile
from projections import officers, stock
from projections.asking.scope import EVERYTHING
from projections.asking.stock_books import (
    stock_lot,
    stock_moves,
    stock_proof,
    stockpile,
    stockpiles,
)
from projections.folding.base import when
from projections.sections.consignments import consignment, consignments
from tests.domain import goods
from tests.domain.ledger import Ledger
from tests.domain.scenario import Scenario
from tests.projections.folding import Folded
from tests.projections.relief import fold, goods_on_all_ways, over, same_for_all_batches


@pytest.fixture(scope="module")
def story() -> Scenario:
    return goods_on_all_ways()


@pytest.fixture(scope="module")
def folded(story: Scenario, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Folded]:
    found = fold(tmp_path_factory.mktemp("stock"), story, (stock.VIEW, officers.VIEW))
    yield found
    found.close()


def test_the_rows_do_not_depend_on_the_batch(story: Scenario, tmp_path: Path) -> None:
    same_for_all_batches(tmp_path, story, (stock.VIEW,))


def test_a_depot_shows_what_is_free_on_the_road_and_gone(story: Scenario, folded: Folded) -> None:
    with folded.reading() as db:
        found = stockpile(db, over(story, "county"), stockpile=goods.quilts(story))
    assert found is not None
    assert found["warehouse_name"] == "潜山市"
    units = {name: found[name] for name in ("available", "reserved", "in_transit", "shipped")}
    assert units == {"available": 43, "reserved": 0, "in_transit": 10, "shipped": 70}
    assert (found["turned_back"], found["recount_lost"], found["written_off"]) == (20, 3, 4)
    assert found["on_hand_fen"] == 43 * 12_000
    assert [lot["available"] for lot in found["lots"]] == [43]


def test_the_books_agree_with_the_aggregates(story: Scenario, folded: Folded) -> None:
    ids = {kind: _ids(story, kind) for kind in (Stockpile, Consignment)}
    books = conserved(
        [story.load(Stockpile, id) for id in ids[Stockpile]],
        [story.load(Consignment, id) for id in ids[Consignment]],
        exercise=False,
    )
    with folded.reading() as db:
        proof = stock_proof(db, EVERYTHING)
    assert proof["balanced"] and not books.broken
    (item,) = proof["items"]
    expected = books.units["quilt"]
    for side in ("received", "available", "in_transit", "given", "lost", "written_off"):
        assert item["units"][side] == getattr(expected, side), side
        assert proof["fen"][side] == getattr(books.fen, side), side
    assert proof["debits"] == proof["credits"]


def _ids(story: Scenario, kind: type) -> list[UUID]:
    first: list[Event] = [f for f in story.facts if f.originator_version == 1]
    return [f.originator_id for f in first if type(f).topic().startswith(f"{kind.__name__}.")]


@pytest.mark.parametrize("names", [("county",), ("yuantan",), ("shuihou",), ("yuantan", "shuihou")])
def test_the_books_of_every_part_of_the_county_balance(
    story: Scenario, folded: Folded, names: tuple[str, ...]
) -> None:
    with folded.reading() as db:
        assert stock_proof(db, over(story, *names))["balanced"]


def test_a_lost_unit_turns_the_proof_red(story: Scenario, tmp_path: Path) -> None:
    broken = fold(tmp_path, story, (stock.VIEW,))
    name = broken.views.db.execute(
        "SELECT name FROM sqlite_master WHERE name LIKE 'stock_balances__%' AND type='table'"
    ).fetchone()[0]
    broken.views.db.execute(f"UPDATE {name} SET available = available - 1 WHERE available > 0")
    with broken.reading() as db:
        proof = stock_proof(db, EVERYTHING)
    broken.close()
    assert not proof["balanced"] and not proof["items"][0]["units"]["balanced"]


def test_a_late_load_is_overdue_only_after_its_eta(tmp_path: Path) -> None:
    s = Ledger().scenario
    s.given(goods.request(s), by="township").given(goods.order(s), by="county")
    eta = s.now + timedelta(hours=3)
    left = s.now - timedelta(hours=1)
    s.given(goods.ship(s, eta=eta, shipped_at=left), by="storekeeper")
    folded = fold(tmp_path, s, (stock.VIEW,))
    with folded.reading() as db:
        scope = over(s, "yuantan")
        early = consignments(db, scope, at=eta).items
        late = consignments(db, scope, at=eta + timedelta(seconds=1), on_the_way=True).items
        foreign = consignments(db, over(s, "foreign_county"), at=eta).items
    folded.close()
    assert [one["overdue"] for one in early] == [False]
    assert [one["overdue"] for one in late] == [True]
    assert late[0]["source_name"] == "潜山市" and foreign == []
    assert late[0]["shipped_at"] == when(left), "when it left, not when it was keyed"


def test_one_consignment_shows_its_cargo_and_its_moves(story: Scenario, folded: Folded) -> None:
    with folded.reading() as db:
        found = consignment(db, over(story, "county"), consignment=story.id("load"), at=story.now)
        hidden = consignment(db, over(story, "shuihou"), consignment=story.id("load"), at=story.now)
    assert found is not None and hidden is None
    assert (found["good"], found["damaged"], found["missing"]) == (33, 5, 2)
    accounts = {(move["debit"].split(":")[0], move["units"]) for move in found["moves"]}
    assert {("transit", 40), ("depot", 33), ("loss", 2), ("written_off", 5)} <= accounts


def test_a_quilt_is_followed_from_its_document_to_the_hand(tmp_path: Path) -> None:
    ledger = Ledger().until("signed")
    s = ledger.scenario
    folded = fold(tmp_path, s, (stock.VIEW,))
    with folded.reading() as db:
        found = stock_lot(db, over(s, "county"), lot=s.id("lot"))
        given = stock_moves(db, over(s, "county"), subject=ledger.case("a")).items
        page = stockpiles(db, over(s, "county"), item="quilt").items
    folded.close()
    assert found is not None
    assert found["document_no"] == "入〔2017〕1号"
    assert [move["debit"].split(":")[0] for move in found["moves"]] == [
        "depot",
        "reserved",
        "household",
    ]
    assert [(one["units"], one["value_fen"]) for one in given] == [(1, 12_000)]
    assert [(one["given"], one["available"]) for one in page] == [(1, 99)]
