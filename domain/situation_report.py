"""SituationReport 灾情报告: what one area says of one occurrence, version by version.

Initial 初报 → follow-ups 续报 or zero reports 零报告 → verified 核报; it may begin by telephone
(待补报) and be made up 补报 later. Each version is accepted or returned by the level above, which
never edits a figure: it returns, or adjudicates 核定 in a fact of its own (domain.md §1.3, §7.5).
Of the store's seat a second person issues 签发 it, for nobody is in post above (decision 0054).

Nothing here stops a report that saves lives: broken arithmetic and unexplained jumps are kept
with the version as questions, and only the acceptance of a 核报 is refused for them.
"""

from datetime import datetime
from typing import Any, Literal, Self
from uuid import UUID

import msgspec
from eventsourcing.domain import event

from domain.base import grown
from domain.casualties import SetAside, set_aside
from domain.exercise import keep_apart
from domain.report_filing import (
    Decided,
    Filing,
    FirstFact,
    HandedUp,
    Hands,
    Kind,
    Review,
    owed_by_every_level,
    recounted,
)
from domain.report_refusals import (
    AlreadyAttached,
    AlreadyOnRoster,
    CorrectionNeedsReason,
    HappenedAfterReport,
    NothingToSetAside,
    must_add_up,
    must_not_go_back,
)
from domain.report_versions import Versions
from domain.rules.deadlines import FollowUpDuty
from domain.rules.indicators import Figures, Finding
from domain.separation import join
from domain.world import RuleRef

Roster = Literal["casualty", "house"]
Findings = tuple[Finding, ...]
Rules = tuple[RuleRef, ...]


