"""Heads who may be registered already: a person is asked before the household is taken twice."""

from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis.strategies import (
    DataObject,
    booleans,
    data,
    frozensets,
    integers,
    lists,
    sampled_from,
    text,
)

from domain.commands.households import ChangeHead
from intake import doubles
from tests.eventstore.support import named
from tests.id_numbers import id_number
from tests.intake.make import workbook
from tests.intake.reading import HEAD, WIFE
from tests.intake.test_again import CARD, OTHER_CARD, does, family, moved, person, stored, town
from tests.intake.test_runner import member, register
from tests.intake.town import VILLAGE, County

__all__ = ["town"]

ELSEWHERE = "340882106200"
LISTED = ("村", "户主姓名", "户主身份证号", "家庭人口", "联系电话", "一卡通账号")
HERE = "源潭居委会"
PHONE = "15400001234"


def heads(tmp_path: Path, *rows: Any, header: Any = LISTED) -> Path:
    return workbook(tmp_path / f"{uuid4()}.xlsx", [header, *rows])


def asked(town: County) -> dict[str, str]:
    return {fault.rule: fault.cell for row in town.rows for fault in row.problems}


@pytest.mark.parametrize(
    ("before", "after", "agrees"),
    [
        ((id_number(501), PHONE, None), (id_number(501, born="19700101"), PHONE, None), "电话"),
        ((id_number(501), None, CARD), (id_number(501, born="19700101"), None, CARD), "账号"),
        ((id_number(501), None, None), (id_number(511), None, None), "一两位"),
        ((id_number(501), None, None), (id_number(501, born="19650421"), None, None), "一两位"),
    ],
)
def test_c2_a_corrected_number_of_a_head_does_not_register_the_household_twice(
    town: County, tmp_path: Path, before: Any, after: Any, agrees: str
) -> None:
    def row(number: str, phone: str | None, card: str | None) -> list[Any]:
        return [HERE, "张小三", number, 3, phone, card]

    town.run(heads(tmp_path, row(*before)))
    at = town.store.head()
    path = heads(tmp_path, row(*after), [HERE, "李四", id_number(601), 2, None, None])
    assert town.check(path).by_rule == {"head-maybe-same": 1}
    report = town.run(path)
    assert (report.registered, report.refused) == (1, 1)
    assert asked(town) == {"head-maybe-same": "C2"}
    (fault,) = report.faults
    assert agrees in fault.zh and "更正" in fault.zh and "张*三" in fault.en
    assert after[0] not in str(town.rows) and "张小三" not in str(town.rows)
    assert len(town.facts("Household.Registered", at)) == 1


def test_c2_a_member_in_common_tells_that_a_head_is_the_same(town: County, tmp_path: Path) -> None:
    town.run(
        family(tmp_path, person("张小三", "户主", HEAD), person("李四", "妻", WIFE)), area=VILLAGE
    )
    other = id_number(77, born="19301111")
    again = family(tmp_path, person("张小三", "户主", other), person("李四", "妻", WIFE))
    report = town.run(again, area=VILLAGE)
    assert (report.registered, report.by_rule) == (
        0,
        {"head-maybe-same": 1, "household-refused": 1},
    )


def test_c2_two_heads_of_one_name_who_agree_in_nothing_are_two(
    town: County, tmp_path: Path
) -> None:
    first = [HERE, "张小三", id_number(501), 3, PHONE, CARD]
    second = [HERE, "张小三", id_number(77, born="19301111"), 3, "15400009999", OTHER_CARD]
    elsewhere = ["双峰居委会", "张小三", id_number(9, born="19850707"), 3, None, None]
    town.run(heads(tmp_path, first))
    assert town.run(heads(tmp_path, second, elsewhere)).registered == 2


def test_c2_a_head_twice_in_one_list_is_asked_about_with_both_cells(
    town: County, tmp_path: Path
) -> None:
    rows = ([HERE, "张小三", id_number(n), 3, PHONE, None] for n in (501, 511))
    path = heads(tmp_path, *rows)
    for report in (town.check(path), town.run(path)):
        assert report.by_rule == {"head-maybe-twice": 1} and report.faults[0].cell == "C3"
        assert "Sheet1!C2" in report.faults[0].zh


def test_c2_a_new_head_is_asked_about_and_known_once_the_change_is_recorded(
    town: County, tmp_path: Path
) -> None:
    town.run(
        family(tmp_path, person("张小三", "户主", HEAD), person("李四", "妻", WIFE)), area=VILLAGE
    )
    known = stored(town)
    path = heads(tmp_path, [HERE, "李四", WIFE, 2, None, None])
    report = town.run(path)
    assert (report.registered, report.contested) == (0, 0)
    assert asked(town) == {"head-is-member": "C2"}
    assert "变更户主" in report.faults[0].zh
    wife = town.store.vault.find_person(WIFE)
    assert wife is not None
    does(town, ChangeHead(household=known.id, head=wife, reason="户主变更"))
    assert town.run(path).known == 1 and town.rows[0].household == known.id


