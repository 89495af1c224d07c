"""Where a case of the ledger stands, as conditions: what is open, held, left, or has arrived."""

from sqlalchemy import ColumnElement, and_, case, func, or_, select

from domain import grants
from projections.households import HOUSEHOLDS
from projections.ledger import LEDGER
from projections.seasons import SEASON_RATES, SEASONS
from projections.sections.grants import GRANTS

L, G, H, S, R = LEDGER.c, GRANTS.c, HOUSEHOLDS.c, SEASONS.c, SEASON_RATES.c

OPEN = tuple(map(str, grants.OPEN))
"""States of a grant that has not gone out."""

OF_RATE = and_(R.season == L.season, or_(R.rate == L.rate, and_(L.rate == "", R.usual.is_(True))))
"""The rates of the season, one since each change, by which a case is reckoned."""

_GRANTS_OF_CASE = select(G.number).where(G.relief_case == L.id).correlate(LEDGER)
UNDER_WAY = and_(L.delivered < L.grants, _GRANTS_OF_CASE.where(G.status.in_(OPEN)).exists())
"""Something was granted and has not gone out; what was given back as a whole is no longer."""


def _parts_left() -> ColumnElement[int]:
    """How many parts of a case nobody has granted. The rule is `CaseChecks.parts_left`."""
    days = case((L.days < R.max_days, L.days), else_=R.max_days)
    parts = (
        select(
            case(
                (R.milestones > 0, R.milestones),
                (R.pay_every_days > 0, (days + R.pay_every_days - 1) // R.pay_every_days),
                else_=0,
            )
        )
        .where(OF_RATE)
        .order_by(R.since.desc())
        .limit(1)
        .correlate(LEDGER)
        .scalar_subquery()
    )
    standing = (
        select(func.count(G.part.distinct()))
        .where(G.relief_case == L.id, G.part > 0, G.status.not_in(("void", "refunded")))
        .correlate(LEDGER)
        .scalar_subquery()
    )
    left = func.coalesce(parts, 0) - standing
    return case((and_(L.grants > 0, S.in_parts.is_(True), left > 0), left), else_=0)


PARTS_LEFT = _parts_left().label("parts_left")

STATE: ColumnElement[str] = case(
    (L.status == "refused", "refused"),
    (L.failed > 0, "failed"),
    (L.grants == 0, L.status),
    (and_(L.delivered == 0, UNDER_WAY), "waiting"),
    (L.delivered == 0, "returned"),
    (or_(UNDER_WAY, PARTS_LEFT > 0), "partly"),
    else_="delivered",
).label("state")
"""Where a case stands for the household: a stage of the case until something is granted, then what
has become of that. ``partly``: some of what was granted has arrived, or a part of what is paid in
parts; ``returned``: all that arrived was given back."""


HELD = and_(
    L.grants > 0,
    H.merged_into.is_(None),
    or_(
        H.died > L.known_died,
        and_(H.size < L.persons, or_(L.known_died.is_(None), H.gone > L.known_gone)),
    ),
    _GRANTS_OF_CASE.where(G.status.in_(OPEN)).exists(),
)
"""Open grants of a household that has lost somebody since: the county decides. The rule is
`ReliefCase.lost_since`."""
STATES: dict[str, ColumnElement[bool]] = {
    "needed": L.status.not_in(("refused",)),
    "granted": L.grants > 0,
    "delivered": STATE == "delivered",
    "partly": STATE == "partly",
    "waiting": UNDER_WAY,
    "failed": L.failed > 0,
    "unsigned": _GRANTS_OF_CASE.where(G.status == "granted", G.item != "").exists(),
    "held": HELD,
}
"""What ``status`` may ask beside the stages of a case: 需救助, granted, all of it or some of it
delivered, to do, bounced, goods that nobody signed for, held after a loss."""
