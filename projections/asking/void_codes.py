"""Codes of invitations that are void: their officer has come to a post elsewhere since."""

import json
from collections.abc import Iterable, Mapping

from sqlalchemy import Connection, select

from domain.login_name import opens_post
from projections.areas import ABOVE, AREAS
from projections.folding.base import Row


def mark_void(
    db: Connection, logins: Mapping[str, list[Row]], posts: Iterable[tuple[str, str]]
) -> None:
    """Set the state of log-in names whose open code is void. ``logins``: by officer, each with its
    ``state``; ``posts``: officer and area of every post held now or later, also for another."""
    waiting = {
        officer: [one for one in rows if one["state"] == "invited"]
        for officer, rows in logins.items()
    }
    held = [(officer, area) for officer, area in posts if waiting.get(officer)]
    lines = _lines(db, {area for _, area in held})
    for officer, area in held:
        for login in waiting[officer]:
            invited = json.loads(login["invited_areas"] or "null")
            if not opens_post(invited, lines[area]):
                login["state"] = "void"


def _lines(db: Connection, areas: set[str]) -> dict[str, set[str]]:
    """Each of these areas with all above it."""
    above: dict[str, str | None] = {}
    while wanted := (areas | set(filter(None, above.values()))) - above.keys():
        rows = db.execute(select(AREAS.c.id, ABOVE).where(AREAS.c.id.in_(sorted(wanted))))
        above |= dict.fromkeys(wanted) | {row[0]: row[1] for row in rows}
    found: dict[str, set[str]] = {}
    for area in areas:
        line: set[str] = found.setdefault(area, set())
        at: str | None = area
        while at is not None and at not in line:
            line.add(at)
            at = above[at]
    return found
