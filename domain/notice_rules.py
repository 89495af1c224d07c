"""A notice whose days were set by rules that nobody had confirmed does not end by them.

It may hang, and comes down from the web as any other; but it counts as over only when rules that
are confirmed by now find that it hung long enough (decision 0055).
"""

from domain.lateness import IN_TIME
from domain.notice import NoticeRunning
from domain.rulebook import require_confirmed
from domain.rules.notices import Notices
from domain.village_list import VillageList
from domain.world import World


def check_notice_rules(world: World, found: VillageList) -> None:
    """`RulesUnconfirmed` while they are not; `NoticeRunning` if it was posted for too few days."""
    for notice, posted_at in found.unsure.items():
        if notice not in found.notices:  # taken down early, or voided: it counts for nothing
            continue
        rules = world.rules(Notices, found.village, world.now)
        require_confirmed(rules.ref, exercise=found.exercise)
        ends_at = rules.rule.ends_at(posted_at, 0)
        if world.counting.left(ends_at) > IN_TIME:
            raise NoticeRunning(village_list=found.id, notice=notice, ends_at=ends_at)
