"""Free texts: what people write in their own words, where the name of a person may stand.

A fact is decided with the words as they were written. As the store takes it, these fields are
sealed (decision 0038); log, topics and views hold a token in their place, which is opened for each
answer anew. Facts of earlier days keep their plain texts.

Which field is which goes by its name, wherever it occurs: ``FREE`` are the sealed ones, ``PLAIN``
all others that are texts. A test holds that every text of every fact is in one of the two.
"""

import re
from collections.abc import Callable
from typing import Any
from uuid import UUID

import msgspec

from domain.base import Aggregate, Event
from domain.casualty_record import CasualtyRecord
from domain.hints import TextsCalled
from domain.house_damage import HouseDamage
from domain.household import Household
from domain.person import Person
from domain.relief_case import ReliefCase
from domain.world import World

FREE = frozenset(
    {"cause", "details", "ethnic_group", "forecast", "narrative", "note", "opinion", "outcome"}
    | {"place", "reason", "relation", "remark", "structure", "whom", "without_list_reason"}
)

PLAIN: dict[str, str] = {
    name: why
    for why, names in {
        "a code or key of rules or of the program": (
            "also_to area_code category code condition epoch figures goods group_code"
            " hazard hazards into_code item key keys kind kinds legacy_code level origin_code"
            " programme rate rows rule schema_version severity sex stage status step"
            " sub_hazard topic version view decided earmark split"
        ),
        "a sentence or rule that a rulebook says": "content en zh",
        "the number of a document, a certificate or a vehicle": (
            "certificate document_no receipt_no source_document_no vehicle"
        ),
        "the name of a place, an event, a team or an institution": "bank group name owner",
        "a mask, which names nobody by itself": "card masked masked_name signed_by",
        "the digest of a file, of a row, of the whole log": (
            "document_sha256 photo_sha256 root sha256"
        ),
        "the account of somebody who keeps machine or ledger": "login operator",
        "a mark of the machine or of the store": "boot_id born host timeline",
        "the address of an identity provider; a keyed hash of an account there": "provider subject",
    }.items()
    for name in names.split()
}
"""Texts that are stored as they are, and why nobody's personal data stand in them."""

ECHOED = frozenset(
    {"en", "file", "item", "key", "problem_en", "problem_zh", "programme"}
    | {"sentences_en", "sentences_zh", "value", "zh"}
)
"""Texts of refusals that repeat what was typed, before any rulebook has known it for a code.

A fact never has them so; a refusal does, and is stored. `PLAIN` holds for facts.
"""

FIGURE = re.compile(
    r"[+-]?\d{1,10}(\.\d{1,6})?"
    r"|\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)?)?",
    re.ASCII,
)
"""A number or a time: what an `ECHOED` text may be besides a known key to stay as it is. A longer
row of digits may be the number of a phone, an identity card or a bank card."""

TOKEN = re.compile("\x02([0-9a-f]{32}):([0-9a-f,]+):([A-Za-z0-9+/=]+)(?:~([0-9]+))?\x03")
"""Stream, whose keys, what is sealed, and how many characters of it are to be shown.

It begins and ends with control characters, which nobody can type: the edge refuses them.
"""


def token(stream: UUID, keys: tuple[UUID, ...], box: str) -> str:
    """What stands in place of a sealed text."""
    return f"\x02{stream.hex}:{','.join(key.hex for key in keys)}:{box}\x03"


def is_sealed(text: str) -> bool:
    """Whether this is a token and nothing beside it."""
    return TOKEN.fullmatch(text) is not None


def shortened(text: str, longest: int) -> str:
    """At most so many characters of a text; of a sealed one, once it is opened."""
    if is_sealed(text):
        return f"{text[:-1]}~{longest}\x03"
    return text if len(text) <= longest else text[: longest - 1] + "…"


# whose keys


def owners_of(world: World, aggregate: Aggregate, fact: Event) -> tuple[UUID, ...]:
    """Under whose keys the free texts of a fact are sealed, all of them: without one, no text.

    What is written of a household or its case may name any of its members, so that it goes with
    the first who is erased. Else it is the person the thing is about, or the thing itself.
    """
    match aggregate:
        case Household():
            named = getattr(fact, "person", None)
            present = tuple(aggregate.members)
            also = () if named is None or named in present else (named,)
            return present + also or (aggregate.id,)
        case ReliefCase():
            household = world.look(Household, aggregate.household)
            return (tuple(household.members) if household else ()) or (aggregate.household,)
        case CasualtyRecord():
            return (aggregate.person,)
        case HouseDamage():
            return (aggregate.name.person,)
        case Person() if isinstance(fact, Person.Erased):
            return (aggregate.birth_village,)  # the reason of an erasure is not erased by it
        case _:
            return (aggregate.id,)


# which texts of a fact

Change = Callable[[str, str], str]
"""A field's path and its text to the text that stands in its place."""

free_fields = TextsCalled(FREE)


def change_texts(fact: Event, change: Change) -> None:
    """Put ``change(path, text)`` in the place of each free text of a fact that is not blank."""
    values = vars(fact)
    for name, nested in free_fields(type(fact)).items():
        values[name] = _changed(values[name], name, nested, change)


def _changed(value: Any, path: str, nested: bool, change: Change) -> Any:
    if not nested:
        return change(path, value) if isinstance(value, str) and value.strip() else value
    if isinstance(value, tuple | list):
        return type(value)(_changed(one, path, nested, change) for one in value)
    if not isinstance(value, msgspec.Struct):
        return value
    inner = {
        name: _changed(getattr(value, name), f"{path}.{name}", deeper, change)
        for name, deeper in free_fields(type(value)).items()
    }
    return msgspec.structs.replace(value, **inner)
