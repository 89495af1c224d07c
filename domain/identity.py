"""Resident identity numbers 公民身份号码 (GB 11643-1999, domain.md §4.1).

Eighteen characters: region (6), birth date (8), sequence (3, odd = male), check character by
ISO 7064 MOD 11-2. The region part is the place of first registration: never a reason to refuse.
"""

import re
from datetime import date
from operator import mul
from typing import Literal

import msgspec

from domain.half_width import half_width
from domain.masking import mask_id
from domain.plurals import counted
from domain.refusal import Malformed

WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
CHECK_CHARACTERS = "10X98765432"
EARLIEST_BIRTH_YEAR = 1850

Sex = Literal["male", "female"]


class Identity(msgspec.Struct, frozen=True):
    """What a valid number says. The number itself is personal data: seal it, never log it."""

    number: str
    region_code: str
    born_on: date
    sex: Sex


def normalize_id(text: str) -> str:
    """The number as typed or printed in its one form: half-width, no spaces, upper-case X."""
    plain = half_width(text)
    return re.sub(r"[\s'\u200b\ufeff-]", "", plain).upper()


def check_character(first17: str) -> str:
    """The 18th character that belongs to these 17 digits (ISO 7064 MOD 11-2)."""
    total = sum(map(mul, WEIGHTS, map(int, first17)))
    return CHECK_CHARACTERS[total % 11]


def parse_id(text: str, on: date | None = None, field: str = "id_number") -> Identity:
    """Read a number that is already normalized. Raises `Malformed`; the value in it is masked.

    ``on`` is the day on which it is read: a birth date after it is refused.
    """
    why = id_problem(text, on)
    if why is not None:
        raise Malformed(field=field, value=mask_id(text), rule_zh=why[0], rule_en=why[1])
    born_on = _birth_date(text)
    assert born_on is not None
    sex: Sex = "male" if int(text[16]) % 2 else "female"
    return Identity(number=text, region_code=text[:6], born_on=born_on, sex=sex)


def id_problem(text: str, on: date | None = None) -> tuple[str, str] | None:
    """Why this cannot be an identity number, in Chinese and English; None if it can be."""
    if len(text) != 18:
        return (
            f"身份证号应为18位，现为{len(text)}位",
            f"it has {counted(len(text), 'character|characters')}, not 18",
        )
    if not re.fullmatch(r"[0-9]{17}[0-9X]", text, re.ASCII):
        return "前17位应为数字，末位为数字或大写X", "it takes 17 digits, then a digit or X"
    born_on = _birth_date(text)
    if born_on is None:
        return "出生日期不存在", "its birth date does not exist"
    if born_on.year < EARLIEST_BIRTH_YEAR or (on is not None and born_on > on):
        return "出生日期不合理", "its birth date is not possible"
    if check_character(text[:17]) != text[17]:
        return "校验码不正确，请核对是否输错", "its check character is wrong: please compare it"
    return None


def _birth_date(text: str) -> date | None:
    try:
        return date(int(text[6:10]), int(text[10:12]), int(text[12:14]))
    except ValueError:
        return None
