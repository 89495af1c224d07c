"""Everything that is drawn by lot, and the record of it: one seed, one sequence."""

from collections import Counter
from hashlib import sha256
from random import Random
from uuid import UUID

FAULTS: dict[str, float] = {
    # on the way between clients and API processes
    "request lost": 0.10,
    "request repeated": 0.10,
    "reply lost": 0.10,
    "retry elsewhere": 0.50,
    # API processes
    "kill before-load": 0.01,
    "kill between-vault-and-log": 0.02,
    "kill in-transaction": 0.02,
    "kill after-commit": 0.03,
    "two writers": 0.30,
    "commit lost": 0.02,
    "commit reply lost": 0.03,
    "log unreachable": 0.02,
    "log full": 0.02,
    "clock jumps": 0.05,
    # relays
    "kill relay": 0.05,
    "kill relay unstored": 0.04,
    "kill relay half sent": 0.04,
    "broker refuses": 0.05,
    "broker reply lost": 0.03,
    "other leader": 0.15,
    # broker and its consumers
    "broker emptied": 0.15,
    "frame lost": 0.05,
    "frame repeated": 0.08,
    "frame late": 0.08,
    "frame broken": 0.04,
    "rebalance": 0.30,
    "group forgets": 0.05,
    # workers and views
    "kill worker": 0.03,
    "kill in-view": 0.05,
    "commit meanwhile": 0.20,
    "kill unacknowledged": 0.05,
    "views locked": 0.03,
    "views set back": 0.25,
    "two owners": 0.30,
}
"""Every kind of fault with its usual chance, where it has an occasion."""


class Violation(AssertionError):
    """An oracle does not hold."""


class Chance:
    """The dice of one world. ``trace`` tells two runs of a seed apart."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.dice = Random(f"simulation/{seed}")
        self.fired: Counter[str] = Counter()
        self.calm = False
        """No more faults: everything heals."""
        self.rates = {kind: self._rate(usual) for kind, usual in FAULTS.items()}
        self._trace = sha256()

    def _rate(self, usual: float) -> float:
        """A third of the worlds do not know a fault; the others know it rarely or well."""
        turn = self.dice.random()
        if turn < 1 / 3:
            return 0.0
        return min(0.9, usual * self.dice.choice((0.5, 1, 1, 3)))

    def strikes(self, kind: str) -> bool:
        """Whether this fault happens now; counted if it does."""
        if self.calm or self.dice.random() >= self.rates[kind]:
            return False
        self.note(kind)
        self.fired[kind] += 1
        return True

    def note(self, *what: object) -> None:
        self._trace.update(repr(what).encode())

    def id(self) -> UUID:
        return UUID(int=self.dice.getrandbits(128), version=4)

    @property
    def trace(self) -> str:
        return self._trace.hexdigest()
