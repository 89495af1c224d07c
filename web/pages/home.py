"""Home: a work list. What waits for me, what is overdue, what I wait for, what I did lately."""

from collections.abc import Iterator, Sequence
from typing import Any, Final
from uuid import UUID

import msgspec
from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from api.auth import Caller
from api.duties import gathered_dues
from api.house import whole
from api.known_at import moment_asked
from api.words import Words, words_of
from api.work import RULES, Whose, Work, rules_waiting, work_of
from domain.area import AreaLevel
from domain.commands.reports import FIRST_FILERS
from domain.commands.reviews import ANY_REVIEWER
from domain.refusal import NotFound
from domain.world import Role
from projections.asking.accepted_below import accepted_below
from projections.asking.ending_posts import SOON_DAYS
from projections.asking.officer_lists import officer_counts
from projections.asking.report_queries import situation_report
from projections.asking.work import MATTERS
from projections.findings import finding_counts
from web.figures import Names, names_for
from web.i18n import catalog
from web.pages.lists import parts_left_on
from web.pages.officers import ADMINISTRATORS
from web.pages.rulebooks import calendar_asked, unconfirmed_here
from web.pages.system import pressing
from web.pages.timeline import shaped
from web.pages.together import BYTES, TOGETHER, offered, taken
from web.pages.together import ROWS as TAKEN_AT_ONCE
from web.pages.year_end import ending_soon
from web.pages.zero_reports import owed_zeros
from web.paging import ROWS, Turn, Turned
from web.parts import AtDesk, Desk, url
from web.render import language_of
from web.reporting import all_due_marks, place_of, show
from web.session import own_key, read_fields, require_token
from web.ticked import Ticked, ticked_in

router = APIRouter(include_in_schema=False)

SHOWN: Final = 6
DESKS: Final = {"report_review": "/review", "report_issue": "/review"}
"""Where all of a matter stand beside each other with what they change and their buttons."""
GROUPS: Final = (
    "incident",
    "disaster",
    "report",
    "consignment",
    "village_list",
    "household",
    "office",
)
"""The matters of home by what they are about, in the order of the page."""
GROUP_OF: Final = {
    "response": "disaster",
    "grant": "village_list",
    "village": "village_list",
    "contest": "household",
    "proposal": "office",
    "rulebook": "office",
}
"""The first word of a matter that does not name its group."""


@router.get("/")
async def home(request: Request, desk: AtDesk, whose: Whose = "mine") -> Response:
    """What waits for my roles, by group and matter; duties; figures that do not fit those below;
    for an administrator who was invited and has never logged in."""
    work: Work | None = None
    untold: list[dict[str, Any]] = []
    odd: dict[str, int] = {}
    if desk.caller.roles() and desk.caller.officer.suspended is None:
        work = await run_in_threadpool(work_of, desk.caller, whose=whose)
    if desk.may_ask(situation_report) and desk.caller.officer.suspended is None:
        untold = await _untold(desk)
        if not ANY_REVIEWER.isdisjoint(desk.caller.roles()):
            odd = (await desk.ask(finding_counts, figures=True, at=desk.now))["counts"]
    language = language_of(request)
    names = await run_in_threadpool(names_for, desk.caller, None, desk.now, language)
    words = await run_in_threadpool(words_of, desk.caller, desk.now, language)
    if work is not None:
        await run_in_threadpool(_mark, desk.caller, work.items)
        request.state.shell = request.state.shell.with_waiting(work.total, whose)
    overdue = list(_told_once(work.overdue, untold)) if work else []
    return await show(
        request,
        desk,
        "home.html",
        names=names,
        work=work,
        whose=whose,
        groups=_grouped(work, whose) if work else [],
        titled=_Titles(names, words, language).title,
        absent={one.officer: one.name for one in request.state.shell.stands_in},
        overdue=len(overdue),
        zeros=len(owed_zeros(overdue)),
        duties=gathered_dues(overdue, by=("area",)),
        upward=list(_told_once(work.upward, untold)) if work else [],
        lately=list(_done_lately(desk, work)) if work else [],
        may_see_both=await run_in_threadpool(_sees_both, desk),
        untold=untold,
        odd=odd,
        shown=SHOWN,
        people=await _people(desk),
        **await _audited(desk),
        rules_waiting=await run_in_threadpool(rules_waiting, desk.caller),
        rules_missing=await unconfirmed_here(desk),
        calendar=await calendar_asked(desk),
    )


def _done_lately(desk: Desk, work: Work) -> Iterator[dict[str, Any]]:
    """The caller's last facts. The pages of what they are about are for who does business."""
    opens = desk.may_ask(situation_report)
    for one in work.lately:
        told = shaped(one, desk.caller.id)
        yield told if opens else told | {"href": None}


