"""From rows of the matrix to requests: which area stands in which relation, and honest bodies."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from api.routes import WRITES
from domain.area import AreaLevel
from domain.world import Role
from tests.api.matrix import LETTERS, Row
from tests.api.seed import LEVEL, Place

RELATIONS = ("own", "child", "parent", "sibling", "none")
POSTED = dict.fromkeys(LETTERS.values(), "county") | {
    Role.VILLAGE_REPORTER: "yuantan_1",
    Role.TOWNSHIP_REVIEWER: "yuantan",
    Role.CITY_REVIEWER: "city",
    Role.PROVINCE_REVIEWER: "province",
}
"""Where the officer of each role sits who asks."""


def _relations(own: str, child: str, parent: str, sibling: str, none: str) -> dict[str, str]:
    """Names of areas by their relation to the officer's; "" where there is none."""
    named = zip(RELATIONS, (own, child, parent, sibling, none), strict=True)
    return {relation: area for relation, area in named if area}


ANYWHERE = {
    "yuantan_1": _relations("yuantan_1", "", "yuantan", "yuantan_2", "far_village"),
    "yuantan": _relations("yuantan", "yuantan_1", "county", "shuihou", "far_township"),
    "county": _relations("county", "yuantan", "city", "foreign_county", "far_county"),
    "city": _relations("city", "county", "province", "sister_city", "far_city"),
    "province": _relations("province", "city", "nation", "far_province", "far_county"),
}
IN_VILLAGES = {
    "yuantan_1": _relations("yuantan_1", "", "", "yuantan_2", "far_village"),
    "yuantan": _relations("", "yuantan_1", "", "shuihou_1", "far_village"),
    "county": _relations("", "yuantan_1", "", "foreign_village", "far_village"),
    "city": _relations("", "yuantan_1", "", "sister_village", "far_village"),
    "province": _relations("", "yuantan_1", "", "", "far_village"),
}
"""For things that only villages have: the village of that relation, or below an area of it."""
BELOW = {
    "yuantan": "yuantan_1",
    "shuihou": "shuihou_1",
    "county": "yuantan",
    "foreign_county": "foreign_township",
    "far_township": "far_village",
    "far_county": "far_township",
    "city": "county",
    "sister_city": "sister_county",
    "far_city": "far_county",
    "province": "city",
    "far_province": "far_city",
    "nation": "province",
}
VILLAGE_KINDS = frozenset({"village", "household", "person", "case", "village_list"})
ROLE_OF_LEVEL = {
    AreaLevel.VILLAGE: Role.VILLAGE_REPORTER,
    AreaLevel.TOWNSHIP: Role.TOWNSHIP_REVIEWER,
    AreaLevel.COUNTY: Role.COUNTY_APPROVER,
    AreaLevel.CITY: Role.CITY_REVIEWER,
    AreaLevel.PROVINCE: Role.PROVINCE_REVIEWER,
}
COMMANDS = {write.path: write for write in WRITES}
FRESH = {
    "FileInitialReport": "report",
    "PhoneInReport": "report",
    "RecordCasualty": "record",
    "RecordHouseDamage": "record",
    "DeclareDisaster": "disaster",
    "OpenIncident": "incident",
    "RegisterUnit": "unit",
    "ReceiveGoods": "lot",
    "RequestConsignment": "consignment",
    "RegisterOfficer": "person",
    "EngageOfficer": "person",
    "EngageProposed": "person",
}
"""Which field names the thing that the command makes."""
SAME = {
    "from_unit": "unit",
    "to_unit": "other_unit",
    "original": "other_incident",
    "to_fund": "fund",
    "successor": "other_officer",
    "substitute": "other_officer",
    "matter": "report",
    "keep": "household",
    "subject": "report",
}
AREA_FIELDS = frozenset({"area", "village", "warehouse", "destination", "source", "parent", "to"})


@dataclass(frozen=True)
class Cell:
    """One role asking for one route about one thing."""

    row: Row
    role: Role
    relation: str
    place: Place
    expected: str  # "allowed", "403" or "404"


def cells_of(row: Row, places: dict[str, Place]) -> Iterator[Cell]:
    """All cells of a row whose thing can exist there."""
    for role in LETTERS.values():
        relations = (IN_VILLAGES if row.kind in VILLAGE_KINDS else ANYWHERE)[POSTED[role]]
        for relation, governing in relations.items():
            at = BELOW.get(governing) if row.above else governing
            if at is None or not _is_there(row.kind, places[at]):
                continue
            yield Cell(row, role, relation, places[at], _expected(row, role, relation, governing))


def _is_there(kind: str, place: Place) -> bool:
    if kind == "season":  # a village's bodies name the season of its county
        return LEVEL[place.name] is not AreaLevel.VILLAGE and kind in place.ids
    return kind in ("area", "village") or kind in place.ids


def _expected(row: Row, role: Role, relation: str, governing: str) -> str:
    if row.below and relation == "parent":
        if row.roles is None or role in row.roles:
            return "allowed"
        # It runs in the officer's area, so that a query says whose it is; `api.actions` looks only
        # for posts that read it, and finds none.
        return "404" if row.path.startswith("/v1/actions/") else "403"
    if relation not in ("own", "child"):
        return "404"
    fits = row.roles is None or role in row.roles
    if row.level:
        fits = fits and ROLE_OF_LEVEL.get(LEVEL[governing]) is role
    return "allowed" if fits else "403"


def path_of(row: Row, place: Place) -> str:
    """The address with the ids of that place's things."""

    def fill(found: re.Match[str]) -> str:
        name = found.group(1)
        if name in ("code", "group_code"):
            return "03"
        return "1" if name in ("version", "number") else str(_id(name, row, place))

    filled = re.sub(r"{(\w+)}", fill, row.path)
    if row.method == "GET" and row.kind in ("area", "village") and "{" not in row.path:
        filled += f"?area={place.area}"
    return filled


def _id(name: str, row: Row, place: Place) -> UUID:
    if name == "id":  # of whatever the row is about
        name = row.kind
    if name in AREA_FIELDS:
        return place.area
    if name == "record":
        name = "casualty" if "casualty" in row.path else "damage"
    if name == "into":
        name = f"other_{row.kind}"
    return place.ids.get(SAME.get(name, name), UUID(int=1))


def body_of(row: Row, place: Place) -> dict[str, Any]:
    """The example body of the command, about things of that place."""
    if row.path == "/v1/rulebook-comparisons":  # asks, though it is posted: no command
        return {"area": str(place.area), "toml": 'kind = "notices"\n'}
    write = COMMANDS[row.path]
    made: dict[str, Any] = _about(write.body_example(), row, place, write.command.__name__)
    return made


def _about(value: Any, row: Row, place: Place, command: str, name: str = "") -> Any:
    if isinstance(value, dict):
        return {k: _about(v, row, place, command, k) for k, v in value.items()}
    if isinstance(value, list):
        return [_about(v, row, place, command, name) for v in value]
    if not isinstance(value, str) or not re.fullmatch(r"[0-9a-f-]{36}", value):
        return value
    if name == "id" or FRESH.get(command) == name:
        return str(uuid4())
    if name == "holder":
        name = "head" if command == "RecordCard" else "area"
    return str(_id(name, row, place))
