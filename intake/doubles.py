"""Heads who may be registered already: under a number since corrected, under another head, or in
another village of the same officer's area. A list's row cannot say which, so a person is asked.

Two people of one name in one village are common, and no reason to ask. It is one where something
else agrees as well: the phone, the account, a member, or an ID number but for two digits.
"""

from collections.abc import Callable
from typing import NamedTuple
from uuid import UUID

from domain.area import Area
from domain.commands.sealing import digits
from domain.household import Household
from domain.masking import mask_id
from domain.person import Person
from eventstore.names import called
from eventstore.store import Store
from intake import cells as read
from intake.columns import Column
from intake.entries import Entry
from intake.stored import Difference, StoredHousehold

NAMESAKES = 40
"""Heads of one name in one village who are compared. No village has more; a list that is made to
have is not compared with all, so that its rows cost no more the longer it is."""
MISTYPED = 2
"""Digits in which a corrected ID number differs at most; a swap of neighbors is two."""

_AGREES = {
    "phone": ("电话相同", "the same phone number"),
    "card": ("账号相同", "the same account"),
    "member": ("有相同的成员", "a member in common"),
    "number": ("身份证号只差一两位", "an ID number that differs in a digit or two"),
    "no-number": ("登记时没有身份证号", "no ID number yet"),
}


class _Marks(NamedTuple):
    """What tells one household of a head's name from another."""

    number: str | None
    phones: frozenset[str]
    card: str | None

    def agree(self, other: "_Marks") -> str | None:
        """In what two households of one name agree, or None."""
        if self.phones & other.phones:
            return "phone"
        if self.card is not None and self.card == other.card:
            return "card"
        if self.number is None or other.number is None:
            return "no-number"
        return "number" if _mistyped(self.number, other.number) else None


def _mistyped(one: str, other: str) -> bool:
    """The last character is worked out from the others, so it does not count."""
    return sum(a != b for a, b in zip(one[:17], other[:17], strict=True)) <= MISTYPED


def _phones(text: str | None) -> frozenset[str]:
    return frozenset(map(digits, text.split("、"))) if text else frozenset()


class Doubles:
    """The questions of one import. ``mine``: whether its officer may register in a village."""

    def __init__(self, store: Store, mine: Callable[[UUID], bool]) -> None:
        self._store = store
        self._mine = mine
        self._seen: dict[int, list[tuple[str, _Marks]]] = {}

    def of(self, entry: Entry, person: UUID | None, cell: str) -> Difference | None:
        """Why this head may be in the log already; ``person`` is the vault's, ``cell`` names the
        head's ID number in the file."""
        found = self._claimed(entry, person) if person is not None else None
        return found or self._named(entry) or self._twice(entry, cell)

    def _claimed(self, entry: Entry, person: UUID) -> Difference | None:
        """A household of the officer's own area in which the head is at home."""
        claimed: Person | None = self._store.load(Person.id_of(person, exercise=False))
        for claim in claimed.claims if claimed is not None else ():
            household: Household | None = self._store.load(claim)
            if household is None or person not in household.members:
                continue
            if not self._mine(household.village):
                continue
            heads = household.head == person
            if heads and household.village == entry.village:
                continue  # another run registered it just now
            area: Area | None = self._store.load(household.village)
            assert area is not None, "a household lives somewhere"
            facts = {"stored": household.head_masked, "village": area.name}
            rule = "head-elsewhere" if heads else "head-is-member"
            return self._doubt(entry, rule, facts)
        return None

    def _named(self, entry: Entry) -> Difference | None:
        """A household of the same village whose head has the name, and agrees in more."""
        assert entry.parsed is not None and entry.village is not None
        name = entry.parsed.head.name
        listed = self._marks(entry)
        hits = self._store.find(name, [entry.village])
        same = called(
            self._store.vault, hits, lambda one: (read.name(one)[0] or one) == name, NAMESAKES
        )
        for household in sorted({hit.household for hit in same}):
            stored = StoredHousehold(self._store, household)
            number = stored.head_number
            if stored.head_name != name or number == listed.number:
                continue  # of that number: another run registered it just now
            agrees = listed.agree(_Marks(number, _phones(stored.phone), stored.card))
            if agrees is None and self._shares(entry, stored.household):
                agrees = "member"
            if agrees is not None:
                return self._same(entry, "head-maybe-same", agrees, stored.household.head_masked)
        return None

    def _shares(self, entry: Entry, household: Household) -> bool:
        assert entry.parsed is not None
        numbers = [one.id_number for one in entry.parsed.members if one.id_number is not None]
        persons = self._store.vault.find_persons(numbers) if numbers else {}
        return not household.members.keys().isdisjoint(persons.values())

    def _twice(self, entry: Entry, cell: str) -> Difference | None:
        """An earlier row of the file that agrees likewise. About 300 bytes a household, and no
        more than `NAMESAKES` of one name in one village are kept."""
        assert entry.parsed is not None and entry.village is not None
        seen = self._seen.setdefault(hash((entry.village, entry.parsed.head.name)), [])
        listed = self._marks(entry)
        for first, marks in seen:
            agrees = listed.agree(marks)
            if agrees is not None:
                return self._same(entry, "head-maybe-twice", agrees, first)
        if len(seen) < NAMESAKES:
            seen.append((cell, listed))
        return None

    @staticmethod
    def _marks(entry: Entry) -> _Marks:
        assert entry.parsed is not None
        one = entry.parsed
        return _Marks(one.head.id_number, _phones(one.phone), one.card)

    def _same(self, entry: Entry, rule: str, agrees: str, stored: str) -> Difference:
        zh, en = _AGREES[agrees]
        return self._doubt(entry, rule, {"stored": stored, "agrees_zh": zh, "agrees_en": en})

    @staticmethod
    def _doubt(entry: Entry, rule: str, facts: dict[str, str]) -> Difference:
        assert entry.parsed is not None
        shown = mask_id(entry.head)
        return Difference(rule, Column.ID_NUMBER, entry.parsed.head.row, shown, facts)
