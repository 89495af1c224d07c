"""Example bodies of commands, for the documentation: realistic values by field name, then by type.

Each example is a body that the command's own schema accepts; a test holds all of them to it.
"""

from copy import deepcopy
from dataclasses import MISSING, fields, is_dataclass
from datetime import date, datetime
from enum import StrEnum
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints
from uuid import UUID

from domain.ids import seeded_id
from domain.world import Command

MOMENT = "2018-07-04T15:00:00+08:00"
DAY = "2018-07-04"
SHA256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
FIGURES = {"affected": 120, "dead": 0, "injured": 2, "severely_injured": 1}
MEMBER = {"name": "王小明", "relation": "head", "id_number": "340824195001010012"}
CARD = {"number": "6217 0000 1234 5678", "bank": "潜山农商行"}

BY_NAME: dict[str, Any] = {
    "address": "源潭居委会三组 12 号",
    "age": 68,
    "amount_fen": 374_000_000,
    "attendees": 31,
    "bank": "潜山农商行",
    "card": CARD,
    "category": "hardship",
    "cause": "house_damaged",
    "certificate": "皖灾信 0001",
    "code": "340882101003",
    "details": "三户被洪水围困",
    "document_no": "潜应急〔2018〕12 号",
    "document_sha256": SHA256,
    "driver_name": "李师傅",
    "driver_phone": "13800000000",
    "earmark": ["winter_spring"],
    "figures": FIGURES,
    "full_name": "王小明",
    "group": "三组",
    "group_code": "03",
    "groups": [{"name": "第三村民小组", "code": "03"}],
    "hazard": "flood",
    "id_number": "340824195001010012",
    "item": "quilt",
    "latitude": 30.63,
    "level": 4,
    "login": "yuantan-wang",
    "longitude": 116.58,
    "members": [MEMBER],
    "minutes": {"held_on": DAY, "attendees": 31, "document_sha256": SHA256},
    "name": "源潭洪涝灾害",
    "narrative": "暴雨引发山洪",
    "need": {"persons": 1, "kinds": ["food"], "cause": "house_damaged"},
    "note": "已电话核实",
    "number": 1,
    "on": DAY,
    "opinion": "同意",
    "outcome": "人员已全部转移",
    "owner": "潜山市应急管理局",
    "owner_name": "王小明",
    "persons": 1,
    "phone": "13800000000",
    "photo_sha256": SHA256,
    "place": "源潭居委会三组",
    "post": "A",
    "priority": 2,
    "programme": "winter_spring",
    "quantity": 100,
    "reason": "入户核实",
    "relation": "本人",
    "remark": "两床受潮",
    "rooms": 3,
    "round": 1,
    "signed_by": "王小明",
    "size": 12,
    "source_document_no": "财建〔2018〕1 号",
    "step": "review",
    "text": "本户房屋受损，为何不在名单上？",
    "unit_value_fen": 12_000,
    "vehicle": "皖H00001",
    "version": 1,
    "year": 2018,
}

BY_COMMAND: dict[str, dict[str, Any]] = {
    "AddMember": {"member": {**MEMBER, "relation": "child"}},
    "AdoptRulebook": {
        "kind": "notices",
        "version": "2018-1",
        "valid_from": "2018-01-01",
        "content": {"first_days": 7, "second_days": 7},
    },
    "AdoptRulebookFile": {"toml": 'kind = "notices"\nversion = "2018-1"\n…'},
    "AppointOfficer": {"role": "village_reporter", "post": "A"},
    "ConfirmRulebook": {"version": "2018-1"},
    "CorrectGrant": {"cash_fen": 13_500},
    "EstablishArea": {"name": "新桥村", "level": "village", "code": "340882101003"},
    "ExcuseIdNumber": {"reason": "户籍未迁入，暂未办理居民身份证"},
    "IdentifyMember": {"member": MEMBER},
    "NameSubstitute": {"starts_on": DAY, "ends_on": "2018-07-20"},
    "EndAppointment": {"ends_on": "2018-12-31"},
    "OpenIncident": {"kind": "trapped"},
    "RearrangeVillages": {
        "established": [
            {
                "id": "8a0e4a5c-6d7c-4f0e-9a52-30c2b64b7f11",
                "code": "340882101004",
                "name": "皖源社区",
                "level": "village",
                "parent": "b1f3a1de-0d0b-5a53-8d0b-d6b4f2cf0a10",
            }
        ],
    },
    "RecordCard": CARD,
    "RecordHouseDamage": {"rooms": 3, "grade": "collapsed"},
    "RegisterUnit": {"name": "潜山市消防救援大队一中队"},
    "RenameArea": {"name": "源潭社区"},
    "RenameVillageGroup": {"name": "柳树组", "code": "03"},
    "EndVillageGroup": {"code": "03"},
}
"""What one command says differently from the others."""

NESTED: dict[str, dict[str, Any]] = {
    "AreaPlan": {"name": "新桥村", "level": "village", "code": "340882101003"},
    "FailureInput": {"reason": "账号有误"},
    "GrantInput": {"cash_fen": 13_500, "goods": [{"item": "quilt", "units": 1}]},
    "LotArrival": {"good": 98, "damaged": 1, "missing": 1},
}


def example_id(name: str) -> str:
    """The id of this name in all examples."""
    return str(seeded_id("example", name))


def example_of(command: type[Command]) -> dict[str, Any]:
    """All required fields and the optional ones people usually fill in, as JSON values.

    The caller may change it: it shares no list or object with other examples.
    """
    return deepcopy(_object(command, BY_COMMAND.get(command.__name__, {})))


OPTIONAL = frozenset(
    {"address", "bank", "card", "cash_fen", "certificate", "details", "driver_name", "driver_phone"}
    | {"group", "minutes", "narrative", "note", "opinion", "phone", "photo_sha256", "post"}
    | {"quantity", "relation", "remark", "round", "unit_value_fen"}
)


def _object(kind: type[Any], said: dict[str, Any]) -> dict[str, Any]:
    hints = get_type_hints(kind)
    made = {}
    for one in fields(kind):
        required = one.default is MISSING and one.default_factory is MISSING
        if one.name in said:
            made[one.name] = said[one.name]
        elif required or one.name in OPTIONAL:
            made[one.name] = _value(one.name, hints[one.name])
    return made


def _value(name: str, hint: Any) -> Any:
    """A value that fits the type; the name's own if there is one that fits."""
    if get_origin(hint) in (Union, UnionType):
        hint = next(part for part in get_args(hint) if part is not type(None))
    if hint is UUID:
        return example_id(name)
    if hint is datetime:
        return MOMENT
    if hint is date:
        return DAY
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        known = BY_NAME.get(name)
        return known if known in list(hint) else next(iter(hint)).value
    if get_origin(hint) is Literal:
        return get_args(hint)[0]
    if name in BY_NAME:
        return BY_NAME[name]
    if get_origin(hint) is tuple:
        return [_value(name.removesuffix("s"), get_args(hint)[0])]
    if is_dataclass(hint):
        kind = hint if isinstance(hint, type) else type(hint)
        return _object(kind, NESTED.get(kind.__name__, {}))
    plain: dict[Any, Any] = {bool: True, int: 1, float: 1.0, str: "说明"}
    return plain.get(hint, {})
