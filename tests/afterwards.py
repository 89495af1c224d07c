"""What the small demo leaves out: corrections, refunds, reopened, merged, split, called off.

September 2018 and the winter after it, in the demo county, by its officers and with all rules on.
"""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

from demo.divisions import COUNTY, SMALL_TOWNSHIP, SMALL_VILLAGES
from demo.naming import PROGRAMME, demo_id
from demo.times import at
from domain.area import AreaLevel
from domain.commands import (
    areas,
    consignments,
    disasters,
    incidents,
    officers,
    parked_facts,
    reports,
    revealing,
    reviews,
    rosters,
    rulebooks,
    units,
)
from domain.commands.relief_cases import ApplyForRelief, NeedInput
from domain.commands.seasons import OpenSeason
from domain.house_damage import Grade
from domain.incident import IncidentKind, Severity
from domain.need import Cause
from domain.rulebook import Rulebook
from domain.season import Season
from tests.about_log_ins import about_log_ins
from tests.about_the_store import about_the_store
from tests.everything import Desk
from tests.families import families, forgotten
from tests.moving import moving
from tests.winter import winter

VILLAGE = SMALL_VILLAGES[0]
REPORTER, REVIEWER = "yuantan-shuangfeng-a", "yuantan-reviewer-new"
DAY = date(2018, 9, 3)
DOCUMENT = "演示潜民〔2018〕88号"


def go_on(desk: Desk) -> None:
    """Everything that the demo leaves out, in order of time."""
    desk.at(at(2018, 9, 3, 9))
    _villages(desk)
    _officers(desk)
    _storm(desk)
    _rosters(desk)
    _on_the_road(desk)
    families(desk)
    winter(desk)
    moving(desk)
    forgotten(desk)
    _unanswered(desk)
    _taken_for_another(desk)
    _looked_up(desk)
    _dropped(desk)
    about_the_store(desk)


def _villages(desk: Desk) -> None:
    """One village is split, one merged into a neighbor, one abolished."""
    area = desk.names.area
    new = {name: demo_id("area", name) for name in ("split", "merged", "gone")}
    desk.do(
        areas.EstablishAreas(
            areas=tuple(
                areas.AreaPlan(
                    id=new[name],
                    code=f"34088210190{number}",
                    name=f"{name}（演示）村",
                    level=AreaLevel.VILLAGE,
                    parent=area(SMALL_TOWNSHIP),
                )
                for number, name in enumerate(("merged", "gone"), start=1)
            ),
            established_on=DAY,
            document_no=DOCUMENT,
        ),
        None,
    )
    split = areas.AreaPlan(
        id=new["split"],
        code="340882101903",
        name="新峰（演示）居委会",
        level=AreaLevel.VILLAGE,
        parent=area(SMALL_TOWNSHIP),
    )
    desk.do(
        areas.RearrangeVillages(
            established=(split,),
            splits=(areas.Split(area=new["split"], source=area(VILLAGE)),),
            merges=(areas.Merge(area=new["merged"], into=area(SMALL_VILLAGES[1])),),
            effective_on=DAY,
            document_no=DOCUMENT,
        ),
        "administrator",
    )
    desk.do(
        areas.AbolishArea(area=new["gone"], effective_on=DAY, document_no=DOCUMENT),
        "administrator",
    )


def _officers(desk: Desk) -> None:
    """One is back early, one works again, one leaves; and one may do two steps, in writing."""
    names = desk.names
    substitution = demo_id("appointment", "everything/substitute")
    desk.do(
        officers.NameSubstitute(
            id=substitution,
            officer=names.officer("yuantan-doutang-a"),
            appointment=names.appointment("yuantan-doutang-a"),
            substitute=names.officer("yuantan-doutang-b"),
            starts_on=DAY,
            ends_on=date(2018, 9, 30),
        ),
        "administrator",
    )
    desk.do(
        officers.EndSubstitution(
            officer=names.officer("yuantan-doutang-a"), substitution=substitution
        ),
        "administrator",
    )
    desk.do(
        officers.ReinstateOfficer(officer=names.officer("yuantan-reviewer-b"), reason="调回原岗位"),
        "administrator",
    )
    desk.do(
        officers.EndAppointment(
            officer=names.officer("yuantan-yongji-b"),
            appointment=names.appointment("yuantan-yongji-b"),
            ends_on=date(2018, 9, 30),
            reason="任期届满",
        ),
        "administrator",
    )
    about_log_ins(desk)
    desk.do(
        officers.GrantDispensation(
            matter=Season.id_of(names.area(COUNTY), PROGRAMME, 2018, None, exercise=False),
            officer=names.officer("yuantan-reviewer-b"),
            step="approve",
            document_no=DOCUMENT,
            reason="另一审核员病休，人手不足",
        ),
        "county-approver",
    )


def _declare(desk: Desk, key: str, name: str) -> UUID:
    disaster = demo_id("disaster", key)
    desk.do(
        disasters.DeclareDisaster(
            disaster=disaster,
            name=name,
            hazard="flood",
            occurred_at=desk.now - timedelta(hours=1),
            area=desk.names.area(COUNTY),
        ),
        "dispatcher",
    )
    return disaster


