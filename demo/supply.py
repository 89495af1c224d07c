"""Money and goods of the season: where they come from and how they travel.

Money: central and provincial money goes province → city → county, the city's goes city → county,
the county adds its matching share. A village list is paid from one document (文号). Goods: the
city's depot and the county's own purchase, to the county's depot, to the townships.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from demo.divisions import CITY, COUNTY, PROVINCE
from demo.households import COAT_YUAN, QUILT_YUAN, HouseholdPlan
from demo.people import dice
from demo.posts import (
    CITY_REVIEWER,
    CITY_STORE,
    COUNTY_APPROVER,
    COUNTY_STORE,
    PROVINCE_REVIEWER,
    Posts,
)
from demo.steps import (
    Appropriate,
    ArriveGoods,
    CloseConsignment,
    OrderGoods,
    PassDown,
    ReceiveLot,
    Recount,
    RequestGoods,
    ReturnMoney,
    ShipGoods,
    Step,
    WriteOff,
    WriteOffDamaged,
)
from demo.times import at

UNIT_YUAN = {"quilt": QUILT_YUAN, "coat": COAT_YUAN}


@dataclass(frozen=True, slots=True)
class FundPlan:
    """One source's money: its document at each holder on its way, the last one the county's."""

    source: str
    source_document_no: str
    path: tuple[tuple[str, str], ...]  # (holder, document)
    amount_yuan: int

    @property
    def document_no(self) -> str:
        """The document under which the county holds it."""
        return self.path[-1][1]


def funds_of(small: bool) -> tuple[FundPlan, ...]:
    """The season's four documents. A little more than what is granted: something is left."""
    amounts = (9_000, 5_000, 3_000, 2_000) if small else (2_300_000, 800_000, 400_000, 300_000)
    nation = ((PROVINCE, "演示皖财〔2017〕1205号"), (CITY, "演示宜财〔2017〕318号"))
    province = ((PROVINCE, "演示皖财〔2017〕1206号"), (CITY, "演示宜财〔2017〕319号"))
    return (
        FundPlan(
            "nation", "演示财〔2017〕12号", (*nation, (COUNTY, "演示潜财〔2017〕96号")), amounts[0]
        ),
        FundPlan(
            "province",
            "演示皖财〔2017〕1206号",
            (*province, (COUNTY, "演示潜财〔2017〕97号")),
            amounts[1],
        ),
        FundPlan(
            "city",
            "演示宜财〔2017〕320号",
            ((CITY, "演示宜财〔2017〕320号"), (COUNTY, "演示潜财〔2017〕98号")),
            amounts[2],
        ),
        FundPlan("county", "演示潜财〔2017〕99号", ((COUNTY, "演示潜财〔2017〕99号"),), amounts[3]),
    )


def share_out(funds: Sequence[FundPlan], lists: Mapping[str, int]) -> dict[str, str]:
    """Which document pays which list (yuan a list): the largest list first, where it fits."""
    left = {fund.document_no: fund.amount_yuan for fund in funds}
    chosen: dict[str, str] = {}
    for key in sorted(lists, key=lambda one: (-lists[one], one)):
        document_no = next(one for one, yuan in left.items() if yuan >= lists[key])
        left[document_no] -= lists[key]
        chosen[key] = document_no
    return chosen