@router.get("/waiting/{matter}")
async def of_matter(
    request: Request, desk: AtDesk, turn: Turned, matter: str, whose: Whose = "mine"
) -> Response:
    """All that waits of one matter, page by page: what is done makes room for the rest."""
    return await _of_matter(request, desk, turn, matter, whose)


@router.post("/waiting/{matter}")
async def take_together(
    request: Request, desk: AtDesk, turn: Turned, matter: str, whose: Whose = "mine"
) -> Response:
    """The step of all ticked lists; the same page then tells of which it was taken and why of
    others not."""
    if matter not in TOGETHER:
        raise NotFound(kind="Page", id=desk.caller.id)
    desk.caller.scope(TOGETHER[matter].roles, None)
    fields = await read_fields(request, BYTES, TAKEN_AT_ONCE + 5)
    form = dict(fields)
    require_token(desk.caller.session, form)
    ticked = ticked_in(fields, "list")
    paper = form.get("document_no", "").strip()
    if not ticked or (TOGETHER[matter].paper and not paper):
        missing = "none_ticked" if not ticked else "no_paper"
        return await _of_matter(request, desk, turn, matter, whose, missing=missing, ticked=ticked)
    key = own_key(form.get("key", ""))
    told = await run_in_threadpool(taken, request, desk.caller, matter, key, ticked, paper)
    return await _of_matter(request, desk, turn, matter, whose, told=told)


async def _of_matter(
    request: Request,
    desk: Desk,
    turn: Turn,
    matter: str,
    whose: Whose,
    *,
    told: dict[str, Any] | None = None,
    missing: str = "",
    ticked: Sequence[Ticked] = (),
) -> Response:
    """``told``: what became of those that were taken together (`taken`); ``missing``: what the form
    was sent without, though these were ``ticked``."""
    if matter not in MATTERS:
        raise NotFound(kind="Page", id=desk.caller.id)
    rows = TAKEN_AT_ONCE if matter in TOGETHER else ROWS
    work = await run_in_threadpool(
        work_of, desk.caller, whose=whose, each=rows, matter=matter, cursor=turn.cursor
    )
    done = told["done"] if told else set()
    items = [one for one in work.items if one["subject"] not in done]
    await run_in_threadpool(_mark, desk.caller, items)
    counted = work.counts.get(matter, {"count": 0, "overdue": 0})
    counted = {
        **counted,
        "count": max(len(items), counted["count"] - (len(work.items) - len(items))),
    }
    language = language_of(request)
    names = await run_in_threadpool(names_for, desk.caller, None, desk.now, language)
    words = await run_in_threadpool(words_of, desk.caller, desk.now, language)
    return await show(
        request,
        desk,
        "work.html",
        names=names,
        matter=matter,
        whose=whose,
        items=items,
        counted=counted,
        leaf=turn.leaf(
            work.page,
            f"/waiting/{matter}",
            book="",
            rows=rows,
            total=int(counted["count"]),
            whose=whose if whose == "area" else None,
        ),
        here=request.url.query,
        titled=_Titles(names, words, language).title,
        absent={one.officer: one.name for one in request.state.shell.stands_in},
        together=await offered(desk, matter, items, least=1 if told or missing else 2),
        told=told,
        missing=missing,
        ticked={str(one.id) for one in ticked},
    )


VERIFIED: Final = ("report_verify", "report_verify_for")
PAID_IN_PARTS: Final = ("transitional", "drought", "housing")
"""Programmes some of whose rates may be paid by the month, by ten days or by milestones."""
MOST_ASKED: Final = 50
"""Lists of them that are asked for parts still to come: the others' own pages say it."""


def _mark(caller: Caller, items: list[dict[str, Any]]) -> None:
    """Say of a 核报 by what rules its time was set, where that is to be said (decision 0068), and
    of a list that could be closed whether a part of its relief is still to be granted: how many
    there are only the aggregates know."""
    owed = {one["subject"] for one in items if one["matter"] in VERIFIED}
    marks = all_due_marks(caller, owed)
    for one in items:
        one["marks"] = marks.get(one["subject"], []) if one["subject"] in owed else []
    closing = [one for one in items if one["matter"] == "village_list_close"]
    for one in [one for one in closing if one["label"] in PAID_IN_PARTS][:MOST_ASKED]:
        one["next_part"] = parts_left_on(caller, UUID(one["subject"])) > 0


