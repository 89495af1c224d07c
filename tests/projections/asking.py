"""Every question that can be put to the views, with arguments out of a store's own rows.

The queries are found, not listed: whatever function of the views takes a connection. A parameter
that is new wants a line in `VALUES`; a query that no call reaches fails `test_both_databases`.
"""

import importlib
import inspect
import itertools
import pkgutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select

import projections
from api.filters import FINDINGS
from api.routes import READS
from domain.area import AreaLevel
from domain.lateness import NEVER_HELD, HeldSpan, HeldTime
from domain.world import Role
from eventstore.names import Hit
from projections.areas import AREAS
from projections.asking.officer_lists import STATES
from projections.asking.paging import Page
from projections.asking.scope import EVERYTHING, Scope
from projections.asking.searching import Names
from projections.asking.work import Asked, Post
from projections.folding.base import LOGICAL
from projections.households import HOUSEHOLDS
from projections.households import STATES as HOUSEHOLD_STATES
from projections.officers import APPOINTMENTS

MOST_VALUES = 15
SMALL_PAGE = 7
MOST_PAGES = 12
SEARCHES = ("", "一", "镇", "王", "a", "A", "皖", "%", "_", "\\", "〔2018〕", "X' OR 1=1")

Question = Callable[[Connection], Any]


def _columns(*names: str) -> list[Any]:
    """Columns by ``table.column``; ``*.column`` is that of every table which has it."""
    found = []
    for name in names:
        table, column = name.split(".")
        tables = LOGICAL.tables.values() if table == "*" else [LOGICAL.tables[table]]
        found += [one.c[column] for one in tables if column in one.c]
    return found


IDS = {
    "area": "areas.id",
    "county": "areas.id",
    "into": "areas.id",
    "itself": "areas.id",
    "parent": "areas.id",
    "warehouse": "areas.id",
    "village": "areas.id",
    "holder": "areas.id",
    "officer": "officers.id",
    "asker": "officers.id",
    "report": "situation_reports.report",
    "disaster": "disasters.id",
    "incident": "incidents.id",
    "subject": "timeline_streams.id",
    "stockpile": "stock_balances.stockpile",
    "lot": "stock_lots.lot",
    "consignment": "consignments.id",
    "fund": "funds.id",
    "household": "households.id",
    "person": "household_members.person",
    "season": "seasons.id",
    "case": "ledger.id",
    "village_list": "village_lists.id",
}
TEXTS = {
    "role": ("officer_appointments.role",),
    "kind": ("reviews.kind", "units.kind", "fund_flows.kind", "deadlines.kind"),
    "step": ("reviews.step",),
    "stage": ("disasters.stage",),
    "status": ("*.status",),
    "review": ("situation_reports.review",),
    "hazard": ("situation_reports.hazard",),
    "item": ("stock_balances.item",),
    "category": ("households.category",),
    "programme": ("seasons.programme",),
    "document_no": ("funds.document_no", "funds.source_document_no", "stock_moves.document_no"),
    "topic": ("timeline.topic",),
    "code": ("areas.code",),
}
GIVEN: dict[str, tuple[Any, ...]] = {
    "notice": ("first", "second"),
    "group": ("-", "03", "第三组"),
    "level": ("township", "village"),
    "search": SEARCHES,
    "q": (*SEARCHES, "3408", "yuantan", "340824101", "340824101001"),
    "on": (date(2016, 6, 1), date(2018, 9, 1)),
    "as_of": (None, date(2016, 6, 1), date(2018, 1, 10)),
    "since": (None, date(2018, 9, 1)),
    "until": (None, date(2018, 12, 31)),
    "certified_until": (None, date(2018, 12, 31)),
    "state": (*STATES, *HOUSEHOLD_STATES),
    "year": (2016, 2017, 2018, 2**40),
    "each": (1,),
    "things": ("households", "funds"),
    "matter": ("report_review", "incident_triage"),
}
PAGED = ("cursor", "limit")


def queries() -> list[Callable[..., Any]]:
    """Every function of the views that takes a connection, private ones too."""
    found: list[Callable[..., Any]] = []
    for module in pkgutil.walk_packages(projections.__path__, "projections."):
        for one in vars(importlib.import_module(module.name)).values():
            if inspect.isfunction(one) and one.__module__ == module.name:
                kinds = [p.annotation for p in inspect.signature(one).parameters.values()]
                if Connection in kinds:
                    found.append(one)
    return found


