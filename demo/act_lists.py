"""Commands for the season and its village lists."""

from collections.abc import Iterator
from datetime import timedelta
from hashlib import sha256

from demo.divisions import COUNTY
from demo.households import HouseholdPlan
from demo.list_steps import (
    Allocate,
    Apply,
    Appraise,
    ApproveList,
    CloseList,
    CloseNotice,
    CloseSeason,
    Object,
    OpenList,
    OpenSeason,
    PayList,
    PaymentFailed,
    PostNotice,
    Refusals,
    RetryPayment,
    ReturnList,
    ReviewList,
    SettleObjection,
    SignGoods,
)
from demo.naming import PROGRAMME, Acts, Names
from domain.commands import (
    grant_corrections,
    handing_out,
    notices,
    payments,
    relief_cases,
    seasons,
    village_lists,
)
from domain.need import Cause, NeedKind, Tier
from domain.notice import ObjectionKind
from domain.rules.base import china_day
from domain.world import Command

NEEDS = {
    "减产绝收": (Cause.CROP_LOSS, NeedKind.FOOD),
    "因灾倒房": (Cause.HOUSE_COLLAPSED, NeedKind.HOUSING),
    "伤残": (Cause.INJURY, NeedKind.MEDICAL),
    "缺衣被": (Cause.OTHER, NeedKind.CLOTHING),
    "取暖困难": (Cause.OTHER, NeedKind.HEATING),
    "口粮不足": (Cause.CROP_LOSS, NeedKind.FOOD),
}
CASH = 1
"""The number of a household's cash grant: cash comes first, goods after it."""


def paper(key: str) -> str:
    """SHA-256 of a made-up paper or photo."""
    return sha256(f"演示/{key}".encode()).hexdigest()


def open_season(names: Names, step: OpenSeason) -> Iterator[Command]:
    yield seasons.OpenSeason(area=names.area(step.division), programme=PROGRAMME, year=step.year)


def close_season(names: Names, step: CloseSeason) -> Iterator[Command]:
    yield seasons.CloseSeason(
        season=names.season,
        reason="冬春救助期满，款物全部发放到位",
        without_list_reason="各村摸排后无需救助",
    )


def open_list(names: Names, step: OpenList) -> Iterator[Command]:
    plan = names.plan.lists[step.list]
    yield village_lists.OpenVillageList(
        season=names.season, village=names.area(plan.village), round=plan.round
    )


def _application(names: Names, step: Apply, key: str) -> relief_cases.ApplicationInput:
    one = names.plan.households[key]
    cause, kind = NEEDS[one.reason]
    kinds = (kind, NeedKind.CLOTHING) if one.quilts and kind is not NeedKind.CLOTHING else (kind,)
    return relief_cases.ApplicationInput(
        household=names.household(key),
        need=relief_cases.NeedInput(persons=one.in_need, kinds=kinds, cause=cause),
        applied_on=step.at.date(),
        nominated=one.group % 5 == 0,
    )


def apply(names: Names, step: Apply) -> Iterator[Command]:
    plan = names.plan.lists[step.list]
    yield relief_cases.ApplyVillage(
        season=names.season,
        village=names.area(plan.village),
        applications=tuple(_application(names, step, key) for key in step.households),
    )


def _tier(one: HouseholdPlan) -> Tier:
    return Tier.GENERAL if one.category == "一般困难户" else Tier.PRIORITY


def appraise(names: Names, step: Appraise) -> Iterator[Command]:
    households = names.plan.households
    accepted = [
        village_lists.VerdictInput(case=names.case(key), tier=_tier(households[key]))
        for key in step.accepted
    ]
    refused = [
        village_lists.VerdictInput(case=names.case(key), accepted=False, reason=reason)
        for key, reason in step.refused
    ]
    yield village_lists.AppraiseList(
        village_list=names.list(step.list),
        verdicts=(*accepted, *refused),
        minutes=village_lists.MinutesInput(
            held_on=step.held_on, attendees=step.attendance, document_sha256=paper(step.key)
        ),
    )


def post(names: Names, step: PostNotice) -> Iterator[Command]:
    photo = paper(step.key)
    if step.notice == 1:
        yield notices.PostNotice(village_list=names.list(step.list), photo_sha256=photo)
    else:
        yield notices.PostSecondNotice(village_list=names.list(step.list), photo_sha256=photo)


