"""The parts that pages are made of, each in all its states, for whoever changes or judges a page.

The page calls the very macros that every other page calls, with made-up values: what is seen here
is what is shown there. Nothing on it is sent; a press shows how a form refuses (design.js).
"""

from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any, Final

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from api.words import rule_for
from domain.field_names import field_name
from domain.rules.indicators import Indicators
from web.acting import Act, Acts, Before, NotNow
from web.asking import Ask
from web.figures import COMMON, MAIN, arithmetic, names_for
from web.forms.form import Option
from web.i18n import Catalog, catalog
from web.paging import Leaf
from web.parts import AtDesk, Desk
from web.render import language_of

router = APIRouter(include_in_schema=False)

SAMPLE: Final = "Sample"
"""What the forms here send: no command is called so."""

ORDERED_FIRST: Final = (Before("order_consignment", ("county_approver", "city_reviewer")),)

BANNERS: Final = ("connecting", "live", "silent", "late", "stale")
CHIPS: Final = ("pending", "accepted", "issued", "returned", "overdue")


@router.get("/design")
async def design(request: Request, desk: AtDesk) -> Response:
    """Every component with its states, and the figures of a report with their one source."""
    language = language_of(request)
    words = catalog(language)
    names = await run_in_threadpool(names_for, desk.caller, None, desk.now, language)
    return await desk.show(
        request,
        "design.html",
        banners=BANNERS,
        states=CHIPS,
        made=_acts(words, desk.now),
        few=_few(words, desk.now),
        inputs=_inputs(words),
        leaf=Leaf(16, 30, "#parts", "#parts", 10_000, ""),
        work=_work(words, desk.now),
        told=_told(words, desk.now),
        figures=await run_in_threadpool(_figures, desk, language),
        names=names,
        main=MAIN,
        earlier=desk.now - timedelta(hours=3),
        titled=lambda one: one.title,
        absent={"absent": words.t("design.person")},
    )


def _ask(words: Catalog, name: str, draw: str, required: bool = True, **more: Any) -> Ask:
    """A field, called as it is called everywhere."""
    return Ask(name, field_name(name.split(".")[-1], words.language), draw, required, **more)


def _inputs(words: Catalog) -> list[Ask]:
    """One field of every way in which a form asks."""
    t = words.t
    few = tuple(Option(f"{n}", t(f"design.option_{n}")) for n in (1, 2, 3))
    many = tuple(Option(f"{n}", t("design.nth", n=n), group=t("design.group")) for n in range(1, 9))
    item = _ask(words, "lines.item", "list", options=few)
    count = _ask(words, "lines.quantity", "int", type="int")
    first = tuple(
        Ask(one.name.replace(".", ".0."), one.label, one.draw, True, one.type, options=one.options)
        for one in (item, count)
    )
    spare = tuple(
        Ask(one.name.replace(".", ".N."), one.label, one.draw, True, one.type, options=one.options)
        for one in (item, count)
    )
    return [
        _ask(words, "document_no", "line", hint=t("design.hint")),
        _ask(words, "reason", "text", required=False),
        _ask(words, "quantity", "int", type="int", value="12"),
        _ask(words, "amount_fen", "money", type="money"),
        _ask(words, "effective_on", "date", type="date"),
        _ask(words, "arrived_at", "datetime", type="datetime"),
        _ask(words, "kind", "radio", options=few, value="2"),
        _ask(words, "area", "list", options=many),
        _ask(words, "contested", "yesno", type="bool"),
        _ask(words, "cause", "said", options=few[:2]),
        _ask(words, "lines", "rows", parts=spare, rows=(first,)),
    ]


def _act(key: str, asks: tuple[Ask, ...], **more: Any) -> Act:
    id = f"sample-{key.replace('_', '-')}"
    return Act(SAMPLE, key, id, SAMPLE, "", "/design", asks, **more)


