"""What of `relief doctor` a running server looks at itself, for its administrators."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Final

from api.checkup import Finding, Looks
from cli.checking import Check
from cli.doctor import INSIDE, LAST, OUTSIDE
from cli.doctor_cluster import CHECKS
from cli.settings import Settings

WHOLE: Final = frozenset({"databases", "counts", "erasures", "free-texts"})
"""Checks that read the whole log, or a whole file: they would take from everybody's work."""


def looks_of(settings: Settings) -> Looks:
    """The checks of the settings' store that cost little, and the names of the others."""
    checks: Sequence[Check] = (
        (*OUTSIDE, *INSIDE, *LAST) if settings.database_url is None else CHECKS
    )
    asked: list[tuple[str, Callable[[], Iterable[Finding]]]] = [
        (name, partial(check, settings)) for name, check in checks if name not in WHOLE
    ]
    return Looks(asked, tuple(name for name, _ in checks if name in WHOLE))
