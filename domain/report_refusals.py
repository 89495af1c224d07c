"""How a situation report says no: one class a rule."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from domain.refusal import Refusal
from domain.report_filing import Filing, is_about_parts, sentences
from domain.rules.indicators import Finding


@dataclass(eq=False)
class AlreadyReviewed(Refusal):
    zh = "报告（{report}）第{number}版已经审核（{review}）"
    en = "Version {number} of report ({report}) has been reviewed already ({review})."
    report: UUID
    number: int
    review: str


@dataclass(eq=False)
class DutyRuns(Refusal):
    zh = "报告（{report}）的续报（零报告）要求正在执行"
    en = "Report ({report}) is under its follow-up duty already."
    report: UUID


@dataclass(eq=False)
class NoDutyRuns(Refusal):
    """A zero report answers the daily duty; once the situation is stable nobody asks for one."""

    zh = "报告（{report}）的灾情已稳定，不需要零报告"
    en = "The situation of report ({report}) is stable: no zero report is asked for."
    report: UUID


@dataclass(eq=False)
class OutsideReport(Refusal):
    """A roster row lies in the area of its report."""

    zh = "区划 {area} 不在报告（{report}）的范围内"
    en = "Area {area} is not within report ({report})."
    report: UUID
    area: UUID


@dataclass(eq=False)
class NothingReturned(Refusal):
    zh = "报告（{report}）的现行版本（第{number}版）没有被退回，请用续报"
    en = "Version {number} of report ({report}) was not returned; file a follow-up instead."
    report: UUID
    number: int


@dataclass(eq=False)
class ReturnedFiguresRepeated(Refusal):
    """A zero report says "no change": there is nothing to repeat after a return."""

    zh = "报告（{report}）第{number}版已被退回，不能作零报告，请修改后重新报送"
    en = "Version {number} of report ({report}) was returned: correct it instead of a zero report."
    report: UUID
    number: int


@dataclass(eq=False)
class NothingToMakeUp(Refusal):
    zh = "报告（{report}）没有待补报的电话报告"
    en = "Report ({report}) has no phoned-in version that is to be made up."
    report: UUID


@dataclass(eq=False)
class AsOfGoesBack(Refusal):
    zh = "截至时间 {as_of} 早于第{number}版的截至时间 {current}"
    en = "As of {as_of} lies before version {number}, which is as of {current}."
    report: UUID
    number: int
    as_of: datetime
    current: datetime


@dataclass(eq=False)
class HappenedAfterReport(Refusal):
    zh = "发生时间不能晚于报告（{report}）的截至时间 {as_of}"
    en = "It cannot have happened after {as_of}, the time of report ({report})."
    report: UUID
    as_of: datetime


@dataclass(eq=False)
class NotStableYet(Refusal):
    """A 核报 follows a full survey after the situation has become stable."""

    zh = "报告（{report}）的灾情尚未宣布稳定，不能报送核报"
    en = "The situation of report ({report}) has not been declared stable; no verified report yet."
    report: UUID


@dataclass(eq=False)
class AlreadyStable(Refusal):
    zh = "报告（{report}）的灾情已于 {stable_at} 稳定"
    en = "The situation of report ({report}) has been stable since {stable_at}."
    report: UUID
    stable_at: datetime


@dataclass(eq=False)
class CorrectionNeedsReason(Refusal):
    zh = "报告（{report}）的核报（第{number}版）已审定，更正必须说明理由"
    en = "Verified version {number} of report ({report}) is accepted: say why to correct it."
    report: UUID
    number: int


@dataclass(eq=False)
class VerifiedReportHasErrors(Refusal):
    """All broken rules at once. A 初报 or 续报 is only flagged for the same."""

    zh = "核报（{report}第{number}版）有错误，不能通过：{sentences_zh}"
    en = "Verified version {number} of report ({report}) has errors: {sentences_en}"
    report: UUID
    number: int
    rules: tuple[str, ...]
    sentences_zh: str
    sentences_en: str


@dataclass(eq=False)
class JumpNeedsReason(Refusal):
    zh = "报告（{report}）第{number}版须先说明原因：{sentences_zh}"
    en = "Version {number} of report ({report}) wants a reason first: {sentences_en}"
    report: UUID
    number: int
    indicators: tuple[str, ...]
    sentences_zh: str
    sentences_en: str


@dataclass(eq=False)
class NoJumpToExplain(Refusal):
    zh = "报告（{report}）第{number}版没有需要说明原因的指标变化"
    en = "Version {number} of report ({report}) has no jump that wants a reason."
    report: UUID
    number: int


@dataclass(eq=False)
class RosterMismatch(Refusal):
    zh = "核报（{report}第{number}版）与台账不一致：{sentences_zh}"
    en = "Verified version {number} of report ({report}) differs from its rosters: {sentences_en}"
    report: UUID
    number: int
    indicators: tuple[str, ...]
    sentences_zh: str
    sentences_en: str


@dataclass(eq=False)
class AdjudicationBreaksRules(Refusal):
    """Adjudicated figures, put over the reported ones, must add up."""

    zh = "核定数据与报告（{report}）的其余数据不符：{sentences_zh}"
    en = "The adjudicated figures of report ({report}) do not add up: {sentences_en}"
    report: UUID
    rules: tuple[str, ...]
    sentences_zh: str
    sentences_en: str


@dataclass(eq=False)
class AlreadyOnRoster(Refusal):
    """A person is counted once in one report (人 vs 人次, domain.md §1.6)."""

    zh = "此人已在报告（{report}）的台账中"
    en = "This person is on the roster of report ({report}) already."
    report: UUID
    record: UUID


@dataclass(eq=False)
class MaybeOnRoster(Refusal):
    """A row of the same name stands there, and no ID number tells the two apart: a question.

    Nothing is refused for good: who says ``another`` is believed, and the fact is theirs.
    """

    zh = "台账中已有同名的“{masked}”，没有身份证号可以区分。若是另一人（户），请确认后再登记"
    en = (
        "{masked} stands on the roster already, and no ID number tells the two apart: "
        "confirm that it is another."
    )
    report: UUID
    record: UUID
    masked: str


@dataclass(eq=False)
class AlreadyAttached(Refusal):
    zh = "报告（{report}）已挂接在灾害过程 {disaster} 上"
    en = "Report ({report}) is attached to disaster {disaster} already."
    report: UUID
    disaster: UUID


@dataclass(eq=False)
class NotAttached(Refusal):
    zh = "报告（{report}）没有挂接任何灾害过程"
    en = "Report ({report}) is not attached to any disaster."
    report: UUID


@dataclass(eq=False)
class NothingToSetAside(Refusal):
    """The decision is for an own figure that is known, and smaller than that of the parts."""

    zh = "第{number}版的死亡、失踪人数不少于下级合计，不需要认定以本级为准"
    en = "Dead and missing of version {number} are not below those of its parts: nothing to decide."
    report: UUID
    number: int


@dataclass(eq=False)
class PartsSayMore(Refusal):
    """Somebody below had more accepted than the person saw who decides to set it aside."""

    zh = "下级已审定的“{name_zh}”现为 {parts}，多于您所依据的 {seen}，请核对后再认定"
    en = "The parts have {parts} accepted as {name_en} by now, more than the {seen} you saw."
    report: UUID
    indicator: str
    name_zh: str
    name_en: str
    seen: Decimal
    parts: Decimal


@dataclass(eq=False)
class ReportWithdrawn(Refusal):
    zh = "该报告已撤回，不能再办理；如灾情属实请另报初报"
    en = "This report was withdrawn. If the harm is real, file an initial report anew."
    report: UUID


@dataclass(eq=False)
class AcceptedNotWithdrawn(Refusal):
    zh = "该报告第{number}版已被采用，不能自行撤回；请上级说明理由撤销，或用续报更正"
    en = (
        "Version {number} of this report is accepted: the level above can strike it with a reason,"
        " or correct it by a follow-up."
    )
    report: UUID
    number: int


@dataclass(eq=False)
class RostersHold(Refusal):
    """A report with people or houses on its rosters is not void."""

    zh = "该报告的台账上还有 {rows} 条记录，请先逐条撤销，再撤回报告"
    en = (
        "The rosters of this report hold {rows} {rows:row: withdraw it|rows: withdraw those} first."
    )
    report: UUID
    rows: int


@dataclass(eq=False)
class NotTheSeat(Refusal):
    """Only the report of the highest area in post is issued; all others have somebody above."""

    zh = "只有本账本所在地（有人在岗的最高一级）自己的报告才签发；其他报告由上一级审核"
    en = (
        "Only the own report of this ledger's seat, the highest area with somebody in post, is"
        " issued; the level above accepts any other report."
    )
    report: UUID


@dataclass(eq=False)
class IssuesOwnReport(Refusal):
    """Two persons: who filed the version, or wrote it down, does not issue it."""

    zh = (
        "本版由您（或您所代、所接替的人）填报或代记，不能由您签发：请本级另一名人员签发；"
        "本级只有一人在岗的，请管理员增加任命"
    )
    en = (
        "You, or somebody you stand in for, filed this version or wrote it down, so that you cannot"
        " issue it. Let another person of this level issue it; where there is only one, ask the"
        " administrator to appoint a second."
    )
    report: UUID
    officer: UUID


@dataclass(eq=False)
class AlreadyIssued(Refusal):
    zh = "报告（{report}）第{number}版已经签发"
    en = "Version {number} of report ({report}) has been issued already."
    report: UUID
    number: int


@dataclass(eq=False)
class NotIssuedYet(Refusal):
    """What goes up is the issued version."""

    zh = "报告（{report}）第{number}版尚未签发，不能登记上报"
    en = "Version {number} of report ({report}) is not issued: it cannot have been sent upward."
    report: UUID
    number: int


@dataclass(eq=False)
class AlreadySentUpward(Refusal):
    zh = "报告（{report}）第{number}版的上报（回执号 {receipt_no}）已经登记"
    en = "That version {number} of report ({report}) was sent upward is noted ({receipt_no})."
    report: UUID
    number: int
    receipt_no: str


@dataclass(eq=False)
class SentBeforeFiled(Refusal):
    zh = "上报时间不能早于该版的填报时间 {reported_at}"
    en = "It cannot have been sent upward before it was filed, at {reported_at}."
    report: UUID
    reported_at: datetime


def must_be_right(
    report: UUID, filed: Filing, gaps: tuple[Finding, ...], beside: tuple[Finding, ...]
) -> None:
    """Refuse a 核报 with an error, an unexplained jump, or another count than its rosters.

    ``beside``: how it differs from its parts now; what it was flagged for then is past.
    """
    own = tuple(flag for flag in filed.flags if not is_about_parts(flag))
    errors = tuple(flag for flag in own + beside if flag.severity == "error")
    if errors:
        zh, en = sentences(errors)
        rules = tuple(flag.rule for flag in errors)
        raise VerifiedReportHasErrors(
            report=report, number=filed.number, rules=rules, sentences_zh=zh, sentences_en=en
        )
    if filed.wants_reason:
        zh, en = sentences(filed.jumps)
        raise JumpNeedsReason(
            report=report,
            number=filed.number,
            indicators=filed.wants_reason,
            sentences_zh=zh,
            sentences_en=en,
        )
    if gaps:
        zh, en = sentences(gaps)
        indicators = tuple(key for gap in gaps for key in gap.keys)
        raise RosterMismatch(
            report=report,
            number=filed.number,
            indicators=indicators,
            sentences_zh=zh,
            sentences_en=en,
        )


def must_not_go_back(report: UUID, current: Filing, filed: Filing) -> None:
    """A version is as of the same minute as the one before, or of a later one.

    Forms and people say minutes: 18:35 is not before the 18:35:20 that a program has sent.
    """
    if filed.as_of < current.as_of.replace(second=0, microsecond=0):
        raise AsOfGoesBack(
            report=report, number=current.number, as_of=filed.as_of, current=current.as_of
        )


def must_add_up(report: UUID, broken: tuple[Finding, ...]) -> None:
    """Refuse adjudicated figures that break rules when put over the reported ones."""
    if broken:
        zh, en = sentences(broken)
        rules = tuple(flag.rule for flag in broken)
        raise AdjudicationBreaksRules(report=report, rules=rules, sentences_zh=zh, sentences_en=en)


def must_be_void(report: UUID, accepted: Filing | None, on_rosters: int) -> None:
    """Refuse to withdraw an accepted report (None: it does not matter), or one with rosters."""
    if accepted is not None:
        raise AcceptedNotWithdrawn(report=report, number=accepted.number)
    if on_rosters:
        raise RostersHold(report=report, rows=on_rosters)
