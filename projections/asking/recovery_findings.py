"""The finding that an administrator came to be by the hand of whoever keeps the machine."""

from typing import Any

from sqlalchemy import Select, literal

from projections.asking.finding_rows import finding
from projections.asking.scope import Scope
from projections.officers import LOGINS, OFFICERS


def administrator_recovered(scope: Scope) -> Select[Any]:
    """Nobody in office decided it, so nobody in office can close it: it stays on the list."""
    return finding(
        literal("administrator_recovered"),
        LOGINS.c.login,
        LOGINS.join(OFFICERS, OFFICERS.c.id == LOGINS.c.officer),
        area=OFFICERS.c.area,
        reason=LOGINS.c.login + literal("：") + LOGINS.c.recovered,
        since=LOGINS.c.recovered_at,
    ).where(scope.covers(OFFICERS.c.area), LOGINS.c.recovered_at.is_not(None))
