"""The checks of `relief doctor`: what one is, and how several are asked one after the other."""

from collections.abc import Callable, Iterable, Iterator
from functools import partial

from api.checkup import Finding, findings_of
from cli.settings import Settings

Check = tuple[str, Callable[[Settings], Iterable[Finding]]]
"""A name, and what looks: it changes nothing, may run beside a server, and yields a finding or
several. A `StoreError` or a database's error that it raises is told as a failed finding."""


def all_of(checks: Iterable[Check], settings: Settings) -> Iterator[Finding]:
    """Everything that these checks find, in their order and as soon as it is found: a server that
    does not answer is waited for by some of them, and what came before must not wait with them."""
    for name, check in checks:
        yield from findings_of(name, partial(check, settings))
