"""A county's step is a resumable run of village commits, not one huge commit.

A runner walks the county's lists and sends, for each, the command that `next_step` names, under
the id that `command_id` derives from plan, list, step and the list's version. Killed and started
again it does the same walk: a list that has moved on names its next step, and a command whose
answer was lost bears the same id as before, so that the store gives the first answer and does
nothing twice. How far the plan got is what the lists themselves say: there is no other record.
"""

from collections.abc import Collection, Iterable, Iterator
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID, uuid5

from domain.notice import Notice
from domain.roster import ListStage
from domain.rules.standards import Programme
from domain.village_list import VillageList


class PlanStep(StrEnum):
    """The command that moves a list on."""

    APPRAISE = "AppraiseList"
    POST_FIRST = "PostNotice"
    REVIEW = "ReviewList"
    APPROVE = "ApproveList"
    ALLOCATE = "AllocateList"
    POST_SECOND = "PostSecondNotice"
    PAY = "PayList"
    CLOSE = "CloseList"


class Move(NamedTuple):
    """One village's next commit in a county plan."""

    village_list: UUID
    village: UUID
    step: PlanStep
    command: UUID


def command_id(plan: UUID, village_list: UUID, step: PlanStep, version: int) -> UUID:
    """The id of that command in that plan: the same however often the plan is run."""
    return uuid5(plan, f"{village_list}/{step}/{version}")


def next_step(
    village_list: VillageList, terms: Programme, now: datetime, *, parts_left: bool = False
) -> PlanStep | None:
    """What this list waits for; None while a notice runs, an objection is open, or it is closed.

    ``parts_left``: some of its cases have parts that nobody has granted (`ReliefCase.parts_left`):
    after what was paid the next part is allocated, and the list is not yet to be closed.
    """
    stage = village_list.stage
    if stage is ListStage.CLOSED or village_list.open_objections:
        return None
    if stage is ListStage.DRAFT and not village_list.cases:
        return PlanStep.APPRAISE
    if stage in (ListStage.DRAFT, ListStage.REVIEWED) and terms.requires("first_notice"):
        ends_at = village_list.notices.get(Notice.FIRST)
        if ends_at is None:
            drawn_up = village_list.has_minutes or not terms.requires("appraisal")
            return PlanStep.POST_FIRST if drawn_up else PlanStep.APPRAISE
        if now < ends_at:
            return None
    if stage is ListStage.DRAFT and terms.requires("township_review"):
        return PlanStep.REVIEW
    if stage in (ListStage.DRAFT, ListStage.REVIEWED):
        return PlanStep.APPROVE
    if stage is ListStage.APPROVED:
        return PlanStep.ALLOCATE
    if village_list.has_paid:
        return PlanStep.ALLOCATE if parts_left else PlanStep.CLOSE
    if terms.requires("second_notice"):
        ends_at = village_list.notices.get(Notice.SECOND)
        if ends_at is None:
            return PlanStep.POST_SECOND
        if now < ends_at:
            return None
    return PlanStep.PAY


def next_moves(
    plan: UUID,
    lists: Iterable[VillageList],
    terms: Programme,
    now: datetime,
    *,
    parts_left: Collection[UUID] = (),
) -> Iterator[Move]:
    """The commits that can be made now, in the order of the lists. ``parts_left``: those lists on
    which parts are still to be granted."""
    for one in lists:
        step = next_step(one, terms, now, parts_left=one.id in parts_left)
        if step is not None:
            command = command_id(plan, one.id, step, one.version)
            yield Move(one.id, one.village, step, command)
