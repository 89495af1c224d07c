"""One version of a situation report, as it was filed."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import takewhile
from typing import Any
from uuid import UUID

import msgspec

from domain.base import Created
from domain.officer import Officer
from domain.rules.indicators import Figures, Finding
from domain.world import RuleRef

Hands = tuple[UUID, ...]
"""The persons who count as having done a step."""


LIKELY_SAME = timedelta(hours=1)
"""Two reports of one area on one hazard that lie no further apart: filed twice, it seems."""


class Kind(StrEnum):
    """The stage a version belongs to."""

    INITIAL = "initial"  # 初报
    FOLLOW_UP = "follow_up"  # 续报
    ZERO = "zero"  # 零报告
    VERIFIED = "verified"  # 核报


class Review(StrEnum):
    """What the level above has said of the current version."""

    PENDING = "pending"  # 未审
    ACCEPTED = "accepted"
    ISSUED = "issued"  # 签发, by the seat of the store: nobody is in post above it
    RETURNED = "returned"  # 退回
    WITHDRAWN = "withdrawn"  # 已撤回: the whole report is void


class Filing(msgspec.Struct, frozen=True, omit_defaults=True):
    """One version. Figures: null = not known yet, which is not zero.

    ``as_of`` 截至 and ``reported_at`` are two of the four times (``occurred_at`` is the report's,
    ``recorded_at`` the log's). ``due_at`` is when this version was due, None if nothing asked for
    it; ``late_minutes`` says by how much it missed that. ``duty_number`` is the occurrence of the
    follow-up duty it answers, ``also_to`` the levels that must be told at the same time, ``flags``
    the rules its figures break, ``jumps`` the big changes since the figures before, which want a
    ``reason``. ``after_verified``: it opens a report whose 核报 had been accepted. ``phoned``:
    taken down by telephone, to be made up; ``caller`` is the officer who rang. ``split`` holds the
    figures of the areas below. ``hands`` are all persons who count as reporter: of a call first who
    took it down, then the caller; the caller first, if one person counts in both.
    """

    number: int
    kind: Kind
    as_of: datetime
    reported_at: datetime
    figures: Figures
    schema_version: str
    rules: tuple[RuleRef, ...]
    hands: tuple[UUID, ...]
    split: dict[UUID, Figures] = {}
    flags: tuple[Finding, ...] = ()
    jumps: tuple[Finding, ...] = ()
    reason: str = ""
    narrative: str = ""
    due_at: datetime | None = None
    late_minutes: int = 0
    duty_number: int | None = None
    also_to: tuple[str, ...] = ()
    after_verified: bool = False
    phoned: bool = False
    caller: UUID | None = None

    @property
    def scribes(self) -> tuple[UUID, ...]:
        """Who took a call down: of ``hands`` those before the officer who rang, by whose person
        the officer's id is made. Those behind are the persons whom that officer counts as besides,
        and reported with them."""
        if not self.phoned:
            return ()
        return tuple(takewhile(lambda one: Officer.id_of(one) != self.caller, self.hands))

    @property
    def wants_reason(self) -> tuple[str, ...]:
        """The indicators whose jump nobody has explained yet."""
        if self.reason.strip():
            return ()
        return tuple(key for jump in self.jumps for key in jump.keys)


OFFICIAL = frozenset({Review.ACCEPTED, Review.ISSUED})
"""What official figures may use."""


class HandedUp(msgspec.Struct, frozen=True):
    """上报: an issued version was handed to the level above, outside this ledger."""

    at: datetime
    receipt_no: str


class Decided(msgspec.Struct, frozen=True):
    """核定: figures that the level above decided, in place of those of versions ``through`` that
    number."""

    through: int
    figures: Figures


class FirstFact(Created):
    """What both first facts of a report say; ``area_code`` is that of the day of occurrence."""

    area: UUID
    area_code: str
    occurred_at: datetime
    hazard: str
    sub_hazard: str
    exercise: bool
    filed: Filing


def sentences(findings: tuple[Finding, ...]) -> tuple[str, str]:
    """What the findings say, in Chinese and English."""
    return "；".join(f.zh for f in findings), " ".join(f.en for f in findings)


def is_about_parts(finding: Finding) -> bool:
    """Whether it compares a version with the parts of its area, which go on reporting."""
    return finding.rule.startswith(("below-parts-", "part-", "parts-"))


def recounted(rows: Mapping[str, int], change: Mapping[str, int]) -> dict[str, int]:
    """Counts of rosters after adding ``change`` to them."""
    found = dict(rows)
    for name, by in change.items():
        found[name] = found.get(name, 0) + by
        assert found[name] >= 0, name
    return found


def owed_by_every_level(state: dict[str, Any]) -> None:
    """Before rulebooks said who owes follow-ups, a level without a limit had that above it."""
    state["owed"] = True
