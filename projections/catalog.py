"""All views, in the order in which a batch is folded."""

from projections import (
    areas,
    deadlines,
    disasters,
    dispatch,
    funds,
    households,
    ledger,
    officers,
    reviews,
    seasons,
    situation,
    stock,
    timeline,
)
from projections.base import View

VIEWS: tuple[View, ...] = (
    areas.VIEW,
    officers.VIEW,
    disasters.VIEW,
    situation.VIEW,
    deadlines.VIEW,
    reviews.VIEW,
    timeline.VIEW,
    stock.VIEW,
    dispatch.VIEW,
    funds.VIEW,
    households.VIEW,
    seasons.VIEW,
    ledger.VIEW,
)
