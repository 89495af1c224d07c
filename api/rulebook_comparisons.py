"""What rules would have decided otherwise in the last 12 months, before anybody puts them in force.

Asked part by part: ``next`` of an answer is the ``cursor`` of the question after it.
"""

from typing import Annotated, Any
from uuid import UUID

import msgspec
from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select
from starlette.concurrency import run_in_threadpool

from api.auth import Caller, caller_of, check_parameters, system_of, writing_session
from api.bodies import read_body
from api.comparing_sources import MOST_RESPONSES
from api.login import checked_as, documented
from api.permitting import not_allowed
from api.plain_json import object_of
from api.problems import malformed
from api.routes_reports import EVERYBODY
from api.rules_compared import Comparison, compared
from api.writes import RESPONSES
from domain.commands.rulebooks import CONFIRMERS
from domain.refusal import NotFound
from domain.rulebook import Edition, Rulebook
from domain.rules.loading import (
    TYPES,
    RulebookInvalid,
    RuleContent,
    located,
    parse_rulebook,
)
from domain.world import Role
from projections.areas import AREAS

router = APIRouter(tags=["rulebooks"])
ASKERS = CONFIRMERS | {Role.ADMINISTRATOR}
"""Who adopts rules, and who confirms them."""

CURSOR = r"^\d{1,2}:[0-9a-f-]{0,36}$"
NOT_COMPARED: dict[str, tuple[str, str]] = {
    "items": (
        "只比较发放过的物资是否仍在目录中；单价以批次为准，不受影响。",
        "Only whether goods that were given are still in the list. Their values are those of lots.",
    ),
    "household_kinds": (
        "只比较申请所用的家庭类型是否仍在目录中；档次和期限不比较。",
        "Only whether the kinds of applications are still in the list, not tiers and periods.",
    ),
    "hazards": (
        "只比较填报的灾种是否仍在目录中；续报间隔不比较。",
        "Only whether the hazards of reports are still in the list, not how often they follow up.",
    ),
    "notices": (
        "只比较公示到期时间；公示内容和撤下时间不比较。",
        "Only when notices end, not what they show and when they come down.",
    ),
    "dispatch": (
        "只比较接令时限；优先派遣的力量不比较。",
        "Only until when a unit acknowledges, not who is offered first.",
    ),
    "indicators": (
        "与下级数据和台账的核对不比较。",
        "Checks against the figures of the parts and against the rosters are not compared.",
    ),
    "thresholds": (
        "旱灾按农牧业人口比例的条件不比较：当时的人口数没有记录。"
        f"每次灾害只比较最近 {MOST_RESPONSES} 次响应决定。",
        "Shares of the farming population are not compared: the base was not recorded. Of each"
        f" disaster the latest {MOST_RESPONSES} decisions on responses are.",
    ),
    "standards": (
        "物资限量不比较。",
        "Allowances of goods are not compared.",
    ),
}
"""What of a kind is left out, told beside what is found."""


class Asked(BaseModel):
    """Either the text of a file, or the kind and version of what an area adopted."""

    model_config = ConfigDict(extra="forbid")
    area: UUID
    toml: str | None = None
    kind: Annotated[str | None, Field(max_length=60)] = None
    version: Annotated[str | None, Field(max_length=400)] = None
    cursor: Annotated[str | None, Field(pattern=CURSOR)] = None


def rule_asked(
    caller: Caller, area: UUID, toml: str | None, kind: str | None, version: str | None
) -> RuleContent:
    """The rules to compare. Raises `RulebookInvalid`, 404 for an unknown version, 422 for none."""
    if toml is not None:
        try:
            return parse_rulebook("TOML", toml).typed
        except RulebookInvalid as wrong:
            raise located(wrong, toml) from wrong
    if kind not in TYPES or version is None:
        rule = {"zh": "须提供规则文本，或类别和版本", "en": "give the text, or kind and version"}
        raise malformed([{"field": "toml", "rule": "missing", **rule}])
    id = Rulebook.id_of(area, kind)
    book = caller.system.store.load(id)
    editions: list[Edition] = book.editions if isinstance(book, Rulebook) else []
    for edition in editions:
        if edition.ref.version == version:
            return edition.typed(TYPES[kind]).rule
    raise NotFound(kind="Rulebook", id=id)


def comparison_of(
    caller: Caller, area: UUID, rule: RuleContent, cursor: str | None
) -> dict[str, Any]:
    """One part: what differs, how far it has come, and where it goes on."""
    scope = caller.scope(ASKERS, area)
    comparison = Comparison(caller, area, rule, caller.system.store.clock.now(), scope)
    part = compared(comparison, cursor)
    names = _names(caller, {one.area for one in part.found})
    left_out = NOT_COMPARED.get(rule.KIND)
    return {
        "kind": rule.KIND,
        "area": area,
        "from": comparison.since,
        "to": comparison.now,
        "done": part.done,
        "total": part.total,
        "items": [
            {
                "what": _both(one.difference.what),
                "before": _both(one.difference.before),
                "after": _both(one.difference.after),
                "at": one.difference.at,
                "area": one.area,
                "area_name": names.get(str(one.area), ""),
                "kind": one.kind,
                "id": one.id,
                "exercise": one.exercise,
            }
            for one in part.found
        ],
        "left_out": _both(left_out) if left_out is not None else None,
        "next": part.next,
    }


def _both(said: tuple[str, str]) -> dict[str, str]:
    return {"zh": said[0], "en": said[1]}


def _names(caller: Caller, areas: set[UUID]) -> dict[str, str]:
    asked = select(AREAS.c.id, AREAS.c.name).where(AREAS.c.id.in_([str(one) for one in areas]))
    with caller.system.reader() as db:
        return {row.id: row.name for row in db.execute(asked)}


@router.post(
    "/v1/rulebook-comparisons",
    summary="Which decisions of the last 12 months would rules have decided otherwise?",
    responses=RESPONSES,
    openapi_extra=documented(Asked),
)
async def compare(request: Request) -> Response:
    """``items`` of one part: what was decided, what would be, when, where; ``done`` of ``total``
    subjects were looked at. Ask on with ``cursor`` = ``next`` until it is null. Nothing is written.
    """
    session = await writing_session(request)
    check_parameters(request)
    system = system_of(request)
    refused = await not_allowed(system, session.officer, EVERYBODY, None)
    if refused is not None:
        raise refused
    body = await read_body(request, system.limits.body_bytes)
    asked = checked_as(Asked, object_of(body))

    def ask() -> dict[str, Any]:
        caller = caller_of(request)
        caller.actor(ASKERS, asked.area)
        rule = rule_asked(caller, asked.area, asked.toml, asked.kind, asked.version)
        return comparison_of(caller, asked.area, rule, asked.cursor)

    answer = msgspec.json.encode(await run_in_threadpool(ask), enc_hook=str)
    return Response(answer, media_type="application/json")
