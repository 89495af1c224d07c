"""The register of divisions: complete, found by code, name and pinyin; no places in numbering."""

import subprocess
import sys

import pytest

from domain.area import AreaLevel
from intake.register import NATION, PACKED, Division, Register

ENTRIES = 665_276
DIGEST = "81258fc2c05bb824b561ae8aa55dba8c3cae380e5008a8cb95dd2fc552f33eb1"
"""SHA-256 of the published list's lines ``code,name``, by code."""
SHIPPED_BYTES = 5 * 1024 * 1024
HELD_MEGABYTES = 60


@pytest.fixture(scope="module")
def register() -> Register:
    return Register()


def codes(register: Register, text: str, **more: str) -> list[str]:
    return [one.code for one in register.search(text, **more)]


def test_all_divisions_of_the_list_are_there_in_five_megabytes(register: Register) -> None:
    assert register.count_and_digest() == (ENTRIES, DIGEST)
    assert PACKED.stat().st_size <= SHIPPED_BYTES


@pytest.mark.parametrize(
    ("typed", "code", "path"),
    [
        ("621224", "621224", "甘肃省 陇南市 康县"),
        ("６２１２２４", "621224", "甘肃省 陇南市 康县"),
        ("康县", "621224", "甘肃省 陇南市 康县"),
        ("kangxian", "621224", "甘肃省 陇南市 康县"),
        ("kang xian", "621224", "甘肃省 陇南市 康县"),
        ("kx", "621224", "甘肃省 陇南市 康县"),
        ("弥勒", "532504", "云南省 红河哈尼族彝族自治州 弥勒市"),
        ("Mile", "532504", "云南省 红河哈尼族彝族自治州 弥勒市"),
        ("仙桃市", "429004", "湖北省 仙桃市"),
        ("湖北仙桃", "429004", "湖北省 仙桃市"),
        ("渝中", "500103", "重庆市 渝中区"),
        ("guoyang", "341621", "安徽省 亳州市 涡阳县"),
        ("621224100", "621224100000", "甘肃省 陇南市 康县 城关镇"),
        ("621224100000", "621224100000", "甘肃省 陇南市 康县 城关镇"),
    ],
)
def test_a_division_is_found_by_code_name_and_pinyin(
    register: Register, typed: str, code: str, path: str
) -> None:
    first = register.search(typed)[0]
    assert (first.code, first.path) == (code, path)


def test_counties_of_one_name_are_told_apart_by_what_is_over_them(register: Register) -> None:
    found = {one.path for one in register.search("鼓楼区")}
    assert found == {
        "江苏省 南京市 鼓楼区",
        "江苏省 徐州市 鼓楼区",
        "福建省 福州市 鼓楼区",
        "河南省 开封市 鼓楼区",
    }
    assert codes(register, "鼓楼区 福州") == ["350102"]
    assert codes(register, "朝阳 吉林") == ["220104"]


def test_a_beginning_of_a_code_lists_what_it_begins(register: Register) -> None:
    assert codes(register, "6212")[:3] == ["621200", "621202", "621221"]
    assert codes(register, "62122")[:1] == ["621221"]


@pytest.mark.parametrize("typed", ["", "  ", "。", "999999", "6212240", "12345678901234", "xyzzy"])
def test_what_is_no_division_is_not_found(register: Register, typed: str) -> None:
    assert not register.search(typed)
    assert register.find(typed) is None


@pytest.mark.parametrize(
    ("code", "above"),
    [
        ("621224", ["000000", "620000", "621200"]),
        ("429004", ["000000", "420000"]),  # 4290 is 省直辖县级行政区划
        ("659001", ["000000", "650000"]),  # 自治区直辖
        ("500103", ["000000", "500000"]),  # 5001 is 市辖区
        ("500229", ["000000", "500000"]),  # 5002 is 县
        ("441900", ["000000", "440000"]),  # 东莞: the city is its own only county
        ("621224100", ["000000", "620000", "621200", "621224"]),
    ],
)
def test_places_in_the_numbering_are_no_divisions(
    register: Register, code: str, above: list[str]
) -> None:
    found = register.find(code)
    assert found is not None
    assert [one.code for one in register.above(found.key)] == above


def test_a_place_in_the_numbering_is_found_nowhere(register: Register) -> None:
    skipped = {"110100", "500100", "500200", "429000", "469000", "659000", "419000"}
    provinces = register.children(NATION)
    everywhere = {one.code for each in provinces for one in near(register, each.key)}
    assert len(everywhere) > 3_000
    assert not skipped & everywhere
    assert all(register.find(code) is None for code in skipped)
    assert "市辖区" not in {one.name for one in register.search("市辖区")}


def near(register: Register, province: str) -> list[Division]:
    """Cities and counties of a province."""
    lower = register.children(province)
    cities = [one for one in lower if one.level is AreaLevel.CITY]
    return lower + [deep for city in cities for deep in register.children(city.key)]


@pytest.mark.parametrize("code", ["4419", "441900", "6202", "620200", "620201", "4604", "4420"])
def test_a_city_without_counties_is_one_division_a_county(register: Register, code: str) -> None:
    found = register.find(code)
    assert found is not None and found.level is AreaLevel.COUNTY
    assert len(found.above) == 1
    assert {one.level for one in register.children(found.key)} == {AreaLevel.TOWNSHIP}


def test_a_province_has_cities_and_the_counties_right_under_it(register: Register) -> None:
    names = {one.name: one.level for one in register.children("42")}
    assert names["仙桃市"] is AreaLevel.COUNTY and names["武汉市"] is AreaLevel.CITY
    assert len(register.children("50")) == 38
    assert len(register.children(NATION)) == 31


def test_what_lies_below_a_county_comes_behind_its_parent(register: Register) -> None:
    below = list(register.below("621224"))
    levels = [one.level for one in below]
    assert (levels.count(AreaLevel.TOWNSHIP), levels.count(AreaLevel.VILLAGE)) == (21, 355)
    seen = {"621224"}
    for one in below:
        assert register.parent(one.key) in seen
        seen.add(one.key)


def test_villages_are_searched_within_their_county(register: Register) -> None:
    assert codes(register, "城关", within="621224") == ["621224100000"]
    assert "621224100000" in codes(register, "chengguan", within="621224")
    assert codes(register, "城关镇") == []  # there are hundreds: only within a county


def test_villages_that_only_statistics_know_are_told_apart(register: Register) -> None:
    virtual = [one for one in register.below("340882") if one.virtual]
    assert [one.name for one in virtual] and all("虚拟" in one.name for one in virtual)
    assert not any(one.virtual for one in register.below("621224"))


def test_nothing_is_read_until_somebody_asks_and_little_is_kept() -> None:
    """A process that walks through every province holds two of them."""
    script = f"""
import sys, resource, builtins, zipfile
opened = []
real = zipfile.ZipFile
class Watched(real):
    def __init__(self, *a, **k): opened.append(a[0]); super().__init__(*a, **k)
zipfile.ZipFile = Watched
from intake.register import Register
assert not opened
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
register = Register()
for province in register.children("0"):
    for one in register.children(province.key):
        if len(one.key) == 6:
            assert register.children(one.key)
            break
        assert register.children(register.children(one.key)[0].key)
        break
grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
assert len(opened) > 31
assert "pypinyin" not in sys.modules
assert grown < {HELD_MEGABYTES}, grown
print(grown)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
