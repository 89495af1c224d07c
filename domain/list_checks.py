"""What a village list must be before a step is taken: which stage, whose cases, which notices."""

from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from domain.lateness import IN_TIME, Counting
from domain.notice import (
    NoObjectionOpen,
    NothingObjected,
    Notice,
    NoticeNotPosted,
    NoticeRunning,
    NoticeStands,
    ObjectionsOpen,
)
from domain.roster import EmptyList, ListStage, NotOnList, WrongListStage
from domain.rules.standards import Programme

UNDECIDED = (ListStage.DRAFT, ListStage.REVIEWED)
ALLOCATABLE = (ListStage.APPROVED, ListStage.ALLOCATED)


class ListChecks:
    """What `VillageList` is asked before it triggers a fact. A check that fails raises its refusal.

    No aggregate: of a base that is one the library takes the fields for those of the first fact.
    """

    if TYPE_CHECKING:

        @property
        def id(self) -> UUID: ...

        version: int
        stage: ListStage
        cases: dict[UUID, None]
        notices: dict[Notice, datetime]
        objections: dict[UUID, bool]
        showing: Notice | None

    @property
    def open_objections(self) -> int:
        return sum(self.objections.values())

    def must_be(self, *stages: ListStage) -> None:
        if self.stage not in stages:
            raise WrongListStage(village_list=self.id, stage=self.stage, needed=" / ".join(stages))

    def must_hold(self, case: UUID) -> None:
        if case not in self.cases:
            raise NotOnList(village_list=self.id, case=case)

    def check_notice(self, notice: Notice, now: Counting) -> None:
        """The notice has lasted its days and no objection is open (domain.md §2.2, §7.10)."""
        self.check_objections()
        ends_at = self.notices.get(notice)
        if ends_at is None:
            raise NoticeNotPosted(village_list=self.id, notice=notice)
        if now.left(ends_at) > IN_TIME:
            raise NoticeRunning(village_list=self.id, notice=notice, ends_at=ends_at)

    def check_disputed(self) -> None:
        """An objection is open, so that there is something to settle."""
        if not self.open_objections:
            raise NoObjectionOpen(village_list=self.id)

    def check_objected(self) -> None:
        """Somebody has objected, be it settled or not: there is something to be shown."""
        if not self.objections:
            raise NothingObjected(village_list=self.id)

    def check_objections(self) -> None:
        if self.open_objections:
            raise ObjectionsOpen(village_list=self.id, count=self.open_objections)

    def check_postable(self, notice: Notice) -> None:
        """The first notice is posted over a draft, the second over amounts."""
        self.must_be(ListStage.DRAFT if notice is Notice.FIRST else ListStage.ALLOCATED)
        if not self.cases:
            raise EmptyList(village_list=self.id)

    def check_not_posted(self) -> None:
        """No notice counts that a change would make void."""
        if self.notices:
            raise NoticeStands(village_list=self.id)

    def check_showing(self) -> None:
        """A notice hangs, the first or the second."""
        if self.showing is None:
            raise NoticeNotPosted(village_list=self.id, notice="")

    def check_reviewable(self, terms: Programme, now: Counting) -> None:
        """乡审: the first notice is over and nothing is open, where the programme has one."""
        self.must_be(ListStage.DRAFT)
        self._check_shown(terms, now)

    def check_approvable(self, terms: Programme, now: Counting) -> None:
        """县定: the first notice still stands, for objections may have come since."""
        reviewed = terms.requires("township_review")
        self.must_be(ListStage.REVIEWED if reviewed else ListStage.DRAFT)
        self._check_shown(terms, now)

    def _check_shown(self, terms: Programme, now: Counting) -> None:
        self.check_full(())
        if terms.requires("first_notice"):
            self.check_notice(Notice.FIRST, now)

    def check_closable(self) -> None:
        """No objection is open; it is approved, or nothing was ever put on it.

        Whether all that was granted has arrived is not asked here: its cases know.
        """
        self.check_objections()
        self.must_be(*(ALLOCATABLE if self.cases else (*UNDECIDED, *ALLOCATABLE)))

    def check_payable(self, terms: Programme, now: Counting) -> None:
        """Amounts are set, nothing is objected to, and the second notice, where the programme
        has one, stood its days over these very amounts. Of a closed list only what bounced
        later is still to be paid."""
        self.must_be(ListStage.ALLOCATED, ListStage.CLOSED)
        if terms.requires("second_notice"):
            self.check_notice(Notice.SECOND, now)
        self.check_objections()

    def check_full(self, struck: tuple[UUID, ...]) -> None:
        """There are cases on it, and among them all that are to be struck."""
        for case in struck:
            self.must_hold(case)
        if not self.cases:
            raise EmptyList(village_list=self.id)
