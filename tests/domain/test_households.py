from datetime import date
from typing import Any

import pytest

from domain.commands.contests import MergeHouseholds
from domain.commands.households import (
    AddMember,
    CategorizeHousehold,
    ChangeContact,
    ChangeHead,
    HouseholdInput,
    IdentifyMember,
    MoveHousehold,
    RecordCard,
    RecordDeath,
    RegisterHouseholds,
    RemoveMember,
    RevealHousehold,
)
from domain.commands.sealing import CardInput, MemberInput
from domain.exercise import ExerciseMixed
from domain.household import CardHolderNotMember, Household, HouseholdMerged
from domain.household_members import AlreadyMember, HeadNeeded, NotAMember, Relation
from domain.identity import check_character
from domain.refusal import AlreadyExists, Malformed, NotFound, NotYourRole
from tests.domain.county import make_county
from tests.domain.ledger import family, member
from tests.domain.scenario import Scenario
from tests.id_numbers import id_number

DAY = date(2018, 7, 1)


@pytest.fixture
def county() -> Scenario:
    return make_county()


def with_family(county: Scenario, name: str = "a", serial: int = 1, size: int = 3) -> Household:
    county.given(family(county, name, serial, size), by="village")
    return load(county, name)


def load(county: Scenario, name: str) -> Household:
    found = county.load(Household, county.id(name))
    assert isinstance(found, Household)
    return found


def person(county: Scenario, serial: int) -> Any:
    return county.vault.tokens[id_number(serial)]


def test_a_household_is_registered_with_all_members_in_one_event(county: Scenario) -> None:
    county.when(family(county, "a", 1, 2), by="village").then(
        "Household.Registered", "Person.Claimed", "Person.Claimed"
    )
    household = load(county, "a")
    assert household.size == 2
    assert household.head == person(county, 1)
    assert household.contested == set()


def test_the_log_holds_masked_names_and_sealed_texts_only(county: Scenario) -> None:
    with_family(county)
    logged = b"".join(body for _, body in county.streams[county.id("a")]).decode()
    assert "张*三" in logged and "张小三" not in logged
    assert id_number(1) not in logged and "6217000012345678" not in logged
    household = load(county, "a")
    head = household.members[person(county, 1)]
    assert head.id_number is not None
    assert county.vault.unseal(head.id_number, household.id, "id_number") == id_number(1)
    assert county.vault.unseal(head.name, household.id, "name") == "张小三"
    assert head.birth_year == 1965


def test_a_wrong_check_character_is_refused_and_names_the_member(county: Scenario) -> None:
    good = id_number(2)
    wrong = good[:-1] + ("1" if good[-1] != "1" else "2")
    child = MemberInput(name="张小二", relation=Relation.CHILD, id_number=wrong)
    command = family(county, "a", 1, members=(member(1), child))
    refusal = county.when(command, by="village").then(Malformed)
    assert refusal.field == "members[1].id_number"
    assert wrong not in refusal.value


def test_an_id_number_may_have_spaces_full_width_digits_and_a_strange_region(
    county: Scenario,
) -> None:
    first17 = "99000019500101001"
    number = first17 + check_character(first17)
    typed = " " + number[:6].translate({ord(str(n)): 0xFF10 + n for n in range(10)}) + " "
    head = MemberInput(name="张三", relation=Relation.HEAD, id_number=typed + number[6:])
    command = family(county, "a", 1, members=(head,))
    county.when(command, by="village").then("Household.Registered", "Person.Claimed")
    assert number in county.vault.tokens


def test_a_member_without_an_id_number_is_welcome(county: Scenario) -> None:
    child = MemberInput(name="张小二", relation=Relation.CHILD, birth_date=date(2018, 1, 1))
    command = family(county, "a", 1, members=(member(1), child))
    county.given(command, by="village")
    born = [one.birth_year for one in load(county, "a").members.values()]
    assert born == [1965, 2018]


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("members", {"members": ()}),
        ("members", {"members": (member(1), member(2))}),
        ("members", {"members": (member(1, Relation.CHILD),)}),
        ("members[0].name", {"members": (member(1, name=" "),)}),
        ("category", {"category": "rich"}),
        ("card.number", {"card": CardInput(number="12-34")}),
        ("card.holder", {"card": CardInput(number="6217000012345678", holder=9)}),
        ("phone", {"phone": "12"}),
        (
            "members[0].birth_date",
            {
                "members": (
                    MemberInput(name="张三", relation=Relation.HEAD, birth_date=date(2019, 1, 1)),
                )
            },
        ),
    ],
)
def test_what_cannot_be_is_refused_with_its_field(
    county: Scenario, field: str, change: dict[str, Any]
) -> None:
    refusal = county.when(family(county, "a", 1, **change), by="village").then(Malformed)
    assert refusal.field == field


def test_one_person_twice_in_a_household_is_refused(county: Scenario) -> None:
    twice = (member(1), member(1, Relation.CHILD))
    county.when(family(county, "a", 1, members=twice), by="village").then(AlreadyMember)


