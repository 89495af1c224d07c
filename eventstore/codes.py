"""Codes that people read from paper and type."""

import secrets
import unicodedata

ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
"""32 signs: without 0, O, 1 and I, which look alike on paper."""
GROUP = 4


def made(length: int) -> str:
    """A new code of so many signs, five random bits each."""
    return "".join(secrets.choice(ALPHABET) for _ in range(length))


def plain(code: str) -> str:
    """What was typed, as the code was made: without spaces and dashes, in capital letters.

    A keyboard for Chinese types letters and digits of full width: they are the same signs.
    """
    return "".join(sign for sign in unicodedata.normalize("NFKC", code).upper() if sign.isalnum())


def grouped(code: str) -> str:
    """For people: K7QD-3M9X-PLRT-W2ZB."""
    return "-".join(code[at : at + GROUP] for at in range(0, len(code), GROUP))
