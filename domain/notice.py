"""Notice 公示: the two notices of a village list, objections to them, and how they say no.

A notice lasts its days by the server's clock; no step goes on over an open objection
(domain.md §2.2, §7.10).
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from domain.refusal import Refusal


class Notice(StrEnum):
    FIRST = "first"  # 救助对象公示: who
    SECOND = "second"  # 救助款物公示: how much


class ObjectionKind(StrEnum):
    AGAINST = "against"  # a listed household should not be there
    OMITTED = "omitted"  # why am I not on it?
    AMOUNT = "amount"


@dataclass(eq=False)
class NoticeNotPosted(Refusal):
    """The step needs a public notice that was not posted, was withdrawn early or made void."""

    zh: ClassVar[str] = "名册 {village_list} 尚未公示（{notice}），或内容变更后未重新公示"
    en: ClassVar[str] = "List {village_list} is not posted ({notice}), or not since it changed."
    village_list: UUID
    notice: str


@dataclass(eq=False)
class NoticeNotWanted(Refusal):
    """The programme goes on without this notice: nobody waits for it, and none is posted."""

    zh: ClassVar[str] = "本救助项目没有{notice}公示这一步，不用张榜，直接办理下一步"
    en: ClassVar[str] = "This programme has no {notice} notice: go on with the next step."
    village_list: UUID
    notice: str


@dataclass(eq=False)
class NoticeRunning(Refusal):
    zh: ClassVar[str] = "名册 {village_list} 的公示（{notice}）到 {ends_at} 才期满"
    en: ClassVar[str] = "The {notice} notice of list {village_list} runs until {ends_at}."
    village_list: UUID
    notice: str
    ends_at: datetime

    @property
    def opens_at(self) -> datetime:
        return self.ends_at


@dataclass(eq=False)
class NothingToShow(Refusal):
    """A second notice over amounts of which nothing is to go out any more."""

    zh: ClassVar[str] = (
        "名册 {village_list} 核定的款物已经全部发放或签领，不需要再公示；"
        "再分配款物后，才有新的第二榜公示"
    )
    en: ClassVar[str] = (
        "All that was granted on list {village_list} has been paid or signed for: there is "
        "nothing to post. A further allocation takes a second notice of its own."
    )
    village_list: UUID


@dataclass(eq=False)
class NoticeStands(Refusal):
    """The list was appraised again without a household more or less, while its notice counts:
    nothing would come of it but that the notice is void."""

    zh: ClassVar[str] = (
        "名册 {village_list} 已经公示，这次村评没有增减任何一户，公示照旧有效；"
        "要改其他内容的，先撤下公示，或者由乡镇退回"
    )
    en: ClassVar[str] = (
        "List {village_list} is posted and this appraisal puts no household on or off it: the "
        "notice stands. To change anything else, take the notice down or have the list returned."
    )
    village_list: UUID


@dataclass(eq=False)
class ObjectionsOpen(Refusal):
    zh: ClassVar[str] = "名册 {village_list} 还有 {count} 条异议未处理"
    en: ClassVar[str] = (
        "{count} {count:objection|objections} to list {village_list} {count:is|are} not settled."
    )
    village_list: UUID
    count: int


@dataclass(eq=False)
class NothingObjected(Refusal):
    """A text that could be shown is missing: nobody has objected to the list."""

    zh: ClassVar[str] = "名册 {village_list} 没有人提出过异议"
    en: ClassVar[str] = "Nobody has objected to list {village_list}."
    village_list: UUID


@dataclass(eq=False)
class NoObjectionOpen(Refusal):
    zh: ClassVar[str] = "名册 {village_list} 没有未处理的异议"
    en: ClassVar[str] = "No objection to list {village_list} is open."
    village_list: UUID


@dataclass(eq=False)
class NoSuchObjection(Refusal):
    zh: ClassVar[str] = "异议 {objection} 不存在或已处理"
    en: ClassVar[str] = "Objection {objection} does not exist or is settled already."
    village_list: UUID
    objection: UUID


@dataclass(eq=False)
class ObjectionRepeated(Refusal):
    zh: ClassVar[str] = "异议 {objection} 已经登记"
    en: ClassVar[str] = "Objection {objection} has been raised already."
    village_list: UUID
    objection: UUID
