"""The demo's plan: exact totals, always the same, and everything happens in the small one."""

from collections import Counter, defaultdict
from functools import lru_cache

import pytest

from demo import list_steps, report_steps, steps
from demo.disasters import final_figures
from demo.divisions import CITY, COUNTY, PROVINCE, read_divisions, read_published
from demo.figures import FLOOD, HAIL, SNOW, summed
from demo.households import CEILING_YUAN, COAT_YUAN, QUILT_YUAN, Failure, Outcome
from demo.last_day import GUST
from demo.people import CARD_PREFIX, PHONE_PREFIX, SEQUENCE_FROM, check_character, luhn_digit
from demo.plan import DemoPlan, build_plan
from demo.report_steps import Filed, FileReport, UnitMove
from demo.steps import Change


@lru_cache(maxsize=2)
def plan_of(small: bool) -> DemoPlan:
    return build_plan(small=small)


@pytest.fixture
def full() -> DemoPlan:
    return plan_of(small=False)


@pytest.fixture
def small() -> DemoPlan:
    return plan_of(small=True)


def test_the_extract_has_18_townships_and_184_villages() -> None:
    levels = Counter(one.level for one in read_divisions() if one.code.startswith(COUNTY))
    assert levels == {"county": 1, "township": 18, "village": 184}


def test_the_grants_equal_the_published_totals(full: DemoPlan) -> None:
    published = read_published()["winter_relief_2017_2018"]
    granted = full.granted
    assert granted.households == published["households"] == 16_366
    assert granted.persons == published["persons"] == 27_808
    assert granted.cash_yuan == published["cash_yuan"] == 3_740_000
    assert granted.quilts == published["quilts"] == 1_260
    assert granted.coats == published["coats"] == 360
    assert len({one.village for one in full.households.values()}) == 184


def test_the_same_seed_gives_the_same_plan(small: DemoPlan) -> None:
    assert build_plan(small=True) == small
    assert build_plan(seed=1, small=True) != small


def test_every_household_is_within_the_ceiling(full: DemoPlan) -> None:
    for one in full.households.values():
        goods = one.quilts * QUILT_YUAN + one.coats * COAT_YUAN
        assert one.cash_yuan + goods <= CEILING_YUAN * one.in_need
        assert (one.cash_yuan > 0) == (one.outcome is Outcome.GRANTED)
        assert 1 <= one.in_need <= len(one.family.members)


def test_no_village_shares_out_evenly(full: DemoPlan) -> None:
    amounts: dict[str, list[float]] = defaultdict(list)
    for one in full.households.values():
        if one.outcome is Outcome.GRANTED:
            amounts[one.village].append(one.cash_yuan / one.in_need)
    assert all(len(set(some)) > 1 for some in amounts.values())


def test_people_are_valid_in_form_and_recognizably_made_up(full: DemoPlan) -> None:
    numbers: Counter[str] = Counter()
    for one in full.households.values():
        assert one.family.phone.startswith(PHONE_PREFIX)
        card = one.family.card_no
        assert card.startswith(CARD_PREFIX)
        assert luhn_digit(card[:-1]) == card[-1]
        for member in one.family.members:
            if member.id_number is not None:
                number = member.id_number
                assert len(number) == 18 and check_character(number[:17]) == number[17]
                assert int(number[14:17]) >= SEQUENCE_FROM
                assert number[6:14] == f"{member.born_on:%Y%m%d}"
                assert int(number[16]) % 2 == (member.sex == "male")
                if one.outcome is not Outcome.DUPLICATE:
                    numbers[number] += 1
    assert set(numbers.values()) == {1}


def test_no_fund_pays_more_than_it_has(full: DemoPlan) -> None:
    spent: Counter[str] = Counter()
    for one in full.lists.values():
        spent[one.fund] += sum(household.cash_yuan for household in one.granted)
    for fund in full.funds:
        assert 0 < spent.pop(fund.document_no) <= fund.amount_yuan
    assert not spent


