"""PostProposal 任免建议: a superior proposes about posts below, an administrator there decides.

Superiors see who is in office below them and know who is needed; who gives and takes posts is the
administrator of that area (decision 0069). A proposal changes nobody's post: taking it is the
administrator's own decision, by the same command as without a proposal, in one commit with
`PostProposal.Taken`. It waits until ``lapses_at`` and is over by time alone then.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

import msgspec
from eventsourcing.domain import event

from domain.area import check_text
from domain.base import Aggregate
from domain.lateness import IN_TIME, Counting
from domain.posts import Post
from domain.refusal import Refusal
from domain.world import Role

PROPOSAL_DAYS = 30
"""For so long a proposal waits. Whom an office needs changes: whoever still wants it after that
proposes again."""


class ProposalKind(StrEnum):
    """What is proposed."""

    ENGAGEMENT = "engagement"  # somebody new comes into office
    APPOINTMENT = "appointment"  # an officer gets a further post
    END = "end"  # a post of an officer ends
    SUSPENSION = "suspension"  # an officer does nothing for now


class ProposedPost(msgspec.Struct, frozen=True):
    """The post that somebody is to get, from when; ``ends_on`` its last day, if it has one."""

    role: Role
    area: UUID
    post: Post
    starts_on: date
    ends_on: date | None


@dataclass(eq=False)
class ProposedFromAbove(Refusal):
    """Whoever proposes is above; of the store's seat, above which nobody is in post, from there."""

    zh: ClassVar[str] = "只有上级才能提出任免建议，本级人员请直接向管理员说明"
    en: ClassVar[str] = (
        "Superiors propose about posts. For somebody of your own level, ask the administrator."
    )
    area: UUID


@dataclass(eq=False)
class OwnProposal(Refusal):
    zh: ClassVar[str] = "不得办理自己提出的任免建议"
    en: ClassVar[str] = "Nobody decides on a proposal of their own."
    proposal: UUID


@dataclass(eq=False)
class ProposalDecided(Refusal):
    zh: ClassVar[str] = "该任免建议已有处理结果"
    en: ClassVar[str] = "This proposal has been decided on already."
    proposal: UUID


@dataclass(eq=False)
class ProposalLapsed(Refusal):
    zh: ClassVar[str] = "该任免建议已过期，请由上级重新提出"
    en: ClassVar[str] = "This proposal has lapsed: the superior proposes again."
    proposal: UUID
    lapses_at: datetime


@dataclass(eq=False)
class TakenOtherwise(Refusal):
    """Who is new needs a log-in name and an ID number; the other proposals take nothing more."""

    zh: ClassVar[str] = "新任人员的建议须填写登录名和身份证号后办理，其他建议直接采纳"
    en: ClassVar[str] = (
        "A proposal to engage somebody is taken with a log-in name and an ID number, every other "
        "one as it is."
    )
    proposal: UUID


class PostProposal(Aggregate):
    """Proposed → Taken or Declined. ``area`` is whose administrator decides.

    ``whom`` is the full name of somebody who is not in office yet, ``proposers`` are the natural
    persons who propose.
    """

    @event("Proposed")
    def __init__(
        self,
        id: UUID,
        area: UUID,
        kind: ProposalKind,
        proposers: tuple[UUID, ...],
        officer: UUID | None,
        whom: str | None,
        wanted: ProposedPost | None,
        appointment: UUID | None,
        ends_on: date | None,
        reason: str,
        lapses_at: datetime,
    ) -> None:
        self.area = area
        self.kind = kind
        self.proposers = proposers
        self.officer = officer
        self.wanted = wanted
        self.appointment = appointment
        self.ends_on = ends_on
        self.reason = reason
        self.lapses_at = lapses_at
        self.decided = False

    @property
    def home(self) -> UUID:
        return self.area

    @staticmethod
    def lapse_of(now: datetime) -> datetime:
        return now + timedelta(days=PROPOSAL_DAYS)

    def require_open(self, counting: Counting) -> None:
        if self.decided:
            raise ProposalDecided(proposal=self.id)
        if counting.left(self.lapses_at) < IN_TIME:
            raise ProposalLapsed(proposal=self.id, lapses_at=self.lapses_at)

    def take(self, officer: UUID, appointment: UUID | None) -> None:
        """The administrator has done it: for whom, and by which appointment."""
        self._taken(officer=officer, appointment=appointment)

    @event("Taken")
    def _taken(self, officer: UUID, appointment: UUID | None) -> None:
        self.decided = True

    def decline(self, reason: str) -> None:
        check_text("reason", reason)
        self._declined(reason=reason)

    @event("Declined")
    def _declined(self, reason: str) -> None:
        self.decided = True
