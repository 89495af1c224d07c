"""Commands for households: registration, changes, contests, merging."""

from collections.abc import Iterator
from dataclasses import replace

from demo.households import HouseholdPlan
from demo.naming import Acts, Names
from demo.people import Member
from demo.steps import (
    Change,
    ChangeHousehold,
    MergeHouseholds,
    RecordCard,
    RegisterHouseholds,
    RegisterTwice,
    ResolveContest,
)
from domain.commands import contests, households
from domain.commands.sealing import CardInput, MemberInput
from domain.household_members import Relation, Sex
from domain.world import Command

BANK = "演示农村商业银行"
RELATIONS = {
    "户主": Relation.HEAD,
    "配偶": Relation.SPOUSE,
    "子": Relation.CHILD,
    "女": Relation.CHILD,
    "父": Relation.PARENT,
    "母": Relation.PARENT,
    "孙子": Relation.GRANDCHILD,
    "孙女": Relation.GRANDCHILD,
}
CATEGORIES = {
    "特困": "extreme_poverty",
    "低保": "subsistence_allowance",
    "低保边缘": "near_subsistence",
    "残疾人": "disabled",
    "一般困难户": "hardship",
}


def member_input(member: Member) -> MemberInput:
    return MemberInput(
        name=member.name,
        relation=RELATIONS[member.relation],
        id_number=member.id_number,
        sex=Sex(member.sex),
        birth_date=member.born_on,
    )


def household_input(names: Names, one: HouseholdPlan) -> households.HouseholdInput:
    village = next(d.name for d in names.plan.divisions if d.code == one.village)
    return households.HouseholdInput(
        id=names.household(one.key),
        members=tuple(member_input(member) for member in one.family.members),
        category=CATEGORIES[one.category],
        group=f"第{one.group}组",
        card=CardInput(number=one.family.card_no, bank=BANK),
        phone=one.family.phone,
        address=f"{village}第{one.group}组（演示）",
    )


def register(names: Names, step: RegisterHouseholds) -> Iterator[Command]:
    yield households.RegisterHouseholds(
        village=names.area(step.village),
        households=tuple(
            household_input(names, names.plan.households[key]) for key in step.households
        ),
    )


def register_twice(names: Names, step: RegisterTwice) -> Iterator[Command]:
    one = names.plan.households[step.household]
    second = replace(one.family.members[1], relation="户主")
    yield households.RegisterHousehold(
        id=names.household(step.copy),
        village=names.area(one.village),
        members=(member_input(second),),
        category=CATEGORIES[one.category],
        group=f"第{one.group}组",
    )


def merge(names: Names, step: MergeHouseholds) -> Iterator[Command]:
    yield contests.MergeHouseholds(
        household=names.household(step.copy),
        into=names.household(step.into),
        reason=step.reason,
    )


def record_card(names: Names, step: RecordCard) -> Iterator[Command]:
    yield households.RecordCard(
        household=names.household(step.household),
        reason=step.reason,
        holder=names.member(step.household, 0),
        number=step.card_no,
        bank=BANK,
    )


def resolve(names: Names, step: ResolveContest) -> Iterator[Command]:
    yield contests.ResolveContest(
        person=names.member(step.loser, 0),
        keep=names.household(step.keep),
        reason=step.reason,
        document_no=step.document_no,
    )


def change(names: Names, step: ChangeHousehold) -> Iterator[Command]:
    household, reason = names.household(step.household), step.reason
    if step.change is Change.BORN:
        assert step.person is not None
        yield households.AddMember(
            household=household, reason=reason, member=member_input(step.person)
        )
    elif step.change is Change.DIED:
        person = names.member(step.household, step.member)
        yield households.RecordDeath(household=household, reason=reason, person=person, on=step.on)
    elif step.change is Change.LEFT:
        person = names.member(step.household, step.member)
        yield households.RemoveMember(household=household, reason=reason, person=person, on=step.on)
    elif step.change is Change.MOVED:
        yield households.MoveHousehold(
            household=household,
            reason=reason,
            village=names.area(step.village),
            on=step.on,
            group="第1组",
        )
    elif step.change is Change.IDENTIFIED:
        assert step.person is not None
        yield households.IdentifyMember(
            household=household,
            reason=reason,
            person=names.member(step.household, step.member),
            member=member_input(step.person),
        )
    else:
        yield households.CategorizeHousehold(
            household=household, reason=reason, category=CATEGORIES[step.category]
        )


ACTS: Acts = {
    RegisterHouseholds: register,
    RegisterTwice: register_twice,
    MergeHouseholds: merge,
    RecordCard: record_card,
    ResolveContest: resolve,
    ChangeHousehold: change,
}
