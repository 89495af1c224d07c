"""A village is merged with all that hangs on it, and a household moves to the next county.

For the store in which everything happens, after its second winter, whose season is still open.
"""

from datetime import date, timedelta
from hashlib import sha256
from uuid import UUID

from demo.divisions import COUNTY, SMALL_TOWNSHIP, SMALL_VILLAGES
from demo.naming import PROGRAMME, demo_id
from demo.posts import NEIGHBOR_APPROVER
from domain.area import AreaLevel
from domain.commands import (
    areas,
    household_groups,
    household_moves,
    households,
    officers,
    village_groups,
)
from domain.commands.following import FollowMerger, PostInput
from domain.commands.notices import PostNotice
from domain.commands.relief_cases import ApplyForRelief
from domain.commands.reports import FileInitialReport
from domain.commands.sealing import MemberInput
from domain.commands.village_lists import (
    AppraiseList,
    MinutesInput,
    OpenVillageList,
    RaiseObjection,
    VerdictInput,
)
from domain.household_members import Relation
from domain.notice import ObjectionKind
from domain.relief_case import ReliefCase
from domain.rules.base import china_day
from domain.season import Season
from domain.village_list import VillageList
from domain.world import Role
from tests.everything import Desk
from tests.id_numbers import id_number
from tests.winter import need

REPORTER, REVIEWER = "yuantan-shuangfeng-a", "yuantan-reviewer-new"
DOCUMENT = "演示民政〔2018〕12号"
NEXT_COUNTY = "340825100001"


def newcomer(serial: int) -> MemberInput:
    """Somebody the demo does not know, valid in form and recognizably made up."""
    number = id_number(serial, "19710101")
    return MemberInput(name="吴小福", relation=Relation.HEAD, id_number=number)


def moving(desk: Desk) -> None:
    desk.at(desk.now + timedelta(hours=1))
    _in_groups(desk)
    _merged(desk)
    _to_the_next_county(desk)


def _in_groups(desk: Desk) -> None:
    """A village gets groups, and a household of it is put into one."""
    names = desk.names
    groups = tuple(village_groups.GroupInput(name=f"第{number}村民小组") for number in (1, 2, 3))
    desk.do(
        village_groups.NameVillageGroups(
            area=names.area(SMALL_VILLAGES[0]), groups=groups, effective_on=china_day(desk.now)
        ),
        REVIEWER,
    )
    changed = household_groups.ChangeHouseholdGroup(
        household=names.household(f"{SMALL_VILLAGES[0]}-0004"),
        group_code="03",
        reason="按新编村民小组登记",
    )
    desk.do(changed, REPORTER)


def _merged(desk: Desk) -> None:
    """A village with a household, a posted list, an objection and a reporter is merged."""
    names = desk.names
    village, into = demo_id("area", "moving"), names.area(SMALL_VILLAGES[1])
    plan = areas.AreaPlan(
        id=village,
        code="340882101909",
        name="并村（演示）村",
        level=AreaLevel.VILLAGE,
        parent=names.area(SMALL_TOWNSHIP),
    )
    desk.do(
        areas.EstablishAreas(areas=(plan,), established_on=date(2018, 9, 1), document_no=DOCUMENT),
        None,
    )
    post = demo_id("appointment", "moving")
    desk.do(
        officers.AppointOfficer(
            id=post,
            officer=names.officer(REPORTER),
            role=Role.VILLAGE_REPORTER,
            area=village,
            starts_on=china_day(desk.now),
        ),
        None,
    )
    _groups(desk, village, into)
    household, case, village_list = _listed(desk, village)
    report = demo_id("report", "moving")
    desk.do(
        FileInitialReport(
            report=report,
            as_of=desk.now,
            figures={"affected": 2},
            area=village,
            occurred_at=desk.now - timedelta(hours=1),
            hazard="flood",
        ),
        REPORTER,
    )
    desk.do(
        areas.RearrangeVillages(
            merges=(areas.Merge(area=village, into=into),),
            effective_on=china_day(desk.now),
            document_no=DOCUMENT,
        ),
        "administrator",
    )
    follow = FollowMerger(
        area=village,
        document_no=DOCUMENT,
        households=(household,),
        cases=(case,),
        village_lists=(village_list,),
        reports=(report,),
        posts=(PostInput(officer=names.officer(REPORTER), appointment=post),),
    )
    desk.do(follow, "administrator")


def _groups(desk: Desk, village: UUID, into: UUID) -> None:
    """Both villages have groups, of which two have one sub-code; one is renamed, one ends."""
    day = china_day(desk.now)
    theirs = ("第一村民小组", "柳树组", "老屋组")
    for place, names in ((village, theirs), (into, ("第一组",))):
        groups = tuple(village_groups.GroupInput(name=name) for name in names)
        named = village_groups.NameVillageGroups(area=place, groups=groups, effective_on=day)
        desk.do(named, "administrator")
    renamed = village_groups.RenameVillageGroup(
        area=village, code="02", name="柳树湾组", effective_on=day
    )
    desk.do(renamed, "administrator")
    ended = village_groups.EndVillageGroup(area=village, code="03", effective_on=day)
    desk.do(ended, "administrator")


def _listed(desk: Desk, village: UUID) -> tuple[UUID, UUID, UUID]:
    """A household of the village, its case, and the posted list with an objection to it."""
    names = desk.names
    household = demo_id("household", "moving")
    season = Season.id_of(names.area(COUNTY), PROGRAMME, 2018, None, exercise=False)
    case, village_list = ReliefCase.id_of(season, household), VillageList.id_of(season, village, 1)
    for command in (
        households.RegisterHousehold(
            id=household,
            village=village,
            members=(newcomer(911),),
            category="hardship",
            group="一组",
        ),
        ApplyForRelief(
            season=season, household=household, need=need(1), applied_on=china_day(desk.now)
        ),
        OpenVillageList(season=season, village=village),
        AppraiseList(
            village_list=village_list,
            verdicts=(VerdictInput(case=case),),
            minutes=MinutesInput(
                held_on=china_day(desk.now),
                attendees=9,
                document_sha256=sha256(b"minutes").hexdigest(),
            ),
        ),
        PostNotice(village_list=village_list),
        RaiseObjection(
            id=demo_id("objection", "moving"),
            village_list=village_list,
            kind=ObjectionKind.AGAINST,
            text="情况不实",
        ),
    ):
        desk.do(command, REPORTER)
    return household, case, village_list


def _to_the_next_county(desk: Desk) -> None:
    """Offered and withdrawn, offered and accepted."""
    names = desk.names
    household = demo_id("household", "moving")
    season = Season.id_of(names.area(COUNTY), PROGRAMME, 2018, None, exercise=False)
    offer = household_moves.OfferHouseholdMove(
        household=household,
        reason="投靠子女",
        village=names.area(NEXT_COUNTY),
        cases=(ReliefCase.id_of(season, household),),
    )
    desk.do(offer, "county-approver")
    withdraw = household_moves.WithdrawHouseholdMove(household=household, reason="材料不齐")
    desk.do(withdraw, "county-approver")
    desk.do(offer, "county-approver")
    accept = household_moves.AcceptHouseholdMove(
        household=household, reason="已落户", on=china_day(desk.now)
    )
    desk.do(accept, NEIGHBOR_APPROVER)
