"""A list's households into the log: small commits, each household once, whatever happens.

A household's id is derived from the random id that the vault has for its head, never from the
ID number itself; so a run that was killed goes on, a file that is read again changes nothing,
and a household that is known already is found whichever file or form it came from.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from uuid import UUID, uuid4, uuid5

from cli.intake.guard import IntakeLimits
from cli.intake.reader import open_list
from cli.intake.rows import Outcome, ParsedHousehold, ParsedMember, RowResult, read_rows
from domain.base import NAMESPACE
from domain.commands.households import HouseholdInput, RegisterHouseholds
from domain.commands.sealing import CardInput, MemberInput
from domain.household import Relation
from domain.person import Person
from domain.rules.household_kinds import HouseholdKinds
from eventstore.outcomes import Envelope, Receipt, Refused
from eventstore.store import Store

BATCH = 40
RELATIONS: dict[str, Relation] = {
    "户主": Relation.HEAD, "本人": Relation.HEAD, "户主本人": Relation.HEAD,
    "配偶": Relation.SPOUSE, "妻": Relation.SPOUSE, "妻子": Relation.SPOUSE,
    "夫": Relation.SPOUSE, "丈夫": Relation.SPOUSE,
    "子": Relation.CHILD, "女": Relation.CHILD, "长子": Relation.CHILD, "次子": Relation.CHILD,
    "长女": Relation.CHILD, "次女": Relation.CHILD, "儿子": Relation.CHILD, "女儿": Relation.CHILD,
    "独生子": Relation.CHILD, "独生女": Relation.CHILD, "养子": Relation.CHILD,
    "儿媳": Relation.CHILD_IN_LAW, "女婿": Relation.CHILD_IN_LAW, "媳": Relation.CHILD_IN_LAW,
    "孙": Relation.GRANDCHILD, "孙子": Relation.GRANDCHILD, "孙女": Relation.GRANDCHILD,
    "外孙": Relation.GRANDCHILD, "外孙子": Relation.GRANDCHILD, "外孙女": Relation.GRANDCHILD,
    "父": Relation.PARENT, "母": Relation.PARENT, "父亲": Relation.PARENT, "母亲": Relation.PARENT,
    "祖父": Relation.GRANDPARENT, "祖母": Relation.GRANDPARENT,
    "爷爷": Relation.GRANDPARENT, "奶奶": Relation.GRANDPARENT,
    "兄": Relation.SIBLING, "弟": Relation.SIBLING, "姐": Relation.SIBLING, "妹": Relation.SIBLING,
    "兄弟": Relation.SIBLING, "姐妹": Relation.SIBLING,
}  # fmt: skip
"""Words of the lists; a word that is not here is OTHER, never a reason to refuse."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a row was not taken: cell, value (masked), rule, both sentences."""

    row: int
    cell: str
    value: str
    rule: str
    zh: str
    en: str


@dataclass(slots=True)
class Report:
    """What became of a file. ``known`` households were there already and stay as they are."""

    rows: int = 0
    registered: int = 0
    known: int = 0
    members: int = 0
    skipped: int = 0
    contested: int = 0
    notes: int = 0
    faults: list[Fault] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Places:
    """How a list's village becomes an area: by code, by name inside the area of the import."""

    by_code: dict[str, UUID]
    by_name: dict[str, list[UUID]]
    default: UUID | None

    def find(self, household: ParsedHousehold) -> UUID | tuple[str, str, str]:
        """The village, or what is wrong: value and both sentences."""
        if household.village_code:
            found = self.by_code.get(household.village_code)
            if found is not None:
                return found
            value = household.village_code
            return value, "本辖区没有这个行政村代码", "There is no village of that code here."
        if household.village_name:
            named = self.by_name.get(plain_name(household.village_name), [])
            if len(named) == 1:
                return named[0]
            zh, en = "本辖区没有这个村", "There is no village of that name here."
            if named:
                zh, en = "本辖区有多个同名的村，请填区划代码", "Several villages have that name."
            return household.village_name, zh, en
        if self.default is not None:
            return self.default
        return "", "没有村名，也未指定 --village", "No village here, and no --village was given."


def plain_name(name: str) -> str:
    """A village's name without its kind, as lists vary: 双峰居委会 → 双峰."""
    for ending in (
        "社区居民委员会",
        "村民委员会",
        "居民委员会",
        "社区居委会",
        "村委会",
        "居委会",
        "社区",
        "村",
    ):
        if name.endswith(ending) and len(name) > len(ending):
            return name.removesuffix(ending)
    return name


