"""The finding that an administrator came to be by the hand of whoever keeps the machine."""

from typing import Any

from sqlalchemy import Select, String, cast, literal

from projections.asking.finding_rows import finding
from projections.asking.scope import Scope
from projections.officers import LOGINS, OFFICERS, RECOVERIES


def administrator_recovered(scope: Scope) -> Select[Any]:
    """Nobody in office decided it, so nobody in office can close it: each time stays listed."""
    r = RECOVERIES.c
    source = RECOVERIES.join(LOGINS, LOGINS.c.login == r.login)
    return finding(
        literal("administrator_recovered"),
        r.login + ":" + cast(r.position, String),
        source.join(OFFICERS, OFFICERS.c.id == LOGINS.c.officer),
        area=OFFICERS.c.area,
        reason=r.login + literal("：") + r.recovered,
        since=r.recovered_at,
    ).where(scope.covers(OFFICERS.c.area))
