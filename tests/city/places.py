"""Divisions, rulebooks and officers of the city."""

from datetime import date
from pathlib import Path

from domain.area import AreaLevel
from domain.commands.areas import AreaPlan, EstablishAreas
from domain.commands.officers import AppointOfficer, OpenAccount, RegisterOfficer
from domain.commands.rulebooks import AdoptRulebook
from domain.posts import Post
from domain.rules.loading import NATION, parse_rulebook
from domain.world import Role
from tests.city.base import City, County

RULES = Path(__file__).parents[2] / "rules"
SINCE = date(2016, 1, 1)
DOCUMENT = "演示宜政〔2016〕1号"
ABOVE = (
    ("nation", "000000", "全国", AreaLevel.NATION, None),
    ("province", "340000", "安徽省", AreaLevel.PROVINCE, "nation"),
    ("city", "340800", "安庆市", AreaLevel.CITY, "province"),
)
BOOKS = {NATION: "nation", "340000": "province", "340882": "city"}
"""Whose rulebook a file is: the county's examples hold for the whole city here."""

CITY_POSTS = (
    ("province-reviewer", Role.PROVINCE_REVIEWER, "province"),
    ("city-reviewer", Role.CITY_REVIEWER, "city"),
    ("city-reviewer-b", Role.CITY_REVIEWER, "city"),
    ("city-storekeeper", Role.STOREKEEPER, "city"),
    ("city-dispatcher", Role.DISPATCHER, "city"),
    ("city-administrator", Role.ADMINISTRATOR, "city"),
)
COUNTY_POSTS = (
    ("approver", Role.COUNTY_APPROVER),
    ("payer", Role.COUNTY_PAYER),
    ("storekeeper", Role.STOREKEEPER),
    ("dispatcher", Role.DISPATCHER),
    ("auditor", Role.AUDITOR),
)


def begin(city: City) -> None:
    """The system establishes the divisions, adopts the rulebooks and appoints the officers."""
    city.do(
        EstablishAreas(areas=tuple(_plans(city)), established_on=SINCE, document_no=DOCUMENT), None
    )
    _rulebooks(city)
    for key, role, area in CITY_POSTS:
        appoint(city, key, role, area)
    for county in city.counties:
        _officers(city, county)


def _plans(city: City) -> list[AreaPlan]:
    plans = [_plan(city, key, code, name, level, above) for key, code, name, level, above in ABOVE]
    for county in city.counties:
        plans.append(_plan(city, county.key, county.code, county.name, AreaLevel.COUNTY, "city"))
        for t, township in enumerate(county.townships):
            code, name = f"{county.code}{100 + t}000", f"{county.name[:2]}{t + 1}镇"
            plans.append(_plan(city, township, code, name, AreaLevel.TOWNSHIP, county.key))
        for v, village in enumerate(county.villages, start=1):
            name = f"{county.name[:2]}{v}村"
            level = AreaLevel.VILLAGE
            plans.append(_plan(city, village.key, village.code, name, level, village.township))
    return plans


def _plan(
    city: City, key: str, code: str, name: str, level: AreaLevel, above: str | None
) -> AreaPlan:
    parent = city.area(above) if above else None
    return AreaPlan(id=city.area(key), code=code, name=name, level=level, parent=parent)


def _rulebooks(city: City) -> None:
    for path in sorted(RULES.rglob("*.toml")):
        book = parse_rulebook(path.name, path.read_text(encoding="utf-8"))
        if book.area_code not in BOOKS:
            continue  # an example to begin from
        places = [BOOKS[book.area_code]]
        if book.area_code == "340882" and book.kind in ("standards", "notices"):
            places.append(city.counties[-1].key)  # one county has standards of its own
        for place in places:
            adopt = AdoptRulebook(
                area=city.area(place),
                kind=book.kind,
                version=book.version,
                document_no=book.document_no,
                valid_from=book.valid_from,
                valid_to=book.valid_to,
                content=book.content,
            )
            city.do(adopt, None)


def _officers(city: City, county: County) -> None:
    for name, role in COUNTY_POSTS:
        appoint(city, f"{county.key}-{name}", role, county.key)
    for township in county.townships:
        appoint(city, f"{township}-reviewer", Role.TOWNSHIP_REVIEWER, township, Post.A)
    for village in county.villages:
        appoint(city, village.reporter, Role.VILLAGE_REPORTER, village.key, Post.A)


def appoint(city: City, key: str, role: Role, area: str, post: Post = Post.NONE) -> None:
    """A new officer with an account and one post, both in that area."""
    register(city, key, area)
    city.do(
        AppointOfficer(
            id=city.id("appointment", key),
            officer=city.officer(key),
            role=role,
            area=city.area(area),
            post=post,
            certificate=f"演示证-{key}",
            starts_on=SINCE,
        ),
        None,
    )


def register(city: City, key: str, area: str) -> None:
    """An officer without a post."""
    person = city.id("officer", key)
    city.do(RegisterOfficer(person=person, full_name="张经办", area=city.area(area)), None)
    city.do(OpenAccount(officer=city.officer(key), login=key), None)
