"""How sentences say values: names for ids, China time, yuan, and states as people call them.

A refusal keeps ids, figures and keys; what a reader sees is said here, when it is read. An id whose
name is not known to the reader is left out: "报告已撤销" reads better than any number would.
"""

import re
from collections.abc import Mapping
from datetime import date, datetime
from enum import Enum
from typing import Any
from uuid import UUID

from domain.field_names import field_name
from domain.plurals import fill
from domain.rules.base import CHINA
from domain.rules.thresholds import CHINESE, ROMAN
from domain.world import ROLE_NAMES

NOTHING = ("", "-")
UNSAID = ("（未填）", "(not given)")
"""What a sentence says in place of a text that is empty: outcomes of earlier days have such ones.
In brackets it is left out."""

Names = Mapping[UUID | str, tuple[str, str]]
"""Chinese and English by id, and by key of a rulebook's item or kind."""

STATES = {
    "abolished": ("已撤销", "abolished"),
    "accepted": ("已采用", "accepted"),
    "acknowledged": ("已接令", "acknowledged"),
    "allocated": ("已分配", "allocated"),
    "applied": ("户报", "applied"),
    "appraised": ("村评", "appraised"),
    "approved": ("县定", "approved"),
    "arrived": ("已到达", "arrived"),
    "assigned": ("已派", "assigned"),
    "cancelled": ("已取消", "cancelled"),
    "city": ("市", "city"),
    "closed": ("已办结", "closed"),
    "collapsed": ("倒塌", "collapsed"),
    "county": ("县", "county"),
    "decided": ("已有处理结果", "decided"),
    "dead": ("死亡", "dead"),
    "draft": ("村级办理", "in the village"),
    "duplicate": ("重复", "duplicate"),
    "en_route": ("途中", "en route"),
    "failed": ("退票", "bounced"),
    "first": ("第一次", "first"),
    "found": ("已找到", "found"),
    "granted": ("待发放", "to be delivered"),
    "in_stock": ("有库存", "in stock"),
    "in_force": ("现行", "in force"),
    "injured": ("受伤", "injured"),
    "issued": ("已签发", "issued"),
    "listed": ("已列入名册", "on the list"),
    "has_money": ("有结余", "has money left"),
    "merged": ("已合并", "merged"),
    "missing": ("失踪", "missing"),
    "nation": ("全国", "national"),
    "off_duty": ("不在岗", "off duty"),
    "offered": ("待迁入地接收", "offered to another county"),
    "on_duty": ("在岗", "on duty"),
    "on_list": ("已列入名册", "on the list"),
    "on_scene": ("已到场", "on scene"),
    "open": ("进行中", "open"),
    "ordered": ("已下令", "ordered"),
    "out_of_stock": ("无库存", "out of stock"),
    "paid": ("已打卡", "paid"),
    "pending": ("未审", "not reviewed"),
    "province": ("省", "province"),
    "refunded": ("已退回", "refunded"),
    "refused": ("不予救助", "refused"),
    "registered": ("在册", "on the register"),
    "requested": ("已申请", "requested"),
    "resolved": ("处置完毕", "resolved"),
    "returned": ("已退回", "returned"),
    "reviewed": ("乡审", "reviewed"),
    "second": ("第二次", "second"),
    "severely_damaged": ("严重损坏", "severely damaged"),
    "shipped": ("已发出", "shipped"),
    "signed": ("已签领", "signed for"),
    "slightly_damaged": ("一般损坏", "slightly damaged"),
    "spent": ("已用完", "spent"),
    "stabilized": ("灾情稳定", "stabilized"),
    "township": ("乡镇", "township"),
    "suspended": ("已停职", "suspended"),
    "triaged": ("待派", "triaged"),
    "unassigned": ("未指派", "not assigned"),
    "village": ("村", "village"),
    "unconfirmed": ("有待确认的版本", "with a version to be confirmed"),
    "void": ("已作废", "void"),
    "waiting": ("待处理", "waiting for a decision"),
    "withdrawn": ("已撤回", "withdrawn"),
}
"""States, stages, levels and grades of all life cycles, by the key that facts have."""

