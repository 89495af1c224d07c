"""What people do in a world: scripts that contend for quilts, money, units and reports.

A script is a generator: it yields a command and by whom, and is told whether it was accepted.
"""

from collections.abc import Callable, Generator
from datetime import date, timedelta
from itertools import count
from typing import Any

from domain.commands.consignments import (
    ArriveConsignment,
    CancelConsignment,
    CloseConsignment,
    GoodsLine,
    LotArrival,
    OrderConsignment,
    RequestConsignment,
    ShipConsignment,
    WriteOffDamaged,
)
from domain.commands.funds import PassDownFund, ReturnFund
from domain.commands.incidents import (
    AcknowledgeAssignment,
    AssignUnit,
    CloseIncident,
    EscalateIncident,
    OpenIncident,
    ReassignIncident,
    RecallUnit,
    ReportOnScene,
    ResolveIncident,
    TriageIncident,
)
from domain.commands.reports import FileFollowUp, FileInitialReport, ResubmitReport
from domain.commands.reviews import AcceptReport, ReturnReport
from domain.commands.stock import LotFound, ReceiveGoods, RecountStock, WriteOffGoods
from domain.incident import IncidentKind, Severity
from domain.stockpile import Stockpile
from domain.world import Command
from tests.city.flood import FLOOD
from tests.city.supply import CITY_NO
from tests.simulation.chance import Chance
from tests.simulation.memory import Time
from tests.simulation.town import template

Wish = tuple[Command, str]
Script = Generator[Wish, bool, None]
LATELY = timedelta(hours=3)
"""Before now by any process's clock."""


