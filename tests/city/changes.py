"""What changes under way: people in two counties' households, villages, codes, officers."""

from datetime import date
from uuid import UUID

from domain.area import AreaLevel
from domain.commands.areas import (
    AbolishArea,
    AreaPlan,
    ChangeAreaCodes,
    CodeChange,
    Merge,
    RearrangeVillages,
    RenameArea,
    Split,
)
from domain.commands.contests import MergeHouseholds, ResolveContest
from domain.commands.erasure import ErasePerson
from domain.commands.households import (
    AddMember,
    CategorizeHousehold,
    MoveHousehold,
    RecordDeath,
    RemoveMember,
    RevealHousehold,
)
from domain.commands.officers import (
    EndSubstitution,
    GrantDispensation,
    HandOver,
    NameSubstitute,
    ReinstateOfficer,
    SuspendOfficer,
)
from domain.household_members import Relation
from domain.posts import Post
from domain.world import Role
from tests.city import people
from tests.city.base import HOUSEHOLDS, Act, City, County
from tests.city.places import appoint, register

DAY = date(2018, 9, 3)
DOCUMENT = "演示宜政〔2018〕21号"


def contests(city: City, county: County) -> Act:
    """Households of the next county claim people of this one; how it ends differs by county."""
    neighbor = city.counties[(county.number + 1) % len(city.counties)]
    village, other = county.villages[0], neighbor.villages[1]
    key = f"claims-{county.key}"
    own = f"claimed-{county.key}"
    people.register(city, village, people.household(city, own, 4))
    yield
    claimed = tuple(city.people[own][1:])
    people.register(city, other, people.household(city, key, 4, claimed))
    yield
    second, third = (city.person(own, place) for place in (1, 2))
    end = county.number % 4
    if end == 0:  # one for each side, and the last stays contested
        for person, keep in ((second, key), (third, own)):
            yield from _resolve(city, person, keep)
    elif end == 1:  # the neighbor gives up
        gone = RemoveMember(
            household=city.household(key), reason="登记有误", person=second, on=city.today
        )
        city.do(gone, other.reporter)
        yield
    elif end == 2:  # it was one family: the city makes one household of the two
        merge = MergeHouseholds(
            household=city.household(own), into=city.household(key), reason="系同一户"
        )
        city.do(merge, "city-reviewer")
        yield
    else:
        resolve = ResolveContest(
            person=second, keep=None, reason="均不属实", document_no="演示裁〔2018〕2号"
        )
        city.do(resolve, "city-reviewer")
        yield


def _resolve(city: City, person: UUID, keep: str) -> Act:
    command = ResolveContest(
        person=person, keep=city.household(keep), reason="实地核查", document_no="演示裁〔2018〕1号"
    )
    city.do(command, "city-reviewer")
    yield


def families(city: City, county: County) -> Act:
    """A birth elsewhere, a death, a category, a look at sealed data, a move within the county."""
    village, far = county.villages[0], county.of(county.townships[1])[0]
    home, reporter = city.household(village.household(people.GROWN)), village.reporter
    new = people.member(city, people.id_number(city), Relation.CHILD)
    city.do(AddMember(household=home, reason="新生儿", member=new), reporter)
    yield
    city.do(
        RecordDeath(
            household=home,
            reason="病故",
            person=city.person(village.household(people.GROWN), 2),
            on=city.today,
        ),
        reporter,
    )
    yield
    city.do(CategorizeHousehold(household=home, reason="核定", category="hardship"), reporter)
    yield
    city.do(RevealHousehold(household=home, reason="入户核查"), county.payer)
    yield
    moved = city.household(f"claimed-{county.key}") if county.number % 4 != 2 else None
    if moved is not None:
        move = MoveHousehold(
            household=moved, reason="搬迁", village=city.area(far.key), on=city.today
        )
        city.do(move, county.approver)
        yield


