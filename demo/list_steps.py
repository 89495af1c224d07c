"""The plan's vocabulary for the season: a village's list, step by step (see `steps`)."""

from dataclasses import dataclass
from datetime import date

from demo.steps import Step

Refusals = tuple[tuple[str, str], ...]
"""Household keys, each with the reason why it is not to be helped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenSeason(Step):
    division: str
    year: int
    document_no: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseSeason(Step):
    division: str
    year: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ListStep(Step):
    """``list`` is the key of a `ListPlan`."""

    list: str


class OpenList(ListStep):
    """The village opens its list of this round."""

    __slots__ = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Apply(ListStep):
    """户报: these households of the list apply."""

    households: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Appraise(ListStep):
    """村评: the villagers' meeting with its minutes: who comes on the list, who does not."""

    held_on: date
    attendance: int
    accepted: tuple[str, ...]
    refused: Refusals


@dataclass(frozen=True, slots=True, kw_only=True)
class PostNotice(ListStep):
    """公示: the first (the list) or the second (the amounts)."""

    notice: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseNotice(ListStep):
    notice: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Object(ListStep):
    """异议. ``kind`` is "against", "omitted" (why am I not on it?) or "amount"."""

    objection: str
    kind: str
    household: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SettleObjection(ListStep):
    """Upheld: ``added`` comes on the list, or ``struck`` goes off it."""

    objection: str
    upheld: bool
    text: str
    added: str | None = None
    struck: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnList(ListStep):
    """退回: the township sends the list back for a correction."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewList(ListStep):
    """乡审: all but ``refused`` pass."""

    refused: Refusals


@dataclass(frozen=True, slots=True, kw_only=True)
class ApproveList(ListStep):
    """县定: all but ``refused`` are approved as in need, by document."""

    document_no: str
    refused: Refusals


@dataclass(frozen=True, slots=True, kw_only=True)
class Allocate(ListStep):
    """Cash and goods of each household (the amounts stand in the plan), by document."""

    document_no: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PayList(ListStep):
    """一卡通: the whole list. The bank sends some back at once (``failing``)."""

    document_no: str
    failing: tuple[str, ...]
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentFailed(Step):
    """The bank sends a payment back some days later."""

    household: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPayment(Step):
    household: str
    document_no: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SignGoods(ListStep):
    """The households with goods sign for them."""

    households: tuple[str, ...]


class CloseList(ListStep):
    """All of the list is paid and signed for."""

    __slots__ = ()
