"""The flood's rosters 台账 and the incidents of its first day, with the units that were sent."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from demo.disasters import DisasterPlan, final_figures, report_key
from demo.divisions import COUNTY, SMALL_TOWNSHIP, SMALL_VILLAGES
from demo.figures import BODY_VILLAGE, FLOOD
from demo.people import PHONE_PREFIX, Registry, dice
from demo.posts import DISPATCHER, Posts
from demo.report_steps import (
    CloseIncident,
    EscalateIncident,
    FoundDead,
    MarkDuplicate,
    MoveUnit,
    OpenIncident,
    ReassignIncident,
    RecordHouse,
    RecordMissing,
    RegisterUnit,
    RegradeHouse,
    ResolveIncident,
    TriageIncident,
    UnitMove,
)
from demo.steps import Step
from demo.times import at

MORNING = at(2018, 7, 4, 5, 30)


def rosters(seed: int, plan: DisasterPlan, registry: Registry, posts: Posts) -> Iterator[Step]:
    """The one missing person, found dead; and every collapsed home, one of them re-graded."""
    missing = registry.family(1, elderly=True, key="missing").members[0]
    reporter = posts.reporter(BODY_VILLAGE, date(2018, 7, 4))
    yield RecordMissing(
        key="missing/1",
        at=at(2018, 7, 4, 6, 40),
        by=reporter,
        record="casualty/1",
        report=report_key(FLOOD, BODY_VILLAGE),
        person=missing,
        place="村口河段",
        missing_at=MORNING + timedelta(minutes=10),
        cause="过河时被洪水冲走",
    )
    yield FoundDead(
        key="found-dead/1",
        at=at(2018, 7, 4, 15, 30),
        by=reporter,
        record="casualty/1",
        died_at=at(2018, 7, 4, 14, 50),
        place="下游约两公里河滩",
    )
    regraded = False
    for village, figures in final_figures(seed, plan).items():
        for number in range(1, int(figures["collapsed_households"]) + 1):
            record = f"house/{village}/{number}"
            owner = registry.family(1, elderly=False, key=record).members[0]
            when = at(2018, 7, 5, 15) + timedelta(minutes=int(village[-3:]) % 50 + number)
            rooms = dice(seed, record).randint(2, 4)
            severe_first = not regraded and village in SMALL_VILLAGES
            yield RecordHouse(
                key=record,
                at=when,
                by=posts.reporter(village, when.date()),
                record=record,
                report=report_key(FLOOD, village),
                owner=owner,
                grade="severe" if severe_first else "collapsed",
                rooms=rooms,
                built_of=dice(seed, record, "built").choice(("土木", "砖木")),
            )
            if severe_first:
                regraded = True
                yield RegradeHouse(
                    key=f"regrade/{record}",
                    at=when + timedelta(days=1),
                    by=posts.reporter(village, when.date()),
                    record=record,
                    grade="collapsed",
                    rooms=rooms,
                    reason="山墙夜间倒塌，重新鉴定为倒塌",
                )


UNITS = (
    ("fire", "潜山消防救援分队（演示）", COUNTY, "fire_rescue", 14),
    ("boat", "县水上救援队（演示）", COUNTY, "boat_team", 8),
    ("road", "县公路抢通队（演示）", COUNTY, "road_crew", 12),
    ("power", "县电力抢修队（演示）", COUNTY, "power_crew", 10),
    ("medical", "县医疗救护队（演示）", COUNTY, "medical", 6),
    ("militia", "源潭镇民兵分队（演示）", SMALL_TOWNSHIP, "militia", 20),
)


@dataclass(frozen=True, slots=True)
class _Case:
    """One incident: minutes after the morning's begin, where, what, and which unit goes."""

    key: str
    minutes: int
    village: str
    place: str
    kind: str
    severity: str
    priority: int
    unit: str
    outcome: str


A, B, C = SMALL_VILLAGES
CASES = (
    _Case("1", 12, B, "河边三组", "missing", "extreme", 1, "boat", "下游搜寻到遇难者，已移交"),
    _Case("2", 20, A, "居委会旁低洼院落", "trapped", "severe", 1, "fire", "转移被困群众 6 人"),
    _Case("3", 35, C, "村部至镇区公路", "road_cut", "moderate", 2, "road", "清除塌方，恢复通行"),
    _Case("4", 50, A, "老街沿河商铺", "flooding", "moderate", 3, "militia", "转移物资，排水完毕"),
    _Case("5", 55, B, "五组山边农房", "landslide", "severe", 2, "fire", "撤离 3 户，设置警戒"),
    _Case("6", 70, C, "配电房", "power_cut", "moderate", 3, "power", "更换跌落开关，恢复供电"),
    _Case("7", 95, A, "敬老院", "flooding", "severe", 1, "boat", "老人全部转移到二楼和学校"),
    _Case("8", 130, B, "六组土坯房", "collapse", "severe", 2, "militia", "屋内无人，拉警戒线"),
    _Case("9", 150, A, "安置点", "injured", "minor", 3, "medical", "擦伤 1 人，现场处理"),
)


