"""A list into the log: each household once, each row answered, whoever else is writing."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from domain.commands.households import RegisterHousehold
from domain.commands.officers import SuspendOfficer
from domain.commands.sealing import MemberInput
from domain.household import Household
from domain.household_members import Relation
from eventstore.outcomes import Envelope
from eventstore.vault import SQLiteVault
from intake.inputs import household_input
from tests.eventstore.support import named
from tests.id_numbers import id_number
from tests.intake.make import HEADER, PERSONS, household, workbook
from tests.intake.reading import TODAY
from tests.intake.town import FOREIGN, TOWNSHIP, VILLAGE, County, county, make_county, officer

IN_CODES = (*HEADER[:1], "行政村区划代码", *HEADER[2:])


@pytest.fixture
def town(tmp_path: Path) -> Iterator[County]:
    with county(make_county(tmp_path / "var")) as found:
        yield found


def heads(tmp_path: Path, *rows: list[Any], header: Any = HEADER, name: str = "list") -> Path:
    return workbook(tmp_path / f"{name}.xlsx", [header, *rows])


def several(count: int, village: str = "源潭居委会", first: int = 1) -> list[list[Any]]:
    return [household(number, c1=village) for number in range(first, first + count)]


def registered(town: County) -> list[Household]:
    ids = [row.household for row in town.rows if row.outcome == "registered"]
    found = [town.store.load(id) for id in dict.fromkeys(ids) if id is not None]
    return [one for one in found if one is not None]


def register(town: County, village: str, *members: MemberInput) -> UUID:
    command = RegisterHousehold(
        id=uuid4(), village=named(village), members=members, category="ordinary"
    )
    town.store.run(Envelope(id=uuid4(), officer=officer("county"), command=command))
    return command.id


def member(name: str, number: str | None, relation: Relation = Relation.HEAD) -> MemberInput:
    return MemberInput(name=name, relation=relation, id_number=number)


def test_a_list_of_heads_counts_the_others_without_names(town: County, tmp_path: Path) -> None:
    report = town.run(heads(tmp_path, *several(5)))
    assert (report.rows, report.registered, report.fault_count) == (5, 5, 0)
    assert [(len(one.members), one.unnamed) for one in registered(town)] == [
        (1, 1),
        (1, 2),
        (1, 3),
        (1, 4),
        (1, 0),
    ]


def test_a_list_of_persons_gives_members(town: County, tmp_path: Path) -> None:
    rows = [
        (1, "张小三", "户主", id_number(901), "源潭居委会一组", "9999001234567890"),
        (1, "李四", "妻", id_number(902), None, None),
        (1, "张小", "长子", id_number(903, born="20100203"), None, None),
    ]
    report = town.run(heads(tmp_path, *rows, header=PERSONS), area=VILLAGE)  # type: ignore[arg-type]
    assert (report.registered, report.members) == (1, 3)
    (one,) = registered(town)
    relations = [m.relation for m in one.members.values()]
    assert relations == [Relation.HEAD, Relation.SPOUSE, Relation.CHILD]
    assert {row.household for row in town.rows} == {one.id} and len(town.rows) == 3


def test_repeating_a_file_changes_nothing(town: County, tmp_path: Path) -> None:
    path = heads(tmp_path, *several(5))
    town.run(path)
    first, head = [row.household for row in town.rows], town.store.head()
    report = town.run(path)
    assert (report.registered, report.known) == (0, 5)
    assert [row.household for row in town.rows] == first
    assert town.store.head() == head


def test_a_household_registered_by_hand_is_found_by_its_head(town: County, tmp_path: Path) -> None:
    known = register(town, "yuantan_1", member("张小三", id_number(901)))
    report = town.run(heads(tmp_path, *several(2)))
    assert (report.registered, report.known) == (1, 1)
    assert town.rows[0].household == known


def test_a_head_claimed_outside_the_officer_s_area_is_registered_and_contested(
    town: County, tmp_path: Path
) -> None:
    other = register(town, "shuihou_1", member("张小三", id_number(901)))
    report = town.run(heads(tmp_path, *several(2)), by="village")
    assert (report.registered, report.known, report.contested) == (2, 0, 1)
    assert [row.contested for row in town.rows] == [True, False]
    assert other not in {row.household for row in town.rows}
    head = town.store.head()
    assert town.run(heads(tmp_path, *several(2)), by="village").known == 2
    assert town.store.head() == head


def test_a_member_of_a_household_elsewhere_is_contested_as_head(
    town: County, tmp_path: Path
) -> None:
    wife = member("张小三", id_number(901), Relation.SPOUSE)
    register(town, "shuihou_1", member("王五", id_number(800)), wife)
    report = town.run(heads(tmp_path, *several(1)), by="village")
    assert (report.registered, report.contested) == (1, 1)


def test_wrong_rows_are_named_by_cell_and_good_ones_kept(town: County, tmp_path: Path) -> None:
    rows = several(6)
    rows[0][1] = "双峰"
    rows[1][1] = "没有村"
    rows[2][1] = None
    rows[3][3] = "340824196504129013"
    rows[4][4] = "许多"
    report = town.run(heads(tmp_path, *rows))
    assert report.registered == 1
    found = {(f.cell, f.rule) for f in report.faults}
    assert found == {
        ("B2", "village-ambiguous"),
        ("B3", "village-unknown"),
        ("B4", "village-missing"),
        ("D5", "id-number"),
        ("E6", "size-form"),
    }
    assert town.outcomes() == ["refused"] * 5 + ["registered"]
    assert report.by_rule["village-unknown"] == 1


def test_a_whole_name_a_township_or_a_code_tells_two_villages_apart(
    town: County, tmp_path: Path
) -> None:
    header = ("乡镇", *HEADER)
    rows = [
        [None, *household(1, c1="双峰村")],
        ["源潭", *household(2, c1="双峰")],
        ["水吼镇", *household(3, c1="双峰")],
    ]
    town.run(heads(tmp_path, *rows, header=header))
    coded = [household(4, c1="340882101002"), household(5, c1="340825100001")]
    villages = [one.village for one in registered(town)]
    report = town.run(heads(tmp_path, *coded, header=IN_CODES, name="coded"))
    villages += [one.village for one in registered(town)]
    assert villages == [
        named("same_name"),
        named("yuantan_2"),
        named("same_name"),
        named("yuantan_2"),
    ]
    assert [fault.cell for fault in report.faults] == ["B3"]


def test_an_unknown_category_is_named_and_no_personal_number_shown(
    town: County, tmp_path: Path
) -> None:
    header = (*HEADER, "家庭类型")
    kinds = ("低保户", id_number(77), None)
    rows = [[*row, kind] for row, kind in zip(several(3), kinds, strict=True)]
    report = town.run(heads(tmp_path, *rows, header=header))
    (fault,) = [one for one in report.faults if one.rule == "category-unknown"]
    assert (fault.cell, fault.column) == ("H3", "家庭类型")
    assert id_number(77) not in str(town.rows) and fault.value.startswith("340*")


def test_nothing_personal_stands_in_the_results(town: County, tmp_path: Path) -> None:
    rows = several(4)
    rows[0][3], rows[1][6], rows[2][1] = id_number(901)[:-1] + "Y", "62", id_number(55)
    town.run(heads(tmp_path, *rows))
    told = str(town.rows)
    assert id_number(55) not in told and id_number(901)[:-1] not in told
    assert "张小三" not in told and "15400001234" not in told


def test_a_village_of_another_county_is_refused_row_by_row(town: County, tmp_path: Path) -> None:
    path = heads(tmp_path, *several(3, "东关居委会"))
    head = town.store.head()
    report = town.run(path, by="county", area=FOREIGN)
    assert [fault.rule for fault in report.faults] == ["not-found"] * 3
    assert "辖区" in report.faults[0].zh and report.faults[0].cell == "B2"
    assert town.store.head() == head
    assert town.run(path, by="foreign_county", area=FOREIGN).registered == 3


def test_an_officer_registers_in_their_own_area_only(town: County, tmp_path: Path) -> None:
    path = heads(tmp_path, *several(2), *several(2, "水吼村", 3))
    assert town.run(path, by="village").by_rule == {"not-found": 2}
    assert town.outcomes() == ["registered", "registered", "refused", "refused"]
    assert town.run(path, by="storekeeper").by_rule == {"not-your-role": 4}
    suspend = SuspendOfficer(officer=officer("township"), reason="违纪")
    town.store.run(Envelope(id=uuid4(), officer=None, command=suspend))
    assert town.run(path, by="township", area=TOWNSHIP).by_rule["officer-suspended"] == 2


def test_a_check_writes_nothing_and_finds_what_the_domain_would_refuse(
    town: County, tmp_path: Path
) -> None:
    vault = town.store.vault.counts()
    head = town.store.head()
    path = heads(tmp_path, *several(2), *several(1, "水吼村", 3), *several(1, "东关", 4))
    report = town.check(path, by="township")
    assert (report.valid, report.registered) == (2, 0)
    assert report.by_rule == {"not-found": 1, "village-unknown": 1}
    assert town.store.head() == head and town.store.vault.counts() == vault
    town.run(path)
    assert town.check(path).known == 3


def test_one_refused_household_leaves_the_others_of_its_batch(
    town: County, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The domain refuses what the reader let through: here, a kind no rulebook has."""
    path = heads(tmp_path, *several(4))
    importer = town.importer()
    real = household_input

    def spoiled(parsed: Any, category: str) -> Any:
        return real(parsed, "nonsense" if parsed.row == 3 else category)

    monkeypatch.setattr("intake.runner.household_input", spoiled)
    report = importer.run(path, TODAY)
    assert (report.registered, report.fault_count) == (3, 1)
    assert town.outcomes() == ["registered", "refused", "registered", "registered"]
    assert report.faults[0].row == 3


