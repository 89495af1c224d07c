"""Codes of counties and cities that went out of use before a store knew them: 340824 is 340882.

A store tells the changes that were recorded in it (`areas.former_codes`). What happened before, in
the last decades, comes with the program (`projections/data/SOURCES.md`); what such a code
means for townships and villages is `projections.asking.child_codes`.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

PACKED = Path(__file__).resolve().parents[1] / "data" / "former-codes.csv"
DIGITS = 6


@dataclass(frozen=True, slots=True)
class OldCode:
    """A code until a year, and what has become of it. ``document_no`` "" where it is not known."""

    code: str
    name: str
    until: int
    now: str
    name_now: str
    document_no: str

    @property
    def zh(self) -> str:
        source = f"（{self.document_no}）" if self.document_no else ""
        return (
            f"区划代码 {self.code} {self.name} 自 {self.until} 年起已停用{source}，"
            f"现为 {self.now} {self.name_now}"
        )

    @property
    def en(self) -> str:
        source = f" ({self.document_no})" if self.document_no else ""
        return (
            f"Code {self.code} of {self.name} went out of use in {self.until}{source}: "
            f"it is {self.now} {self.name_now} now."
        )


@cache
def _known() -> dict[str, OldCode]:
    rows = (line.split(",") for line in PACKED.read_text(encoding="utf-8").splitlines())
    return {
        code: OldCode(code, name, int(until), now, name_now, document)
        for code, name, until, now, name_now, document in rows
    }


@cache
def _by_now() -> dict[str, tuple[OldCode, ...]]:
    found: dict[str, list[OldCode]] = {}
    for one in _known().values():
        found.setdefault(one.now, []).append(one)
    return {now: tuple(some) for now, some in found.items()}


def old_code(code: str) -> OldCode | None:
    """What a code out of use means: of 6 digits, or filled up with zeros to 9 or 12."""
    if len(code) not in (DIGITS, 9, 12) or code[DIGITS:].strip("0"):
        return None
    return _known().get(code[:DIGITS])


def earlier_codes(code: str) -> tuple[OldCode, ...]:
    """The codes out of use that this county or city had, the oldest first."""
    return tuple(sorted(_by_now().get(code, ()), key=lambda one: (one.until, one.code)))
