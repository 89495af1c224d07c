"""What a command may see while it decides: a port. The event store and the tests implement it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar, Generic, NamedTuple, Protocol, TypeVar
from uuid import UUID

import msgspec

from domain.base import Aggregate
from domain.lateness import Counting, HeldTime

if TYPE_CHECKING:
    from domain.refusal import Refusal  # which says roles as this file names them

A = TypeVar("A", bound=Aggregate)
R = TypeVar("R")


class Role(StrEnum):
    """Posts of the field. An administrator has no business right; SYSTEM is never a person."""

    VILLAGE_REPORTER = "village_reporter"  # 村（社区）灾害信息员，A/B 岗
    TOWNSHIP_REVIEWER = "township_reviewer"  # 乡镇审核
    COUNTY_APPROVER = "county_approver"  # 县级审定
    COUNTY_PAYER = "county_payer"  # 县级发放
    STOREKEEPER = "storekeeper"  # 库管
    DISPATCHER = "dispatcher"  # 应急调度
    CITY_REVIEWER = "city_reviewer"
    PROVINCE_REVIEWER = "province_reviewer"
    AUDITOR = "auditor"
    ADMINISTRATOR = "administrator"
    SYSTEM = "system"  # bootstrap and timekeeper


ROLE_NAMES: dict[Role, tuple[str, str]] = {
    Role.VILLAGE_REPORTER: ("村（社区）灾害信息员", "Village reporter"),
    Role.TOWNSHIP_REVIEWER: ("乡镇审核员", "Township reviewer"),
    Role.COUNTY_APPROVER: ("县级审定员", "County approver"),
    Role.COUNTY_PAYER: ("县级发放员", "County payer"),
    Role.STOREKEEPER: ("库管员", "Storekeeper"),
    Role.DISPATCHER: ("应急调度员", "Dispatcher"),
    Role.CITY_REVIEWER: ("市级审核员", "City reviewer"),
    Role.PROVINCE_REVIEWER: ("省级审核员", "Province reviewer"),
    Role.AUDITOR: ("审计员", "Auditor"),
    Role.ADMINISTRATOR: ("系统管理员", "Administrator"),
    Role.SYSTEM: ("系统", "System"),
}
"""What people call a post, in Chinese and English: sentences name it so, facts by its key."""


class Sealed(msgspec.Struct, frozen=True):
    """Personal data under the key of one person: AES-256-GCM, bound to stream and field.

    ``box`` is nonce + ciphertext. Without the person's key in the vault it is noise.
    """

    person: UUID
    box: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """An officer acting in one of their posts.

    ``persons`` are all natural persons who count as having done it: the officer, whoever
    the officer stands in for, and whoever handed their matters over to the officer.
    """

    officer: UUID
    role: Role
    area: UUID | None
    post: str = ""  # "A", "B" or ""
    standing_for: UUID | None = None
    persons: tuple[UUID, ...] = ()


class RuleRef(msgspec.Struct, frozen=True, omit_defaults=True):
    """Which rulebook version a decision used: recorded in the events it led to.

    ``unconfirmed``: nobody had compared it with its document yet (decision 0055).
    ``plain_weekends``: working days of a year whose calendar nobody had adopted were counted as
    plain weekends, for a time that this decision set (decision 0068).
    """

    kind: str
    version: str
    document_no: str
    unconfirmed: bool = False
    plain_weekends: bool = False


@dataclass(frozen=True, slots=True)
class InForce(Generic[R]):
    """A rulebook's typed content as it was in force, and its reference.

    ``nearest``: none was in force on that day; this one's validity lies nearest to it.
    """

    rule: R
    ref: RuleRef
    nearest: bool = False


class Vault(Protocol):
    """Keys and the erasable index of personal data, kept apart from the log."""

    def person_for(self, id_number: str, instead_of: UUID | None = None) -> UUID:
        """The person of this ID number: the known random id, or a new one.

        Ask `domain.commands.sealing.person_of`, which gives an erased person's number a new one.
        """

    def is_fresh(self, person: UUID) -> bool:
        """Whether the person was made just now: no fact can tell of them yet."""

    def is_person(self, id: UUID) -> bool:
        """Whether this is the id of a person with an ID number: nothing else may stand on it."""

    def new_person(self) -> UUID:
        """A random id for a person without an ID number (a child, a lost card)."""

    def seal(self, person: UUID, stream: UUID, field: str, text: str) -> Sealed:
        """Seal text under the person's key, bound to stream and field name."""

    def unseal(self, sealed: Sealed, stream: UUID, field: str) -> str | None:
        """The text, or None when the person's key has been destroyed."""


