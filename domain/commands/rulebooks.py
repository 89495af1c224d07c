"""The desk for rulebooks: national files at the start, local versions ever after."""

from dataclasses import dataclass
from datetime import date
from typing import Any, ClassVar
from uuid import UUID

from domain.area import Area, check_text
from domain.rulebook import Rulebook
from domain.rules.loading import check_content
from domain.world import Command, Result, Role, World


@dataclass(frozen=True, slots=True, kw_only=True)
class AdoptRulebook(Command):
    """Adopt a version of a kind of rules for an area and all below it."""

    roles: ClassVar[frozenset[Role]] = frozenset({Role.SYSTEM, Role.ADMINISTRATOR})
    area: UUID
    kind: str
    version: str
    document_no: str
    valid_from: date
    valid_to: date | None = None
    content: dict[str, Any]

    def scope(self, world: World) -> UUID:
        return self.area

    def decide(self, world: World) -> Result | None:
        check_text("version", self.version)
        check_text("document_no", self.document_no)
        check_content(f"{self.kind} {self.version}", self.kind, self.content)
        world.get(Area, self.area).require_living()
        id = Rulebook.id_of(self.area, self.kind)
        book = world.find(Rulebook, id)
        if book is None:
            book = world.add(Rulebook(id=id, area=self.area, kind=self.kind))
        book.adopt(self.version, self.document_no, self.valid_from, self.valid_to, self.content)
        return {"rulebook": id}
