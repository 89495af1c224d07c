"""Money from the province down to the counties; goods from the city and between counties."""

from datetime import date, timedelta
from uuid import UUID

from domain.commands.consignments import (
    ArriveConsignment,
    CancelConsignment,
    CloseConsignment,
    GoodsLine,
    LotArrival,
    OrderConsignment,
    RequestConsignment,
    ShipConsignment,
    TurnBackConsignment,
    WriteOffDamaged,
)
from domain.commands.funds import AppropriateFund, PassDownFund, ReturnFund
from domain.commands.stock import LotFound, ReceiveGoods, RecountStock, WriteOffGoods
from domain.money import Source
from domain.stockpile import Stockpile
from tests.city.base import Act, City, County

EARMARK = ("winter_spring", "emergency")
PROVINCE_NO, CITY_NO = "演示皖财社〔2018〕11号", "演示宜财社〔2018〕12号"
RECEIVED = date(2018, 6, 5)
LOAD = 200


def county_no(county: County) -> str:
    return f"演示财社〔2018〕{county.number + 1}号"


def money(city: City, *, exercise: bool = False) -> None:
    """The nation's money comes to the province, goes to the city and on to every county."""
    county_fen = 40_000_00 * city.scale
    whole = county_fen * (len(city.counties) + 1)
    city.do(
        AppropriateFund(
            holder=city.area("province"),
            document_no=PROVINCE_NO,
            amount_fen=whole,
            source=Source.NATION,
            source_document_no="演示财建〔2018〕1号",
            earmark=EARMARK,
            exercise=exercise,
        ),
        "province-reviewer",
    )
    city.do(
        PassDownFund(
            fund=city.fund(PROVINCE_NO, "province", exercise=exercise),
            to=city.area("city"),
            document_no=CITY_NO,
            amount_fen=whole,
        ),
        "province-reviewer",
    )
    for county in city.counties:
        city.do(
            PassDownFund(
                fund=city.fund(CITY_NO, "city", exercise=exercise),
                to=city.area(county.key),
                document_no=county_no(county),
                amount_fen=county_fen,
            ),
            "city-reviewer",
        )


def money_back(city: City) -> None:
    """Two counties give back what they will not need."""
    for county in city.counties[1:3]:
        city.do(
            ReturnFund(
                fund=city.fund(county_no(county), county.key),
                to_fund=city.fund(CITY_NO, "city"),
                amount_fen=1_000_00,
                document_no="演示退〔2019〕1号",
                reason="结余",
            ),
            county.approver,
        )


def receive(
    city: City, depot: str, item: str, units: int, by: str, *, exercise: bool = False
) -> None:
    """One lot of an item."""
    city.do(
        ReceiveGoods(
            warehouse=city.area(depot),
            item=item,
            lot=_lot(city, depot, item, exercise),
            document_no=f"演示入〔2018〕{depot}",
            owner=depot,
            received_on=RECEIVED,
            quantity=units,
            unit_value_fen=100_00,
            exercise=exercise,
        ),
        by,
    )


def _lot(city: City, depot: str, item: str, exercise: bool = False) -> UUID:
    return city.id("lot", f"{depot}/{item}/{exercise}")


def shelves(city: City) -> None:
    """The city holds quilts, every county some of its own, every second one blankets too."""
    receive(city, "city", "quilt", 2 * LOAD * len(city.counties) * city.scale, "city-storekeeper")
    for county in city.counties:
        receive(city, county.key, "coat", 500 * city.scale, county.storekeeper)
        if county.number % 2 == 0:
            receive(city, county.key, "blanket", 500, county.storekeeper)


