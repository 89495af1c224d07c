"""How much one officer, one request and one process may ask for.

`EdgeLimits` are the numbers, each a setting of the same name (``RELIEF_<NAME>``); `Quotas` counts
what officers do in an hour. What saves lives (reports, incidents) has a quota of its own that is
higher than any honest use and can never be set to nothing.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from api.made_ids import new_things
from domain.commands.funds import AppropriateFund, PassDownFund
from domain.commands.households import (
    MOST_CONTESTED,
    AddMember,
    IdentifyMember,
    RegisterHousehold,
    RegisterHouseholds,
    RevealHousehold,
    TooManyContested,
)
from domain.commands.officers import GrantDispensation
from domain.commands.relief_cases import ApplyForRelief, ApplyOnBehalf, ApplyVillage
from domain.commands.revealing import RevealCaller, RevealObjection
from domain.commands.seasons import OpenSeason
from domain.commands.village_lists import OpenVillageList
from domain.world import Command, Role
from eventstore.limiter import Limit, Limiter, LimitReached
from eventstore.outcomes import Receipt, Refused, rows_of

HOUR = 3600.0
MINUTE = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgeLimits:
    """Bytes and rows of one request, boards that are open, and quotas of one officer."""

    body_bytes: int = 1024 * 1024
    bulk_body_bytes: int = 4 * 1024 * 1024
    rows: int = 2_000
    after_ahead: int = 0
    boards: int = 500
    boards_an_officer: int = 20
    reports_an_hour: int = 20_000
    held_body_bytes: int = 64 * 1024 * 1024
    streams_an_hour: int = 5_000
    contests_an_hour: int = 40
    streams_an_hour_of_role: Mapping[Role, int] = field(
        default_factory=lambda: {Role.VILLAGE_REPORTER: 2_000}
    )
    unsealings_an_hour: int = 60
    searches_a_minute: int = 120
    log_ins_waiting: int = 16
    import_bytes: int = 8 * 1024 * 1024
    import_rows: int = 20_000
    imports_an_officer: int = 3
    imports_waiting: int = 20


DEFAULT_LIMITS = EdgeLimits()

BEGIN_DERIVED: frozenset[type[Command]] = frozenset(
    {
        ApplyForRelief,
        ApplyOnBehalf,
        ApplyVillage,
        AppropriateFund,
        GrantDispensation,
        OpenSeason,
        OpenVillageList,
        PassDownFund,
    }
)
"""Commands that begin something whose id the domain derives: nothing in them is marked as new."""


CLAIMING = (RegisterHousehold, RegisterHouseholds, AddMember, IdentifyMember)
"""Commands that claim people for a household."""

UNSEALING = (RevealHousehold, RevealCaller, RevealObjection)
"""Commands whose answer shows what was sealed. They have their quota whatever they are about: a
caller's number is opened in a disaster too, and never without a limit."""


def begun_by(command: Command) -> int:
    """How many streams a command may begin."""
    if type(command) in BEGIN_DERIVED:
        return rows_of(command)
    return sum(1 for _ in new_things(command))


class Quotas:
    """What officers have used of their hour. One object a process."""

    def __init__(self, limits: EdgeLimits) -> None:
        def limiter(
            name: str, seconds: float, zh: str, en: str, amount: int | None = None
        ) -> Limiter:
            return Limiter(Limit(name, amount or getattr(limits, name), seconds, zh, en))

        self.reports = limiter("reports_an_hour", HOUR, "上报和接报", "reporting")
        self.streams = limiter("streams_an_hour", HOUR, "新建登记", "registering of new things")
        self.contests = limiter(
            "contests_an_hour",
            HOUR,
            "登记已在他户登记的人员",
            "registering of people whom another household claims",
        )
        self.streams_of_role = {
            role: limiter(
                "streams_an_hour_of_role", HOUR, "新建登记", "registering of new things", amount
            )
            for role, amount in limits.streams_an_hour_of_role.items()
        }
        self.unsealings = limiter(
            "unsealings_an_hour", HOUR, "查看个人信息", "opening of personal data"
        )
        self.searches = limiter("searches_a_minute", MINUTE, "按姓名查询", "searching by name")

    def take(
        self, officer: UUID, command: Command, posts: Collection[Role], *, saves_lives: bool
    ) -> "Taken":
        """Use what one command needs of its quotas. Raises `LimitReached`, and uses none then.

        ``posts`` are those by which this officer may run it. Who has claimed too many people of
        others claims nobody for a while, contested or not: an answer that told the two apart would
        be what probing is after.
        """
        if isinstance(command, CLAIMING) and (wait := self.contests.reached(officer)) is not None:
            raise LimitReached(self.contests.limit, wait)
        limiters, amount = self._price(command, posts, saves_lives=saves_lives)
        taken = Taken([], officer, amount)
        for limiter in limiters if amount else ():
            try:
                limiter.take(officer, amount)
            except LimitReached:
                taken.give_back()
                raise
            taken.limiters.append(limiter)
        return taken

    def contested(self, officer: UUID, answer: Receipt | Refused) -> None:
        """Count whom a command has claimed of others, as only its answer tells."""
        if isinstance(answer, Refused):
            found = MOST_CONTESTED if answer.problem.code == TooManyContested.code() else 0
        else:
            told = answer.result.get("contested", ())
            found = int(told) if isinstance(told, bool) else len(told)
        if found:
            self.contests.charge(officer, found)

    def _price(
        self, command: Command, posts: Collection[Role], *, saves_lives: bool
    ) -> tuple[list[Limiter], int]:
        if isinstance(command, UNSEALING):
            return [self.unsealings], 1
        if saves_lives:
            return [self.reports], 1
        return [self.streams, *self._of_role(posts)], begun_by(command)

    def _of_role(self, posts: Collection[Role]) -> list[Limiter]:
        """The highest limit of these roles; none if one of them has no limit of its own."""
        found = [self.streams_of_role.get(post) for post in posts]
        limited = [one for one in found if one is not None]
        if len(limited) < len(found):
            return []
        return [max(limited, key=lambda one: one.limit.amount)] if limited else []


@dataclass(frozen=True, slots=True)
class Taken:
    """What a command has used of its quotas."""

    limiters: list[Limiter]
    officer: UUID
    amount: int

    def give_back(self) -> None:
        """The command did not come about: a rule refused it, or it was repeated."""
        for limiter in self.limiters:
            limiter.give_back(self.officer, self.amount)


def too_many_rows(values: Any, limit: int) -> bool:
    """Whether a list anywhere in a body is longer than a command may bring rows."""
    if isinstance(values, dict):
        return any(too_many_rows(value, limit) for value in values.values())
    if isinstance(values, list):
        return len(values) > limit or any(too_many_rows(value, limit) for value in values)
    return False
