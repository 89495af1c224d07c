"""A random life of three households and six people, against a toy model of sets."""

from datetime import date
from uuid import UUID

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from domain.commands.contests import ResolveContest
from domain.commands.households import AddMember, RemoveMember
from domain.household import Household
from domain.household_members import Relation
from domain.person import Person
from tests.domain.county import make_county
from tests.domain.ledger import family, member
from tests.id_numbers import id_number

NAMES = ("a", "b", "c")
PEOPLE = range(1, 7)


class HouseholdLives(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.county = make_county()
        self.model: dict[str, set[int]] = {name: set() for name in NAMES}
        for n, name in enumerate(NAMES):
            self.county.given(family(self.county, name, 50 + n, 1), by="village")

    def person(self, serial: int) -> UUID:
        return self.county.vault.person_for(id_number(serial))

    def claimants(self, serial: int) -> set[str]:
        return {name for name in NAMES if serial in self.model[name]}

    @rule(name=st.sampled_from(NAMES), serial=st.sampled_from(PEOPLE))
    def join(self, name: str, serial: int) -> None:
        join = AddMember(
            household=self.county.id(name), member=member(serial, Relation.OTHER), reason="迁入"
        )
        self.county.when(join, by="village")
        refused = isinstance(self.county.outcome, Exception)
        assert refused == (serial in self.model[name])
        self.model[name].add(serial)

    @rule(name=st.sampled_from(NAMES), serial=st.sampled_from(PEOPLE))
    def leave(self, name: str, serial: int) -> None:
        leave = RemoveMember(
            household=self.county.id(name),
            person=self.person(serial),
            on=date(2018, 7, 1),
            reason="迁出",
        )
        self.county.when(leave, by="village")
        refused = isinstance(self.county.outcome, Exception)
        assert refused == (serial not in self.model[name])
        self.model[name].discard(serial)

    @precondition(lambda self: any(len(self.claimants(one)) > 1 for one in PEOPLE))
    @rule(data=st.data())
    def decide(self, data: st.DataObject) -> None:
        disputed = [one for one in PEOPLE if len(self.claimants(one)) > 1]
        serial = data.draw(st.sampled_from(disputed))
        keep = data.draw(st.sampled_from([None, *sorted(self.claimants(serial))]))
        resolve = ResolveContest(
            person=self.person(serial),
            keep=self.county.id(keep) if keep else None,
            reason="核实",
            document_no="1",
        )
        self.county.given(resolve, by="county")
        for name in NAMES:
            if name != keep:
                self.model[name].discard(serial)

    @invariant()
    def log_and_model_agree(self) -> None:
        for name in NAMES:
            household = self.county.load(Household, self.county.id(name))
            assert household.size == len(self.model[name]) + 1
            disputed = {one for one in self.model[name] if len(self.claimants(one)) > 1}
            assert household.contested == {self.person(one) for one in disputed}
        for serial in PEOPLE:
            stream = self.county.load(Person, self.person(serial))
            claims = set(stream.claims) if stream is not None else set()
            assert claims == {self.county.id(name) for name in self.claimants(serial)}


HouseholdLives.TestCase.settings = settings(max_examples=20, stateful_step_count=25, deadline=None)
TestHouseholdLives = HouseholdLives.TestCase
