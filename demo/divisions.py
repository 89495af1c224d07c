"""The demo's divisions, from the extract of the 2023 register (see ``data/SOURCES.md``)."""

import csv
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

DATA = Path(__file__).resolve().parent / "data"

NATION = "0"
PROVINCE = "34"
CITY = "3408"
COUNTY = "340882"
NEIGHBOR = "340825"
SMALL_TOWNSHIP = "340882101"
SMALL_VILLAGES = ("340882101002", "340882101206", "340882101207")
"""源潭镇 with 双峰居委会 (named in the published report), 斗塘村 and 永济村."""
RESORT = "340882401"
"""旅游度假区: a statistical zone with one virtual community, not counted by the 2019 report."""


@dataclass(frozen=True, slots=True)
class Division:
    """One division: its code and name of 2023, its level, the code of its parent."""

    code: str
    name: str
    level: str
    parent: str | None


def read_divisions() -> tuple[Division, ...]:
    """All divisions of the extract, parents before children."""
    with (DATA / "divisions.csv").open(encoding="utf-8", newline="") as file:
        return tuple(
            Division(row["code"], row["name"], row["level"], row["parent"] or None)
            for row in csv.DictReader(file)
        )


def read_published() -> dict[str, Any]:
    """The published figures of the county: the ground truth of the totals."""
    published: dict[str, Any] = json.loads(
        (DATA / "qianshan-2018.json").read_text(encoding="utf-8")
    )
    return published


def of_the_demo(divisions: Sequence[Division], small: bool) -> tuple[Division, ...]:
    """What a demo of this size establishes: everything, or one township with three villages.

    The neighboring county keeps its township and village in both, so that there is always
    somebody outside the jurisdiction.
    """
    if not small:
        return tuple(divisions)
    return tuple(
        division
        for division in divisions
        if not division.code.startswith(COUNTY)
        or division.code in (COUNTY, SMALL_TOWNSHIP, *SMALL_VILLAGES)
    )
