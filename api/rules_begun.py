"""Rulebooks of a store that begins: the national ones in force from birth, and a region's."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import TypedDict
from uuid import UUID

from domain.commands.rulebooks import AdoptRulebook
from domain.refusal import Malformed
from domain.rulebook import Edition, Rulebook
from domain.rules.base import china_day
from domain.rules.loading import TYPES, RulebookFile, parse_rulebook
from eventstore import national
from eventstore.store import Store

REGIONS = national.FOLDER / "regional"
UNCONFIRMED = (b'"verify":true', b'"example":true')
"""How the content of a rulebook marks what somebody still has to compare with its document."""
EXAMPLE = "example"


class InForceNow(TypedDict):
    """A rulebook in force. ``confirmed``: nothing in it is marked as example or to be verified."""

    kind: str
    version: str
    document_no: str
    confirmed: bool


def rulebooks_in_force(store: Store, line: Sequence[UUID], at: datetime) -> list[InForceNow]:
    """By kind, as a decision would find it: the nearest area's first, then the national one."""
    found = []
    for kind in sorted(TYPES):
        edition = next(iter(_editions(store, line, kind, at)), None)
        if edition is not None:
            found.append(_told(edition))
    return found


def _editions(store: Store, line: Sequence[UUID], kind: str, at: datetime) -> Iterator[Edition]:
    day = china_day(at)
    for area in line:
        book = store.load(Rulebook.id_of(area, kind))
        if isinstance(book, Rulebook):
            yield from (one for one in reversed(book.editions) if one.covers(day))
    if kind not in national.ADOPTED_ONLY:
        yield from (one for one in reversed(national.editions(kind)) if one.covers(day))


def _told(edition: Edition) -> InForceNow:
    ref = edition.ref
    sure = not ref.version.startswith(EXAMPLE)
    return {
        "kind": ref.kind,
        "version": ref.version,
        "document_no": ref.document_no,
        "confirmed": sure and not any(mark in edition.content for mark in UNCONFIRMED),
    }


def region_of(name: str) -> list[RulebookFile]:
    """The rulebooks of a folder of ``rules/regional``. `Malformed` if there is no such folder."""
    folders = {folder.name: folder for folder in REGIONS.iterdir() if folder.is_dir()}
    if name not in folders:
        known = "、".join(sorted(folders))
        raise Malformed(
            field="regional", value=name, rule_zh=f"可选：{known}", rule_en=f"one of {known}"
        )
    return [_read(path) for path in sorted(folders[name].glob("*.toml"))]


def adoption(book: RulebookFile, area: UUID) -> AdoptRulebook:
    """The command that adopts a file's rules for an area."""
    return AdoptRulebook(
        area=area,
        kind=book.kind,
        version=book.version,
        document_no=book.document_no,
        valid_from=book.valid_from,
        valid_to=book.valid_to,
        content=book.content,
    )


def _read(path: Path) -> RulebookFile:
    return parse_rulebook(path.name, path.read_text(encoding="utf-8"))
