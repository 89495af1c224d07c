"""Commands for disasters, reports, rosters, incidents and units."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any
from uuid import UUID

from demo.divisions import COUNTY
from demo.figures import Figure
from demo.naming import Acts, Names
from demo.report_steps import (
    AcceptReport,
    AdjudicateReport,
    AttachReport,
    CloseDisaster,
    CloseIncident,
    DeclareDisaster,
    DeclareStable,
    EndResponse,
    EscalateIncident,
    ExplainJump,
    Filed,
    FileReport,
    FoundDead,
    MarkDuplicate,
    MoveUnit,
    OpenIncident,
    ReassignIncident,
    RecordHouse,
    RecordMissing,
    RegisterUnit,
    RegradeHouse,
    ResolveIncident,
    ReturnReport,
    StabilizeReports,
    StartResponse,
    TriageIncident,
    UnitMove,
)
from domain.commands import disasters, incidents, reports, reviews, rosters, units
from domain.commands.filing import RawFigures
from domain.house_damage import Grade
from domain.incident import IncidentKind, Severity
from domain.unit import UnitKind
from domain.world import Command

GRADES = {"collapsed": Grade.COLLAPSED, "severe": Grade.SEVERE, "slight": Grade.SLIGHT}


def report_id(names: Names, key: str) -> UUID:
    return names.id("report", key)


def disaster_id(names: Names, key: str) -> UUID:
    return names.id("disaster", key)


def raw(figures: Mapping[str, Figure]) -> RawFigures:
    """Figures as forms send them: counts as integers, decimals as text."""
    return {key: n if isinstance(n, int) else str(n) for key, n in figures.items()}


def declare(names: Names, step: DeclareDisaster) -> Iterator[Command]:
    yield disasters.DeclareDisaster(
        disaster=disaster_id(names, step.disaster),
        name=step.name,
        hazard=step.hazard,
        sub_hazard=step.sub_hazard,
        occurred_at=step.occurred_at,
        area=names.area(step.division),
    )


def file_report(names: Names, step: FileReport) -> Iterator[Command]:
    report, figures = report_id(names, step.report), raw(step.figures)
    split = {str(names.area(code)): raw(part) for code, part in step.split.items()}
    if step.filed is Filed.ZERO:
        yield reports.FileZeroReport(report=report, as_of=step.as_of, narrative=step.narrative)
    elif step.filed in (Filed.INITIAL, Filed.PHONED_IN):
        yield _first(names, step)
    else:
        kinds: dict[Filed, Callable[..., Command]] = {
            Filed.MADE_UP: reports.MakeUpReport,
            Filed.FOLLOW_UP: reports.FileFollowUp,
            Filed.VERIFIED: reports.FileVerifiedReport,
            Filed.RESUBMITTED: reports.ResubmitReport,
        }
        yield kinds[step.filed](
            report=report,
            as_of=step.as_of,
            figures=figures,
            split=split,
            reason=step.reason,
            narrative=step.narrative,
        )


def _first(names: Names, step: FileReport) -> Command:
    about = names.plan.occurrences[step.disaster]
    told: dict[str, Any] = {
        "report": report_id(names, step.report),
        "as_of": step.as_of,
        "figures": raw(step.figures),
        "split": {str(names.area(code)): raw(part) for code, part in step.split.items()},
        "narrative": step.narrative,
        "area": names.area(step.division),
        "occurred_at": about.occurred_at,
        "hazard": about.hazard,
        # the county's rulebook names sub-kinds, that of the nation does not
        "sub_hazard": about.sub_hazard if step.division.startswith(COUNTY) else "",
        "disaster": disaster_id(names, step.disaster) if step.attach else None,
    }
    if step.filed is Filed.INITIAL:
        return reports.FileInitialReport(**told)
    caller = names.officer(step.caller) if step.caller else None
    return reports.PhoneInReport(**told, called_at=step.at, caller=caller)


def attach(names: Names, step: AttachReport) -> Iterator[Command]:
    yield disasters.AttachReport(
        report=report_id(names, step.report), disaster=disaster_id(names, step.disaster)
    )


def accept(names: Names, step: AcceptReport) -> Iterator[Command]:
    yield reviews.AcceptReport(report=report_id(names, step.report), version=step.version)


def return_report(names: Names, step: ReturnReport) -> Iterator[Command]:
    yield reviews.ReturnReport(
        report=report_id(names, step.report), version=step.version, reason=step.reason
    )


def explain(names: Names, step: ExplainJump) -> Iterator[Command]:
    yield reports.ExplainJump(
        report=report_id(names, step.report), version=step.version, reason=step.reason
    )


def adjudicate(names: Names, step: AdjudicateReport) -> Iterator[Command]:
    yield reviews.AdjudicateReport(
        report=report_id(names, step.report),
        version=step.version,
        figures=raw(step.figures),
        document_no=step.document_no,
        reason=step.reason,
    )


def stable(names: Names, step: DeclareStable) -> Iterator[Command]:
    yield disasters.StabilizeDisaster(
        disaster=disaster_id(names, step.disaster), stable_at=step.stable_at, reason=step.reason
    )
    for report in step.reports:
        yield reviews.StabilizeReport(report=report_id(names, report), stable_at=step.stable_at)


def stable_reports(names: Names, step: StabilizeReports) -> Iterator[Command]:
    for report in step.reports:
        yield reviews.StabilizeReport(report=report_id(names, report), stable_at=step.stable_at)


def start_response(names: Names, step: StartResponse) -> Iterator[Command]:
    yield disasters.StartResponse(
        disaster=disaster_id(names, step.disaster),
        area=names.area(step.division),
        level=step.level,
        document_no=step.document_no,
        forecast=step.forecast,
    )


def end_response(names: Names, step: EndResponse) -> Iterator[Command]:
    yield disasters.EndResponse(
        disaster=disaster_id(names, step.disaster),
        area=names.area(step.division),
        document_no=step.document_no,
        reason=step.reason,
    )


def close(names: Names, step: CloseDisaster) -> Iterator[Command]:
    yield disasters.CloseDisaster(disaster=disaster_id(names, step.disaster), reason=step.reason)


def record_missing(names: Names, step: RecordMissing) -> Iterator[Command]:
    person = step.person
    yield rosters.RecordCasualty(
        record=names.id("record", step.record),
        report=report_id(names, step.report),
        area=names.area(step.report.split("/")[1]),
        fate="missing",
        full_name=person.name,
        sex="male" if person.sex == "male" else "female",
        age=step.at.year - person.born_on.year,
        id_number=person.id_number,
        place=step.place,
        cause=step.cause,
        happened_at=step.missing_at,
    )


def found_dead(names: Names, step: FoundDead) -> Iterator[Command]:
    yield rosters.ConfirmDeath(
        record=names.id("record", step.record),
        died_at=step.died_at,
        cause="溺水",
        place=step.place,
    )


def record_house(names: Names, step: RecordHouse) -> Iterator[Command]:
    yield rosters.RecordHouseDamage(
        record=names.id("record", step.record),
        report=report_id(names, step.report),
        area=names.area(step.report.split("/")[1]),
        owner_name=step.owner.name,
        owner_id_number=step.owner.id_number,
        grade=GRADES[step.grade],
        rooms=step.rooms,
        structure=step.built_of,
    )


def regrade(names: Names, step: RegradeHouse) -> Iterator[Command]:
    yield rosters.RegradeHouseDamage(
        record=names.id("record", step.record),
        grade=GRADES[step.grade],
        rooms=step.rooms,
        reason=step.reason,
    )


def register_unit(names: Names, step: RegisterUnit) -> Iterator[Command]:
    yield units.RegisterUnit(
        unit=names.id("unit", step.unit),
        area=names.area(step.division),
        name=step.name,
        kind=UnitKind(step.kind),
        size=step.size,
    )


def open_incident(names: Names, step: OpenIncident) -> Iterator[Command]:
    yield incidents.OpenIncident(
        incident=names.id("incident", step.incident),
        area=names.area(step.division),
        place=step.place,
        kind=IncidentKind(step.kind),
        severity=Severity(step.severity),
        occurred_at=step.occurred_at,
        details=step.details,
        latitude=step.latitude,
        longitude=step.longitude,
        reporter_phone=step.phone,
    )


def triage(names: Names, step: TriageIncident) -> Iterator[Command]:
    yield incidents.TriageIncident(
        incident=names.id("incident", step.incident), priority=step.priority, note=step.note
    )


def move_unit(names: Names, step: MoveUnit) -> Iterator[Command]:
    incident, unit = names.id("incident", step.incident), names.id("unit", step.unit)
    if step.move is UnitMove.ASSIGN:
        yield incidents.AssignUnit(incident=incident, unit=unit)
    elif step.move is UnitMove.ACKNOWLEDGE:
        yield incidents.AcknowledgeAssignment(incident=incident, unit=unit, occurred_at=step.at)
    elif step.move is UnitMove.EN_ROUTE:
        yield incidents.ReportEnRoute(
            incident=incident, unit=unit, occurred_at=step.at, eta_minutes=step.eta_minutes
        )
    else:
        yield incidents.ReportOnScene(incident=incident, unit=unit, occurred_at=step.at)


def reassign(names: Names, step: ReassignIncident) -> Iterator[Command]:
    yield incidents.ReassignIncident(
        incident=names.id("incident", step.incident),
        from_unit=names.id("unit", step.from_unit),
        to_unit=names.id("unit", step.to_unit),
        reason=step.reason,
    )


def escalate(names: Names, step: EscalateIncident) -> Iterator[Command]:
    yield incidents.EscalateIncident(
        incident=names.id("incident", step.incident), to=names.area(step.to), reason=step.reason
    )


def resolve(names: Names, step: ResolveIncident) -> Iterator[Command]:
    yield incidents.ResolveIncident(
        incident=names.id("incident", step.incident), outcome=step.outcome, occurred_at=step.at
    )


def close_incident(names: Names, step: CloseIncident) -> Iterator[Command]:
    yield incidents.CloseIncident(incident=names.id("incident", step.incident), reason=step.reason)


def duplicate(names: Names, step: MarkDuplicate) -> Iterator[Command]:
    yield incidents.MarkDuplicateIncident(
        incident=names.id("incident", step.incident), original=names.id("incident", step.original)
    )


ACTS: Acts = {
    DeclareDisaster: declare,
    FileReport: file_report,
    AttachReport: attach,
    AcceptReport: accept,
    ReturnReport: return_report,
    ExplainJump: explain,
    AdjudicateReport: adjudicate,
    DeclareStable: stable,
    StabilizeReports: stable_reports,
    StartResponse: start_response,
    EndResponse: end_response,
    CloseDisaster: close,
    RecordMissing: record_missing,
    FoundDead: found_dead,
    RecordHouse: record_house,
    RegradeHouse: regrade,
    RegisterUnit: register_unit,
    OpenIncident: open_incident,
    TriageIncident: triage,
    MoveUnit: move_unit,
    ReassignIncident: reassign,
    EscalateIncident: escalate,
    ResolveIncident: resolve,
    CloseIncident: close_incident,
    MarkDuplicate: duplicate,
}
