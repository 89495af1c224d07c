"""Reports 灾情报告: the forms of each kind, and one report with its versions and its review."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from api.actions import actions_of
from api.auth import Caller
from api.words import rule_for
from domain.area import AreaLevel
from domain.commands.disasters import DECLARERS
from domain.commands.reports import ANY_LISTENER, FileVerifiedOnBehalf
from domain.refusal import NotFound, NotYourRole
from domain.report_filing import OFFICIAL, Kind, Review
from domain.rules.hazards import Hazards
from domain.rules.indicators import Indicators
from projections.asking.report_queries import situation_report, situation_reports
from projections.disasters import disaster, disasters
from web.acting import acts_of
from web.figures import COMMON, SHORT, Known, arithmetic, names_for, sheet
from web.officials import name_officials
from web.pages.rulebooks import titles_in
from web.parts import MOST_DISASTERS, MOST_REPORTS, AtDesk, Desk, ToAct, moment_of
from web.render import language_of
from web.reporting import (
    Place,
    Rights,
    due_marks,
    filing_places,
    parts_of,
    place_of,
    rights_on,
    show,
)
from web.taking_over import offered, processes_below, that_holds, to_begin_from, told_already

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True)
class Form:
    """A kind of form: where it sends its command, and which parts it has."""

    key: str
    address: str
    begins: bool = False
    called: bool = False
    figures: bool = True
    guarded: bool = True  # If-Match: the version that was seen


FORMS: Final = {
    form.key: form
    for form in (
        Form("initial", "/v1/situation-reports", begins=True, guarded=False),
        Form("phone", "/v1/phoned-reports", begins=True, called=True, guarded=False),
        Form("follow_up", "/v1/situation-reports/{report}/follow-ups"),
        Form("zero", "/v1/situation-reports/{report}/zero-reports", figures=False),
        Form("verified", "/v1/situation-reports/{report}/verified-reports"),
        Form("verified_for", "/v1/situation-reports/{report}/verified-reports-on-behalf"),
        Form("resubmit", "/v1/situation-reports/{report}/resubmissions"),
        Form("make_up", "/v1/situation-reports/{report}/make-ups"),
        Form("phone_follow_up", "/v1/situation-reports/{report}/phoned-follow-ups", called=True),
    )
}


@router.get("/report/new")
async def new_report(
    request: Request,
    desk: ToAct,
    area: UUID | None = None,
    phone: bool = False,
    about: UUID | None = None,
) -> Response:
    """What I have under way, and a fresh 初报 (or a call to be taken down).

    ``about``: a report from below; the form offers what was accepted of the same occurrence. Where
    the area has a report of it already, that one goes on: a second 初报 would count it twice.
    """
    caller = desk.caller
    if phone:
        places = await run_in_threadpool(_callers, caller)
    else:
        places = await run_in_threadpool(filing_places, caller)
    place = next((one for one in places if one.id == area), places[0] if places else None)
    if place is None:
        listens = bool(caller.areas(ANY_LISTENER))
        return await show(request, desk, "report_start.html", listens=listens)
    running = [] if phone else await _running(desk, place)
    form = FORMS["phone" if phone else "initial"]
    found, _ = await desk.ask_all(disasters, most=MOST_DISASTERS, stage="open")
    processes = [] if phone else await processes_below(desk, place)
    if own := told_already(processes, about):
        return RedirectResponse(f"/report/{own}", 303)
    below, choices = to_begin_from(processes, about)
    context = await run_in_threadpool(_form, caller, form, place, desk.now, {}, {}, {}, below)
    return await show(
        request,
        desk,
        "report_form.html",
        area=place.id,
        places=places,
        running=running,
        disasters=found,
        report=None,
        below_choices=choices,
        **context,
    )


async def _running(desk: Desk, place: Place) -> list[dict[str, Any]]:
    """Reports of this area itself that are not finished."""
    own: dict[str, Any] = {"itself": place.id, "most": MOST_REPORTS}
    found, _ = await desk.ask_all(situation_reports, place.id, **own)
    drills, _ = await desk.ask_all(situation_reports, place.id, exercise=True, **own)
    mine = {row["report"]: row for row in (*found, *drills)}.values()
    return [row for row in mine if row["kind"] != Kind.VERIFIED or row["review"] not in OFFICIAL]


def _callers(caller: Caller) -> list[Place]:
    """Areas whose people may ring: the caller's own and those directly below."""
    found: list[Place] = []
    for area in caller.areas(ANY_LISTENER):
        found.append(place_of(caller, area))
        for row in parts_of(caller, area):
            found.append(Place(UUID(row["id"]), row["name"], AreaLevel(row["level"]), area))
    return found


@router.get("/report/{report}/file")
async def next_version(
    request: Request, desk: ToAct, report: UUID, kind: str = "follow_up"
) -> Response:
    """The next version of a report, with what was said last beside every field."""
    form = FORMS.get(kind)
    if form is None or form.begins:
        raise NotFound(kind="Form", id=report)
    found = await desk.ask(situation_report, report=report)
    place = await run_in_threadpool(place_of, desk.caller, UUID(found["area"]))
    rights = await run_in_threadpool(rights_on, desk.caller, place)
    may = rights.listen if form.called else rights.file
    if form.key == "verified_for":
        may = await run_in_threadpool(_verifies_for, desk.caller, report)
    if not may:
        raise NotYourRole(needed="")
    returned = found["review"] == Review.RETURNED
    baseline = (found["accepted"] or {}).get("figures", {}) if returned else found["figures"]
    occurred_at = moment_of(found["occurred_at"])
    assert occurred_at is not None
    split = found["versions"][-1]["split"]
    below = None
    if form.figures and not form.called:
        processes = await processes_below(desk, place, exercise=found["exercise"])
        below = that_holds(processes, str(report))
    context = await run_in_threadpool(
        _form, desk.caller, form, place, occurred_at, found["figures"], baseline, split, below
    )
    return await show(
        request,
        desk,
        "report_form.html",
        area=place.id,
        at=occurred_at,
        report=found,
        places=[place],
        running=[],
        disasters=[],
        below_choices=[],
        **context,
    )