def test_interleaved_villages_share_commits_and_nothing_waits(
    town: County, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("intake.batches.BATCH", 4)
    names = ("源潭居委会", "双峰居委会", "水吼村", "横中村")
    rows = [household(n, c1=names[n % 4]) for n in range(1, 13)]
    batches: list[int] = []
    real = town.store.run_many

    def counted(given: Sequence[Envelope]) -> Any:
        batches.append(len(given))
        return real(given)

    monkeypatch.setattr(town.store, "run_many", counted)
    report = town.run(heads(tmp_path, *rows))
    assert report.registered == 12 and batches == [4, 4, 4]
    assert [row.row for row in town.rows] == list(range(2, 14))


def test_a_household_another_run_has_just_written_is_known(
    town: County, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = heads(tmp_path, *several(3))
    late = town.importer()
    real = late._new
    done: list[int] = []

    def overtaken(entries: Any, persons: Any) -> Any:
        new = real(entries, persons)
        if not done:
            done.append(1)
            other = town.importer()
            done.append(other.run(path, TODAY).registered)
        return new

    monkeypatch.setattr(late, "_new", overtaken)
    report = late.run(path, TODAY)
    assert done == [1, 3]
    assert (report.registered, report.known) == (0, 3)
    assert len(town.facts("Household.Registered")) == 3
    assert not town.facts("Person.Contested")


def test_faults_kept_are_bounded(town: County, tmp_path: Path) -> None:
    rows = [household(1, c3="1") for _ in range(1500)]
    report = town.run(heads(tmp_path, *rows))
    assert report.fault_count == 1500 and len(report.faults) == 1000
    assert len(town.rows) == 1500


def test_keys_kept_in_memory_do_not_grow_with_the_list(
    town: County, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("intake.batches.BATCH", 5)
    monkeypatch.setattr("eventstore.vault.KEY_CACHE", 10)
    assert town.run(heads(tmp_path, *several(40))).registered == 40
    assert len(town.store.vault._ciphers) <= 15


def test_two_processes_that_reserve_a_number_are_given_one_person(town: County) -> None:
    numbers = [id_number(901), id_number(902)]
    first = town.store.vault.reserve_persons(numbers[:1])
    other = SQLiteVault(town.store.vault.path)
    try:
        both = other.reserve_persons(numbers)
    finally:
        other.close()
    assert both[numbers[0]] == first[numbers[0]] and len(set(both.values())) == 2
    assert town.store.vault.find_persons([*numbers, id_number(903)]) == both
