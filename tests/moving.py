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
from domain.commands import areas, household_moves, households, officers
from domain.commands.following import FollowMerger, PostInput
from domain.commands.relief_cases import ApplyForRelief
from domain.commands.reports import FileInitialReport
from domain.commands.sealing import MemberInput
from domain.commands.village_lists import (
    AppraiseList,
    MinutesInput,
    OpenVillageList,
    PostNotice,
    RaiseObjection,
    VerdictInput,
)
from domain.household import Relation
from domain.identity import check_character
from domain.notice import ObjectionKind
from domain.relief_case import ReliefCase
from domain.rules.base import china_day
from domain.season import Season
from domain.village_list import VillageList
from domain.world import Role
from tests.everything import Desk
from tests.winter import need

REPORTER = "yuantan-shuangfeng-a"
DOCUMENT = "演示民政〔2018〕12号"
NEXT_COUNTY = "340825100001"


def newcomer(serial: int) -> MemberInput:
    """Somebody the demo does not know, valid in form and recognizably made up."""
    first17 = f"34082419710101{serial:03d}"
    return MemberInput(
        name="吴小福", relation=Relation.HEAD, id_number=first17 + check_character(first17)
    )


def moving(desk: Desk) -> None:
    desk.at(desk.now + timedelta(hours=1))
    _merged(desk)
    _to_the_next_county(desk)


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


def _listed(desk: Desk, village: UUID) -> tuple[UUID, UUID, UUID]:
    """A household of the village, its case, and the posted list with an objection to it."""
    names = desk.names
    household = demo_id("household", "moving")
    season = Season.id_of(names.area(COUNTY), PROGRAMME, 2018, None, exercise=False)
    case, village_list = ReliefCase.id_of(season, household), VillageList.id_of(season, village, 1)
    for command in (
        households.RegisterHousehold(
            id=household, village=village, members=(newcomer(911),), category="hardship"
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
