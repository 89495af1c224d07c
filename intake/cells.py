"""One cell's value, made plain: what people type into a list, and what it means.

Each function answers ``(value, rule)``: the plain value or None for an empty cell, and the name of
the rule that is broken, if one is. Nothing is repaired that could have been something else.
"""

import re
from datetime import date
from typing import Any, TypeAlias

from domain.half_width import half_width
from domain.invisible import hides_something
from domain.phone_number import NUMBER, read_phone

Read: TypeAlias = tuple[str | None, str | None]

HEAD_WORDS = frozenset({"户主", "本人", "户主本人"})
ERRORS = frozenset(
    {"#N/A", "#REF!", "#VALUE!", "#NAME?", "#DIV/0!", "#NUM!", "#NULL!", "#SPILL!", "#CALC!"}
)
"""What a spreadsheet shows where a formula has no result."""
_NOTHING = ERRORS | {
    *("", "无", "/", "\\", "-", "--", "—", "——", "暂无", "没有", "空", "NULL", "null")
}
_INVISIBLE = re.compile(r"[\u200b-\u200f\u202a-\u202e\u2060\ufeff\x00-\x08\x0e-\x1b\x7f]")
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1b\x7f]")
_SPACES = "".join(one for one in map(chr, range(0x10000)) if one.isspace())
_AT_THE_EDGES = _SPACES + "".join(filter(_INVISIBLE.match, map(chr, range(0x10000))))
"""What is stripped from a text's ends: as characters, since a pattern that ends with ``+$`` tries
each run of spaces anew from every one of them."""
_WIDE = str.maketrans(
    {
        wide: wide - 0xFEE0
        for low, high in ("０９", "ＡＺ", "ａｚ")
        for wide in range(ord(low), ord(high) + 1)
    }
    | {0x3000: " ", 0xA0: " "}
)
_SCIENTIFIC = re.compile(r"[0-9](?:\.[0-9]+)?[Ee]\+?[0-9]{1,2}")
_HAN_NAME = re.compile(r"[\u4e00-\u9fff]{2,4}")
# What most cells look like: nothing in them has to be changed.
_PLAIN_TEXT = re.compile(r"[\u4e00-\u9fff0-9A-Za-z()（）·、，。-]{1,100}")
_PARTED = re.compile(r"\d[\s\x00-\x1f\x7f]+\d")  # two numbers, a space or a lost mark between
_EXACT_DIGITS = 15  # a spreadsheet keeps 15 digits of a number
_LONGEST_TEXT = 200


def is_empty(value: Any) -> bool:
    return value is None or (isinstance(value, str) and not _bare(value))


def is_nothing(value: Any) -> bool:
    """Empty, or a word or a mark that says so; an error is not nothing."""
    if not isinstance(value, str):
        return value is None
    return _bare(value) in _NOTHING and value not in ERRORS


def text(value: Any) -> Read:
    """A name of a place, a kind, an address: half-width letters and digits, single spaces."""
    if value is None:
        return None, None
    if isinstance(value, str):
        if _PLAIN_TEXT.fullmatch(value) and value not in _NOTHING:
            return value, None
        plain = _shown(value)
        if hides_something(plain):
            return None, "invisible"
        plain = plain.translate(_WIDE)
    else:
        plain = _number(value)
    plain = " ".join(plain.split())
    if plain in _NOTHING:
        return None, None
    return (None, "text-too-long") if len(plain) > _LONGEST_TEXT else (plain, None)


def name(value: Any) -> Read:
    """A person's name. Spaces within a Han name go (张　三 is 张三), a middle dot becomes ·."""
    if value is None:
        return None, None
    if not isinstance(value, str):
        return None, "name-form"
    if _HAN_NAME.fullmatch(value) and value not in _NOTHING:
        return value, None
    shown = _shown(value)
    if hides_something(shown):
        return None, "invisible"
    plain = " ".join(shown.translate(_WIDE).split())
    if plain in _NOTHING:
        return None, None
    if not plain.isascii():
        plain = re.sub(r"[•‧∙・．●]", "·", plain)
        if not re.search(r"[A-Za-z]", plain):
            plain = plain.replace(" ", "")
    if len(plain) > 50 or re.search(r"[\d()（）【】\[\]/、，,;；:：]", plain):
        return None, "name-form"
    return plain, None