def _acts(words: Catalog, now: datetime) -> Acts:
    """A thing with a next step, other steps, a step on a page of its own, and closed ones."""
    t = words.t
    units = tuple(Option(f"{n}", t("design.nth", n=n), t("design.note")) for n in (1, 2))
    where = _ask(words, "unit", "radio", options=units)
    nothing = _ask(words, "stockpile", "list")
    return Acts(
        "samples",
        SAMPLE,
        "",
        (
            _act(
                "order_consignment",
                (_ask(words, "document_no", "line"),),
                undo=t("design.undo"),
                hint=t("design.hint"),
                first=True,
            ),
            _act("assign_unit", (), press=where),
            _act("cancel_consignment", (_ask(words, "reason", "text"),)),
            _act("write_off_goods", (nothing,), none={}),
            _act("merge_households", (), at="/design#acts"),
        ),
        (
            NotNow(SAMPLE, "ship_consignment", t("design.why"), None, ORDERED_FIRST),
            NotNow(SAMPLE, "triage_incident", t("design.why"), None, over=True),
            NotNow(SAMPLE, "close_consignment", t("design.why"), now + timedelta(days=7)),
        ),
    )


def _few(words: Catalog, now: datetime) -> list[tuple[str, Acts]]:
    """The same part where there is less: no next step; nothing at present."""
    reason = _act("return_fund", (_ask(words, "reason", "text"),))
    closed = (NotNow(SAMPLE, "close_consignment", words.t("design.why"), now + timedelta(days=7)),)
    return [
        ("no_next", Acts("samples", SAMPLE, "", (reason,))),
        ("none_open", Acts("samples", SAMPLE, "", (), closed)),
    ]


def _work(words: Catalog, now: datetime) -> list[SimpleNamespace]:
    """Lines of the work list: plain, overdue, lives at stake, for somebody who is absent."""
    base = {
        "matter": "report_review",
        "command": SAMPLE,
        "subject": SAMPLE,
        "area_name": words.t("design.place"),
        "title": words.t("design.disaster"),
        "number": 1,
        "kind": "incidents",
        "grave": 0,
        "overdue": False,
        "standing_for": None,
        "due_at": None,
        "since": (now - timedelta(hours=5)).isoformat(),
        "href": "/design",
    }
    due = (now - timedelta(hours=1)).isoformat()
    return [
        SimpleNamespace(**base),
        SimpleNamespace(**{**base, "overdue": True, "due_at": due}),
        SimpleNamespace(**{**base, "grave": 1, "overdue": True, "due_at": due}),
        SimpleNamespace(**{**base, "standing_for": "absent"}),
    ]


def _told(words: Catalog, now: datetime) -> list[dict[str, Any]]:
    """A history: by an officer, by the system, for somebody absent."""

    def row(position: int, hours: int, said: str, **more: Any) -> dict[str, Any]:
        return {
            "position": position,
            "at": (now - timedelta(hours=hours)).isoformat(),
            "actor_name": words.t("design.person"),
            "role": "county_approver",
            "standing_for_name": "",
            "said": words.t(said),
            "because": "",
            "link": "",
            **more,
        }

    return [
        row(1, 30, "act.request_consignment", standing_for_name=words.t("design.person")),
        row(2, 20, "act.order_consignment", because=words.t("design.because")),
        row(3, 2, "act.ship_consignment", actor_name="", role="system"),
    ]


def _figures(desk: Desk, language: str) -> list[dict[str, Any]]:
    """The common figures of a report as the rulebook in force has them: unit, kind, and each rule
    that a form and the server hold them to."""
    areas = desk.caller.areas()
    rules = rule_for(desk.caller, Indicators, areas[0], desk.now) if areas else None
    if rules is None:
        return []
    checks = arithmetic(rules, {}, verifying=False)
    found = []
    for key in COMMON:
        one = rules.find(key)
        if one is None:
            continue
        said = [rule[language] for rule in checks if key in (*rule["left"], *rule["right"])]
        found.append({"key": key, "number": one.number, "rules": said})
    return found
