"""`relief`, whose workers are of an older program as long as a file is there.

It holds the topic of the facts that the older program does not know. All that `relief up` starts
is started from here.
"""

import os
import sys
from pathlib import Path

from cli.up import programs
from domain.base import Event
from eventstore.mapper import TypedMapper

FILE = "RELIEF_TESTS_OLDER"
RELIEF = (sys.executable, "-m", "tests.cluster.older")


def forget(topic: str) -> None:
    """Facts of this type are registered nowhere in this process."""
    register = TypedMapper._register

    def others(self: TypedMapper, event_class: type[Event]) -> None:
        if event_class.topic() != topic:
            register(self, event_class)

    TypedMapper._register = others  # type: ignore[method-assign]


def main() -> None:
    programs.RELIEF = RELIEF
    older = Path(os.environ[FILE])
    if sys.argv[1] == "worker" and older.exists():
        forget(older.read_text())
    from cli.main import main as relief

    relief()


if __name__ == "__main__":
    main()
