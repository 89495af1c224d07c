"""The steps of a task of the help (`web.helping`), with the words of the pages that they name.

The title of a task stands in ``messages/help.toml`` under its key, its steps under the key with a
number. A step names buttons and pages by the keys of their own messages, ``[act.pay_list]``, so
that help says what the page says. Where the reader may open the page of that name, it is a link.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import count
from typing import Final

from domain.commands.areas import EstablishAreas
from domain.commands.engaging import EngageOfficer
from domain.commands.households import RegisterHouseholds
from domain.commands.proposing import ProposeEngagement
from domain.commands.relief_cases import ApplyOnBehalf, ApplyVillage
from domain.commands.renewing import RenewPost
from domain.world import Role
from web.did import key_of
from web.forms.pages import BEGUN
from web.helping import POSTS
from web.i18n import Catalog, placeholders
from web.shell import DISPATCH, LEDGER, NAV, OFFICERS, STOCK, NavItem

NAMED: Final = re.compile(r"\[([a-z_0-9]+\.[a-z_0-9]+)\]")
"""A message that a step names by its key."""
LEFT_OPEN: Final = "…"
"""What stands in a named message where its page fills something in."""

TABS: Final[Mapping[str, tuple[str, NavItem]]] = {
    "household.list": ("/households", LEDGER),
    "season.title": ("/seasons", LEDGER),
    "list.title": ("/lists", LEDGER),
    "ledger.findings": ("/findings", LEDGER),
    "stock.consignments": ("/stock/consignments", STOCK),
    "funds.title": ("/funds", STOCK),
    "dispatch.units": ("/dispatch/units", DISPATCH),
    "proposals.title": ("/officers/proposals", OFFICERS),
}
"""Pages beside those of the navigation: for whoever has that desk."""

Door = tuple[str, Collection[Role]]


@dataclass(frozen=True)
class Part:
    """A piece of a step. ``named``: the words of a page; ``href``: the page, if one may open it."""

    text: str
    named: bool = False
    href: str = ""


@cache
def _doors() -> Mapping[str, Door]:
    """Message key of what begins on a page of its own → the page, and who may open it."""
    begun = {
        f"act.{key_of(command.__name__)}": (page, command.roles)
        for command, page in BEGUN.items()
        if "{" not in page
    }
    return {
        **begun,
        **{key: (page, _holders(desk)) for key, (page, desk) in TABS.items()},
        "act.apply_village": ("/cases/apply", ApplyVillage.roles | ApplyOnBehalf.roles),
        "imports.title": ("/households/import", RegisterHouseholds.roles),
        "officers.engage": ("/officers/new", EngageOfficer.roles),
        "officers.by_list": ("/officers/list", EngageOfficer.roles),
        "year_end.title": ("/officers/year-end", RenewPost.roles),
        "proposals.new": ("/officers/proposals/new", ProposeEngagement.roles),
        "divisions.by_list": ("/divisions/list", EstablishAreas.roles),
        "system.backups": ("/system/backups", (Role.ADMINISTRATOR,)),
        "system.sessions": ("/system/sessions", (Role.ADMINISTRATOR,)),
        "work.title": ("/", POSTS),
        "me.title": ("/me", POSTS),
    }


def _holders(desk: NavItem) -> list[Role]:
    return [role for role, items in NAV.items() if desk in items]


def doors_of(roles: Collection[Role]) -> dict[str, str]:
    """Message key → the page that these posts may open by that name."""
    own = {key: page for key, (page, who) in _doors().items() if not set(who).isdisjoint(roles)}
    return own | {item.key: item.href for role in roles for item in NAV[role]}


def steps_of(task: str, words: Catalog, doors: Mapping[str, str]) -> list[list[Part]]:
    """The steps of a task, in pieces."""
    steps = []
    for n in count(1):
        sentence = words.sentences.get(f"help.{task}_{n}")
        if sentence is None:
            break
        steps.append(parts_of(sentence, words, doors))
    return steps


def parts_of(sentence: str, words: Catalog, doors: Mapping[str, str]) -> list[Part]:
    """A step with the words that it names by key. Raises `UnknownMessage`."""
    pieces = NAMED.split(sentence)  # text, key, text, key, …
    return [
        Part(said_by(piece, words), True, doors.get(piece, "")) if n % 2 else Part(piece)
        for n, piece in enumerate(pieces)
        if piece
    ]


def said_by(key: str, words: Catalog) -> str:
    """What a page says by this key, with … where it fills something in."""
    wanted = placeholders(words.sentences.get(key, ""))
    return words.t(key, **dict.fromkeys(wanted, LEFT_OPEN)).strip()
