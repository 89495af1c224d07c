"""From the plan to the commands everybody uses, in order of time, all rules on.

Command ids are derived from plan and step, so a repeated start can skip what is stored: the same
step always makes the same command.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID

from demo.acts import ACTS
from demo.divisions import CITY, COUNTY, NEIGHBOR, PROVINCE, SMALL_TOWNSHIP, SMALL_VILLAGES
from demo.naming import Names, demo_id, officer_of
from demo.plan import DemoPlan
from demo.steps import AppointOfficer, HandOver, SuspendOfficer
from domain.world import Command

SHOWN = (PROVINCE, CITY, COUNTY, NEIGHBOR, SMALL_TOWNSHIP, SMALL_VILLAGES[0])


class Deed(NamedTuple):
    """One command of the demo: when, by whom (None: the system), under which id."""

    at: datetime
    officer: UUID | None
    command_id: UUID
    command: Command


def deeds(
    plan: DemoPlan,
    person_of: Callable[[str], UUID],
    stored: Callable[[UUID], bool] = lambda _: False,
) -> Iterator[Deed]:
    """All commands of the plan but those that are ``stored`` already, in order of time.

    ``person_of`` is the vault's ``person_for``: commands name a registered person by the random
    id that the vault keeps for an ID number.
    """
    names = Names(plan, person_of)
    size = "small" if plan.small else "full"
    for step in plan.steps:
        officer = None if step.by is None else names.officer(step.by)
        at = step.at.astimezone(UTC)
        for number, command in enumerate(ACTS[type(step)](names, step)):
            command_id = demo_id(f"command/{size}/{plan.seed}", f"{step.key}#{number}")
            if not stored(command_id):
                yield Deed(at, officer, command_id, command)


def count(plan: DemoPlan) -> int:
    """How many commands the plan makes: the length of a progress bar."""
    return sum(1 for _ in deeds(plan, lambda number: demo_id("count", number)))


class Login(NamedTuple):
    """An account of the demo to show a newcomer: one for each role and level."""

    role: str
    login: str
    officer: UUID
    division: str


def logins(plan: DemoPlan) -> tuple[Login, ...]:
    """One account of each role and level that still works at the end, and a stranger's."""
    names = {one.code: one.name for one in plan.divisions}
    gone = {step.officer for step in plan.steps if isinstance(step, HandOver | SuspendOfficer)}
    shown: dict[tuple[str, str], Login] = {}
    for step in plan.steps:
        if isinstance(step, AppointOfficer) and step.division in SHOWN and step.officer not in gone:
            login = Login(step.role, step.login, officer_of(step.officer), names[step.division])
            shown.setdefault((step.role, step.division), login)
    return tuple(shown.values())
