"""A household moves to another county: what is offered, named and answered by the two of them.

The county it lives in offers, the one it goes to accepts within the days of the rulebook, else
the offer has run out. The household stays on the stream of its birth.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

import msgspec

from domain.refusal import Refusal
from domain.world import Sealed


class OpenCase(msgspec.Struct, frozen=True):
    """A relief case that goes on in the old county, and what it still promises."""

    case: UUID
    stage: str
    cash_fen: int
    goods: dict[str, int]


class MoveOffer(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where to, until when it may be accepted, and what the new county is told of.

    ``address`` is sealed; ``card`` the masked number of the card that payments go to.
    """

    village: UUID
    group: str
    address: Sealed | None
    due_at: datetime
    cases: tuple[OpenCase, ...]
    card: str | None
    group_code: str = ""


class MoveEnd(StrEnum):
    DECLINED = "declined"  # the new county does not take it
    WITHDRAWN = "withdrawn"  # the old county takes the offer back


@dataclass(eq=False)
class NoMoveOffered(Refusal):
    zh: ClassVar[str] = "{head}户没有待接收的跨县迁移"
    en: ClassVar[str] = "No move of the household of {head} waits for an answer."
    household: UUID
    head: str


@dataclass(eq=False)
class MoveAlreadyOffered(Refusal):
    zh: ClassVar[str] = "{head}户的跨县迁移正等待对方答复，请先撤回"
    en: ClassVar[str] = "A move of the household of {head} waits for an answer: withdraw it first."
    household: UUID
    head: str


@dataclass(eq=False)
class MoveOfferExpired(Refusal):
    """The days are over: the old county offers again, with what is open then."""

    zh: ClassVar[str] = "{head}户的跨县迁移已过期未接收，须由迁出县重新发起"
    en: ClassVar[str] = (
        "The offer to move the household of {head} has run out: the county it lives in offers anew."
    )
    household: UUID
    head: str
    due_at: datetime


@dataclass(eq=False)
class OpenCasesLeftOut(Refusal):
    """The new county is told of every case that is still open where the household comes from."""

    zh: ClassVar[str] = "{head}户还有 {count} 件未结救助没有列入迁移：请一并列出，由迁入县知悉"
    en: ClassVar[str] = (
        "{count} open relief {count:case|cases} of the household of {head} {count:is|are} not "
        "named in the offer: name {count:it|them}, so that the new county knows of "
        "{count:it|them}."
    )
    household: UUID
    head: str
    count: int
    cases: tuple[UUID, ...]


@dataclass(eq=False)
class SameCounty(Refusal):
    """Within one county a household is moved in one step."""

    zh: ClassVar[str] = "{head}户迁入地在同一县内，请直接办理迁移"
    en: ClassVar[str] = "The household of {head} stays in its county: move it in one step."
    household: UUID
    head: str
