"""Heads who may be registered already: under a number since corrected, under another head, or in
another village of the same officer's area; members who count in another household under a number
that was typed otherwise. A list's row cannot say which, so a person is asked.

Two people of one name are common, and no reason to ask. It is one where something else agrees as
well: the phone, the account, a member, or an ID number but for two digits.
"""

from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import NamedTuple
from uuid import UUID

from domain.area import Area
from domain.commands.sealing import digits
from domain.household import Household
from domain.masking import mask_id
from domain.person import Person
from eventstore.names import Hit, called, inhabited
from eventstore.store import Store
from intake import cells as read
from intake.columns import Column
from intake.entries import Entry
from intake.rows import ParsedMember
from intake.stored import Difference, StoredHousehold

FEW = 40
"""Heads of one name who are compared one by one. Of more, those are looked up who can agree: so a
list made of one name is compared as completely, and does not cost the square of its length."""
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

    village: UUID
    number: str | None
    phones: frozenset[str]
    card: str | None

    def agree(self, other: "_Marks") -> str | None:
        """In what two households of one name agree, or None. That nothing is known of a number
        counts within a village only: elsewhere it says too little. Who has the very number is
        found by it, not by the name: another run registered them just now."""
        if self.number is not None and self.number == other.number:
            return None
        if self.phones & other.phones:
            return "phone"
        if self.card is not None and self.card == other.card:
            return "card"
        if self.number is None or other.number is None:
            return "no-number" if self.village == other.village else None
        return "number" if _mistyped(self.number, other.number) else None

    def traits(self) -> Iterator[tuple[str, str]]:
        """Two that agree have one of these in common, or one of them has no number.

        A number is cut into three (every third digit, so that none is the division code, which
        all have): of three parts two wrong digits leave one as it is.
        """
        yield from (("phone", phone) for phone in self.phones)
        if self.card is not None:
            yield "card", self.card
        if self.number is None:
            yield _UNNUMBERED
        else:
            yield from ((f"number {part}", self.number[part:17:3]) for part in range(3))


_UNNUMBERED = ("number", "")


def _mistyped(one: str, other: str) -> bool:
    """The last character is worked out from the others, so it does not count."""
    return sum(a != b for a, b in zip(one[:17], other[:17], strict=True)) <= MISTYPED


def _phones(text: str | None) -> frozenset[str]:
    return frozenset(map(digits, text.split("、"))) if text else frozenset()


class _Head(NamedTuple):
    """One who is compared: ``stored`` is what the question calls them, a masked name or a cell."""

    stored: str
    marks: _Marks
    household: UUID | None = None


class _Known(NamedTuple):
    """One who counts in a household of the officer's own area under an ID number."""

    number: str
    masked: str
    village: UUID
    heads: bool


class _Namesakes:
    """Heads of one name. About 300 bytes a head while they are few, four times that when many."""

    __slots__ = ("_by_key", "all")

    def __init__(self) -> None:
        self.all: list[_Head] = []
        self._by_key: dict[tuple[str, str], list[_Head]] | None = None

    def add(self, head: _Head) -> None:
        self.all.append(head)
        if self._by_key is None and len(self.all) <= FEW:
            return
        new = [head]
        if self._by_key is None:
            self._by_key, new = {}, self.all
        for one in new:
            for key in one.marks.traits():
                self._by_key.setdefault(key, []).append(one)

    def agreeing(self, marks: _Marks) -> tuple[_Head, str] | None:
        """One of them who agrees in something, and in what."""
        by_key = self._by_key
        if by_key is None:
            maybe: Iterable[_Head] = self.all
        else:
            keys = (*marks.traits(), _UNNUMBERED)
            maybe = chain.from_iterable(by_key.get(key, ()) for key in keys)
        pairs = ((one, marks.agree(one.marks)) for one in maybe)
        return next(((one, agrees) for one, agrees in pairs if agrees is not None), None)


