"""The desk for what hangs on a merged village: it moves to the successor, in small commits.

A merger is one fact of the tree (`RearrangeVillages`). From then on the successor's officers reach
what the old village holds (`Area.above`); this moves it there for good: its villagers' groups with
the first step, then households, open cases and lists, duties to report, goods, posts. Each subject
is moved if it is still there, so that a run may be repeated. Streams stay where they were born:
what moves is where they belong.
"""

from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta
from typing import ClassVar
from uuid import UUID

from domain.area import Area, check_text, common, successor
from domain.commands.areas import OnArea
from domain.commands.stock import catalogue, stockpile_at
from domain.consignment import Cargo, Consignment, Line
from domain.goods import Purpose
from domain.household import Household
from domain.ids import seeded_id
from domain.officer import Officer
from domain.posts import AlreadyAppointed, Appointment
from domain.reach import within
from domain.refusal import Malformed, Refusal
from domain.relief_case import ReliefCase
from domain.rules.base import china_day
from domain.situation_report import SituationReport
from domain.stockpile import Stockpile
from domain.village_list import VillageList
from domain.world import Result, Role, World

MOST = 500


@dataclass(eq=False)
class NotMerged(Refusal):
    """Only what hangs on a village that was merged into another moves along."""

    zh: ClassVar[str] = "{name}没有并入其他村（社区），不能整体迁移"
    en: ClassVar[str] = "{name} was not merged into another village: nothing moves with it."
    area: UUID
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PostInput:
    """An appointment of an officer in the merged village."""

    officer: UUID
    appointment: UUID


