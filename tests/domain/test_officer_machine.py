"""Posts, substitutes, hand-over and suspension in any order, against a toy model."""

from dataclasses import dataclass, field
from datetime import date, timedelta

from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from hypothesis.strategies import integers, sampled_from

from domain.access import permits
from domain.commands.officers import (
    AppointOfficer,
    EndAppointment,
    EndSubstitution,
    HandOver,
    NameSubstitute,
    ReinstateOfficer,
    SuspendOfficer,
)
from domain.officer import AlreadySuspended, NotSuspended, Officer, SuspendedOfficerChosen
from domain.posts import EndsOnlyShorten, NothingToHandOver, Post, StandsInForOneself
from domain.refusal import Refusal
from domain.rules.base import china_day
from domain.world import Actor, Command, Role
from tests.domain.county import make_county, register

NAMES = ("a", "b", "c")
VILLAGES = ("yuantan_1", "yuantan_2", "shuihou_1")
names = sampled_from(NAMES)


@dataclass
class Toy:
    """Who holds which post until when, who stands in, who is suspended, who counts as whom."""

    holder: dict[str, str] = field(default_factory=dict)
    village: dict[str, str] = field(default_factory=dict)
    last_day: dict[str, date] = field(default_factory=dict)
    stand_ins: dict[str, tuple[str, str, date]] = field(default_factory=dict)
    suspended: set[str] = field(default_factory=set)
    persons: dict[str, set[str]] = field(default_factory=lambda: {n: {n} for n in NAMES})

    def lives(self, post: str, day: date) -> bool:
        return day <= self.last_day[post]

    def acts(self, name: str, village: str, day: date) -> list[set[str]]:
        """The sets of persons this officer may count as there: own posts, else substituted."""
        if name in self.suspended:
            return []
        posts = [p for p, v in self.village.items() if v == village and self.lives(p, day)]
        if any(self.holder[p] == name for p in posts):
            return [self.persons[name]]
        return [
            self.persons[name] | self.persons[self.holder[post]]
            for substitute, post, last in self.stand_ins.values()
            if substitute == name and post in posts and day <= last
        ]


class OfficerMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.county = make_county()
        for name in NAMES:
            register(self.county, name, "county")
        self.toy = Toy()
        self.count = 0

    @property
    def today(self) -> date:
        return china_day(self.county.now)

    def id(self, name: str):  # type: ignore[no-untyped-def]
        return self.county.officers[name]

    def tried(self, command: Command, refusal: type[Refusal] | None) -> bool:
        """Run it; it must be refused exactly when the toy says so."""
        self.county.when(command, by="admin")
        if refusal is not None:
            self.county.then(refusal)
            return False
        assert isinstance(self.county.outcome, list), self.county.outcome
        return True

    @rule(name=names, village=sampled_from(VILLAGES), days=integers(0, 5))
    def appoint(self, name: str, village: str, days: int) -> None:
        toy, today = self.toy, self.today
        for post, holder in toy.holder.items():
            if (holder, toy.village[post]) == (name, village) and toy.lives(post, today):
                return
        self.count += 1
        post = f"post{self.count}"
        command = AppointOfficer(
            id=self.county.id(post),
            officer=self.id(name),
            role=Role.VILLAGE_REPORTER,
            area=self.county.id(village),
            post=Post.A,
            starts_on=today,
            ends_on=today + timedelta(days=days),
        )
        if self.tried(command, SuspendedOfficerChosen if name in toy.suspended else None):
            toy.holder[post], toy.village[post] = name, village
            toy.last_day[post] = today + timedelta(days=days)

    @precondition(lambda self: self.toy.holder)
    @rule(pick=integers(0, 99), days=integers(-1, 3))
    def end_a_post(self, pick: int, days: int) -> None:
        post = sorted(self.toy.holder)[pick % len(self.toy.holder)]
        day = self.today + timedelta(days=days)
        command = EndAppointment(
            officer=self.id(self.toy.holder[post]),
            appointment=self.county.id(post),
            ends_on=day,
            reason="任满",
        )
        if self.tried(command, EndsOnlyShorten if day >= self.toy.last_day[post] else None):
            self.toy.last_day[post] = day

    @precondition(lambda self: self.toy.holder)
    @rule(pick=integers(0, 99), name=names, days=integers(0, 3))
    def name_a_substitute(self, pick: int, name: str, days: int) -> None:
        toy = self.toy
        post = sorted(toy.holder)[pick % len(toy.holder)]
        self.count += 1
        substitution = f"substitution{self.count}"
        last = self.today + timedelta(days=days)
        command = NameSubstitute(
            id=self.county.id(substitution),
            officer=self.id(toy.holder[post]),
            appointment=self.county.id(post),
            substitute=self.id(name),
            starts_on=self.today,
            ends_on=last,
        )
        refusal: type[Refusal] | None = None
        if name == toy.holder[post]:
            refusal = StandsInForOneself
        elif name in toy.suspended:
            refusal = SuspendedOfficerChosen
        if self.tried(command, refusal):
            toy.stand_ins[substitution] = (name, post, last)

    @precondition(lambda self: self.toy.stand_ins)
    @rule(pick=integers(0, 99))
    def end_a_substitution(self, pick: int) -> None:
        substitution = sorted(self.toy.stand_ins)[pick % len(self.toy.stand_ins)]
        _, post, _ = self.toy.stand_ins.pop(substitution)
        command = EndSubstitution(
            officer=self.id(self.toy.holder[post]), substitution=self.county.id(substitution)
        )
        self.tried(command, None)

    @rule(name=names, successor=names)
    def hand_over(self, name: str, successor: str) -> None:
        toy = self.toy
        moved = [p for p, h in toy.holder.items() if h == name and toy.lives(p, self.today)]
        command = HandOver(officer=self.id(name), successor=self.id(successor), reason="调离")
        refusal: type[Refusal] | None = None
        if not moved:
            refusal = NothingToHandOver
        elif name == successor:
            refusal = StandsInForOneself
        elif successor in toy.suspended:
            refusal = SuspendedOfficerChosen
        if not self.tried(command, refusal):
            return
        gone = [s for s, (n, p, _) in toy.stand_ins.items() if name in (n, toy.holder[p])]
        for substitution in gone:
            del toy.stand_ins[substitution]
        toy.persons[successor] |= toy.persons[name]
        for post in moved:
            toy.holder[post] = successor

    @rule(name=names)
    def suspend(self, name: str) -> None:
        refusal = AlreadySuspended if name in self.toy.suspended else None
        if self.tried(SuspendOfficer(officer=self.id(name), reason="调查"), refusal):
            self.toy.suspended.add(name)

    @rule(name=names)
    def reinstate(self, name: str) -> None:
        refusal = None if name in self.toy.suspended else NotSuspended
        if self.tried(ReinstateOfficer(officer=self.id(name), reason="查清"), refusal):
            self.toy.suspended.discard(name)

    @rule(days=integers(1, 2))
    def wait(self, days: int) -> None:
        self.county.wait(days=days)

    @invariant()
    def everybody_may_do_what_the_toy_says_and_counts_as_those_persons(self) -> None:
        county = self.county
        for name in NAMES:
            officer = county.load(Officer, self.id(name))
            for village in VILLAGES:
                expected = [
                    {county.id(f"person/{person}") for person in persons}
                    for persons in self.toy.acts(name, village, self.today)
                ]
                try:
                    lineage = (county.id(village), county.id("county"))
                    actor: Actor | None = permits(
                        officer, frozenset({Role.VILLAGE_REPORTER}), lineage, county.now
                    )
                except Refusal:
                    actor = None
                if actor is None:
                    assert not expected
                else:
                    assert set(actor.persons) in expected


OfficerMachine.TestCase.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
TestOfficers = OfficerMachine.TestCase
