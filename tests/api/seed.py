"""A store full of things in many areas, made by real commands, for the tests of the edge.

The county of `tests.domain.county` and its areas, plus a second city and a second province, so
that every role has an own, a child, a parent, a sibling and an unrelated area. In each area there
is an officer of every role that can be held there (``name_of(role, area)``), and one of each
thing that can be there (`Place.ids`).
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from itertools import count
from typing import Any
from uuid import UUID, uuid4

from domain.area import AreaLevel
from domain.commands import areas as a
from domain.commands import consignments as c
from domain.commands import disasters as d
from domain.commands import funds as f
from domain.commands import households as h
from domain.commands import incidents as i
from domain.commands import officers as o
from domain.commands import relief_cases as r
from domain.commands import reports as s
from domain.commands import rosters as t
from domain.commands import rulebooks as b
from domain.commands import seasons as e
from domain.commands import stock as g
from domain.commands import units as u
from domain.commands import village_lists as w
from domain.commands.notices import PostNotice
from domain.commands.proposing import ProposeSuspension
from domain.commands.reports import FILERS
from domain.commands.reviews import ANY_REVIEWER
from domain.commands.sealing import MemberInput
from domain.fund import Fund
from domain.house_damage import Grade
from domain.household_members import Relation
from domain.ids import seeded_id
from domain.incident import IncidentKind, Severity
from domain.money import Source
from domain.notice import ObjectionKind
from domain.officer import Officer
from domain.posts import LEVELS_OF
from domain.relief_case import ReliefCase
from domain.rulebook import Rulebook
from domain.rules.loading import NATION, parse_rulebook
from domain.season import Season
from domain.stockpile import Stockpile
from domain.unit import UnitKind
from domain.village_list import VillageList
from domain.world import Command, Role
from eventstore.outcomes import Envelope, Receipt
from eventstore.store import Store
from tests.domain.county import AREAS as COUNTY_AREAS
from tests.domain.county import RULES, SINCE
from tests.id_numbers import id_number

NOW = datetime(2018, 7, 5, 8, tzinfo=UTC)
AT = datetime(2018, 7, 4, 7, tzinfo=UTC)
FAR: dict[str, tuple[str, str, AreaLevel, str | None]] = {
    "sister_city": ("341000", "黄山市", AreaLevel.CITY, "province"),
    "sister_county": ("341021", "歙县", AreaLevel.COUNTY, "sister_city"),
    "sister_township": ("341021100000", "徽城镇", AreaLevel.TOWNSHIP, "sister_county"),
    "sister_village": ("341021100001", "城关居委会", AreaLevel.VILLAGE, "sister_township"),
    "far_province": ("360000", "江西省", AreaLevel.PROVINCE, "nation"),
    "far_city": ("360100", "南昌市", AreaLevel.CITY, "far_province"),
    "far_county": ("360121", "南昌县", AreaLevel.COUNTY, "far_city"),
    "far_township": ("360121100000", "莲塘镇", AreaLevel.TOWNSHIP, "far_county"),
    "far_village": ("360121100001", "莲塘村", AreaLevel.VILLAGE, "far_township"),
}
AREAS = COUNTY_AREAS | FAR
PARENT = {name: parent for name, (_, _, _, parent) in AREAS.items()}
LEVEL = {name: level for name, (_, _, level, _) in AREAS.items()}
BOOKS = frozenset({"nation", "province", "county"})


def id_of(name: str) -> UUID:
    """A stable id for a readable name."""
    return seeded_id(name)


def name_of(role: Role, area: str) -> str:
    return f"{role.value}@{area}"


def officer_of(role: Role, area: str) -> UUID:
    return Officer.id_of(id_of(f"person/{name_of(role, area)}"))


def roles_at(area: str) -> list[Role]:
    return [role for role, levels in LEVELS_OF.items() if LEVEL[area] in levels]


def lineage(area: str) -> list[str]:
    steps = [area]
    while (parent := PARENT[steps[-1]]) is not None:
        steps.append(parent)
    return steps


@dataclass
class Place:
    """An area and the ids of the things in it, by kind."""

    name: str
    ids: dict[str, UUID] = field(default_factory=dict)

    @property
    def area(self) -> UUID:
        return id_of(self.name)


class Seeder:
    """Runs commands on a store, in transactions of up to 256."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.serial = count(1)
        self.places = {name: Place(name) for name in AREAS}
        self._waiting: list[Envelope] = []

    def run(self, command: Command, by: UUID | None = None) -> None:
        self._waiting.append(Envelope(id=uuid4(), officer=by, command=command))

    def flush(self) -> None:
        waiting, self._waiting = self._waiting, []
        for envelope, answer in zip(waiting, self.store.run_many(waiting), strict=True):
            if not isinstance(answer, Receipt):
                raise AssertionError(f"{envelope.command}: {answer}") from (
                    answer if isinstance(answer, BaseException) else None
                )

    def somebody(self, roles: Iterable[Role], area: str) -> UUID:
        """Who may do that there: the nearest officer above with one of the roles."""
        wanted = frozenset(roles)
        for step in lineage(area):
            for role in roles_at(step):
                if role in wanted:
                    return officer_of(role, step)
        raise AssertionError(f"nobody of {roles} over {area}")

    def do(self, command: Command, area: str) -> None:
        self.run(command, self.somebody(type(command).roles, area))

    def member(self, relation: Relation = Relation.HEAD) -> MemberInput:
        serial = next(self.serial)
        number = id_number(serial % 900 + 100, f"{1950 + serial // 900}0101")
        return MemberInput(name="张小三", relation=relation, id_number=number)