def _merged(world: World, area: Area) -> tuple[Area, date]:
    """The village that it has become part of, and since when. `NotMerged` if it has not."""
    into = successor(world, area)
    if into is area or area.abolished_on is None:
        raise NotMerged(area=area.id, name=area.name)
    return into, area.abolished_on


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowMerger(OnArea):
    """Move what hangs on a merged village to its successor."""

    roles: ClassVar[frozenset[Role]] = frozenset({Role.SYSTEM, Role.ADMINISTRATOR})
    area: UUID
    """The village that was merged."""
    document_no: str
    households: tuple[UUID, ...] = ()
    cases: tuple[UUID, ...] = ()
    village_lists: tuple[UUID, ...] = ()
    reports: tuple[UUID, ...] = ()
    """Those that owe daily reports or a 核报: the successor answers for them from now on."""
    stockpiles: tuple[UUID, ...] = ()
    posts: tuple[PostInput, ...] = ()

    @classmethod
    def lies_in(cls, world: World, subject: Area) -> UUID:
        return common(world, (subject.parent or subject.id, successor(world, subject).id))

    @classmethod
    def check(cls, world: World, area: Area) -> None:
        _merged(world, area)

    def decide(self, world: World) -> Result | None:
        check_text("document_no", self.document_no)
        area = world.get(Area, self.area)
        into, since = _merged(world, area)
        named = self.households + self.cases + self.village_lists + self.reports + self.stockpiles
        if len(named) + len(self.posts) > MOST:
            raise Malformed(
                field="households",
                value="",
                rule_zh=f"一次最多迁移 {MOST} 项",
                rule_en=f"at most {MOST} things at a time",
            )
        reason = f"{area.name}并入{into.name}（{self.document_no}）"
        groups = self._groups(world, area)
        return {
            "groups": groups,
            "households": self._households(world, into, since, reason),
            "cases": sum(_goes(world, ReliefCase, id, self.area, into.id) for id in self.cases),
            "village_lists": sum(
                _goes(world, VillageList, id, self.area, into.id) for id in self.village_lists
            ),
            "reports": sum(self._duties(world, id, into, reason) for id in self.reports),
            "units": sum(self._goods(world, id, into, reason) for id in self.stockpiles),
            "posts": sum(self._post(world, one, into, since, reason) for one in self.posts),
        }

    def _groups(self, world: World, area: Area) -> int:
        """Its living groups go with the first step, to the village it was merged into; of a village
        that was merged in its turn, on to the next."""
        went = 0
        while area.merged_into is not None and area.abolished_on is not None:
            into = world.get(Area, area.merged_into)
            went += area.pass_groups(into, area.abolished_on, self.document_no)
            area = into
        return went

    def _households(self, world: World, into: Area, on: date, reason: str) -> int:
        moved = 0
        for id in self.households:
            household = within(world, Household, id)
            if household.village == self.area and household.merged_into is None:
                group, code = _group_now(world, household)
                household.move(into.id, group, None, on, reason, code)
                moved += 1
        return moved

    def _duties(self, world: World, id: UUID, into: Area, reason: str) -> bool:
        """What a report of the old village still owes is asked of the successor."""
        report = within(world, SituationReport, id)
        if report.area != self.area:
            return False
        before = report.answers
        report.pass_on(into.id, reason)
        return report.answers != before

    def _goods(self, world: World, id: UUID, into: Area, reason: str) -> int:
        """All that is there goes by a consignment of its own; what was reserved is reserved there
        again, lot by lot, for the same list or order (`stock.holding` finds it)."""
        here = within(world, Stockpile, id)
        units = here.on_hand
        if here.warehouse != self.area or not units:
            return 0
        kept = here.reservations
        for one in kept:
            here.release(one.id, reason=reason)
        lines = (Line(here.item, units),)
        consignment = world.add(
            Consignment(
                id=seeded_id("merger", world.command_id, id),
                destination=into.id,
                lines=lines,
                reason=reason,
                needed_by=None,
                exercise=here.exercise,
                rule=catalogue(world, into.id, (here.item,)).ref,
            )
        )
        consignment.order(self.area, lines, document_no=self.document_no, hands=())
        here.reserve(
            consignment.id,
            units,
            purpose=Purpose.CONSIGNMENT,
            subject=consignment.id,
            exercise=here.exercise,
        )
        lots = here.ship(consignment.id)
        consignment.ship(
            tuple(Cargo(here.item, lot) for lot in lots),
            vehicle=reason,
            driver_name=None,
            driver_phone=None,
            eta=None,
            shipped_at=world.now,
            hands=(),
        )
        counts = {lot.lot: (lot.quantity, 0, 0) for lot in lots}
        consignment.arrive(counts, remark=reason, arrived_at=world.now, hands=())
        there = stockpile_at(world, into.id, here.item, here.exercise)
        there.receive(lots, consignment=consignment.id)
        for one in kept:
            there.reserve(
                one.id,
                one.picks,
                purpose=one.purpose,
                subject=one.subject,
                exercise=here.exercise,
            )
        consignment.close()
        return units

    def _post(self, world: World, one: PostInput, into: Area, on: date, reason: str) -> int:
        """The post ends in the old village and begins in the new one, with its A or B."""
        officer = world.find(Officer, one.officer)
        if officer is None or one.appointment not in officer.appointments:
            officer = within(world, Officer, one.officer)  # one of elsewhere is not told of
        held = officer.appointment(one.appointment)
        today = china_day(world.now)
        starts_on = max(on, today, held.starts_on)
        over = held.ends_on is not None and held.ends_on < starts_on
        if held.area != self.area or over:
            return 0
        officer.end_appointment(held.id, starts_on - timedelta(days=1), reason)
        new = Appointment(
            seeded_id("merger", world.command_id, held.id),
            held.role,
            into.id,
            held.post,
            held.certificate,
            starts_on,
            held.ends_on,
        )
        with suppress(AlreadyAppointed):  # who serves both villages goes on in the one
            officer.appoint(new, into.level)
        for substitution, (substitute, _) in officer.substitutes.items():
            officer.renew_substitute(substitution, world.get(Officer, substitute))
        return 1


def _group_now(world: World, household: Household) -> tuple[str, str]:
    """Its group after the mergers of its village: name and sub-code. The name alone, if the group
    had ended or the successor had no sub-code left for it."""
    village, name, code = household.village, household.group, household.group_code
    while code:
        at = world.get(Area, village)
        group = at.group(code)
        name = group.name
        if group.passed_to is None:
            return name, code if at.merged_into is None else ""
        village, code = group.passed_to, group.passed_code
    return name, code


def _goes(
    world: World, kind: type[ReliefCase] | type[VillageList], id: UUID, origin: UUID, into: UUID
) -> bool:
    """Move a case or a list, if it is still there."""
    found: ReliefCase | VillageList = within(world, kind, id)
    if found.village != origin:
        return False
    found.change_village(into)
    return True
