"""Relief seasons: village lists from the application to what was paid, failed and signed for.

The first two counties run their winter under a season of the city, the others under their own;
emergency relief after the flood is a season of the city in three counties.
"""

from dataclasses import dataclass
from uuid import UUID

from domain.commands.funds import AppropriateFund
from domain.commands.grant_corrections import (
    CorrectGrant,
    RecordPaymentFailure,
    RefundGrant,
    RetryPayment,
)
from domain.commands.handing_out import SignatureInput, SignGoods
from domain.commands.notices import PostNotice, PostSecondNotice, WithdrawNotice
from domain.commands.payments import AllocateList, FailureInput, GoodsInput, GrantInput, PayList
from domain.commands.relief_cases import (
    ApplicationInput,
    ApplyVillage,
    CorrectApplication,
    NeedInput,
    ReopenCase,
)
from domain.commands.seasons import ChangeSeasonStandard, CloseSeason, OpenSeason
from domain.commands.village_lists import (
    AppraiseList,
    ApproveList,
    CloseList,
    MinutesInput,
    OpenVillageList,
    RaiseObjection,
    ReviewList,
    SettleObjection,
    StrikeInput,
    VerdictInput,
)
from domain.money import Source
from domain.need import Cause, NeedKind
from domain.notice import ObjectionKind
from domain.relief_case import ReliefCase
from domain.season import Season
from domain.village_list import VillageList
from tests.city.base import HOUSEHOLDS, Act, City, County, Village
from tests.city.flood import FLOOD
from tests.city.supply import county_no

WINTER, EMERGENCY = "winter_spring", "emergency"
YEAR = 2018
UNDER_THE_CITY = 2
"""How many counties have their winter lists under the city's season."""