def _form(
    caller: Caller,
    form: Form,
    place: Place,
    at: datetime,
    last: Known,
    baseline: Known,
    split: dict[str, Known],
    below: dict[str, Any] | None,
) -> dict[str, Any]:
    """What a form is made of. ``last`` fills the fields; ``baseline`` is compared with; ``below``
    is what the areas below had accepted of the occurrence."""
    rules = rule_for(caller, Indicators, place.id, at)
    hazards = rule_for(caller, Hazards, place.id, at)
    if rules is None or hazards is None:
        raise NotFound(kind="Rulebook", id=place.id)
    parts = parts_of(caller, place.id) if form.figures and form.key != "phone" else []
    gone = [one for one in (below["parts"] if below else []) if one["abolished_on"] is not None]
    parts += [{"id": one["area"], "name": one["name"]} for one in gone]
    return {
        "form": form,
        "place": place,
        "hazards": hazards.hazards,
        "groups": sheet(rules, last),
        "rules": arithmetic(rules, baseline, verifying=form.key in ("verified", "verified_for")),
        "split": _split(rules, parts, split),
        "below": offered(below, rules),
        "must_split": place.level == AreaLevel.COUNTY,
    }


def _split(
    rules: Indicators, parts: list[dict[str, Any]], values: dict[str, Known]
) -> dict[str, Any] | None:
    """The table of the parts of an area, for split-table.js."""
    if not parts:
        return None
    columns = [
        {
            "key": one.key,
            "zh": SHORT.get(one.key, (one.zh, one.en))[0],
            "en": SHORT.get(one.key, (one.zh, one.en))[1],
            "type": "int" if one.number == "integer" else "decimal",
            "common": one.key in COMMON[:3],
        }
        for one in rules.indicators
        if one.additive
    ]
    areas = [{"id": row["id"], "name": row["name"]} for row in parts]
    return {"areas": areas, "columns": columns, "values": values}


@router.get("/report/{report}")
async def one_report(
    request: Request, desk: AtDesk, report: UUID, after: int | None = None
) -> Response:
    """One report: what it says, what was decided, every version and who did what."""
    found = await desk.ask(situation_report, report=report)
    await run_in_threadpool(name_officials, desk.caller, found["versions"])
    place = await run_in_threadpool(place_of, desk.caller, UUID(found["area"]))
    rights = await run_in_threadpool(rights_on, desk.caller, place)
    at = moment_of(found["occurred_at"])
    assert at is not None
    names = await run_in_threadpool(names_for, desk.caller, place.id, at, language_of(request))
    current = found["versions"][-1]
    accepted = (found["accepted"] or {}).get("figures") or {}
    decision = found["adjudicated"]
    counts = decision is not None and decision["through"] >= (found["accepted_number"] or 0)
    decided = decision["figures"] if counts else {}
    made = await acts_of(
        request,
        desk,
        "situation-reports",
        report,
        report=found,
        version=found["number"],
        seen_occurred_at=found["occurred_at"],
        seen_hazard=found["hazard"],
    )
    verifies_for = await run_in_threadpool(_verifies_for, desk.caller, report)
    keys = names.order(
        {
            key
            for part in (current["figures"], accepted, decided)
            for key, value in part.items()
            if value is not None
        }
    )
    return await show(
        request,
        desk,
        "report.html",
        names=names,
        rule_titles=titles_in(request),
        report=found,
        place=place,
        rights=rights,
        made=made,
        disaster=await _disaster_of(desk, found),
        declares=bool(desk.caller.areas(DECLARERS)) and not found["withdrawn"],
        current=current,
        keys=keys,
        accepted=accepted,
        decided=decided,
        after=after,
        signs=found["at_seat"] and rights.sign,
        mine=current["reported_by"] == str(desk.caller.officer.id),
        next_steps=("verified_for",) * verifies_for + tuple(next_steps(found, rights)),
        due_marks=await run_in_threadpool(due_marks, desk.caller, report),
    )


def _verifies_for(caller: Caller, report: UUID) -> bool:
    """Whether the visitor files the verified report for a village that has nobody in post."""
    if not caller.areas(FileVerifiedOnBehalf.roles):
        return False
    found = actions_of(caller, "situation-reports", report, (FileVerifiedOnBehalf,))
    act = found.of(FileVerifiedOnBehalf)
    return act is not None and act.open


async def _disaster_of(desk: Desk, report: dict[str, Any]) -> dict[str, Any] | None:
    """The disaster it is attached to; None if it is on none."""
    if report["disaster"] is None:
        return None
    found: dict[str, Any] = await desk.ask(disaster, disaster=UUID(report["disaster"]))
    return found


def next_steps(report: dict[str, Any], rights: Rights) -> list[str]:
    """The forms that fit the report now, the likeliest first. (The commands decide.)"""
    if report["review"] == Review.WITHDRAWN:
        return []
    if not rights.file:
        return ["phone_follow_up"] if rights.listen else []
    if report["review"] == Review.RETURNED:
        return ["resubmit"]
    if report["to_make_up"]:
        return ["make_up", "follow_up"]
    if report["stable_at"] is None:
        return ["follow_up", "zero"]
    return ["verified", "follow_up"]


@router.get("/report")
async def to_new() -> Response:
    return RedirectResponse("/report/new", 303)
