"""The desk for notices 公示: they are posted, and come down by hand or when their time is over."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from domain.area import check_text
from domain.commands.sealing import check_sha256
from domain.commands.village_lists import REPORTERS, REVIEWERS, OfList, cases_of
from domain.notice import NothingToShow, Notice, NoticeNotWanted
from domain.refusal import Refusal, refusal_of
from domain.rules.notices import Notices
from domain.season import Season
from domain.village_list import VillageList
from domain.world import Result, Role, World


@dataclass(frozen=True, slots=True, kw_only=True)
class PostNotice(OfList):
    """Post the first notice 公示: which households are to be helped. The server's clock runs it."""

    roles: ClassVar[frozenset[Role]] = REPORTERS | REVIEWERS
    photo_sha256: str | None = None
    """SHA-256 of the photo of the notice board 公示照片."""

    @classmethod
    def check(cls, world: World, found: VillageList, season: Season) -> None:
        found.check_postable(Notice.FIRST)
        check_wanted(found, season, Notice.FIRST)

    def decide(self, world: World) -> Result | None:
        return post(world, self, Notice.FIRST, self.photo_sha256)


@dataclass(frozen=True, slots=True, kw_only=True)
class PostSecondNotice(OfList):
    """Post the second notice: what each household gets. Payment waits until it is over."""

    roles: ClassVar[frozenset[Role]] = REPORTERS | REVIEWERS
    photo_sha256: str | None = None

    @classmethod
    def check(cls, world: World, found: VillageList, season: Season) -> None:
        found.check_postable(Notice.SECOND)
        check_wanted(found, season, Notice.SECOND)
        _check_something_due(world, found)

    def decide(self, world: World) -> Result | None:
        _check_something_due(world, self.of(world)[0])
        return post(world, self, Notice.SECOND, self.photo_sha256)


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawNotice(OfList):
    """Take the hanging notice down; before its end it then counts for nothing."""

    roles: ClassVar[frozenset[Role]] = REPORTERS | REVIEWERS
    reason: str

    @classmethod
    def closed(cls, world: World, subject: VillageList) -> Refusal | None:
        return refusal_of(subject.check_showing)  # also of a season that is over

    def decide(self, world: World) -> Result | None:
        check_text("reason", self.reason)
        world.get(VillageList, self.village_list).withdraw(self.reason, world.counting)
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawNoticeWhenDue(OfList):
    """Take down the notice whose time to leave the web has come. The timekeeper's.

    ``due_at`` is that of the posting meant: one that was posted again meanwhile stays.
    """

    roles: ClassVar[frozenset[Role]] = frozenset({Role.SYSTEM})
    notice: Notice
    due_at: datetime

    @classmethod
    def closed(cls, world: World, subject: VillageList) -> Refusal | None:
        return None  # whether it is due says `withdraw_when_due`

    def decide(self, world: World) -> Result | None:
        found = world.get(VillageList, self.village_list)
        found.withdraw_when_due(self.notice, self.due_at, "公示期满，系统自动撤下", world.counting)
        return None


STEP = {Notice.FIRST: "first_notice", Notice.SECOND: "second_notice"}


def check_wanted(found: VillageList, season: Season, notice: Notice) -> None:
    """`NoticeNotWanted` where the programme goes without it (应急: nobody waits for a notice)."""
    if not season.terms.requires(STEP[notice]):
        raise NoticeNotWanted(village_list=found.id, notice=notice)


def _check_something_due(world: World, found: VillageList) -> None:
    """`NothingToShow` where all has gone out: a second notice is for what is still to be paid."""
    if not any(case.open_grants for case in cases_of(world, found.cases)):
        raise NothingToShow(village_list=found.id)


def post(world: World, command: OfList, notice: Notice, photo_sha256: str | None) -> Result:
    """Post a notice for as many days as the programme asks and the rulebook at least wants."""
    check_sha256("photo_sha256", photo_sha256)
    found, season = command.of(world)
    notices = world.rules(Notices, found.village, world.now)
    check_wanted(found, season, notice)
    first = notice is Notice.FIRST
    days = season.terms.first_notice_days if first else season.terms.second_notice_days
    ends_at = notices.rule.ends_at(world.now, days)
    withdraw_at = notices.rule.withdraw_at(ends_at)
    found.post(notice, world.now, ends_at, withdraw_at, photo_sha256, notices.ref)
    return {"ends_at": ends_at, "households": len(found.cases)}
