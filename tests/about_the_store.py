"""What the small demo leaves out of the ledger's facts about itself; see `tests.afterwards`."""

from datetime import timedelta

from demo.divisions import COUNTY, SMALL_TOWNSHIP
from domain.commands import store as about
from domain.store import Cause, Decision, HoldCause
from tests.everything import Desk


def about_the_store(desk: Desk) -> None:
    """Its seat moved up, it was restored, its clock leapt and was advanced."""
    desk.at(desk.now + timedelta(hours=1))
    born = desk.store.log.mark("born") or ""
    here = {"born": born, "seat": desk.names.area(COUNTY), "simulated": True}
    first = {**here, "seat": desk.names.area(SMALL_TOWNSHIP)}
    host = "演示服务器"
    for command in (
        about.RecordStore(**first),
        about.RecordStore(**here, timeline="00000001"),
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
            reason="演练：核对过时间",
            operator="keeper",
        ),
        about.AdvanceClock(**here, to=desk.now, machine_at=desk.now, rate=1, operator="keeper"),
    ):
        desk.do(command, None)