def money(
    funds: Sequence[FundPlan], lists: Mapping[str, int], chosen: Mapping[str, str]
) -> Iterator[Step]:
    """Appropriations in December, passed down within days; what is left goes back in June."""
    keepers = {PROVINCE: PROVINCE_REVIEWER, CITY: CITY_REVIEWER, COUNTY: COUNTY_APPROVER}
    for number, fund in enumerate(funds):
        when = at(2017, 12, 5, 9, 5 * number)
        holder, document_no = fund.path[0]
        yield Appropriate(
            key=f"appropriate/{document_no}",
            at=when,
            by=keepers[holder],
            document_no=document_no,
            holder=holder,
            source=fund.source,
            source_document_no=fund.source_document_no,
            amount_yuan=fund.amount_yuan,
            matching=fund.source == "county",
        )
        for place, (lower, lower_document) in enumerate(fund.path[1:], 1):
            upper, upper_document = fund.path[place - 1]
            yield PassDown(
                key=f"pass-down/{lower_document}",
                at=when + timedelta(days=4 * place),
                by=keepers[upper],
                document_no=upper_document,
                holder=upper,
                to_document_no=lower_document,
                to_holder=lower,
                amount_yuan=fund.amount_yuan,
            )
        spent = sum(yuan for key, yuan in lists.items() if chosen[key] == fund.document_no)
        if fund.amount_yuan > spent and len(fund.path) > 1:
            yield ReturnMoney(
                key=f"return/{fund.document_no}",
                at=at(2018, 6, 12, 10, 5 * number),
                by=COUNTY_APPROVER,
                document_no=fund.document_no,
                holder=COUNTY,
                to_document_no=fund.path[-2][1],
                to_holder=fund.path[-2][0],
                amount_yuan=fund.amount_yuan - spent,
                letter_no=f"演示潜财函〔2018〕{31 + number}号",
                reason="2017—2018年度冬春救助结余",
            )


@dataclass(frozen=True, slots=True)
class Trip:
    """A consignment of one item. ``arrives`` None: still on the road when the demo ends."""

    key: str
    origin: str
    target: str
    item: str
    quantity: int
    requested: datetime
    arrives: datetime | None
    damaged: int = 0
    missing: int = 0


def goods(households: Sequence[HouseholdPlan], posts: Posts) -> Iterator[Step]:
    """Lots in, consignments down to the townships, losses, recounts, and two still on the road."""
    need = {"quilt": _need(households, "quilts"), "coat": _need(households, "coats")}
    for item, by_township in need.items():
        yield from _stock_up(item, by_township, posts)
    first = min(need["quilt"])
    yield Recount(
        key="recount/county/quilt",
        at=at(2018, 5, 8, 15),
        by=COUNTY_STORE,
        depot=COUNTY,
        item="quilt",
        difference=-1,
        reason="盘点少 1 床，原因不明",
    )
    yield Recount(
        key="recount/county/coat",
        at=at(2018, 5, 8, 15, 30),
        by=COUNTY_STORE,
        depot=COUNTY,
        item="coat",
        difference=1,
        reason="盘点多 1 件，入库时少记",
    )
    yield WriteOff(
        key="write-off/county/quilt",
        at=at(2018, 5, 9, 10),
        by=COUNTY_STORE,
        depot=COUNTY,
        item="quilt",
        quantity=1,
        document_no="演示潜应急〔2018〕17号",
        reason="受潮发霉，报废",
    )
    # for next winter, and still on the road at the end of the demo's time
    yield from _trip(
        Trip("road/city-county", CITY, COUNTY, "quilt", 80, at(2018, 8, 28, 9), None), posts
    )
    yield from _trip(
        Trip("road/county-township", COUNTY, first, "quilt", 5, at(2018, 8, 29, 9), None), posts
    )


def _need(households: Sequence[HouseholdPlan], field: str) -> dict[str, int]:
    """Units each township hands out."""
    need: dict[str, int] = {}
    for one in households:
        units: int = getattr(one, field)
        if units:
            need[one.village[:9]] = need.get(one.village[:9], 0) + units
    return dict(sorted(need.items()))


