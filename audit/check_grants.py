"""Check every grant of a store again, from the raw facts of its log.

python -m audit.check_grants DATA_DIR [--published FILE]

Imports nothing of the program: a second opinion on steps and their order, who took them, notice
days, objections, the standard, money, goods, and the totals that were published. Prints a short
report; exit 1 with the first violations, by position. Without ``--published`` the totals are
compared with the county's published ones if the store is a full demo, else only printed.
"""

import argparse
import json
import sqlite3
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from audit.books import Fact
from audit.grants import Audit

PUBLISHED = Path(__file__).parents[1] / "demo" / "data" / "qianshan-2018.json"
SHOWN = 20


def facts(db: sqlite3.Connection, audit: Audit) -> Iterator[Fact]:
    """The log's rows in order; a gap, a wrong stream or version is a violation."""
    decode, last, time = msgspec.json.decode, 0, ""
    versions: Counter[bytes] = Counter()
    for position, stream, version, topic, state in db.execute(
        "SELECT position, stream, version, topic, state FROM events ORDER BY position"
    ):
        body: dict[str, Any] = decode(state)
        fact = Fact(position, body["originator_id"], topic.partition("/")[0], body, body["meta"])
        versions[stream] += 1
        if position != last + 1 or version != versions[stream]:
            audit.wrong(position, "positions or versions have a gap")
            versions[stream] = version
        if fact.stream.replace("-", "") != stream.hex() or body["originator_version"] != version:
            audit.wrong(position, "the fact says it belongs elsewhere")
        now = fact.at.isoformat()
        if now < time:
            audit.wrong(position, "recorded before the fact that lies before it")
        last, time = position, now
        yield fact


def compare(audit: Audit, published: Path) -> None:
    """The season's totals against the published ones."""
    wanted = json.loads(published.read_text(encoding="utf-8"))["winter_relief_2017_2018"]
    found = audit.totals()
    for key in ("households", "persons", "quilts", "coats"):
        if found.get(key, 0) != wanted[key]:
            audit.wrong(audit.last, f"{found.get(key, 0)} {key}, published {wanted[key]}")
    if found["cash_fen"] != wanted["cash_yuan"] * 100:
        audit.wrong(audit.last, f"{found['cash_fen']} fen, published {wanted['cash_yuan']} yuan")


def main() -> int:
    parser = argparse.ArgumentParser(description="Check every grant again from the raw facts.")
    parser.add_argument("data", type=Path, help="the folder with log.sqlite")
    parser.add_argument("--published", type=Path, help="published figures to compare with")
    args = parser.parse_args()
    db = sqlite3.connect(f"file:{args.data / 'log.sqlite'}?mode=ro", uri=True)
    audit = Audit()
    for fact in facts(db, audit):
        audit.take(fact)
    audit.close()
    mark = db.execute("SELECT value FROM marks WHERE key='demo'").fetchone()
    published = args.published or (PUBLISHED if mark == ("full",) else None)
    if published is not None:
        compare(audit, published)
    db.close()
    print(f"{audit.last} facts, {len(audit.cases)} cases, {audit.grants} grants checked again")
    print("season totals: " + ", ".join(f"{k} {v:,}" for k, v in audit.totals().items()))
    if not audit.problems:
        print("no violation" + (", equal to the published totals" if published else ""))
        return 0
    print(f"{len(audit.problems)} violations, the first by position:")
    for position, text in sorted(audit.problems)[:SHOWN]:
        print(f"  {position}: {text}")
    return 1


if __name__ == "__main__":
    sys.exit(main())
