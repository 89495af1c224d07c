"""Marks that nobody sees: two names that differ in one of them look alike on every screen.

They come along when a text is copied from a page or a chat. By Unicode's categories: format marks
(Cf: zero-width spaces and joiners, marks of direction, soft hyphens, byte order marks, tags), and
what is empty though it counts as a letter or an accent (fillers, selectors of variants).
Chinese and Latin letters need none. Two scripts do: in Arabic a joiner between two letters shapes
them, in Mongolian a selector or separator behind a letter does.
"""

import re
import unicodedata

_EMPTY = re.compile(
    r"[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\uffa0\ufe00-\ufe0f"
    r"\U000e0100-\U000e01ef]"
)
"""Those that Unicode does not call format marks."""
_JOINERS = "\u200c\u200d"
_SHAPE_MONGOLIAN = "\u180b\u180c\u180d\u180e\u180f"
_MONGOLIAN = re.compile(r"[\u1820-\u18aa]")


def hides_something(text: str) -> bool:
    """Whether there is a mark in it that nobody sees and its script does not need.

    >>> hides_something("王\\u200b小"), hides_something("می\\u200cخواهم"), hides_something("王小")
    (True, False, False)
    """
    if text.isprintable() and _EMPTY.search(text) is None:
        return False
    return any(
        (unicodedata.category(one) == "Cf" or _EMPTY.match(one) is not None)
        and not _needed(text[at - 1 : at], one, text[at + 1 : at + 2])
        for at, one in enumerate(text)
    )


def _needed(before: str, mark: str, after: str) -> bool:
    if mark in _JOINERS:
        return _is_arabic(before) and _is_arabic(after)
    return mark in _SHAPE_MONGOLIAN and _MONGOLIAN.match(before) is not None


def _is_arabic(letter: str) -> bool:
    return bool(letter) and unicodedata.bidirectional(letter) == "AL"
