"""Lists of a village that was merged into another: its name means the successor, and it is said."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from domain.commands.areas import Merge, RearrangeVillages
from tests.eventstore.support import named
from tests.id_numbers import id_number
from tests.intake.make import HEADER, household, name, workbook
from tests.intake.test_again import does
from tests.intake.town import County, county, make_county

NO_VILLAGE = ("户主姓名", "户主身份证号", "家庭人口")


@pytest.fixture
def town(tmp_path: Path) -> Iterator[County]:
    """源潭居委会 was merged into 双峰居委会 of the same township."""
    with county(make_county(tmp_path / "var")) as found:
        merge = RearrangeVillages(
            merges=(Merge(area=named("yuantan_1"), into=named("yuantan_2")),),
            effective_on=date(2024, 1, 5),
            document_no="民复〔2024〕1号",
        )
        does(found, merge, by=None)
        while found.system.boards.step():
            pass
        yield found


def rules(town: County) -> list[tuple[str, list[str]]]:
    return [(row.outcome, [one.rule for one in (*row.problems, *row.notes)]) for row in town.rows]


def test_c3_the_name_of_a_merged_village_means_its_successor(town: County, tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", [HEADER, household(1, c1="源潭居委会")])
    report = town.check(path)
    assert rules(town) == [("valid", ["village-merged"])] and report.registered == 0
    (note,) = town.rows[0].notes
    assert note.cell == "B2" and "2024-01-05" in note.zh and "双峰居委会" in note.zh
    assert town.run(path).registered == 1
    stored = town.store.load(town.rows[0].household)
    assert stored.village == named("yuantan_2")
    assert rules(town) == [("registered", ["village-merged"])]
    assert town.run(path).known == 1


def test_c3_a_sheet_named_after_a_merged_village_too(town: County, tmp_path: Path) -> None:
    row = [name(1), id_number(901), 2]
    path = workbook(tmp_path / "a.xlsx", [NO_VILLAGE, row], sheet="源潭村")
    assert town.run(path).registered == 1
    assert rules(town) == [("registered", ["village-merged"])]
    assert town.rows[0].notes[0].cell == "2"
