"""What stands around every page: who is logged in, where they may go, how the store is marked.

Who authenticates a request puts a `Shell` into ``request.state.shell``; without it a page shows
the shell of a stranger.
"""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final

from api.known_at import Moment
from api.noticing import Notice
from domain.rules.base import CHINA
from domain.world import Role


class Mark(StrEnum):
    """What a store was born as, and what its pages must say for ever."""

    DEMO = "demo"  # made-up persons
    EXERCISE = "exercise"  # 演练
    SIMULATED = "simulated"  # runs on a simulated clock


@dataclass(frozen=True, slots=True)
class NavItem:
    """An entry of the navigation. ``key`` is a message key; ``<key>_hint`` explains it at home."""

    href: str
    key: str


REPORT = NavItem("/report/new", "nav.report")
REVIEW = NavItem("/review", "nav.review")
DISASTERS = NavItem("/disasters", "nav.disasters")
SITUATION = NavItem("/situation", "nav.situation")
DISPATCH = NavItem("/dispatch", "nav.dispatch")
STOCK = NavItem("/stock", "nav.stock")
LEDGER = NavItem("/ledger", "nav.ledger")
FUNDS = NavItem("/funds", "nav.funds")
TIMELINE = NavItem("/timeline", "nav.timeline")
OFFICERS = NavItem("/officers", "nav.officers")
DIVISIONS = NavItem("/divisions", "nav.divisions")
RULEBOOKS = NavItem("/rulebooks", "nav.rulebooks")
SYSTEM = NavItem("/system", "nav.system")
PARKED = NavItem("/parked", "nav.parked")

NAV: dict[Role, tuple[NavItem, ...]] = {
    Role.VILLAGE_REPORTER: (REPORT, SITUATION, LEDGER, STOCK),
    Role.TOWNSHIP_REVIEWER: (REVIEW, REPORT, SITUATION, LEDGER, STOCK, TIMELINE, OFFICERS),
    Role.COUNTY_APPROVER: (
        SITUATION,
        DISASTERS,
        REVIEW,
        REPORT,
        LEDGER,
        DISPATCH,
        STOCK,
        TIMELINE,
        OFFICERS,
        RULEBOOKS,
    ),
    Role.COUNTY_PAYER: (LEDGER, FUNDS, STOCK, TIMELINE),
    Role.STOREKEEPER: (STOCK, DISPATCH),
    Role.DISPATCHER: (DISPATCH, SITUATION, DISASTERS, STOCK),
    Role.CITY_REVIEWER: (
        SITUATION,
        DISASTERS,
        REVIEW,
        REPORT,
        LEDGER,
        STOCK,
        TIMELINE,
        OFFICERS,
        RULEBOOKS,
    ),
    Role.PROVINCE_REVIEWER: (
        SITUATION,
        DISASTERS,
        REVIEW,
        REPORT,
        LEDGER,
        STOCK,
        TIMELINE,
        OFFICERS,
        RULEBOOKS,
    ),
    Role.AUDITOR: (
        LEDGER,
        FUNDS,
        STOCK,
        TIMELINE,
        SITUATION,
        DISASTERS,
        OFFICERS,
        PARKED,
        RULEBOOKS,
    ),
    Role.ADMINISTRATOR: (OFFICERS, DIVISIONS, RULEBOOKS, SYSTEM, PARKED),
    Role.SYSTEM: (),
}
"""The desk's own work comes first: it is also the first card at home."""


@dataclass(frozen=True, slots=True)
class InPlaceOf:
    """An absent officer's post held now: whose (masked name), which, where, until which day."""

    name: str
    role: Role
    area: str
    until: date
    officer: str = ""


STEPS: Final = {
    "day_back": timedelta(days=-1),
    "hour_back": timedelta(hours=-1),
    "hour_on": timedelta(hours=1),
    "day_on": timedelta(days=1),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shell:
    """``user`` is a display name, empty for a stranger; ``clock`` the store's time if simulated,
    and ``ahead`` how far that is ahead of real time (negative: behind).

    ``officer`` is the id under which a tab keeps unsent entries, so that nobody else sees them.
    ``role`` is the first post's; ``roles`` are those of all posts, whose desks may be entered.
    """

    officer: str = ""
    user: str = ""
    role: Role | None = None
    roles: tuple[Role, ...] = ()
    post: str = ""  # "A", "B" or ""
    area: str = ""
    stands_in: tuple[InPlaceOf, ...] = ()
    marks: tuple[Mark, ...] = ()
    notices: tuple[Notice, ...] = ()
    clock: datetime | None = None
    ahead: timedelta = timedelta(0)
    csrf_token: str = ""
    known: Moment | None = None
    """The moment of the past that every page shows, if one was chosen."""
    waiting: int | None = None
    """How much waits for the officer's own posts; None: not counted."""

    @property
    def steps(self) -> tuple[tuple[str, str], ...]:
        """From the moment of the past that is shown: a day and an hour back and on, none of them
        in the future; as ``/known-at`` takes them."""
        if self.known is None or self.clock is None:
            return ()
        moved = {name: self.known.at + by for name, by in STEPS.items()}
        said = {name: at.astimezone(CHINA) for name, at in moved.items() if at <= self.clock}
        return tuple((name, at.strftime("%Y-%m-%dT%H:%M:%S")) for name, at in said.items())

    def with_waiting(self, total: int, whose: str) -> "Shell":
        """With what home has just counted, if that was the officer's own."""
        return replace(self, waiting=total) if whose == "mine" else self

    @property
    def training(self) -> bool:
        """Whether this is a training store: nobody need choose between exercise and earnest."""
        return Mark.EXERCISE in self.marks

    @property
    def nav(self) -> tuple[NavItem, ...]:
        roles = self.roles or ((self.role,) if self.role is not None else ())
        return tuple(dict.fromkeys(item for role in roles for item in NAV[role]))


STRANGER = Shell()