class World(Protocol):
    """The state of the log as of this commit, for one command by one actor."""

    actor: Actor
    now: datetime
    command_id: UUID
    held: HeldTime
    """The time that does not count. While the machine's clock is held ``now`` goes on from the last
    good time; nobody is told that they were late by it, and nothing runs out (decision 0057)."""

    cases: tuple[UUID, ...]
    """The relief cases of the household that the command wants them of (`wants_cases_of`)."""

    officers: tuple[UUID, ...]
    """Whoever may be in post in the area that the command asks about (`wants_posts_in`)."""

    villages: tuple[UUID, ...]
    """The villages without a list in the season that the command asks about
    (`wants_unlisted_in`)."""

    @property
    def vault(self) -> Vault: ...

    @property
    def clock_held(self) -> bool:
        """Whether ``now`` was read from a clock that is held."""

    @property
    def counting(self) -> Counting:
        """Now, for what runs out by time alone."""

    @property
    def born(self) -> str:
        """The birth mark of the store, by which it is found as `domain.store.Store`; "": none."""

    @property
    def training(self) -> bool:
        """Whether the store is a training store: nothing in it is in earnest."""

    def get(self, kind: type[A], id: UUID) -> A:
        """The aggregate, or `NotFound`."""

    def find(self, kind: type[A], id: UUID) -> A | None:
        """The aggregate, or None."""

    def look(self, kind: type[A], id: UUID) -> A | None:
        """The aggregate for looking at only: this command decides nothing on it."""

    def add(self, aggregate: A) -> A:
        """Take a new aggregate into this commit. `AlreadyExists` if its stream has begun."""

    def rules(self, kind: type[R], area: UUID, at: datetime) -> InForce[R]:
        """The rulebook of that kind in force in that area at that time (nearest area wins).

        Without one of the areas above, the national one that comes with the program; on a day that
        none covers, the nearest (decision 0028). `NotFound` only for kinds that need adoption.
        """

    def lineage(self, area: UUID) -> tuple[UUID, ...]:
        """The area, its parent, … up to the root."""

    def make_id(self, *parts: object) -> UUID:
        """A uuid5 of this command and the parts: the same when the command is repeated."""


Result = dict[str, Any]


class About(NamedTuple):
    """What a command is about.

    ``kind``: as addresses say it, "village-lists"; ``field``: the command's field with its id.
    """

    kind: str
    of: type[Aggregate]
    field: str


class Command:
    """A wish, with everything it needs: ids and times of the field arrive in it.

    Subclasses are ``@dataclass(frozen=True, slots=True, kw_only=True)``. ``roles`` may do it, in
    the area that ``scope`` names or above it (an officer's area must be that area or one over it).
    ``decide`` changes aggregates of the world and answers ids and figures worth knowing.
    """

    __slots__ = ()
    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}
    roles: ClassVar[frozenset[Role]] = frozenset()
    about: ClassVar[About | None] = None
    """What it is a step of. None: it begins something, or belongs to no page of a thing."""
    idle_reason_refused: ClassVar[bool] = True
    """Whether a reason that says nothing stops it (`domain.reasons`)."""
    empty_list_refused: ClassVar[bool] = True
    """Whether a list without rows stops it (`domain.rows`)."""

    @classmethod
    def lies_in(cls, world: World, subject: Any) -> UUID | None:
        """The area whose jurisdiction governs it; None where another field says which."""
        home: UUID = subject.home
        return home

    @classmethod
    def closed(cls, world: World, subject: Any) -> "Refusal | None":
        """Why this actor may not do it to its subject as it is now, whatever else is said; None if
        it is open. What is missing in a form is no reason. It is asked before `decide`, which need
        not ask again (decision 0070)."""
        return None

    @classmethod
    def path_fields(cls, subject: Any) -> dict[str, object]:
        """Which part of its subject it would be about now, by the field that names it where its
        path does so too: the version of a report that is open to review."""
        return {}

    def scope(self, world: World) -> UUID:
        """The area whose jurisdiction governs this command. May raise `NotFound`."""
        assert self.about is not None, "it says itself where it belongs"
        area = self.lies_in(world, world.get(self.about.of, getattr(self, self.about.field)))
        assert area is not None, "it says itself where it belongs"
        return area

    def wants_cases_of(self) -> UUID | None:
        """The household whose relief cases it must be told. A household's stream does not know
        them: they are looked up before it is decided, whoever sends it."""
        return None

    def wants_posts_in(self) -> UUID | None:
        """The area of which it must be told who may be in post there. An area's stream does not
        know them: they are looked up before it is decided, and looked at as it is."""
        return None

    def wants_unlisted_in(self) -> UUID | None:
        """The season of which it must be told which villages never opened a list in it. A season's
        stream knows those that did."""
        return None

    def decide(self, world: World) -> Result | None:
        """Check and trigger. Raises a `Refusal`; then nothing of this command is kept."""
        raise NotImplementedError
