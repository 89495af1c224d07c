"""What is found when somebody looks whether everything is whole: by `relief doctor`, and by the
server itself for its administrators.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, Literal

from api.errands import Advance, Errand
from eventstore.errors import StoreError
from eventstore.sql import DATABASE_ERRORS, explain

Level = Literal["ok", "warn", "fail"]
WORST_FIRST: Final[tuple[Level, ...]] = ("fail", "warn", "ok")
STALE: Final = timedelta(hours=1)
"""What was found longer ago is looked for again when an administrator comes."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. ``ok`` False: somebody has to do what the sentence says now.

    ``warn``: nothing is broken, and still somebody should read the sentence.
    """

    name: str
    ok: bool
    zh: str
    en: str
    warn: bool = False

    @property
    def level(self) -> Level:
        if not self.ok:
            return "fail"
        return "warn" if self.warn else "ok"

    def told(self) -> dict[str, str | bool]:
        """As `relief doctor --json` says it."""
        return {
            "name": self.name,
            "ok": self.ok,
            "level": self.level,
            "zh": self.zh,
            "en": self.en,
        }


@dataclass(frozen=True, slots=True)
class Looks:
    """What a running server looks at, check by check, and the names of those that it leaves to
    `relief doctor`: they read the whole log or a whole file."""

    checks: Sequence[tuple[str, Callable[[], Iterable[Finding]]]] = ()
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Found:
    """All findings of one look, the worst first, and what was not looked at."""

    findings: tuple[Finding, ...]
    left_out: tuple[str, ...]

    @property
    def pressing(self) -> int:
        """How many somebody has to see to now."""
        return sum(not one.ok for one in self.findings)


def findings_of(name: str, check: Callable[[], Iterable[Finding]]) -> Iterator[Finding]:
    """What a check finds; that it could not look, because of the store, is a finding too."""
    try:
        yield from check()
    except (StoreError, *DATABASE_ERRORS) as problem:
        told = problem if isinstance(problem, StoreError) else explain(problem)
        yield Finding(name, False, told.zh, str(told))


def checkup(looks: Callable[[], Looks], *, least: float) -> Errand[Found]:
    """The look of one process; ``looks`` is asked each time, in the thread that looks."""

    def look(advance: Advance) -> Found:
        asked = looks()
        found: list[Finding] = []
        for number, (name, check) in enumerate(asked.checks):
            advance(number, len(asked.checks))
            found += findings_of(name, check)
        found.sort(key=lambda one: WORST_FIRST.index(one.level))
        return Found(tuple(found), asked.left_out)

    return Errand("checkup", look, least=least)


def told(errand: Errand[Found]) -> dict[str, Any]:
    """As the API and the pages say it."""
    standing = errand.standing
    found = standing.result
    return {
        "running": standing.running,
        "done": standing.done,
        "of": standing.of,
        "checked_at": standing.at,
        "findings": [one.told() for one in found.findings] if found else [],
        "only_by_doctor": list(found.left_out) if found else [],
        "failure": dict(zip(("zh", "en"), standing.failure, strict=True))
        if standing.failure
        else None,
    }
