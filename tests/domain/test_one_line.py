"""Names are read and printed in one line: one rule for every command that carries one."""

from uuid import UUID, uuid4

import pytest

from domain.commands.handing_out import SignatureInput
from domain.commands.households import RegisterHousehold
from domain.commands.officers import RegisterOfficer
from domain.commands.sealing import CardInput, MemberInput
from domain.household_members import Relation
from domain.one_line import NAMES, in_one_line
from domain.refusal import Malformed
from eventstore import deciding
from eventstore.spelling import asked, terms
from tests.domain.scenario import MemoryVault, Scenario
from tests.domain.test_reasons import commands

PERSON = UUID("0b9b5a4e-6f0e-4d5b-9d0a-1c2d3e4f5a6b")


def household(name: str, group: str = "", bank: str = "") -> RegisterHousehold:
    return RegisterHousehold(
        id=PERSON,
        village=PERSON,
        members=(MemberInput(name=name, relation=Relation.HEAD),),
        category="hardship",
        group=group,
        card=CardInput(number="6228480000000000", bank=bank),
    )


@pytest.mark.parametrize("typed", ["王\n小", "王\u000b小", "王\u2028小", "王\u3000 小", "王\t小"])
def test_white_space_in_a_name_becomes_one_blank(typed: str) -> None:
    """王␋小 was a person's name in the ledger, on two lines of every print."""
    found = in_one_line(household(typed, group=typed, bank=typed))
    assert found.members[0].name == "王 小"
    assert (found.group, found.card and found.card.bank) == ("王 小", "王 小")
    officer = RegisterOfficer(person=PERSON, full_name=typed, area=PERSON)
    assert in_one_line(officer).full_name == "王 小"


def test_a_name_in_one_line_is_left_alone() -> None:
    given = household("买买提·吐尔逊", group="第三组", bank="农商行 源潭支行")
    assert in_one_line(given) is given


def test_control_characters_are_refused_by_the_way_every_command_goes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(deciding, "authorized", lambda *_: None)
    empty = Scenario()
    world = deciding.DecisionWorld(empty.load, MemoryVault(), empty.now, uuid4())
    with pytest.raises(Malformed) as refused:
        deciding.decide(world, household("王\x07小"), PERSON)
    assert refused.value.field == "members[0].name"
    assert "\x07" not in refused.value.zh + refused.value.value


@pytest.mark.parametrize(
    "typed",
    [
        *("王\u200b小", "王小\ufeff", "\u202e王小", "王\u00ad小", "王\u200d小", "李\ufe00小"),
        *("王\u3164小", "Ali\u200cJan", "王\u2066小\u2069", "王\u034f小", "王\u180b小", "ا\u200d"),
        "王\U000e0041小",
    ],
)
def test_a_mark_that_nobody_sees_is_refused_in_a_name(typed: str) -> None:
    """Two names that differ in one look alike, and a search finds the one or the other."""
    with pytest.raises(Malformed) as refused:
        in_one_line(household(typed))
    assert (refused.value.field, refused.value.value) == ("members[0].name", "")
    said = refused.value.sentence("zh")
    assert "看不见" in said and typed not in said


@pytest.mark.parametrize(
    "typed",
    [
        "می\u200cخواهم",
        "ﺋﺎ\u200dب",
        "ᠮᠣᠩᠭᠣᠯ\u180eᠠ",
        "\u1828\u180b",
        "買買提·吐爾遜",
        "𠮷野",
        "Qurban Tömür",
    ],
)
def test_marks_that_a_script_needs_stay_in_a_name(typed: str) -> None:
    given = household(typed)
    assert in_one_line(given) is given


def test_a_search_ignores_marks_that_nobody_sees() -> None:
    """For names of earlier days, which keep theirs."""
    assert terms("王\u200b小\ufe00") == terms("王小")
    assert asked("王\u200d小") == asked("王小")


def test_the_names_of_the_list_are_fields_of_commands() -> None:
    carried = {name for kind in commands() for name in getattr(kind, "__dataclass_fields__", {})}
    carried |= {name for part in (MemberInput, CardInput) for name in part.__dataclass_fields__}
    carried |= set(SignatureInput.__dataclass_fields__)
    assert carried >= NAMES
