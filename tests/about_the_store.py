"""What the small demo leaves out of the ledger's facts about itself; see `tests.afterwards`."""

from datetime import timedelta
from uuid import UUID

from demo.divisions import COUNTY, SMALL_TOWNSHIP
from demo.naming import demo_id
from demo.posts import COUNTY_APPROVER
from domain.commands import issuing, reports
from domain.commands import store as about
from domain.lateness import HeldSpan
from domain.store import Cause, Decision, HoldCause
from tests.everything import Desk


def about_the_store(desk: Desk) -> None:
    """Its seat moved up, it was restored, its clock leapt and was advanced."""
    desk.at(desk.now + timedelta(hours=1))
    born = desk.store.log.mark("born") or ""
    here = {"born": born, "seat": desk.names.area(COUNTY), "simulated": True}
    first = {**here, "seat": desk.names.area(SMALL_TOWNSHIP)}
    host = "演示服务器"
    desk.do(about.RecordStore(**first), None)
    desk.do(about.RecordStore(**here, timeline="00000001"), None)
    _issued(desk)
    for command in (
        about.BeginEpoch(
            **here,
            epoch="2-everything",
            cause=Cause.RESTORE,
            head=desk.store.head(),
            timeline="00000001",
            reason="演练：从备份恢复",
            operator="keeper",
        ),
        about.HoldClock(
            **here,
            host=host,
            good=desk.now,
            machine=desk.now + timedelta(days=400),
            cause=HoldCause.LEAPT,
            boot=100.0,
            boot_id="first",
        ),
        about.DecideClock(
            **here,
            host=host,
            decision=Decision.ACCEPTED,
            span=HeldSpan(desk.now - timedelta(minutes=10), desk.now),
            reason="演练：核对过时间",
            operator="keeper",
        ),
        about.DisownRow(
            **here,
            position=10**9,
            stream=UUID(int=1),
            version=1,
            topic="Fund.Appropriated",
            sha256="00" * 32,
            reason="演练：登记一条手工写入的记录",
            operator="keeper",
        ),
        about.RecordResealing(
            **here,
            seals=10**9,
            head=desk.store.head(),
            root="00" * 32,
            reason="演练：登记重新加封",
            operator="keeper",
        ),
        about.AdvanceClock(**here, to=desk.now, machine_at=desk.now, rate=1, operator="keeper"),
    ):
        desk.do(command, None)


def _issued(desk: Desk) -> None:
    """The county, now the seat, issues its own report and sends it to the city by other ways."""
    report = demo_id("report", "everything/issued")
    desk.do(
        reports.FileInitialReport(
            report=report,
            as_of=desk.now,
            figures={"affected": 12, "dead": 0, "missing": 0},
            area=desk.names.area(COUNTY),
            occurred_at=desk.now - timedelta(minutes=40),
            hazard="low_temperature",
        ),
        COUNTY_APPROVER,
    )
    second = f"{COUNTY_APPROVER}-b"
    desk.do(issuing.IssueReport(report=report, version=1), second)
    sent = issuing.RecordSentUpward(
        report=report, version=1, sent_at=desk.now, receipt_no="演示收〔2019〕1号"
    )
    desk.do(sent, second)
