"""Lists of one row a person: which rows are a household, and who is its head."""

from pathlib import Path

from intake.rows import Outcome
from tests.id_numbers import id_number
from tests.intake.make import PERSONS
from tests.intake.reading import HEAD, SON, WIFE, broken, families, results


def test_persons_under_one_household_number_are_one_household(tmp_path: Path) -> None:
    found = results(
        tmp_path,
        [1, "张三", "户主", HEAD, "三组", "9999001234567890"],
        [1, "李四", "妻", WIFE, None, None],
        [2, "王五", "户主", id_number(905), "四组", None],
        header=PERSONS,
    )
    outcomes = [result.outcome.value for result in found]
    assert outcomes == ["household", "member", "household"]
    first, second = families(found)
    assert [member.name for member in first.members] == ["李四"]
    assert (first.size, first.address, first.members[0].relation) == (2, "三组", "妻")
    assert second.members == ()


def test_merged_cells_of_a_household_hold_for_its_persons(tmp_path: Path) -> None:
    found = results(
        tmp_path,
        [1, "李四", "配偶", WIFE, "三组", "9999001234567890"],
        [None, "张三", "户主", HEAD, None, None],
        [None, "张五", "子", SON, None, None],
        [2, "王五", "户主", id_number(905), "四组", None],
        header=PERSONS,
        merged=[(1, 0, 3, 0), (1, 4, 3, 4), (1, 5, 3, 5)],
    )
    first, second = families(found)
    assert first.head.name == "张三"
    assert first.row == 3
    assert [member.name for member in first.members] == ["李四", "张五"]
    assert (first.card, first.address) == ("9999001234567890", "三组")
    assert first.card_holder == first.head
    assert second.address == "四组"


def test_rows_after_a_head_are_its_members(tmp_path: Path) -> None:
    header = ("姓名", "与户主关系", "身份证号")
    found = results(
        tmp_path,
        ["张三", "户主", HEAD],
        ["李四", "配偶", WIFE],
        [],
        ["张五", "子", SON],
        ["王五", "户主", id_number(905)],
        header=header,
    )
    assert [len(family.members) for family in families(found)] == [2, 0]


def test_persons_are_grouped_by_their_heads_id_number(tmp_path: Path) -> None:
    header = ("户主姓名", "户主身份证号", "姓名", "身份证号", "家庭人口")
    found = results(
        tmp_path,
        ["张三", HEAD, "李四", WIFE, 3],
        ["张三", HEAD, "张三", HEAD, 3],
        ["王五", id_number(905), "王小五", id_number(907), 2],
        header=header,
    )
    first, second = families(found)
    assert (first.head.name, [member.name for member in first.members]) == ("张三", ["李四"])
    assert first.size == 3
    assert [note.rule for note in found[1].notes] == ["size-differs"]
    assert (second.head.name, second.head.id_number) == ("王五", id_number(905))
    assert [member.name for member in second.members] == ["王小五"]


def test_one_bad_member_keeps_the_whole_household_out(tmp_path: Path) -> None:
    found = results(
        tmp_path,
        [1, "张三", "户主", HEAD, None, None],
        [1, "李四", "配偶", 3.4e17, None, None],
        [2, "王五", "户主", id_number(905), None, None],
        header=PERSONS,
    )
    assert [result.outcome.value for result in found] == ["refused", "refused", "household"]
    assert broken(found[0]) == {"household-refused": "B2"}
    assert "第 3 行" in found[0].problems[0].zh
    assert broken(found[1]) == {"id-stored-as-number": "D3"}


def test_a_member_may_have_no_id_number_but_the_head_may_not(tmp_path: Path) -> None:
    found = results(
        tmp_path,
        [1, "张三", "户主", HEAD, None, None],
        [1, "张小", "子", None, None, None],
        [2, "王五", "户主", "无", None, None],
        header=PERSONS,
    )
    (family,) = families(found)
    assert family.members[0].id_number is None
    assert [note.rule for note in found[1].notes] == ["member-without-id"]
    assert broken(found[2]) == {"id-missing": "D4"}


def test_a_household_has_exactly_one_head(tmp_path: Path) -> None:
    found = results(
        tmp_path,
        [1, "张三", "配偶", HEAD, None, None],
        [2, "李四", "户主", WIFE, None, None],
        [2, "张五", "户主", SON, None, None],
        header=PERSONS,
    )
    assert broken(found[0]) == {"no-head": "C2"}
    assert broken(found[1]) == {"household-refused": "B3"}
    assert broken(found[2]) == {"two-heads": "C4"}


def test_rows_before_the_first_head_belong_to_nobody(tmp_path: Path) -> None:
    header = ("姓名", "与户主关系", "身份证号")
    found = results(tmp_path, ["李四", "配偶", WIFE], ["张三", "户主", HEAD], header=header)
    assert broken(found[0]) == {"no-head": "B2"}
    assert found[1].ok


def test_a_head_column_that_contradicts_the_heads_row_is_refused(tmp_path: Path) -> None:
    header = ("户主姓名", "姓名", "与户主关系", "身份证号")
    found = results(
        tmp_path, ["张三", "张三", "户主", HEAD], ["张山", "李四", "配偶", WIFE], header=header
    )
    assert broken(found[1]) == {"head-differs": "A3"}


def test_a_card_in_a_members_row_is_that_members(tmp_path: Path) -> None:
    found = results(
        tmp_path,
        [1, "张三", "户主", HEAD, None, None],
        [1, "李四", "配偶", WIFE, None, "9999001234567890"],
        header=PERSONS,
    )
    (family,) = families(found)
    assert family.card_holder is not None
    assert family.card_holder.name == "李四"


def test_of_several_cards_beside_the_head_none_is_chosen(tmp_path: Path) -> None:
    found = results(
        tmp_path,
        [1, "张三", "户主", HEAD, None, None],
        [1, "李四", "配偶", WIFE, None, "9999001234567890"],
        [1, "张五", "子", SON, None, "9999001234567891"],
        header=PERSONS,
    )
    (family,) = families(found)
    assert (family.card, family.card_holder) == (None, None)
    assert [note.rule for note in found[1].notes] == ["cards-differ"]


def test_a_list_without_heads_is_not_gathered_for_ever(tmp_path: Path) -> None:
    header = ("姓名", "与户主关系", "身份证号")
    rows = [["李四", "子", id_number(n, born=f"1965{m:02d}12")] for m in (1, 2) for n in range(150)]
    found = results(tmp_path, *rows, header=header)
    assert len(found) == 300
    assert {result.outcome for result in found} == {Outcome.REFUSED}
