"""A small real county for the tests of the domain: areas, officers, rulebooks, all by commands.

``make_county()`` answers a fresh `Scenario` at 2018-07-04 16:00 in China. Ids are
``scenario.id(name)``, for areas by these names:

    nation  province 安徽省  city 安庆市  county 潜山市
      yuantan 源潭镇: yuantan_1 源潭居委会, yuantan_2 双峰居委会
      shuihou 水吼镇: shuihou_1 水吼村, shuihou_2 横中村
    foreign_county 太湖县  foreign_township 晋熙镇  foreign_village 东关居委会

A stockpile's warehouse is the area that owns it: the county's depot is ``county``.

Officers, usable as ``by="village"``; their ids are ``scenario.officers[name]``, the natural
person behind one is ``scenario.id("person/village")``, the first appointment
``scenario.id("appointment/village")``:

    village, village_b      reporters of yuantan_1, post A and B
    village2                reporter of yuantan_2
    village3, village4      reporters of shuihou_1 and shuihou_2
    township, township_b    reviewers of yuantan;  township2  reviewer of shuihou
    county, county2         approvers            payer, payer2    county payers
    storekeeper             of the county        township_storekeeper   of yuantan
    storekeeper2            of shuihou           dispatcher             of the county
    city, city_storekeeper, city_dispatcher      province, province_storekeeper
    auditor, admin          of the county        city_auditor, city_admin
    foreign_village, foreign_township, foreign_county, foreign_payer, foreign_storekeeper,
    foreign_dispatcher, foreign_admin            the same posts in the other county
"""

from datetime import date
from functools import lru_cache
from pathlib import Path
from uuid import UUID

from domain.area import AreaLevel
from domain.commands.areas import AreaPlan, EstablishAreas
from domain.commands.officers import AppointOfficer, RegisterOfficer
from domain.commands.rulebooks import AdoptRulebook
from domain.officer import Officer
from domain.posts import Post
from domain.rules.loading import NATION, RulebookFile, parse_rulebook
from domain.world import Role
from tests.domain.scenario import Scenario
from tests.id_numbers import id_number

RULES = Path(__file__).parents[2] / "rules"
SINCE = date(2016, 1, 1)
DOCUMENT = "测试〔2016〕1号"

AREAS: dict[str, tuple[str, str, AreaLevel, str | None]] = {
    "nation": ("000000", "全国", AreaLevel.NATION, None),
    "province": ("340000", "安徽省", AreaLevel.PROVINCE, "nation"),
    "city": ("340800", "安庆市", AreaLevel.CITY, "province"),
    "county": ("340882", "潜山市", AreaLevel.COUNTY, "city"),
    "yuantan": ("340882101000", "源潭镇", AreaLevel.TOWNSHIP, "county"),
    "yuantan_1": ("340882101001", "源潭居委会", AreaLevel.VILLAGE, "yuantan"),
    "yuantan_2": ("340882101002", "双峰居委会", AreaLevel.VILLAGE, "yuantan"),
    "shuihou": ("340882106000", "水吼镇", AreaLevel.TOWNSHIP, "county"),
    "shuihou_1": ("340882106200", "水吼村", AreaLevel.VILLAGE, "shuihou"),
    "shuihou_2": ("340882106201", "横中村", AreaLevel.VILLAGE, "shuihou"),
    "foreign_county": ("340825", "太湖县", AreaLevel.COUNTY, "city"),
    "foreign_township": ("340825100000", "晋熙镇", AreaLevel.TOWNSHIP, "foreign_county"),
    "foreign_village": ("340825100001", "东关居委会", AreaLevel.VILLAGE, "foreign_township"),
}

