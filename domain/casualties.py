"""Deaths and missing are never hidden by aggregation (decision 0027).

The official dead and missing of an area are at least the sum of what its parts have had accepted,
unless a named person decided otherwise, with a reason. The one rule, for decisions and boards.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

import msgspec

CASUALTIES: Final = ("dead", "missing")
"""The figures that no sum may hide. Their keys are the same in every version of the indicators."""


class SetAside(msgspec.Struct, frozen=True):
    """A decision: the area's own figure ``kept`` counts although its parts say up to ``parts``.

    It ends by itself when the parts have more accepted than the person saw, or the own figure
    falls below the one that was kept.
    """

    kept: Decimal
    parts: Decimal


def official_casualties(
    own: Decimal | None, parts: Decimal | None, decided: SetAside | None = None
) -> Decimal | None:
    """What counts: the own figure, or the sum of the parts where that is larger and stands."""
    if parts is None or (own is not None and own >= parts):
        return own
    if decided is not None and own is not None and own >= decided.kept and parts <= decided.parts:
        return own
    return parts


def raised(
    own: Mapping[str, Decimal | None],
    parts: Mapping[str, Decimal | None],
    decided: Mapping[str, SetAside],
) -> dict[str, Decimal]:
    """The casualties of the parts that count instead of the own figures, by key."""
    found: dict[str, Decimal] = {}
    for key in CASUALTIES:
        mine = own.get(key)
        counts = official_casualties(mine, parts.get(key), decided.get(key))
        if counts is not None and counts != mine:
            found[key] = counts
    return found


def set_aside(
    own: Mapping[str, Decimal | None], parts: Mapping[str, Decimal | None]
) -> dict[str, SetAside]:
    """The decision that known own figures count although those of the parts are larger."""
    found: dict[str, SetAside] = {}
    for key in CASUALTIES:
        mine, theirs = own.get(key), parts.get(key)
        if mine is not None and theirs is not None and mine < theirs:
            found[key] = SetAside(kept=mine, parts=theirs)
    return found
