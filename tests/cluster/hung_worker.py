"""`relief worker`, but one handler never comes back: it stands for whatever may hang for ever."""

import sys
import time
from dataclasses import replace
from typing import Any

from cli.logging import configure
from cli.settings import Settings
from cli.working import run
from projections.catalog import VIEWS

HUNG_SECONDS = 4.0


def hang(*_: Any) -> None:
    time.sleep(3600)


def main() -> int:
    first, *others = VIEWS
    hung = replace(first, routes=dict.fromkeys(first.routes, hang))
    configure("INFO")
    return run(Settings(), sys.argv[-1], (hung, *others), stuck_seconds=HUNG_SECONDS)


if __name__ == "__main__":
    sys.exit(main())
