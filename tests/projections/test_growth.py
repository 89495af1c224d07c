"""What a question reads: a county's does not grow with the province, a province's page with its
cases neither. Counted in steps of SQLite's virtual machine, which are the same on every machine.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from inspect import signature
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, select

from bench.copies import Template
from bench.questions import AT, QUESTIONS
from projections.areas import AREAS
from projections.asking.ledger_books import ledger
from projections.asking.scope import Scope
from projections.catalog import VIEWS
from projections.findings import marks_of
from projections.folding.base import LOGICAL
from projections.folding.engine import ViewsDatabase
from projections.folding.fold import STRICT
from projections.folding.reader import ViewsReader
from projections.households import households
from projections.ledger import LEDGER

CITIES = (1, 4)
BATCH = 2_000
STEPS = 10
MOST_MORE = 1.3
"""As much more may a county's question read with four times as many counties beside it."""
PAGES = ("households", "ledger", "deadlines")
"""Lists of which a page is read in its order, however long they are."""
SCALE, FEWEST = 4, 6
"""So many times as many villages with their households in a county; so few counties a city has."""
ROWS = 15


def a_page_of_households(db: Connection, scope: Scope) -> None:
    households(db, scope, limit=ROWS)


def a_page_of_the_ledger(db: Connection, scope: Scope) -> None:
    ledger(db, scope, programme="winter_spring", limit=ROWS)


def the_marks_of_a_page(db: Connection, scope: Scope) -> None:
    """Whether anything was found about the cases that a page shows."""
    cases = db.execute(select(LEDGER.c.id).order_by(LEDGER.c.id).limit(ROWS)).scalars().all()
    marks_of(db, scope, cases=cases, at=AT)


COUNTY_PAGES = (a_page_of_households, a_page_of_the_ledger, the_marks_of_a_page)


@dataclass(frozen=True)
class Grown:
    """The views of so many cities."""

    reader: ViewsReader
    county: Scope
    province: Scope

    def steps(self, name: str, scope: Scope, question: Callable[..., Any] | None = None) -> int:
        """What SQLite does for a question."""
        asked = question or QUESTIONS[name]
        given = {"at": AT} if "at" in signature(asked).parameters else {}
        count = 0

        def step() -> None:
            nonlocal count
            count += STEPS

        with self.reader() as db:
            raw: Any = db.connection.dbapi_connection
            asked(db, scope, **given)
            raw.set_progress_handler(step, STEPS)
            try:
                asked(db, scope, **given)
            finally:
                raw.set_progress_handler(None, STEPS)
        return count


def folded(template: Template, cities: int, path: Path) -> Grown:
    views = ViewsDatabase(path, VIEWS)
    rows = iter(template.rows_of(cities))
    while batch := list(islice(rows, BATCH)):
        views.apply_frame(0, views.position(), batch[-1][0], batch, STRICT)
    views.close()
    area = template.city.area
    county, province = template.id_of(area("c0")), template.id_of(area("province"))
    return Grown(ViewsReader(path), Scope((county,)), Scope((province,)))


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Grown]]:
    """The same county with few and with many others beside it."""
    template = Template(1)
    folder = tmp_path_factory.mktemp("grown")
    found = [folded(template, n, folder / f"{n}.sqlite") for n in CITIES]
    yield found
    for one in found:
        one.reader.close()


@pytest.fixture(scope="module")
def deeper(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Grown]:
    """A county with four times as many villages and households."""
    path = tmp_path_factory.mktemp("deeper") / "views.sqlite"
    found = folded(Template(SCALE, counties=FEWEST), 1, path)
    yield found
    found.reader.close()


@pytest.mark.parametrize("question", COUNTY_PAGES)
def test_a_countys_page_reads_no_more_when_it_has_more_households(
    question: Callable[..., Any], grown: list[Grown], deeper: Grown
) -> None:
    """A page of fifteen read all 16,000 cases of a county, joined and sorted them."""
    both = (grown[0], deeper)
    few, many = (one.steps("page", one.county, question) for one in both)
    areas = [one.steps("areas", one.county, every_area) for one in both]
    assert few > STEPS
    assert many - few <= 10 * (areas[1] - areas[0]), "beyond what it takes to know the villages"


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_countys_question_reads_no_more_when_the_province_grows(
    name: str, grown: list[Grown]
) -> None:
    alone, among = (one.steps(name, one.county) for one in grown)
    assert alone > STEPS
    assert among <= MOST_MORE * alone, f"{alone} steps alone, {among} among others"


@pytest.mark.parametrize("name", PAGES)
def test_a_provinces_page_reads_no_more_when_it_has_more_cases(
    name: str, grown: list[Grown]
) -> None:
    few, many = grown
    areas = [one.steps("areas", one.province, every_area) for one in grown]
    more = many.steps(name, many.province) - few.steps(name, few.province)
    assert more <= 10 * (areas[1] - areas[0]), "beyond what it takes to know the areas"


def every_area(db: Connection, scope: Scope) -> None:
    db.execute(AREAS.select().where(scope.covers(AREAS.c.id))).all()


def test_a_question_that_reads_what_is_of_others_is_found(grown: list[Grown]) -> None:
    def of_all(db: Connection, scope: Scope) -> None:
        db.execute(LEDGER.select().where(LEDGER.c.area.in_(db_areas(db, scope)).is_(True))).all()

    def db_areas(db: Connection, scope: Scope) -> list[str]:
        return [row.id for row in db.execute(AREAS.select().where(scope.covers(AREAS.c.id)))]

    alone, among = (one.steps("ledger", one.county, of_all) for one in grown)
    assert among > MOST_MORE * alone


def test_the_county_is_the_same_in_both(grown: list[Grown]) -> None:
    for table in LOGICAL.sorted_tables:
        if "area" in table.c:
            found = []
            for one in grown:
                with one.reader() as db:
                    query = table.select().where(one.county.covers(table.c.area))
                    found.append(len(db.execute(query).all()))
            assert found[0] == found[1], table.name
