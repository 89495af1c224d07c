"""What `relief doctor` finds: a name, whether it is well, and a sentence in two languages."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from cli.settings import Settings
from eventstore.errors import StoreError
from eventstore.sql import DATABASE_ERRORS, explain

Level = Literal["ok", "warn", "fail"]


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


Check = tuple[str, Callable[[Settings], Iterable[Finding]]]
"""A name, and what looks: it changes nothing, may run beside a server, and yields a finding or
several. A `StoreError` or a database's error that it raises is told as a failed finding."""


def all_of(checks: Iterable[Check], settings: Settings) -> Iterator[Finding]:
    """Everything that these checks find, in their order and as soon as it is found: a server that
    does not answer is waited for by some of them, and what came before must not wait with them."""
    for name, check in checks:
        try:
            yield from check(settings)
        except (StoreError, *DATABASE_ERRORS) as problem:
            told = problem if isinstance(problem, StoreError) else explain(problem)
            yield Finding(name, False, told.zh, str(told))
