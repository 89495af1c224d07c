"""The season 冬春 2017–18, list by list: 户报, 村评, 公示, 异议, 乡审, 县定, amounts, payment.

Every list walks through the same calendar, some with an accident on the way: returned by its
township, re-posted after an objection, reviewed late, a payment that failed first.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from demo.divisions import COUNTY, SMALL_VILLAGES
from demo.households import Failure, HouseholdPlan, Outcome
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
from demo.people import CARD_PREFIX, dice, luhn_digit
from demo.posts import COUNTY_APPROVER, COUNTY_PAYER, Posts
from demo.steps import RecordCard, RegisterHouseholds, ResolveContest, Step
from demo.times import at

YEAR = 2017
LATE_TOWNSHIP = "340882204"
"""五庙乡 sends its lists three weeks after the others, and its flood report too late."""
RETURNED_EVERY = 37
"""Of so many villages one list comes back from its township."""
DISMISSED_EVERY = 7
AMOUNT_EVERY = 61
TOWNSHIP_REASONS = {
    Outcome.REFUSED_BY_TOWNSHIP: "入户核查，未受灾",
    Outcome.WITHDRAWN: "子女返乡赡养，本人申请撤回",
    Outcome.DUPLICATE: "人员已在他户登记，属重复申请",
}
COUNTY_REASONS = {Outcome.REFUSED_BY_COUNTY: "比对发现已享受其他同类救助"}


@dataclass(frozen=True, slots=True)
class ListPlan:
    """A village's list of one round: its households (granted or not) and its fund's document."""

    key: str
    village: str
    round: int
    households: tuple[HouseholdPlan, ...]
    fund: str

    @property
    def granted(self) -> tuple[HouseholdPlan, ...]:
        return tuple(one for one in self.households if one.outcome is Outcome.GRANTED)

    def ended(self, outcome: Outcome) -> tuple[str, ...]:
        """Keys of the households whose application ended so."""
        return tuple(one.key for one in self.households if one.outcome is outcome)


def lists_of(households: Sequence[HouseholdPlan]) -> dict[str, tuple[HouseholdPlan, ...]]:
    """Households by list key ("village/round")."""
    found: dict[str, list[HouseholdPlan]] = {}
    for one in households:
        found.setdefault(f"{one.village}/{one.round}", []).append(one)
    return {key: tuple(found[key]) for key in sorted(found)}


def season(lists: Sequence[ListPlan], posts: Posts) -> Iterator[Step]:
    """All steps of the season. Not in order of time."""
    yield OpenSeason(
        key="season/open",
        at=at(2017, 9, 18, 9),
        by=COUNTY_APPROVER,
        division=COUNTY,
        year=YEAR,
        document_no="演示潜民〔2017〕52号",
    )
    for number, one in enumerate(lists):
        yield from _Walk(one, number, posts).steps()
    yield from _contests(lists)
    yield CloseSeason(
        key="season/close", at=at(2018, 5, 31, 17), by=COUNTY_APPROVER, division=COUNTY, year=YEAR
    )


def _contests(lists: Sequence[ListPlan]) -> Iterator[Step]:
    """The county decides each contested person before the lists are reviewed."""
    losers = [one for some in lists for one in some.households if one.claims_person_of]
    for number, one in enumerate(losers, 1):
        assert one.claims_person_of is not None
        yield ResolveContest(
            key=f"contest/{one.key}",
            at=at(2017, 10, 11, 15, number),
            by=COUNTY_APPROVER,
            keep=one.claims_person_of,
            loser=one.key,
            document_no=f"演示潜民核〔2017〕{number}号",
            reason="经核实，该人员常住前一户，后一户属重复登记",
        )


@dataclass(slots=True)
class _Walk:
    """One list's way through the season."""

    plan: ListPlan
    number: int
    posts: Posts
    reporter: str = field(init=False)
    reviewer: str = field(init=False)
    minutes: timedelta = field(init=False)

    def __post_init__(self) -> None:
        self.reporter = self.posts.reporter(self.plan.village)
        self.reviewer = self.posts.reviewer(self.plan.village[:9])
        self.minutes = timedelta(minutes=self.number)

    @property
    def second(self) -> bool:
        return self.plan.round == 2

    @property
    def late(self) -> bool:
        return self.plan.village[:9] == LATE_TOWNSHIP

    @property
    def returned(self) -> bool:
        if self.second or self.late or self.omitted:
            return False
        return self.plan.village == SMALL_VILLAGES[2] or self.number % RETURNED_EVERY == 20

    @property
    def omitted(self) -> HouseholdPlan | None:
        return next((one for one in self.plan.households if one.omitted), None)

    def on(self, month: int, day: int, hour: int = 9) -> datetime:
        """A day of the season, at a time of this list's own."""
        return at(2017 if month > 8 else 2018, month, day, hour) + self.minutes

    def steps(self) -> Iterator[Step]:
        yield from self._application()
        yield from self._first_notice()
        yield from self._decisions()
        yield from self._grants()

    def _application(self) -> Iterator[Step]:
        key, village = self.plan.key, self.plan.village
        first = self.on(10, 9, 8) if self.second else self.on(9, 19 + self.number % 5, 8)
        before = tuple(one.key for one in self.plan.households if not one.omitted)
        yield RegisterHouseholds(
            key=f"register/{key}", at=first, by=self.reporter, village=village, households=before
        )
        opened = first + timedelta(days=1)
        yield OpenList(key=f"open/{key}", at=opened, by=self.reporter, list=key)
        yield self._apply(key, opened + timedelta(minutes=30), before)
        yield self._appraisal(1, self.on(10, 11) if self.second else self.on(9, 27))

    def _apply(self, key: str, when: datetime, households: tuple[str, ...]) -> Step:
        return Apply(
            key=f"apply/{key}",
            at=when,
            by=self.reporter,
            list=self.plan.key,
            households=households,
        )

    def _appraisal(self, time: int, when: datetime) -> Step:
        roll = dice("attendance", self.plan.key, time)
        gone = self.plan.ended(Outcome.REFUSED_BY_VILLAGE)
        if time > 1:
            gone += self.plan.ended(Outcome.STRUCK_AFTER_OBJECTION)
        return Appraise(
            key=f"appraise/{self.plan.key}/{time}",
            at=when,
            by=self.reporter,
            list=self.plan.key,
            held_on=when.date(),
            attendance=roll.randint(21, 45),
            accepted=tuple(
                one.key for one in self.plan.households if one.key not in gone and not one.omitted
            ),
            refused=tuple((key, "经评议，家庭收入稳定") for key in gone if time == 1),
        )

    def _post(self, notice: int, time: int, when: datetime) -> Step:
        key = f"post/{self.plan.key}/{notice}/{time}"
        return PostNotice(key=key, at=when, by=self.reporter, list=self.plan.key, notice=notice)

    def _take_down(self, notice: int, time: int, when: datetime) -> Step:
        key = f"take-down/{self.plan.key}/{notice}/{time}"
        return CloseNotice(key=key, at=when, by=self.reporter, list=self.plan.key, notice=notice)

    def _first_notice(self) -> Iterator[Step]:
        posted = self.on(10, 12) if self.second else self.on(9, 28)
        yield self._post(1, 1, posted)
        yield from self._objections(posted)
        if self.omitted is not None:
            again = posted + timedelta(days=7)
            yield from self._omission(self.omitted, posted + timedelta(days=4))
            yield self._post(1, 2, again)
            yield self._take_down(1, 2, again + timedelta(days=11))
        else:
            yield self._take_down(1, 1, posted + timedelta(days=11))

    def _objections(self, posted: datetime) -> Iterator[Step]:
        raised = posted + timedelta(days=2)
        for household in self.plan.ended(Outcome.STRUCK_AFTER_OBJECTION):
            yield from self._objection(
                household, raised, "against", "该户在县城购有商品房", "经入户核查，异议成立", True
            )
        granted = [one for one in self.plan.granted if not one.omitted]
        if granted and (
            self.number % DISMISSED_EVERY == 2 or self.plan.village == SMALL_VILLAGES[0]
        ):
            yield from self._objection(
                granted[0].key,
                raised + timedelta(hours=3),
                "against",
                "该户有子女在外务工",
                "经重新评议，子女收入低且无力赡养，异议不成立",
                False,
            )

    def _objection(
        self, household: str, raised: datetime, kind: str, text: str, answer: str, upheld: bool
    ) -> Iterator[Step]:
        key = f"{kind}/{household}"
        yield Object(
            key=f"object/{key}",
            at=raised,
            by=self.reporter,
            list=self.plan.key,
            objection=key,
            kind=kind,
            household=household,
            text=text,
        )
        yield SettleObjection(
            key=f"settle/{key}",
            at=raised + timedelta(days=2),
            by=self.reviewer,
            list=self.plan.key,
            objection=key,
            upheld=upheld,
            text=answer,
            added=household if upheld and kind == "omitted" else None,
            struck=household if upheld and kind == "against" else None,
        )

    def _omission(self, one: HouseholdPlan, raised: datetime) -> Iterator[Step]:
        yield RegisterHouseholds(
            key=f"register/{one.key}",
            at=raised - timedelta(hours=1),
            by=self.reporter,
            village=one.village,
            households=(one.key,),
        )
        yield self._apply(one.key, raised - timedelta(minutes=30), (one.key,))
        yield from self._objection(
            one.key, raised, "omitted", "本户受灾减产，为什么没有上名单", "经评议，应予列入", True
        )

    def _decisions(self) -> Iterator[Step]:
        key = self.plan.key
        if self.returned:
            yield ReturnList(
                key=f"return/{key}",
                at=self.on(10, 11, 14),
                by=self.reviewer,
                list=key,
                reason="评议记录缺少参会人员签名，请重新评议并公示",
            )
            yield self._appraisal(2, self.on(10, 12))
            yield self._post(1, 3, self.on(10, 13))
            yield self._take_down(1, 3, self.on(10, 24))
        reviewed, approved = self._review_days()
        yield ReviewList(
            key=f"review/{key}",
            at=reviewed,
            by=self.reviewer,
            list=key,
            refused=self._refused(TOWNSHIP_REASONS),
        )
        yield ApproveList(
            key=f"approve/{key}",
            at=approved,
            by=COUNTY_APPROVER,
            list=key,
            document_no=f"演示潜民〔2017〕{58 + approved.day}号",
            refused=self._refused(COUNTY_REASONS),
        )

    def _refused(self, reasons: Mapping[Outcome, str]) -> Refusals:
        return tuple(
            (key, reason) for outcome, reason in reasons.items() for key in self.plan.ended(outcome)
        )

    def _review_days(self) -> tuple[datetime, datetime]:
        if self.late:
            return self.on(11, 9), self.on(11, 14)
        if self.returned or self.second:
            return self.on(10, 26), self.on(10, 28)
        return self.on(10, 17), self.on(10, 20 + self.number % 4)

    def _grants(self) -> Iterator[Step]:
        key, granted = self.plan.key, self.plan.granted
        if not granted:
            return
        yield Allocate(
            key=f"allocate/{key}",
            at=self.on(12, 22),
            by=COUNTY_APPROVER,
            list=key,
            document_no="演示潜民〔2017〕88号",
        )
        yield self._post(2, 1, self.on(12, 25))
        if self.number % AMOUNT_EVERY == 0:
            yield from self._objection(
                granted[-1].key,
                self.on(12, 27),
                "amount",
                "同为三口之家，为什么金额不同",
                "家庭类型和受灾程度不同，金额符合标准，异议不成立",
                False,
            )
        yield self._take_down(2, 1, self.on(1, 5))
        yield from self._payments(granted)
        with_goods = tuple(one.key for one in granted if one.quilts or one.coats)
        if with_goods:
            yield SignGoods(
                key=f"sign/{key}",
                at=self.on(1, 12 + self.number % 6),
                by=self.posts.storekeeper(self.plan.village[:9]),
                list=key,
                households=with_goods,
            )
        yield CloseList(key=f"close/{key}", at=self.on(2, 6), by=COUNTY_APPROVER, list=key)

    def _payments(self, granted: Sequence[HouseholdPlan]) -> Iterator[Step]:
        key = self.plan.key
        failed = tuple(one.key for one in granted if one.fails)
        at_once = tuple(one.key for one in granted if one.fails is Failure.AT_ONCE)
        reason = "账户状态异常（演示）"
        yield PayList(
            key=f"pay/{key}",
            at=self.on(1, 9),
            by=COUNTY_PAYER,
            list=key,
            document_no=f"演示潜财支〔2018〕{1 + self.number}号",
            failing=at_once,
            reason=reason,
        )
        for household in failed:
            if household not in at_once:
                yield PaymentFailed(
                    key=f"fail/{household}",
                    at=self.on(1, 13),
                    by=COUNTY_PAYER,
                    household=household,
                    reason=reason,
                )
            yield RecordCard(
                key=f"card/{household}",
                at=self.on(1, 15),
                by=self.reporter,
                household=household,
                card_no=new_card(household),
                reason="原账户已销户，登记新账户",
            )
            yield RetryPayment(
                key=f"retry/{household}",
                at=self.on(1, 18),
                by=COUNTY_PAYER,
                household=household,
                document_no=f"演示潜财支〔2018〕{401 + self.number}号",
            )


def new_card(household: str) -> str:
    """A second made-up card of a household, of the same recognizable range."""
    body = f"{CARD_PREFIX}9{dice('card', household).randint(0, 10**11 - 1):011d}"
    return body + luhn_digit(body)