def villages(city: City, county: County) -> Act:
    """The last village goes into the first of its township, with its people; one is split."""
    township = county.of(county.townships[-1])
    last, first = township[-1], township[0]
    for n in range(HOUSEHOLDS):
        household = city.household(last.household(n))
        move = MoveHousehold(
            household=household, reason="并村", village=city.area(first.key), on=city.today
        )
        city.do(move, county.approver)
        yield
    new, gone = f"{county.key}-new", f"{county.key}-gone"
    parent = city.area(first.township)
    plans = tuple(
        AreaPlan(
            id=city.area(key),
            code=f"{county.code}{199 + n}999",
            name=f"{key}村",
            level=AreaLevel.VILLAGE,
            parent=parent,
        )
        for n, key in enumerate((new, gone))
    )
    city.do(
        RearrangeVillages(
            established=plans,
            splits=(Split(area=city.area(new), source=city.area(first.key)),),
            merges=(Merge(area=city.area(last.key), into=city.area(first.key)),),
            effective_on=DAY,
            document_no=DOCUMENT,
        ),
        "city-administrator",
    )
    city.merged.add(last.key)
    yield
    abolish = AbolishArea(area=city.area(gone), effective_on=DAY, document_no=DOCUMENT)
    city.do(abolish, "city-administrator")


def becomes_a_city(city: City, county: County) -> Act:
    """The county, its townships and villages get new codes, and the county a new name."""
    code = f"3408{90 + county.number}"
    keys = [county.key, *county.townships, *(v.key for v in city.living(county))]
    old = dict(zip(county.townships, range(100, 1000), strict=False))
    codes = {county.key: code}
    codes |= {key: f"{code}{number}000" for key, number in old.items()}
    codes |= {v.key: f"{code}{v.code.removeprefix(county.code)}" for v in county.villages}
    changes = tuple(CodeChange(area=city.area(key), code=codes[key]) for key in keys)
    change = ChangeAreaCodes(changes=changes, effective_on=DAY, document_no=DOCUMENT)
    city.do(change, "city-administrator")
    yield
    name = county.name[:-1] + "市"
    city.do(
        RenameArea(area=city.area(county.key), name=name, effective_on=DAY, document_no=DOCUMENT),
        "city-administrator",
    )


def officers(city: City, county: County) -> Act:
    """A reporter is away, a reviewer suspended for a while, one storekeeper retires for good.

    Who takes over the store is an officer of the next county; so is who may do one more step.
    """
    away, stand_in = (village.reporter for village in county.villages[:2])
    substitution = city.id("substitution", county.key)
    city.do(
        NameSubstitute(
            id=substitution,
            officer=city.officer(away),
            appointment=city.id("appointment", away),
            substitute=city.officer(stand_in),
            starts_on=DAY,
            ends_on=date(2018, 9, 30),
        ),
        "city-administrator",
    )
    yield
    end = EndSubstitution(officer=city.officer(away), substitution=substitution)
    city.do(end, "city-administrator")
    yield
    reviewer = city.officer(f"{county.townships[1]}-reviewer")
    city.do(SuspendOfficer(officer=reviewer, reason="核查"), "city-administrator")
    yield
    city.do(ReinstateOfficer(officer=reviewer, reason="核查结束"), "city-administrator")
    yield
    neighbor = city.counties[(county.number + 1) % len(city.counties)]
    successor = f"{county.key}-storekeeper-new"
    register(city, successor, neighbor.key)
    yield
    hand_over = HandOver(
        officer=city.officer(f"{county.key}-auditor"),
        successor=city.officer(successor),
        reason="退休",
    )
    city.do(hand_over, "city-administrator")
    yield
    spare = f"{county.key}-spare"
    appoint(city, spare, Role.TOWNSHIP_REVIEWER, county.townships[0], Post.B)
    yield
    dispensation = GrantDispensation(
        matter=city.id("disaster", "flood"),
        officer=city.officer(spare),
        step="approve",
        document_no=DOCUMENT,
        reason="人手不足",
    )
    city.do(dispensation, county.approver)


def forgotten(city: City, county: County) -> Act:
    """Somebody moves out of the province, and their personal data are destroyed."""
    village, key = county.villages[1], f"leaving-{county.key}"
    people.register(city, village, people.household(city, key, 2))
    yield
    person = city.person(key, 1)
    city.do(
        RemoveMember(household=city.household(key), reason="迁出", person=person, on=city.today),
        village.reporter,
    )
    yield
    city.do(
        ErasePerson(person=person, reason="响应结束，依法销毁", document_no=DOCUMENT),
        county.approver,
    )
