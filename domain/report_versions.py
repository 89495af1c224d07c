"""What a situation report says at the moment: which version counts, and who stands behind it."""

from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec

from domain.base import Aggregate
from domain.refusal import ChangedMeanwhile
from domain.report_filing import OFFICIAL, Decided, Filing, HandedUp, Hands, Kind, Review
from domain.report_refusals import (
    AlreadyIssued,
    AlreadyReviewed,
    AlreadySentUpward,
    AlreadyStable,
    DutyRuns,
    NoDutyRuns,
    NoJumpToExplain,
    NotAttached,
    NothingReturned,
    NothingToMakeUp,
    NotIssuedYet,
    NotStableYet,
    ReportWithdrawn,
    ReturnedFiguresRepeated,
    SentBeforeFiled,
    must_be_right,
    must_be_void,
)
from domain.rules.deadlines import FollowUpDuty
from domain.rules.indicators import Figures, Finding
from domain.separation import join


class Versions(Aggregate):
    """The base of `SituationReport`, which alone has facts."""

    if TYPE_CHECKING:  # at run time the library would take them for fields of the first fact
        current: Filing
        review: Review
        accepted: Filing | None
        decided: Decided | None
        issued: tuple[int, ...]
        sent: dict[int, HandedUp]
        to_make_up: bool
        duty_answered: int
        stable_at: datetime | None
        disaster: UUID | None
        duty: FollowUpDuty | None
        rows: dict[str, int]
        casualties: dict[UUID, UUID]
        houses: dict[UUID, UUID]
        verified_due_at: datetime | None
        steps: dict[str, Hands]
        scribes: tuple[UUID, ...]

    def trigger_event(self, event_class: Any, **kwargs: Any) -> None:
        self.must_stand()
        super().trigger_event(event_class, **kwargs)

    @property
    def baseline(self) -> Filing | None:
        """What a new version is compared with: the current one, never a returned one."""
        return self.accepted if self.review is Review.RETURNED else self.current

    @property
    def official(self) -> Filing | None:
        """The accepted version, with what the level above has adjudicated 核定 in place of it."""
        return None if self.accepted is None else self.as_decided(self.accepted)

    def as_decided(self, filed: Filing) -> Filing:
        """A decision holds for the version it was made about and those before. A later one is of a
        later time and replaces it; a zero report says nothing new, so that it goes on."""
        if self.decided is None or self.decided.through < filed.number:
            return filed
        return msgspec.structs.replace(filed, figures=filed.figures | self.decided.figures)

    def _decide(self, number: int, figures: Figures) -> None:
        same = self.decided is not None and self.decided.through == number
        before = self.decided.figures if self.decided is not None and same else {}
        self.decided = Decided(number, before | figures)

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

    def must_stand(self) -> None:
        """Nothing more is done to a report that was withdrawn."""
        if self.review is Review.WITHDRAWN:
            raise ReportWithdrawn(report=self.id)

    def expect(self, number: int | None) -> None:
        """`ChangedMeanwhile` unless that is the current version (None: whatever it is)."""
        self.must_stand()  # said before any other reason
        if number is not None and number != self.current.number:
            raise ChangedMeanwhile(kind="SituationReport", id=self.id, version=self.current.number)

    def must_be_pending(self) -> None:
        self.must_stand()
        if self.review is not Review.PENDING:
            raise AlreadyReviewed(report=self.id, number=self.current.number, review=self.review)

    def must_be_to_issue(self) -> None:
        if self.review is Review.ISSUED:
            raise AlreadyIssued(report=self.id, number=self.current.number)
        self.must_be_pending()

    def must_be_right(self, gaps: tuple[Finding, ...], beside: tuple[Finding, ...]) -> None:
        """To be official: a 核报 is right in every rule, anything else is taken as it is.

        ``gaps``: where it differs from the rosters; ``beside``: from what its parts say now.
        """
        if self.current.kind is Kind.VERIFIED:
            must_be_right(self.id, self.current, gaps, beside)

    def must_have_been_issued(self) -> None:
        self.must_stand()
        if not self.issued:
            raise NotIssuedYet(report=self.id, number=self.current.number)

    def _became_issued(self, number: int) -> None:
        self.review = Review.ISSUED
        self.accepted = self.current
        self.issued += (number,)

    # what a step asks of the report, whoever takes it

    def must_be_to_make_up(self) -> None:
        if not self.to_make_up:
            raise NothingToMakeUp(report=self.id)

    def must_owe_zero_report(self) -> None:
        if self.duty is None:
            raise NoDutyRuns(report=self.id)
        if self.review is Review.RETURNED:
            raise ReturnedFiguresRepeated(report=self.id, number=self.current.number)

    def must_be_stable(self) -> None:
        if self.stable_at is None:
            raise NotStableYet(report=self.id)

    def must_be_returned(self) -> None:
        if self.review is not Review.RETURNED:
            raise NothingReturned(report=self.id, number=self.current.number)

    def must_want_a_reason(self) -> None:
        if not self.current.wants_reason:
            raise NoJumpToExplain(report=self.id, number=self.current.number)

    def must_be_void(self, *, from_above: bool) -> None:
        on_rosters = len(self.casualties) + len(self.houses)
        must_be_void(self.id, None if from_above else self.accepted, on_rosters)

    def must_owe_nothing(self) -> None:
        if self.duty is not None:
            raise DutyRuns(report=self.id)

    def must_be_unstable(self) -> None:
        if self.stable_at is not None:
            raise AlreadyStable(report=self.id, stable_at=self.stable_at)

    def must_be_attached(self) -> UUID:
        """The disaster on which it hangs."""
        if self.disaster is None:
            raise NotAttached(report=self.id)
        return self.disaster

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
        goes_on = self.decided is not None and self.decided.through == self.current.number
        if self.decided is not None and goes_on and filed.kind is Kind.ZERO:
            self.decided = Decided(filed.number, self.decided.figures)
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
