"""What people ask of the boards, timed on tables of any size: first pages, totals, lists."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from inspect import signature
from typing import Any
from uuid import UUID

from bench.base import median
from projections.asking.deadlines_at import deadlines
from projections.asking.fund_books import funds
from projections.asking.ledger_books import ledger
from projections.asking.ledger_sums import ledger_by_area, ledger_totals
from projections.asking.officer_lists import officers
from projections.asking.scope import Scope
from projections.asking.situation_board import situation_board
from projections.asking.stock_books import stockpiles
from projections.dispatch import dispatch_board
from projections.findings import finding_counts
from projections.folding.reader import ViewsReader
from projections.households import households
from projections.reviews import review_queue

TIMES = 5
AT = datetime(2018, 12, 1, tzinfo=UTC)
"""What is overdue is asked as of a day of the city's winter."""

QUESTIONS: dict[str, Callable[..., Any]] = {
    "situation": situation_board,
    "dispatch": dispatch_board,
    "stock": stockpiles,
    "funds": funds,
    "households": households,
    "ledger": lambda db, scope: ledger(db, scope, programme="winter_spring"),
    "ledger_totals": ledger_totals,
    "ledger_by_area": ledger_by_area,
    "deadlines": deadlines,
    "reviews": review_queue,
    "officers": officers,
    "findings": finding_counts,
}


def asked(views_url: str, area: UUID, times: int = TIMES) -> dict[str, float]:
    """The median ms of each question about an area and all below it, asked once before."""
    reader = ViewsReader(views_url)
    scope = Scope((area,))
    found = {}
    try:
        for name, question in QUESTIONS.items():
            took = []
            given = {"at": AT} if "at" in signature(question).parameters else {}
            for _ in range(times + 1):
                with reader() as db:
                    began = time.perf_counter()
                    question(db, scope, **given)
                    took.append(1000 * (time.perf_counter() - began))
            found[name] = round(median(took[1:]), 1)
    finally:
        reader.close()
    return found
