"""Lists that are read in parts: page by page, there and back, the same rows as all at once."""

import inspect
import itertools
import re
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Connection, select

from api.routes import READS
from projections import findings as findings_view
from projections.areas import AREAS
from projections.asking import searching
from projections.asking.deadlines_at import deadlines
from projections.asking.ledger_books import ledger
from projections.asking.ledger_findings import held_after_loss
from projections.asking.paging import MAX_LIMIT, BadCursor, Page
from projections.asking.scope import EVERYTHING, Scope
from projections.disasters import disaster, disasters
from projections.findings import KINDS, finding_counts, findings, marks_of
from projections.folding.reader import ViewsReader
from projections.households import HOUSEHOLDS, households
from projections.ledger import LEDGER
from projections.lists import village_lists
from projections.sections.grants import GRANTS
from tests.everything import everything
from tests.projections.asking import Asking
from tests.projections.plans import explained

FEW = 3
CALLS = 4
"""Questions that are put to each list: the plain one and the first with a filter."""
PARTS = 30
"""Into so many pages a long list is cut."""
Ask = Callable[..., Page]


@pytest.fixture(scope="module")
def db() -> Iterator[Connection]:
    reader = ViewsReader(everything() / "views.sqlite")
    with reader() as found:
        yield found
    reader.close()


@pytest.fixture(scope="module")
def at(db: Connection) -> datetime:
    """Three months after the last fact: much is late then."""
    return Asking(db).moments[-1]


def there(ask: Ask, *, onward_only: bool = False) -> list[dict[str, Any]]:
    """All rows, page after page; and the last page's way back leads to the same ones."""
    pages = [ask(cursor=None)]
    while pages[-1].next is not None:
        pages.append(ask(cursor=pages[-1].next))
    back = [pages[-1]]
    while back[-1].previous is not None:
        back.append(ask(cursor=back[-1].previous))
    if not onward_only:
        assert [page.items for page in reversed(back)] == [page.items for page in pages]
    assert len({len(page.items) for page in pages[:-1]}) <= 1
    return [row for page in pages for row in page.items]


def test_the_ledger_is_the_same_by_pages_and_has_every_case_of_the_place(db: Connection) -> None:
    most = 0
    for scope in Asking(db).scopes:
        rows = there(lambda cursor, scope=scope: ledger(db, scope, cursor=cursor, limit=FEW))
        covered = select(LEDGER.c.id, AREAS.c.code).join(AREAS, AREAS.c.id == LEDGER.c.area)
        earnest = covered.where(scope.covers(LEDGER.c.area), LEDGER.c.exercise.is_(False))
        known = db.execute(earnest.order_by(AREAS.c.code, LEDGER.c.id)).all()
        assert [row["id"] for row in rows] == [one.id for one in known]
        most = max(most, len(rows))
    assert most > 2 * FEW


def test_households_are_the_same_by_pages_and_all_of_the_place(db: Connection) -> None:
    most = 0
    for scope in Asking(db).scopes:
        rows = there(lambda cursor, scope=scope: households(db, scope, cursor=cursor, limit=FEW))
        h = HOUSEHOLDS.c
        covered = select(h.id).join(AREAS, AREAS.c.id == h.area).where(scope.covers(h.area))
        earnest = covered.where(h.exercise.is_(False), h.merged_into.is_(None))
        known = db.execute(earnest.order_by(AREAS.c.code, h.id)).scalars().all()
        assert [row["id"] for row in rows] == known
        most = max(most, len(rows))
    assert most > 2 * FEW


LISTS = [read.query for read in READS if "cursor" in inspect.signature(read.query).parameters]


