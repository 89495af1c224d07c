"""The rulebook files of the project, parsed once for the tests."""

from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from domain.rules.loading import RulebookFile, parse_rulebook

ROOT = Path(__file__).parents[2]
R = TypeVar("R")


@cache
def all_files() -> tuple[RulebookFile, ...]:
    paths = sorted((ROOT / "rules").rglob("*.toml"))
    return tuple(parse_rulebook(str(p.relative_to(ROOT)), p.read_text()) for p in paths)


def rule(kind: type[R], area: str = "nation", version: str | None = None) -> R:
    """The typed content of the newest file of that kind and area (or of that version)."""
    found: Any = None
    for book in sorted(all_files(), key=lambda book: book.valid_from):
        if isinstance(book.typed, kind) and book.area_code == area:
            found = book.typed if version in (None, book.version) else found
    assert found is not None, (kind, area, version)
    return found  # type: ignore[no-any-return]
