"""The desk of the store's seat: issue 签发 its own report, and note that it was sent upward 上报.

The seat is the highest area with somebody in post. Nobody could accept its report, so a second
person of its own makes it official by signing; that is a fact of its own, for nobody accepts
themselves (decision 0054). The level above is told by other ways until it uses this ledger too.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from uuid import UUID

import msgspec

from domain.area import check_text
from domain.commands.filing import OnReport, check_moment
from domain.commands.reviews import (
    ANY_REVIEWER,
    compared,
    must_be_reviewer,
    must_be_right,
    second_person,
)
from domain.report_filing import HandedUp, Hands
from domain.report_refusals import NotTheSeat
from domain.seat import seat_of
from domain.situation_report import SituationReport
from domain.world import Result, Role, World


def _second_at_seat(world: World, report: SituationReport) -> Hands:
    """The persons who sign the seat's own report."""
    must_be_reviewer(world, report.area)
    if report.area != seat_of(world):
        raise NotTheSeat(report=report.id)
    report.must_stand()
    return second_person(world, report)


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueReport(OnReport):
    """Issue 签发 the version that was seen of the seat's own report, as the second person.

    A 核报 only if it is right in every rule, as when a level above accepts.
    """

    report: UUID
    version: int
    roles: ClassVar[frozenset[Role]] = ANY_REVIEWER

    @classmethod
    def check(cls, world: World, report: SituationReport) -> None:
        _second_at_seat(world, report)
        report.must_be_to_issue()
        must_be_right(world, report)

    def decide(self, world: World) -> Result:
        report = world.get(SituationReport, self.report)
        hands = _second_at_seat(world, report)
        report.expect(self.version)
        gaps, beside, rules = compared(world, report)
        report.issue(self.version, hands, gaps, rules, beside)
        due_at = report.current.due_at
        return {
            "report": str(report.id),
            "version": self.version,
            "upward_due_at": due_at.isoformat() if due_at else None,
            "flags": msgspec.to_builtins(beside),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordSentUpward(OnReport):
    """Note when an issued version was handed to the level above, and the number of its receipt."""

    report: UUID
    version: int
    sent_at: datetime
    receipt_no: str
    roles: ClassVar[frozenset[Role]] = ANY_REVIEWER

    @classmethod
    def check(cls, world: World, report: SituationReport) -> None:
        must_be_reviewer(world, report.area)
        report.must_have_been_issued()

    @classmethod
    def path_fields(cls, subject: SituationReport) -> dict[str, object]:
        return {"version": subject.issued[-1] if subject.issued else subject.current.number}

    def decide(self, world: World) -> None:
        check_text("receipt_no", self.receipt_no)
        report = world.get(SituationReport, self.report)
        must_be_reviewer(world, report.area)
        sent_at = check_moment("sent_at", self.sent_at, world, report.occurred_at)
        report.record_sent_upward(self.version, HandedUp(sent_at, self.receipt_no.strip()))
