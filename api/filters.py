"""What the filters of questions may say: words of a closed set, words of the rulebooks, known ids.

Whoever mistypes a filter would else read an empty answer as "there is none". A word of a closed
set is looked at before anything is asked (422 with the words allowed). What can only be judged
against the store, a word of a rulebook or the id of a thing, is looked at when nothing was found:
an answer with rows has proved its filters. A thing that does not exist and one of another
jurisdiction are answered alike, as everywhere (404).
"""

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import Connection, exists, or_, select

from api.auth import Caller
from api.problems import ApiProblem, malformed
from api.words import rules_for
from domain.case_checks import Stage as CaseStage
from domain.catalog import AGGREGATES
from domain.consignment import Phase
from domain.disaster import DisasterStage
from domain.household_move import MoveEnd
from domain.incident import Stage
from domain.notice import Notice
from domain.refusal import NotFound
from domain.report_filing import Review
from domain.roster import ListStage
from domain.rules.base import china_day
from domain.rules.hazards import Hazards
from domain.rules.household_kinds import HouseholdKinds
from domain.rules.items import Items
from domain.rules.standards import PROGRAMMES
from domain.telling import RULES
from domain.telling import STATES as STATES_SAID
from domain.unit import UnitKind
from domain.world import ROLE_NAMES, Role
from projections.areas import AREAS
from projections.asking.case_states import STATES
from projections.asking.fund_books import fund
from projections.asking.officer_lists import STATES as LOG_IN_STATES
from projections.asking.paging import Page
from projections.asking.scope import Scope
from projections.asking.stock_books import stockpile
from projections.disasters import disaster
from projections.households import HOUSEHOLDS, MOVES
from projections.households import STATES as HOUSEHOLD_STATES
from projections.lists import village_list
from projections.officers import OFFICERS
from projections.proposals import STATES as PROPOSAL_STATES
from projections.seasons import SEASONS
from projections.sections.review_lists import LIST_ROLES
from projections.timeline import STREAMS

if TYPE_CHECKING:
    from api.reads import Read

OLDEST_YEAR = 1949
MOST_WORDS_SAID = 40
"""A sentence says no more of the allowed words; the answer's ``allowed`` has all of them."""

KNOWN = {**RULES, **STATES_SAID, **{role.value: said for role, said in ROLE_NAMES.items()}}
"""What people call a key."""

POSTS = tuple(str(role) for role in Role if role is not Role.SYSTEM)
DUTIES = (
    "initial_report",
    "follow_up",
    "verified_report",
    "forward_report",
    "send_upward",
    "notice_end",
    "season_assessment",
    "season_delivery",
    "list_delivery",
    "goods_needed",
    "goods_arrival",
)
STEPS = (
    "review",
    "issue",
    "make_up",
    "correct",
    "order",
    "ship",
    "receive",
    "write_off",
    "close",
)
FLOWS = (
    "appropriated",
    "passed_down",
    "received",
    "returned",
    "got_back",
    "committed",
    "released",
    "paid",
    "failed",
    "refunded",
)
FINDINGS = (
    "person_twice",
    "person_contested",
    "many_contests",
    "need_without_grant",
    "grant_without_need",
    "held_after_loss",
    "over_standard",
    "equal_amounts",
    "payment_failed",
    "delivery_overdue",
    "split_differs",
    "split_leaves_out",
    "casualties_hidden",
    "parts_larger",
    "likely_same",
    "many_unsealings",
    "maybe_one_person",
    "registered_twice",
    "never_sent_upward",
    "administrator_recovered",
)


def _topics() -> Iterator[str]:
    for aggregate in AGGREGATES:
        yield f"{aggregate.__name__}."
        yield from (fact.topic() for fact in aggregate.event_classes())


WORDS: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("situation_reports", "review"): tuple(Review),
    ("deadlines", "kind"): DUTIES,
    ("review_queue", "role"): POSTS,
    ("review_queue", "kind"): ("report", "village_list", "consignment"),
    ("review_queue", "step"): tuple(dict.fromkeys((*STEPS, *LIST_ROLES))),
    ("review_counts", "role"): POSTS,
    ("disasters", "stage"): tuple(DisasterStage),
    ("timeline", "topic"): tuple(_topics()),
    ("officers", "role"): POSTS,
    ("officers", "state"): LOG_IN_STATES,
    ("post_proposals", "state"): PROPOSAL_STATES,
    ("incidents", "status"): tuple(Stage),
    ("units", "status"): ("free", "assigned", "off_duty"),
    ("units", "kind"): tuple(UnitKind),
    ("consignments", "status"): tuple(Phase),
    ("fund_flows", "kind"): FLOWS,
    ("household_moves", "status"): ("offered", "expired", "accepted", *MoveEnd),
    ("households", "state"): tuple(HOUSEHOLD_STATES),
    ("seasons", "programme"): PROGRAMMES,
    ("ledger", "programme"): PROGRAMMES,
    ("ledger", "status"): tuple(dict.fromkeys((*CaseStage, *STATES))),
    ("ledger_by_area", "programme"): PROGRAMMES,
    ("ledger_by_area", "level"): ("township", "village"),
    ("ledger_totals", "programme"): PROGRAMMES,
    ("village_lists", "status"): tuple(ListStage),
    ("notice", "notice"): tuple(Notice),
    ("findings", "kind"): FINDINGS,
}
"""The words of each closed set, by query and parameter."""

SEVERAL = frozenset({("review_queue", "role"), ("review_counts", "role")})
"""Where several words may be given, with commas between."""

RULED: Mapping[str, tuple[type[Any], str]] = {
    "hazard": (Hazards, "hazards"),
    "item": (Items, "items"),
    "category": (HouseholdKinds, "kinds"),
}
"""Parameters whose words the rulebooks give: which of them, and where in it."""

