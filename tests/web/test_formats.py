"""Figures and times as people of the field write them."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from web.formats import Formats, iso, mask
from web.i18n import catalog
from web.parts import day_of

ZH = Formats(catalog("zh"))
EN = Formats(catalog("en"))
AFTERNOON = datetime(2018, 7, 3, 6, 5, 12, tzinfo=UTC)


def test_fen_become_yuan_with_two_decimals() -> None:
    assert ZH.fen(374_000_000) == "3,740,000.00\u00a0元"
    assert EN.fen(374_000_000) == "¥3,740,000.00"
    assert ZH.fen(5) == "0.05\u00a0元"
    assert EN.fen(-105) == "-¥1.05"
    assert ZH.fen(9_007_199_254_740_993) == "90,071,992,547,409.93\u00a0元"


def test_null_is_not_zero() -> None:
    assert ZH.number(None) == ZH.fen(None) == ZH.when(None) == ZH.day(None) == "—"
    assert ZH.number(0) == "0"
    assert ZH.fen(0) == "0.00\u00a0元"


def test_numbers_are_grouped_and_decimals_keep_their_places() -> None:
    assert ZH.number(16_366) == "16,366"
    assert ZH.number(Decimal("1234.50")) == "1,234.50"
    assert ZH.number(Decimal("1E+3")) == "1,000"


def test_times_are_shown_in_china_time() -> None:
    assert ZH.when(AFTERNOON) == EN.when(AFTERNOON) == "2018-07-03 14:05"
    assert ZH.clock(AFTERNOON) == "14:05:12"
    late = datetime(2018, 7, 3, 16, 30, tzinfo=UTC)
    assert ZH.day(late) == "2018年7月4日"
    assert EN.day(date(2018, 7, 4)) == "4 Jul 2018"
    assert iso(AFTERNOON) == "2018-07-03T06:05:12Z"


def test_the_day_of_a_stored_moment_is_chinas() -> None:
    """Views keep moments in UTC: ten minutes to one in the morning is still yesterday there."""
    assert day_of("2026-11-29T16:50:00.123456Z") == date(2026, 11, 30)
    assert day_of("2026-11-29T15:50:00+00:00") == date(2026, 11, 29)
    assert day_of("2026-11-29") == date(2026, 11, 29)
    assert day_of(None) is None and day_of("") is None


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="without a zone"):
        ZH.when(AFTERNOON.replace(tzinfo=None))


@pytest.mark.parametrize(
    ("seconds", "zh", "en"),
    [
        (12, "12 秒", "12 s"),
        (125, "2 分钟", "2 min"),
        (7_500, "2 小时 5 分", "2 h 5 min"),
        (-7_500, "2 小时 5 分", "2 h 5 min"),
        (93_600, "1 天 2 小时", "1 d 2 h"),
    ],
)
def test_a_span_is_told_in_its_two_largest_units(seconds: int, zh: str, en: str) -> None:
    assert ZH.lasting(timedelta(seconds=seconds)) == zh
    assert EN.lasting(timedelta(seconds=seconds)) == en


def test_names_are_masked_the_same_way_everywhere() -> None:
    assert [mask(name) for name in ("张三", "张小三", "欧阳小三", "张", "")] == [
        "张*",
        "张*三",
        "欧**三",
        "*",
        "",
    ]