KINDS = {
    "Appointment": ("任职", "appointment"),
    "Area": ("区划", "area"),
    "CasualtyRecord": ("人员伤亡登记", "casualty record"),
    "Consignment": ("调拨", "consignment"),
    "Disaster": ("灾害过程", "disaster"),
    "Dispensation": ("例外批准", "dispensation"),
    "Form": ("表", "form"),
    "Fund": ("资金", "fund"),
    "HouseDamage": ("房屋损坏登记", "house damage record"),
    "Household": ("户", "household"),
    "Import": ("导入", "import"),
    "Incident": ("险情", "incident"),
    "LateNumber": ("补登的身份证号", "ID number given later"),
    "LoginName": ("登录名", "log-in name"),
    "ProviderIdentity": ("统一身份账号", "account at the identity provider"),
    "Lot": ("批次", "lot"),
    "Notice": ("公示", "notice"),
    "Objection": ("异议", "objection"),
    "Officer": ("人员", "officer"),
    "Page": ("页面", "page"),
    "ParkedFacts": ("搁置记录", "list of parked facts"),
    "Person": ("个人", "person"),
    "PostProposal": ("任免建议", "proposal about a post"),
    "Receipt": ("回执", "receipt"),
    "ReliefCase": ("救助对象", "relief case"),
    "Rulebook": ("规则", "rulebook"),
    "Season": ("救助年度", "season"),
    "SituationReport": ("灾情报告", "report"),
    "Stockpile": ("库存", "stockpile"),
    "Store": ("账本", "store"),
    "Subject": ("事项", "subject"),
    "Substitution": ("代岗", "substitution"),
    "Unit": ("救援力量", "unit"),
    "VillageList": ("村级名册", "village list"),
}
"""What facts are about, by the name of the aggregate."""

INCIDENT_KINDS = {
    "trapped": ("人员被困", "People trapped"),
    "missing": ("人员失联", "People missing"),
    "injured": ("人员受伤", "People injured"),
    "collapse": ("房屋倒塌", "House collapsed"),
    "landslide": ("山体滑坡", "Landslide"),
    "flooding": ("进水受淹", "Flooding"),
    "road_cut": ("道路中断", "Road cut"),
    "power_cut": ("电力、通信中断", "Power or phones cut"),
    "fire": ("火情", "Fire"),
    "shortage": ("缺水缺粮", "Water or food short"),
    "other": ("其他险情", "Something else"),
}
"""Kinds of incidents as the pages say them."""

RULES = {
    "condolence": ("遇难人员家属抚慰", "condolence"),
    "deadlines": ("报送时限", "deadlines"),
    "dispatch": ("调度", "dispatch"),
    "drought": ("旱灾救助", "drought relief"),
    "emergency": ("应急救助", "emergency relief"),
    "hazards": ("灾种", "hazards"),
    "housing": ("倒损房救助", "housing relief"),
    "household_kinds": ("家庭类型", "household kinds"),
    "indicators": ("统计指标", "indicators"),
    "items": ("物资目录", "items"),
    "notices": ("公示", "notices"),
    "standards": ("救助标准", "standards"),
    "thresholds": ("响应启动条件", "thresholds"),
    "transitional": ("过渡期救助", "transitional relief"),
    "winter_spring": ("冬春救助", "winter and spring relief"),
    "working_days": ("工作日", "working days"),
}
"""Kinds of rulebooks and programmes of relief, by key."""

KEYED = {
    "category",
    "earmark",
    "fate",
    "grade",
    "item",
    "kind",
    "level",
    "needed",
    "notice",
    "parent_level",
    "phase",
    "programme",
    "review",
    "role",
    "stage",
    "state",
}
"""Fields of refusals that hold keys, or several of them with signs between."""

WORD = re.compile(r"[A-Za-z][A-Za-z_]+")
STAMP = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)")
ID = re.compile(r"\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b")
CJK = r"\u3000-\u303f\u3400-\u9fff\uff00-\uffef“”"
GAP = re.compile(rf"(?<=[{CJK}]) +(?=[{CJK}])|(?<=[{CJK}]) +(?=[,.;:])")


