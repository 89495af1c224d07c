"""A notice 公示 that has come down, as it hung: what stood on it is read from the log.

Views say what a list is now; after a notice a household may get another head, a case other
amounts. Who settles an objection or audits a list needs the lines of that day.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from api.auth import Caller
from api.known_at import position_asked
from domain.area import Area
from domain.household import Household
from domain.notice import Notice
from domain.village_list import VillageList
from eventstore.store import Recorded, Store
from projections.households import ERASED, ERASED_MASK
from projections.seasons import SEASONS

DOWN = (
    VillageList.Withdrawn,
    VillageList.NoticeVoided,
    VillageList.CasesListed,
    VillageList.Returned,
    VillageList.Closed,
)
"""Facts of a list that end what hangs. (What ends by itself ends at its ``ends_at``.)"""


def as_it_hung(caller: Caller, village_list: UUID, kind: str) -> dict[str, Any] | None:
    """The last posting of a list's notice as `projections.notices.notice` tells one that hangs.

    With ``down_at`` and ``down_because`` (empty if it ran out). None if it was never posted.
    The caller must have been allowed to see the list.
    """
    store = caller.system.store
    facts = store.history(village_list, position=position_asked())
    postings = [n for n, fact in enumerate(facts) if _posts(fact, kind)]
    if not postings:
        return None
    posted, later = facts[postings[-1]], facts[postings[-1] + 1 :]
    hung: Any = store.load(village_list, position=posted.position)
    erased = _erased(caller)
    lines = [_line(store, case, posted.position, kind, erased) for case in hung.cases]
    down_at, because = _end(posted, later, kind)
    (because,) = store.texts.opened([because])
    area: Any = store.load(hung.village, position=posted.position)
    return {
        **_season(caller, hung.season),
        "village_list": str(village_list),
        "notice_kind": kind,
        "village_name": area.name,
        "posted_at": posted.event.posted_at.isoformat(),  # type: ignore[attr-defined]
        "ends_at": posted.event.ends_at.isoformat(),  # type: ignore[attr-defined]
        "down_at": down_at.isoformat(),
        "down_because": because,
        "households": len(lines),
        "hanging": False,
        "lines": sorted(lines, key=lambda line: (line["village_group"], line["case"])),
    }


def _posts(fact: Recorded, kind: str) -> bool:
    return isinstance(fact.event, VillageList.Posted) and fact.event.notice == kind


def _end(posted: Recorded, later: list[Recorded], kind: str) -> tuple[datetime, str]:
    """When it came down, and why if somebody said why."""
    runs_out: datetime = posted.event.ends_at  # type: ignore[attr-defined]
    for fact in later:
        event: Any = fact.event
        if isinstance(event, DOWN) and getattr(event, "notice", kind) == kind:
            if event.meta.recorded_at >= runs_out:
                break
            return event.meta.recorded_at, getattr(event, "reason", "")
    return runs_out, ""


def _line(
    store: Store, id: UUID, position: int, kind: str, erased: frozenset[str]
) -> dict[str, Any]:
    """One household of the notice, from its facts up to that position of the log."""
    case: Any = store.load(id, position=position)
    facts = [one for one in store.history(case.household) if one.position <= position]
    household: Any = None
    group = ""
    for fact in facts:
        household = fact.event.mutate(household)
        group = getattr(fact.event, "group", group)
    line: dict[str, Any] = {
        "case": str(id),
        "head_masked": _head(household, erased),
        "village_group": _group_then(store, household, group, position),
        "persons": case.need.persons,
    }
    if kind == Notice.SECOND:
        line |= {"cash_fen": 0, "goods": {}}
        for grant in case.grants.values():
            line["cash_fen"] += grant.cash_fen
            if grant.units:
                line["goods"][grant.item] = line["goods"].get(grant.item, 0) + grant.units
    return line


def _group_then(store: Store, household: Any, group: str, position: int) -> str:
    """What its villagers' group was called then; what was typed, if it referred to none."""
    if not household.group_code:
        return group
    village = store.load(household.village, position=position)
    assert isinstance(village, Area), "a household lives in a village"
    return village.group(household.group_code).name


def _head(household: Household, erased: frozenset[str]) -> str:
    head = household.members.get(household.head) if household.head else None
    if head is None:
        return ""
    return ERASED_MASK if str(head.person) in erased else head.masked


def _erased(caller: Caller) -> frozenset[str]:
    """Persons whose data were destroyed since: not even their mask is shown."""
    with caller.system.reader() as db:
        return frozenset(db.execute(select(ERASED.c.person)).scalars())


def _season(caller: Caller, season: UUID) -> dict[str, Any]:
    columns = (SEASONS.c.programme, SEASONS.c.name_zh, SEASONS.c.name_en, SEASONS.c.year)
    with caller.system.reader() as db:
        return dict(
            db.execute(select(*columns).where(SEASONS.c.id == str(season))).mappings().one()
        )
