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
from demo.naming import Names, demo_id, earlier_id
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
    names: Names,
    stored: Callable[[UUID], bool] = lambda _: False,
) -> Iterator[Deed]:
    """All commands of the plan in order of time.

    ``stored`` tells whether the log holds a command of that id. It is asked for ids as earlier
    programs made them: a load that one of them began is finished with what it has stored.
    """
    size = "small" if plan.small else "full"
    kind = f"command/{size}/{plan.seed}"
    continued = stored(earlier_id(kind, f"{plan.steps[0].key}#0"))
    for step in plan.steps:
        made = ACTS[type(step)](names, step)
        number = 0
        while True:
            key = f"{step.key}#{number}"
            names.earlier = continued and stored(earlier_id(kind, key))
            command = next(made, None)
            if command is None:
                break
            officer = None if step.by is None else names.officer(step.by)
            command_id = earlier_id(kind, key) if names.earlier else demo_id(kind, key)
            yield Deed(step.at.astimezone(UTC), officer, command_id, command)
            number += 1


def count(plan: DemoPlan) -> int:
    """How many commands the plan makes: the length of a progress bar."""
    return sum(1 for _ in deeds(plan, Names(plan, lambda number: demo_id("count", number))))


class Login(NamedTuple):
    """An account of the demo to show a newcomer: one for each role and level."""

    role: str
    login: str
    officer: UUID
    division: str


def logins(plan: DemoPlan, names: Names) -> tuple[Login, ...]:
    """One account of each role and level that still works at the end, and a stranger's."""
    divisions = {one.code: one.name for one in plan.divisions}
    gone = {step.officer for step in plan.steps if isinstance(step, HandOver | SuspendOfficer)}
    shown: dict[tuple[str, str], Login] = {}
    for step in plan.steps:
        if isinstance(step, AppointOfficer) and step.division in SHOWN and step.officer not in gone:
            login = Login(
                step.role, step.login, names.officer(step.officer), divisions[step.division]
            )
            shown.setdefault((step.role, step.division), login)
    return tuple(shown.values())
