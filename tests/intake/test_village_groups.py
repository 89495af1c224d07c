"""What a list says of villagers' groups: 3组, 第三组, 三组, 03, 柳树组 are the village's own."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from domain.commands.village_groups import GroupInput, NameVillageGroups, RenameVillageGroup
from domain.household import Household
from eventstore.outcomes import Envelope
from tests.eventstore.support import named
from tests.intake.make import PERSONS, id_number, name, workbook
from tests.intake.town import VILLAGE, County, county, make_county

DAY = date(2018, 7, 1)
FULL = (*PERSONS, "组别")
WRITTEN = ("3组", "第三组", "三组", "03", 3, "３组", "柳树组", "柳树", "第九组", None)


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[County]:
    """A village with two groups, one of which was called otherwise when it was named."""
    with county(make_county(tmp_path_factory.mktemp("groups") / "var")) as found:
        groups = (GroupInput(name="三组"), GroupInput(name="柳树组", code="07"))
        village = {"area": named("yuantan_1"), "effective_on": DAY}
        does(found, NameVillageGroups(groups=groups, **village))
        does(found, RenameVillageGroup(code="03", name="第三村民小组", **village))
        yield found


def does(town: County, command: Any) -> None:
    town.store.run(Envelope(id=uuid4(), officer=None, command=command))


def listed(tmp_path: Path, *groups: Any) -> Path:
    rows = [
        [number, name(number), "户主", id_number(700 + number), *[None] * (len(PERSONS) - 4), group]
        for number, group in enumerate(groups, start=1)
    ]
    return workbook(tmp_path / f"{uuid4()}.xlsx", [FULL, *rows])


def notes(town: County) -> dict[int, set[str]]:
    return {row.row: {note.rule for note in row.notes} for row in town.rows if row.notes}


def test_what_a_list_says_refers_to_the_group_it_means(town: County, tmp_path: Path) -> None:
    path = listed(tmp_path, *WRITTEN)
    assert town.check(path, area=VILLAGE).valid == len(WRITTEN)
    assert notes(town) == {10: {"group-unknown"}}
    report = town.run(path, area=VILLAGE)
    assert report.registered == len(WRITTEN), "no row is lost by its group"
    (note,) = [note for row in town.rows for note in row.notes]
    assert note.value == "第九组" and "03 第三村民小组、07 柳树组" in note.zh and "村民" in note.zh
    stored = {}
    for row in town.rows:
        household = town.store.load(row.household)
        assert isinstance(household, Household)
        stored[row.row] = (household.group, household.group_code)
    assert {stored[row] for row in range(2, 8)} == {("第三村民小组", "03")}
    assert {stored[row] for row in (8, 9)} == {("柳树组", "07")}
    assert (stored[10], stored[11]) == (("第九组", ""), ("", ""))

    # again, the same and otherwise: nothing is overwritten, and one name is no difference
    head = town.store.head()
    report = town.run(path, area=VILLAGE)
    assert report.known == len(WRITTEN) and town.store.head() == head
    assert notes(town) == {10: {"group-unknown"}}
    other = ("柳树组", "三队", "7组", "第三村民小组", "九组")
    town.run(listed(tmp_path, *other), area=VILLAGE)
    assert town.store.head() == head
    assert notes(town) == {
        2: {"stored-group"},
        3: {"stored-group", "group-unknown"},
        4: {"stored-group"},
        6: {"stored-group", "group-unknown"},
    }
    (difference, *_) = [note for note in town.rows[0].notes if note.rule == "stored-group"]
    assert "第三村民小组" in difference.zh
