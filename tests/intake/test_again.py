"""A list repaired and imported again: who is missing is added, what differs is told."""

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from domain.commands.areas import Merge, RearrangeVillages
from domain.commands.households import MoveHousehold, RecordDeath
from domain.household import Household
from domain.household_members import Relation
from domain.world import Command
from eventstore.outcomes import Envelope
from tests.eventstore.support import named
from tests.id_numbers import id_number
from tests.intake.make import HEADER, PERSONS, household, workbook
from tests.intake.reading import HEAD, SON, WIFE
from tests.intake.test_runner import member, register
from tests.intake.town import VILLAGE, County, county, make_county, officer

HAN = re.compile(r"[\u4e00-\u9fff]")
CARD, OTHER_CARD = "9999001234567890", "9999001234567891"
FULL = (*PERSONS, "家庭类型", "联系电话", "家庭人口")


@pytest.fixture
def town(tmp_path: Path) -> Iterator[County]:
    with county(make_county(tmp_path / "var")) as found:
        yield found


def family(tmp_path: Path, *rows: Any) -> Path:
    return workbook(tmp_path / f"{uuid4()}.xlsx", [FULL, *rows])


def person(name: str, relation: str, number: str | None, *more: Any) -> list[Any]:
    return [1, name, relation, number, *more, *[None] * (5 - len(more))]


def only_head(town: County, tmp_path: Path, size: int | None = None) -> Household:
    head = person("张小三", "户主", HEAD, None, CARD, "低保户", "15400001234", size)
    town.run(family(tmp_path, head), area=VILLAGE)
    return stored(town)


def stored(town: County) -> Household:
    id = next(row.household for row in town.rows if row.household is not None)
    found: Household | None = town.store.load(id)
    assert found is not None
    return found


def notes(town: County) -> set[tuple[int, str]]:
    return {(row.row, note.rule) for row in town.rows for note in row.notes}


def does(town: County, command: Command, by: str | None = "county") -> None:
    sender = officer(by) if by is not None else None
    town.store.run(Envelope(id=uuid4(), officer=sender, command=command))


def test_c2_members_missing_from_a_known_household_are_added(town: County, tmp_path: Path) -> None:
    """The children were refused at first: the second import makes duplicate checks see them."""
    before = only_head(town, tmp_path, size=3)
    assert (len(before.members), before.unnamed) == (1, 2)
    path = family(
        tmp_path,
        person("张小三", "户主", HEAD),
        person("李四", "妻", WIFE),
        person("张小", "长子", None),
    )
    assert town.check(path, area=VILLAGE).known == 1
    assert notes(town) >= {(3, "member-missing"), (4, "member-missing")}
    report = town.run(path, area=VILLAGE)
    assert (report.completed, report.known, report.registered, report.members) == (1, 0, 0, 2)
    assert town.outcomes() == ["completed"] * 3
    after = stored(town)
    assert (len(after.members), after.unnamed, after.id) == (3, 0, before.id)
    assert {(3, "member-added"), (4, "member-added")} <= notes(town)
    wife = town.store.vault.find_person(WIFE)
    assert wife in after.members
    head = town.store.head()
    assert town.run(path, area=VILLAGE).known == 1 and town.store.head() == head


def test_c2_a_member_added_later_is_seen_by_the_duplicate_check(
    town: County, tmp_path: Path
) -> None:
    only_head(town, tmp_path)
    register(town, "shuihou_1", member("李四", WIFE))
    rows = (person("张小三", "户主", HEAD), person("李四", "妻", WIFE))
    report = town.run(family(tmp_path, *rows), area=VILLAGE)
    assert (report.completed, report.contested) == (1, 1)
    assert [row.contested for row in town.rows] == [True, True]


def test_c2_every_difference_is_told_and_nothing_overwritten(town: County, tmp_path: Path) -> None:
    before = only_head(town, tmp_path)
    head = town.store.head()
    changed = person("张晓三", "户主", HEAD, None, OTHER_CARD, "一般户", "15400009999", 4)
    report = town.run(family(tmp_path, changed), area=VILLAGE)
    found = {rule for _, rule in notes(town)} - {"size-differs"}
    assert found == {
        "stored-name",
        "stored-size",
        "stored-category",
        "stored-card",
        "stored-phone",
    }
    assert (report.known, report.fault_count, len(report.differences)) == (1, 0, 5)
    assert not [one.en for one in report.differences if HAN.search(one.en.replace("张*三", ""))]
    assert town.store.head() == head and stored(town).category == before.category
    assert "张晓三" not in str(town.rows) and OTHER_CARD not in str(town.rows)


