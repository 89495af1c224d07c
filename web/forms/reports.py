"""Forms on a report's page besides those that file, accept and return its versions."""

from collections.abc import Mapping

from domain.commands import disasters as d
from domain.commands import reports as r
from domain.commands import reviews as v
from domain.report_filing import Review
from domain.world import Command
from web.forms.form import Form
from web.picking import disasters as pick

STANDS = tuple(one for one in Review if one is not Review.WITHDRAWN)

FORMS: Mapping[type[Command], Form] = {
    r.ExplainJump: Form(next_in=STANDS, labels={"reason": "report.jump_reason"}),
    v.StabilizeReport: Form(labels={"stable_at": "report.stable_at"}, hint="report.stabilize_hint"),
    v.ResumeFollowUps: Form(hint="report.resume_hint"),
    d.AttachReport: Form(
        told={"disaster": "disaster"},
        picks={"disaster": pick.going_on},
        fields=("disaster", "reason"),
        none={"disaster": "disasters.none_going_on"},
        hints={"reason": "disasters.attach_hint"},
        short=frozenset({"reason"}),
    ),
    d.DetachReport: Form(hint="disasters.detach_hint", short=frozenset({"reason"})),
    r.CorrectOccurrence: Form(
        fields=("occurred_at", "hazard", "sub_hazard", "reason"),
        picks={"hazard": pick.hazards, "sub_hazard": pick.sub_hazards},
        narrows={"sub_hazard": "hazard"},
        told={"seen_occurred_at": "seen_occurred_at", "seen_hazard": "seen_hazard"},
        begins=pick.occurrence_told,
        hint="report.correct_hint",
    ),
    r.WithdrawReport: Form(
        labels={"reason": "report.withdraw_reason"}, hint="report.withdraw_hint"
    ),
    v.StrikeReport: Form(labels={"reason": "report.withdraw_reason"}, hint="report.withdraw_hint"),
}
