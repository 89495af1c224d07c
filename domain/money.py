"""Money 救灾资金 as values: where it comes from, and how a fund says no. Integer fen everywhere."""

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, NamedTuple
from uuid import UUID

from domain.refusal import Refusal


class Source(StrEnum):
    """Whose budget the money came from. DONATION is social money: the donor's wish holds."""

    NATION = "nation"
    PROVINCE = "province"
    CITY = "city"
    COUNTY = "county"
    DONATION = "donation"


@dataclass(eq=False)
class FundOverdrawn(Refusal):
    zh: ClassVar[str] = (
        "资金（{document_no}）可用余额 {available_fen}，本次要用 {wanted_fen}，余额不够"
    )
    en: ClassVar[str] = (
        "{wanted_fen} of fund {document_no} were asked for; only {available_fen} are free."
    )
    fund: UUID
    document_no: str
    wanted_fen: int
    available_fen: int


@dataclass(eq=False)
class FundEmpty(Refusal):
    """Nothing of it is left: all is committed, paid, passed down or given back."""

    zh: ClassVar[str] = "资金（{document_no}）没有结余：已全部承诺、发放、下拨或退回"
    en: ClassVar[str] = "Nothing is left of fund {document_no}."
    fund: UUID
    document_no: str


@dataclass(eq=False)
class NothingToReturn(Refusal):
    """No money came from above that has not gone back."""

    zh: ClassVar[str] = "资金（{document_no}）没有上级下达、尚未退回的款"
    en: ClassVar[str] = "No money that came from above is still in fund {document_no}."
    fund: UUID
    document_no: str


class Passed(NamedTuple):
    """Money that went from one fund to another and has not come back, in fen, and the matching
    share (配套) in it."""

    amount_fen: int = 0
    matching_fen: int = 0

    def plus(self, amount_fen: int, matching_fen: int) -> "Passed":
        return Passed(self.amount_fen + amount_fen, self.matching_fen + matching_fen)

    def share_of(self, amount_fen: int) -> int:
        """The matching share in a part of it, in proportion; in all of it, all."""
        return self.matching_fen * amount_fen // self.amount_fen if self.amount_fen else 0


@dataclass(eq=False)
class MatchingShareKept(Refusal):
    """More ordinary money is given back than came: then the matching share must go back too."""

    zh: ClassVar[str] = (
        "资金（{document_no}）本次退回 {wanted_fen}，其中配套列了 {matching_fen}，"
        "至少应列 {least_fen}：下达的其他资金不够退其余部分"
    )
    en: ClassVar[str] = (
        "{matching_fen} of the {wanted_fen} given back of fund {document_no} were named as "
        "matching share; at least {least_fen} must be: less other money came from there than the "
        "rest."
    )
    fund: UUID
    document_no: str
    wanted_fen: int
    matching_fen: int
    least_fen: int


@dataclass(eq=False)
class MatchingShareExceeded(Refusal):
    """More matching money (配套) was named than the fund holds."""

    zh: ClassVar[str] = (
        "本次列配套 {wanted_fen}，资金（{document_no}）中的配套现有 {matching_fen}，配套不够"
    )
    en: ClassVar[str] = (
        "{wanted_fen} were named as matching share; fund {document_no} holds {matching_fen} of "
        "matching money now."
    )
    fund: UUID
    document_no: str
    wanted_fen: int
    matching_fen: int


@dataclass(eq=False)
class MatchingShareOverSum(Refusal):
    """The matching share (配套) is a part of the sum: it was named as more than the whole."""

    zh: ClassVar[str] = (
        "资金（{document_no}）本次金额 {amount_fen}，其中配套列了 {wanted_fen}：配套不能多于金额"
    )
    en: ClassVar[str] = (
        "{wanted_fen} of {amount_fen} (fund {document_no}) were named as matching share: a part "
        "cannot be more than the whole."
    )
    fund: UUID
    document_no: str
    wanted_fen: int
    amount_fen: int


@dataclass(eq=False)
class MatchingShareNotFromThere(Refusal):
    """More matching money is given back than that fund passed down and has not got back."""

    zh: ClassVar[str] = (
        "资金（{document_no}）本次退回列配套 {wanted_fen}，"
        "该上级下达的配套尚未退回 {matching_fen}：不能多退"
    )
    en: ClassVar[str] = (
        "{wanted_fen} were named as matching share of what fund {document_no} gives back; only "
        "{matching_fen} came from there and have not gone back."
    )
    fund: UUID
    document_no: str
    wanted_fen: int
    matching_fen: int


@dataclass(eq=False)
class EarmarkViolated(Refusal):
    """专款专用: this money is for other programmes (财建〔2020〕245号, domain.md §2.1)."""

    zh: ClassVar[str] = "资金（{document_no}）专用于 {earmark}，不得用于 {programme}"
    en: ClassVar[str] = "Fund {document_no} is earmarked for {earmark}, not for {programme}."
    fund: UUID
    document_no: str
    earmark: str
    programme: str


@dataclass(eq=False)
class AlreadyCommitted(Refusal):
    zh: ClassVar[str] = "资金 {fund} 已登记安排 {commitment}"
    en: ClassVar[str] = "Fund {fund} has commitment {commitment} already."
    fund: UUID
    commitment: UUID


@dataclass(eq=False)
class CommitmentExhausted(Refusal):
    """Nothing, or not enough, is left under that commitment."""

    zh: ClassVar[str] = "安排 {commitment} 还剩 {committed_fen}，本次要用 {wanted_fen}，不够"
    en: ClassVar[str] = (
        "{wanted_fen} of commitment {commitment} were asked for; only {committed_fen} are left."
    )
    fund: UUID
    commitment: UUID
    wanted_fen: int
    committed_fen: int


@dataclass(eq=False)
class AlreadyPaid(Refusal):
    zh: ClassVar[str] = "付款批次 {payment} 已经支付"
    en: ClassVar[str] = "Payment batch {payment} was paid already."
    fund: UUID
    payment: UUID


@dataclass(eq=False)
class PaymentExceeded(Refusal):
    """More failed or came back than was paid in that batch (0 if there is no such batch)."""

    zh: ClassVar[str] = "付款批次 {payment} 现有已付 {paid_fen}，本次要退 {wanted_fen}，多于已付"
    en: ClassVar[str] = (
        "{wanted_fen} of payment batch {payment} are said to have come back; only {paid_fen} of it "
        "stand as paid."
    )
    fund: UUID
    payment: UUID
    wanted_fen: int
    paid_fen: int


@dataclass(eq=False)
class NotPassedDownFrom(Refusal):
    """Money goes back to the fund it came from, and no more than came from there."""

    zh: ClassVar[str] = (
        "资金 {fund} 本次退回 {wanted_fen}，"
        "上级资金 {parent} 下达后尚未退回的只有 {net_fen}：不能多退"
    )
    en: ClassVar[str] = (
        "{wanted_fen} were to go back from fund {fund}; only {net_fen} came from the higher fund "
        "({parent}) and have not gone back."
    )
    fund: UUID
    parent: UUID
    wanted_fen: int
    net_fen: int


@dataclass(eq=False)
class HolderNotBelow(Refusal):
    """Money is passed down to a division below its holder."""

    zh: ClassVar[str] = "区划 {to} 不是资金 {fund} 持有方 {holder} 的下级"
    en: ClassVar[str] = "Area {to} does not lie below area {holder}, the holder of fund {fund}."
    fund: UUID
    holder: UUID
    to: UUID
