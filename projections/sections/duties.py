"""Duties to follow up, as rows of the view `projections.deadlines`: the rule that a row holds."""

from datetime import datetime, time
from typing import Any

from domain.rules.deadlines import Deadlines, FollowUpDuty
from domain.rules.notices import Notices
from domain.rules.standards import Standards
from domain.rules.working_days import WorkingDays
from domain.world import RuleRef
from projections.folding.base import Row

SETTING = frozenset({Deadlines.KIND, WorkingDays.KIND, Standards.KIND, Notices.KIND})
"""Rules that set times; a version names others beside them."""
MARKS = ("unconfirmed", "plain_weekends")


def marks_of(fact: Any) -> dict[str, bool]:
    """What is to be said beside a time that a fact sets, by the rules it names: ``unconfirmed``
    where nobody had confirmed them, ``plain_weekends`` where its working days were counted without
    that year's calendar; nothing where all is well."""
    named: list[RuleRef] = [*getattr(fact, "rules", ())]
    named += getattr(getattr(fact, "filed", None), "rules", ())
    named += [getattr(fact, name) for name in ("standards", "notices") if hasattr(fact, name)]
    setting = [one for one in named if one.kind in SETTING]
    return {name: True for name in MARKS if any(getattr(one, name) for one in setting)}


def rule_of(duty: Row) -> FollowUpDuty:
    """The duty of a row of ``deadline_duties``."""
    return FollowUpDuty(
        level=duty["duty_level"],
        due=time.fromisoformat(duty["due"]),
        every_days=duty["every_days"],
        start=datetime.fromisoformat(duty["start"]),
        end=datetime.fromisoformat(duty["end"]) if duty["end"] else None,
    )