def _stock_up(item: str, need: Mapping[str, int], posts: Posts) -> Iterator[Step]:
    """Enough for all townships and their losses: three quarters the city's, the rest bought."""
    trips = list(_to_townships(item, need))
    wanted = sum(trip.quantity for trip in trips) + 15
    from_city = wanted * 3 // 4
    value = UNIT_YUAN[item]
    yield ReceiveLot(
        key=f"lot/city/{item}/2015",
        at=at(2017, 10, 10, 10),
        by=CITY_STORE,
        depot=CITY,
        item=item,
        quantity=from_city // 2,
        unit_value_yuan=value,
        document_no="演示宜民〔2015〕44号",
        owner="安庆市",
    )
    yield ReceiveLot(
        key=f"lot/city/{item}/2017",
        at=at(2017, 10, 10, 11),
        by=CITY_STORE,
        depot=CITY,
        item=item,
        quantity=from_city - from_city // 2 + 200,
        unit_value_yuan=value,
        document_no="演示宜民〔2017〕61号",
        owner="安庆市",
    )
    yield ReceiveLot(
        key=f"lot/county/{item}/2017",
        at=at(2017, 11, 6, 10),
        by=COUNTY_STORE,
        depot=COUNTY,
        item=item,
        quantity=wanted - from_city + 10,
        unit_value_yuan=value,
        document_no="演示潜民采〔2017〕8号",
        owner="潜山县",
    )
    start, arrives = at(2017, 11, 20), at(2017, 11, 22)
    lost = (2, 1) if item == "quilt" else (1, 0)
    yield from _trip(
        Trip(f"{item}/city-county", CITY, COUNTY, item, from_city, start, arrives, *lost), posts
    )
    for trip in trips:
        yield from _trip(trip, posts)


def _to_townships(item: str, need: Mapping[str, int]) -> Iterator[Trip]:
    """One trip a township, with a little more than it hands out; some of it breaks."""
    for number, (township, units) in enumerate(need.items()):
        roll = dice("goods", item, township)
        spare = roll.randint(2, 4)
        damaged = 1 if number == 0 else roll.choice((0, 0, 1))
        missing = roll.choice((0, 0, 0, 0, 1))
        requested = at(2017, 12, 4, 9) + timedelta(days=number % 5, minutes=10 * number)
        arrives = requested + timedelta(days=3, hours=2)
        key = f"{item}/county-{township}"
        yield Trip(key, COUNTY, township, item, units + spare, requested, arrives, damaged, missing)


def _trip(trip: Trip, posts: Posts) -> Iterator[Step]:
    """Requested by the receiver, ordered by the level above, shipped by its store."""
    county = trip.target == COUNTY
    receiver = COUNTY_STORE if county else posts.storekeeper(trip.target)
    sender = CITY_STORE if county else COUNTY_STORE
    orderer = CITY_REVIEWER if county else COUNTY_APPROVER
    number = dice("consignment", trip.key).randint(100, 999)
    letter = "演示宜应急调" if county else "演示潜应急调"
    key, when = trip.key, trip.requested
    yield RequestGoods(
        key=f"request/{key}",
        at=when,
        by=receiver,
        consignment=key,
        origin=trip.origin,
        target=trip.target,
        item=trip.item,
        quantity=trip.quantity,
        reason="冬春救助" if trip.arrives else "储备下一年度冬春救助物资",
    )
    yield OrderGoods(
        key=f"order/{key}",
        at=when + timedelta(hours=5),
        by=orderer,
        consignment=key,
        document_no=f"{letter}〔{when.year}〕{number}号",
    )
    yield ShipGoods(
        key=f"ship/{key}",
        at=when + timedelta(days=1),
        by=sender,
        consignment=key,
        vehicle=f"演示H{number:05d}",
        driver=f"驾驶员{number}",
    )
    if trip.arrives is None:
        return
    yield ArriveGoods(
        key=f"arrive/{key}",
        at=trip.arrives,
        by=receiver,
        consignment=key,
        good=trip.quantity - trip.damaged - trip.missing,
        damaged=trip.damaged,
        missing=trip.missing,
        note=_difference(trip),
    )
    if trip.damaged:
        yield WriteOffDamaged(
            key=f"write-off/{key}",
            at=trip.arrives + timedelta(hours=18),
            by=receiver,
            consignment=key,
            document_no=f"演示报废〔2017〕{number}号",
            reason="运输途中包装破损浸水，不能使用",
        )
    yield CloseConsignment(
        key=f"close/{key}",
        at=trip.arrives + timedelta(hours=20),
        by=receiver,
        consignment=key,
    )


def _difference(trip: Trip) -> str:
    """What the acceptance 验收 notes; a difference must be explained."""
    if trip.damaged:
        return "包装破损浸水"
    return "数量短缺，与随车清单不符" if trip.missing else ""