class _Titles:
    """What a thing on the list is known by, in the reader's language."""

    def __init__(self, names: Names, words: Words, language: str) -> None:
        self._names = names
        self._words = words
        self._sentences = catalog(language).sentences
        self._chinese = language == "zh"

    def title(self, row: dict[str, Any]) -> str:
        """Hazard of a report, programme and year of a list, goods of a consignment, place of an
        incident, the mask of a person; "" where its area says all."""
        matter, label = row["matter"], row["label"]
        if not label:
            return ""
        if matter.startswith("report_"):
            return self._names.hazard(label, row.get("detail") or "")
        if matter.startswith("consignment_"):
            goods = msgspec.json.decode(label)
            apart = "、" if self._chinese else ", "
            return apart.join(self._goods(item, goods[item]) for item in sorted(goods))
        if matter.startswith(("village_list_", "grant_")):
            programme = self._sentences.get(f"household.programme_{label}", label)
            return f"{row['year']} {programme}" if row.get("year") else programme
        return str(label)

    def _goods(self, item: str, number: int) -> str:
        counted = self._words.counted(item, number)
        return f"{number}{counted}" if self._chinese else f"{number} {counted}"


def group_of(matter: str) -> str:
    """The group of home that a matter stands in."""
    first = matter.split("_", 1)[0]
    return GROUP_OF.get(first, first)


def _grouped(work: Work, whose: Whose) -> list[dict[str, Any]]:
    """The groups that have something, each with its matters: ``key``, what is counted of it, its
    first ``items``, ``all`` (the address of all of them) and ``href`` (of the only one, else of
    all, or of the desk that has them with their buttons). What is gravest, then what is late,
    stands first."""
    found: dict[str, list[dict[str, Any]]] = {}
    for matter, counted in work.counts.items():
        if matter.startswith("duty_") or matter == RULES:
            continue
        items = [one for one in work.items if one["matter"] == matter]
        everything = url(f"/waiting/{matter}", whose=whose if whose == "area" else None)
        alone = items[0]["href"] if counted["count"] == 1 else everything
        told = {"items": items, "all": everything, "href": DESKS.get(matter, alone)}
        found.setdefault(group_of(matter), []).append({"key": matter, **told, **counted})
    groups = []
    for name in GROUPS:
        matters = sorted(found.get(name, []), key=_pressing)
        if matters:
            total = sum(one["count"] for one in matters)
            groups.append({"name": name, "matters": matters, "count": total})
    return sorted(groups, key=lambda group: _pressing(group["matters"][0])[:2])


def _pressing(matter: dict[str, Any]) -> tuple[bool, bool, str]:
    return not matter["grave"], not matter["overdue"], matter["since"]


def _sees_both(desk: Desk) -> bool:
    """Whether anybody is in post below the caller: who has only a village has no area beside it."""
    places = [place_of(desk.caller, area) for area in desk.caller.areas()]
    return any(place.level is not AreaLevel.VILLAGE for place in places)


async def _audited(desk: Desk) -> dict[str, Any]:
    """For an auditor: whether the log is whole, as is known now, and how many findings are open."""
    if Role.AUDITOR not in desk.caller.roles() or moment_asked() is not None:
        return {}
    counts = (await desk.ask(finding_counts, at=desk.now))["counts"]
    known = await run_in_threadpool(whole, desk.caller.system)
    return {"watched": known, "findings": sum(counts.values())}


async def _people(desk: Desk) -> dict[str, int]:
    """What waits for an administrator about officers and the system."""
    if ADMINISTRATORS.isdisjoint(desk.caller.roles()):
        return {}
    people: dict[str, int] = await desk.ask(officer_counts, at=desk.now)
    people["ending"] = await ending_soon(desk)
    people["ending_days"] = SOON_DAYS
    people["pressing"] = pressing(desk)
    return people


async def _untold(desk: Desk) -> list[dict[str, Any]]:
    """What areas below had accepted and the caller's own area has no report of: those with dead or
    missing first, then the latest.

    A township owes none: what it accepts of its villages stands before the county in that moment.
    """
    found = []
    for area in desk.caller.areas(FIRST_FILERS):
        below = await desk.ask(accepted_below, area, exercise=None)
        found += [one | {"due": None} for one in below["processes"] if not one["own"]]
    return sorted(found, key=lambda one: -sum(_lost(one).values()))


def _told_once(
    owed: list[dict[str, Any]], untold: list[dict[str, Any]]
) -> Iterator[dict[str, Any]]:
    """The duties but those to pass on what stands under ``untold`` anyway: there the first of them
    is named as its ``due``, for it is one thing to do."""
    under = {(one["area"], report): one for one in untold for report in one["reports"]}
    for line in owed:
        passed_on = line["kind"] == "forward_report"
        one = under.get((line["area"], line["subject"])) if passed_on else None
        if one is None:
            yield line
        elif one.get("due") is None or line["due_at"] < one["due"]["due_at"]:
            one["due"] = line


def _lost(process: dict[str, Any]) -> dict[str, int]:
    """How many of the parts' people are dead, how many missing."""
    sums = process["sums"]
    return {key: int(sums[key]["value"]) for key in ("dead", "missing") if key in sums}