FREE = frozenset({"search", "document_no", "cursor", "group", "q"})
"""Texts that people write: nothing found is an answer."""

PLACES = frozenset({"itself", "warehouse", "holder", "county", "into", "parent"})
"""Parameters that name an area."""


def _has_season(db: Connection, scope: Scope, id: UUID) -> bool:
    """A season is seen from below too: it runs there."""
    here = select(SEASONS.c.id).where(SEASONS.c.id == str(id), scope.reaches(SEASONS.c.area))
    return db.execute(here).first() is not None


def _has_household(db: Connection, scope: Scope, id: UUID) -> bool:
    """A household is seen where it lives, and its move where it is offered to."""
    lives = select(HOUSEHOLDS.c.id).where(
        HOUSEHOLDS.c.id == str(id), scope.covers(HOUSEHOLDS.c.area)
    )
    offered = select(MOVES.c.household).where(
        MOVES.c.household == str(id), or_(scope.covers(MOVES.c.area), scope.covers(MOVES.c.origin))
    )
    return db.execute(lives.union(offered)).first() is not None


def _has_officer(db: Connection, scope: Scope, id: UUID) -> bool:
    here = select(OFFICERS.c.id).where(OFFICERS.c.id == str(id), scope.covers(OFFICERS.c.area))
    return db.execute(here).first() is not None


def _has_subject(db: Connection, scope: Scope, id: UUID) -> bool:
    here = select(STREAMS.c.id).where(STREAMS.c.id == str(id), scope.covers(STREAMS.c.area))
    return db.execute(here).first() is not None


Knows = Callable[[Connection, Scope, UUID], bool]
THINGS: Mapping[str, tuple[str, Knows]] = {
    "disaster": ("Disaster", lambda db, scope, id: disaster(db, scope, disaster=id) is not None),
    "season": ("Season", _has_season),
    "stockpile": (
        "Stockpile",
        lambda db, scope, id: stockpile(db, scope, stockpile=id) is not None,
    ),
    "fund": ("Fund", lambda db, scope, id: fund(db, scope, fund=id) is not None),
    "village_list": (
        "VillageList",
        lambda db, scope, id: village_list(db, scope, village_list=id) is not None,
    ),
    "household": ("Household", _has_household),
    "officer": ("Officer", _has_officer),
    "subject": ("Subject", _has_subject),
}
"""Parameters that name a thing: its kind, and whether somebody may know of it."""


def check_words(caller: Caller, read: "Read", given: Mapping[str, Any]) -> None:
    """422 for a word that is none of its set, with those that are."""
    wrong = []
    for name, value in given.items():
        asked = (read.query.__name__, name)
        words = WORDS.get(asked)
        if words is not None and value is not None:
            said = value.split(",") if asked in SEVERAL else [value]
            if any(one not in words for one in said):
                wrong.append(none_of(name, words))
        if name == "year" and value is not None:
            last = china_day(caller.system.store.clock.now()).year + 1
            if not OLDEST_YEAR <= value <= last:
                wrong.append(
                    {
                        "field": name,
                        "rule": "out_of_range",
                        "zh": f"年份应在 {OLDEST_YEAR} 至 {last} 之间",
                        "en": f"A year lies between {OLDEST_YEAR} and {last}.",
                    }
                )
    if wrong:
        raise malformed(wrong)


def none_of(name: str, words: tuple[str, ...]) -> dict[str, Any]:
    """The error of a parameter that says none of these words, each with what people call it."""
    more = ["…"] if len(words) > MOST_WORDS_SAID else []
    zh, en = ([_called(word, which) for word in words[:MOST_WORDS_SAID]] + more for which in (0, 1))
    return {
        "field": name,
        "rule": "not_allowed",
        "zh": f"没有这个取值；可用的取值：{'、'.join(zh)}",
        "en": f"There is no such value. Allowed: {', '.join(en)}.",
        "allowed": list(words),
    }


def _called(word: str, which: int) -> str:
    """A key, which has to be sent as it is; in Chinese with its name behind it, if it has one."""
    name = KNOWN.get(word)
    return f"{word}（{name[0]}）" if name and which == 0 else str(word)


def check_known(
    caller: Caller, read: "Read", db: Connection, given: Mapping[str, Any], found: Any
) -> None:
    """What only the store can judge, where an answer has no rows to prove it.

    Raises 404 for a thing or an area that is not there for this caller, 422 for a word that is in
    no rulebook in force for the caller's areas or below them.
    """
    if found.items if isinstance(found, Page) else read.of_one:
        return
    scope = caller.scope(read.roles, None)
    for name, value in given.items():
        if value is None or name not in read.parameters:
            continue
        if name in PLACES:
            here = exists().where(AREAS.c.id == str(value), scope.covers(AREAS.c.id))
            if not db.execute(select(here)).scalar():
                raise NotFound(kind="Area", id=value)
        elif name in THINGS:
            kind, knows = THINGS[name]
            if not knows(db, scope, value):
                raise NotFound(kind=kind, id=value)


def unruled(caller: Caller, read: "Read", given: Mapping[str, Any]) -> ApiProblem | None:
    """The problem of a word that is in no rulebook in force here or below; None if there is none.

    Asks for rulebooks, so it is asked outside of a connection to the views.
    """
    wrong = []
    for name, value in given.items():
        if value is None or name not in RULED or name not in read.parameters:
            continue
        kind, part = RULED[name]
        rules = rules_for(caller, kind, caller.system.store.clock.now())
        words = tuple(dict.fromkeys(one.key for rule in rules for one in getattr(rule, part)))
        if words and value not in words:
            wrong.append(none_of(name, words))
    return malformed(wrong) if wrong else None