def seed(store: Store) -> Seeder:
    """Areas, rulebooks, officers and things. Answers the seeder, whose ``places`` tell the ids."""
    seeder = Seeder(store)
    _areas(seeder)
    _rulebooks(seeder)
    _officers(seeder)
    seeder.flush()
    for name, place in seeder.places.items():
        _dispatch(seeder, name, place)
        _goods_and_money(seeder, name, place)
        _reports(seeder, name, place)
        if LEVEL[name] is not AreaLevel.VILLAGE:
            _season(seeder, name, place)
    seeder.flush()
    for name, place in seeder.places.items():
        if LEVEL[name] is AreaLevel.VILLAGE:
            _village(seeder, name, place)
    seeder.flush()
    return seeder


def _areas(seeder: Seeder) -> None:
    plans = tuple(
        a.AreaPlan(id=id_of(n), code=code, name=zh, level=level, parent=id_of(up) if up else None)
        for n, (code, zh, level, up) in AREAS.items()
    )
    seeder.run(a.EstablishAreas(areas=plans, established_on=SINCE, document_no="测试〔2016〕1号"))


def _rulebooks(seeder: Seeder) -> None:
    by_code = {code: key for key, (code, *_) in AREAS.items()} | {NATION: "nation"}
    for path in sorted(RULES.rglob("*.toml")):
        book = parse_rulebook(path.name, path.read_text(encoding="utf-8"))
        home = by_code.get(book.area_code)
        if home not in BOOKS:
            continue
        for area in {home, "nation"} if book.kind == "standards" else {home}:
            adopt = b.AdoptRulebook(
                area=id_of(area),
                kind=book.kind,
                version=book.version,
                document_no=book.document_no,
                valid_from=book.valid_from,
                valid_to=book.valid_to,
                content=book.content,
            )
            seeder.run(adopt)


def _appoint(seeder: Seeder, name: str, area: str, *roles: Role) -> UUID:
    person = id_of(f"person/{name}")
    officer = Officer.id_of(person)
    seeder.run(o.RegisterOfficer(person=person, full_name=f"张{name}", area=id_of(area)))
    for role in roles:
        appointment = id_of(f"appointment/{name}/{role.value}")
        seeder.run(
            o.AppointOfficer(
                id=appointment, officer=officer, role=role, area=id_of(area), starts_on=SINCE
            )
        )
    return officer