def take_down(names: Names, step: CloseNotice) -> Iterator[Command]:
    yield notices.WithdrawNotice(village_list=names.list(step.list), reason="公示期满")


def object_to(names: Names, step: Object) -> Iterator[Command]:
    yield village_lists.RaiseObjection(
        village_list=names.list(step.list),
        id=names.id("objection", step.objection),
        kind=ObjectionKind(step.kind),
        text=step.text,
        household=names.household(step.household),
    )


def settle(names: Names, step: SettleObjection) -> Iterator[Command]:
    yield village_lists.SettleObjection(
        village_list=names.list(step.list),
        objection=names.id("objection", step.objection),
        upheld=step.upheld,
        reason=step.text,
        add=names.case(step.added) if step.added else None,
        strike=names.case(step.struck) if step.struck else None,
    )


def return_list(names: Names, step: ReturnList) -> Iterator[Command]:
    yield village_lists.ReturnList(village_list=names.list(step.list), reason=step.reason)


def _struck(names: Names, refused: Refusals) -> tuple[village_lists.StrikeInput, ...]:
    return tuple(
        village_lists.StrikeInput(case=names.case(key), reason=reason) for key, reason in refused
    )


def review(names: Names, step: ReviewList) -> Iterator[Command]:
    yield village_lists.ReviewList(
        village_list=names.list(step.list),
        opinion="情况属实，同意上报",
        struck=_struck(names, step.refused),
    )


def approve(names: Names, step: ApproveList) -> Iterator[Command]:
    yield village_lists.ApproveList(
        village_list=names.list(step.list),
        document_no=step.document_no,
        struck=_struck(names, step.refused),
    )


def allocate(names: Names, step: Allocate) -> Iterator[Command]:
    plan = names.plan.lists[step.list]
    with_goods = any(one.quilts or one.coats for one in plan.granted)
    yield payments.AllocateList(
        village_list=names.list(step.list),
        document_no=step.document_no,
        grants=tuple(
            payments.GrantInput(
                case=names.case(one.key),
                cash_fen=one.cash_yuan * 100,
                goods=tuple(
                    payments.GoodsInput(item=item, units=units)
                    for item, units in (("quilt", one.quilts), ("coat", one.coats))
                    if units
                ),
            )
            for one in plan.granted
        ),
        fund=names.fund(plan.fund, COUNTY),
        warehouse=names.area(plan.village[:9]) if with_goods else None,
    )


def pay(names: Names, step: PayList) -> Iterator[Command]:
    yield payments.PayList(
        village_list=names.list(step.list),
        document_no=step.document_no,
        value_date=china_day(step.at),
        failures=tuple(
            payments.FailureInput(case=names.case(key), reason=step.reason) for key in step.failing
        ),
    )


def payment_failed(names: Names, step: PaymentFailed) -> Iterator[Command]:
    yield grant_corrections.RecordPaymentFailure(
        case=names.case(step.household), number=CASH, reason=step.reason
    )


def retry(names: Names, step: RetryPayment) -> Iterator[Command]:
    yield grant_corrections.RetryPayment(
        case=names.case(step.household),
        number=CASH,
        document_no=step.document_no,
        value_date=china_day(step.at),
    )


def sign(names: Names, step: SignGoods) -> Iterator[Command]:
    households = names.plan.households
    yield handing_out.SignGoods(
        village_list=names.list(step.list),
        signed_on=china_day(step.at) - timedelta(days=1),  # typed in the day after
        signatures=tuple(
            handing_out.SignatureInput(
                case=names.case(key),
                signed_by=households[key].family.members[0].name,
                relation="本人",
                photo_sha256=paper(f"{step.key}/{key}"),
            )
            for key in step.households
        ),
    )


def close_list(names: Names, step: CloseList) -> Iterator[Command]:
    yield village_lists.CloseList(village_list=names.list(step.list), reason="款物已全部发放签领")


ACTS: Acts = {
    OpenSeason: open_season,
    CloseSeason: close_season,
    OpenList: open_list,
    Apply: apply,
    Appraise: appraise,
    PostNotice: post,
    CloseNotice: take_down,
    Object: object_to,
    SettleObjection: settle,
    ReturnList: return_list,
    ReviewList: review,
    ApproveList: approve,
    Allocate: allocate,
    PayList: pay,
    PaymentFailed: payment_failed,
    RetryPayment: retry,
    SignGoods: sign,
    CloseList: close_list,
}
