"""The desk for rulebooks: national files at the start, local versions ever after.

The administrator adopts, an approver of the area or above it confirms: two persons.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any, ClassVar
from uuid import UUID

from domain.area import Area, check_text
from domain.refusal import Refusal, refusal_of
from domain.report_filing import Hands
from domain.rulebook import Edition, NothingToConfirm, Rulebook
from domain.rules.loading import (
    RulebookInvalid,
    Status,
    check_content,
    located,
    parse_rulebook,
)
from domain.separation import separate
from domain.world import About, Command, Result, Role, World

RULEBOOK = About("rulebooks", Rulebook, "rulebook")
CONFIRMERS = frozenset({Role.COUNTY_APPROVER, Role.CITY_REVIEWER, Role.PROVINCE_REVIEWER})


@dataclass(frozen=True, slots=True, kw_only=True)
class AdoptRulebook(Command):
    """Adopt a version of a kind of rules for an area and all below it.

    What a person adopts always waits to be confirmed. What the system itself adopts, as a store is
    made, waits where it says ``unconfirmed``. ``status``: what the rules say of themselves:
    compared with their document, still to be compared, or an example. It decides nothing.
    """

    roles: ClassVar[frozenset[Role]] = frozenset({Role.SYSTEM, Role.ADMINISTRATOR})
    area: UUID
    kind: str
    version: str
    document_no: str
    valid_from: date
    valid_to: date | None = None
    content: dict[str, Any]
    unconfirmed: bool = False
    status: Status = "verify"

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
        book.adopt(
            self.version,
            self.document_no,
            self.valid_from,
            self.valid_to,
            self.content,
            waits=self.unconfirmed or world.actor.role is not Role.SYSTEM,
            hands=world.actor.persons,
            status=self.status,
        )
        return {"rulebook": id}


@dataclass(frozen=True, slots=True, kw_only=True)
class AdoptRulebookFile(Command):
    """Adopt the rules of a TOML text, checked as the files that come with the program.

    ``area`` is where they are adopted, whatever area the text names.
    """

    roles: ClassVar[frozenset[Role]] = AdoptRulebook.roles
    area: UUID
    toml: str

    def scope(self, world: World) -> UUID:
        return self.area

    def decide(self, world: World) -> Result | None:
        try:
            book = parse_rulebook("TOML", self.toml)
        except RulebookInvalid as wrong:
            raise located(wrong, self.toml) from wrong
        adopt = AdoptRulebook(
            area=self.area,
            kind=book.kind,
            version=book.version,
            document_no=book.document_no,
            valid_from=book.valid_from,
            valid_to=book.valid_to,
            content=book.content,
            status=book.status,
        )
        return adopt.decide(world)


def _second(world: World, book: Rulebook, edition: Edition) -> Hands:
    """The persons who confirm it: others than those who adopted it."""
    return separate(world, book.id, {"adopt": edition.hands}, "confirm")


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmRulebook(Command):
    """Confirm an adopted version after comparing it with its document. Never by who adopted it.

    ``document_no``: the paper on which it was decided.
    """

    roles: ClassVar[frozenset[Role]] = CONFIRMERS
    about: ClassVar[About] = RULEBOOK
    rulebook: UUID
    version: str
    document_no: str

    @classmethod
    def closed(cls, world: World, subject: Rulebook) -> Refusal | None:
        """Every version that waits was adopted by the very person who asks, or none waits."""
        if not subject.unconfirmed:
            return NothingToConfirm(rulebook=subject.id, kind=subject.kind)
        met = [refusal_of(_second, world, subject, one) for one in subject.unconfirmed]
        return met[-1] if all(met) else None

    def decide(self, world: World) -> Result | None:
        check_text("document_no", self.document_no)
        book = world.get(Rulebook, self.rulebook)
        edition = book.waiting(self.version)
        hands = _second(world, book, edition)
        actor = world.actor.officer
        book.confirm(self.version, self.document_no.strip(), actor, world.now, hands)
        return {"rulebook": book.id}