def told(template: str, facts: Mapping[str, Any], language: str, names: Names | None) -> str:
    """A sentence over the facts of a refusal."""
    values = {name: spoken(name, value, language, names or {}) for name, value in facts.items()}
    for name, value in facts.items():
        if isinstance(value, str) and value.strip() in NOTHING:
            in_brackets = re.compile(rf" ?[（(]{{{name}}}[)）]")
            template = in_brackets.sub("", template)
            values[name] = UNSAID[0 if language == "zh" else 1]
    return tidied(fill(template, values))


def spoken(field: str, value: Any, language: str, names: Names) -> str:
    """A value of a refusal's field as a sentence says it; an id without a name is empty."""
    which = 0 if language == "zh" else 1
    if isinstance(value, UUID):
        return names[value][which] if value in names else ""
    if isinstance(value, tuple):
        joint = "、" if which == 0 else ", "
        return joint.join(said for one in value if (said := spoken(field, one, language, names)))
    if isinstance(value, datetime):
        return moment(value, language)
    if isinstance(value, date):
        return _day(value, language)
    if isinstance(value, bool):
        return (("是", "yes") if value else ("否", "no"))[which]
    if field.endswith("_fen") and isinstance(value, int):
        return yuan(value, language)
    if isinstance(value, Enum):
        value = value.value
    if field == "level" and isinstance(value, int):
        return (CHINESE, ROMAN)[which].get(value, str(value))
    if field == "field" and isinstance(value, str):
        return field_name(value, language, names)
    if field in KEYED and isinstance(value, str):
        return _keys(value, which, names)
    if isinstance(value, str):
        value = STAMP.sub(lambda found: _stamped(found[0], language), value)
        return ID.sub(lambda found: names.get(UUID(found[0]), ("", ""))[which], value)
    return str(value)


def tidied(sentence: str) -> str:
    """A sentence from which values may have been left out, without the gaps they leave."""
    sentence = re.sub(r"[（(]\s*[)）]", "", sentence)
    sentence = re.sub(r" +(?=[ .,;:)](?!\d))", "", sentence)
    sentence = re.sub(r"([:：])\s*$", "", sentence.strip())
    return GAP.sub("", sentence)


def moment(at: datetime, language: str) -> str:
    """China time to the minute: 2018年7月4日 11:00, 4 July 2018 11:00."""
    try:
        there = at.astimezone(CHINA)
    except OverflowError:  # the first and the last day that there is, as somebody typed it
        there = at
    return f"{_day(there.date(), language)} {there:%H:%M}"


def _stamped(text: str, language: str) -> str:
    """A moment that is written in a text; what only looks like one stays as it was typed."""
    try:
        return moment(datetime.fromisoformat(text), language)
    except ValueError:
        return text


def yuan(fen: int, language: str) -> str:
    """Money as people say it, on pages and in sentences: 3,200.50 元, ¥3,200.50."""
    sign, whole = "-" if fen < 0 else "", abs(fen)
    amount = f"{whole // 100:,}.{whole % 100:02d}"
    return f"{sign}{amount} 元" if language == "zh" else f"{sign}¥{amount}"


def _day(day: date, language: str) -> str:
    if language == "zh":
        return f"{day.year}年{day.month}月{day.day}日"
    return f"{day.day} {day:%B} {day.year}"


def _keys(text: str, which: int, names: Names) -> str:
    """Keys, alone or in a row, as people call them; what is no key stays."""
    roles = {role.value: said for role, said in ROLE_NAMES.items()}
    known: dict[str, tuple[str, str]] = {**RULES, **STATES, **KINDS, **roles}

    def said(found: re.Match[str]) -> str:
        key = found[0]
        return (names.get(key) or known.get(key) or (key, key))[which]

    row = WORD.sub(said, text)
    return row.replace(" / ", "、").replace(", ", "、") if which == 0 else row
