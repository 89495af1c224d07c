"""All views, in the order in which a batch is folded."""

from projections import areas
from projections.base import View

VIEWS: tuple[View, ...] = (areas.VIEW,)