class SituationReport(Versions):
    """One report. `begin` makes it; it starts with one of two first facts."""

    class InitialReported(FirstFact):
        """初报, filed in the system."""

    class PhonedIn(FirstFact):
        """待补报: taken down by telephone."""

    def __init__(
        self,
        id: UUID,
        area: UUID,
        area_code: str,
        occurred_at: datetime,
        hazard: str,
        sub_hazard: str,
        exercise: bool,
        filed: Filing,
    ) -> None:
        self.area = area
        self.answers = area
        self.occurred_at = occurred_at
        self.hazard = hazard
        self.exercise = exercise
        self.current = filed
        self.review = Review.PENDING
        self.accepted: Filing | None = None
        self.decided: Decided | None = None
        self.issued: tuple[int, ...] = ()
        self.sent: dict[int, HandedUp] = {}
        self.to_make_up = filed.phoned
        self.disaster: UUID | None = None
        self.duty: FollowUpDuty | None = None
        self.owed = False
        self.duty_answered = 0
        self.stable_at: datetime | None = None
        self.verified_due_at: datetime | None = None
        self.set_aside: dict[str, SetAside] = {}
        self.steps: dict[str, Hands] = {"report": filed.hands}
        self.scribes = filed.scribes
        self.rows: dict[str, int] = {}
        self.casualties: dict[UUID, UUID] = {}
        self.houses: dict[UUID, UUID] = {}

    @classmethod
    def begin(cls, *, id: UUID, filed: Filing, **about: Any) -> Self:
        """初报, or a first report by telephone. ``about``: the other fields of `FirstFact`."""
        first = cls.PhonedIn if filed.phoned else cls.InitialReported
        return cls._create(first, id=id, filed=filed, **about)

    @property
    def home(self) -> UUID:
        return self.area

    def make_up(self, filed: Filing) -> None:
        """补报: the full report after the telephone call."""
        self.must_be_to_make_up()
        must_not_go_back(self.id, self.current, filed)
        self._made_up(filed=filed)

    @event("MadeUp")
    def _made_up(self, filed: Filing) -> None:
        self._take(filed)
        self._stands_for_itself(filed)

    def follow_up(self, filed: Filing) -> None:
        """续报. After an accepted 核报 it opens the report again (new harm, a body found)."""
        must_not_go_back(self.id, self.current, filed)
        self._followed_up(filed=filed)

    @event("FollowedUp")
    def _followed_up(self, filed: Filing) -> None:
        self._take(filed)

    def zero_report(self, filed: Filing) -> None:
        """零报告: the duty is done and nothing has changed."""
        self.must_owe_zero_report()
        must_not_go_back(self.id, self.current, filed)
        self._zero_reported(filed=filed)

    @event("ZeroReported")
    def _zero_reported(self, filed: Filing) -> None:
        self._take(filed)

    def verify(self, filed: Filing) -> None:
        """核报, after the full survey. A second one corrects the first and says why."""
        self.must_be_stable()
        if self.is_verified and not filed.reason.strip():
            raise CorrectionNeedsReason(report=self.id, number=self.current.number)
        must_not_go_back(self.id, self.current, filed)
        self._verified(filed=filed)

    @event("Verified")
    def _verified(self, filed: Filing) -> None:
        self._take(filed)
        self._stands_for_itself(filed)

    def resubmit(self, filed: Filing) -> None:
        """The returned version, corrected, of the same kind."""
        self.must_be_returned()
        must_not_go_back(self.id, self.current, filed)
        self._resubmitted(filed=filed)

    @event("Resubmitted")
    def _resubmitted(self, filed: Filing) -> None:
        self._take(filed)
        self._stands_for_itself(filed)

    def explain_jump(self, number: int, reason: str) -> None:
        self.expect(number)
        self.must_want_a_reason()
        self._jump_explained(number=number, reason=reason)

    @event("JumpExplained")
    def _jump_explained(self, number: int, reason: str) -> None:
        self.current = msgspec.structs.replace(self.current, reason=reason)
        if self.accepted is not None and self.accepted.number == number:
            self.accepted = self.current

    def correct_occurrence(
        self, occurred_at: datetime, hazard: str, sub_hazard: str, reason: str, rule: RuleRef
    ) -> None:
        """更正 when it happened and of what kind it is. Figures and due times stay as they were."""
        if occurred_at > self.current.as_of:
            raise HappenedAfterReport(report=self.id, as_of=self.current.as_of)
        self._occurrence_corrected(
            occurred_at=occurred_at, hazard=hazard, sub_hazard=sub_hazard, reason=reason, rule=rule
        )

    @event("OccurrenceCorrected")
    def _occurrence_corrected(
        self, occurred_at: datetime, hazard: str, sub_hazard: str, reason: str, rule: RuleRef
    ) -> None:
        self.occurred_at = occurred_at
        self.hazard = hazard

    # review by the level above

    def accept(
        self,
        number: int,
        hands: Hands,
        forward_due_at: datetime | None,
        gaps: Findings,
        rules: Rules,
        beside: Findings = (),
    ) -> None:
        """Accept the version that was seen.

        ``gaps``: where a 核报 differs from the rosters; ``beside``: from what its parts say now.
        """
        self.expect(number)
        self.must_be_pending()
        self.must_be_right(gaps, beside)
        self._accepted(
            number=number,
            kind=self.current.kind,
            hands=hands,
            forward_due_at=forward_due_at,
            rules=rules,
        )

    @event("Accepted")
    def _accepted(
        self,
        number: int,
        kind: Kind,
        hands: Hands,
        forward_due_at: datetime | None,
        rules: tuple[RuleRef, ...],
    ) -> None:
        self.review = Review.ACCEPTED
        self.accepted = self.current
        join(self.steps, "review", hands)

    def issue(
        self, number: int, hands: Hands, gaps: Findings, rules: Rules, beside: Findings
    ) -> None:
        """签发: the seat's own version becomes official. It is to be sent up when it was due."""
        self.expect(number)
        self.must_be_to_issue()
        self.must_be_right(gaps, beside)
        kind, due = self.current.kind, self.current.due_at
        self._issued(number=number, kind=kind, hands=hands, upward_due_at=due, rules=rules)

    @event("Issued")
    def _issued(
        self, number: int, kind: Kind, hands: Hands, upward_due_at: datetime | None, rules: Rules
    ) -> None:
        self._became_issued(number)

    def record_sent_upward(self, number: int, sent: HandedUp) -> None:
        """上报: by hand, outside this ledger. Said again it corrects what was said."""
        self._must_be_sendable(number, sent)
        self._sent_upward(number=number, sent_at=sent.at, receipt_no=sent.receipt_no)

    @event("SentUpward")
    def _sent_upward(self, number: int, sent_at: datetime, receipt_no: str) -> None:
        self.sent[number] = HandedUp(sent_at, receipt_no)

    def return_version(self, number: int, reason: str, hands: Hands) -> None:
        """退回: send the version back, with the reason."""
        self.expect(number)
        self.must_be_pending()
        self._returned(number=number, kind=self.current.kind, reason=reason, hands=hands)

    @event("Returned")
    def _returned(self, number: int, kind: Kind, reason: str, hands: Hands) -> None:
        self.review = Review.RETURNED
        join(self.steps, "review", hands)

    def adjudicate(
        self,
        figures: Figures,
        document_no: str,
        reason: str,
        rules: tuple[RuleRef, ...],
        hands: Hands,
        broken: tuple[Finding, ...],
    ) -> None:
        """核定: the level above decides figures; ``broken``: errors of them over the reported."""
        must_add_up(self.id, broken)
        self._adjudicated(
            number=self.current.number,
            figures=figures,
            document_no=document_no,
            reason=reason,
            rules=rules,
            hands=hands,
        )

    @event("Adjudicated")
    def _adjudicated(
        self,
        number: int,
        figures: Figures,
        document_no: str,
        reason: str,
        rules: tuple[RuleRef, ...],
        hands: Hands,
    ) -> None:
        self._decide(number, figures)
        join(self.steps, "adjudicate", hands)

    def set_parts_aside(
        self, number: int, parts: Figures, document_no: str, reason: str, hands: Hands
    ) -> None:
        """The dead and missing of this version count although its parts have more accepted.

        ``parts``: what they have, as the person who decides saw it.
        """
        self.expect(number)
        decided = set_aside(self.as_decided(self.current).figures, parts)
        if not decided:
            raise NothingToSetAside(report=self.id, number=number)
        self._parts_set_aside(
            number=number, decided=decided, document_no=document_no, reason=reason, hands=hands
        )

    @event("PartsSetAside")
    def _parts_set_aside(
        self, number: int, decided: dict[str, SetAside], document_no: str, reason: str, hands: Hands
    ) -> None:
        self.set_aside = self.set_aside | decided
        join(self.steps, "review", hands)

    def withdraw(self, reason: str, hands: Hands, *, from_above: bool) -> None:
        """撤回: void the whole report. Once a version is accepted, only the level above can."""
        self.must_be_void(from_above=from_above)
        self._withdrawn(number=self.current.number, reason=reason, hands=hands)

    @event("Withdrawn")
    def _withdrawn(self, number: int, reason: str, hands: Hands) -> None:
        self.review = Review.WITHDRAWN
        self.accepted = None
        self.duty = None

    # the duty to follow up, and its end

    def start_duty(self, duty: FollowUpDuty, rule: RuleRef, *, owed: bool) -> None:
        """Daily 24 h reporting (a drought: every ten days) until the situation is stable.

        ``owed``: the rulebook makes this level owe it; else follow-ups are taken but not due.
        """
        self.must_owe_nothing()
        self._follow_up_duty_started(duty=duty, rule=rule, owed=owed)

    @event("FollowUpDutyStarted")
    def _follow_up_duty_started(self, duty: FollowUpDuty, rule: RuleRef, owed: bool) -> None:
        self.duty = duty
        self.owed = owed
        self.duty_answered = 0
        self.stable_at = None
        self.verified_due_at = None

    def stabilize(
        self, stable_at: datetime, verified_due_at: datetime | None, rules: tuple[RuleRef, ...]
    ) -> None:
        """灾情稳定: the duty ends, the clock of the 核报 starts."""
        self.must_be_unstable()
        self._follow_up_duty_ended(
            stable_at=stable_at, verified_due_at=verified_due_at, rules=rules
        )

    @event("FollowUpDutyEnded")
    def _follow_up_duty_ended(
        self, stable_at: datetime, verified_due_at: datetime | None, rules: tuple[RuleRef, ...]
    ) -> None:
        self.duty = None
        self.stable_at = stable_at
        self.verified_due_at = verified_due_at

    def pass_on(self, to: UUID, reason: str) -> None:
        """Its area was merged: the successor answers for what it still owes, and this stays what
        its own area told. Nothing owed, or passed on before: no fact."""
        if self.owes and self.answers != to:
            self._duties_passed_on(to=to, reason=reason)

    @event("DutiesPassedOn")
    def _duties_passed_on(self, to: UUID, reason: str) -> None:
        self.answers = to

    # the disaster it belongs to

    def attach(self, disaster: UUID) -> None:
        if self.disaster is not None:
            raise AlreadyAttached(report=self.id, disaster=self.disaster)
        self._attached(disaster=disaster)

    @event("Attached")
    def _attached(self, disaster: UUID) -> None:
        self.disaster = disaster

    def detach(self, reason: str) -> UUID:
        left = self.must_be_attached()
        self._detached(disaster=left, reason=reason)
        return left

    @event("Detached")
    def _detached(self, disaster: UUID, reason: str) -> None:
        self.disaster = None

    # the rosters behind the figures

    def count(
        self, roster: Roster, record: UUID, person: UUID, change: dict[str, int], exercise: bool
    ) -> None:
        """A row of a roster is new or changed: ``change`` is added to the counts; a person stands
        once on one roster."""
        keep_apart("SituationReport", self.id, exercise=self.exercise, wanted=exercise)
        known = self.casualties if roster == "casualty" else self.houses
        if known.get(person, record) != record:
            raise AlreadyOnRoster(report=self.id, record=known[person])
        self._count(roster, record, person, change, listed=True)

    def uncount(self, roster: Roster, record: UUID, person: UUID, change: dict[str, int]) -> None:
        """A row was withdrawn or the person was found: it no longer stands on the roster."""
        self._count(roster, record, person, change, listed=False)

    def _count(
        self, roster: Roster, record: UUID, person: UUID, change: dict[str, int], listed: bool
    ) -> None:
        rows = recounted(self.rows, change)
        self._roster_counted(roster=roster, record=record, person=person, listed=listed, rows=rows)

    @event("RosterCounted")
    def _roster_counted(
        self, roster: Roster, record: UUID, person: UUID, listed: bool, rows: dict[str, int]
    ) -> None:
        self.rows = dict(rows)
        known = self.casualties if roster == "casualty" else self.houses
        if listed:
            known[person] = record
        else:
            known.pop(person, None)


grown(SituationReport.FollowUpDutyStarted, owed_by_every_level)
