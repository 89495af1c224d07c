"""What a situation report says at the moment: which version counts, and who stands behind it."""

from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from domain.base import Aggregate
from domain.refusal import ChangedMeanwhile
from domain.report_filing import OFFICIAL, Filing, HandedUp, Hands, Kind, Review
from domain.report_refusals import (
    AlreadyIssued,
    AlreadyReviewed,
    AlreadySentUpward,
    NotIssuedYet,
    ReportWithdrawn,
    SentBeforeFiled,
    must_be_right,
)
from domain.rules.indicators import Finding
from domain.separation import join


class Versions(Aggregate):
    """The base of `SituationReport`, which alone has facts."""

    if TYPE_CHECKING:  # at run time the library would take them for fields of the first fact
        current: Filing
        review: Review
        accepted: Filing | None
        issued: tuple[int, ...]
        sent: dict[int, HandedUp]
        to_make_up: bool
        duty_answered: int
        stable_at: datetime | None
        verified_due_at: datetime | None
        steps: dict[str, Hands]
        scribes: tuple[UUID, ...]

    def trigger_event(self, event_class: Any, **kwargs: Any) -> None:
        if self.review is Review.WITHDRAWN:
            raise ReportWithdrawn(report=self.id)
        super().trigger_event(event_class, **kwargs)

    @property
    def baseline(self) -> Filing | None:
        """What a new version is compared with: the current one, never a returned one."""
        return self.accepted if self.review is Review.RETURNED else self.current

    @property
    def is_verified(self) -> bool:
        return self.current.kind is Kind.VERIFIED and self.review in OFFICIAL

    @property
    def owes(self) -> bool:
        """Whether more is to come of it: daily reports until it is stable, then the 核报."""
        if self.review is Review.WITHDRAWN:
            return False
        unverified = self.verified_due_at is not None and not self.is_verified
        return self.stable_at is None or unverified

    def expect(self, number: int | None) -> None:
        """`ChangedMeanwhile` unless that is the current version (None: whatever it is)."""
        if self.review is Review.WITHDRAWN:  # said before any other reason
            raise ReportWithdrawn(report=self.id)
        if number is not None and number != self.current.number:
            raise ChangedMeanwhile(kind="SituationReport", id=self.id, version=self.current.number)

    def _must_be_pending(self, number: int) -> None:
        self.expect(number)
        if self.review is not Review.PENDING:
            raise AlreadyReviewed(report=self.id, number=number, review=self.review)

    def _must_be_issuable(
        self, number: int, gaps: tuple[Finding, ...], beside: tuple[Finding, ...]
    ) -> None:
        """By the same rules as it would be accepted by a level above."""
        self.expect(number)
        if self.review is Review.ISSUED:
            raise AlreadyIssued(report=self.id, number=number)
        self._must_be_pending(number)
        if self.current.kind is Kind.VERIFIED:
            must_be_right(self.id, self.current, gaps, beside)

    def _became_issued(self, number: int) -> None:
        self.review = Review.ISSUED
        self.accepted = self.current
        self.issued += (number,)

    def _must_be_sendable(self, number: int, sent: HandedUp) -> None:
        if number not in self.issued:
            raise NotIssuedYet(report=self.id, number=number)
        if self.sent.get(number) == sent:
            raise AlreadySentUpward(report=self.id, number=number, receipt_no=sent.receipt_no)
        # A page says minutes: 00:51 is not before the 00:51:20 at which the version came in.
        filed_at = self.current.reported_at.replace(second=0, microsecond=0)
        if number == self.current.number and sent.at < filed_at:
            raise SentBeforeFiled(report=self.id, reported_at=self.current.reported_at)

    def _take(self, filed: Filing) -> None:
        self.current = filed
        self.review = Review.PENDING
        self.to_make_up = self.to_make_up or filed.phoned
        self.duty_answered = max(self.duty_answered, filed.duty_number or 0)
        self.scribes += tuple(p for p in filed.scribes if p not in self.steps["report"])
        join(self.steps, "report", filed.hands)

    def _stands_for_itself(self, filed: Filing) -> None:
        """The area told it in its own words: who only took a call down is no reporter any more."""
        self.to_make_up = False
        only_wrote = set(self.scribes) - set(filed.hands)
        self.steps["report"] = tuple(p for p in self.steps["report"] if p not in only_wrote)