def test_a_household_is_registered_in_a_village_and_once(county: Scenario) -> None:
    command = family(county, "a", 1, village="yuantan")
    assert county.when(command, by="township").then(Malformed).field == "village"
    with_family(county)
    county.when(family(county, "a", 50), by="village").then(AlreadyExists)


def test_a_village_officer_registers_nobody_elsewhere_and_a_storekeeper_nobody(
    county: Scenario,
) -> None:
    county.when(family(county, "a", 1), by="village3").then(NotFound)
    county.when(family(county, "a", 1), by="storekeeper").then(NotYourRole)


def test_a_village_s_households_come_in_one_commit_or_not_at_all(county: Scenario) -> None:
    def one(name: str, serial: int, category: str = "hardship") -> HouseholdInput:
        return HouseholdInput(id=county.id(name), members=(member(serial),), category=category)

    village = county.id("yuantan_1")
    both = RegisterHouseholds(village=village, households=(one("a", 1), one("b", 2, "rich")))
    county.when(both, by="village").then(Malformed)
    both = RegisterHouseholds(village=village, households=(one("a", 1), one("b", 2)))
    county.when(both, by="village").then(
        "Household.Registered", "Person.Claimed", "Household.Registered", "Person.Claimed"
    )
    assert county.result == {"households": 2, "contested": []}


def test_members_join_leave_and_die(county: Scenario) -> None:
    household = with_family(county).id
    baby = MemberInput(name="张小宝", relation=Relation.GRANDCHILD)
    county.when(AddMember(household=household, member=baby, reason="出生"), by="village").then(
        "Household.MemberAdded", "Person.Claimed"
    )
    leave = RemoveMember(household=household, person=person(county, 2), on=DAY, reason="出嫁")
    county.when(leave, by="village").then("Household.MemberLeft", "Person.Released")
    die = RecordDeath(household=household, person=person(county, 3), on=DAY, reason="病故")
    county.when(die, by="village").then("Household.MemberDied")
    assert load(county, "a").size == 2
    county.when(leave, by="village").then(NotAMember)
    county.when(die, by="village").then(NotAMember)


def test_nobody_joins_twice_leaves_tomorrow_or_changes_without_a_reason(county: Scenario) -> None:
    household = with_family(county).id
    again = AddMember(household=household, member=member(2, Relation.CHILD), reason="补登")
    county.when(again, by="village").then(AlreadyMember)
    tomorrow = RemoveMember(
        household=household, person=person(county, 2), on=date(2018, 7, 6), reason="外迁"
    )
    assert county.when(tomorrow, by="village").then(Malformed).field == "on"
    silent = ChangeHead(household=household, head=person(county, 2), reason=" ")
    assert county.when(silent, by="village").then(Malformed).field == "reason"


def test_a_head_who_goes_needs_a_successor_among_the_members(county: Scenario) -> None:
    household = with_family(county).id
    head, child = person(county, 1), person(county, 2)
    die = RecordDeath(household=household, person=head, on=DAY, reason="病故")
    assert county.when(die, by="village").then(HeadNeeded).members == 2
    die = RecordDeath(household=household, person=head, on=DAY, reason="病故", new_head=child)
    county.when(die, by="village").then("Household.MemberDied", "Household.HeadChanged")
    now = load(county, "a")
    assert now.head == child and now.card is None, "the dead head's card went with him"


def test_the_last_member_may_leave(county: Scenario) -> None:
    household = with_family(county, size=1).id
    leave = RemoveMember(household=household, person=person(county, 1), on=DAY, reason="外迁")
    county.when(leave, by="village").then("Household.MemberLeft", "Person.Released")
    assert load(county, "a").size == 0


def test_another_head_category_and_contact(county: Scenario) -> None:
    household = with_family(county).id
    county.given(
        ChangeHead(household=household, head=person(county, 2), reason="户主外出务工"),
        CategorizeHousehold(household=household, category="disabled", reason="残疾证"),
        ChangeContact(household=household, phone="138 0000 0000", address="三组", reason="更正"),
        by="village",
    )
    now = load(county, "a")
    assert now.head == person(county, 2) and now.category == "disabled"
    rich = CategorizeHousehold(household=household, category="rich", reason="试填")
    assert county.when(rich, by="village").then(Malformed).field == "category"
    stranger = ChangeHead(household=household, head=county.id("x"), reason="试填")
    county.when(stranger, by="village").then(NotAMember)


def test_nobody_may_hold_another_household_s_card(county: Scenario) -> None:
    household = with_family(county).id
    with_family(county, "b", 20)
    card = RecordCard(
        household=household, holder=person(county, 20), number="6217000012345678", reason="代领"
    )
    county.when(card, by="village").then(CardHolderNotMember)
    card = RecordCard(
        household=household, holder=person(county, 2), number="6217000012345679", reason="换卡"
    )
    county.when(card, by="village").then("Household.CardRecorded")
    now = load(county, "a")
    assert now.card is not None and now.card.holder == person(county, 2)
    assert now.card.masked.endswith("5679") and "6217" not in now.card.masked


