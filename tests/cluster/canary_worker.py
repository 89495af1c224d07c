"""`relief worker`, but one view fails at every household and quotes all that it was given."""

import sys
from dataclasses import replace
from typing import Any

from cli.logging import configure
from cli.settings import Settings
from cli.working import run
from domain.household import Household
from projections.catalog import VIEWS
from projections.folding.base import View


def fail(_rows: Any, position: int, event: Any) -> None:
    raise ValueError(f"{position}\r\n\x1b[31m{event!r} {vars(event)}")


def spoiled(view: View) -> View:
    return replace(view, routes={**view.routes, Household.Registered: fail})


if __name__ == "__main__":
    name = sys.argv[-1]
    configure("DEBUG", name)
    views = [spoiled(view) if view.name == "households" else view for view in VIEWS]
    sys.exit(run(Settings(), name, views))
