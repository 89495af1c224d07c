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

from domain.area import Area, check_text
from domain.commands.filing import check_moment
from domain.commands.parts import against_parts
from domain.commands.reviews import (
    ANY_REVIEWER,
    must_be_reviewer,
    roster_gaps,
    second_person,
)
from domain.report_filing import HandedUp, Kind
from domain.report_refusals import NotTheSeat
from domain.rules.indicators import Finding, Indicators
from domain.seat import seat_of
from domain.situation_report import SituationReport
from domain.world import Command, Result, Role, RuleRef, World


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueReport(Command):
    """Issue 签发 the version that was seen of the seat's own report, as the second person.

    A 核报 only if it is right in every rule, as when a level above accepts.
    """

    report: UUID
    version: int
    roles: ClassVar[frozenset[Role]] = ANY_REVIEWER

    def scope(self, world: World) -> UUID:
        return world.get(SituationReport, self.report).area

    def decide(self, world: World) -> Result:
        report = world.get(SituationReport, self.report)
        must_be_reviewer(world, report.area)
        if report.area != seat_of(world):
            raise NotTheSeat(report=report.id)
        report.expect(self.version)
        hands = second_person(world, report)
        indicators = world.rules(Indicators, report.area, report.occurred_at)
        area = world.get(Area, report.area)
        beside = against_parts(
            world, report.disaster, area, indicators.rule, report.current, report
        )
        gaps: tuple[Finding, ...] = ()
        rules: tuple[RuleRef, ...] = ()
        if report.current.kind is Kind.VERIFIED:
            gaps, rules = roster_gaps(world, report, indicators.rule), (indicators.ref,)
        report.issue(self.version, hands, gaps, rules, beside)
        due_at = report.current.due_at
        return {
            "report": str(report.id),
            "version": self.version,
            "upward_due_at": due_at.isoformat() if due_at else None,
            "flags": msgspec.to_builtins(beside),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordSentUpward(Command):
    """Note when an issued version was handed to the level above, and the number of its receipt."""

    report: UUID
    version: int
    sent_at: datetime
    receipt_no: str
    roles: ClassVar[frozenset[Role]] = ANY_REVIEWER

    def scope(self, world: World) -> UUID:
        return world.get(SituationReport, self.report).area

    def decide(self, world: World) -> None:
        check_text("receipt_no", self.receipt_no)
        report = world.get(SituationReport, self.report)
        must_be_reviewer(world, report.area)
        sent_at = check_moment("sent_at", self.sent_at, world, report.occurred_at)
        report.record_sent_upward(self.version, HandedUp(sent_at, self.receipt_no.strip()))