def test_c2_group_bank_holder_and_relation_are_compared_too(town: County, tmp_path: Path) -> None:
    header = (*FULL, "村民小组", "开户银行")

    def listed(*rows: Any) -> Path:
        return workbook(tmp_path / f"{uuid4()}.xlsx", [header, *rows])

    head = [*person("张小三", "户主", HEAD, None, CARD), "一组", "邮储银行"]
    wife = [*person("李四", "妻", WIFE), None, None]
    town.run(listed(head, wife), area=VILLAGE)
    at = town.store.head()
    town.run(listed(head, wife), area=VILLAGE)
    assert notes(town) == set()
    other = [*person("张小三", "户主", HEAD), "二组", None]
    holder = [*person("李四", "母亲", WIFE, None, CARD), None, "农商银行"]
    report = town.run(listed(other, holder), area=VILLAGE)
    assert notes(town) == {
        (2, "stored-group"),
        (3, "stored-relation"),
        (3, "stored-card-holder"),
        (3, "stored-bank"),
    }
    assert {(one.rule, one.cell) for one in report.differences} == {
        ("stored-group", "J2"),
        ("stored-relation", "C3"),
        ("stored-card-holder", "F3"),
        ("stored-bank", "K3"),
    }
    related = next(one for one in report.differences if one.rule == "stored-relation")
    assert "配偶" in related.zh and "spouse" in related.en
    assert town.store.head() == at and "李四" not in str(town.rows)


def test_c2_who_died_or_left_is_not_raised_by_an_old_list(town: County, tmp_path: Path) -> None:
    rows = (person("张小三", "户主", HEAD), person("李四", "妻", WIFE), person("张小", "子", SON))
    path = family(tmp_path, *rows)
    town.run(path, area=VILLAGE)
    wife = town.store.vault.find_person(WIFE)
    assert wife is not None
    death = RecordDeath(household=stored(town).id, reason="病故", person=wife, on=date(2024, 1, 10))
    does(town, death)
    head = town.store.head()
    town.run(path, area=VILLAGE)
    assert {(3, "member-gone"), (2, "stored-size")} <= notes(town)
    assert town.store.head() == head


def test_c2_an_id_number_for_one_stored_without_is_left_to_a_person(
    town: County, tmp_path: Path
) -> None:
    first = (person("张小三", "户主", HEAD), person("张小", "子", None))
    town.run(family(tmp_path, *first), area=VILLAGE)
    head = town.store.head()
    again = (person("张小三", "户主", HEAD), person("张小", "子", SON))
    town.run(family(tmp_path, *again), area=VILLAGE)
    assert (3, "member-maybe-same") in notes(town) and town.store.head() == head
    town.run(family(tmp_path, first[0], person("李四", "妻", WIFE)), area=VILLAGE)
    assert (2, "member-not-listed") in notes(town)


def test_c2_a_corrected_id_number_does_not_double_a_member(town: County, tmp_path: Path) -> None:
    first = (person("张小三", "户主", HEAD), person("张小", "子", id_number(905)))
    town.run(family(tmp_path, *first), area=VILLAGE)
    head = town.store.head()
    path = family(tmp_path, first[0], person("张小", "子", SON))
    report = town.run(path, area=VILLAGE)
    assert (3, "member-other-id") in notes(town) and town.store.head() == head
    assert "member-other-id" in {one.rule for one in report.differences}


def moved(town: County, household: UUID, village: str) -> None:
    command = MoveHousehold(
        household=household, reason="避险搬迁", village=named(village), on=date(2024, 1, 12)
    )
    does(town, command)


def test_c2_a_household_is_found_where_it_lives_now_and_where_it_lived(
    town: County, tmp_path: Path
) -> None:
    known = register(town, "yuantan_1", member("张小三", id_number(901)))
    moved(town, known, "yuantan_2")
    for village in ("源潭居委会", "双峰居委会"):
        path = workbook(tmp_path / f"{village}.xlsx", [HEADER, household(1, c1=village)])
        report = town.run(path)
        assert (report.known, report.registered) == (1, 0), village
        assert town.rows[0].household == known


def test_c2_a_household_of_a_merged_village_is_found_under_the_new_one(
    town: County, tmp_path: Path
) -> None:
    known = register(town, "yuantan_2", member("张小三", id_number(901)))
    merge = RearrangeVillages(
        merges=(Merge(area=named("yuantan_2"), into=named("yuantan_1")),),
        effective_on=date(2024, 1, 1),
        document_no="民复〔2024〕1号",
    )
    does(town, merge, by=None)
    while town.system.boards.step():
        pass
    path = workbook(tmp_path / "a.xlsx", [HEADER, household(1, c1="源潭居委会")])
    report = town.run(path)
    assert (report.known, report.registered, report.contested) == (1, 0, 0)
    assert town.rows[0].household == known


def test_c2_nothing_is_told_of_a_household_outside_the_jurisdiction(
    town: County, tmp_path: Path
) -> None:
    known = register(town, "yuantan_1", member("王五", id_number(901), Relation.HEAD))
    moved(town, known, "shuihou_1")
    path = workbook(tmp_path / "a.xlsx", [HEADER, household(1, c1="源潭居委会")])
    town.run(path, by="village")
    assert {rule for _, rule in notes(town)} == {"stored-elsewhere"}
