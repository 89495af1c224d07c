"""What facts do to the vault, after they are durable: keys destroyed, names found and moved,
sessions and second factors ended.

The fact is the authority, the vault follows. A fact that was never stored destroys nothing; one
that was is carried out whatever ends the process, for how far each effect has got is kept in the
vault, in the transaction of the effect itself, and taken up again at start. Everything here may be
done twice. A vault restored from an older backup is behind, and is brought up to the log likewise.
"""

import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

from domain.base import Event
from domain.login_name import FactorWay, LoginName, ProviderWay
from domain.person import Person
from eventstore.behind import Behind
from eventstore.errors import IndexBehind, StoreLocked
from eventstore.faults import reached
from eventstore.log import Log
from eventstore.mapper import TypedMapper
from eventstore.names import Changes, Named, clear, members_named
from eventstore.second_factor import drop_factor
from eventstore.spelling import TERMS
from eventstore.sql import Sql
from eventstore.trust import Trust
from eventstore.vault import Vault, destroy
from eventstore.wrapping import opened

ERASURES, SEARCH, LOG_INS = "erasures", "search", "log-ins"
SCRUB = "scrub"
"""There while what was destroyed may still lie in old pages of the disk."""
WINDOW = 4_000
"""Positions of the log looked at in one step of the index."""
FACTS_A_STEP = 128
"""Facts that change the index in one transaction: a writer in this process waits that long."""
LAZY = 2_000
"""Positions that a mark may lie behind where there was nothing to do: facts that change nothing in
the vault do not make it write."""
LOOK_SECONDS = 0.01
PATIENCE_SECONDS = 120.0
"""How long a repair waits while other processes have the effects' lock."""

TAKEN_AWAY = (ProviderWay.ADMINISTRATOR, ProviderWay.KEEPER)

T = TypeVar("T")

ERASED = (
    "SELECT position, topic, state FROM events WHERE position > ? AND position <= ?"
    " AND topic LIKE 'Person.Erased%' ORDER BY position"
)
ENDED = (
    "SELECT position, topic, state FROM events WHERE position > ? AND position <= ?"
    " AND (topic LIKE 'LoginName.LoggedOut%' OR topic LIKE 'LoginName.SecondFactorRemoved%'"
    " OR topic LIKE 'LoginName.ProviderUnbound%')"
    " ORDER BY position"
)
TELLS = (
    "SELECT position, topic, state FROM events WHERE position > ? AND position <= ?"
    " AND (topic LIKE 'Household.%' OR topic LIKE 'Person.Erased%') ORDER BY position LIMIT ?"
)
SET_MARK = (
    "INSERT INTO effects VALUES (?,?,?,?) ON CONFLICT (name) DO UPDATE SET"
    " position = excluded.position, fact = excluded.fact, terms = excluded.terms"
)


class Mark(NamedTuple):
    """How far an effect has got, and the fact there: a position alone does not say of which log."""

    position: int
    fact: str
    terms: int


