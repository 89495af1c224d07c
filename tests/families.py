"""What the small demo leaves out of households: a new head, one entered twice, one forgotten."""

from datetime import date, timedelta

from demo.act_households import member_input
from demo.divisions import SMALL_VILLAGES
from demo.naming import demo_id
from demo.people import Member
from demo.times import at
from domain.commands import contests, erasure, households
from domain.commands.sealing import MemberInput
from domain.household_members import Relation
from domain.rules.base import china_day
from tests.everything import Desk
from tests.id_numbers import id_number

VILLAGE = SMALL_VILLAGES[0]
REPORTER, REVIEWER = "yuantan-shuangfeng-a", "yuantan-reviewer-new"
DOCUMENT = "演示潜民〔2018〕88号"


def newcomer(serial: int, relation: Relation = Relation.HEAD) -> MemberInput:
    """Somebody the demo does not know, valid in form and recognizably made up."""
    number = id_number(serial, "19700101")
    return MemberInput(name="周小明", relation=relation, id_number=number)


def again(member: Member, relation: Relation) -> MemberInput:
    """A person of the demo, entered once more with the same ID number."""
    found = member_input(member)
    return MemberInput(name=found.name, relation=relation, id_number=found.id_number)


def families(desk: Desk) -> None:
    """A new head, a new telephone, a household entered twice, somebody who left and came back."""
    desk.at(at(2018, 9, 6, 9))
    names = desk.names
    four, five = (names.household(f"{VILLAGE}-000{n}") for n in (4, 5))
    desk.do(households.ChangeContact(household=four, reason="换号", phone="15400007777"), REPORTER)
    desk.do(
        households.ChangeHead(
            household=four, reason="户主外出务工", head=names.member(f"{VILLAGE}-0004", 1)
        ),
        REPORTER,
    )
    desk.do(households.RevealHousehold(household=four, reason="入户核查"), "auditor")
    copy = demo_id("household", "everything/copy")
    desk.do(
        households.RegisterHousehold(
            id=copy,
            village=names.area(VILLAGE),
            members=(newcomer(901),),
            category="hardship",
        ),
        REPORTER,
    )
    desk.do(contests.MergeHouseholds(household=copy, into=five, reason="系同一户"), REVIEWER)
    gone = names.plan.households[f"{VILLAGE}-0004"].family.members[-1]
    desk.do(
        households.RemoveMember(
            household=four,
            reason="投靠亲属",
            person=names.member(f"{VILLAGE}-0004", -1),
            on=date(2018, 9, 1),
        ),
        REPORTER,
    )
    desk.do(
        households.AddMember(household=five, reason="投靠亲属", member=again(gone, Relation.OTHER)),
        REPORTER,
    )


def forgotten(desk: Desk) -> None:
    """Somebody moved away, and their personal data are destroyed when the response is over."""
    desk.at(desk.now + timedelta(hours=1))
    five = desk.names.household(f"{VILLAGE}-0005")
    gone = desk.store.vault.person_for(newcomer(901).id_number or "")
    desk.do(
        households.RemoveMember(
            household=five, reason="户口迁出", person=gone, on=china_day(desk.now)
        ),
        REPORTER,
    )
    desk.do(
        erasure.ErasePerson(person=gone, reason="应急响应结束，依法销毁", document_no=DOCUMENT),
        "county-approver",
    )
