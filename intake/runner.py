"""A list's households into the log: small commits, each household once, whatever happens.

A household's id follows from its village, the random id that the vault has for its head, and a
secret of the vault, never from the ID number itself; so a run that was killed goes on, a file
that is read again changes nothing, and two runs at once do not double. A household that was
registered otherwise is found by its head. A head who may be registered already in the officer's
own area is asked about (``doubles``); one whom a household elsewhere claims is registered:
contested. What is found is compared with the list (``stored``): members whom it lacks are added by
the ordinary command, every other difference is told.

Rows are taken in the order of the file, a batch (`intake.batches`) a transaction, whatever
villages they are of; nothing is kept of a batch that is done.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID

from domain.commands.households import AddMember, RegisterHouseholds
from domain.household_members import AlreadyMember
from domain.ids import seeded_id
from domain.refusal import AlreadyExists
from domain.rules.household_kinds import HouseholdKinds
from eventstore.outcomes import Problem, Receipt, Refused
from eventstore.store import Store
from intake.batches import batches, groups, heads_of, registration
from intake.columns import Column, letters
from intake.doubles import Doubles
from intake.entries import Entry, Told, from_cell, missing, out_of_use
from intake.guard import IntakeLimits
from intake.inputs import household_input
from intake.placing import Places, SheetVillage, Unplaced, plain_name
from intake.problems import mask
from intake.reader import OpenList, open_list
from intake.refused import FileRefused
from intake.results import Report, RowReport, Sink
from intake.rows import HiddenRows, Outcome, RowResult, read_rows
from intake.sending import RunMany, Sender
from intake.sent import ListFile
from intake.stored import Difference, Missing, Register, StoredHousehold
from intake.trial import Trial
from intake.village_groups import GroupsThere

__all__ = ["Importer", "Places", "plain_name"]

NAMES_SECONDS = 60.0
"""How long an import waits until all that was registered before can be found by name."""
ADDED_WHY = "名单再次导入，补登成员"
"""The reason that the log keeps with a member whom an import adds."""


@dataclass(frozen=True, slots=True)
class Resumed:
    """An import that was broken off: so many batches are done, with these results. ``doubted``:
    the rows (sheet, row) about whose head there was a question."""

    batches: int
    report: Report
    doubted: frozenset[tuple[str, int]]


class Importer:
    """One run over one file. ``sink`` is given the result of every row, in order.

    ``ignore_columns``: a person has confirmed that no column is missed that looks like codes, ID
    numbers or figures of people and is not understood. ``hidden_rows``: whether rows that a sheet
    hides belong to the list. ``job``, ``run_many``, ``resumed``: of an import that may be broken
    off and goes on, see `Sender`.
    """

    def __init__(
        self,
        store: Store,
        officer: UUID | None,
        places: Places,
        kinds: HouseholdKinds,
        *,
        default_category: str,
        progress: Callable[[Report], None] | None = None,
        sink: Sink | None = None,
        ignore_columns: bool = False,
        hidden_rows: HiddenRows = HiddenRows.ASK,
        job: UUID | None = None,
        run_many: RunMany | None = None,
        resumed: Resumed | None = None,
    ) -> None:
        self._store = store
        self._sender = Sender(store, officer, job, run_many)
        self._resumed = resumed
        self._places = places
        self._kinds = kinds
        self._category = default_category
        self._progress = progress or (lambda _: None)
        self._sink = sink or (lambda _: None)
        self._ignore_columns = ignore_columns
        self._hidden = hidden_rows
        self._sheets: dict[str, SheetVillage | None] = {}
        self.report = Report()
        self._told = Told({})
        self._trial = Trial(store, officer)
        self._book = Register(store)
        self._groups = GroupsThere(store)
        self._barred: dict[UUID, Problem | None] = {}
        self._doubles = Doubles(store, lambda village: self._bar(village) is None)

    def check(self, path: ListFile, today: date, limits: IntakeLimits | None = None) -> Report:
        """Read the whole file and write nothing: what would be refused, row by row.

        Each household is decided by the domain's own code, so what passes here is refused later
        only if somebody else changes something in between.
        """
        return self._go(path, today, limits, self._try)

    def run(self, path: ListFile, today: date, limits: IntakeLimits | None = None) -> Report:
        """Read and register. Rows that are wrong are reported, the others kept."""
        return self._go(path, today, limits, self._register)

    def _go(
        self,
        path: ListFile,
        today: date,
        limits: IntakeLimits | None,
        settle: Callable[[list[Entry]], None],
    ) -> Report:
        self._store.effects.until(self._store.head(), NAMES_SECONDS)
        with open_list(path, limits=limits) as opened:
            self._told = Told({table.sheet: table.header for table in opened.tables})
            self._look_at(opened)
            rows = read_rows(opened, today=today, hidden=self._hidden)
            done = self._begin_again()
            for number, batch in enumerate(batches(map(self._entry, groups(rows)))):
                households = [entry for entry in batch if entry.village is not None]
                if number < done:
                    self._remember(households)
                    continue
                settle(households)
                if number == done:
                    self._recognize(households)
                for entry in batch:
                    self._tell(entry)
                self._progress(self.report)
        return self.report

    def _begin_again(self) -> int:
        """How many batches an import that was broken off has done."""
        if self._resumed is None:
            return 0
        self.report = self._resumed.report
        return self._resumed.batches

    def _remember(self, entries: list[Entry]) -> None:
        """Households of a batch that is done: later rows may be the same again."""
        assert self._resumed is not None
        for entry in entries:
            assert entry.parsed is not None
            if (entry.parsed.sheet, entry.parsed.row) not in self._resumed.doubted:
                self._doubles.remember(entry, self._told.cell_of(entry.parsed))

    def _recognize(self, entries: list[Entry]) -> None:
        """What the batch in which an import was broken off had come to: known by now, by itself."""
        for entry in entries:
            if entry.outcome == "known" and entry.given is not None:
                entry.outcome = self._sender.did(entry.given.id) or "known"
                if entry.outcome == "registered":
                    self.report.members += len(entry.given.members)

    def _look_at(self, opened: OpenList) -> None:
        """Name what of the file is not read. Raises `FileRefused` for columns that look like
        codes, ID numbers or figures of people and are not imported, unless that is confirmed."""
        report = self.report
        report.skipped_sheets = [
            *opened.skipped_sheets,
            *(f"{name}（隐藏）" for name in opened.hidden_sheets),
        ]
        for table in opened.tables:
            header = table.header
            about = self._places.of_sheet(table.sheet, header.titles)
            self._sheets[table.sheet] = about
            if about is not None and about.why is None:
                report.sheet_villages.append(f"{table.sheet}：{about.said}")
            hidden = table.marks.hidden_columns
            report.hidden_columns += [
                f"{table.sheet}!{label}"
                for at, label in header.labels.items()
                if any(first <= at <= last for first, last in hidden)
            ]
            if not table.marks.all:
                report.unmarked_sheets.append(table.sheet)
            report.columns += [
                f"{table.sheet}!{header.names[column]}（{letters(at)}）：{column.value}"
                for column, at in header.columns.items()
            ]
            unused = (*header.unknown, *header.ignored)
            report.unused_columns += [f"{table.sheet}!{name}" for name in unused]
            if header.unsure and not self._ignore_columns:
                named = "、".join(header.unsure)
                raise FileRefused("columns-unsure", sheet=table.sheet, columns=named)

    # -- one household ------------------------------------------------------------------------

    def _entry(self, rows: list[RowResult]) -> Entry:
        """What a group of rows is; its household with village and input, if all that is right."""
        entry = Entry(rows)
        first = rows[0].outcome
        if first is Outcome.SKIPPED:
            entry.outcome = "skipped"
        parsed = next((row.household for row in rows if row.household is not None), None)
        if parsed is None:
            return entry
        entry.parsed = parsed
        try:
            found = self._places.find(parsed, self._sheets[parsed.sheet])
        except Unplaced as why:
            column = Column.VILLAGE_CODE if parsed.village_code else Column.VILLAGE
            shown = mask(column, why.value)
            entry.faults.append(self._told.fault(parsed, column, why.rule, shown, why.zh, why.en))
            return entry
        barred = self._bar(found.village)
        if barred is not None:
            entry.faults.append(self._told.refusal(parsed, barred))
            return entry
        kind = self._kinds.by_name(parsed.category) if parsed.category else None
        if parsed.category and kind is None:
            zh = "现行规则中没有这种家庭类型"
            en = "The rulebook in force has no such household kind."
            shown = mask(Column.CATEGORY, parsed.category)
            fault = self._told.fault(parsed, Column.CATEGORY, "category-unknown", shown, zh, en)
            entry.faults.append(fault)
            return entry
        if found.old is not None:
            self._told.note(entry, out_of_use(parsed, found.old))
        if (unknown := self._groups.unknown(found.village, parsed)) is not None:
            self._told.note(entry, unknown)
        entry.village = found.village
        entry.given = household_input(parsed, kind.key if kind is not None else self._category)
        return entry

    def _bar(self, village: UUID) -> Problem | None:
        """Why this officer may register nobody in that village, if so. Asked once a village."""
        if village not in self._barred:
            nobody = RegisterHouseholds(village=village, households=())
            self._barred[village] = self._trial.refusal(nobody)
        return self._barred[village]

    # -- one batch ----------------------------------------------------------------------------

    def _try(self, entries: list[Entry]) -> None:
        for entry in self._new(entries, self._store.vault.find_persons(heads_of(entries))):
            assert entry.village is not None and entry.given is not None
            why = self._trial.refusal(registration(entry.village, [entry]))
            if why is None:
                entry.outcome = "valid"
            else:
                self._told.refused(entry, why)
        for entry in entries:
            for person, command in self._compare(entry):
                why = self._trial.refusal(command)
                if why is None:
                    self._told.note(entry, missing(person))
                else:
                    self._told.not_added(entry, person, why)

    def _register(self, entries: list[Entry]) -> None:
        """Those that are not known yet, in one transaction: a command a village.

        A refused command is sent again household by household, so that the others are kept.
        """
        vault = self._store.vault
        heads = heads_of(entries)
        persons = vault.find_persons(heads)
        new = self._new(entries, persons)
        strangers = [entry.head for entry in new if entry.head not in persons]
        if strangers:
            made = vault.reserve_persons(strangers)
            for entry in new:
                self._identify(entry, made.get(entry.head))
        by_village: dict[UUID, list[Entry]] = {}
        for entry in new:
            assert entry.village is not None
            by_village.setdefault(entry.village, []).append(entry)
        refused = self._send(list(by_village.items()))
        again = [(village, [one]) for village, several in refused for one in several]
        if again:
            self._send(again)
        self._complete([entry for entry in entries if entry.outcome == "known"])

    def _compare(self, entry: Entry) -> list[tuple[Missing, AddMember]]:
        """Tell how a known household differs from the list; answers whom it lacks, and how to add.

        Nothing is said of a household that has moved out of this officer's jurisdiction.
        """
        if entry.outcome != "known":
            return []
        assert entry.parsed is not None and entry.given is not None
        stored = StoredHousehold(self._store, entry.given.id)
        household = stored.household
        entry.given = replace(entry.given, id=household.id)
        if self._bar(household.village) is not None and household.village != entry.village:
            row = entry.parsed.row
            self._told.note(entry, Difference("stored-elsewhere", Column.VILLAGE, row, "", {}))
            return []
        missing, differ = stored.members(entry.parsed, entry.given)
        people = (entry.parsed.head, *entry.parsed.members)
        doubts = {
            person.place: doubt
            for person in missing
            if (doubt := self._doubles.of_person(people[person.place], household.village))
        }
        missing = [person for person in missing if person.place not in doubts]
        differ += doubts.values()
        added = sum(not person.counted for person in missing)
        groups = self._groups.of(household.village)
        differ += stored.differences(entry.parsed, entry.given, self._kinds, groups, added)
        for one in differ:
            self._told.note(entry, one)
        return [
            (
                person,
                AddMember(
                    household=household.id,
                    reason=ADDED_WHY,
                    member=person.member,
                    counted=person.counted,
                ),
            )
            for person in missing
        ]

    def _complete(self, entries: list[Entry]) -> None:
        """Add to known households the members of the list whom they lack."""
        orders = [(entry, *order) for entry in entries for order in self._compare(entry)]
        if not orders:
            return
        envelopes = [self._sender.adding(*order) for order in orders]
        for (entry, person, _), answer in zip(orders, self._sender.answers(envelopes), strict=True):
            if isinstance(answer, Receipt):
                entry.outcome = "completed"
                self.report.members += 1
                contested = bool(answer.result.get("contested"))
                self.report.contested += contested
                entry.contested = entry.contested or contested
                self._told.note(entry, missing(person, "member-added"))
            elif not isinstance(answer, Refused):
                raise answer
            elif answer.problem.code != AlreadyMember.code():  # else another run was quicker
                self._told.not_added(entry, person, answer.problem)

    def _identify(self, entry: Entry, person: UUID | None) -> None:
        """The household's id follows from its head and its village: two runs of one list, even
        at once, register it once. The secret keeps strangers from taking that id before."""
        if person is not None and entry.given is not None:
            id = seeded_id(self._sender.secret(), "household", person, entry.village)
            entry.given = replace(entry.given, id=id)

    def _new(self, entries: list[Entry], persons: dict[str, UUID]) -> list[Entry]:
        """Those of the entries that are not in the log yet; the others become known, or are
        asked about."""
        found = [entry for entry in entries if entry.head in persons]
        for entry in found:
            self._identify(entry, persons[entry.head])
        begun = self._store.log.begun([entry.given.id for entry in found if entry.given])
        for entry in found:
            assert entry.given is not None and entry.village is not None
            known = entry.given.id if entry.given.id in begun else None
            known = known or self._book.headed_by(persons[entry.head], entry.village)
            if known is not None:
                entry.outcome = "known"
                entry.given = replace(entry.given, id=known)
        new = [entry for entry in entries if entry.outcome != "known"]
        for entry in new:
            assert entry.parsed is not None
            cell = self._told.cell_of(entry.parsed)
            doubt = self._doubles.of(entry, persons.get(entry.head), cell)
            if doubt is not None:
                self._told.asked(entry, doubt)
        return [entry for entry in new if not entry.faults]

    def _send(self, orders: list[tuple[UUID, list[Entry]]]) -> list[tuple[UUID, list[Entry]]]:
        """Answers the refused ones of several households; a single one becomes a fault."""
        if not orders:
            return []
        envelopes = [self._sender.registering(village, entries) for village, entries in orders]
        refused: list[tuple[UUID, list[Entry]]] = []
        for (village, entries), answer in zip(orders, self._sender.answers(envelopes), strict=True):
            if isinstance(answer, Receipt):
                self._accepted(entries, answer)
            elif not isinstance(answer, Refused):
                raise answer
            elif len(entries) > 1:
                refused.append((village, entries))
            elif answer.problem.code == AlreadyExists.code():  # another run was quicker
                entries[0].outcome = "known"
            else:
                self._told.refused(entries[0], answer.problem)
        return refused

    def _accepted(self, entries: list[Entry], receipt: Receipt) -> None:
        contested = {UUID(str(person)) for person in receipt.result.get("contested", ())}
        self.report.contested += len(contested)
        for entry in entries:
            assert entry.given is not None
            entry.outcome = "registered"
            self.report.members += len(entry.given.members)
            if contested:
                numbers = [one.id_number for one in entry.given.members if one.id_number]
                persons = self._store.vault.find_persons(numbers)
                entry.contested = not contested.isdisjoint(persons.values())

    def _tell(self, entry: Entry) -> None:
        """The result of each row, into figures and sink."""
        report = self.report
        if entry.parsed is not None:
            report.registered += entry.outcome == "registered"
            report.known += entry.outcome == "known"
            report.completed += entry.outcome == "completed"
            report.differing += entry.outcome == "known" and bool(entry.notes)
            report.valid += entry.outcome == "valid"
        taken = entry.outcome in ("registered", "known", "completed")
        for row in entry.rows:
            here = [fault for fault in entry.faults if fault.row == row.row]
            here += [from_cell(row, found) for found in row.problems]
            if entry.outcome == "refused" and entry.faults and not here:
                here = [self._told.with_household(row, entry.faults[0].row)]
            told = RowReport(
                row.sheet,
                row.row,
                entry.outcome,
                entry.given.id if taken and entry.given is not None else None,
                entry.contested,
                tuple(here),
                (
                    *(from_cell(row, note) for note in row.notes),
                    *(note for note in entry.notes if note.row == row.row),
                ),
            )
            report.rows += 1
            report.add(told)
            self._sink(told)
