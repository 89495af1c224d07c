"""The index by which people are found: who is called what, in which household, in which village.

Erasable, in the vault, and derived: its rows are made from the facts of households once these are
durable (`eventstore.effects`), and made again from the log whenever they are not to be trusted.
The village leads the key, so that a search reads what lies in the asker's jurisdiction and
nothing else. Each household that claims a person has an entry of its own: what one calls the
person never shows in the other.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple, Protocol
from uuid import UUID

from domain.base import Event
from domain.household import Household
from domain.household_members import Member
from domain.person import Person
from eventstore.spelling import END, LONGEST, TEXT, asked, normalized, terms
from eventstore.sql import Sql

VILLAGES_A_QUESTION = 1_500
ROWS_A_QUESTION = 400

Key = bytes
TermRow = tuple[bytes, int, str, bytes, bytes]
"""village, exercise, term, household, person"""


class Hit(NamedTuple):
    """A member whose name fits, and where they live."""

    village: UUID
    household: UUID
    person: UUID


class Readable(Protocol):
    """What a search asks: any thread may, and nobody who writes waits for it."""

    def fetch(self, sql: str, args: Sequence[Any] = ()) -> list[Any]: ...


def find(
    vault: Readable,
    text: str,
    villages: Sequence[UUID] | None = None,
    *,
    exercise: bool | None = False,
) -> list[Hit]:
    """Every member of these villages (None: of all) whose name fits the text, in no order.

    ``exercise``: in earnest, in drills, or (None) in both. A text of Chinese characters fits
    wherever it stands in the name; pinyin and initials fit as the name (or a part of it behind a
    dot) begins.
    """
    wanted = asked(text)
    if not wanted:
        return []
    places = [village.bytes for village in (inhabited(vault) if villages is None else villages)]
    drills = (0, 1) if exercise is None else (int(exercise),) * 2
    found: set[tuple[bytes, bytes, bytes]] = set()
    for start in range(0, len(places), VILLAGES_A_QUESTION):
        some = places[start : start + VILLAGES_A_QUESTION]
        for term in wanted:
            where = f"village IN ({_marks(some)}) AND exercise IN (?,?) AND term >= ? AND term < ?"
            sql = f"SELECT village, household, person FROM name_terms WHERE {where}"  # noqa: S608
            found.update(vault.fetch(sql, (*some, *drills, term, term + END)))
    return [Hit(UUID(bytes=v), UUID(bytes=h), UUID(bytes=p)) for v, h, p in found]


def inhabited(vault: Readable) -> list[UUID]:
    """The villages in which households live, in no order."""
    return [UUID(bytes=row[0]) for row in vault.fetch("SELECT DISTINCT village FROM name_homes")]


def called(vault: Readable, hits: Iterable[Hit], fits: Callable[[str], bool]) -> list[Hit]:
    """Those of the hits whose whole name ``fits``; found without a load."""
    wanted = {(hit.household.bytes, hit.person.bytes): hit for hit in hits}
    households = sorted({household for household, _ in wanted})
    found: list[Hit] = []
    for start in range(0, len(households), ROWS_A_QUESTION):
        some = households[start : start + ROWS_A_QUESTION]
        sql = (
            f"SELECT household, person, name FROM name_entries WHERE household IN ({_marks(some)})"  # noqa: S608
        )
        for household, person, name in vault.fetch(sql, some):
            hit = wanted.get((household, person))
            if hit is not None and fits(name):
                found.append(hit)
    return found


def namesakes(vault: Readable, household: UUID, person: UUID) -> list[Hit]:
    """Members of other households of the same village whose whole name equals this member's, as
    names are compared (`normalized`); in earnest or in drills, as the household is.

    What is answered is yes or no of each: no name leaves the vault.
    """
    home = vault.fetch(
        "SELECT h.village, h.exercise, e.name FROM name_entries e"
        " JOIN name_homes h ON h.household = e.household"
        " WHERE e.household = ? AND e.person = ?",
        (household.bytes, person.bytes),
    )
    if not home or not (whole := normalized(home[0][2])):
        return []
    village, exercise, _ = home[0]
    sql = (
        "SELECT household, person FROM name_terms"
        " WHERE village = ? AND exercise = ? AND term = ? AND household <> ?"
    )
    rows = vault.fetch(sql, (village, exercise, TEXT + whole[:LONGEST], household.bytes))
    hits = [Hit(UUID(bytes=village), UUID(bytes=one), UUID(bytes=who)) for one, who in rows]
    return called(vault, hits, lambda name: normalized(name) == whole)


def _marks(values: Sequence[Any]) -> str:
    return ",".join("?" * len(values))


class Named(NamedTuple):
    """A member of a household, by the name that a fact carries."""

    person: UUID
    name: str


class Changes:
    """What a run of facts does to the index: held in memory, then written as a difference."""

    def __init__(self, db: Sql, households: Iterable[UUID], erased: Iterable[UUID]) -> None:
        self._db = db
        gone = [person.bytes for person in erased]
        touched = {household.bytes for household in households}
        touched.update(row[0] for row in self._rows("household", "name_entries", "person", gone))
        self._gone = set(gone)
        keys = sorted(touched)
        self._homes: dict[Key, tuple[bytes, int]] = {
            row[0]: (row[1], row[2])
            for row in self._rows("household, village, exercise", "name_homes", "household", keys)
        }
        self._entries: dict[Key, dict[Key, str]] = defaultdict(dict)
        for row in self._rows("household, person, name", "name_entries", "household", keys):
            self._entries[row[0]][row[1]] = row[2]
        self._homes_before = dict(self._homes)
        self._entries_before = {key: dict(held) for key, held in self._entries.items()}
        self._keys = keys

    def _rows(self, what: str, table: str, by: str, keys: Sequence[bytes]) -> Iterable[Any]:
        for start in range(0, len(keys), ROWS_A_QUESTION):
            some = keys[start : start + ROWS_A_QUESTION]
            sql = f"SELECT {what} FROM {table} WHERE {by} IN ({_marks(some)})"  # noqa: S608
            yield from self._db.execute(sql, tuple(some)).fetchall()

    # -- what facts do -------------------------------------------------------------------------

    def apply(self, fact: Event, named: Sequence[Named]) -> None:
        """One fact, and the members it tells of by name."""
        match fact:
            case Household.Registered():
                self._homes[fact.originator_id.bytes] = (fact.village.bytes, int(fact.exercise))
            case Household.Moved():
                _, exercise = self._homes[fact.originator_id.bytes]
                self._homes[fact.originator_id.bytes] = (fact.village.bytes, exercise)
            case Household.Merged():
                self._entries[fact.originator_id.bytes].clear()
            case Household.MemberLeft() | Household.MemberDied() | Household.MemberIdentified():
                self._drop(fact.originator_id, fact.person)
            case Household.ContestSettled() if not fact.kept:
                self._drop(fact.originator_id, fact.person)
            case Person.Erased():
                for held in self._entries.values():
                    held.pop(fact.person.bytes, None)
        for member in named:
            self._entries[fact.originator_id.bytes][member.person.bytes] = member.name

    def _drop(self, household: UUID, person: UUID) -> None:
        self._entries[household.bytes].pop(person.bytes, None)

    # -- writing -------------------------------------------------------------------------------

    def write(self) -> None:
        """Bring the tables from what they were to what they are now. Idempotent."""
        before = self._terms(self._homes_before, self._entries_before)
        now = self._terms(self._homes, self._entries)
        db = self._db
        _many(
            db,
            "DELETE FROM name_terms WHERE village = ? AND exercise = ? AND term = ?"
            " AND household = ? AND person = ?",
            before - now,
        )
        _many(db, "INSERT INTO name_terms VALUES (?,?,?,?,?) ON CONFLICT DO NOTHING", now - before)
        old = {(h, p, n) for h, held in self._entries_before.items() for p, n in held.items()}
        new = {(h, p, n) for h, held in self._entries.items() for p, n in held.items()}
        gone = {row[:2] for row in old - new} - {row[:2] for row in new}
        _many(db, "DELETE FROM name_entries WHERE household = ? AND person = ?", gone)
        _many(
            db,
            "INSERT INTO name_entries VALUES (?,?,?) ON CONFLICT (household, person)"
            " DO UPDATE SET name = excluded.name",
            new - old,
        )
        homes = {(key, *home) for key, home in self._homes.items()}
        changed = homes - {(key, *home) for key, home in self._homes_before.items()}
        _many(
            db,
            "INSERT INTO name_homes VALUES (?,?,?) ON CONFLICT (household)"
            " DO UPDATE SET village = excluded.village, exercise = excluded.exercise",
            changed,
        )

    @staticmethod
    def _terms(
        homes: dict[Key, tuple[bytes, int]], entries: dict[Key, dict[Key, str]]
    ) -> set[TermRow]:
        found: set[TermRow] = set()
        for household, held in entries.items():
            if held:
                village, exercise = homes[household]
                for person, name in held.items():
                    for term in terms(name):
                        found.add((village, exercise, term, household, person))
        return found


def _many(db: Sql, sql: str, rows: set[Any]) -> None:
    if rows:
        db.executemany(sql, sorted(rows))


def members_named(fact: object) -> tuple[Member, ...]:
    """The members whose names a fact carries (sealed)."""
    match fact:
        case Household.Registered() | Household.Absorbed():
            return fact.members
        case Household.MemberAdded() | Household.MemberIdentified():
            return (fact.member,)
    return ()


def forget(db: Sql, person: UUID) -> None:
    """Destroy every entry of a person, with its terms."""
    changes = Changes(db, (), [person])
    for held in changes._entries.values():
        held.pop(person.bytes, None)
    changes.write()


def clear(db: Sql) -> None:
    """Empty the index: it will be built from the log."""
    for table in ("name_terms", "name_entries", "name_homes"):
        db.execute(f"DELETE FROM {table}")  # noqa: S608