class Effects:
    """The worker of one process. Others may work beside it: effects are done in turn, or twice."""

    def __init__(self, log: Log, vault: Vault, mapper: TypedMapper, trust: Trust) -> None:
        self._log, self._vault, self._mapper, self._trust = log, vault, mapper, trust
        self._done: dict[str, int] = {}
        self._seen: dict[str, Mark | None] = {}
        self._turn = threading.RLock()
        self._behind = Behind("effects", self.step, lambda: min(self._done.values(), default=0))

    # -- how far -------------------------------------------------------------------------------

    def position(self, effect: str) -> int:
        """Up to where in the log this effect is done, by this process or another."""
        return self._adopt(effect, self._stored(self._vault.fetch, effect))

    def _adopt(self, effect: str, stored: Mark | None) -> int:
        """What is stored counts, unless it is what this process knew when it went on from there:
        a mark is not moved for facts that change nothing in the vault."""
        if effect not in self._done or stored != self._seen[effect]:
            self._seen[effect] = stored
            self._done[effect] = self._valid(effect, stored)
        return self._done[effect]

    def _stored(self, fetch: Callable[..., Any], effect: str) -> Mark | None:
        rows = fetch("SELECT position, fact, terms FROM effects WHERE name = ?", (effect,))
        return next((Mark(*row) for row in rows), None)

    def _valid(self, effect: str, mark: Mark | None) -> int:
        """The mark's position; 0 if it is of another log, or the index of other terms."""
        if mark is None or mark.fact != self._fact_at(mark.position):
            return 0
        return mark.position if effect != SEARCH or mark.terms == TERMS else 0

    def _fact_at(self, position: int) -> str:
        sql = "SELECT stream, version FROM events WHERE position = ?"
        found = self._log.fetch(sql, (position,))
        return "".join(f"{stream.hex()}/{version}" for stream, version in found)

    def _set(self, db: Sql, effect: str, position: int, fact: str) -> None:
        mark = Mark(position, fact, TERMS)
        db.execute(SET_MARK, (effect, *mark))
        self._seen[effect] = mark

    # -- erasures ------------------------------------------------------------------------------

    def erase(self) -> int:
        """Destroy what every stored erasure says is destroyed; how many persons that were."""
        with self._turn:
            if self._stored(self._vault.fetch, SCRUB) is not None:
                self._scrub()
            at, head = self.position(ERASURES), self._log.head()
            if at >= head:
                return 0
            persons = list(dict.fromkeys(fact.person for fact in self.erased(at, head)))
            if persons:
                reached("before-erasure")
                self._log.drop_snapshots(_ids_of(persons))
            if persons or head - at >= LAZY:
                fact = self._fact_at(head)
                with self._vault.aside() as db:
                    drills = [Person.id_of(person, exercise=True) for person in persons]
                    destroy(db, persons + drills)
                    self._set(db, ERASURES, head, fact)
                    if persons:
                        self._set(db, SCRUB, head, fact)
                    reached("in-erasure")
            if persons:
                reached("after-erasure")
                self._scrub()
            self._done[ERASURES] = head
            return len(persons)

    def _scrub(self) -> None:
        if self._vault.scrub():
            with self._vault.aside() as db:
                db.execute("DELETE FROM effects WHERE name = ?", (SCRUB,))

    def erased(self, after: int = 0, upto: int | None = None) -> list[Person.Erased]:
        """The erasures in the log, in order."""
        facts = self._facts(ERASED, after, self._log.head() if upto is None else upto)
        return [fact for fact in facts if isinstance(fact, Person.Erased)]

    def _facts(self, sql: str, after: int, upto: int) -> list[Event]:
        """What a query finds, without what somebody else than the program has put there."""
        self._trust.look(upto)
        rows = self._log.fetch(sql, (after, upto))
        counts = self._trust.counts
        return [self._mapper.decode(topic, fact) for at, topic, fact in rows if counts(at)]

    def erased_lately(self) -> set[UUID]:
        """Whom the log has erased while the vault may still hold their keys."""
        return {fact.person for fact in self.erased(self.position(ERASURES))}

    def erase_again(self) -> int:
        """Carry out every erasure of the log anew, wherever the vault comes from; how many persons
        that were, whichever process did it."""
        _patiently(partial(self._forget, ERASURES))
        _patiently(self.erase)
        return len({fact.person for fact in self.erased()})

    def _forget(self, effect: str) -> None:
        """It begins again at the log's first fact, in whatever process."""
        with self._turn, self._vault.aside() as db:
            db.execute("DELETE FROM effects WHERE name = ?", (effect,))

    # -- log-ins -------------------------------------------------------------------------------

    def end_log_ins(self) -> None:
        """End the sessions and second factors that the log says are ended.

        Done twice, somebody logs in once more; a second factor that was set since stays.
        """
        with self._turn:
            at, head = self.position(LOG_INS), self._log.head()
            if at >= head:
                return
            facts = self._facts(ENDED, at, head)
            if facts or head - at >= LAZY:
                there = self._fact_at(head)
                with self._vault.aside() as db:
                    for fact in facts:
                        _end_log_ins(db, fact)
                    self._set(db, LOG_INS, head, there)
            self._done[LOG_INS] = head

    # -- the index of names --------------------------------------------------------------------

    def index(self) -> bool:
        """Bring the index some facts further; True if there is more to do."""
        with self._turn:
            at, head = self.position(SEARCH), self._log.head()
            if at >= head:
                return False
            upto = min(head, at + WINDOW)
            rows = self._log.fetch(TELLS, (at, upto, FACTS_A_STEP))
            if len(rows) == FACTS_A_STEP:
                upto = rows[-1][0]
            self._trust.look(upto)
            sealed = [row for row in rows if self._trust.counts(row[0])]
            facts = [self._mapper.decode(topic, state) for _, topic, state in sealed]
            seen = self._seen[SEARCH]
            worth = bool(facts) or seen is None or at == 0 or upto - seen.position >= LAZY
            if worth and not self._apply(facts, at, upto):
                return True
            self._done[SEARCH] = upto
            return upto < head

    def _apply(self, facts: Sequence[Event], at: int, upto: int) -> bool:
        """Write what these facts change. False: another process has moved the mark meanwhile."""
        named = self._named(facts)
        there = self._fact_at(upto)
        erased = [one.person for one in facts if isinstance(one, Person.Erased)]
        households = [one.originator_id for one in facts if not isinstance(one, Person.Erased)]
        with self._vault.aside() as db:
            stored = self._stored(lambda sql, args: db.execute(sql, args).fetchall(), SEARCH)
            if stored != self._seen[SEARCH]:
                self._adopt(SEARCH, stored)
                return False
            if at == 0:
                clear(db)
            keep = _with_keys(db, [member.person for members in named for member in members])
            changes = Changes(db, households, erased)
            for one, members in zip(facts, named, strict=True):
                changes.apply(one, [member for member in members if member.person in keep])
            changes.write()
            self._set(db, SEARCH, upto, there)
            reached("in-index")
        return True

    def _named(self, facts: Sequence[Event]) -> list[list[Named]]:
        """For each fact its members and their names, as far as keys are left to read them."""
        told = [members_named(fact) for fact in facts]
        keys = self._vault.keys_of(member.person for members in told for member in members)
        return [
            [
                Named(one.person, opened(keys[one.person], one.name, fact.originator_id, "name"))
                for one in members
                if one.person in keys
            ]
            for fact, members in zip(facts, told, strict=True)
        ]

    def rebuild(self) -> None:
        """Build the index anew from the log, and return when it is there."""
        _patiently(partial(self._forget, SEARCH))
        while _patiently(self.index):
            pass

    def until(self, head: int, seconds: float) -> None:
        """Wait until names are found as of this position. Raises `IndexBehind` if they are not.

        Nobody is told "no such person" by an index that has not heard of them yet.
        """
        deadline = time.monotonic() + seconds
        while self.position(SEARCH) < head:
            if not self._behind.running:
                self.index()
            elif time.monotonic() < deadline:
                time.sleep(LOOK_SECONDS)
            if time.monotonic() >= deadline and self.position(SEARCH) < head:
                raise IndexBehind(f"{self.position(SEARCH)} / {head}")

    # -- the worker ----------------------------------------------------------------------------

    def step(self) -> bool:
        """All erasures and ended log-ins, and some of the index; True if there is more to do."""
        self.end_log_ins()
        self.erase()
        return self.index()

    def start(self, wait: Callable[[int, float], int]) -> None:
        """Work in a thread from now on. ``wait(after, seconds)`` returns at news of the log."""
        self._behind.start(wait)

    def stop(self, wake: Callable[[], None]) -> None:
        """End the thread; what it had not done is taken up again at the next start. ``wake`` lets
        its ``wait`` return."""
        self._behind.stop(wake)


