"""A situation report against a toy model of a few lines, by random walks of real commands."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from domain.commands.reports import (
    FileFollowUp,
    FileInitialReport,
    FileVerifiedReport,
    FileZeroReport,
    MakeUpReport,
    PhoneInFollowUp,
    ResubmitReport,
)
from domain.commands.reviews import AcceptReport, ResumeFollowUps, ReturnReport, StabilizeReport
from domain.refusal import Refusal
from domain.situation_report import SituationReport
from domain.world import Command
from tests.domain.county import make_county

START = datetime(2018, 7, 4, 7, tzinfo=UTC)
FIGURES = st.fixed_dictionaries(
    {}, optional={name: st.none() | st.integers(0, 3) for name in ("injured", "severely_injured")}
)


@dataclass
class Toy:
    """What a report is, without its figures."""

    version: int = 1
    kind: str = "initial"
    review: str = "pending"
    broken: bool = False
    stable: bool = False
    phoned: bool = False

    def filed(self, kind: str, broken: bool) -> None:
        self.version, self.kind, self.review = self.version + 1, kind, "pending"
        self.broken = broken


def is_broken(figures: dict[str, Any]) -> bool:
    injured, severe = figures.get("injured"), figures.get("severely_injured")
    return injured is not None and severe is not None and severe > injured


class ReportMachine(RuleBasedStateMachine):
    @initialize(figures=FIGURES)
    def begin(self, figures: dict[str, Any]) -> None:
        self.county = make_county()
        self.report = self.county.id("report")
        self.toy = Toy(broken=is_broken(figures))
        command = FileInitialReport(
            report=self.report,
            area=self.county.id("yuantan_1"),
            occurred_at=START,
            as_of=START,
            hazard="flood",
            figures=figures,
        )
        self.county.given(command, by="village")

    def tried(self, command: Command, by: str, allowed: bool) -> bool:
        """Run it; it must be refused exactly when the toy says so."""
        self.county.when(command, by=by)
        assert isinstance(self.county.outcome, Refusal) is not allowed, self.county.outcome
        return allowed

    def told(self, figures: dict[str, Any]) -> dict[str, Any]:
        known = {"dead": 0, "missing": 0} | figures  # a 核报 must tell these
        return {"report": self.report, "as_of": self.county.now, "figures": known}

    @rule(minutes=st.integers(1, 3000))
    def wait(self, minutes: int) -> None:
        self.county.wait(minutes=minutes)

    @rule(figures=FIGURES, phone=st.booleans())
    def follow_up(self, figures: dict[str, Any], phone: bool) -> None:
        command: Command = FileFollowUp(**self.told(figures))
        if phone:
            command = PhoneInFollowUp(**self.told(figures), called_at=self.county.now)
        was_verified = (self.toy.kind, self.toy.review) == ("verified", "accepted")
        self.tried(command, "village", allowed=True)
        self.toy.filed("follow_up", is_broken(figures))
        self.toy.phoned |= phone
        self.toy.stable &= not was_verified

    @rule()
    def say_nothing_changed(self) -> None:
        command = FileZeroReport(report=self.report, as_of=self.county.now)
        fits = self.toy.review != "returned" and not self.toy.stable
        if self.tried(command, "village", fits):
            self.toy.filed("zero", self.toy.broken)

    @rule(figures=FIGURES)
    def resubmit(self, figures: dict[str, Any]) -> None:
        command = ResubmitReport(**self.told(figures))
        if self.tried(command, "village", self.toy.review == "returned"):
            kind = "follow_up" if self.toy.kind == "zero" else self.toy.kind
            self.toy.filed(kind, is_broken(figures))
            self.toy.phoned = False

    @rule(figures=FIGURES)
    def make_up(self, figures: dict[str, Any]) -> None:
        kind = "initial" if self.toy.kind == "initial" else "follow_up"
        if self.tried(MakeUpReport(**self.told(figures)), "village", self.toy.phoned):
            self.toy.filed(kind, is_broken(figures))
            self.toy.phoned = False

    @rule(figures=FIGURES, reason=st.sampled_from(["", "复核"]))
    def verify(self, figures: dict[str, Any], reason: str) -> None:
        again = (self.toy.kind, self.toy.review) == ("verified", "accepted")
        command = FileVerifiedReport(**self.told(figures), reason=reason)
        if self.tried(command, "village", self.toy.stable and (not again or reason != "")):
            self.toy.filed("verified", is_broken(figures))
            self.toy.phoned = False

    @rule(behind=st.integers(0, 1))
    def accept(self, behind: int) -> None:
        command = AcceptReport(report=self.report, version=self.toy.version - behind)
        wrong = self.toy.kind == "verified" and self.toy.broken
        fits = behind == 0 and self.toy.review == "pending" and not wrong
        if self.tried(command, "township", fits):
            self.toy.review = "accepted"

    @rule(behind=st.integers(0, 1))
    def send_back(self, behind: int) -> None:
        version = self.toy.version - behind
        command = ReturnReport(report=self.report, version=version, reason="请核对")
        if self.tried(command, "township", behind == 0 and self.toy.review == "pending"):
            self.toy.review = "returned"

    @rule()
    def stabilize(self) -> None:
        command = StabilizeReport(report=self.report, stable_at=self.county.now)
        if self.tried(command, "county", not self.toy.stable):
            self.toy.stable = True

    @rule()
    def finish(self) -> None:
        """All the way to an accepted 核报, so that what comes after it is walked often."""
        if not self.toy.stable:
            self.stabilize()
        self.verify({"injured": 1}, "核查")
        self.accept(0)

    @rule()
    def resume(self) -> None:
        if self.tried(ResumeFollowUps(report=self.report), "county", self.toy.stable):
            self.toy.stable = False

    @invariant()
    def is_like_the_toy(self) -> None:
        if not hasattr(self, "toy"):
            return
        real = self.county.load(SituationReport, self.report)
        assert isinstance(real, SituationReport)
        assert (real.current.number, real.current.kind) == (self.toy.version, self.toy.kind)
        assert (real.review, real.to_make_up) == (self.toy.review, self.toy.phoned)
        assert (real.stable_at is not None) is self.toy.stable
        assert (real.duty is None) is self.toy.stable
        flagged = any(flag.severity == "error" for flag in real.current.flags)
        assert flagged is self.toy.broken


TestReportMachine = ReportMachine.TestCase
TestReportMachine.settings = settings(
    max_examples=30,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
