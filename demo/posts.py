"""Who holds which post in the demo, and the changes of the year.

Keys and log-ins are readable: ``county-approver``, ``yuantan-reviewer``, ``yuantan-shuangfeng-a``.
Every person is made up and does one job, so that no matter ever needs the same hands twice.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from pypinyin import lazy_pinyin

from demo.divisions import (
    CITY,
    COUNTY,
    NEIGHBOR,
    PROVINCE,
    SMALL_TOWNSHIP,
    SMALL_VILLAGES,
    Division,
)
from demo.people import Registry
from demo.steps import AppointOfficer, HandOver, NameSubstitute, Step, SuspendOfficer
from demo.times import at

ADMINISTRATOR = "administrator"
COUNTY_APPROVER = "county-approver"
COUNTY_PAYER = "county-payer"
COUNTY_STORE = "county-storekeeper"
DISPATCHER = "dispatcher"
AUDITOR = "auditor"
CITY_REVIEWER = "city-reviewer"
CITY_DEPUTY = f"{CITY_REVIEWER}-b"
CITY_STORE = "city-storekeeper"
PROVINCE_REVIEWER = "province-reviewer"
NEIGHBOR_APPROVER = "taihu-approver"
RETIRED_REVIEWER_TOWNSHIP = SMALL_TOWNSHIP
HAND_OVER_ON = date(2018, 3, 20)
AWAY_VILLAGE = SMALL_VILLAGES[1]
AWAY_FROM, AWAY_TO = date(2018, 7, 3), date(2018, 7, 20)

COUNTY_POSTS = (
    (ADMINISTRATOR, "administrator", COUNTY, ""),
    (COUNTY_APPROVER, "county_approver", COUNTY, "A"),
    (f"{COUNTY_APPROVER}-b", "county_approver", COUNTY, "B"),
    (COUNTY_PAYER, "county_payer", COUNTY, ""),
    (COUNTY_STORE, "storekeeper", COUNTY, ""),
    (DISPATCHER, "dispatcher", COUNTY, ""),
    (AUDITOR, "auditor", COUNTY, ""),
    (CITY_REVIEWER, "city_reviewer", CITY, "A"),
    (CITY_DEPUTY, "city_reviewer", CITY, "B"),
    (CITY_STORE, "storekeeper", CITY, ""),
    ("city-dispatcher", "dispatcher", CITY, ""),
    (PROVINCE_REVIEWER, "province_reviewer", PROVINCE, ""),
    (NEIGHBOR_APPROVER, "county_approver", NEIGHBOR, ""),
)
SUFFIXES = ("居委会", "村委会", "虚拟社区", "经济开发区", "度假区", "镇", "乡")


@dataclass(frozen=True, slots=True)
class Posts:
    """Finds officers' keys by division."""

    slugs: dict[str, str]

    def reviewer(self, township: str, on: date = date(2017, 9, 11)) -> str:
        """The township's reviewer on a day (one of them retires in March 2018)."""
        key = f"{self.slugs[township]}-reviewer"
        retired = township == RETIRED_REVIEWER_TOWNSHIP and on >= HAND_OVER_ON
        return f"{key}-new" if retired else key

    def deputy(self, township: str) -> str:
        return f"{self.slugs[township]}-reviewer-b"

    def storekeeper(self, township: str) -> str:
        return f"{self.slugs[township]}-storekeeper"

    def reporter(self, village: str, on: date = date(2017, 9, 11)) -> str:
        """The village's reporter on a day: A, or B while A is away."""
        away = village == AWAY_VILLAGE and AWAY_FROM <= on <= AWAY_TO
        return f"{self.slugs[village]}-{'b' if away else 'a'}"

    def townships(self) -> tuple[str, ...]:
        return tuple(sorted(code for code in self.slugs if len(code) == 9))


def slug(name: str) -> str:
    """源潭镇 → yuantan, 双峰居委会 → shuangfeng."""
    short = name.removeprefix("安徽潜山")
    for suffix in SUFFIXES:
        if short.endswith(suffix) and len(short) > len(suffix):
            short = short.removesuffix(suffix)
            break
    return "".join(lazy_pinyin(short))


def posts_of(divisions: Sequence[Division]) -> Posts:
    """Readable names of the county's townships and villages. Each is used once."""
    slugs: dict[str, str] = {}
    for division in divisions:
        if division.level == "township":
            slugs[division.code] = slug(division.name)
    for division in divisions:
        if division.level == "village":
            slugs[division.code] = f"{slugs[division.code[:9]]}-{slug(division.name)}"
    assert len(set(slugs.values())) == len(slugs)
    return Posts(slugs)


def appoint(registry: Registry, divisions: Sequence[Division], posts: Posts) -> Iterator[Step]:
    """All officers: those above the townships first, then the townships', then the villages'."""
    wanted = list(COUNTY_POSTS)
    for division in divisions:
        code = division.code
        if division.level == "township":
            wanted.append((posts.reviewer(code), "township_reviewer", code, "A"))
            wanted.append((posts.deputy(code), "township_reviewer", code, "B"))
            wanted.append((posts.storekeeper(code), "storekeeper", code, ""))
        elif division.level == "village":
            wanted.append((f"{posts.slugs[code]}-a", "village_reporter", code, "A"))
            wanted.append((f"{posts.slugs[code]}-b", "village_reporter", code, "B"))
    opened = at(2017, 9, 11, 9)
    for number, (key, role, code, post) in enumerate(wanted, 1):
        yield _appointment(registry, key, role, code, post, number, opened)
    yield from _changes(registry, posts, len(wanted) + 1)


def _appointment(
    registry: Registry, key: str, role: str, code: str, post: str, number: int, when: datetime
) -> AppointOfficer:
    family = registry.family(1, elderly=False, key=f"officer/{key}")
    return AppointOfficer(
        key=f"appoint/{key}",
        at=when,
        by=None,
        officer=key,
        login=key,
        person=family.members[0],
        phone=family.phone,
        role=role,
        division=code,
        post=post,
        certificate_no=f"演示证{number:04d}号",
    )


def _changes(registry: Registry, posts: Posts, number: int) -> Iterator[Step]:
    """A reviewer retires, a reporter is away during the flood, an account is suspended."""
    old = posts.reviewer(RETIRED_REVIEWER_TOWNSHIP)
    new = posts.reviewer(RETIRED_REVIEWER_TOWNSHIP, HAND_OVER_ON)
    role, code = "township_reviewer", RETIRED_REVIEWER_TOWNSHIP
    when = at(2018, 3, 19, 9)
    yield _appointment(registry, new, role, code, "A", number, when)
    yield HandOver(
        key=f"hand-over/{old}",
        at=at(2018, 3, 20, 9),
        by=ADMINISTRATOR,
        officer=old,
        successor=new,
        reason="退休，全部未办结事项移交接任者",
    )
    absent = posts.reporter(AWAY_VILLAGE)
    yield NameSubstitute(
        key=f"substitute/{absent}",
        at=at(2018, 7, 2, 9),
        by=ADMINISTRATOR,
        officer=absent,
        substitute=absent.removesuffix("-a") + "-b",
        first_day=AWAY_FROM,
        last_day=AWAY_TO,
        reason="外出培训，由 B 岗代行 A 岗职责",
    )
    away = posts.deputy(code)
    yield SuspendOfficer(
        key=f"suspend/{away}",
        at=at(2018, 5, 7, 9),
        by=ADMINISTRATOR,
        officer=away,
        reason="调离岗位，账号停用",
    )