def test_an_id_number_that_turns_up_replaces_the_unknown_person(county: Scenario) -> None:
    child = MemberInput(name="张小二", relation=Relation.CHILD)
    county.given(family(county, "a", 1, members=(member(1), child)), by="village")
    household = load(county, "a")
    unknown = next(one for one in household.members if one != person(county, 1))
    identify = IdentifyMember(household=household.id, person=unknown, member=child, reason="办证")
    assert county.when(identify, by="village").then(Malformed).field == "member.id_number"
    known = member(2, Relation.CHILD)
    identify = IdentifyMember(household=household.id, person=unknown, member=known, reason="办证")
    county.when(identify, by="village").then(
        "Household.MemberIdentified", "Person.Released", "Person.Claimed"
    )
    assert set(load(county, "a").members) == {person(county, 1), person(county, 2)}
    head = IdentifyMember(
        household=household.id, person=person(county, 1), member=member(3), reason="号码有误"
    )
    county.given(head, by="village")
    now = load(county, "a")
    assert now.head == person(county, 3)
    assert now.card is None, "sealed for the person it was recorded for: to be recorded anew"


def test_a_move_to_another_village_is_decided_above_both(county: Scenario) -> None:
    household = with_family(county).id
    move = MoveHousehold(
        household=household, village=county.id("yuantan_2"), on=DAY, reason="避险搬迁"
    )
    county.when(move, by="village").then(NotFound)
    county.when(move, by="township").then("Household.Moved")
    assert load(county, "a").home == county.id("yuantan_2")
    within = MoveHousehold(
        household=household, village=county.id("yuantan_2"), group="四组", on=DAY, reason="分组"
    )
    county.when(within, by="village2").then("Household.Moved")


def test_a_moved_household_stays_in_the_partition_it_was_born_in(county: Scenario) -> None:
    household = with_family(county).id
    move = MoveHousehold(
        household=household, village=county.id("foreign_village"), on=DAY, reason="搬迁"
    )
    county.when(move, by="county").then(NotFound)
    county.when(move, by="city").then(NotYourRole)


def test_two_entries_of_one_household_are_merged(county: Scenario) -> None:
    with_family(county, "a", 1, 3)
    command = family(county, "b", 20, members=(member(20), member(3, Relation.CHILD)))
    county.given(command, by="village")
    a, b = county.id("a"), county.id("b")
    merge = MergeHouseholds(household=b, into=a, reason="重复登记")
    county.when(merge, by="village").then(NotYourRole)
    county.when(merge, by="township").then(
        "Household.Merged",
        "Household.Absorbed",
        "Household.ContestSettled",
        "Person.Released",
        "Person.Transferred",
    )
    into = load(county, "a")
    assert into.size == 4 and into.contested == set()
    moved = into.members[person(county, 20)]
    assert county.vault.unseal(moved.name, a, "name") == "张小三", "sealed for its new stream"
    county.when(merge, by="township").then(HouseholdMerged)
    again = AddMember(household=b, member=member(30, Relation.CHILD), reason="出生")
    assert county.when(again, by="village").then(HouseholdMerged).into == a


def test_a_household_is_not_merged_into_itself_nor_a_drill_s_into_a_real_one(
    county: Scenario,
) -> None:
    a = with_family(county).id
    own = MergeHouseholds(household=a, into=a, reason="试填")
    county.when(own, by="township").then(Malformed)
    county.given(family(county, "drill", 1, exercise=True), by="village")
    mixed = MergeHouseholds(household=county.id("drill"), into=a, reason="试填")
    county.when(mixed, by="township").then(ExerciseMixed)


def test_a_look_at_sealed_data_leaves_a_fact_with_its_reason(county: Scenario) -> None:
    household = with_family(county).id
    look = RevealHousehold(household=household, reason="核对一卡通账号")
    (fact,) = county.when(look, by="payer").then("Household.Revealed")
    assert fact.reason == "核对一卡通账号"
    for nothing in ("", "x", "xxxxxxxx", "1 1 1 1", "。。。。", "看看", "  看 看  看 "):
        look = RevealHousehold(household=household, reason=nothing)
        county.when(look, by="payer").then(Malformed)
    for enough in ("入户核查", "call back"):
        look = RevealHousehold(household=household, reason=enough)
        county.when(look, by="payer").then("Household.Revealed")


def test_a_drill_s_household_claims_no_real_person(county: Scenario) -> None:
    with_family(county)
    drill = family(county, "drill", 1, exercise=True)
    county.when(drill, by="village").then(
        "Household.Registered", "Person.Claimed", "Person.Claimed"
    )
    assert load(county, "a").contested == set()


@pytest.mark.parametrize(
    ("phone", "card"), [("1540000123⁴", None), ("15400001234", "999900123456789²")]
)
def test_c6_a_superscript_is_no_digit_of_a_phone_or_an_account(
    county: Scenario, phone: str, card: str | None
) -> None:
    account = CardInput(number=card) if card is not None else None
    refusal = county.when(family(county, "a", 1, phone=phone, card=account), by="village").then(
        Malformed
    )
    assert refusal.field == ("phone" if card is None else "card.number")
