"""The days and moments that somebody sends: of a time that the ledger can speak of.

A year typed as 0218 or 20188 is a slip, and the first and last days that there are have no moment
in every time zone: what is reckoned from them ended in "the program failed".
"""

from collections.abc import Iterator
from dataclasses import is_dataclass
from datetime import date, datetime
from typing import Any, Final, get_args, get_type_hints

from pydantic import BaseModel

from api.plain_json import error_of
from api.problems import malformed

OLDEST: Final = date(1900, 1, 1)
NEWEST: Final = date(2199, 12, 31)
BEYOND: Final = (
    f"日期应在 {OLDEST.year} 年至 {NEWEST.year} 年之间，请核对年份",
    f"The date should lie between {OLDEST.year} and {NEWEST.year}: look at the year.",
)

_known: dict[type[Any], tuple[str, ...]] = {}


def _fields_with_days(kind: type[Any]) -> tuple[str, ...]:
    """The fields of a command, or of a part of one, that hold a day or a moment anywhere."""
    if kind not in _known:
        _known[kind] = tuple(
            name
            for name, hint in get_type_hints(kind).items()
            if _is_day(hint) or any(_fields_with_days(part) for part in _parts(hint))
        )
    return _known[kind]


def _parts(hint: Any) -> Iterator[type[Any]]:
    """What a type hint is made of that has fields."""
    if isinstance(hint, type) and (is_dataclass(hint) or issubclass(hint, BaseModel)):
        yield hint
    for inner in get_args(hint):
        yield from _parts(inner)


def _is_day(hint: Any) -> bool:
    return hint in (date, datetime) or any(_is_day(inner) for inner in get_args(hint))


def check_days(given: Any) -> None:
    """Raise 422 that names each field of a command, or of a list that came as a model, whose day
    lies before `OLDEST` or after `NEWEST`."""
    beyond = list(_inside(given, ""))
    if beyond:
        raise malformed([error_of(name, "date_range", *BEYOND) for name in beyond])


def _inside(value: Any, where: str) -> Iterator[str]:
    for name in _fields_with_days(type(value)):
        held = getattr(value, name)
        several = isinstance(held, tuple | list)
        for n, one in enumerate(held if several else (held,)):
            place = f"{where}{name}.{n}" if several else f"{where}{name}"
            if isinstance(one, date):
                day = one.date() if isinstance(one, datetime) else one
                if not OLDEST <= day <= NEWEST:
                    yield place
            elif is_dataclass(one) or isinstance(one, BaseModel):
                yield from _inside(one, f"{place}.")
