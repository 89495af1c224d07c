"""What an ``Accept-Language`` says, hostile ones too."""

import pytest

from api.language import MOST_NAMED, preferred


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", None),
        ("en", "en"),
        ("en-US,en;q=0.9", "en"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("fr;q=0.9, en;q=0.1, zh-TW;q=0.5", "zh"),
        ("en;q=0, zh;q=0.1", "zh"),
        ("en;q=0", None),
        ("EN-gb", "en"),
        ("en;q=much", "en"),
        ("english", None),
        ("*", None),
        (";;,=,", None),
        (",".join(["fr"] * (MOST_NAMED - 1)) + ",en", "en"),
        (",".join(["fr"] * MOST_NAMED) + ",en", None),
    ],
)
def test_the_first_of_our_languages_counts(header: str, language: str | None) -> None:
    assert preferred(header) == language