@dataclass(frozen=True)
class Round:
    """One village's list of one season, by its officers."""

    city: City
    county: County
    village: Village
    season: UUID
    emergency: bool = False

    @property
    def list_id(self) -> UUID:
        return VillageList.id_of(self.season, self.city.area(self.village.key), 1)

    def case(self, number: int) -> UUID:
        household = self.city.household(self.village.household(number))
        return ReliefCase.id_of(self.season, household)

    def size(self, number: int) -> int:
        return len(self.city.people[self.village.household(number)])

    @property
    def applied(self) -> range:
        return range(3 if self.emergency else HOUSEHOLDS)

    @property
    def granted(self) -> range:
        """The last applicant of a winter is refused."""
        return self.applied if self.emergency else range(HOUSEHOLDS - 1)

    def need(self, persons: int) -> NeedInput:
        if self.emergency:
            return NeedInput(persons=persons, rate="other", cause=Cause.EVACUATED)
        return NeedInput(persons=persons, kinds=(NeedKind.FOOD,), cause=Cause.CROP_LOSS)

    def apply(self) -> Act:
        city, area = self.city, self.city.area(self.village.key)
        applications = tuple(
            ApplicationInput(
                household=city.household(self.village.household(n)),
                need=self.need(self.size(n)),
                applied_on=city.today,
            )
            for n in self.applied
        )
        city.do(OpenVillageList(season=self.season, village=area), self.village.reporter)
        yield
        command = ApplyVillage(season=self.season, village=area, applications=applications)
        city.do(command, self.village.reporter)
        yield

    def draw_up(self) -> Act:
        """村评: by the meeting of the village; in an emergency without one."""
        city = self.city
        if not self.emergency:
            need = self.need(max(1, self.size(0) - 1))
            correct = CorrectApplication(case=self.case(0), need=need, reason="多填一人")
            city.do(correct, self.village.reporter)
            yield
        verdicts = tuple(
            VerdictInput(case=self.case(n), accepted=n in self.granted, reason="家境尚可")
            for n in self.applied
        )
        minutes = MinutesInput(held_on=city.today, attendees=21, document_sha256=city.paper)
        command = AppraiseList(
            village_list=self.list_id,
            verdicts=verdicts,
            minutes=None if self.emergency else minutes,
        )
        city.do(command, self.village.reporter)
        yield

    def post(self) -> Act:
        """The first notice; in every county's first village it hangs twice and is objected to."""
        city = self.city
        city.do(PostNotice(village_list=self.list_id), self.village.reporter)
        yield
        if self.village != self.county.villages[0]:
            return
        down = WithdrawNotice(village_list=self.list_id, reason="照片不清")
        city.do(down, self.village.reporter)
        yield
        city.do(PostNotice(village_list=self.list_id), self.village.reporter)
        yield
        objection = city.id("objection", str(self.list_id))
        command = RaiseObjection(
            village_list=self.list_id,
            id=objection,
            kind=ObjectionKind.AGAINST,
            text="他家有小汽车",
            household=city.household(self.village.household(1)),
        )
        city.do(command, self.village.reporter)
        yield
        settle = SettleObjection(
            village_list=self.list_id, objection=objection, upheld=False, reason="异议不成立"
        )
        city.do(settle, self.village.reviewer)
        yield

    def decide(self) -> Act:
        city = self.city
        struck: tuple[StrikeInput, ...] = ()
        if self.village == self.county.villages[1] and not self.emergency:
            struck = (StrikeInput(case=self.case(1), reason="重复申请"),)
        city.do(ReviewList(village_list=self.list_id, opinion="属实", struck=struck), self.reviewer)
        yield
        approve = ApproveList(
            village_list=self.list_id, document_no=f"演示定〔2018〕{self.village.code}"
        )
        city.do(approve, self.county.approver)
        yield
        if struck:
            reopen = ReopenCase(case=self.case(1), reason="申诉成立，下一轮再评")
            city.do(reopen, self.reviewer)
            yield

    @property
    def reviewer(self) -> str:
        return self.village.reviewer

    @property
    def getting(self) -> list[int]:
        """Whose cases are on the list to the end."""
        second = self.village == self.county.villages[1] and not self.emergency
        return [n for n in self.granted if not (second and n == 1)]

    def allocate(self) -> Act:
        city = self.city
        grants = tuple(
            GrantInput(
                case=self.case(n),
                cash_fen=50_00 * self._persons(n),
                goods=(GoodsInput(item="quilt", units=1),) if n % 4 == 0 else (),
            )
            for n in self.getting
        )
        command = AllocateList(
            village_list=self.list_id,
            document_no=f"演示救〔2018〕{self.village.code}",
            grants=grants,
            fund=city.fund(county_no(self.county), self.county.key),
            warehouse=city.area(self.county.key),
        )
        city.do(command, self.county.approver)
        yield
        if self.emergency:
            return
        city.do(PostSecondNotice(village_list=self.list_id), self.village.reporter)
        yield
        if self.village == self.county.villages[0]:
            more = 60_00 * self.size(2)
            raised = CorrectGrant(case=self.case(2), number=1, reason="核算有误", cash_fen=more)
            city.do(raised, self.county.approver)
            yield
            city.do(PostSecondNotice(village_list=self.list_id), self.village.reporter)
            yield

    def _persons(self, number: int) -> int:
        corrected = number == 0 and not self.emergency
        return max(1, self.size(number) - 1) if corrected else self.size(number)

    def deliver(self) -> Act:
        """Payment with one that bounces and is paid again, one that comes back; goods signed."""
        city, payer = self.city, self.county.payer
        failures = (FailureInput(case=self.case(2), reason="账号已销户"),)
        pay = PayList(
            village_list=self.list_id, document_no="演示支付〔2019〕1号", failures=failures
        )
        city.do(pay, payer)
        yield
        signatures = tuple(
            SignatureInput(case=self.case(n), signed_by="林小福", relation="本人")
            for n in self.getting
            if n % 4 == 0
        )
        city.do(SignGoods(village_list=self.list_id, signatures=signatures), payer)
        yield
        city.do(RetryPayment(case=self.case(2), number=1, document_no="演示支付〔2019〕2号"), payer)
        yield
        if self.village != self.county.villages[0] or self.emergency:
            return
        late = RecordPaymentFailure(case=self.case(3), number=1, reason="户名不符")
        city.do(late, payer)
        yield
        refund = RefundGrant(
            case=self.case(2),
            number=1,
            reason="重复享受",
            document_no="演示退1号",
            amount_fen=10_00,
        )
        city.do(refund, payer)
        yield
        refund = RefundGrant(
            case=self.case(0), number=2, reason="已另行领取", document_no="演示退2号", units=1
        )
        city.do(refund, payer)
        yield

    def close(self) -> Act:
        """Where nothing waits for a card or a bank, the list is closed."""
        if self.emergency:
            reason = "款物已全部发放"
            self.city.do(CloseList(village_list=self.list_id, reason=reason), self.county.approver)
            yield