@pytest.mark.parametrize("query", LISTS, ids=lambda query: query.__name__)
def test_every_list_is_the_same_by_pages_and_the_way_back_it_offers_is_one(
    db: Connection, query: Callable[..., Page | None]
) -> None:
    """Deadlines offered a way back to the page before, and refused it as nobody's cursor."""
    first = (EVERYTHING,) if "scope" in inspect.signature(query).parameters else ()
    for call in itertools.islice(Asking(db).calls(query), CALLS):
        everything_of = query(db, *first, **call, limit=MAX_LIMIT)
        if everything_of is None or len(everything_of.items) == MAX_LIMIT:
            continue

        few = max(FEW, len(everything_of.items) // PARTS)

        def ask(cursor: str | None, call: dict[str, Any] = call, few: int = few) -> Page:
            found = query(db, *first, **call, cursor=cursor, limit=few)
            assert found is not None
            return found

        assert there(ask, onward_only=query is deadlines) == everything_of.items, call


def test_no_run_of_villages_is_longer_than_a_statement_takes(
    db: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a nation the last run had half a million ids, and a database takes 65,535."""
    villages = [
        village for run in searching._runs(db, EVERYTHING, None, 2, back=False) for village in run
    ]
    assert len(villages) > 2 + 3, "the second run could be longer"
    monkeypatch.setattr(searching, "IDS_A_QUESTION", 3)
    runs = list(searching._runs(db, EVERYTHING, None, 2, back=False))
    assert [village for run in runs for village in run] == villages
    assert max(map(len, runs)) == 3


def test_findings_are_the_same_kind_by_kind_as_counted(db: Connection, at: datetime) -> None:
    kinds: set[str] = set()
    for scope in Asking(db).scopes:
        rows = there(
            lambda cursor, scope=scope: findings(db, scope, at=at, cursor=cursor, limit=FEW)
        )
        keys = [(row["kind"], row["id"]) for row in rows]
        assert keys == sorted(keys) and len(keys) == len(set(keys))
        counts = finding_counts(db, scope, at=at)["counts"]
        assert counts == {kind: [k for k, _ in keys].count(kind) for kind, _ in keys}
        among = there(
            lambda cursor, scope=scope, counts=counts: findings(
                db, scope, at=at, among=counts, cursor=cursor, limit=FEW
            )
        )
        assert among == rows
        kinds |= set(counts)
    assert len(kinds) > 4, kinds


def test_a_page_of_findings_asks_for_no_kind_behind_it(
    db: Connection, at: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every kind looks at all cases of a place: a page of one kind asked for all nineteen."""
    counts = finding_counts(db, EVERYTHING, at=at)["counts"]
    first, second, *_ = sorted(counts)
    asked: list[str] = []
    for kind, ask in KINDS.items():

        def told(about: Any, kind: str = kind, ask: Any = ask) -> Any:
            asked.append(kind)
            return ask(about)

        monkeypatch.setitem(findings_view.KINDS, kind, told)
    findings(db, EVERYTHING, at=at, limit=counts[first] - 1 or 1)
    assert asked[-1] in (first, second) and asked == sorted(KINDS)[: len(asked)]
    asked.clear()
    findings(db, EVERYTHING, at=at, kind=second)
    assert asked == [second]
    asked.clear()
    findings(db, EVERYTHING, at=at, among=[first, second])
    assert asked == [first, second]


def test_a_cursor_of_another_list_is_refused(db: Connection, at: datetime) -> None:
    other = households(db, EVERYTHING, limit=1).next
    assert other is not None
    for cursor in (other[:-4], "<", "x"):
        with pytest.raises(BadCursor):
            findings(db, EVERYTHING, at=at, cursor=cursor)


def test_the_marks_of_cases_are_what_is_found_about_them(db: Connection, at: datetime) -> None:
    marked = 0
    for scope in Asking(db).scopes:
        rows = findings(db, scope, at=at, limit=1000).items
        cases = {row["relief_case"] for row in rows if row["relief_case"]}
        known: dict[str, set[str]] = {}
        for row in rows:
            if row["relief_case"]:
                known.setdefault(row["household"], set()).add(row["kind"])
        found = marks_of(db, scope, cases=cases, at=at)
        assert {household: set(kinds) for household, kinds in found.items()} == known
        assert all(kinds == sorted(set(kinds)) for kinds in found.values())
        marked += len(known)
    assert marked


def test_marks_are_of_the_cases_that_are_shown_and_of_the_place(
    db: Connection, at: datetime
) -> None:
    rows = findings(db, EVERYTHING, at=at, limit=1000).items
    one = next(row for row in rows if row["relief_case"])
    others = {row["relief_case"] for row in rows if row["relief_case"]} - {one["relief_case"]}
    cases = {one["relief_case"]}
    assert set(marks_of(db, EVERYTHING, cases=cases, at=at)) == {one["household"]}
    assert one["household"] not in marks_of(db, EVERYTHING, cases=others, at=at) or any(
        row["household"] == one["household"] and row["relief_case"] in others for row in rows
    )
    abroad = next(
        scope
        for scope in Asking(db).scopes
        if scope.roots is not None and one["area"] not in _areas(db, scope)
    )
    assert marks_of(db, abroad, cases=cases, at=at) == {}


def _areas(db: Connection, scope: Scope) -> set[str]:
    return set(db.execute(select(AREAS.c.id).where(scope.covers(AREAS.c.id))).scalars())


def test_every_grant_names_the_list_that_its_case_stood_on(db: Connection) -> None:
    rows = db.execute(
        select(GRANTS.c.village_list, LEDGER.c.village_list, LEDGER.c.status)
        .join(LEDGER, LEDGER.c.id == GRANTS.c.relief_case)
        .where(LEDGER.c.village_list.is_not(None))
    ).all()
    assert len(rows) > 10
    assert all(own == of_case for own, of_case, _ in rows)


def test_lists_are_found_by_documents_of_their_grants_out_of_one_index(db: Connection) -> None:
    """Each of 18,000 grants was read, and its case, twice for one search."""
    g = GRANTS.c
    paid = select(g.village_list, g.payment_document_no).where(g.payment_document_no.is_not(None))
    id, number = db.execute(paid.order_by(g.payment_document_no)).all()[0]
    with explained(db) as plans:
        found = village_lists(db, EVERYTHING, search=number)
    assert id in {row["id"] for row in found.items}
    documents = [plan for plan in plans if plan.startswith("SEARCH ledger_grants")]
    assert len(documents) == 2
    for plan in documents:
        assert "COVERING INDEX ix_ledger_grants__g1_village_list" in plan, plan


def test_a_place_that_is_searched_for_is_found_once_and_not_named_for_each_row(
    db: Connection,
) -> None:
    h, village = HOUSEHOLDS.c, AREAS.alias()
    township = AREAS.alias()
    lives = (
        select(h.id, village.c.name.label("village"), township.c.name.label("township"))
        .join(village, village.c.id == h.area)
        .join(township, township.c.id == village.c.parent)
        .where(h.exercise.is_(False), h.merged_into.is_(None))
    )
    rows = db.execute(lives).all()
    for word in {rows[0].village[:2], rows[-1].township[:2], rows[0].township}:
        found = households(db, EVERYTHING, search=word, limit=1000).items
        there = {one.id for one in rows if word in one.village or word in one.township}
        assert there and there <= {row["id"] for row in found}
        assert {row["id"] for row in found} - there == {
            row["id"] for row in found if word in (row["head_masked"] + row["village_group"])
        } - there


def test_the_responses_of_a_page_of_disasters_are_asked_for_once(db: Connection) -> None:
    with explained(db) as plans:
        found = disasters(db, EVERYTHING).items
    assert len(found) > 2 and any(row["responses"] for row in found)
    assert len([plan for plan in plans if "disaster_running_responses" in plan]) == 1
    for row in found:
        one = disaster(db, EVERYTHING, disaster=UUID(row["id"]))
        assert one is not None and one["responses"] == row["responses"]


def test_what_is_held_after_a_loss_is_looked_for_among_grants_that_are_open(
    db: Connection,
) -> None:
    """Every case of the place that ever got a grant was read, with its household."""
    county = next(scope for scope in Asking(db).scopes if scope.roots is not None).on(db)
    with explained(db) as plans:
        db.execute(held_after_loss(county)).all()
    (plan,) = plans
    assert re.search(r"SEARCH ledger_grants\w* USING INDEX \w*status_area \(status=\?", plan), plan
    assert re.search(r"SEARCH ledger__\w+ USING INDEX sqlite_autoindex\w* \(id=\?\)", plan), plan
