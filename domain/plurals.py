"""Number and noun in English sentences: 1 report, 2 reports.

A sentence carries both forms behind the number's name, ``{n} {n:report|reports}``; Chinese ones
need no form. Sentences made in code say ``counted(n, "report|reports")``. A test walks catalogs and
code for a number before a plural that has no form for one.
"""

import re
from collections.abc import Mapping, Sequence
from string import Formatter
from typing import Any

FORMS = "|"
ENDINGS = ((r"ies$", "y"), (r"(?<=ch|sh|ss)es$", ""), (r"(?<=x)es$", ""), (r"(?<=[^s])s$", ""))


class _Sentence(Formatter):
    def format_field(self, value: Any, format_spec: str) -> str:
        if FORMS in format_spec:
            return form(value, format_spec)
        return str(format(value, format_spec))


_SENTENCE = _Sentence()


def fill(sentence: str, values: Mapping[str, Any] | Sequence[Any]) -> str:
    """A sentence with its values, and of each word in two forms the one its number takes."""
    named, placed = (values, ()) if isinstance(values, Mapping) else ({}, values)
    if FORMS not in sentence:
        return sentence.format(*placed, **named)
    return _SENTENCE.vformat(sentence, placed, named)


def form(number: object, forms: str) -> str:
    """The form a number takes, of "report|reports"; a number may be written already ("1")."""
    one, _, more = forms.partition(FORMS)
    return one if str(number) == "1" else more


def counted(number: object, forms: str) -> str:
    """1 report, 2 reports: ``forms`` is "report|reports"."""
    return f"{number} {form(number, forms)}"


def unit_of(number: object, unit: str) -> str:
    """A rulebook's English unit behind a number: 1 quilt, 2 quilts; km and head stay."""
    if str(number) != "1":
        return unit
    for ending, instead in ENDINGS:
        if re.search(ending, unit):
            return re.sub(ending, instead, unit)
    return unit
