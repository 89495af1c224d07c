"""Things by name or number: what an officer types to look one up, in place of its id.

Each kind is asked through its own view and jurisdiction; a household is found by the vault's index.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import or_, select
from starlette.concurrency import run_in_threadpool

from api.routes import read_of
from projections.areas import AREAS
from projections.asking.fund_books import funds
from projections.asking.officer_lists import officers
from projections.asking.report_queries import situation_reports
from projections.disasters import disasters
from projections.dispatch import incidents
from projections.households import households
from projections.lists import village_lists
from projections.sections.consignments import consignments
from projections.timeline import timeline
from web.formats import china
from web.parts import Desk

MOST: Final = 10
"""Shown of one kind; ``more`` says that there are others."""

LOOKED_AT: Final = 1000


@dataclass(frozen=True)
class Kind:
    """A kind of thing: its view, where its id stands, what names it, and what is searched."""

    key: str
    query: Callable[..., Any]
    id: str
    names: tuple[str, ...]
    searched: tuple[str, ...]
    by_view: str = ""  # the view's own parameter that takes the text


KINDS: Final = (
    Kind("disaster", disasters, "id", ("name",), ("name",)),
    Kind(
        "situation_report",
        situation_reports,
        "report",
        ("area_name", "occurred_at"),
        ("area_name", "area_code"),
    ),
    Kind("household", households, "id", ("head_masked", "village_name"), (), by_view="search"),
    Kind(
        "village_list",
        village_lists,
        "id",
        ("township_name", "village_name", "year"),
        ("village_name", "township_name", "document_no", "allocation_document_no"),
    ),
    Kind("incident", incidents, "id", ("place", "area_name"), ("place", "details")),
    Kind(
        "consignment",
        consignments,
        "id",
        ("document_no", "destination_name"),
        ("document_no", "vehicle", "destination_name"),
    ),
    Kind("fund", funds, "id", ("document_no", "holder_name"), ("document_no",)),
    Kind("officer", officers, "id", ("masked_name", "login"), ("login", "masked_name")),
)


async def found_by(desk: Desk, text: str) -> tuple[list[dict[str, Any]], bool]:
    """``(things, more)``: each thing with kind_key, id and what names it. Empty text: nothing."""
    wanted = text.strip().casefold()
    if not wanted:
        return [], False
    things = await run_in_threadpool(_areas, desk, wanted)
    more = len(things) > MOST
    things = things[:MOST]
    for kind in KINDS:
        if not desk.may_ask(kind.query):
            continue
        given: dict[str, Any] = {kind.by_view: text.strip()} if kind.by_view else {}
        if kind.query is consignments:
            given["at"] = desk.now
        rows = (await desk.ask(kind.query, limit=LOOKED_AT, **given)).items
        fits = [row for row in rows if kind.by_view or _fits(row, kind, wanted)]
        more = more or len(fits) > MOST
        things += [_thing(kind, row) for row in fits[:MOST]]
    return things, more


def _fits(row: dict[str, Any], kind: Kind, wanted: str) -> bool:
    return any(wanted in str(row[name] or "").casefold() for name in kind.searched)


def named(query: Callable[..., Any], row: dict[str, Any]) -> dict[str, Any]:
    """A row of a view of `KINDS` as a thing: ``kind_key``, ``id`` and ``name``."""
    return _thing(next(kind for kind in KINDS if kind.query is query), row)


def _thing(kind: Kind, row: dict[str, Any]) -> dict[str, Any]:
    said = [_said(name, row[name]) for name in kind.names if row[name]]
    return {"kind_key": kind.key, "id": row[kind.id], "name": " ".join(said)}


def _said(name: str, value: Any) -> str:
    if not name.endswith("_at"):
        return str(value)
    return china(datetime.fromisoformat(value)).strftime("%Y-%m-%d %H:%M")


def _areas(desk: Desk, wanted: str) -> list[dict[str, Any]]:
    a = AREAS.c
    scope = desk.caller.scope(read_of(timeline).roles, None)
    query = (
        select(a.id, a.name, a.code)
        .where(scope.covers(a.id))
        .where(
            or_(
                a.name.contains(wanted, autoescape=True), a.code.startswith(wanted, autoescape=True)
            )
        )
        .order_by(a.code)
        .limit(MOST + 1)
    )
    with desk.caller.system.reader() as db:
        rows = db.execute(query).all()
    return [{"kind_key": "area", "id": one.id, "name": f"{one.name} {one.code}"} for one in rows]
