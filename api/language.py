"""Which of the two languages a reader wants: what they chose, else what their browser says."""

from typing import Final, Literal

from fastapi import Request

Language = Literal["zh", "en"]
LANGUAGES: Final[tuple[Language, ...]] = ("zh", "en")
DEFAULT: Final[Language] = "zh"
LANGUAGE_COOKIE: Final = "lang"
MOST_NAMED: Final = 20
"""So many languages of a header are looked at; a browser names a few."""


def as_language(text: str | None) -> Language | None:
    """The language a cookie or a query names, or None if it is none of ours."""
    return next((one for one in LANGUAGES if text == one), None)


def preferred(header: str) -> Language | None:
    """The first of our languages by what an ``Accept-Language`` says, or None if it names none.

    >>> preferred("en-US,en;q=0.9"), preferred("fr;q=0.9, en;q=0.1, zh-TW;q=0.5"), preferred("fr")
    ('en', 'zh', None)
    """
    found: list[tuple[float, Language]] = []
    for named in header.split(",")[:MOST_NAMED]:
        tag, _, weight = named.partition(";")
        language = as_language(tag.strip().split("-")[0].lower())
        if language is not None and (wanted := _weight(weight)) > 0:
            found.append((wanted, language))
    return max(found, key=lambda one: one[0])[1] if found else None


def _weight(text: str) -> float:
    """``q=0.8``; what says nothing, or nothing that can be read, is wanted most."""
    _, _, number = text.strip().partition("=")
    try:
        return min(max(float(number), 0.0), 1.0) if number else 1.0
    except ValueError:
        return 1.0


def language_of(request: Request) -> Language:
    """What ``?lang=`` says, else the cookie, else what the browser wants, else Chinese."""
    asked = as_language(request.query_params.get(LANGUAGE_COOKIE))
    chosen = asked or as_language(request.cookies.get(LANGUAGE_COOKIE))
    return chosen or preferred(request.headers.get("accept-language", "")) or DEFAULT