class Importer:
    """One run over one file."""

    def __init__(
        self, store: Store, officer: UUID | None, places: Places, kinds: HouseholdKinds,
        *, default_category: str, progress: Callable[[Report], None] | None = None,
    ) -> None:  # fmt: skip
        self._store = store
        self._officer = officer
        self._places = places
        self._kinds = kinds
        self._category = default_category
        self._progress = progress or (lambda _: None)
        self.report = Report()
        self._waiting: dict[UUID, list[tuple[int, HouseholdInput]]] = {}

    def check(self, path: Path, today: date, limits: IntakeLimits | None = None) -> Report:
        """Read the whole file and write nothing: what would be refused, row by row."""
        for result in self._results(path, today, limits):
            found = self._take(result)
            if found is not None:
                self.report.registered += 1
        return self.report

    def run(self, path: Path, today: date, limits: IntakeLimits | None = None) -> Report:
        """Read and register. Rows that are wrong are reported, the others kept."""
        for result in self._results(path, today, limits):
            found = self._take(result)
            if found is None:
                continue
            village, household = found
            waiting = self._waiting.setdefault(village, [])
            waiting.append((result.row, household))
            if len(waiting) >= BATCH:
                self._commit(village)
        for village in list(self._waiting):
            self._commit(village)
        return self.report

    def _results(self, path: Path, today: date, limits: IntakeLimits | None) -> Iterator[RowResult]:
        with open_list(path, limits=limits) as opened:
            for result in read_rows(opened, today=today):
                self.report.rows += 1
                if self.report.rows % 1000 == 0:
                    self._progress(self.report)
                yield result
        self._progress(self.report)

    def _take(self, result: RowResult) -> tuple[UUID, HouseholdInput] | None:
        report = self.report
        report.notes += len(result.notes)
        if result.outcome is Outcome.REFUSED:
            for p in result.problems:
                report.faults.append(Fault(result.row, p.cell, p.value, p.rule, p.zh, p.en))
        elif result.outcome is Outcome.SKIPPED:
            report.skipped += 1
        elif result.household is not None:
            return self._place(result.row, result.household)
        return None

    def _place(self, row: int, parsed: ParsedHousehold) -> tuple[UUID, HouseholdInput] | None:
        village = self._places.find(parsed)
        if isinstance(village, tuple):
            self._fault(row, "village", *village)
            return None
        kind = self._kinds.by_name(parsed.category) if parsed.category else None
        if parsed.category and kind is None:
            zh, en = (
                "现行规则中没有这种家庭类型",
                "The rulebook in force has no such household kind.",
            )
            self._fault(row, "category", parsed.category, zh, en)
            return None
        category = kind.key if kind is not None else self._category
        return village, self._input(parsed, category)

    def _fault(self, row: int, rule: str, value: str, zh: str, en: str) -> None:
        self.report.faults.append(Fault(row, str(row), value, rule, zh, en))

    def _input(self, parsed: ParsedHousehold, category: str) -> HouseholdInput:
        people = (parsed.head, *parsed.members)
        members = tuple(_member(one, head=one is parsed.head) for one in people)
        holder = parsed.card_holder or parsed.head
        card = None
        if parsed.card:
            place = next((n for n, one in enumerate(people) if one.row == holder.row), 0)
            card = CardInput(number=parsed.card, bank=parsed.bank or "", holder=place)
        assert parsed.head.id_number is not None
        person = self._store.vault.person_for(parsed.head.id_number)
        return HouseholdInput(
            id=uuid5(NAMESPACE, f"household/{person}"),
            members=members,
            category=category,
            group=parsed.group or "",
            card=card,
            phone=parsed.phone,
            address=parsed.address,
            unnamed=max(0, parsed.size - len(members)),
        )

    def _commit(self, village: UUID) -> None:
        """Register the waiting households of a village, those that are not known yet."""
        waiting = self._waiting.pop(village)
        new = [(row, one) for row, one in waiting if not self._known(one)]
        self.report.known += len(waiting) - len(new)
        if not new:
            return
        if not self._send(village, new) and len(new) > 1:
            for one in new:  # one of them is refused: each by itself, so that the others are kept
                self._send(village, [one])

    def _known(self, household: HouseholdInput) -> bool:
        if self._store.log.stream_rows(household.id, upto_version=1):
            return True
        head = next(m for m in household.members if m.relation is Relation.HEAD)
        person = self._store.vault.find_person(head.id_number or "")
        if person is None:
            return False
        claimed = self._store.load(Person.id_of(person, exercise=False))
        return claimed is not None and bool(claimed.claims)

    def _send(self, village: UUID, rows: list[tuple[int, HouseholdInput]]) -> bool:
        """Whether the batch was taken. A single refused household becomes a fault of its row."""
        command = RegisterHouseholds(village=village, households=tuple(one for _, one in rows))
        envelope = Envelope(id=uuid4(), officer=self._officer, command=command)
        (answer,) = self._store.run_many([envelope])
        if isinstance(answer, Receipt):
            self.report.registered += len(rows)
            self.report.members += sum(len(one.members) for _, one in rows)
            self.report.contested += len(answer.result.get("contested", ()))
            return True
        if not isinstance(answer, Refused):
            raise answer
        if len(rows) == 1:
            problem = answer.problem
            self._fault(rows[0][0], problem.code, "", problem.zh, problem.en)
        return False


def _member(parsed: ParsedMember, *, head: bool) -> MemberInput:
    relation = RELATIONS.get(parsed.relation or "", Relation.OTHER)
    if not head and relation is Relation.HEAD:
        relation = Relation.OTHER
    return MemberInput(
        name=parsed.name,
        relation=Relation.HEAD if head else relation,
        id_number=parsed.id_number,
    )
