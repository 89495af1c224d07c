"""How often the cycle collector runs in processes that handle thousands of facts a second."""

import gc

YOUNG_OBJECTS = 20_000
"""Between two collections of cycles: facts and rows have none, and thousands are made a second."""


def collect_seldom() -> None:
    """From now on. What was imported by now is never looked through again, also not at the end."""
    gc.set_threshold(YOUNG_OBJECTS, 20, 20)
    gc.freeze()
