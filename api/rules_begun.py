"""Rulebooks of a store that begins: the national ones in force from birth, and a region's."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TypedDict, cast
from uuid import UUID

from domain.commands.rulebooks import AdoptRulebook
from domain.refusal import Malformed
from domain.rulebook import Rulebook
from domain.rules.loading import TYPES, RulebookFile, parse_rulebook
from eventstore import national
from eventstore.deciding import edition_of
from eventstore.store import Store

REGIONS = national.FOLDER / "regional"


class InForceNow(TypedDict):
    """A rulebook in force. ``confirmed``: it was compared with its document."""

    kind: str
    version: str
    document_no: str
    confirmed: bool


def rulebooks_in_force(store: Store, line: Sequence[UUID], at: datetime) -> list[InForceNow]:
    """By kind, as a decision would find it: the nearest area's first, then the national one."""
    found: list[InForceNow] = []
    for kind in sorted(TYPES):
        books = [book for area in line if (book := store.load(Rulebook.id_of(area, kind)))]
        place = edition_of(cast(list[Rulebook], books), kind, at)
        if place is not None:
            ref, confirmed = place.edition.ref, place.edition.confirmed
            found.append(
                {
                    "kind": kind,
                    "version": ref.version,
                    "document_no": ref.document_no,
                    "confirmed": confirmed,
                }
            )
    return found


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
    """The command that adopts a file's rules for an area: an example waits to be confirmed."""
    return AdoptRulebook(
        area=area,
        kind=book.kind,
        version=book.version,
        document_no=book.document_no,
        valid_from=book.valid_from,
        valid_to=book.valid_to,
        content=book.content,
        unconfirmed=book.status != "confirmed",
        status=book.status,
    )


def _read(path: Path) -> RulebookFile:
    return parse_rulebook(path.name, path.read_text(encoding="utf-8"))
