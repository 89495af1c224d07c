"""Codes of counties of former decades: the data, and that they are understood where typed."""

from collections.abc import Iterator

import pytest

from api.choosing import county_of
from cli.divisions import division, err
from intake.officers import Divisions
from intake.register import Register
from projections.areas import by_code
from projections.asking.area_lists import areas
from projections.asking.old_codes import PACKED, earlier_codes, old_code
from projections.asking.scope import EVERYTHING
from tests.intake.town import County, county, make_county
from web.places import places


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[County]:
    folder = tmp_path_factory.mktemp("codes") / "county"
    make_county(folder)
    with county(folder) as one:
        while one.system.boards.step():
            pass
        yield one


def test_every_line_leads_from_a_code_out_of_use_to_one_of_the_register() -> None:
    register = Register()
    lines = [line.split(",") for line in PACKED.read_text(encoding="utf-8").splitlines()]
    assert len(lines) == 2220 and lines == sorted(lines)
    for code, name, until, now, name_now, _ in lines:
        found = register.find(now)
        assert register.find(code) is None and name and 1985 <= int(until) <= 2026
        assert found is not None and (found.code, found.name) == (now, name_now)


def test_a_code_filled_up_with_zeros_is_that_code_and_a_village_s_is_none() -> None:
    for typed in ("340824", "340824000", "340824000000"):
        found = old_code(typed)
        assert found is not None and (found.now, found.until) == ("340882", 2018)
        assert "民函〔2018〕104号" in found.zh and "went out of use in 2018" in found.en
    assert old_code("340824101001") is None and old_code("340882") is None
    assert [one.code for one in earlier_codes("340882")] == ["342824", "340824"]


def test_old_codes_are_understood_wherever_they_are_typed(
    town: County, monkeypatch: pytest.MonkeyPatch
) -> None:
    register = Register()
    assert county_of(register, "340824").name == "潜山市"
    assert [one.code for one in register.search("532526")] == ["532504"]
    with town.system.reader() as db:
        (found,) = areas(db, EVERYTHING, q="340824").items
        assert found["code"] == "340882" and found["earlier_codes"][1]["code"] == "340824"
        assert [one.code for one in places(db, EVERYTHING, "340824")] == ["340882"]
        assert Divisions(db, EVERYTHING).by_former_code("340824").name == "潜山市"
        assert Divisions(db, EVERYTHING).by_former_code("110221") is None
        monkeypatch.setattr(err, "width", 200)
        with err.capture() as said:
            assert division(town.store, db, "340824") == by_code(db, "340882")
        assert "340824 潜山县 自 2018 年起已停用" in said.get() and "it is 340882" in said.get()
        with err.capture() as said:
            assert division(town.store, db, "340882101") == by_code(db, "340882101000")
        assert said.get() == "" and division(town.store, db, "110221") is None


def test_areas_are_found_by_pinyin_and_initials(town: County) -> None:
    with town.system.reader() as db:
        for typed in (
            "yuantan juweihui",
            "ytjwh",
            "源潭 居委会",
            "340882101001",
            "ytz 双峰",
            "yt jwh",
        ):
            wanted = "双峰居委会" if "双峰" in typed else "源潭居委会"
            assert wanted in [one.name for one in places(db, EVERYTHING, typed)]
        assert places(db, EVERYTHING, "xyzzy") == []
