"""A second winter in the demo county's first village: corrected, struck, over standard, refunded.

Six households: one is corrected before the list, one gets more than the ceiling for a written
reason, one gets less goods and gives one back, one pays back, one is refused and looked at again,
one has a member whom another household claims too.
"""

from datetime import date
from hashlib import sha256
from uuid import UUID

from demo.divisions import COUNTY, SMALL_VILLAGES
from demo.naming import PROGRAMME
from demo.times import at
from domain.commands.funds import AppropriateFund
from domain.commands.grant_corrections import CorrectGrant, RefundGrant
from domain.commands.handing_out import SignatureInput, SignGoods
from domain.commands.held_grants import DecideHeldGrants
from domain.commands.households import RecordDeath
from domain.commands.notices import PostNotice, PostSecondNotice
from domain.commands.payments import AllocateList, GoodsInput, GrantInput, PayList
from domain.commands.relief_cases import (
    ApplicationInput,
    ApplyVillage,
    CorrectApplication,
    NeedInput,
    ReopenCase,
)
from domain.commands.seasons import ChangeSeasonStandard, OpenSeason
from domain.commands.village_lists import (
    AppraiseList,
    ApproveList,
    CloseList,
    MinutesInput,
    OpenVillageList,
    ReviewList,
    VerdictInput,
)
from domain.fund import Fund
from domain.grants import HoldDecision
from domain.money import Source
from domain.need import Cause, NeedKind
from domain.relief_case import ReliefCase
from domain.season import Season
from domain.village_list import VillageList
from tests.everything import Desk

VILLAGE = SMALL_VILLAGES[0]
REPORTER, REVIEWER = "yuantan-shuangfeng-a", "yuantan-reviewer-new"
APPROVER, PAYER = "county-approver", "county-payer"
FUND_NO = "演示潜财〔2018〕120号"
LIST_NO = "演示潜应急〔2018〕201号"
APPLIED = (1, 2, 3, 4, 5, 6)
GRANTED = (1, 2, 3, 5, 6)


