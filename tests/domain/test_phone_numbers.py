"""One rule says what a telephone number is, whoever's it is."""

from dataclasses import fields

import pytest

from domain.phone_number import MOST, checked_phone, read_phone
from domain.refusal import Malformed
from tests.domain.test_reasons import commands


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("13800000000", "13800000000"),
        ("138 0000-0000", "13800000000"),
        ("１３８００００００００", "13800000000"),
        ("+86 138 0000 0000", "+8613800000000"),
        ("(0556) 8921234", "05568921234"),
        ("8921234", "8921234"),
        ("400-800-8888", "4008008888"),
        ("+852 2345 6789", "+85223456789"),
        ("13800000000，0556-8921234", "13800000000、05568921234"),
        ("", ""),
        ("  ", ""),
    ],
)
def test_a_number_is_read_as_people_write_it(typed: str, read: str) -> None:
    assert read_phone(typed) == read


@pytest.mark.parametrize(
    "typed",
    ["12", "110", "139551234", "1395551234", "139555123456", "电话", "12345", "+1", "1391234567x"],
)
def test_what_is_no_number_is_refused(typed: str) -> None:
    assert read_phone(typed) is None
    with pytest.raises(Malformed) as refused:
        checked_phone("phone", typed)
    assert refused.value.field == "phone"


@pytest.mark.parametrize("typed", ["110", "119", "120", "122", "12345", "12350", "95598"])
def test_who_passes_a_call_on_may_have_a_short_number(typed: str) -> None:
    assert read_phone(typed, short=True) == typed
    assert read_phone(typed) is None


def test_four_numbers_stand_in_one_field_and_no_fifth() -> None:
    number = "13800000000"
    assert read_phone("、".join([number] * MOST)) is not None
    assert read_phone("、".join([number] * (MOST + 1))) is None


HELD_TO_IT = {
    ("RegisterHousehold", "phone"),
    ("ChangeContact", "phone"),
    ("RegisterOfficer", "phone"),
    ("EngageOfficer", "phone"),
    ("EngageProposed", "phone"),
    ("ShipConsignment", "driver_phone"),
    ("OpenIncident", "reporter_phone"),
}
"""Of each a test shows that a short number is refused: `test_households`, `test_officers`,
`test_consignments`, `test_incidents`."""


def test_every_command_that_takes_a_number_is_held_to_the_rule() -> None:
    """Drivers, callers and officers had none: "12" passed for a number to be rung at night."""
    found = {
        (command.__name__, one.name)
        for command in commands()
        for one in fields(command)  # type: ignore[arg-type]
        if "phone" in one.name and command.__module__.startswith("domain.")
    }
    assert found == HELD_TO_IT
