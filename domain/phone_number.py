"""Telephone numbers as people in China write them: the one rule for whoever's number it is.

No document of the field sets a form (derived): mobile numbers have 11 digits and begin with 1,
landlines 7 or 8 digits, most with an area code that begins with 0; 400 and 800 numbers have 10.
A number from abroad begins with + and its country. Spaces, hyphens and brackets say nothing.
Whoever calls for help may call from a service that has a short number: 110 passes on a call.
"""

import re

from domain.half_width import half_width
from domain.masking import mask_phone
from domain.refusal import Malformed

NUMBER = re.compile(
    r"(?:\+?86)?1[0-9]{10}|0[0-9]{9,11}|[2-9][0-9]{6,7}|[48]00[0-9]{7}|\+(?!86)[1-9][0-9]{6,14}"
)
SHORT = re.compile(r"1[12][0-9]|12[0-9]{3}|95[0-9]{3,4}|96[0-9]{3,4}")
"""110, 119, 120, 122; 12345, 12350; services of a province or of the country."""
MOST = 4
"""So many numbers of one person stand in one field."""

RULE_ZH = "应为11位手机号、带区号的座机号或7至8位座机号，有几个的用顿号隔开（最多4个）"
RULE_EN = (
    "a mobile number of 11 digits, a landline with its area code, or 7 or 8 digits; several are "
    "parted by a comma (at most 4)"
)


def read_phone(text: str, *, short: bool = False) -> str | None:
    """The number, or several joined by 、, without what stands between their digits; "" for
    nothing, None if it is no number. ``short``: that of a service will do.

    >>> read_phone("0556-8921234/１３８００００００００"), read_phone("12")
    ('05568921234、13800000000', None)
    """
    plain = half_width(text).strip()
    joined = re.sub(r"[\s\-()]", "", plain)
    if not joined:
        return ""
    parts = [joined]
    if not _is_number(joined, short):
        parts = [one for one in re.split(r"[,/;、\s]+", re.sub(r"[\-()]", "", plain)) if one]
    if len(parts) > MOST or not all(_is_number(part, short) for part in parts):
        return None
    return "、".join(parts)


def _is_number(digits: str, short: bool) -> bool:
    return bool(NUMBER.fullmatch(digits) or (short and SHORT.fullmatch(digits)))


def checked_phone(field: str, text: str | None, *, short: bool = False) -> str:
    """The number as `read_phone` reads it; "" where none is given. Else `Malformed`."""
    number = read_phone(text or "", short=short)
    if number is None:
        rule_zh, rule_en = RULE_ZH, RULE_EN
        if short:
            rule_zh += "；来电转自110、119、12345等的，可填该短号"
            rule_en += "; or the short number of a service that passed the call on"
        raise Malformed(
            field=field,
            value=mask_phone((text or "").strip()[:40]),
            rule_zh=rule_zh,
            rule_en=rule_en,
        )
    return number