class Doubles:
    """The questions of one import. ``mine``: whether its officer may register in a village."""

    def __init__(self, store: Store, mine: Callable[[UUID], bool]) -> None:
        self._store = store
        self._mine = mine
        self._seen: dict[int, _Namesakes] = {}
        self._stored: dict[str, _Namesakes] = {}
        self._people: dict[str, list[_Known]] = {}
        self._villages: set[UUID] | None = None

    def of(self, entry: Entry, person: UUID | None, cell: str) -> Difference | None:
        """Why this head may be in the log already; ``person`` is the vault's, ``cell`` names the
        head's ID number in the file."""
        found = self._claimed(entry, person) if person is not None else None
        found = found or self._named(entry) or self._mistyped_of(entry)
        return found or self._twice(entry, cell)

    def _claimed(self, entry: Entry, person: UUID) -> Difference | None:
        """A household of the officer's own area in which the head is at home."""
        for household in self._homes(person):
            if not self._mine(household.village):
                continue
            heads = household.head == person
            if heads and household.village == entry.village:
                continue  # another run registered it just now
            facts = {"stored": household.head_masked, "village": self._name_of(household.village)}
            rule = "head-elsewhere" if heads else "head-is-member"
            return self._doubt(entry, rule, facts)
        return None

    def _homes(self, person: UUID) -> Iterator[Household]:
        """The households of which a person is a member."""
        claimed: Person | None = self._store.load(Person.id_of(person, self._store.training))
        for claim in claimed.claims if claimed is not None else ():
            household: Household | None = self._store.load(claim)
            if household is not None and person in household.members:
                yield household

    def _name_of(self, village: UUID) -> str:
        area: Area | None = self._store.load(village)
        assert area is not None, "a household lives somewhere"
        return area.name

    def _named(self, entry: Entry) -> Difference | None:
        """A household of the officer's own area whose head has the name, and agrees in more."""
        assert entry.parsed is not None
        heads = self._heads(entry)
        if not heads.all:
            return None
        found = heads.agreeing(self._marks(entry)) or self._sharing(entry, heads)
        return None if found is None else self._same(entry, "head-maybe-same", *found)

    def _mistyped_of(self, entry: Entry) -> Difference | None:
        """A person of the new household who counts in another one, under another number. As heads
        of both the two have been compared in all that tells them apart."""
        assert entry.parsed is not None and entry.village is not None
        head, *others = entry.parsed.head, *entry.parsed.members
        found = self.of_person(head, entry.village, heads=False)
        return found or next(filter(None, (self.of_person(o, entry.village) for o in others)), None)

    def of_person(
        self, one: ParsedMember, village: UUID, *, heads: bool = True
    ) -> Difference | None:
        """A person of the officer's own area who has the name, and an ID number that differs in a
        digit or two. ``heads``: who heads a household is looked at too."""
        if one.id_number is None:
            return None
        same = self._called(one.name, village)
        if any(known.number == one.id_number for known in same):
            return None  # found by the number itself
        for known in same:
            if (heads or not known.heads) and _mistyped(known.number, one.id_number):
                facts = {"stored": known.masked, "village": self._name_of(known.village)}
                shown = mask_id(one.id_number)
                rule = "person-maybe-same"
                return Difference(rule, Column.ID_NUMBER, one.row, shown, facts, one.slot)
        return None

    def _called(self, name: str, village: UUID) -> list[_Known]:
        """Who is stored by that name in the officer's own area, with an ID number; each is loaded
        once a run."""
        if name in self._people:
            return self._people[name]
        people: list[_Known] = []
        for hit in self._hits(name, village):
            household: Household | None = self._store.load(hit.household)
            member = household.members.get(hit.person) if household is not None else None
            if household is None or member is None or member.id_number is None:
                continue
            number = self._store.vault.reveal(member.id_number, household.id, "id_number")
            if number is not None:
                heads = household.head == hit.person
                people.append(_Known(number, member.masked, household.village, heads))
        if people:
            self._people[name] = people
        return people

    def _hits(self, name: str, village: UUID) -> list[Hit]:
        """Who is called so, as lists are read, in the officer's own area or that village."""
        villages = sorted(self._inhabited() | {village})
        hits = self._store.find(name, villages, exercise=self._store.training)
        return called(self._store.vault, hits, lambda one: (read.name(one)[0] or one) == name)

    def _heads(self, entry: Entry) -> _Namesakes:
        """The heads of a new household's name who are stored in the officer's own area, each
        loaded once a run."""
        assert entry.parsed is not None and entry.village is not None
        name = entry.parsed.head.name
        if name in self._stored:
            return self._stored[name]
        heads = _Namesakes()
        for id in sorted({hit.household for hit in self._hits(name, entry.village)}):
            stored = StoredHousehold(self._store, id)
            if stored.head_name != name:
                continue
            here = stored.household
            phones = _phones(stored.phone)
            marks = _Marks(here.village, stored.head_number, phones, stored.card)
            heads.add(_Head(here.head_masked, marks, here.id))
        if heads.all:
            self._stored[name] = heads
        return heads

    def _inhabited(self) -> set[UUID]:
        """The villages of the officer's own area that have households as the import begins."""
        if self._villages is None:
            self._villages = set(filter(self._mine, inhabited(self._store.vault)))
        return self._villages

    def _sharing(self, entry: Entry, heads: _Namesakes) -> tuple[_Head, str] | None:
        """One of the heads in whose household a member of this one is at home."""
        assert entry.parsed is not None
        numbers = [one.id_number for one in entry.parsed.members if one.id_number is not None]
        persons = self._store.vault.find_persons(numbers) if numbers else {}
        homes = {home.id for person in persons.values() for home in self._homes(person)}
        return next(((one, "member") for one in heads.all if one.household in homes), None)

    def _twice(self, entry: Entry, cell: str) -> Difference | None:
        """An earlier row of the file that agrees likewise."""
        found = self._namesakes(entry).agreeing(self._marks(entry))
        if found is not None:
            return self._same(entry, "head-maybe-twice", *found)
        self.remember(entry, cell)
        return None

    def remember(self, entry: Entry, cell: str) -> None:
        """A head of the file, with whom later rows are compared."""
        self._namesakes(entry).add(_Head(cell, self._marks(entry)))

    def _namesakes(self, entry: Entry) -> _Namesakes:
        assert entry.parsed is not None
        return self._seen.setdefault(hash(entry.parsed.head.name), _Namesakes())

    @staticmethod
    def _marks(entry: Entry) -> _Marks:
        assert entry.parsed is not None and entry.village is not None
        one = entry.parsed
        return _Marks(entry.village, one.head.id_number, _phones(one.phone), one.card)

    def _same(self, entry: Entry, rule: str, head: _Head, agrees: str) -> Difference:
        zh, en = _AGREES[agrees]
        facts = {"stored": head.stored, "agrees_zh": zh, "agrees_en": en}
        if head.marks.village != entry.village:
            facts["village"] = self._name_of(head.marks.village)
            rule += "-elsewhere"
        return self._doubt(entry, rule, facts)

    @staticmethod
    def _doubt(entry: Entry, rule: str, facts: dict[str, str]) -> Difference:
        assert entry.parsed is not None
        shown = mask_id(entry.head)
        return Difference(rule, Column.ID_NUMBER, entry.parsed.head.row, shown, facts)
