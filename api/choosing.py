"""What a store is begun for: a county, or a city with some of its counties, from the register."""

from collections.abc import Sequence

import msgspec

from domain.area import AreaLevel
from domain.refusal import Malformed, missing
from intake.register import Division, Register

MOST_NAMED = 20
"""Divisions that a refusal names."""


class Choice(msgspec.Struct, frozen=True):
    """What a store is begun for, by keys of the register: ``seat`` is a county, or a city with
    some of its ``counties``. ``left_out``: villages of the register that are not established.
    ``training``: a store to practice in, see decision 0061."""

    seat: str
    counties: tuple[str, ...]
    left_out: tuple[str, ...] = ()
    training: bool = False


def county_of(register: Register, wanted: str) -> Division:
    """The county of a code or a name. `Malformed` names those that it may be, if it is not one."""
    wanted = wanted.strip()
    found = register.find(wanted)
    if found is None:
        hits = [one for one in register.search(wanted) if one.level is AreaLevel.COUNTY]
        named = "".join(wanted.split())
        same = [one for one in hits if named in (one.name, one.path.replace(" ", ""))]
        hits = same or hits
        if len(hits) != 1:
            raise _not_one("county", wanted, hits)
        return hits[0]
    if found.level is not AreaLevel.COUNTY:
        raise _not_one("county", wanted, register.children(found.key))
    return found


def city_of(
    register: Register, wanted: str, counties: Sequence[str]
) -> tuple[Division, tuple[Division, ...]]:
    """A city and some of its counties, by codes or names. `Malformed` if they are not its own."""
    found = register.find(wanted.strip())
    if found is None:
        hits = [one for one in register.search(wanted) if one.level is AreaLevel.CITY]
        found = hits[0] if len(hits) == 1 else None
    if found is None or found.level is not AreaLevel.CITY:
        raise _not_one("city", wanted, [])
    there = register.children(found.key)
    chosen: dict[str, Division] = {}
    for county in counties:
        fits = [one for one in there if county.strip() in (one.code, one.name)]
        if len(fits) != 1:
            raise _not_one("counties", county, there)
        chosen[fits[0].key] = fits[0]
    if not chosen:
        raise missing("counties")
    return found, tuple(chosen[key] for key in sorted(chosen))


def choice_of(
    register: Register,
    seat: Division,
    counties: Sequence[Division],
    left_out: Sequence[str] | None = None,
    *,
    training: bool = False,
) -> Choice:
    """The choice of all villages but ``left_out`` (default: those that only statistics know)."""
    below = [one for county in counties for one in register.below(county.key)]
    villages = {one.key for one in below if one.level is AreaLevel.VILLAGE}
    if left_out is None:
        left_out = [one.key for one in below if one.virtual]
    for key in left_out:
        if key not in villages:
            raise _not_one("left_out", key, [])
    keys = tuple(one.key for one in counties)
    return Choice(seat.key, keys, tuple(sorted(set(left_out))), training)


def _not_one(field: str, wanted: str, there: Sequence[Division]) -> Malformed:
    known = "、".join(f"{one.code} {one.path.replace(' ', '')}" for one in there[:MOST_NAMED])
    return Malformed(
        field=field,
        value=wanted,
        rule_zh=f"须是其中之一：{known}" if there else "区划登记册中没有",
        rule_en=f"it is one of {known}" if there else "the register has none",
    )
