"""A list of officers as a file: previewed first, then engaged row by row.

The preview decides each row as the log would (`intake.trial`) and does nothing. What was previewed
is what is engaged: the second step reads the same file again, with the log-in names of the first.
"""

from typing import Any
from uuid import UUID, uuid4

from api.officer_lists import OfficerRow, engaged
from api.system import System
from domain.commands.engaging import EngageOfficer, LoginOfUnnumbered
from domain.login_name import LoginName
from domain.rules.base import china_day
from eventstore.outcomes import Problem
from intake.guard import IntakeLimits
from intake.officers import Divisions, OfficerLine, read_officers
from intake.problems import CellProblem
from intake.sent import ListFile
from intake.trial import Trial
from projections.asking.scope import Scope

FURTHER = 5
"""Rows beyond those that one run takes are told one by one, up to so many times as many; a longer
list is refused as a whole."""


def previewed(
    system: System,
    officer: UUID,
    scope: Scope,
    file: ListFile,
    rows: int,
    logins: list[str] | None = None,
) -> list[OfficerLine]:
    """Every row of a list with all that is wrong with it. Raises ``FileRefused``.

    ``logins``: what the preview before gave each row, "" where it was wrong. A row that was right
    is not tried again: sent once more under its key, it is told as done.
    """
    store = system.store

    def taken(login: str) -> bool:
        known = store.load(LoginName.id_of(login)) is not None
        return known or system.accounts.officer_of(login) is not None

    with system.reader() as db:
        divisions = Divisions(db, scope)
    limits = IntakeLimits(rows=FURTHER * rows)
    lines = read_officers(file, divisions, taken, china_day(store.clock.now()), limits)
    trial = Trial(store, officer)
    before = logins if logins is not None and len(logins) == len(lines) else [""] * len(lines)
    for number, (line, login) in enumerate(zip(lines, before, strict=True)):
        if login and not line.problems:
            line.login = login
        elif number >= rows:
            line.problems.append(_said(line, TOO_MANY, str(rows)))
        elif not line.problems and (refusal := trial.refusal(_command(line))) is not None:
            line.problems.append(_refused(line, refusal))
        elif logins is not None and not line.problems:
            line.problems.append(_said(line, AGAIN, ""))
    return lines


TOO_MANY = (
    "too-many-rows",
    "一次最多 {most} 人，请分成几个名单",
    "At most {most} at once. Split it.",
)


AGAIN = (
    "preview-again",
    "预览时此行有误，现在可以办理：请重新预览",
    "This row was wrong in the preview and is not any more: preview the list again.",
)


def _said(line: OfficerLine, rule: tuple[str, str, str], most: str) -> CellProblem:
    name, zh, en = rule
    return CellProblem(str(line.row), "", "", name, zh.format(most=most), en.format(most=most))


def _refused(line: OfficerLine, refusal: Problem) -> CellProblem:
    if refusal.code == LoginOfUnnumbered.code():
        line.bare = UUID(str(refusal.facts["officer"]))
    return CellProblem(str(line.row), "", "", refusal.code, refusal.zh, refusal.en)


def _command(line: OfficerLine) -> EngageOfficer:
    assert line.role is not None and line.area is not None
    return EngageOfficer(
        person=uuid4(),
        id=uuid4(),
        full_name=line.name,
        login=line.login,
        role=line.role,
        area=line.area,
        id_number=line.id_number,
        phone=line.phone,
        post=line.post,
        certificate=line.certificate,
    )


def engage_lines(
    system: System, officer: UUID, key: UUID, correlation: UUID, lines: list[OfficerLine]
) -> dict[str, Any]:
    """Engage the rows without problems as `POST /v1/officer-lists` does, told by ``place``: the row
    as the file counts it. Rows that were refused before are told with them."""
    good = [line for line in lines if not line.problems]
    told: dict[str, Any] = {"invitations": [], "known": [], "refused": []}
    if good:
        told = engaged(system, officer, key, correlation, [_row(line) for line in good])
    for one in (*told["invitations"], *told["known"], *told["refused"]):
        line = good[one["row"]]
        one |= {"place": line.row, "name": line.name, "unit": line.area_name, "role": line.role}
    told["refused"] += [
        {"place": line.row, "login": line.login, "rule": one.rule, "zh": one.zh, "en": one.en}
        for line in lines
        for one in line.problems
    ]
    return told


def _row(line: OfficerLine) -> OfficerRow:
    assert line.role is not None and line.area is not None
    return OfficerRow(
        login=line.login,
        name=line.name,
        role=line.role,
        area=line.area,
        id_number=line.id_number,
        phone=line.phone,
        post=line.post,
        certificate=line.certificate,
    )
