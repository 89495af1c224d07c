"""Identity numbers and masks."""

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.identity import (
    check_character,
    id_problem,
    normalize_id,
    parse_id,
)
from domain.masking import mask_card, mask_id, mask_name, mask_phone
from domain.refusal import Malformed

DAYS = st.dates(date(1900, 1, 1), date(2018, 12, 31))


@st.composite
def numbers(draw: st.DrawFn) -> str:
    region = draw(st.integers(110000, 659999))
    first17 = f"{region}{draw(DAYS):%Y%m%d}{draw(st.integers(0, 999)):03d}"
    return first17 + check_character(first17)


def test_the_check_character_of_the_published_example_is_x() -> None:
    # the worked example of GB 11643-1999: 11010519491231002X
    assert check_character("11010519491231002") == "X"
    identity = parse_id("11010519491231002X")
    assert (identity.born_on, identity.sex) == (date(1949, 12, 31), "female")


@given(numbers())
@settings(max_examples=60)
def test_a_number_with_its_check_character_is_read(number: str) -> None:
    identity = parse_id(number)
    assert identity.born_on.strftime("%Y%m%d") == number[6:14]
    assert (identity.sex == "male") == (int(number[16]) % 2 == 1)


@given(numbers(), st.integers(0, 16), st.integers(1, 9))
@settings(max_examples=100)
def test_any_single_wrong_digit_is_noticed(number: str, place: int, by: int) -> None:
    wrong = str((int(number[place]) + by) % 10)
    assert id_problem(number[:place] + wrong + number[place + 1 :]) is not None


@given(numbers(), st.integers(0, 15))
@settings(max_examples=100)
def test_two_swapped_neighbors_are_noticed(number: str, place: int) -> None:
    swapped = number[:place] + number[place + 1] + number[place] + number[place + 2 :]
    assert (swapped == number) == (id_problem(swapped) is None)


@given(numbers())
@settings(max_examples=40)
def test_full_width_digits_spaces_and_a_small_x_are_normalized(number: str) -> None:
    wide = "".join(chr(ord(c) + 0xFEE0) for c in number.lower())
    assert normalize_id(f" {wide[:6]}　{wide[6:14]} {wide[14:]} ") == number


def test_c6_a_superscript_is_no_digit_of_an_id_number() -> None:
    first17 = "34088219900307001"
    number = first17 + check_character(first17)
    assert id_problem(normalize_id(number)) is None
    assert id_problem(normalize_id(number[:5] + "²" + number[6:])) is not None


def test_other_scripts_digits_are_not_taken_for_digits() -> None:
    assert id_problem("١١٠١٠٥١٩٤٩١٢٣١٠٠٢X") is not None


@pytest.mark.parametrize("region", ["340882", "340824", "999999", "000000"])
def test_the_region_part_is_never_a_reason_to_refuse(region: str) -> None:
    first17 = f"{region}19900307001"
    number = first17 + check_character(first17)
    assert id_problem(number) is None


@pytest.mark.parametrize(
    "text",
    ["", "34088219900307", "3408821990023000181", "34088219900230001", "x" * 18],
)
def test_what_is_no_number_is_refused_with_a_masked_value(text: str) -> None:
    with pytest.raises(Malformed) as refused:
        parse_id(text)
    assert refused.value.sentence("zh")
    assert text == "" or text not in refused.value.sentence("en")


def test_a_birth_date_that_does_not_exist_or_lies_ahead_is_refused() -> None:
    for born in ("19900230", "19901301"):
        first17 = f"340882{born}001"
        assert id_problem(first17 + check_character(first17)) is not None
    first17 = "34088220180705001"
    number = first17 + check_character(first17)
    assert id_problem(number, on=date(2018, 7, 4)) is not None
    assert id_problem(number, on=date(2018, 7, 5)) is None


def test_names_are_masked_the_same_way_everywhere() -> None:
    names = {"": "", "张": "*", "张三": "张*", "张小三": "张*三", "欧阳小三": "欧**三"}
    assert {name: mask_name(name) for name in names} == names


@given(numbers())
@settings(max_examples=40)
def test_a_masked_number_hides_the_birth_date(number: str) -> None:
    masked = mask_id(number)
    assert masked == number[:6] + "********" + number[14:]


@given(st.text(alphabet="0123456789", max_size=24))
@settings(max_examples=100)
def test_no_mask_shows_a_whole_number(text: str) -> None:
    for mask in (mask_id, mask_card, mask_phone):
        masked = mask(text)
        assert len(masked) == len(text)
        assert masked.count("*") >= min(4, len(text))


def test_cards_and_phones_keep_only_their_ends() -> None:
    assert mask_card("6217001234567890123") == "***************0123"
    assert mask_phone("13812345678") == "138******78"
