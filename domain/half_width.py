"""Full-width digits, letters and marks in their half-width form, and nothing else changed into
a digit: 10² is not 102, nor ① a 1, nor ½ 1/2."""

import unicodedata


def half_width(text: str) -> str:
    """
    >>> half_width("１２（人）"), half_width("10²"), half_width("①")
    ('12(人)', '10²', '①')
    """
    if text.isascii():
        return text
    return "".join(
        one if unicodedata.category(one) == "No" else unicodedata.normalize("NFKC", one)
        for one in text
    )
