"""The plan's vocabulary: what happens, when, and by whom, in plain values.

A step knows divisions by their code of 2023, officers, households, lists, consignments and
disasters by the plan's own keys. ``key`` is unique in a plan and the same in every run, so the
driver can derive command ids from it. ``at`` is China time; ``by`` None is the system itself.
"""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from demo.divisions import Division
from demo.people import Member


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    key: str
    at: datetime
    by: str | None


# divisions, rules, officers


@dataclass(frozen=True, slots=True, kw_only=True)
class EstablishDivisions(Step):
    """All divisions of the demo, parents first, with the codes and names of that day."""

    divisions: tuple[Division, ...]
    established_on: date
    document_no: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeCodes(Step):
    """The county becomes a city: new codes for it and all below it, and its new name."""

    divisions: tuple[Division, ...]
    effective_on: date
    document_no: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AdoptRules(Step):
    """Every national rulebook of ``rules/`` at the root, and the demo's own for the county."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AppointOfficer(Step):
    """``role`` is the value of a `domain.world.Role`; ``post`` is "A", "B" or ""."""

    officer: str
    login: str
    person: Member
    phone: str
    role: str
    division: str
    post: str
    certificate_no: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NameSubstitute(Step):
    """``substitute`` stands in for ``officer`` from one day to another (both included)."""

    officer: str
    substitute: str
    first_day: date
    last_day: date
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HandOver(Step):
    officer: str
    successor: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SuspendOfficer(Step):
    officer: str
    reason: str


# money


@dataclass(frozen=True, slots=True, kw_only=True)
class Appropriate(Step):
    """Money enters at ``holder`` under ``document_no``. ``source`` is a level, as in `Source`."""

    document_no: str
    holder: str
    source: str
    source_document_no: str
    amount_yuan: int
    matching: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PassDown(Step):
    """Money goes one level down, under a document of its own there."""

    document_no: str
    holder: str
    to_document_no: str
    to_holder: str
    amount_yuan: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnMoney(Step):
    """What is left goes back up to where it came from."""

    document_no: str
    holder: str
    to_document_no: str
    to_holder: str
    amount_yuan: int
    letter_no: str
    reason: str


# goods


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiveLot(Step):
    """``item`` is "quilt" or "coat"."""

    depot: str
    item: str
    quantity: int
    unit_value_yuan: int
    document_no: str
    owner: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestGoods(Step):
    """``consignment`` names it from here on; one item a consignment."""

    consignment: str
    origin: str
    target: str
    item: str
    quantity: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderGoods(Step):
    consignment: str
    document_no: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ShipGoods(Step):
    consignment: str
    vehicle: str
    driver: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ArriveGoods(Step):
    """good + damaged + missing is what was shipped."""

    consignment: str
    good: int
    damaged: int
    missing: int
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteOffDamaged(Step):
    """The units of a consignment that arrived damaged are struck, by document."""

    consignment: str
    document_no: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseConsignment(Step):
    consignment: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Recount(Step):
    """The oldest lot is found ``difference`` units above (or below) its book figure."""

    depot: str
    item: str
    difference: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteOff(Step):
    depot: str
    item: str
    quantity: int
    document_no: str
    reason: str


# households


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterHouseholds(Step):
    """A village's reporter registers these households of the plan."""

    village: str
    households: tuple[str, ...]


class Change(StrEnum):
    """What happens in a household after the season's grants."""

    BORN = "born"
    DIED = "died"
    LEFT = "left"
    MOVED = "moved"
    IDENTIFIED = "identified"  # registered under a wrong ID number
    CATEGORIZED = "categorized"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeHousehold(Step):
    """``member`` is an index into the family; ``person`` is who is born, or the right identity.

    ``village`` is where it moves to, ``category`` its new kind.
    """

    household: str
    change: Change
    on: date
    reason: str
    member: int = -1
    person: Member | None = None
    village: str = ""
    category: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterTwice(Step):
    """The same household is entered a second time (``copy``) under its second member's name."""

    household: str
    copy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeHouseholds(Step):
    copy: str
    into: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordCard(Step):
    household: str
    card_no: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolveContest(Step):
    """The person both claim stays with ``keep``; ``loser`` loses it."""

    keep: str
    loser: str
    document_no: str
    reason: str