class People:
    """Makes scripts; ``phones`` remembers what callers said, to be unsealed at the end."""

    def __init__(self, chance: Chance, time: Time) -> None:
        self._dice, self._time = chance.dice, time
        self._chance = chance
        self._city = template().city
        self._numbers = count(1)
        self.phones: dict[Any, str] = {}

    def scripts(self) -> list[Script]:
        kinds: list[tuple[Callable[[], Script], int]] = [
            (self._load, 5),
            (self._shelf, 2),
            (self._rescue, 4),
            (self._report, 4),
            (self._money, 4),
        ]
        made = [make() for make, most in kinds for _ in range(self._dice.randint(1, most))]
        self._dice.shuffle(made)
        return made

    def _load(self) -> Script:
        """A county asks the city for more quilts than all of them can get."""
        city, dice = self._city, self._dice
        county = dice.choice(city.counties)
        load, keeper = self._chance.id(), county.storekeeper
        units = dice.randint(5, 30)
        lines = (GoodsLine(item="quilt", quantity=units),)
        destination, source = city.area(county.key), city.area("city")
        asked = RequestConsignment(
            consignment=load, destination=destination, lines=lines, reason="安置"
        )
        if not (yield asked, keeper):
            return
        number = f"调〔2018〕{next(self._numbers)}号"
        order = OrderConsignment(consignment=load, source=source, document_no=number)
        if not (yield order, "city-reviewer"):
            return
        if dice.random() < 0.25:
            yield CancelConsignment(consignment=load, reason="已解决"), "city-reviewer"
            return
        if not (yield ShipConsignment(consignment=load, vehicle="皖H00000"), "city-storekeeper"):
            return
        damaged, missing = dice.choice(((0, 0), (2, 1), (1, 0)))
        lot = city.id("lot", "city/quilt/False")
        came = LotArrival(lot=lot, good=units - damaged - missing, damaged=damaged, missing=missing)
        arrived = ArriveConsignment(
            consignment=load, counts=(came,), arrived_at=self._time.now, remark="雨淋"
        )
        yield arrived, keeper
        if damaged:
            struck = WriteOffDamaged(consignment=load, document_no="报废1号", reason="霉变")
            yield struck, keeper
        yield CloseConsignment(consignment=load), keeper

    def _shelf(self) -> Script:
        """Coats of one county, counted, struck off and bought at the same time by several."""
        city, dice = self._city, self._dice
        county = dice.choice(city.counties)
        area, by = city.area(county.key), county.storekeeper
        pile = Stockpile.id_of(area, "coat", exercise=False)
        lot = city.id("lot", f"{county.key}/coat/False")
        for _ in range(dice.randint(1, 3)):
            turn = dice.randrange(3)
            if turn == 0:
                found = (LotFound(lot=lot, found=dice.randint(0, 60)),)
                yield RecountStock(stockpile=pile, counts=found, reason="盘点"), by
            elif turn == 1:
                units = dice.randint(1, 30)
                struck = WriteOffGoods(
                    stockpile=pile, lot=lot, quantity=units, reason="虫蛀", document_no="报废2号"
                )
                yield struck, by
            else:
                more = ReceiveGoods(
                    warehouse=area,
                    item="coat",
                    lot=self._chance.id(),
                    document_no="入库9号",
                    owner="县局",
                    received_on=date(2018, 7, 1),
                    quantity=dice.randint(1, 20),
                    unit_value_fen=100_00,
                )
                yield more, by

    def _rescue(self) -> Script:
        """Somebody rings up; two units of the county are wanted by all."""
        city, dice = self._city, self._dice
        county = dice.choice(city.counties)
        village, by = dice.choice(county.villages), county.dispatcher
        incident, phone = self._chance.id(), f"138{dice.randrange(10**8):08d}"
        opened = OpenIncident(
            incident=incident,
            area=city.area(village.key),
            place="村口",
            kind=IncidentKind.TRAPPED,
            severity=Severity.SEVERE,
            occurred_at=self._time.now - LATELY,
            reporter_phone=phone,
        )
        self.phones[incident] = phone
        if not (yield opened, village.reporter):
            return
        yield TriageIncident(incident=incident, priority=dice.randint(1, 3)), by
        units = [city.id("unit", f"{county.key}-{kind}") for kind in ("fire", "road")]
        dice.shuffle(units)
        sent, other = units
        if not (yield AssignUnit(incident=incident, unit=sent), by):
            sent, other = other, sent
            if not (yield AssignUnit(incident=incident, unit=sent), by):
                up = EscalateIncident(incident=incident, to=city.area("city"), reason="力量不足")
                yield up, by
                return
        turn = dice.random()
        if turn < 0.2:
            yield RecallUnit(incident=incident, unit=sent, reason="另有任务"), by
            return
        if turn < 0.4:
            instead = ReassignIncident(
                incident=incident, from_unit=sent, to_unit=other, reason="更近"
            )
            if (yield instead, by):
                sent = other
        now = self._time.now - LATELY / 2
        yield AcknowledgeAssignment(incident=incident, unit=sent, occurred_at=now), by
        if dice.random() < 0.5:
            yield ReportOnScene(incident=incident, unit=sent, occurred_at=now), by
        if dice.random() < 0.7:
            over = ResolveIncident(incident=incident, outcome="已转移", occurred_at=now)
            if (yield over, by):
                yield CloseIncident(incident=incident, reason="处置完毕"), by

    def _report(self) -> Script:
        """A village reports; the flood takes one current report of it, whoever comes second."""
        city, dice = self._city, self._dice
        county = dice.choice(city.counties)
        village = dice.choice(county.villages[:2])
        report, by, above = self._chance.id(), village.reporter, village.reviewer
        figures: dict[str, Any] = {"affected": dice.randint(1, 900), "injured": 2}
        first = FileInitialReport(
            report=report,
            area=city.area(village.key),
            as_of=self._time.now - LATELY,
            figures=figures,
            occurred_at=self._time.now - LATELY,
            hazard="flood",
            disaster=city.id("disaster", FLOOD),
        )
        if not (yield first, by):
            return
        version = 1
        for _ in range(dice.randint(0, 2)):
            back = dice.random() < 0.4
            if back:
                yield ReturnReport(report=report, version=version, reason="数字不清"), above
            else:
                yield AcceptReport(report=report, version=version), above
            figures = {**figures, "affected": figures["affected"] + dice.randint(0, 50)}
            again = ResubmitReport if back else FileFollowUp
            now = self._time.now - LATELY / 2
            if (yield again(report=report, as_of=now, figures=figures, reason="逐组核查"), by):
                version += 1
        yield AcceptReport(report=report, version=version), above

    def _money(self) -> Script:
        """The city passes down more than it has; a county gives some back."""
        city, dice = self._city, self._dice
        county = dice.choice(city.counties)
        number = f"财社〔2018〕{100 + next(self._numbers)}号"
        fund = city.fund(CITY_NO, "city")
        fen = dice.randint(10_000_00, 25_000_00)
        down = PassDownFund(fund=fund, to=city.area(county.key), document_no=number, amount_fen=fen)
        if (yield down, "city-reviewer") and dice.random() < 0.5:
            back = ReturnFund(
                fund=city.fund(number, county.key),
                to_fund=fund,
                amount_fen=dice.randint(1, fen),
                document_no="退1号",
                reason="结余",
            )
            yield back, county.approver
