"""The past of the boards: what it takes to keep, how large it is, and how long questions take.

The demo county, folded once as the live views are and once as versions of rows, side by side; then
questions of a county, a province and a household at random moments of the past, each also asked of
the live views: the same query on the same rows.
"""

import random
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select

from bench.base import Reach, Result, machine, median
from bench.demo_store import existing_or_built
from eventstore.sqlite import SQLiteLog
from projections.areas import AREAS
from projections.asking.ledger_books import household
from projections.asking.ledger_sums import ledger_totals
from projections.asking.scope import Scope
from projections.asking.situation_board import situation_board
from projections.asking.stock_books import stockpiles
from projections.catalog import VIEWS
from projections.folding.engine import ViewsDatabase
from projections.folding.past import KNOWN_AT, PastReader, PastViews
from projections.folding.reader import ViewsReader
from projections.households import HOUSEHOLDS

BATCH = 512
QUESTIONS = 60
Asked = Callable[[Connection], Any]


def _folded(views: ViewsDatabase, log: SQLiteLog) -> float:
    """Seconds of processor time until the views hold all facts."""
    began, at = time.process_time(), 0
    while rows := log.rows(at, BATCH):
        views.apply_frame(0, at, rows[-1][0], rows)
        at = rows[-1][0]
    return time.process_time() - began


def _size(path: Path) -> int:
    return path.stat().st_size


def _questions(now: ViewsReader) -> dict[str, list[Asked]]:
    """By kind: of a county, of the province above it, and of single households."""
    with now() as db:
        areas = db.execute(select(AREAS.c.id, AREAS.c.level)).all()
        homes = [UUID(id) for id in db.execute(select(HOUSEHOLDS.c.id)).scalars()]
    of = {level: [UUID(id) for id, at in areas if at == level] for level in ("county", "province")}
    chosen = random.Random(1).sample(homes, min(len(homes), QUESTIONS))
    found: dict[str, list[Asked]] = {
        level: [
            ask
            for area in of[level][:3]
            for scope in [Scope((area,))]
            for ask in (
                lambda db, scope=scope: situation_board(db, scope.on(db)),
                lambda db, scope=scope: ledger_totals(db, scope.on(db), year=2017),
                lambda db, scope=scope: stockpiles(db, scope.on(db)),
            )
        ]
        for level in of
    }
    everywhere = Scope(None)
    found["household"] = [
        lambda db, id=id: household(db, everywhere, household=id)  # type: ignore[misc]
        for id in chosen
    ]
    return found


def _timed(reader: ViewsReader, asked: list[Asked], moments: list[int]) -> list[float]:
    """Milliseconds of each question, each at a moment of its own."""
    took = []
    for n in range(QUESTIONS):
        KNOWN_AT.set(moments[n % len(moments)])
        began = time.perf_counter()
        with reader() as db:
            asked[n % len(asked)](db)
        took.append((time.perf_counter() - began) * 1000)
    return sorted(took)


def run(*, tiny: bool = False) -> Result:
    about = machine()
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
        here = Path(scratch)
        log = SQLiteLog(existing_or_built(here, small=tiny) / "log.sqlite")
        head = log.head()
        live = ViewsDatabase(here / "live.sqlite", VIEWS)
        past = PastViews(here / "past.sqlite", VIEWS)
        seconds = {"live": _folded(live, log), "past": _folded(past, log)}
        for views in (live, past):
            views.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            views.close()
        log.close()
        now, then = ViewsReader(here / "live.sqlite"), PastReader(here / "past.sqlite")
        moments = [random.Random(n).randint(head // 2, head) for n in range(QUESTIONS)]
        figures: dict[str, float] = {
            "facts": head,
            "us_a_fact_live": round(seconds["live"] / head * 1e6),
            "us_a_fact_past": round(seconds["past"] / head * 1e6),
            "bytes_a_fact_live": round(_size(here / "live.sqlite") / head),
            "bytes_a_fact_past": round(_size(here / "past.sqlite") / head),
        }
        ratios = {
            "past_over_live_bytes": figures["bytes_a_fact_past"] / figures["bytes_a_fact_live"]
        }
        for kind, asked in _questions(now).items():
            of_then = _timed(then, asked, moments)
            of_now = _timed(now, asked, moments)
            figures[f"{kind}_p95_ms"] = round(of_then[int(QUESTIONS * 0.95)], 1)
            ratios[f"{kind}_over_now"] = round(median(of_then) / median(of_now), 2)
        now.close()
        then.close()
    reaches = {name: Reach(at_most=5) for name in ratios}
    return Result("asof", figures, ratios, about, reaches)