def _officers(seeder: Seeder) -> None:
    for name, place in seeder.places.items():
        for role in roles_at(name):
            _appoint(seeder, name_of(role, name), name, role)
        place.ids["officer"] = _appoint(seeder, f"subject@{name}", name, Role.STOREKEEPER)
        place.ids["appointment"] = id_of(f"appointment/subject@{name}/{Role.STOREKEEPER.value}")
        place.ids["other_officer"] = _appoint(seeder, f"other@{name}", name)
        place.ids["substitution"] = id_of(f"substitution/{name}")
        named = o.NameSubstitute(
            id=place.ids["substitution"],
            officer=place.ids["officer"],
            appointment=place.ids["appointment"],
            substitute=place.ids["other_officer"],
            starts_on=date(2018, 7, 1),
            ends_on=date(2018, 12, 1),
        )
        seeder.run(named)
        _proposal(seeder, name, place)


def _proposal(seeder: Seeder, name: str, place: Place) -> None:
    """That the place's subject is suspended, by a superior of the level above, if there is one."""
    above = lineage(name)[1:]
    superiors = [officer_of(r, at) for at in above for r in roles_at(at) if r in ANY_REVIEWER]
    if superiors:
        place.ids["proposal"] = id_of(f"proposal/{name}")
        proposal = ProposeSuspension(
            id=place.ids["proposal"], officer=place.ids["officer"], reason="多次脱岗"
        )
        seeder.run(proposal, superiors[0])


def _dispatch(seeder: Seeder, name: str, place: Place) -> None:
    for kind in ("incident", "other_incident"):
        place.ids[kind] = id_of(f"{kind}/{name}")
        opened = i.OpenIncident(
            incident=place.ids[kind],
            area=place.area,
            place="三组",
            kind=IncidentKind.TRAPPED,
            severity=Severity.SEVERE,
            occurred_at=AT,
        )
        seeder.do(opened, name)
    for kind in ("unit", "other_unit"):
        place.ids[kind] = id_of(f"{kind}/{name}")
        unit = u.RegisterUnit(
            unit=place.ids[kind], area=place.area, name="一中队", kind=next(iter(UnitKind)), size=8
        )
        seeder.do(unit, name)


def _goods_and_money(seeder: Seeder, name: str, place: Place) -> None:
    place.ids["rulebook"] = Rulebook.id_of(place.area, "dispatch")
    waiting = b.AdoptRulebook(
        area=place.area,
        kind="dispatch",
        version="2018-1",
        document_no="测试〔2018〕8号",
        valid_from=date(2018, 1, 1),
        content={"acknowledge": [], "up_to": "province"},
        unconfirmed=True,
    )
    seeder.run(waiting)
    place.ids["lot"] = id_of(f"lot/{name}")
    place.ids["stockpile"] = Stockpile.id_of(place.area, "quilt", False)
    received = g.ReceiveGoods(
        warehouse=place.area,
        item="quilt",
        lot=place.ids["lot"],
        document_no="入库〔2018〕1号",
        owner="=cmd|' /C calc'!A0",
        received_on=date(2018, 6, 1),
        quantity=1000,
        unit_value_fen=12_000,
    )
    seeder.do(received, name)
    place.ids["consignment"] = id_of(f"consignment/{name}")
    lines = (c.GoodsLine(item="quilt", quantity=4),)
    asked = c.RequestConsignment(
        consignment=place.ids["consignment"], destination=place.area, lines=lines, reason="缺被褥"
    )
    seeder.do(asked, name)
    document = f"宜财社〔2018〕9号-{name}"
    place.ids["fund"] = Fund.id_of(document, place.area, False)
    appropriated = f.AppropriateFund(
        holder=place.area,
        document_no=document,
        amount_fen=10_000_000,
        source=Source.NATION,
        source_document_no="财建〔2018〕1号",
        earmark=("winter_spring",),
    )
    if name != "nation":
        seeder.do(appropriated, name)


