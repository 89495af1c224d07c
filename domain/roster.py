"""Roster 名册 as values: stages of a village list, minutes of a 村评, its refusals."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

import msgspec

from domain.refusal import Refusal

Hands = tuple[UUID, ...]


class ListStage(StrEnum):
    DRAFT = "draft"
    REVIEWED = "reviewed"  # 乡审
    APPROVED = "approved"  # 县定
    ALLOCATED = "allocated"
    CLOSED = "closed"


class Minutes(msgspec.Struct, frozen=True):
    """Record of the 民主评议: the day, how many came, and the paper's SHA-256."""

    held_on: date
    attendees: int
    document_sha256: str


@dataclass(eq=False)
class WrongListStage(Refusal):
    zh: ClassVar[str] = "名册 {village_list} 处于“{stage}”阶段，此步骤需要“{needed}”"
    en: ClassVar[str] = (
        "List {village_list} is at stage “{stage}”; this step is taken at “{needed}”."
    )
    village_list: UUID
    stage: str
    needed: str


@dataclass(eq=False)
class EmptyList(Refusal):
    zh: ClassVar[str] = "名册 {village_list} 没有救助对象"
    en: ClassVar[str] = "There is no household on list {village_list}."
    village_list: UUID


@dataclass(eq=False)
class MinutesMissing(Refusal):
    zh: ClassVar[str] = "名册 {village_list} 没有本次村民代表民主评议记录"
    en: ClassVar[str] = "The minutes of the village's appraisal meeting are missing."
    village_list: UUID


@dataclass(eq=False)
class NotOnList(Refusal):
    zh: ClassVar[str] = "救助对象 {case} 不在名册 {village_list} 上"
    en: ClassVar[str] = "Case {case} is not on list {village_list}."
    village_list: UUID
    case: UUID