def test_c2_a_head_of_another_village_of_the_same_area_is_asked_about(
    town: County, tmp_path: Path
) -> None:
    known = register(town, "shuihou_1", member("张小三", HEAD))
    path = heads(tmp_path, [HERE, "张小三", HEAD, 1, None, None])
    report = town.run(path)
    assert (report.registered, report.contested) == (0, 0)
    assert asked(town) == {"head-elsewhere": "C2"} and "水吼村" in report.faults[0].zh
    moved(town, known, "yuantan_1")
    assert town.run(path).known == 1 and town.rows[0].household == known


def test_c2_a_head_who_was_registered_without_a_number_is_asked_about(
    town: County, tmp_path: Path
) -> None:
    register(town, "yuantan_1", member("张小三", None))
    assert town.run(heads(tmp_path, [HERE, "张小三", HEAD, 1, None, None])).by_rule == {
        "head-maybe-same": 1
    }


@pytest.mark.parametrize("agrees", ["phone", "card", "number", "member"])
def test_c2_a_head_of_a_corrected_number_in_another_village_is_asked_about(
    town: County, tmp_path: Path, agrees: str
) -> None:
    """Both at once: neither the number nor the village finds the household."""
    account, phone = CARD if agrees == "card" else None, PHONE if agrees == "phone" else None
    corrected = id_number(511) if agrees == "number" else id_number(77, born="19301111")
    wife = person("李四", "妻", WIFE)

    def listed(number: str) -> Path:
        head = person("张小三", "户主", number, None, account, None, phone)
        return family(tmp_path, head, *[wife][: agrees == "member"])

    assert town.run(listed(id_number(501)), area=ELSEWHERE).registered == 1
    at = town.store.head()
    path = listed(corrected)
    for report in (town.check(path, area=VILLAGE), town.run(path, area=VILLAGE)):
        assert (report.registered, report.valid) == (0, 0)
        assert report.by_rule.get("head-maybe-same-elsewhere") == 1
    assert asked(town)["head-maybe-same-elsewhere"] == "D2"
    fault = next(one for one in report.faults if one.rule == "head-maybe-same-elsewhere")
    assert "水吼村" in fault.zh and "张*三" in fault.zh and "更正" in fault.zh
    assert corrected not in str(town.rows) and "张小三" not in str(town.rows)
    assert not town.facts("Household.Registered", at)


TYPED, KNOWN = id_number(511), id_number(501)  # one digit apart, of the same day of birth


@pytest.mark.parametrize("known_as", ["member", "head"])
def test_c2_a_member_known_elsewhere_under_a_mistyped_number_is_asked_about(
    town: County, tmp_path: Path, known_as: str
) -> None:
    """A daughter-in-law stands on two lists: that of her parents, and of the house she came to."""
    old = [person("李四", "妻" if known_as == "member" else "户主", KNOWN)]
    if known_as == "member":
        old.insert(0, person("张小三", "户主", HEAD))
    town.run(family(tmp_path, *old), area=ELSEWHERE)
    at = town.store.head()
    other = person("王五", "户主", id_number(88, born="19480101"))
    path = family(tmp_path, other, person("李四", "妻", TYPED))
    for report in (town.check(path, area=VILLAGE), town.run(path, area=VILLAGE)):
        assert (report.registered, report.valid) == (0, 0)
        assert report.by_rule["person-maybe-same"] == 1
    fault = next(one for one in report.faults if one.rule == "person-maybe-same")
    assert (fault.row, fault.cell) == (3, "D3")
    assert "水吼村" in fault.zh and "李*" in fault.zh and "核对证件" in fault.zh
    assert TYPED not in str(town.rows) and KNOWN not in str(town.rows)
    assert not town.facts("Household.Registered", at)


def test_c2_a_head_known_as_a_member_under_a_mistyped_number_is_asked_about(
    town: County, tmp_path: Path
) -> None:
    known = (person("张小三", "户主", HEAD), person("李四", "妻", KNOWN))
    town.run(family(tmp_path, *known), area=VILLAGE)
    report = town.run(heads(tmp_path, [HERE, "李四", TYPED, 1, None, None]))
    assert (report.registered, report.by_rule) == (0, {"person-maybe-same": 1})


def test_c2_a_missing_member_known_elsewhere_under_a_mistyped_number_is_not_added(
    town: County, tmp_path: Path
) -> None:
    town.run(family(tmp_path, person("李四", "户主", KNOWN)), area=ELSEWHERE)
    head = person("张小三", "户主", HEAD)
    town.run(family(tmp_path, head), area=VILLAGE)
    at = town.store.head()
    report = town.run(family(tmp_path, head, person("李四", "妻", TYPED)), area=VILLAGE)
    assert "person-maybe-same" in {one.rule for one in report.differences}
    assert not town.facts("Household.MemberAdded", at)


