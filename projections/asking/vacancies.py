"""Villages in which nobody is in post: what they would do is their township's to do."""

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, or_

from domain.rules.base import china_day
from domain.world import Role
from projections.officers import APPOINTMENTS, LOGINS, OFFICERS, SUBSTITUTIONS


def nobody_reports(area: Any, at: datetime) -> ColumnElement[bool]:
    """Whether nobody can report for the village in ``area`` today, in their own post or in an
    absent officer's place: `domain.commands.relief_cases.check_nobody_in_post`."""
    today = china_day(at).isoformat()
    a, s = APPOINTMENTS.c, SUBSTITUTIONS.c
    post = and_(
        a.area == area,
        a.role == str(Role.VILLAGE_REPORTER),
        a.starts_on <= today,
        or_(a.ends_on.is_(None), a.ends_on >= today),
    )
    name = LOGINS.c
    awaited = and_(
        name.officer == OFFICERS.c.id,
        name.invited_at.is_not(None),
        name.password_at.is_(None),
        name.provider_at.is_(None),
    )
    known = and_(
        name.officer == OFFICERS.c.id,
        or_(
            name.invited_at.is_(None),
            name.password_at.is_not(None),
            name.provider_at.is_not(None),
        ),
    )
    working = and_(
        OFFICERS.c.suspended.is_(None), or_(~exists().where(awaited), exists().where(known))
    )
    own = exists().where(post, OFFICERS.c.id == a.officer, working)
    stands_in = exists().where(
        post,
        s.appointment == a.appointment,
        s.starts_on <= today,
        s.ends_on >= today,
        s.ended_on.is_(None),
        OFFICERS.c.id == s.substitute,
        working,
    )
    return ~or_(own, stands_in)