def test_townships_receive_at_least_what_they_hand_out(full: DemoPlan) -> None:
    arrived: Counter[tuple[str, str]] = Counter()
    trips = {one.consignment: one for one in full.steps if isinstance(one, steps.RequestGoods)}
    for one in full.steps:
        if isinstance(one, steps.ArriveGoods):
            trip = trips[one.consignment]
            assert one.good + one.damaged + one.missing == trip.quantity
            assert one.note or one.good == trip.quantity, "a difference is explained"
            arrived[trip.target, trip.item] += one.good
    for household in full.households.values():
        arrived[household.village[:9], "quilt"] -= household.quilts
        arrived[household.village[:9], "coat"] -= household.coats
    assert min(arrived.values()) >= 0
    shipped = {one.consignment for one in full.steps if isinstance(one, steps.ShipGoods)}
    there = {one.consignment for one in full.steps if isinstance(one, steps.ArriveGoods)}
    assert len(shipped - there) == 2, "two consignments are still on the road"


def test_a_county_report_is_the_sum_of_its_townships(full: DemoPlan) -> None:
    reports = [one for one in full.steps if isinstance(one, FileReport) and one.split]
    about = Counter(one.disaster for one in reports if one.division == COUNTY)
    assert about == {SNOW: 4, HAIL: 3, FLOOD: 4, GUST.key: 2}
    for one in reports:
        assert dict(one.figures) == summed(one.split.values())


def test_city_and_province_pass_on_what_the_county_reports(full: DemoPlan) -> None:
    filed: dict[str, list[tuple[str, Filed]]] = defaultdict(list)
    for one in full.steps:
        if isinstance(one, FileReport) and one.disaster != GUST.key:
            filed[one.division].append((one.disaster, one.filed))
    wanted = [one for one in filed[COUNTY] if one != (FLOOD, Filed.VERIFIED)]
    assert filed[CITY] == filed[PROVINCE] == wanted, "the flood's 核报 is left overdue"


def test_every_collapsed_home_of_the_flood_is_on_a_roster(full: DemoPlan) -> None:
    rows = Counter(one.report for one in full.steps if isinstance(one, report_steps.RecordHouse))
    figures = final_figures(full.seed, full.disasters[FLOOD])
    wanted = {
        f"{FLOOD}/{code}": int(some["collapsed_households"]) for code, some in figures.items()
    }
    assert rows == Counter({key: number for key, number in wanted.items() if number})


@pytest.mark.parametrize("small", [True, False])
def test_steps_are_in_order_of_time_and_have_keys_of_their_own(small: bool) -> None:
    plan = plan_of(small)
    times = [one.at for one in plan.steps]
    assert times == sorted(times)
    assert len({one.key for one in plan.steps}) == len(times)
    assert (times[0].year, times[0].month) == (2017, 9)
    assert (times[-1].year, times[-1].month) == (2018, 8)


def test_every_step_is_taken_by_an_officer_of_the_plan(full: DemoPlan) -> None:
    appointed: set[str] = set()
    for one in full.steps:
        if isinstance(one, steps.AppointOfficer):
            appointed.add(one.officer)
        else:
            assert one.by is None or one.by in appointed, one


def test_everything_happens_in_the_small_demo(small: DemoPlan, full: DemoPlan) -> None:
    def kinds(plan: DemoPlan) -> set[object]:
        found: set[object] = {type(one) for one in plan.steps}
        found |= {one.outcome for one in plan.households.values()}
        found |= {one.fails for one in plan.households.values()}
        found |= {one.filed for one in plan.steps if isinstance(one, FileReport)}
        found |= {one.change for one in plan.steps if isinstance(one, steps.ChangeHousehold)}
        found |= {one.move for one in plan.steps if isinstance(one, report_steps.MoveUnit)}
        for one in plan.steps:
            if isinstance(one, list_steps.SettleObjection):
                found.add((one.objection.split("/")[0], one.upheld))
            if isinstance(one, list_steps.PostNotice):
                found.add(("notice", one.notice, one.key[-1]))
        found |= {("round", one.round) for one in plan.lists.values()}
        return found

    assert kinds(full) == kinds(small)
    assert set(Outcome) | set(Failure) | set(Filed) | set(Change) <= kinds(small)
    assert set(UnitMove) <= kinds(small)
    wanted = {("against", True), ("against", False), ("omitted", True), ("amount", False)}
    assert wanted <= kinds(small)