OFFICERS: dict[str, tuple[Role, str, Post]] = {
    "village": (Role.VILLAGE_REPORTER, "yuantan_1", Post.A),
    "village_b": (Role.VILLAGE_REPORTER, "yuantan_1", Post.B),
    "village2": (Role.VILLAGE_REPORTER, "yuantan_2", Post.A),
    "village3": (Role.VILLAGE_REPORTER, "shuihou_1", Post.A),
    "village4": (Role.VILLAGE_REPORTER, "shuihou_2", Post.A),
    "township": (Role.TOWNSHIP_REVIEWER, "yuantan", Post.A),
    "township_b": (Role.TOWNSHIP_REVIEWER, "yuantan", Post.B),
    "township2": (Role.TOWNSHIP_REVIEWER, "shuihou", Post.A),
    "county": (Role.COUNTY_APPROVER, "county", Post.A),
    "county2": (Role.COUNTY_APPROVER, "county", Post.B),
    "payer": (Role.COUNTY_PAYER, "county", Post.NONE),
    "payer2": (Role.COUNTY_PAYER, "county", Post.NONE),
    "storekeeper": (Role.STOREKEEPER, "county", Post.NONE),
    "township_storekeeper": (Role.STOREKEEPER, "yuantan", Post.NONE),
    "storekeeper2": (Role.STOREKEEPER, "shuihou", Post.NONE),
    "dispatcher": (Role.DISPATCHER, "county", Post.NONE),
    "city": (Role.CITY_REVIEWER, "city", Post.NONE),
    "city_storekeeper": (Role.STOREKEEPER, "city", Post.NONE),
    "city_dispatcher": (Role.DISPATCHER, "city", Post.NONE),
    "province": (Role.PROVINCE_REVIEWER, "province", Post.NONE),
    "province_storekeeper": (Role.STOREKEEPER, "province", Post.NONE),
    "auditor": (Role.AUDITOR, "county", Post.NONE),
    "city_auditor": (Role.AUDITOR, "city", Post.NONE),
    "admin": (Role.ADMINISTRATOR, "county", Post.NONE),
    "city_admin": (Role.ADMINISTRATOR, "city", Post.NONE),
    "foreign_village": (Role.VILLAGE_REPORTER, "foreign_village", Post.A),
    "foreign_township": (Role.TOWNSHIP_REVIEWER, "foreign_township", Post.A),
    "foreign_county": (Role.COUNTY_APPROVER, "foreign_county", Post.NONE),
    "foreign_payer": (Role.COUNTY_PAYER, "foreign_county", Post.NONE),
    "foreign_storekeeper": (Role.STOREKEEPER, "foreign_county", Post.NONE),
    "foreign_dispatcher": (Role.DISPATCHER, "foreign_county", Post.NONE),
    "foreign_admin": (Role.ADMINISTRATOR, "foreign_county", Post.NONE),
}


def make_county() -> Scenario:
    """A fresh scenario with everything above. Built once, copied ever after."""
    template = _built()
    copy = Scenario(template.now)
    copy.vault.tokens.update(template.vault.tokens)
    copy.vault.texts.update(template.vault.texts)
    copy.streams = {id: list(stream) for id, stream in template.streams.items()}
    copy.facts = list(template.facts)
    copy.officers = dict(template.officers)
    return copy


def number_of(scenario: Scenario, person: UUID) -> str:
    """A made-up ID number, by which the vault finds this very person from now on."""
    number = id_number(len(scenario.vault.tokens), "19700101")
    scenario.vault.tokens[number] = person
    return number


def register(
    scenario: Scenario, name: str, area: str, by: str | None = None, *, numbered: bool = True
) -> None:
    """An officer without a post, by a readable name; employed in that area."""
    person = scenario.id(f"person/{name}")
    scenario.officers[name] = Officer.id_of(person)
    command = RegisterOfficer(
        person=person,
        full_name=f"张{name}",
        area=scenario.id(area),
        id_number=number_of(scenario, person) if numbered else None,
    )
    scenario.given(command, by=by)


def appointment(
    scenario: Scenario, name: str, role: Role, area: str, post: Post = Post.NONE, *, nth: str = ""
) -> AppointOfficer:
    """The command that gives an officer a post; ``nth`` tells further posts apart."""
    return AppointOfficer(
        id=scenario.id(f"appointment/{name}{nth}"),
        officer=scenario.officers[name],
        role=role,
        area=scenario.id(area),
        post=post,
        certificate=f"证-{name}",
        starts_on=SINCE,
    )


def appoint(scenario: Scenario, name: str, role: Role, area: str, post: Post = Post.NONE) -> None:
    """Register an officer in an area and give them a post there."""
    register(scenario, name, area)
    scenario.given(appointment(scenario, name, role, area, post))


@lru_cache(maxsize=1)
def _built() -> Scenario:
    scenario = Scenario()
    plans = tuple(
        AreaPlan(
            id=scenario.id(key),
            code=code,
            name=name,
            level=level,
            parent=scenario.id(parent) if parent else None,
        )
        for key, (code, name, level, parent) in AREAS.items()
    )
    scenario.given(EstablishAreas(areas=plans, established_on=SINCE, document_no=DOCUMENT))
    for name, (role, area, post) in OFFICERS.items():
        appoint(scenario, name, role, area, post)
    by_code = {code: key for key, (code, *_) in AREAS.items()} | {NATION: "nation"}
    for path in sorted(RULES.rglob("*.toml")):
        book = parse_rulebook(path.name, path.read_text(encoding="utf-8"))
        if book.area_code not in by_code:
            continue
        scenario.given(_adoption(scenario, book, by_code[book.area_code]))
    return scenario


def _adoption(scenario: Scenario, book: RulebookFile, area: str) -> AdoptRulebook:
    return AdoptRulebook(
        area=scenario.id(area),
        kind=book.kind,
        version=book.version,
        document_no=book.document_no,
        valid_from=book.valid_from,
        valid_to=book.valid_to,
        content=book.content,
    )


def adopt_elsewhere(scenario: Scenario, kind: str, area: str) -> None:
    """The county's own rulebooks of a kind, adopted in another area as well."""
    for path in sorted(RULES.rglob("*.toml")):
        book = parse_rulebook(path.name, path.read_text(encoding="utf-8"))
        if (book.kind, book.area_code) == (kind, AREAS["county"][0]):
            scenario.given(_adoption(scenario, book, area))
