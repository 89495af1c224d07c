"""The one way in which facts become rows: for a follower, a worker, a rebuild and a replay.

They differ in three values: which facts each view takes (`Takes`), whose tables the rows go to,
and what happens to a fact that a view cannot fold (`Policy`).
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from itertools import chain

from eventstore.sql import Sql
from projections.folding.base import Handlers, Row, Rows, TableWriter, View, routed
from projections.folding.errors import MOST_PARKED_IN_A_ROW, CannotFold, TooManyParked
from projections.folding.facts import Fact, Takes, Unreadable, is_poison, told
from projections.folding.foresight import Foresight
from projections.folding.parking import BEHIND, Unfolded


@dataclass(frozen=True, slots=True)
class Policy:
    """What happens to a fact that a view cannot fold.

    ``most_parked`` is None: nothing is written, and `CannotFold` says which fact it was. Else the
    fact is parked for that view, later facts of its stream park behind it, and everything else is
    folded; but the view stops with `TooManyParked` when so many different streams of a partition
    have been parked in a row and yet another would have to be.
    """

    most_parked: int | None


STRICT = Policy(None)
"""For a rebuild; and everybody else tries this first, because it needs no savepoints."""
ISOLATE = Policy(MOST_PARKED_IN_A_ROW)
"""For follower, worker and replay."""


class Routing:
    """The handlers of some views: of all together, and of each alone."""

    def __init__(self, views: Sequence[View]) -> None:
        self.views = tuple(views)
        self.together = routed(views)
        self.alone = {view.name: routed((view,)) for view in views}


Work = list[tuple[Handlers, Sequence[Fact]]]


class Folding:
    """Folds facts of the log, in order, into the tables of some views.

    Keeps in ``parked`` what it could not fold, for whoever writes that down with the rows; knows
    which streams are ``held`` back behind a parked fact (by view), and how many streams have been
    parked in a row (``failing``, by view and partition). Nothing of these moves when `fold` raises.
    """

    def __init__(
        self,
        routing: Routing,
        takes: Takes,
        policy: Policy = STRICT,
        *,
        held: Mapping[str, set[bytes]] | None = None,
        failing: Mapping[tuple[str, int], int] | None = None,
        foresight: Foresight | None = None,
    ) -> None:
        self._routing, self._takes, self._policy = routing, takes, policy
        self._foresight = foresight
        self.held = {view.name: set((held or {}).get(view.name, ())) for view in routing.views}
        self.failing = Counter(failing or {})
        self.parked: list[Unfolded] = []

    def run(self, rows: Rows, facts: Sequence[Fact]) -> None:
        """Run the handlers over working rows that the caller writes when it likes: strictly.

        Raises what a handler raised, with a note that says at which fact.
        """
        self._run(rows, self._work(self._routing.views, facts)[0])

    def fold(
        self, db: Sql, writers: Mapping[str, TableWriter], facts: Sequence[Fact]
    ) -> dict[str, list[Row]]:
        """Fold and write, inside a transaction of the database; the changed rows by table.

        Raises `CannotFold` or `TooManyParked`, as the policy is, and what the database raised;
        then the transaction has to be rolled back.
        """
        held = {view: set(streams) for view, streams in self.held.items()}
        before = held, Counter(self.failing), len(self.parked)
        self._db, self._writers = db, writers
        self._changed: dict[str, list[Row]] = {}
        try:
            self._narrow(self._routing.views, facts)
        except BaseException:
            self.held, self.failing, count = before
            del self.parked[count:]
            raise
        return self._changed

    # -- narrowing down what fails -------------------------------------------------------------

    def _narrow(self, views: Sequence[View], facts: Sequence[Fact]) -> None:
        """All at once; if that fails view by view, then half by half, down to the one fact."""
        work, behind = self._work(views, facts)
        try:
            self._attempt(work)
        except Exception as problem:
            if not is_poison(problem):
                raise
            if self._policy.most_parked is None:
                raise cannot_fold(problem) from problem
            self._narrower(views, facts, problem)
            return
        self.parked += behind
        if self.failing:
            self._begin_counts_again(work)

    def _narrower(self, views: Sequence[View], facts: Sequence[Fact], problem: Exception) -> None:
        if len(views) > 1:
            for view in views:
                self._narrow((view,), [fact for fact in facts if _concerns(view, fact)])
        elif len(facts) > 1:
            half = len(facts) // 2
            self._narrow(views, facts[:half])
            self._narrow(views, facts[half:])
        else:
            self._give_up(views[0], facts[0], problem)

    def _attempt(self, work: Work) -> None:
        parks = self._policy.most_parked is not None
        with _savepoint(self._db) if parks else nullcontext():
            rows = Rows(self._db, self._writers)
            rows.trusting = not parks
            self._run(rows, work)
            changed = rows.write()
        for name, some in changed.items():
            self._changed.setdefault(name, []).extend(some)

    def _give_up(self, view: View, fact: Fact, problem: Exception) -> None:
        reason, key = fact.problem or told(problem), (view.name, fact.partition)
        assert self._policy.most_parked is not None
        if self.failing[key] >= self._policy.most_parked:
            detail = f"{view.name}, {fact.topic} at {fact.position}: {reason}"
            raise TooManyParked(detail, view=view.name, position=fact.position) from problem
        self.failing[key] += 1
        self.held[view.name].add(fact.stream)
        self.parked.append((view.name, fact, reason))

    def _begin_counts_again(self, work: Work) -> None:
        """A view that has folded something is not failing in that partition any more."""
        together = self._routing.together
        for (view, partition), count in list(self.failing.items()):
            own = self._routing.alone[view]
            folded = [facts for handlers, facts in work if handlers is together or handlers is own]
            if count and any(f.partition == partition and f.kind in own for f in chain(*folded)):
                self.failing[view, partition] = 0

    # -- one attempt ---------------------------------------------------------------------------

    def _work(self, views: Sequence[View], facts: Sequence[Fact]) -> tuple[Work, list[Unfolded]]:
        """Which handlers run over which facts; and the facts that wait behind parked ones."""
        everybody = len(views) == len(self._routing.views) and not any(self.held.values())
        if everybody and self._takes.by_all(facts):
            return [(self._routing.together, facts)], []
        work: Work = []
        behind: list[Unfolded] = []
        for view in views:
            held, takes = self.held[view.name], self._takes.by
            mine = [f for f in facts if _concerns(view, f) and takes(view.name, f)]
            if held:
                behind += [(view.name, fact, BEHIND) for fact in mine if fact.stream in held]
                mine = [fact for fact in mine if fact.stream not in held]
            work.append((self._routing.alone[view.name], mine))
        return work, behind

    def _run(self, rows: Rows, work: Work) -> None:
        fact: Fact | None = None
        try:
            for handlers, facts in work:
                for fact in self._ahead(rows, handlers, facts):
                    event = fact.event
                    if event is None:
                        raise Unreadable(fact.problem)
                    for handler in handlers.get(type(event), ()):
                        handler(rows, fact.position, event)
        except Exception as problem:
            if fact is not None:
                problem.add_note(f"{fact.name} at {fact.position}")
            raise

    def _ahead(self, rows: Rows, handlers: Handlers, facts: Sequence[Fact]) -> Iterable[Fact]:
        if self._foresight is None:
            return facts
        return self._foresight.ahead(rows, handlers, facts)


def _concerns(view: View, fact: Fact) -> bool:
    """Whether the view routes the fact. One of a type that nobody knows may concern every view."""
    return fact.kind is None or fact.kind in view.routes


def cannot_fold(problem: Exception) -> CannotFold:
    where = ", ".join(getattr(problem, "__notes__", ()))
    return CannotFold(f"{where}: {told(problem)}")


@contextmanager
def _savepoint(db: Sql) -> Iterator[None]:
    db.execute("SAVEPOINT attempt")
    try:
        yield
    except BaseException:
        db.execute("ROLLBACK TO SAVEPOINT attempt")
        raise
    db.execute("RELEASE SAVEPOINT attempt")