def _reports(seeder: Seeder, name: str, place: Place) -> None:
    filers = FILERS.get(LEVEL[name], frozenset())
    if not filers:
        return
    for kind in ("disaster", "other_disaster"):
        place.ids[kind] = id_of(f"{kind}/{name}")
        declared = d.DeclareDisaster(
            disaster=place.ids[kind], name="洪涝", hazard="flood", occurred_at=AT, area=place.area
        )
        seeder.do(declared, name)
    filer = next(iter(filers & set(roles_at(name))))
    place.ids["report"] = id_of(f"report/{name}")
    figures: dict[str, Any] = {"affected": 10, "dead": 0, "injured": 2, "severely_injured": 1}
    filed = s.FileInitialReport(
        report=place.ids["report"],
        area=place.area,
        occurred_at=AT,
        as_of=AT,
        hazard="flood",
        figures=figures,
    )
    seeder.run(filed, officer_of(filer, name))
    place.ids["casualty"] = id_of(f"casualty/{name}")
    casualty = t.RecordCasualty(
        record=place.ids["casualty"],
        report=place.ids["report"],
        area=place.area,
        fate="missing",
        full_name="王小明",
    )
    place.ids["damage"] = id_of(f"damage/{name}")
    damage = t.RecordHouseDamage(
        record=place.ids["damage"],
        report=place.ids["report"],
        area=place.area,
        owner_name="王小明",
        grade=next(iter(Grade)),
        rooms=3,
    )
    if LEVEL[name] in (AreaLevel.VILLAGE, AreaLevel.TOWNSHIP, AreaLevel.COUNTY):
        seeder.do(casualty, name)
        seeder.do(damage, name)
    else:
        del place.ids["casualty"], place.ids["damage"]


def _season(seeder: Seeder, name: str, place: Place) -> None:
    if name == "nation":
        return
    place.ids["season"] = Season.id_of(place.area, "winter_spring", 2017, None, False)
    seeder.do(e.OpenSeason(area=place.area, programme="winter_spring", year=2017), name)


def _village(seeder: Seeder, name: str, place: Place) -> None:
    township = PARENT[name]
    assert township is not None and PARENT[township] is not None
    place.ids["season"] = seeder.places[str(PARENT[township])].ids["season"]
    for kind in ("household", "other_household"):
        place.ids[kind] = id_of(f"{kind}/{name}")
        head = seeder.member()
        registered = h.RegisterHousehold(
            id=place.ids[kind],
            village=place.area,
            category="hardship",
            members=(head, seeder.member(Relation.CHILD)),
            group="三组",
            address="源潭路 1 号",
        )
        seeder.do(registered, name)
    seeder.flush()
    household = seeder.store.load(place.ids["household"])
    assert household is not None
    place.ids["head"] = household.head
    place.ids["person"] = next(p for p in household.members if p != household.head)
    applied = r.ApplyForRelief(
        season=place.ids["season"],
        household=place.ids["household"],
        need=r.NeedInput(persons=2),
        applied_on=date(2018, 7, 1),
    )
    seeder.do(applied, name)
    place.ids["case"] = ReliefCase.id_of(place.ids["season"], place.ids["household"])
    seeder.do(w.OpenVillageList(season=place.ids["season"], village=place.area), name)
    place.ids["village_list"] = VillageList.id_of(place.ids["season"], place.area, 1)
    place.ids["objection"] = id_of(f"objection/{name}")
    seeder.do(
        w.AppraiseList(
            village_list=place.ids["village_list"],
            verdicts=(w.VerdictInput(case=place.ids["case"]),),
            minutes=w.MinutesInput(
                held_on=date(2018, 7, 2), attendees=31, document_sha256="ab" * 32
            ),
        ),
        name,
    )
    seeder.do(PostNotice(village_list=place.ids["village_list"]), name)
    seeder.do(
        w.RaiseObjection(
            village_list=place.ids["village_list"],
            id=place.ids["objection"],
            kind=next(iter(ObjectionKind)),
            text="为何没有我家？",
        ),
        name,
    )
