"""All views, in the order in which a batch is folded."""

from projections import areas, disasters, officers, situation, timeline
from projections.base import View

VIEWS: tuple[View, ...] = (
    areas.VIEW,
    officers.VIEW,
    disasters.VIEW,
    situation.VIEW,
    timeline.VIEW,
)
