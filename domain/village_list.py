"""VillageList 村级名册: one village's households in one round of a season, moved step by step.

A step is one commit over the list: minutes of the 村评, first notice (who), 乡审, 县定, amounts,
second notice (how much), payment. Notices run on the server's clock. Hands are kept here for
the list as the matter; single acts on one case keep theirs in the case.
"""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid5

from eventsourcing.domain import event

from domain.base import NAMESPACE, Aggregate, grown
from domain.due import check_due
from domain.lateness import IN_TIME, Counting
from domain.list_checks import ALLOCATABLE, UNDECIDED, ListChecks
from domain.notice import (
    NoSuchObjection,
    Notice,
    ObjectionKind,
    ObjectionRepeated,
)
from domain.roster import (
    Hands,
    ListStage,
    Minutes,
    MinutesMissing,
)
from domain.rules.standards import Programme
from domain.separation import join
from domain.world import RuleRef, Sealed


class VillageList(ListChecks, Aggregate):
    """Opened → MinutesRecorded, CasesListed → Posted → Reviewed → Approved → Allocated → … Closed.

    ``notices`` holds the end of each notice that counts; a change of what was shown voids it.
    """

    @event("Opened")
    def __init__(self, id: UUID, season: UUID, village: UUID, round: int, exercise: bool) -> None:
        self.season = season
        self.village = village
        self.round = round
        self.exercise = exercise
        self.stage = ListStage.DRAFT
        self.has_minutes = False
        self.has_paid = False
        self.cases: dict[UUID, None] = {}
        self.notices: dict[Notice, datetime] = {}
        self.unsure: dict[Notice, datetime] = {}  # posted by unconfirmed rules, and when
        self.showing: Notice | None = None
        self.withdraw_at: datetime | None = None
        self.objections: dict[UUID, bool] = {}
        self.steps: dict[str, Hands] = {}

    @staticmethod
    def id_of(season: UUID, village: UUID, round: int) -> UUID:
        return uuid5(NAMESPACE, f"village-list/{season}/{village}/{round}")

    def derived_id(self) -> UUID:
        return self.id_of(self.season, self.village, self.round)

    @property
    def home(self) -> UUID:
        return self.village

    def record_minutes(self, minutes: Minutes) -> None:
        self.must_be(ListStage.DRAFT)
        self._minutes_recorded(minutes=minutes)

    @event("MinutesRecorded")
    def _minutes_recorded(self, minutes: Minutes) -> None:
        self.has_minutes = True

    def put_on(
        self, on: Iterable[UUID], off: Iterable[UUID], terms: Programme, hands: Hands
    ) -> None:
        """The village draws its list up, or changes it: who comes on it, who goes off it."""
        self.must_be(ListStage.DRAFT)
        if terms.requires("appraisal") and not self.has_minutes:
            raise MinutesMissing(village_list=self.id)
        on, off = tuple(on), tuple(off)
        if not off and self.cases.keys() >= set(on):
            self.check_not_posted()
        self._cases_listed(on=on, off=off, hands=hands)

    @event("CasesListed")
    def _cases_listed(self, on: tuple[UUID, ...], off: tuple[UUID, ...], hands: Hands) -> None:
        self.cases.update(dict.fromkeys(on))
        self._strike(off)
        self.notices.clear()
        self.showing = None
        join(self.steps, "report", hands)

    def post(
        self,
        notice: Notice,
        posted_at: datetime,
        ends_at: datetime,
        withdraw_at: datetime,
        photo_sha256: str | None,
        notices: RuleRef,
    ) -> None:
        """Put the notice up: the first over a draft, the second over amounts.

        At ``withdraw_at`` it comes down by itself, if nobody has taken it down.
        """
        self.check_postable(notice)
        self._posted(
            notice=notice,
            posted_at=posted_at,
            ends_at=ends_at,
            households=len(self.cases),
            photo_sha256=photo_sha256,
            notices=notices,
            withdraw_at=withdraw_at,
        )

    @event("Posted")
    def _posted(
        self,
        notice: Notice,
        posted_at: datetime,
        ends_at: datetime,
        households: int,
        photo_sha256: str | None,
        notices: RuleRef,
        withdraw_at: datetime,
    ) -> None:
        self.notices[notice] = ends_at
        self.unsure.pop(notice, None)
        if notices.unconfirmed and not self.exercise:
            self.unsure[notice] = posted_at
        self.showing = notice
        self.withdraw_at = withdraw_at

    def withdraw(self, reason: str, now: Counting) -> None:
        """Take the notice down: at its end, or early, and then it does not count."""
        self.check_showing()
        notice = self.showing
        assert notice is not None
        left = now.left(self.notices[notice])
        self._withdrawn(notice=notice, early=left > IN_TIME, reason=reason)

    def withdraw_when_due(
        self, notice: Notice, due_at: datetime, reason: str, now: Counting
    ) -> None:
        """Take the notice down by itself: this very posting, and not before its time."""
        awaited = self.withdraw_at if self.showing is notice else None
        check_due(self.id, due_at, awaited, now)
        self._withdrawn(notice=notice, early=False, reason=reason)

    @event("Withdrawn")
    def _withdrawn(self, notice: Notice, early: bool, reason: str) -> None:
        self.showing = None
        if early:
            self.notices.pop(notice, None)

    def raise_objection(
        self,
        objection: UUID,
        kind: ObjectionKind,
        household: UUID | None,
        text: Sealed,
        received_at: datetime,
    ) -> None:
        """Somebody objects while a notice hangs, also with "why am I not on it?"."""
        self.check_showing()
        assert self.showing is not None
        if objection in self.objections:
            raise ObjectionRepeated(village_list=self.id, objection=objection)
        self._objection_raised(
            objection=objection,
            notice=self.showing,
            kind=kind,
            household=household,
            text=text,
            received_at=received_at,
        )

    @event("ObjectionRaised")
    def _objection_raised(
        self,
        objection: UUID,
        notice: Notice,
        kind: ObjectionKind,
        household: UUID | None,
        text: Sealed,
        received_at: datetime,
    ) -> None:
        self.objections[objection] = True

    def reveal_objection(self, objection: UUID, *, reason: str) -> None:
        """Somebody is shown the sealed text of an objection, settled or not, and why."""
        if objection not in self.objections:
            raise NoSuchObjection(village_list=self.id, objection=objection)
        self._objection_revealed(objection=objection, reason=reason)

    @event("ObjectionRevealed")
    def _objection_revealed(self, objection: UUID, reason: str) -> None:
        """Nothing follows from it: who was shown it is the timeline's."""

    def settle_objection(
        self,
        objection: UUID,
        upheld: bool,
        reason: str,
        added: UUID | None,
        struck: UUID | None,
        step: str,
        hands: Hands,
    ) -> None:
        """Re-evaluated: upheld or not, with reason. A household added voids the first notice."""
        if not self.objections.get(objection, False):
            raise NoSuchObjection(village_list=self.id, objection=objection)
        if added is not None:
            self.must_be(ListStage.DRAFT)
        if struck is not None:
            self.must_hold(struck)
        self._objection_settled(
            objection=objection,
            upheld=upheld,
            reason=reason,
            added=added,
            struck=struck,
            step=step,
            hands=hands,
        )

    @event("ObjectionSettled")
    def _objection_settled(
        self,
        objection: UUID,
        upheld: bool,
        reason: str,
        added: UUID | None,
        struck: UUID | None,
        step: str,
        hands: Hands,
    ) -> None:
        self.objections[objection] = False
        if added is not None:
            self.cases[added] = None
            self.notices.clear()
            self.showing = None
        if struck is not None:
            self._strike((struck,))
        join(self.steps, step, hands)

    def review(
        self, struck: tuple[UUID, ...], terms: Programme, now: Counting, opinion: str, hands: Hands
    ) -> None:
        """乡审. The first notice is over and nothing is open, where the programme has one."""
        self.check_full(struck)
        self.check_reviewable(terms, now)
        self._reviewed(struck=struck, opinion=opinion, hands=hands)

    @event("Reviewed")
    def _reviewed(self, struck: tuple[UUID, ...], opinion: str, hands: Hands) -> None:
        self.stage = ListStage.REVIEWED
        self._strike(struck)
        join(self.steps, "review", hands)

    def send_back(self, reason: str, step: str, hands: Hands) -> None:
        """退回: the village appraises and posts again."""
        self.must_be(*UNDECIDED)
        self._returned(reason=reason, step=step, hands=hands)

    @event("Returned")
    def _returned(self, reason: str, step: str, hands: Hands) -> None:
        self.stage = ListStage.DRAFT
        self.has_minutes = False
        self.notices.clear()
        self.showing = None
        join(self.steps, step, hands)

    def approve(
        self,
        struck: tuple[UUID, ...],
        terms: Programme,
        now: Counting,
        document_no: str,
        standards: RuleRef,
        hands: Hands,
    ) -> None:
        """县定, by document. The first notice still stands: objections may have come since."""
        self.check_full(struck)
        self.check_approvable(terms, now)
        self._approved(struck=struck, document_no=document_no, standards=standards, hands=hands)

    @event("Approved")
    def _approved(
        self, struck: tuple[UUID, ...], document_no: str, standards: RuleRef, hands: Hands
    ) -> None:
        self.stage = ListStage.APPROVED
        self._strike(struck)
        join(self.steps, "approve", hands)

    def allocate(
        self,
        document_no: str,
        fund: UUID | None,
        cash_fen: int,
        goods: dict[str, int],
        standards: RuleRef,
        deliver_by: date | None,
        hands: Hands,
    ) -> None:
        """Amounts and goods a household, by document; again while the list is open.

        What was shown before no longer counts: new amounts need a new second notice.
        """
        self.must_be(*ALLOCATABLE)
        self._allocated(
            document_no=document_no,
            fund=fund,
            cash_fen=cash_fen,
            goods=goods,
            standards=standards,
            deliver_by=deliver_by,
            hands=hands,
        )

    @event("Allocated")
    def _allocated(
        self,
        document_no: str,
        fund: UUID | None,
        cash_fen: int,
        goods: dict[str, int],
        standards: RuleRef,
        deliver_by: date | None,
        hands: Hands,
    ) -> None:
        self.stage = ListStage.ALLOCATED
        self.has_paid = False
        self._void_amounts()
        join(self.steps, "approve", hands)

    def void_amounts(self, reason: str) -> None:
        """A single amount rose: the second notice, if any, must be posted again.

        Refuses `WrongListStage` once the list is closed: nothing is posted over it any more, so
        that the larger amount could never be paid. It takes a further round.
        """
        if Notice.SECOND in self.notices:
            self.must_be(ListStage.ALLOCATED)
            self._notice_voided(notice=Notice.SECOND, reason=reason)

    @event("NoticeVoided")
    def _notice_voided(self, notice: Notice, reason: str) -> None:
        self._void_amounts()

    @event("PaymentMade")
    def paid(
        self, document_no: str, paid_fen: int, payments: int, failed: int, held: int, hands: Hands
    ) -> None:
        """A batch was paid by document: ``failed`` bounced at once, ``held`` wait (contested)."""
        self.has_paid = True
        join(self.steps, "pay", hands)

    @event("GoodsHandedOut")
    def handed_out(self, households: int, units: int, hands: Hands) -> None:
        """So many units were signed for by so many households, in one go."""
        join(self.steps, "pay", hands)

    def close(self, reason: str) -> None:
        """All is paid and signed for, or nothing was ever put on it."""
        self.check_closable()
        self._closed(households=len(self.cases), reason=reason)

    @event("Closed")
    def _closed(self, households: int, reason: str) -> None:
        self.stage = ListStage.CLOSED
        self.showing = None

    def change_village(self, village: UUID) -> None:
        """Its village was merged into that one: the list goes on there, under its own id."""
        if village != self.village:
            self._village_changed(
                origin=self.village, village=village, objections=tuple(self.objections)
            )

    @event("VillageChanged")
    def _village_changed(self, origin: UUID, village: UUID, objections: tuple[UUID, ...]) -> None:
        self.village = village

    def _strike(self, cases: Iterable[UUID]) -> None:
        for case in cases:
            self.cases.pop(case, None)

    def _void_amounts(self) -> None:
        self.notices.pop(Notice.SECOND, None)
        if self.showing is Notice.SECOND:
            self.showing = None


def _posted_without_withdrawal(values: dict[str, Any]) -> None:
    """The first facts did not say when a notice comes down by itself: at its end, then."""
    values["withdraw_at"] = values["ends_at"]


grown(VillageList.Posted, _posted_without_withdrawal)
