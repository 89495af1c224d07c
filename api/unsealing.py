"""What a person may read once they have said why: the sealed texts of a household, the number of
who called, the text of an objection.

The reason is in the log before a text is opened (`Household.Revealed`, `Incident.CallerRevealed`,
`VillageList.ObjectionRevealed`). The texts go into this one answer only:
no outcome, no log and no cache keeps them.
"""

from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from domain.commands.households import RevealHousehold
from domain.commands.revealing import RevealCaller, RevealObjection
from domain.household import Household
from domain.incident import Incident
from domain.village_list import VillageList
from domain.world import Command, Sealed
from eventstore.clock import since_boot
from eventstore.store import Store

HOLDS: Final = timedelta(minutes=15)
"""So long after a reason was given its officer reads the texts again without another one."""

MOST_LOOKS: Final = 10_000
"""Reasons whose running time a process remembers: those of an hour, at the limits of the edge."""

Reveal = RevealHousehold | RevealCaller | RevealObjection


class RunningLooks:
    """How long this process has known of a reason, by the time since the machine's start, which
    nobody can set. The store's time may stand, go back or start anew while its clock is held: a
    reason that held by it alone could hold for days."""

    def __init__(self, store: Store, boot: Callable[[], float] = since_boot) -> None:
        self._clock, self._boot = store.clock, boot
        self._begun = store.clock.now()
        self._known: OrderedDict[int, float] = OrderedDict()

    def left(self, position: int, recorded_at: datetime, now: datetime) -> timedelta:
        """How much of `HOLDS` is left of a reason by running time; nothing of one that is older
        than this process where the store's time since then cannot be believed."""
        is_of_earlier_run = position not in self._known and recorded_at <= self._begun
        if is_of_earlier_run and (self._clock.held is not None or recorded_at > now):
            return timedelta(0)
        known = self._known.setdefault(position, self._boot())
        if len(self._known) > MOST_LOOKS:
            self._known.popitem(last=False)
        return HOLDS - timedelta(seconds=self._boot() - known)


def open_until(
    store: Store, looks: RunningLooks, command: Reveal, officer: UUID, now: datetime
) -> datetime | None:
    """Until when a reason that this officer gave for this very matter still holds; None: it does
    not, or was never given. The reason in ``command`` is not looked at."""
    stream, fact = _opened_by(command)
    for recorded in reversed(store.history(stream)):
        event = recorded.event
        at: datetime = event.meta.recorded_at
        if at + HOLDS <= now:
            return None
        own = isinstance(event, fact) and event.meta.actor == officer
        if own and getattr(event, "objection", None) == getattr(command, "objection", None):
            until = min(at + HOLDS, now + looks.left(recorded.position, at, now))
            return until if until > now else None
    return None


def _opened_by(command: Reveal) -> tuple[UUID, type[Any]]:
    """The stream that says who looked, and the fact that says it."""
    match command:
        case RevealHousehold():
            return command.household, Household.Revealed
        case RevealCaller():
            return command.incident, Incident.CallerRevealed
        case RevealObjection():
            return command.village_list, VillageList.ObjectionRevealed


def unsealed_household(store: Store, command: Command) -> dict[str, Any]:
    """Members, card, phone and address of the household in plain text.

    null: not recorded, or the person's data have been destroyed.
    """
    assert isinstance(command, RevealHousehold)
    id = command.household
    found = store.load(id)
    assert isinstance(found, Household)

    def plain(sealed: Sealed | None, field: str) -> str | None:
        return None if sealed is None else store.reveal(sealed, id, field)

    phone, address = _contact(store, command)
    card = found.card
    return {
        "members": [
            {
                "person": member.person,
                "relation": member.relation,
                "name": plain(member.name, "name"),
                "id_number": plain(member.id_number, "id_number"),
            }
            for member in found.members.values()
        ],
        "card": card and {"holder": card.holder, "number": plain(card.number, "card")},
        "phone": plain(phone, "phone"),
        "address": plain(address, "address"),
    }


def _contact(store: Store, command: RevealHousehold) -> tuple[Sealed | None, Sealed | None]:
    """The latest phone and address: no decision needs them, so that only the facts hold them."""
    phone: Sealed | None = None
    address: Sealed | None = None
    for recorded in store.history(command.household):
        match recorded.event:
            case Household.Registered() | Household.ContactChanged() as fact:
                phone, address = fact.phone or phone, fact.address or address
            case Household.Moved() as fact:
                address = fact.address or address
    return phone, address


def unsealed_caller(store: Store, command: Command) -> dict[str, Any]:
    """``phone`` of who called. ``erased``: it was destroyed since, and ``phone`` is null."""
    assert isinstance(command, RevealCaller)
    for recorded in store.history(command.incident):
        if isinstance(fact := recorded.event, Incident.Opened) and fact.reporter_phone is not None:
            phone = store.reveal(fact.reporter_phone, command.incident, "reporter_phone")
            return {"phone": phone, "erased": phone is None}
    raise AssertionError("the command refuses where no number was taken down")


def unsealed_objection(store: Store, command: Command) -> dict[str, Any]:
    """The ``text`` of the objection, as who objected said it, its ``kind`` and the ``household``
    it is about. ``erased``: it was destroyed since, and ``text`` is null."""
    assert isinstance(command, RevealObjection)
    for recorded in store.history(command.village_list):
        fact = recorded.event
        if isinstance(fact, VillageList.ObjectionRaised) and fact.objection == command.objection:
            text = store.reveal(fact.text, command.village_list, "objection")
            told = {"objection": fact.objection, "kind": fact.kind, "household": fact.household}
            return {**told, "text": text, "erased": text is None}
    raise AssertionError("the command refuses an objection that nobody raised")
