"""Commands that set the county up: divisions, rulebooks, officers."""

from collections.abc import Iterator
from pathlib import Path

from demo.divisions import CITY, COUNTY, NATION, NEIGHBOR, PROVINCE
from demo.naming import Acts, Names
from demo.plan import code_of_day, full_code, name_of_day
from demo.steps import (
    AdoptRules,
    AppointOfficer,
    ChangeCodes,
    EstablishDivisions,
    HandOver,
    NameSubstitute,
    SuspendOfficer,
)
from domain.area import AreaLevel
from domain.commands import areas, officers
from domain.commands.rulebooks import AdoptRulebook
from domain.posts import Post
from domain.rules.loading import parse_rulebook
from domain.world import Command, Role

RULES = Path(__file__).resolve().parents[1] / "rules"
AREAS = {"nation": NATION, "340000": PROVINCE, "340800": CITY, COUNTY: COUNTY, NEIGHBOR: NEIGHBOR}
"""Codes that rulebook files use, and the plan's."""


def establish(names: Names, step: EstablishDivisions) -> Iterator[Command]:
    yield areas.EstablishAreas(
        areas=tuple(
            areas.AreaPlan(
                id=names.area(one.code),
                code=code_of_day(one),
                name=name_of_day(one),
                level=AreaLevel(one.level),
                parent=names.area(one.parent) if one.parent else None,
            )
            for one in step.divisions
        ),
        established_on=step.established_on,
        document_no=step.document_no,
    )


def change_codes(names: Names, step: ChangeCodes) -> Iterator[Command]:
    yield areas.ChangeAreaCodes(
        changes=tuple(
            areas.CodeChange(area=names.area(one.code), code=full_code(one.code))
            for one in step.divisions
        ),
        effective_on=step.effective_on,
        document_no=step.document_no,
    )
    county = next(one for one in step.divisions if one.code == COUNTY)
    yield areas.RenameArea(
        area=names.area(COUNTY),
        name=county.name,
        effective_on=step.effective_on,
        document_no=step.document_no,
    )


def adopt_rules(names: Names, step: AdoptRules) -> Iterator[Command]:
    for path in sorted(RULES.rglob("*.toml")):
        book = parse_rulebook(path.name, path.read_text(encoding="utf-8"))
        if book.area_code in AREAS:
            yield AdoptRulebook(
                area=names.area(AREAS[book.area_code]),
                kind=book.kind,
                version=book.version,
                document_no=book.document_no,
                valid_from=book.valid_from,
                valid_to=book.valid_to,
                content=book.content,
                status=book.status,
            )


def appoint(names: Names, step: AppointOfficer) -> Iterator[Command]:
    officer, area = names.officer(step.officer), names.area(step.division)
    yield officers.RegisterOfficer(
        person=names.person_of_officer(step.officer),
        full_name=step.person.name,
        area=area,
        phone=step.phone,
    )
    yield officers.OpenAccount(officer=officer, login=step.login)
    yield officers.AppointOfficer(
        id=names.appointment(step.officer),
        officer=officer,
        role=Role(step.role),
        area=area,
        post=Post(step.post),
        certificate=step.certificate_no,
        starts_on=step.at.date(),
    )


def name_substitute(names: Names, step: NameSubstitute) -> Iterator[Command]:
    yield officers.NameSubstitute(
        id=names.appointment(f"{step.officer}/{step.substitute}"),
        officer=names.officer(step.officer),
        appointment=names.appointment(step.officer),
        substitute=names.officer(step.substitute),
        starts_on=step.first_day,
        ends_on=step.last_day,
    )


def hand_over(names: Names, step: HandOver) -> Iterator[Command]:
    yield officers.HandOver(
        officer=names.officer(step.officer),
        successor=names.officer(step.successor),
        reason=step.reason,
    )


def suspend(names: Names, step: SuspendOfficer) -> Iterator[Command]:
    yield officers.SuspendOfficer(officer=names.officer(step.officer), reason=step.reason)


ACTS: Acts = {
    EstablishDivisions: establish,
    ChangeCodes: change_codes,
    AdoptRules: adopt_rules,
    AppointOfficer: appoint,
    NameSubstitute: name_substitute,
    HandOver: hand_over,
    SuspendOfficer: suspend,
}