def _storm(desk: Desk) -> None:
    """Two floods that were one; a response that changes; a report that belongs to neither."""
    county = desk.names.area(COUNTY)
    storm = _declare(desk, "storm", "2018年9月暴雨（演示）")
    brook = _declare(desk, "brook", "2018年9月山洪（演示）")
    report = demo_id("report", "everything/storm")
    desk.do(
        reports.FileInitialReport(
            report=report,
            as_of=desk.now,
            figures={"affected": 30, "loss_total": "1.20"},
            area=desk.names.area(VILLAGE),
            occurred_at=desk.now - timedelta(hours=1),
            hazard="flood",
            disaster=brook,
        ),
        REPORTER,
    )
    desk.do(
        reports.CorrectOccurrence(
            report=report,
            occurred_at=desk.now - timedelta(minutes=50),
            hazard="flood",
            sub_hazard="flash_flood",
            reason="起灾时间记录有误",
        ),
        REPORTER,
    )
    _twins(desk)
    desk.do(
        disasters.StartResponse(
            disaster=storm, area=county, level=4, document_no=DOCUMENT, forecast="预报有大暴雨"
        ),
        "county-approver",
    )
    desk.do(
        disasters.ChangeResponse(
            disaster=storm, area=county, level=3, document_no=DOCUMENT, reason="预报升级"
        ),
        "county-approver",
    )
    desk.do(
        disasters.MergeDisaster(disaster=brook, into=storm, reason="系同一过程"),
        "county-approver",
    )
    desk.do(disasters.SplitDisaster(disaster=brook, reason="核实为两次过程"), "county-approver")
    desk.do(disasters.DetachReport(report=report, reason="误挂"), "county-approver")
    desk.do(
        disasters.ReopenDisaster(disaster=demo_id("disaster", "hail"), reason="补报损失"),
        "county-approver",
    )


def _twins(desk: Desk) -> None:
    """A report filed twice is withdrawn; a township's dead are fewer than its village's, decided
    in writing by the county."""
    first, second, township = (
        demo_id("report", f"everything/{name}") for name in ("village", "twin", "township")
    )
    for report, area, by in (
        (first, VILLAGE, REPORTER),
        (second, VILLAGE, REPORTER),
        (township, SMALL_TOWNSHIP, REVIEWER),
    ):
        desk.do(
            reports.FileInitialReport(
                report=report,
                as_of=desk.now,
                figures={"affected": 3, "dead": 1 if report == first else 0},
                area=desk.names.area(area),
                occurred_at=desk.now - timedelta(hours=2),
                hazard="landslide",
            ),
            by,
        )
    desk.do(reports.WithdrawReport(report=second, reason="重复填报"), REPORTER)
    desk.do(
        reviews.SetPartsAside(
            report=township,
            version=1,
            parts={"dead": 1},
            document_no=DOCUMENT,
            reason="经公安核实为病故，非因灾死亡",
        ),
        "county-approver",
    )


def _rosters(desk: Desk) -> None:
    """Somebody missing is found, two rows were entered by mistake; a unit rests."""
    report, village = demo_id("report", "everything/storm"), desk.names.area(VILLAGE)
    for key, fate in (("found", "missing"), ("mistaken", "injured")):
        desk.do(
            rosters.RecordCasualty(
                record=demo_id("record", f"everything/{key}"),
                report=report,
                area=village,
                fate="missing" if fate == "missing" else "injured",
                full_name="林小福",
                sex="male",
                age=40,
                another=key == "mistaken",
            ),
            REPORTER,
        )
    desk.do(
        rosters.FindMissing(record=demo_id("record", "everything/found"), found_at=desk.now),
        REPORTER,
    )
    desk.do(
        rosters.WithdrawCasualty(
            record=demo_id("record", "everything/mistaken"), reason="重复登记"
        ),
        REPORTER,
    )
    house = demo_id("record", "everything/house")
    desk.do(
        rosters.RecordHouseDamage(
            record=house,
            report=report,
            area=village,
            owner_name="林小福",
            grade=Grade.SLIGHT,
            rooms=1,
        ),
        REPORTER,
    )
    desk.do(rosters.WithdrawHouseDamage(record=house, reason="非因灾损坏"), REPORTER)
    _named(desk)
    unit = demo_id("unit", "power")
    desk.do(units.PutUnitOffDuty(unit=unit, reason="车辆检修"), "dispatcher")
    desk.do(units.PutUnitOnDuty(unit=unit), "dispatcher")