def test_c2_a_member_of_a_name_and_another_number_is_another(town: County, tmp_path: Path) -> None:
    known = (person("张小三", "户主", HEAD), person("李四", "妻", KNOWN))
    town.run(family(tmp_path, *known), area=ELSEWHERE)
    other = person("王五", "户主", id_number(88, born="19480101"))
    path = family(tmp_path, other, person("李四", "妻", id_number(77, born="19301111")))
    assert town.run(path, area=VILLAGE).registered == 1


def test_c2_a_member_outside_the_jurisdiction_is_not_asked_about(
    town: County, tmp_path: Path
) -> None:
    register(town, "shuihou_1", member("张小三", KNOWN))
    other = person("王五", "户主", id_number(88, born="19480101"))
    path = family(tmp_path, other, person("张小三", "子", TYPED))
    assert town.run(path, by="village", area=VILLAGE).registered == 1


def test_c2_a_namesake_outside_the_jurisdiction_is_not_asked_about(
    town: County, tmp_path: Path
) -> None:
    register(town, "shuihou_1", member("张小三", id_number(501)))
    path = heads(tmp_path, [HERE, "张小三", id_number(511), 3, None, None])
    assert town.run(path, by="village", area=VILLAGE).registered == 1


def test_c2_a_head_in_two_villages_of_one_list_is_asked_about(town: County, tmp_path: Path) -> None:
    places = ((HERE, id_number(501)), ("双峰居委会", id_number(511)))
    path = heads(tmp_path, *([place, "张小三", number, 3, None, None] for place, number in places))
    report = town.run(path)
    assert (report.registered, report.by_rule) == (1, {"head-maybe-twice-elsewhere": 1})
    assert f"Sheet1!C2（{HERE}）" in report.faults[0].zh


def test_c2_however_many_namesakes_there_are_each_is_compared(
    town: County, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Forty were, and the others passed in silence. Each is loaded once, whatever the list has."""
    loads: list[UUID] = []
    real = doubles.StoredHousehold

    def counted(store: Any, id: UUID) -> Any:
        loads.append(id)
        return real(store, id)

    monkeypatch.setattr(doubles, "StoredHousehold", counted)
    many = doubles.FEW + 5

    def number(n: int, day: str) -> str:
        """Any two differ in three digits: each digit of n stands in year, sum and sequence."""
        return id_number((n // 10 + n % 10) % 10 * 100 + n, born=f"19{n:02}{day}")

    def rows(day: str) -> list[Any]:
        return [[HERE, "张小三", number(n, day), 1, f"154{n:08}", None] for n in range(many)]

    assert town.run(heads(tmp_path, *rows("0101"))).registered == many
    town.run(heads(tmp_path, [HERE, "张小", id_number(5, born="19990909"), 1, None, None]))
    assert loads == [], "whose name only begins so is not looked at"
    again = town.run(heads(tmp_path, *rows("1231")))
    assert (again.registered, again.by_rule) == (0, {"head-maybe-same": many})
    assert len(loads) == many
    mistyped = [HERE, "张小三", number(many - 1, "0107"), 1, None, None]
    assert town.run(heads(tmp_path, mistyped)).by_rule == {"head-maybe-same": 1}


@given(data())
def test_c2_heads_found_by_their_traits_are_those_who_agree(draws: DataObject) -> None:
    """The look-up of many is the comparison one by one, only quicker."""
    digit = sampled_from("0123456789")
    number = draws.draw(text("0123456789", min_size=18, max_size=18))

    def near() -> str:
        changed = list(number)
        for place in draws.draw(lists(integers(0, 16), max_size=4)):
            changed[place] = draws.draw(digit)
        return "".join(changed)

    some = frozensets(sampled_from(["1", "2", "3"]), max_size=2)
    villages = sampled_from([named("yuantan_1"), named("yuantan_2")])

    def marks(*, numbered: bool) -> doubles._Marks:
        return doubles._Marks(
            draws.draw(villages),
            near() if numbered or draws.draw(booleans()) else None,
            draws.draw(some),
            draws.draw(sampled_from([None, "7", "8"])),
        )

    found, asks = doubles._Namesakes(), marks(numbered=True)
    held = [marks(numbered=False) for _ in range(3)]
    for one in held:
        found.add(doubles._Head("", one))
    few = found.agreeing(asks)
    for _ in range(doubles.FEW):
        found.add(doubles._Head("", doubles._Marks(named("nation"), "x" * 18, frozenset(), None)))
    many = found.agreeing(asks)
    assert (few is None) == (many is None)
    assert many is None or asks.agree(many[0].marks) == many[1]