class Winter:
    """Ids of the season, for the acts below."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        county = desk.names.area(COUNTY)
        self.village = desk.names.area(VILLAGE)
        self.season = Season.id_of(county, PROGRAMME, 2018, None, exercise=False)
        self.list = VillageList.id_of(self.season, self.village, 1)
        self.fund = Fund.id_of(FUND_NO, county, exercise=False)

    def household(self, number: int) -> UUID:
        return self.desk.names.household(f"{VILLAGE}-{number:04d}")

    def case(self, number: int) -> UUID:
        return ReliefCase.id_of(self.season, self.household(number))


def winter(desk: Desk) -> None:
    """From the opened season to the closed list."""
    story = Winter(desk)
    desk.at(at(2018, 10, 8, 9))
    _open(story)
    _list(story)
    _decide(story)
    _amounts(story)
    _deliver(story)


def _open(story: Winter) -> None:
    desk, county = story.desk, story.desk.names.area(COUNTY)
    desk.do(OpenSeason(area=county, programme=PROGRAMME, year=2018), APPROVER)
    desk.do(ChangeSeasonStandard(season=story.season, reason="按现行标准重新核定"), APPROVER)
    desk.do(
        AppropriateFund(
            holder=county,
            document_no=FUND_NO,
            amount_fen=50_000_00,
            source=Source.COUNTY,
            source_document_no=FUND_NO,
            earmark=(PROGRAMME,),
        ),
        APPROVER,
    )


def need(persons: int) -> NeedInput:
    return NeedInput(persons=persons, kinds=(NeedKind.FOOD,), cause=Cause.CROP_LOSS)


def _list(story: Winter) -> None:
    desk = story.desk
    applications = tuple(
        ApplicationInput(
            household=story.household(number), need=need(1), applied_on=date(2018, 10, 8)
        )
        for number in APPLIED
    )
    desk.do(OpenVillageList(season=story.season, village=story.village), REPORTER)
    desk.do(
        ApplyVillage(season=story.season, village=story.village, applications=applications),
        REPORTER,
    )
    desk.do(CorrectApplication(case=story.case(1), need=need(2), reason="漏填一人"), REPORTER)
    verdicts = tuple(
        VerdictInput(
            case=story.case(n), accepted=n in GRANTED, reason="" if n in GRANTED else "不符"
        )
        for n in APPLIED
    )
    minutes = MinutesInput(
        held_on=date(2018, 10, 8), attendees=21, document_sha256=sha256(b"minutes").hexdigest()
    )
    desk.do(AppraiseList(village_list=story.list, verdicts=verdicts, minutes=minutes), REPORTER)
    desk.do(PostNotice(village_list=story.list), REPORTER)


def _decide(story: Winter) -> None:
    desk = story.desk
    desk.at(at(2018, 10, 17, 9))
    desk.do(ReopenCase(case=story.case(4), reason="申诉成立，下一轮再评"), REVIEWER)
    desk.do(ReviewList(village_list=story.list, opinion="属实"), REVIEWER)
    desk.do(ApproveList(village_list=story.list, document_no=LIST_NO), APPROVER)


def _amounts(story: Winter) -> None:
    """Allocated, shown, one amount raised and one lowered, so shown again."""
    desk = story.desk
    desk.at(at(2018, 12, 3, 9))
    quilt = (GoodsInput(item="quilt", units=2),)
    grants = tuple(
        GrantInput(
            case=story.case(number),
            cash_fen=450_00 if number == 3 else 200_00,
            goods=quilt if number == 1 else (),
            reason="房屋烧毁，生活无着" if number == 3 else None,
        )
        for number in GRANTED
    )
    desk.do(
        AllocateList(
            village_list=story.list,
            document_no=LIST_NO,
            grants=grants,
            fund=story.fund,
            warehouse=desk.names.area(COUNTY),
        ),
        APPROVER,
    )
    desk.do(PostSecondNotice(village_list=story.list), REPORTER)
    for correction in (
        CorrectGrant(case=story.case(5), number=1, reason="核算有误", cash_fen=260_00),
        CorrectGrant(case=story.case(6), number=1, reason="核算有误", cash_fen=150_00),
        CorrectGrant(case=story.case(1), number=2, reason="核算有误", units=1),
    ):
        desk.do(correction, APPROVER)
    _death(story)
    desk.do(PostSecondNotice(village_list=story.list), REPORTER)


def _death(story: Winter) -> None:
    """Somebody dies after the amounts were set; the county leaves them as they are."""
    desk, six = story.desk, f"{VILLAGE}-0006"
    desk.do(
        RecordDeath(
            household=story.household(6),
            reason="病故",
            person=desk.names.member(six, -1),
            on=date(2018, 12, 2),
        ),
        REPORTER,
    )
    desk.do(
        DecideHeldGrants(
            case=story.case(6),
            decision=HoldDecision.CONFIRMED,
            reason="已按一人核定，其余成员仍需救助",
        ),
        APPROVER,
    )


def _deliver(story: Winter) -> None:
    desk = story.desk
    desk.at(at(2018, 12, 12, 9))
    desk.do(PayList(village_list=story.list, document_no="演示支付〔2018〕9号"), PAYER)
    signature = SignatureInput(case=story.case(1), signed_by="林小福", relation="本人")
    desk.do(SignGoods(village_list=story.list, signatures=(signature,)), PAYER)
    desk.do(
        RefundGrant(
            case=story.case(2), number=1, reason="重复享受", document_no="退1号", amount_fen=50_00
        ),
        PAYER,
    )
    desk.do(
        RefundGrant(
            case=story.case(1), number=2, reason="已另行领取", document_no="退2号", units=1
        ),
        PAYER,
    )
    desk.do(CloseList(village_list=story.list, reason="款物已全部发放"), APPROVER)