def season_of(city: City, area: str, programme: str, disaster: UUID | None = None) -> UUID:
    return Season.id_of(city.area(area), programme, YEAR, disaster, exercise=False)


def open_season(
    city: City, area: str, programme: str, by: str, disaster: UUID | None = None
) -> None:
    command = OpenSeason(area=city.area(area), programme=programme, year=YEAR, disaster=disaster)
    city.do(command, by)


def winter_rounds(city: City) -> list[Round]:
    """The winter lists of all living villages of the city."""
    rounds = []
    for county in city.counties:
        holder = "city" if county.number < UNDER_THE_CITY else county.key
        season = season_of(city, holder, WINTER)
        rounds += [Round(city, county, village, season) for village in city.living(county)]
    return rounds


def emergency_rounds(city: City) -> list[Round]:
    flood = city.id("disaster", FLOOD)
    season = season_of(city, "city", EMERGENCY, flood)
    return [
        Round(city, county, village, season, emergency=True)
        for county in city.counties[2:5]
        for village in county.of(county.townships[0])
    ]


def step(city: City, rounds: list[Round], name: str) -> None:
    """One step of all these lists, the villages of each county one after the other."""

    def of(county: County) -> Act:
        for one in rounds:
            if one.county == county:
                yield from getattr(one, name)()

    city.in_turn([of(county) for county in city.counties])


def emergency(city: City) -> None:
    """The city's emergency relief after the flood, in three counties: no notices, paid at once."""
    open_season(city, "city", EMERGENCY, "city-reviewer", city.id("disaster", FLOOD))
    rounds = emergency_rounds(city)
    for name in ("apply", "draw_up", "decide", "allocate", "deliver", "close"):
        step(city, rounds, name)
        city.wait(hours=1)


def open_winter(city: City) -> None:
    open_season(city, "city", WINTER, "city-reviewer")
    for county in city.counties[UNDER_THE_CITY:]:
        open_season(city, county.key, WINTER, county.approver)
        own = AppropriateFund(
            holder=city.area(county.key),
            document_no=f"演示配套〔2018〕{county.number}号",
            amount_fen=10_000_00,
            source=Source.COUNTY,
            source_document_no="演示县财〔2018〕1号",
            earmark=(WINTER,),
        )
        city.do(own, county.approver)


def winter(city: City) -> None:
    """From the applications to what was paid; the counties' lists mix in the log."""
    open_winter(city)
    rounds = winter_rounds(city)
    step(city, rounds, "apply")
    city.wait(days=3)
    step(city, rounds, "draw_up")
    change = ChangeSeasonStandard(season=season_of(city, "city", WINTER), reason="重新核定")
    city.do(change, "city-reviewer")
    step(city, rounds, "post")
    city.wait(days=8)
    step(city, rounds, "decide")
    city.day(2018, 12, 3)
    step(city, rounds, "allocate")
    city.wait(days=8)
    step(city, rounds, "deliver")


def close_seasons(city: City) -> None:
    """The emergency is over; what the winter still owes keeps its seasons open."""
    season = season_of(city, "city", EMERGENCY, city.id("disaster", FLOOD))
    city.do(
        CloseSeason(season=season, reason="应急救助结束", without_list_reason="各村摸排后无需救助"),
        "city-reviewer",
    )