def incidents(posts: Posts) -> Iterator[Step]:
    """Ten incidents: nine with units (one re-assigned, one escalated), one a duplicate."""
    for unit, name, division, kind, size in UNITS:
        yield RegisterUnit(
            key=f"unit/{unit}",
            at=at(2018, 6, 1, 9),
            by=DISPATCHER,
            unit=unit,
            name=name,
            division=division,
            kind=kind,
            size=size,
        )
    busy: dict[str, datetime] = {}
    for case in CASES:
        yield from _course(case, posts, busy)
    yield from _duplicate(posts)


def _course(case: _Case, posts: Posts, busy: dict[str, datetime]) -> Iterator[Step]:
    """Opened, triaged, assigned as soon as the unit is free, worked on, resolved, closed."""
    opened = MORNING + timedelta(minutes=case.minutes)
    yield _opened(case, opened, posts.reporter(case.village, opened.date()))
    yield TriageIncident(
        key=f"triage/{case.key}",
        at=opened + timedelta(minutes=3),
        by=DISPATCHER,
        incident=case.key,
        priority=case.priority,
        note="",
    )
    start = max(opened + timedelta(minutes=5), busy.get(case.unit, opened))
    unit = case.unit
    yield _move(case.key, unit, UnitMove.ASSIGN, start)
    if case.key == "5":
        # the fire brigade is needed elsewhere: the militia goes in its place
        unit = "militia"
        start = max(start + timedelta(minutes=6), busy.get(unit, opened))
        yield ReassignIncident(
            key=f"reassign/{case.key}",
            at=start,
            by=DISPATCHER,
            incident=case.key,
            from_unit=case.unit,
            to_unit=unit,
            reason="消防分队就近处置人员被困，改派民兵分队",
        )
        busy[case.unit] = start
    if case.key == "7":
        yield EscalateIncident(
            key=f"escalate/{case.key}",
            at=start + timedelta(minutes=1),
            by=DISPATCHER,
            incident=case.key,
            to=COUNTY,
            reason="老人行动不便人数多，由县级统一指挥",
        )
    yield _move(case.key, unit, UnitMove.ACKNOWLEDGE, start + timedelta(minutes=2))
    yield _move(case.key, unit, UnitMove.EN_ROUTE, start + timedelta(minutes=5), 15)
    yield _move(case.key, unit, UnitMove.ON_SCENE, start + timedelta(minutes=21))
    done = start + timedelta(minutes=50 + 7 * case.priority)
    if case.key == "1":
        done = at(2018, 7, 4, 15, 20)
    busy[unit] = done + timedelta(minutes=2)
    yield ResolveIncident(
        key=f"resolve/{case.key}", at=done, by=DISPATCHER, incident=case.key, outcome=case.outcome
    )
    yield CloseIncident(
        key=f"close-incident/{case.key}",
        at=at(2018, 7, 4, 18, int(case.key)),
        by=DISPATCHER,
        incident=case.key,
        reason="处置完毕，归档",
    )


def _opened(case: _Case, opened: datetime, by: str) -> OpenIncident:
    roll = dice("incident", case.key)
    return OpenIncident(
        key=f"incident/{case.key}",
        at=opened,
        by=by,
        incident=case.key,
        division=case.village,
        place=case.place,
        kind=case.kind,
        severity=case.severity,
        occurred_at=opened - timedelta(minutes=5),
        details="演示数据",
        latitude=round(30.62 + roll.uniform(-0.03, 0.03), 5),
        longitude=round(116.71 + roll.uniform(-0.03, 0.03), 5),
        phone=f"{PHONE_PREFIX}{roll.randint(0, 9_999):04d}",
    )


def _move(
    incident: str, unit: str, move: UnitMove, when: datetime, eta_minutes: int | None = None
) -> MoveUnit:
    return MoveUnit(
        key=f"{move}/{incident}/{unit}",
        at=when,
        by=DISPATCHER,
        incident=incident,
        unit=unit,
        move=move,
        eta_minutes=eta_minutes,
    )


def _duplicate(posts: Posts) -> Iterator[Step]:
    """A second call about the people trapped: marked as the same incident."""
    second = _Case("10", 27, A, "老街低洼院落", "trapped", "severe", 1, "", "")
    opened = MORNING + timedelta(minutes=second.minutes)
    yield _opened(second, opened, posts.reviewer(SMALL_TOWNSHIP, opened.date()))
    yield MarkDuplicate(
        key="duplicate/10",
        at=opened + timedelta(minutes=4),
        by=DISPATCHER,
        incident="10",
        original="2",
    )