@dataclass
class Asking:
    """Questions about the store that ``db`` reads; every value is taken from its rows."""

    db: Connection

    @cached_property
    def moments(self) -> list[datetime]:
        column = LOGICAL.tables["timeline"].c.at
        found = self.db.execute(select(column).order_by(column)).scalars().all()
        picked = [datetime.fromisoformat(found[len(found) * n // 3]) for n in (1, 2)]
        last = datetime.fromisoformat(found[-1])
        return [last, *picked, last + timedelta(days=90)]

    @cached_property
    def scopes(self) -> list[Scope]:
        """The whole store; the first areas of each level; two areas at once."""
        found: list[Scope] = [EVERYTHING]
        roots = self.db.execute(select(AREAS.c.level, AREAS.c.id).order_by(AREAS.c.code)).all()
        for _, of_level in itertools.groupby(sorted(roots, key=lambda r: r[0]), lambda r: r[0]):
            found += [Scope((UUID(id),)) for _, id in list(of_level)[:2]]
        found.append(Scope((UUID(roots[-1][1]), UUID(roots[-2][1]))))
        return found

    def values(self, name: str, annotation: Any) -> list[Any]:
        """What to ask with for a parameter of this name."""
        if name == "at":
            return list(self.moments)
        if name == "held":  # the clock goes as it should, is held, or was held once
            last, first, second, _ = self.moments
            return [NEVER_HELD, HeldTime(last), HeldTime(None, (HeldSpan(first, second),))]
        if name in ("first", "last"):  # positions of the log
            column = LOGICAL.tables["timeline"].c.position
            found = self.db.execute(select(column).order_by(column)).scalars().all()
            return [found[0], found[len(found) // 2]] if name == "first" else [found[-1]]
        if name == "persons":
            persons = self._distinct("household_members.person")[:3]
            return [(), tuple(UUID(one) for one in persons)]
        if name == "ids":  # of things of several kinds
            some = [self._distinct(IDS[kind])[:3] for kind in ("area", "household", "disaster")]
            return [[UUID(id) for ids in some for id in ids]]
        if name == "names":
            return [None, self.called]
        if name == "meant":
            return [None, meaning]
        if name == "named":
            return [(), tuple(UUID(one) for one in self._distinct("households.id")[:3])]
        if name == "namesakes":
            return [self.alike]
        if name == "cases":
            return [self._distinct(IDS["case"])]
        if name == "among":
            return [None, FINDINGS[::2]]
        if name == "villages":
            return [[UUID(one) for one in self._distinct("village_lists.area")]]
        if name == "asked":
            return [replace(one, whole=n % 2 == 0) for n, one in enumerate(self.workers[::2])]
        if annotation in (bool, bool | None):
            return [True, False]
        if name in GIVEN:
            return list(GIVEN[name])
        if name in IDS:
            ids = self._distinct(IDS[name])
            chosen = ids[:: max(1, len(ids) // MOST_VALUES)]
            if name == "into":  # a village goes into another, and a disaster into another
                chosen += self._distinct("disasters.id")[:5]
            return [one if annotation is str else UUID(one) for one in chosen]
        found = self._distinct(*TEXTS[name])
        if name == "kind":
            return [*found, *FINDINGS]
        return [*found, ",".join(found)] if name == "role" else found  # several at once too

    @cached_property
    def workers(self) -> list[Asked]:
        """Whoever asks for work: the first officer of every role, and one with two posts."""
        a = APPOINTMENTS.c
        query = select(a.officer, a.role, a.area, AREAS.c.level)
        query = query.join(AREAS, AREAS.c.id == a.area).order_by(a.role, a.area, a.officer)
        posts = [
            (UUID(row.officer), Post(Role(row.role), UUID(row.area), AreaLevel(row.level)))
            for row in self.db.execute(query)
        ]
        first = {post.role: (officer, (post,)) for officer, post in reversed(posts)}
        both = (posts[0][0], (posts[0][1], replace(posts[-1][1], standing_for=posts[-1][0])))
        return [
            Asked(
                officer=officer,
                posts=held,
                at=self.moments[0],
                scopes=tuple(Scope((post.area,)) for post in held),
            )
            for officer, held in (*first.values(), both)
        ]

    @cached_property
    def called(self) -> Names:
        """An index of names that knows each third household by the name that is searched for."""
        rows = self.db.execute(select(HOUSEHOLDS.c.id, HOUSEHOLDS.c.area).order_by(HOUSEHOLDS.c.id))
        known = [(UUID(area), UUID(id)) for id, area in rows.all()[::3]]

        def named(villages: Sequence[UUID], *, exercise: bool | None) -> list[Hit]:
            del exercise
            return [Hit(area, id, id) for area, id in known if area in villages]

        return named

    def alike(self, household: UUID, person: UUID) -> list[Hit]:
        """An index of names in which the heads of every third household are called the same."""
        del household, person
        h = HOUSEHOLDS.c
        query = select(h.area, h.id, h.head).where(h.head.is_not(None)).order_by(h.id)
        rows = self.db.execute(query).all()[::3]
        return [Hit(UUID(area), UUID(id), UUID(head)) for area, id, head in rows]

    def _distinct(self, *names: str) -> list[str]:
        found: set[str] = set()
        for column in _columns(*names):
            query = select(column).where(column.is_not(None)).distinct()
            found |= set(self.db.execute(query).scalars())
        return sorted(found)

    def calls(self, query: Callable[..., Any]) -> Iterator[dict[str, Any]]:
        """Arguments: plain, then one parameter after the other with all its values.

        Nothing for a helper whose arguments only its callers can make; a new parameter of a route
        raises KeyError.
        """
        parameters = list(inspect.signature(query).parameters.values())[1:]
        named = [p for p in parameters if p.name not in ("scope", *PAGED)]
        needed = [p for p in named if p.default is p.empty or p.name == "at"]
        known = {*IDS, *TEXTS, *GIVEN, "at", "persons", "ids", "exercise", "asked"}
        known |= {"namesakes", "villages", "held", "named", "cases", "first", "last"}
        if query.__name__.startswith("_") or any(p.name not in known for p in needed):
            if query in {read.query for read in READS}:
                raise KeyError(f"{query.__name__}: {[p.name for p in needed]}")
            return
        values = {p.name: self.values(p.name, p.annotation) for p in named}
        if any(not values[p.name] for p in needed):
            raise KeyError(f"{query.__name__}: no rows to ask it with")
        plain = {p.name: values[p.name][0] for p in needed}
        yield plain
        for p in named:
            for value in values[p.name][p.name in plain :]:
                yield plain | {p.name: value}
                if p.name == "search" and "meant" in values:
                    yield plain | {"search": value, "meant": meaning}

    def questions(self, query: Callable[..., Any]) -> Iterator[tuple[str, Question]]:
        """The calls in the whole store; the plain one page by page and in every scope too."""
        parameters = inspect.signature(query).parameters
        scoped, paged = "scope" in parameters, "cursor" in parameters
        for n, call in enumerate(self.calls(query)):
            for scope in self.scopes if scoped and n == 0 else [EVERYTHING]:
                first = (scope,) if scoped else ()
                yield f"{query.__name__}{first}{call}", _asked(query, first, call)
            if paged and n == 0:
                first = (EVERYTHING,) if scoped else ()
                yield f"{query.__name__} by pages {call}", _by_pages(query, first, call)


def meaning(word: str) -> set[str]:
    """Rulebooks in which these are called by whatever is searched for; nothing is called 皖."""
    known = {"flood", "wind_hail", "flooding", "winter_spring", "quilt", "tent_12"}
    return set() if word == "皖" else known


def _asked(query: Callable[..., Any], first: tuple[Any, ...], call: dict[str, Any]) -> Question:
    return lambda db: query(db, *first, **call)


def _by_pages(query: Callable[..., Any], first: tuple[Any, ...], call: dict[str, Any]) -> Question:
    def ask(db: Connection) -> list[Page]:
        found: list[Page] = []
        cursor = None
        for _ in range(MOST_PAGES):
            one = query(db, *first, **call, cursor=cursor, limit=SMALL_PAGE)
            found += [one] if one is not None else []
            if one is None or one.next is None:
                break
            cursor = one.next
        return found

    return ask