def id_number(value: Any) -> Read:
    """18 characters as in the document. Whether they can be right is for ``domain.identity``."""
    if value is None:
        return None, None
    if not isinstance(value, str):
        if isinstance(value, int | float) and abs(value) < 10**_EXACT_DIGITS:
            return _number(value), None
        return None, "id-stored-as-number"
    plain = digits(value)
    if plain in _NOTHING:
        return None, None
    if _SCIENTIFIC.fullmatch(plain):
        return None, "id-stored-as-number"
    return plain.upper(), None


def card(value: Any) -> Read:
    """An account number: digits, written with or without spaces and hyphens."""
    if value is None:
        return None, None
    if isinstance(value, int | float) and not isinstance(value, bool):
        if abs(value) >= 10**_EXACT_DIGITS:
            return None, "card-stored-as-number"
        plain = _number(value)
    else:
        plain = digits(str(value))
        if plain in _NOTHING:
            return None, None
        if _SCIENTIFIC.fullmatch(plain):
            return None, "card-stored-as-number"
        plain = plain.replace("-", "")
    if not plain.isascii() or not plain.isdecimal() or not 8 <= len(plain) <= 25:
        return None, "card-form"
    return plain, None


def phone(value: Any) -> Read:
    """One number, or several parted by a comma, a slash or a space. Hyphens go."""
    if value is None:
        return None, None
    if isinstance(value, str) and len(value) == 11 and NUMBER.fullmatch(value):
        return value, None
    plain = half_width(_bare(value)) if isinstance(value, str) else _number(value)
    if "".join(plain.split()) in _NOTHING:
        return None, None
    number = read_phone(re.sub(r"\.0$", "", plain))
    return (number, None) if number else (None, "phone-form")


def size(value: Any) -> tuple[int | None, str | None]:
    """How many people: 4, 4.0, "４", "4人". "3 4" is not 34: it may be three or four."""
    return _people(value, "size-form", least=1)


def need(value: Any) -> tuple[int | None, str | None]:
    """How many people of the household need relief: as `size`, but nobody may be."""
    return _people(value, "need-form", least=0)


def _people(value: Any, rule: str, *, least: int) -> tuple[int | None, str | None]:
    if value is None:
        return None, None
    if isinstance(value, str) and _PARTED.search(value):
        return None, rule
    plain = digits(value) if isinstance(value, str) else _number(value)
    if plain in _NOTHING:
        return None, None
    plain = plain.rstrip("人口")
    if not re.fullmatch(r"[0-9]{1,4}", plain) or not least <= int(plain) <= 99:
        return None, rule
    return int(plain), None


def village_code(value: Any) -> Read:
    """The 12 digits of a village in the statistical division codes."""
    if value is None:
        return None, None
    plain = digits(value) if isinstance(value, str) else _number(value)
    if plain in _NOTHING:
        return None, None
    if len(plain) != 12 or not plain.isascii() or not plain.isdecimal():
        return None, "village-code-form"
    return plain, None


def gender(value: Any) -> str | None:
    """男 or 女, or None for anything else: the ID number says it anyway."""
    plain = _bare(value) if isinstance(value, str) else ""
    return plain[:1] if plain[:1] in ("男", "女") else None


def birth(value: Any) -> date | None:
    """A date of birth as lists write it, or None if it is not a whole date."""
    plain = _bare(value).translate(_WIDE) if isinstance(value, str) else _number(value)
    parts = re.fullmatch(r"(\d{4})\D?(\d{1,2})\D?(\d{1,2})(?:日|T.*| .*)?", plain)
    if parts is None:
        return None
    try:
        return date(int(parts[1]), int(parts[2]), int(parts[3]))
    except ValueError:
        return None


def digits(value: str) -> str:
    """Text made of digits, as it was meant: half-width, no spaces, no marks of spreadsheets."""
    if value.isascii() and value.isalnum():
        return value
    plain = half_width(_bare(value))
    if plain.startswith('="') and plain.endswith('"'):
        plain = plain[2:-1]
    plain = "".join(plain.split()).strip("'‘’`\"")
    return re.sub(r"(?<=[0-9Xx])\.0+$", "", plain)


def _shown(value: str) -> str:
    """A text without what surrounds it and nobody sees; within it only its script's own marks."""
    return _CONTROL.sub("", value.strip(_AT_THE_EDGES))


def _bare(value: str) -> str:
    return (
        value.strip()
        if value.isascii() and value.isprintable()
        else (_INVISIBLE.sub("", value).strip())
    )


def _number(value: Any) -> str:
    """A number cell as text: 13805561234.0 is 13805561234."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 10**_EXACT_DIGITS:
        return str(int(value))
    return str(value)
