"""Made-up ID numbers, valid in form."""

from domain.identity import check_character


def id_number(sequence: int, born: str = "19650412", region: str = "340824") -> str:
    """Of a division and a birthday the one of that number, 0 to 999; an odd one is a man's."""
    first17 = f"{region}{born}{sequence:03d}"
    return first17 + check_character(first17)