def _patiently(work: Callable[[], T]) -> T:
    """Do it when the others let us: with effects done in turn, a process that empties the index of
    a million persons holds the lock for longer than PostgreSQL waits for it."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return work()
        except StoreLocked:
            if time.monotonic() > deadline:
                raise


def _end_log_ins(db: Sql, fact: Event) -> None:
    if isinstance(fact, LoginName.LoggedOut):
        db.execute("DELETE FROM sessions WHERE login=?", (fact.login,))
    elif isinstance(fact, LoginName.SecondFactorRemoved):
        drop_factor(db, fact.login, fact.factor)
        if fact.way is not FactorWay.OWN:
            db.execute("DELETE FROM sessions WHERE login=?", (fact.login,))
    elif isinstance(fact, LoginName.ProviderUnbound) and fact.way in TAKEN_AWAY:
        db.execute("DELETE FROM sessions WHERE login=?", (fact.login,))


def _with_keys(db: Sql, persons: Sequence[UUID]) -> set[UUID]:
    """Those who still have their key: who was erased meanwhile gets no entry."""
    keys = tuple({person.bytes for person in persons})
    if not keys:
        return set()
    marks = ",".join("?" * len(keys))
    rows = db.execute(f"SELECT person FROM keys WHERE person IN ({marks})", keys).fetchall()  # noqa: S608
    return {UUID(bytes=person) for (person,) in rows}


def _ids_of(persons: Sequence[UUID]) -> list[UUID]:
    """All ids under which these persons may stand in a state."""
    streams = [Person.id_of(person, drill) for person in persons for drill in (False, True)]
    return list(dict.fromkeys([*persons, *streams]))