class Load:
    """One consignment on its way, each step by the post whose step it is."""

    def __init__(
        self,
        city: City,
        key: str,
        source: str,
        target: str,
        item: str,
        units: int,
        *,
        exercise: bool = False,
    ) -> None:
        self.city, self.source, self.target = city, source, target
        self.item, self.units, self.exercise = item, units, exercise
        self.id = city.id("consignment", key)

    def request(self, reason: str = "受灾群众安置") -> None:
        line = GoodsLine(item=self.item, quantity=self.units)
        needed_by = self.city.today + timedelta(days=5)
        command = RequestConsignment(
            consignment=self.id,
            destination=self.city.area(self.target),
            lines=(line,),
            reason=reason,
            needed_by=needed_by,
            exercise=self.exercise,
        )
        self.city.do(command, f"{self.target}-storekeeper")

    def order(self) -> None:
        number = f"演示调〔2018〕{self.source}-{self.target}"
        source = self.city.area(self.source)
        command = OrderConsignment(consignment=self.id, source=source, document_no=number)
        self.city.do(command, "city-reviewer")

    def ship(self) -> None:
        command = ShipConsignment(
            consignment=self.id,
            vehicle="演示皖H00000",
            driver_name="李司机",
            eta=self.city.now + timedelta(hours=6),
        )
        self.city.do(command, f"{self.source}-storekeeper")

    def _count(self, damaged: int, missing: int) -> tuple[LotArrival, ...]:
        lot = _lot(self.city, self.source, self.item, self.exercise)
        good = self.units - damaged - missing
        return (LotArrival(lot=lot, good=good, damaged=damaged, missing=missing),)

    def arrive(self, damaged: int = 0, missing: int = 0) -> None:
        command = ArriveConsignment(
            consignment=self.id,
            counts=self._count(damaged, missing),
            arrived_at=self.city.now,
            remark="雨淋" if damaged else "",
        )
        self.city.do(command, f"{self.target}-storekeeper")

    def turn_back(self) -> None:
        """Taken in by another than who shipped it."""
        command = TurnBackConsignment(
            consignment=self.id,
            counts=self._count(0, 0),
            arrived_at=self.city.now,
            remark="道路塌方",
        )
        self.city.do(command, "city-storekeeper")

    def write_off(self) -> None:
        command = WriteOffDamaged(consignment=self.id, document_no="演示报废1号", reason="霉变")
        self.city.do(command, f"{self.target}-storekeeper")

    def close(self) -> None:
        self.city.do(CloseConsignment(consignment=self.id), f"{self.target}-storekeeper")

    def cancel(self) -> None:
        self.city.do(CancelConsignment(consignment=self.id, reason="已就近解决"), "city-reviewer")


def from_the_city(city: City, county: County) -> Act:
    """Quilts for the county; here and there some are wet, and some do not come."""
    units = LOAD * city.scale
    load = Load(city, f"city-{county.key}", "city", county.key, "quilt", units)
    damaged, missing = (3, 1) if county.number % 3 == 0 else (0, 0)
    load.request()
    yield
    load.order()
    yield
    load.ship()
    yield
    load.arrive(damaged, missing)
    yield
    if damaged:
        load.write_off()
        yield
    load.close()
    yield
    coats = Stockpile.id_of(city.area(county.key), "coat", exercise=False)
    lot = _lot(city, county.key, "coat")
    found = (LotFound(lot=lot, found=500 * city.scale - 2),)
    city.do(RecountStock(stockpile=coats, counts=found, reason="盘点"), county.storekeeper)
    yield
    struck = WriteOffGoods(
        stockpile=coats, lot=lot, quantity=3, reason="虫蛀", document_no="演示报废2号"
    )
    city.do(struck, county.storekeeper)


def to_the_neighbor(city: City, source: County, target: County) -> Act:
    """Blankets from county to county: one load comes, one turns back, one is on the road still."""
    loads = [
        Load(city, f"{source.key}-{target.key}-{n}", source.key, target.key, "blanket", 20 + n)
        for n in range(4)
    ]
    for load in loads:
        load.request("邻县支援")
        yield
        load.order()
        yield
    comes, back, late, called_off = loads
    called_off.cancel()
    for load in (comes, back, late):
        load.ship()
        yield
    comes.arrive(damaged=1)
    yield
    back.turn_back()
    yield
