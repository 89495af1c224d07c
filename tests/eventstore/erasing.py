"""A town with an approver, and a household from which one person went away and may be erased.

As a script (``python -m tests.eventstore.erasing PLACE``) it erases that person and lets the vault
follow, so that a test can kill it on the way.
"""

import sys
from datetime import date
from uuid import UUID

from domain.commands.erasure import ErasePerson
from domain.commands.households import AddMember, RemoveMember
from domain.commands.officers import AppointOfficer, RegisterOfficer
from domain.commands.sealing import MemberInput
from domain.household import Household
from domain.household_members import Relation
from domain.world import Role, Sealed
from eventstore.store import Store
from tests.eventstore.support import (
    DOCUMENT,
    SINCE,
    found_town,
    named,
    new_household,
    officer,
    open_store,
    place_of,
    send,
)
from tests.id_numbers import id_number

HOME = "home"
HEAD, GONE = "欧阳翠花", "慕容建国"
NUMBER = id_number(62)
DAY = date(2018, 7, 1)


def with_officer(store: Store, name: str, role: Role, area: str) -> None:
    """Somebody more in post."""
    send(
        store,
        RegisterOfficer(person=named(f"person/{name}"), full_name=f"赵{name}", area=named(area)),
    )
    send(
        store,
        AppointOfficer(
            id=named(f"appointment/{name}"),
            officer=officer(name),
            role=role,
            area=named(area),
            starts_on=SINCE,
        ),
    )


def town_with_a_leaver(store: Store) -> UUID:
    """Answers the person who left."""
    found_town(store)
    with_officer(store, "approver", Role.COUNTY_APPROVER, "county")
    send(store, new_household(HEAD, id_number(61), key=HOME), by="reporter")
    joins = MemberInput(name=GONE, relation=Relation.OTHER, id_number=NUMBER)
    join = AddMember(household=named(f"household/{HOME}"), member=joins, reason="投靠")
    person = UUID(str(send(store, join, by="reporter").result["person"]))
    left = RemoveMember(household=named(f"household/{HOME}"), person=person, on=DAY, reason="外迁")
    send(store, left, by="reporter")
    return person


def sealed_name(store: Store) -> Sealed:
    """The name of who left, as the log keeps it for ever."""
    for recorded in store.history(named(f"household/{HOME}")):
        if isinstance(recorded.event, Household.MemberAdded):
            return recorded.event.member.name
    raise AssertionError


def erase_person(store: Store, person: UUID) -> None:
    erase = ErasePerson(person=person, reason="应急响应结束", document_no=DOCUMENT)
    send(store, erase, by="approver")


if __name__ == "__main__":
    here = open_store(place_of(sys.argv[1]))
    erase_person(here, UUID(sys.argv[2]))
    while here.effects.step():
        pass
    here.close()
