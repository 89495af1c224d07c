"""Building the demo county through all its rules, against writing its facts raw.

Ours is `relief demo` from its start to the printed log-ins: the plan, every command with its
rules, sealing, the durable log and the folded views. Raw is one ``executemany`` of the finished
log's rows into an equal table with the same indexes, in batches of as many commands' facts,
one durable transaction.
"""

import sqlite3
import tempfile
import time
from pathlib import Path

from bench import demo_store
from bench.base import Reach, Result, machine, median, pairs, ratio
from eventstore.sqlite import TABLES, connect

Row = tuple[int, bytes, int, str, bytes]


def all_rows(log: Path) -> list[Row]:
    db = sqlite3.connect(log)
    rows = db.execute("SELECT * FROM events ORDER BY position").fetchall()
    db.close()
    return rows


def write_raw(rows: list[Row], path: Path) -> float:
    """Seconds to write the rows to a new file, durably."""
    db = connect(path)
    db.executescript(TABLES)
    began = time.perf_counter()
    db.execute("BEGIN IMMEDIATE")
    db.executemany("INSERT INTO events VALUES (?,?,?,?,?)", rows)
    db.execute("COMMIT")
    took = time.perf_counter() - began
    db.close()
    return took


def run(*, tiny: bool = False) -> Result:
    about = machine()
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        scratch = Path(name)
        rows: list[Row] = []

        def build(n: int) -> float:
            return demo_store.build(scratch / f"demo{n}", small=tiny)

        def raw(n: int) -> float:
            return write_raw(rows, scratch / f"raw{n}.sqlite")

        demo_store.build(scratch / "first", small=True)  # what is compiled once is compiled now
        first = build(-1)
        rows += all_rows(scratch / "demo-1" / "log.sqlite")
        mine, other = pairs(build, raw, 0 if tiny else 1)
        mine.append(first)
        other.append(raw(-1))
    return Result(
        "demo",
        {
            "facts": len(rows),
            "demo_seconds": round(median(mine), 2),
            "raw_seconds": round(median(other), 3),
        },
        {"demo_over_raw_write": ratio(mine, other)},
        about,
        {"demo_over_raw_write": Reach(at_most=8)},
    )
