"""The disasters of 2018 as the officers reported them: up the levels, reviewed at each.

Every report is the sum of those below it, and each comes in on time but for the late ones.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from demo.disasters import DisasterPlan, report_key
from demo.divisions import COUNTY, SMALL_TOWNSHIP, SMALL_VILLAGES
from demo.figures import (
    BODY_VILLAGE,
    CROWDED_VILLAGE,
    FIRST_DAY,
    FLOOD,
    HAIL,
    INITIAL,
    SNOW,
    VERIFIED,
    Figures,
    Stage,
    at_stage,
    final_harm,
    summed,
)
from demo.posts import CITY_DEPUTY, CITY_REVIEWER, COUNTY_APPROVER, DISPATCHER, Posts
from demo.report_steps import (
    AcceptReport,
    AdjudicateReport,
    AttachReport,
    CloseDisaster,
    DeclareDisaster,
    DeclareStable,
    EndResponse,
    ExplainJump,
    Filed,
    FileReport,
    ReturnReport,
    StartResponse,
)
from demo.steps import Step
from demo.times import at
from demo.upward import passed_on

PHONED_VILLAGE = SMALL_VILLAGES[2]
"""Without network on the morning of the flood: its first report comes by telephone."""
NARRATIVE = {
    FLOOD: "凌晨起强降雨，河水上涨，部分低洼村组进水，道路和堤防受损；已转移群众，正在核查。",
    HAIL: "傍晚雷雨大风并伴有冰雹，农作物和房屋受损；正在核查。",
    SNOW: "连日低温雨雪冰冻，农作物受冻，部分道路结冰、电力线路受损；正在核查。",
}
REASON = "初报为部分村组的初步统计，续报为逐组核查后的数据"


def disasters(seed: int, plans: Sequence[DisasterPlan], posts: Posts) -> Iterator[Step]:
    """All reports, reviews and decisions of all disasters. Not in order of time."""
    for plan in plans:
        course = tuple(_Course(seed, plan, posts).steps())
        yield from course
        yield from passed_on(plan, course)


@dataclass(slots=True)
class _Course:
    """Files and reviews all reports of one disaster, and counts their versions."""

    seed: int
    plan: DisasterPlan
    posts: Posts
    versions: dict[str, int] = field(default_factory=dict)

    def steps(self) -> Iterator[Step]:
        plan = self.plan
        flood = plan.key == FLOOD
        yield DeclareDisaster(
            key=f"declare/{plan.key}",
            at=plan.occurred_at + timedelta(minutes=72 if flood else 5),
            by=DISPATCHER,
            disaster=plan.key,
            name=plan.name,
            hazard=plan.hazard,
            sub_hazard=plan.sub_hazard,
            occurred_at=plan.occurred_at,
            division=COUNTY,
        )
        yield from self._first_reports()
        if flood:
            yield from self._response()
        for number, stage in enumerate(plan.stages, 1):
            yield from self._day(number, stage)
        yield DeclareStable(
            key=f"stable/{plan.key}",
            at=plan.stable_at + timedelta(minutes=10),
            by=COUNTY_APPROVER,
            disaster=plan.key,
            reports=tuple(report_key(plan.key, code) for code in self._divisions()),
            stable_at=plan.stable_at,
            reason="经会商，灾情趋于稳定",
        )
        yield from self._verification()
        yield CloseDisaster(
            key=f"close/{plan.key}",
            at=plan.verified[2] + timedelta(days=10),
            by=COUNTY_APPROVER,
            disaster=plan.key,
            reason="核报审定，灾害过程结束",
        )

    def _divisions(self) -> list[str]:
        villages = [village for some in self.plan.villages.values() for village in some]
        return [*villages, *self.plan.villages, COUNTY]

    def _known(self, village: str, stage: Stage) -> Figures:
        final = final_harm(self.seed, self.plan.key, village)
        return at_stage(self.plan.key, village, final, stage)

    def _township(self, township: str, stage: Stage) -> Figures:
        return summed(self._known(village, stage) for village in self.plan.villages[township])

    def _county(self, stage: Stage, without: frozenset[str] = frozenset()) -> dict[str, Figures]:
        return {
            township: self._township(township, stage)
            for township in self.plan.villages
            if township not in without
        }

    # the morning of the disaster

    def _first_reports(self) -> Iterator[Step]:
        plan, begun = self.plan, self.plan.occurred_at
        flood = plan.key == FLOOD
        number = 0
        for township, villages in plan.villages.items():
            late = timedelta(minutes=160 if plan.key == FLOOD else 55)
            delay = late if township in plan.late else timedelta()
            when = begun + timedelta(minutes=20)
            for village in villages:
                number += 1
                yield from self._first_of_village(
                    village, when + timedelta(minutes=number % 25) + delay
                )
            yield from self._file(
                township,
                begun + timedelta(minutes=55) + delay,
                Filed.INITIAL,
                begun + timedelta(minutes=15),
                self._township(township, INITIAL),
                attach=not flood or township in plan.late,
            )
            yield self._accept(township, begun + timedelta(minutes=60) + delay)
        if flood:
            yield from self._attach_early_ones()
        without = plan.late if flood else frozenset()
        split = self._county(INITIAL, without)
        county = begun + timedelta(minutes=105 if flood else 118)
        as_of = begun + timedelta(minutes=15)
        yield from self._file(COUNTY, county, Filed.INITIAL, as_of, summed(split.values()), split)
        yield self._accept(COUNTY, county + timedelta(minutes=35))

    def _first_of_village(self, village: str, when: datetime) -> Iterator[Step]:
        begun = self.plan.occurred_at
        as_of = begun + timedelta(minutes=15)
        figures = self._known(village, INITIAL)
        flood = self.plan.key == FLOOD
        attach = not flood or village[:9] in self.plan.late
        accepted = when + timedelta(minutes=7)
        if flood and village == PHONED_VILLAGE:
            yield from self._file(
                village, when, Filed.PHONED_IN, as_of, figures, attach=False, by=DISPATCHER
            )
            yield self._accept(village, accepted)
            made_up = begun + timedelta(hours=5, minutes=30)
            yield from self._file(village, made_up, Filed.MADE_UP, as_of, figures)
            accepted = made_up + timedelta(minutes=12)
        elif flood and village == BODY_VILLAGE:
            broken = figures | {"severely_injured": 1}
            yield from self._file(village, when, Filed.INITIAL, as_of, broken, attach=False)
            yield self._return(village, when + timedelta(minutes=3), "重伤人口大于受伤人口，请核对")
            again = when + timedelta(minutes=5)
            yield from self._file(village, again, Filed.RESUBMITTED, as_of, figures)
        else:
            yield from self._file(village, when, Filed.INITIAL, as_of, figures, attach=attach)
        yield self._accept(village, accepted)

    def _attach_early_ones(self) -> Iterator[Step]:
        """Reports that came before the flood was declared are attached to it."""
        declared = self.plan.occurred_at + timedelta(minutes=74)
        early = [code for code in self._divisions() if code != COUNTY]
        for code in early:
            if code[:9] not in self.plan.late:
                yield AttachReport(
                    key=f"attach/{report_key(FLOOD, code)}",
                    at=declared,
                    by=DISPATCHER,
                    report=report_key(FLOOD, code),
                    disaster=FLOOD,
                )

    def _response(self) -> Iterator[Step]:
        yield StartResponse(
            key="response/start",
            at=at(2018, 7, 4, 9, 30),
            by=COUNTY_APPROVER,
            disaster=FLOOD,
            division=COUNTY,
            level=4,
            document_no="演示潜减灾〔2018〕3号",
            forecast="会商研判：未来24小时仍有强降雨，灾情可能发展",
        )
        yield EndResponse(
            key="response/end",
            at=at(2018, 7, 9, 17),
            by=COUNTY_APPROVER,
            disaster=FLOOD,
            division=COUNTY,
            document_no="演示潜减灾〔2018〕5号",
            reason="灾情稳定，应急救助工作结束",
        )

    # the days after

    def _day(self, number: int, stage: Stage | None) -> Iterator[Step]:
        day = self.plan.occurred_at.replace(hour=0, minute=0) + timedelta(days=number)
        count = 0
        for township, villages in self.plan.villages.items():
            for village in villages:
                count += 1
                when = day + timedelta(hours=7, minutes=count % 25)
                yield from self._followed_up(village, when, day, stage)
                yield self._accept(village, day + timedelta(hours=7, minutes=34))
            when = day + timedelta(hours=7, minutes=40)
            yield from self._township_day(township, when, day, stage)
            yield self._accept(township, day + timedelta(hours=8, minutes=20))
        when = day + timedelta(hours=8, minutes=40)
        if stage is None:
            yield from self._file(COUNTY, when, Filed.ZERO, day, {})
        else:
            split = self._county(stage)
            yield from self._file(
                COUNTY, when, Filed.FOLLOW_UP, day, summed(split.values()), split, REASON
            )
        yield self._accept(COUNTY, day + timedelta(hours=9, minutes=15))

    def _followed_up(
        self, village: str, when: datetime, as_of: datetime, stage: Stage | None
    ) -> Iterator[Step]:
        if stage is None:
            yield from self._file(village, when, Filed.ZERO, as_of, {})
            return
        figures = self._known(village, stage)
        unexplained = self.plan.key == FLOOD and stage is FIRST_DAY and village == CROWDED_VILLAGE
        reason = "" if unexplained else REASON
        yield from self._file(village, when, Filed.FOLLOW_UP, as_of, figures, reason=reason)
        if unexplained:
            yield ExplainJump(
                key=f"explain/{village}",
                at=when + timedelta(minutes=5),
                by=self.posts.reporter(village, when.date()),
                report=report_key(FLOOD, village),
                version=self.versions[report_key(FLOOD, village)],
                reason="初报只统计了沿河两个村民组，夜间逐组核查后为全村数据",
            )

    def _township_day(
        self, township: str, when: datetime, as_of: datetime, stage: Stage | None
    ) -> Iterator[Step]:
        if stage is None:
            yield from self._file(township, when, Filed.ZERO, as_of, {})
            return
        figures = self._township(township, stage)
        if self.plan.key == FLOOD and stage is FIRST_DAY and township == SMALL_TOWNSHIP:
            wrong = figures | {"relocated_cumulative": figures["relocated_cumulative"] + 5}
            yield from self._file(township, when, Filed.FOLLOW_UP, as_of, wrong, reason=REASON)
            yield self._return(
                township, when + timedelta(minutes=10), "转移安置人数不等于集中与分散安置之和"
            )
            again = when + timedelta(minutes=25)
            yield from self._file(township, again, Filed.RESUBMITTED, as_of, figures, reason=REASON)
            return
        yield from self._file(township, when, Filed.FOLLOW_UP, as_of, figures, reason=REASON)

    # 核报

    def _verification(self) -> Iterator[Step]:
        village_at, township_at, county_at = self.plan.verified
        midnight = village_at.replace(hour=0, minute=0)
        for number, (township, villages) in enumerate(self.plan.villages.items()):
            for place, village in enumerate(villages):
                when = village_at + timedelta(minutes=3 * number + place)
                figures = self._known(village, VERIFIED)
                yield from self._file(
                    village, when, Filed.VERIFIED, midnight, figures, reason=REASON
                )
                yield self._accept(village, when + timedelta(hours=4))
            when = township_at + timedelta(minutes=3 * number)
            figures = self._township(township, VERIFIED)
            yield from self._file(township, when, Filed.VERIFIED, midnight, figures, reason=REASON)
            yield self._accept(township, when + timedelta(hours=5))
        split = self._county(VERIFIED)
        total = summed(split.values())
        yield from self._file(COUNTY, county_at, Filed.VERIFIED, midnight, total, split, REASON)
        yield self._accept(COUNTY, county_at + timedelta(hours=6))
        if self.plan.key == HAIL:
            yield self._adjudicated(total, county_at + timedelta(hours=7))

    def _adjudicated(self, total: Figures, when: datetime) -> Step:
        key = report_key(self.plan.key, COUNTY)
        return AdjudicateReport(
            key=f"adjudicate/{key}",
            at=when,
            by=CITY_DEPUTY,
            report=key,
            version=self.versions[key],
            figures={
                "loss_farming": total["loss_farming"] - 3,
                "loss_total": total["loss_total"] - 3,
            },
            document_no="演示宜民核〔2018〕9号",
            reason="会商核定：农业损失按当地平均亩产折算",
        )

    # filing and reviewing

    def _file(
        self,
        code: str,
        when: datetime,
        filed: Filed,
        as_of: datetime,
        figures: Figures,
        split: dict[str, Figures] | None = None,
        reason: str = "",
        *,
        attach: bool = True,
        by: str | None = None,
    ) -> Iterator[Step]:
        report = report_key(self.plan.key, code)
        version = self.versions[report] = self.versions.get(report, 0) + 1
        phoned = filed is Filed.PHONED_IN
        yield FileReport(
            key=f"file/{report}/{version}",
            at=when,
            by=by or self._filer(code, when),
            report=report,
            filed=filed,
            disaster=self.plan.key,
            division=code,
            as_of=as_of,
            figures=figures,
            split=split or {},
            reason=reason,
            narrative="" if filed is Filed.ZERO else NARRATIVE[self.plan.key],
            caller=self._filer(code, when) if phoned else None,
            attach=attach,
        )

    def _filer(self, code: str, when: datetime) -> str:
        if code == COUNTY:
            return COUNTY_APPROVER
        if len(code) == 9:
            return self.posts.reviewer(code, when.date())
        return self.posts.reporter(code, when.date())

    def _reviewer(self, code: str, when: datetime) -> str:
        if code == COUNTY:
            return CITY_REVIEWER
        return COUNTY_APPROVER if len(code) == 9 else self.posts.reviewer(code[:9], when.date())

    def _accept(self, code: str, when: datetime) -> Step:
        report = report_key(self.plan.key, code)
        version = self.versions[report]
        return AcceptReport(
            key=f"accept/{report}/{version}",
            at=when,
            by=self._reviewer(code, when),
            report=report,
            version=version,
        )

    def _return(self, code: str, when: datetime, reason: str) -> Step:
        report = report_key(self.plan.key, code)
        version = self.versions[report]
        return ReturnReport(
            key=f"return/{report}/{version}",
            at=when,
            by=self._reviewer(code, when),
            report=report,
            version=version,
            reason=reason,
        )
