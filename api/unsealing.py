"""What a person may read once they have said why: the sealed texts of a household.

The reason is in the log before a text is opened (`Household.Revealed`). The texts go into this
one answer only: no outcome, no log and no cache keeps them.
"""

from typing import Any

from domain.commands.households import RevealHousehold
from domain.household import Household
from domain.world import Command, Sealed
from eventstore.store import Store


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
