"""The OpenAPI document: every route as FastAPI describes it, and what it needs to be read alone."""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from api.writes import Write

TAGS: Final[dict[str, str]] = {
    "situation-reports": "灾情报告 · Reports of a disaster: 初报, 续报, 零报告, 核报, 退回, 签发",
    "reviews": "审核 · What waits to be reviewed",
    "deadlines": "时限 · What was to be reported, and by when",
    "rosters": "人员和房屋名册 · Rosters of casualties and of damaged homes",
    "disasters": "灾害过程和响应 · Disasters and responses",
    "dispatch": "调度 · Incidents and rescue units",
    "goods": "物资 · Stock and consignments",
    "funds": "资金 · Money by document",
    "households": "受灾户和人员 · Households and persons, importing lists",
    "seasons": "救助年度 · Seasons of the cold-season aid",
    "relief-cases": "救助申请和款物 · Applications and grants",
    "village-lists": "村级名册 · Village lists, from 户报 to payment",
    "ledger": "冬春台账 · The cold-season ledger",
    "findings": "疑点 · What contradicts itself",
    "areas": "区划 · Divisions",
    "officers": "人员 · Officers, posts and invitations",
    "rulebooks": "规则 · Deadlines, standards and thresholds",
    "work": "待办 · What waits for whom",
    "actions": "可办事项 · What may be done with a thing now",
    "receipts": "收条 · What became of a command",
    "search": "查找 · One box for everything",
    "timeline": "经过 · Who did what, and when",
    "past": "过去 · What changed between two moments",
    "live": "看板 · Boards that change by themselves (server-sent events)",
    "notices": "公示 · Public notices",
    "log-in": "登录 · Sessions, passwords, second factor",
    "system": "系统 · How the house stands",
    "setup": "建账 · Before the first log-in",
    "health": "健康检查 · For load balancers and monitors",
}
"""The parts of the document, in the order in which they are shown."""

PROBLEM_SCHEMA: Final = {
    "type": "object",
    "required": ["type", "title", "status", "zh", "en"],
    "properties": {
        "type": {"type": "string", "description": "Stable name of the rule"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "zh": {"type": "string"},
        "en": {"type": "string"},
        "facts": {"type": "object", "description": "Ids and figures of the refusal"},
        "errors": {"type": "array", "items": {"type": "object"}},
        "position": {"type": "integer"},
        "incident": {"type": "string"},
    },
}
RECEIPT_SCHEMA: Final = {
    "type": "object",
    "required": ["command", "position", "facts", "result"],
    "properties": {
        "command": {"type": "string", "format": "uuid"},
        "position": {"type": "integer"},
        "facts": {"type": "integer"},
        "result": {"type": "object"},
        "shown": {"type": "object", "description": "For this once, with Cache-Control: no-store"},
        "likely_same": {
            "type": ["array", "null"],
            "items": {"type": "object"},
            "description": "Of a report that begins: others of its area and hazard, at most an hour"
            " apart, the first 20. It is kept all the same; ask whoever sent it, and withdraw one."
            " null: the views have not seen it yet",
        },
        "parts": {
            "type": ["object", "null"],
            "description": "Of a report that begins, is verified or accepted: what the areas below"
            " had accepted and it does not say. hidden: dead and missing (own, parts); less:"
            " figures of shares by the name of a part. null: the views have not seen it yet",
        },
    },
}


def document_of(app: FastAPI, commands: Iterable[Write]) -> dict[str, Any]:
    """All routes of an application, with the parts that its references name."""
    document = get_openapi(
        title=app.title,
        version=app.version,
        description=app.description,
        routes=app.routes,
        tags=[{"name": name, "description": said} for name, said in TAGS.items()],
    )
    parts = document.setdefault("components", {}).setdefault("schemas", {})
    parts["Problem"] = PROBLEM_SCHEMA
    parts["Receipt"] = RECEIPT_SCHEMA
    for command in commands:
        parts.update(command.definitions())
    for schema in _bodies(document):
        parts.update(schema.pop("$defs", {}))
    return document


def _bodies(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The schemas of what is sent."""
    for path in document["paths"].values():
        for operation in path.values():
            for kind in operation.get("requestBody", {}).get("content", {}).values():
                yield kind["schema"]
