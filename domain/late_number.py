"""LateNumber 补登身份证号: the ID number of an officer who was registered without one.

An officer is found by the person of their ID number (`Officer.id_of`). Whose number came later has
the stream of the person they were made as; here stands whose the number's person is, so that the
same number finds the same officer ever after.
"""

from uuid import UUID, uuid5

from eventsourcing.domain import event

from domain.base import NAMESPACE, Aggregate


class LateNumber(Aggregate):
    """Given, once."""

    @event("Given")
    def __init__(self, id: UUID, person: UUID, officer: UUID, area: UUID) -> None:
        self.person = person
        self.officer = officer
        self.area = area

    @staticmethod
    def id_of(person: UUID) -> UUID:
        return uuid5(NAMESPACE, f"late-number/{person}")

    def derived_id(self) -> UUID:
        return self.id_of(self.person)

    @property
    def home(self) -> UUID:
        return self.area