def _named(desk: Desk) -> None:
    """Two families apply by the rosters: one for who died, one for its home."""
    county, village = desk.names.area(COUNTY), desk.names.area(VILLAGE)
    storm, report = demo_id("disaster", "storm"), demo_id("report", "everything/storm")
    desk.do(disasters.AttachReport(report=report, disaster=storm), "county-approver")
    dead, home = demo_id("record", "everything/dead"), demo_id("record", "everything/home")
    desk.do(
        rosters.RecordCasualty(
            record=dead, report=report, area=village, fate="dead", full_name="何大山"
        ),
        REPORTER,
    )
    desk.do(
        rosters.RecordHouseDamage(
            record=home,
            report=report,
            area=village,
            owner_name="何大山",
            grade=Grade.COLLAPSED,
            rooms=3,
        ),
        REPORTER,
    )
    named: dict[str, dict[str, Any]] = {"condolence": {"dead": (dead,)}, "housing": {"house": home}}
    for number, (programme, row) in enumerate(named.items(), start=1):
        season = OpenSeason(area=county, programme=programme, year=2018, disaster=storm)
        desk.do(season, "county-approver")
        desk.do(
            ApplyForRelief(
                season=Season.id_of(county, programme, 2018, storm, exercise=False),
                household=desk.names.household(f"{VILLAGE}-{number:04d}"),
                need=NeedInput(persons=1, cause=Cause.DEATH, **row),
                applied_on=DAY,
            ),
            REPORTER,
        )


def _on_the_road(desk: Desk) -> None:
    """A load turns back, a request is called off."""
    desk.at(at(2018, 9, 5, 9))
    load = demo_id("consignment", "road/county-township")
    counts = tuple(
        consignments.LotArrival(lot=lot, good=cargo.lot.quantity)
        for lot, cargo in desk.load(load).cargo.items()
    )
    desk.do(
        consignments.TurnBackConsignment(
            consignment=load, counts=counts, arrived_at=desk.now, remark="道路塌方"
        ),
        "city-storekeeper",
    )
    request = demo_id("consignment", "everything/called-off")
    desk.do(
        consignments.RequestConsignment(
            consignment=request,
            destination=desk.names.area(SMALL_TOWNSHIP),
            lines=(consignments.GoodsLine(item="quilt", quantity=2),),
            reason="备用",
        ),
        "yuantan-storekeeper",
    )
    desk.do(
        consignments.CancelConsignment(consignment=request, reason="已就近解决"),
        "yuantan-storekeeper",
    )


def _unanswered(desk: Desk) -> None:
    """The county adopts a limit for its units; one incident waits longer, and the city has it."""
    desk.at(desk.now + timedelta(hours=1))
    county, incident = desk.names.area(COUNTY), demo_id("incident", "everything/unanswered")
    desk.do(
        rulebooks.AdoptRulebook(
            area=county,
            kind="dispatch",
            version="1",
            document_no=DOCUMENT,
            valid_from=DAY,
            content={"acknowledge": [{"priority": 1, "minutes": 15}], "up_to": "province"},
        ),
        "administrator",
    )
    book = Rulebook.id_of(county, "dispatch")
    sure = rulebooks.ConfirmRulebook(rulebook=book, version="1", document_no=DOCUMENT)
    desk.do(sure, "county-approver")
    opened = incidents.OpenIncident(
        incident=incident,
        area=county,
        place="县城东关",
        kind=IncidentKind.FLOODING,
        severity=Severity.SEVERE,
        occurred_at=desk.now,
    )
    desk.do(opened, "dispatcher")
    desk.do(incidents.TriageIncident(incident=incident, priority=1), "dispatcher")
    due_at = desk.now + timedelta(minutes=15)
    desk.at(due_at + timedelta(minutes=1))
    desk.do(incidents.EscalateIncidentWhenDue(incident=incident, due_at=due_at), None)


def _taken_for_another(desk: Desk) -> None:
    """A second call is taken for the first one, and is another matter after all."""
    desk.at(desk.now + timedelta(minutes=5))
    first = demo_id("incident", "everything/unanswered")
    second = demo_id("incident", "everything/taken-for-another")
    opened = incidents.OpenIncident(
        incident=second,
        area=desk.names.area(COUNTY),
        place="县城东关菜市场",
        kind=IncidentKind.FLOODING,
        severity=Severity.MODERATE,
        occurred_at=desk.now,
        reporter_phone="13900000000",
    )
    desk.do(opened, "dispatcher")
    desk.do(revealing.RevealCaller(incident=second, reason="回电核实地点"), "dispatcher")
    desk.do(incidents.MarkDuplicateIncident(incident=second, original=first), "dispatcher")
    undo = incidents.UndoDuplicateIncident(incident=second, reason="两处不同地点进水")
    desk.do(undo, "dispatcher")


def _looked_up(desk: Desk) -> None:
    """Who had reviewed a list looks up once more what was objected to it."""
    lists = desk.names.plan.lists
    found = desk.names.list(next(key for key in lists if lists[key].village == VILLAGE))
    objection = next(iter(desk.load(found).objections))
    look = revealing.RevealObjection(
        village_list=found, objection=objection, reason="核对当时异议内容"
    )
    desk.do(look, REVIEWER)


def _dropped(desk: Desk) -> None:
    """A view gives up a fact. It is one that the view does not read, so that nothing changes."""
    desk.at(desk.now + timedelta(hours=1))
    drop = parked_facts.DropParkedFact(
        area=desk.names.area(COUNTY),
        view="funds",
        position=1,
        reason="演练：登记放弃",
        operator="keeper",
    )
    desk.do(drop, None)
