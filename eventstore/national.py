"""The national rulebooks that come with the program: in force from the birth of every store.

What an area adopts goes before them. They are read once; a decision names the version it used,
as of any rulebook (decision 0028).
"""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from domain.rulebook import Edition
from domain.rules.loading import NATION, RulebookFile, parse_rulebook
from domain.rules.standards import Standards
from domain.rules.thresholds import Thresholds
from domain.telling import KINDS, RULES, STATES
from domain.world import Role, RuleRef

FOLDER = Path(__file__).resolve().parent.parent / "rules"
EXAMPLES = FOLDER / "examples"
"""Texts that an administrator may begin from. They are in force nowhere, not even in a drill."""
ADOPTED_ONLY = frozenset({Standards.KIND, Thresholds.KIND})
"""Money and response levels: without a table of one's own, or on a day before it, there is none."""


@cache
def editions(kind: str) -> tuple[Edition, ...]:
    """The national versions of a kind, the oldest first."""
    found = []
    for path in sorted(FOLDER.glob("*.toml")):
        book = parse_rulebook(path.name, path.read_text(encoding="utf-8"))
        if (book.kind, book.area_code) == (kind, NATION):
            ref = RuleRef(book.kind, book.version, book.document_no)
            content = msgspec.json.encode(book.content)
            waits = book.status != "confirmed"
            found.append(
                Edition(ref, book.valid_from, book.valid_to, content, waits, status=book.status)
            )
    return tuple(sorted(found, key=lambda edition: edition.valid_from))


@cache
def example(kind: str) -> RulebookFile | None:
    """The example text of a kind that comes with the program, where there is one."""
    for path in sorted(EXAMPLES.glob("*.toml")):
        book = parse_rulebook(path.name, path.read_text(encoding="utf-8"))
        if book.kind == kind:
            return book
    return None


@cache
def known_keys() -> frozenset[str]:
    """Every key of the program and of the national rulebooks: words that are no person's name."""
    books = (
        parse_rulebook(path.name, path.read_text(encoding="utf-8"))
        for path in FOLDER.glob("*.toml")
    )
    found = {key for book in books for key in _keys_in(book.content)}
    return frozenset(found | STATES.keys() | KINDS.keys() | RULES.keys() | set(Role))


def _keys_in(content: Any) -> Iterator[str]:
    if isinstance(content, dict):
        for name, value in content.items():
            if name == "key":
                yield value
            else:
                yield from _keys_in(value)
    elif isinstance(content, list | tuple):
        for value in content:
            yield from _keys_in(value)
