"""A command with every kind of field that a form is derived from, and its form."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from domain.ids import NewId
from web.acting import Act
from web.asking import Asker
from web.forms.form import Form, Matter, Option
from web.i18n import catalog

HERE = UUID("11111111-1111-4111-8111-111111111111")
LOT = UUID("22222222-2222-4222-8222-222222222222")


class Severity(StrEnum):
    SEVERE = "severe"
    MINOR = "minor"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    item: str
    quantity: int
    unit_value_fen: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    lot: UUID
    good: int
    damaged: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    number: str
    bank: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Everything:
    consignment: NewId
    destination: UUID
    lines: tuple[Line, ...]
    counts: tuple[Count, ...]
    kinds: tuple[Severity, ...] = ()
    severity: Severity
    arrived_at: datetime
    needed_by: date | None = None
    amount_fen: int
    card: Card | None = None
    resident: bool = False
    reason: str
    exercise: bool = False


def act(now: datetime, lot: UUID = LOT) -> Act:
    """Its form as a page draws it, with a row for one lot."""
    words = {"kinds": "dispatch.severity_", "severity": "dispatch.severity_"}
    form = Form(words=words, heads={"counts": "lot"})
    desk: Any = SimpleNamespace(now=now)
    matter = Matter(desk, catalog("zh").t, "zh", "", None, "", {})
    options = {
        "destination": [Option(str(HERE), "潜山市仓库", "", "潜山市")],
        "lines.item": [Option("quilt", "棉被"), Option("coat", "棉衣")],
        "counts.lot": [Option(str(lot), "棉被")],
    }
    begun = {"counts": [{"lot": lot, "good": 300}]}
    asks = Asker(form, matter, options, begun).asks(Everything, ())
    return Act("Everything", "assign_unit", "everything", "", "", "/reports", asks, next="/acting")
