"""Duties to follow up, as rows of the view `projections.deadlines`: the rule that a row holds."""

from datetime import datetime, time

from domain.rules.deadlines import FollowUpDuty
from projections.folding.base import Row


def rule_of(duty: Row) -> FollowUpDuty:
    """The duty of a row of ``deadline_duties``."""
    return FollowUpDuty(
        level=duty["duty_level"],
        due=time.fromisoformat(duty["due"]),
        every_days=duty["every_days"],
        start=datetime.fromisoformat(duty["start"]),
        end=datetime.fromisoformat(duty["end"]) if duty["end"] else None,
    )
