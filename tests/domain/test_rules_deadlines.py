"""When reports are due."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.rules.base import CHINA
from domain.rules.deadlines import (
    Deadlines,
    FollowUpDuty,
    next_occurrence,
    occurrences,
)
from domain.rules.working_days import WorkingDays
from tests.domain.rule_files import rule

NATION = rule(Deadlines)
COUNTY = rule(Deadlines, "340882")
CALENDAR = rule(WorkingDays)


def beijing(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=CHINA)  # type: ignore[arg-type, misc]


MOMENTS = st.datetimes(datetime(2017, 1, 1), datetime(2026, 12, 1), timezones=st.just(UTC))
DUTIES = st.builds(
    FollowUpDuty,
    level=st.just("county"),
    due=st.times(time(0, 1), time(23, 59)),
    every_days=st.sampled_from([1, 10]),
    start=MOMENTS,
)


def test_a_county_has_two_hours_from_the_occurrence() -> None:
    occurred = beijing(2018, 7, 4, 9, 30)
    assert NATION.due_initial("county", occurred) == beijing(2018, 7, 4, 11, 30)
    late = NATION.due_initial("county", occurred, received_at=beijing(2018, 7, 4, 11))
    assert late == beijing(2018, 7, 4, 11, 30), "a county's clock does not wait for a receipt"


def test_a_city_and_a_province_have_two_hours_from_the_receipt() -> None:
    occurred, received = beijing(2018, 7, 4, 9), beijing(2018, 7, 4, 23, 30)
    for level in ("city", "province"):
        assert NATION.due_initial(level, occurred, received) == beijing(2018, 7, 5, 1, 30)
    assert NATION.due_initial("city", occurred) == beijing(2018, 7, 4, 11)


def test_a_level_without_a_limit_has_that_of_the_next_level_above() -> None:
    occurred = beijing(2018, 7, 4, 9)
    assert NATION.due_initial("village", occurred) == beijing(2018, 7, 4, 11)
    assert COUNTY.due_initial("township", occurred) == beijing(2018, 7, 4, 10)
    assert COUNTY.due_initial("village", occurred) == beijing(2018, 7, 4, 10)


def test_follow_ups_are_due_at_eight_nine_ten_and_noon_as_of_midnight() -> None:
    start = beijing(2018, 7, 4, 23, 59)
    for level, hour in (("township", 8), ("county", 9), ("city", 10), ("province", 12)):
        duty = COUNTY.follow_up_duty(level, start, drought=False)
        first, second = occurrences(duty, start + timedelta(days=2))
        assert first.as_of == beijing(2018, 7, 5)
        assert first.due_at == beijing(2018, 7, 5, hour)
        assert second.due_at == beijing(2018, 7, 6, hour)
        assert (first.number, second.number) == (1, 2)


def test_the_day_is_the_chinese_day_not_the_utc_day() -> None:
    start = datetime(2018, 7, 4, 17, tzinfo=UTC)  # 01:00 on the 5th in China
    duty = NATION.follow_up_duty("county", start, drought=False)
    (first,) = occurrences(duty, start + timedelta(days=1, hours=9))
    assert first.due_at == beijing(2018, 7, 6, 9)


def test_what_is_due_at_this_very_moment_is_asked_for() -> None:
    start = beijing(2018, 7, 4, 10)
    duty = NATION.follow_up_duty("county", start, drought=False)
    nine_in_china = datetime(2018, 7, 5, 1, tzinfo=UTC)
    assert [one.due_at for one in occurrences(duty, nine_in_china)] == [nine_in_china]
    assert list(occurrences(duty, nine_in_china - timedelta(microseconds=1))) == []


def test_a_drought_is_followed_up_every_ten_days() -> None:
    start = beijing(2018, 8, 1, 15)
    duty = NATION.follow_up_duty("county", start, drought=True)
    found = [one.due_at for one in occurrences(duty, beijing(2018, 8, 31))]
    assert found == [beijing(2018, 8, 11, 9), beijing(2018, 8, 21, 9)]


def test_nothing_is_asked_for_after_the_duty_has_ended() -> None:
    start = beijing(2018, 7, 4, 10)
    open_ended = NATION.follow_up_duty("county", start, drought=False)
    ended = FollowUpDuty(
        open_ended.level, open_ended.due, open_ended.every_days, start, beijing(2018, 7, 7, 8, 59)
    )
    assert [one.number for one in occurrences(ended, beijing(2018, 8, 1))] == [1, 2]
    assert next_occurrence(ended, beijing(2018, 7, 6, 9)) is None
    assert next_occurrence(ended, beijing(2018, 7, 6, 8)) is not None


@given(DUTIES, st.integers(0, 60))
@settings(max_examples=60)
def test_occurrences_are_evenly_spaced_complete_and_start_after_the_first_report(
    duty: FollowUpDuty, days: int
) -> None:
    until = duty.start + timedelta(days=days)
    found = list(occurrences(duty, until))
    for n, one in enumerate(found):
        assert one.number == n + 1
        assert duty.start < one.as_of <= one.due_at <= until
        assert one.as_of.astimezone(CHINA).time() == time(0)
        assert one.due_at.astimezone(CHINA).time() == duty.due
        assert one.due_at - found[0].due_at == timedelta(days=duty.every_days * n)
    assert days // duty.every_days - 1 <= len(found) <= days // duty.every_days + 1


@given(DUTIES, st.integers(-2, 60))
@settings(max_examples=60)
def test_the_next_occurrence_is_the_first_one_after(duty: FollowUpDuty, days: int) -> None:
    after = duty.start + timedelta(days=days)
    ahead = occurrences(duty, duty.start + timedelta(days=90))
    expected = next(one for one in ahead if one.due_at > after)
    assert next_occurrence(duty, after) == expected


def test_a_verified_report_is_due_at_the_end_of_the_last_working_day() -> None:
    # stable on Friday 2018-09-28; Saturday and Sunday are make-up days, then the October holiday
    stable = beijing(2018, 9, 28, 16)
    assert COUNTY.due_verified("county", stable, CALENDAR) == beijing(2018, 10, 1)
    assert COUNTY.due_verified("city", stable, CALENDAR) == beijing(2018, 10, 9)
    assert COUNTY.due_verified("township", stable, CALENDAR) == beijing(2018, 10, 1)


def test_without_an_adopted_limit_a_verified_report_has_no_due_time() -> None:
    assert NATION.due_verified("county", beijing(2018, 7, 4), CALENDAR) is None


def test_ten_dead_and_missing_go_to_province_and_ministry_at_once() -> None:
    grave = {"dead": Decimal(7), "missing": Decimal(3)}
    assert NATION.recipients("county", grave) == ("province", "nation")
    assert NATION.recipients("county", {"dead": Decimal(9), "missing": None}) == ()
    assert NATION.recipients("township", grave) == ()
    assert COUNTY.recipients("county", {"dead": Decimal(1)}) == ("province",)
    assert COUNTY.recipients("county", grave) == ("province", "nation")


def test_working_days_skip_holidays_and_take_make_up_days() -> None:
    assert not CALENDAR.is_working(date(2018, 2, 16))
    assert CALENDAR.is_working(date(2018, 2, 24)), "a worked Saturday"
    assert CALENDAR.add(date(2018, 2, 14), 1) == date(2018, 2, 22)
    assert CALENDAR.add(date(2018, 2, 14), 2) == date(2018, 2, 23)
    assert CALENDAR.add(date(2018, 2, 14), 0) == date(2018, 2, 14)
    assert CALENDAR.covers(2018) and not CALENDAR.covers(2027)
    assert not CALENDAR.is_working(date(2027, 1, 2)), "a Saturday"
    assert CALENDAR.is_working(date(2027, 1, 1)), "a year not adopted has plain weekends only"


@given(st.dates(date(2016, 6, 1), date(2027, 6, 1)), st.integers(1, 30))
@settings(max_examples=60)
def test_the_nth_working_day_is_a_working_day_with_n_in_between(day: date, n: int) -> None:
    last = CALENDAR.add(day, n)
    assert CALENDAR.is_working(last)
    walked = [day + timedelta(days=k) for k in range(1, (last - day).days + 1)]
    assert sum(map(CALENDAR.is_working, walked)) == n


def test_spring_festivals_are_those_of_the_lunar_calendar() -> None:
    from lunar_python import Lunar  # type: ignore[import-untyped]

    for year in range(2017, 2031):
        expected = Lunar.fromYmd(year, 1, 1).getSolar().toYmd()
        assert str(CALENDAR.spring_festival(year)) == expected
        day = CALENDAR.spring_festival(year)
        assert day is not None
        assert not (CALENDAR.covers(year) and CALENDAR.is_working(day))
    assert CALENDAR.spring_festival(2031) is None
