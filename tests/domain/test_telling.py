"""No sentence of a refusal speaks in ids, program's words, UTC or fen, whatever its figures are."""

import re
import typing
from collections.abc import Iterator
from dataclasses import fields
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from domain.catalog import AGGREGATES
from domain.consignment import ConsignmentNotReady, Phase
from domain.disaster import DisasterStage, NoGroundForResponse, ResponseRuns, SameLevel
from domain.grants import (
    GrantStatus,
    OffGuide,
    OverAllowance,
    OverStandard,
    PartGranted,
    UnderStandard,
)
from domain.house_damage import Grade
from domain.incident import UNASSIGNED, IncidentKind, Stage
from domain.incident_refusals import UnitNotAssigned
from domain.money import FundOverdrawn, NotPassedDownFrom
from domain.notice import Notice, NoticeRunning
from domain.refusal import Malformed, NotFound, Refusal, missing
from domain.report_filing import Review
from domain.roster import ListStage, WrongListStage
from domain.season import DisasterNeeded
from domain.separation import SamePersonTwice
from domain.telling import INCIDENT_KINDS, KEYED, KINDS, STATES, tidied
from eventstore.outcomes import Outcome, Problem, decode_outcome, encode_outcome, problem_of, told
from web.i18n import catalog

ID = UUID("12345678-1234-4678-9234-567812345678")
AT = datetime(2018, 7, 4, 3, 0, 5, 123, tzinfo=UTC)
UTC_TIME = re.compile(r"\d\d:\d\d:\d\d|\+00:00|\dT\d")
SAMPLES: dict[Any, Any] = {
    UUID: ID,
    tuple[UUID, ...]: (ID, ID),
    datetime: AT,
    date: date(2018, 7, 4),
    int: 320_000,
    bool: True,
    Decimal: Decimal("12.5"),
    str: "文字",
}
KEYS = {
    "phase": "ordered",
    "stage": "draft",
    "state": "failed",
    "notice": "first",
    "fate": "missing",
    "grade": "severely_damaged",
    "review": "accepted",
    "level": "township",
    "parent_level": "county",
    "role": "township_reviewer",
    "needed": "approved / allocated",
    "kind": "VillageList",
    "item": "棉被",
    "category": "低保",
    "programme": "冬春",
    "earmark": "冬春",
    "step": "review",
    "other": "report",
}


def refusals() -> list[type[Refusal]]:
    found, waiting = [], [Refusal]
    while waiting:
        kind = waiting.pop()
        waiting += kind.__subclasses__()
        if kind.__module__.startswith("domain."):
            found.append(kind)
    return sorted(found, key=lambda kind: kind.__name__)


def sample(kind: type[Refusal]) -> Refusal:
    """One with a value in every field."""
    hints = typing.get_type_hints(kind)
    values: dict[str, Any] = {}
    for one in fields(kind):
        hint = hints[one.name]
        options = [arg for arg in typing.get_args(hint) if arg is not type(None)]
        hint = hint if hint in SAMPLES else (options or [hint])[0]
        if isinstance(hint, type) and issubclass(hint, Enum):
            values[one.name] = next(iter(hint))
        elif hint is str and one.name in KEYS:
            values[one.name] = KEYS[one.name]
        else:
            values[one.name] = SAMPLES.get(hint, "文字" if hint is str else ())
    return kind(**values)


@pytest.mark.parametrize("kind", refusals(), ids=lambda kind: kind.__name__)
def test_no_sentence_speaks_like_a_program(kind: type[Refusal]) -> None:
    refusal = sample(kind)
    zh, en = refusal.sentence("zh"), refusal.sentence("en")
    for said in (zh, en):
        assert str(ID) not in said and str(ID)[:8] not in said
        assert not UTC_TIME.search(said), said
        assert "fen" not in re.findall(r"[a-z]+", said), said
        assert not re.search(r"\b[a-z]+_[a-z_]+\b", said), said
        assert "  " not in said and "（）" not in said and "()" not in said, said
    assert not re.search(r"\d 分", zh), zh
    english = set(re.findall(r"[A-Za-z]{3,}", zh)) - {"Excel", "Kafka", "UUID"}
    assert not english, f"{kind.__name__}: {zh}"


BROKEN = {
    "en": re.compile(
        r"\b(a|an|the|of|into|from|above|below|than|by|between|under|with|and|or)\s*[.,;:)]"
        r"|\b(for|into|from|to|above) (at|since|which|were|are)\b|\s[.,;:)](?!\d)|[,;:][.,;:]"
        r"|\(\s*\)|\(\s|“\s*”|\"\"|= is\b|^[a-z,;:.]|\bis (at )?[,;:.]|  | -[ .,;]"
    ),
    "zh": re.compile(
        r"^的|[，：；、（“]的|[，：；、][，：；、。]|[为将由与和入][，。；：、）]|为的|“[-\s]*”|（\s*）"
        r"|由下达|的的|[，：；、]$"
    ),
}
"""Where a value is missing in a sentence, one can see the hole."""


@pytest.mark.parametrize("kind", refusals(), ids=lambda kind: kind.__name__)
def test_no_sentence_has_a_hole_where_a_name_or_a_text_is_missing(kind: type[Refusal]) -> None:
    """Nobody knows the names; then each text is empty, or the dash of earlier days, one by one."""
    texts = [one.name for one in fields(kind) if isinstance(getattr(sample(kind), one.name), str)]
    if kind is SamePersonTwice:  # both of its texts are steps of the program
        texts = []
    for name, value in [("", ""), *((name, value) for name in texts for value in ("", "-", " "))]:
        refusal = sample(kind)
        if name:
            setattr(refusal, name, value)
        for language, broken in BROKEN.items():
            said = refusal.sentence(language)
            assert not broken.search(said), (name, value, said)


def test_a_unit_that_is_not_sent_and_a_form_without_a_reason_are_said_in_words() -> None:
    """They read "Unit … is - at incident" and "reason = is not acceptable"."""
    for stage in (UNASSIGNED, "-"):
        idle = UnitNotAssigned(incident=ID, unit=ID, stage=stage, needed="assigned / en_route")
        assert "not" in idle.sentence("en") and "“”" not in idle.sentence("zh")
        assert "-" not in idle.sentence("en")
    wrong = Malformed(field="reason", value="", rule_zh="不能为空", rule_en="it is required")
    assert wrong.sentence("zh") == "“理由”的值不符合要求：不能为空"
    assert wrong.sentence("en") == "reason is not acceptable: it is required"


def test_the_kinds_of_incidents_are_called_as_on_the_pages() -> None:
    assert INCIDENT_KINDS.keys() == set(IncidentKind)
    for language, which in (("zh", 0), ("en", 1)):
        said = catalog(language).sentences
        for kind, words in INCIDENT_KINDS.items():
            assert said[f"dispatch.kind_{kind}"] == words[which]


def test_states_of_lists_and_grants_are_called_as_on_the_pages() -> None:
    for language, which in (("zh", 0), ("en", 1)):
        said = catalog(language).sentences
        assert said["list.stage_draft"].lower() == STATES["draft"][which]
        for status in ("granted", "paid", "signed", "failed"):
            assert said[f"household.grant_{status}"].lower() == STATES[status][which]


def keys_of_states() -> Iterator[str]:
    for kind in (Phase, DisasterStage, GrantStatus, Grade, Stage, Notice, Review, ListStage):
        yield from (member.value for member in kind)


def test_every_state_has_a_word_in_both_languages() -> None:
    assert set(keys_of_states()) <= STATES.keys()
    assert {kind.__name__ for kind in AGGREGATES} <= KINDS.keys()
    assert {"stage", "phase", "item"} <= KEYED


def test_money_time_and_states_are_said_as_people_do() -> None:
    poor = FundOverdrawn(
        fund=ID, document_no="皖财〔2018〕1号", available_fen=320_050, wanted_fen=1
    )
    assert "3,200.50 元" in poor.sentence("zh") and "¥3,200.50" in poor.sentence("en")
    runs = NoticeRunning(village_list=ID, notice=Notice.FIRST, ends_at=AT)
    assert "2018年7月4日 11:00" in runs.sentence("zh")
    assert "4 July 2018 11:00" in runs.sentence("en")
    early = ConsignmentNotReady(consignment=ID, phase="ordered", needed="shipped / arrived")
    assert early.sentence("zh") == "调拨现为“已下令”，此步骤须在“已发出、已到达”时办理"
    wrong = Malformed(field="as_of", value=AT.isoformat(), rule_zh="晚于现在", rule_en="not yet")
    assert "2018年7月4日 11:00" in wrong.sentence("zh") and "+00:00" not in wrong.sentence("zh")


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("9999-12-31T23:59:59Z", "9999年12月31日 23:59"),
        ("0001-01-01T00:00:00+09:00", "1年1月1日 00:00"),
        ("2024-13-45T99:99Z", "2024-13-45T99:99Z"),
        ("2024-02-30 10:00+08:00", "2024-02-30 10:00+08:00"),
    ],
)
def test_a_moment_that_no_calendar_has_is_told_and_no_failure(typed: str, said: str) -> None:
    """What somebody typed stands in the refusal of it: the sentence itself failed then."""
    assert said in Malformed(field="as_of", value=typed, rule_zh="", rule_en="").sentence("zh")


@pytest.mark.parametrize(
    "refusal",
    [
        OverStandard(case=ID, total_fen=2, ceiling_fen=1),
        UnderStandard(case=ID, total_fen=1, minimum_fen=2),
        OffGuide(case=ID, total_fen=1, guide_fen=2),
        OverAllowance(case=ID, item="quilt", units=2, allowed=1),
        PartGranted(case=ID, part=1),
    ],
    ids=lambda refusal: type(refusal).__name__,
)
def test_what_one_of_many_households_is_refused_names_the_household(refusal: Refusal) -> None:
    """A list is allocated with tens of households in one form."""
    for language in ("zh", "en"):
        assert "张*三" in refusal.sentence(language, {ID: ("张*三", "张*三")})


def test_levels_of_response_are_written_as_in_documents() -> None:
    for refusal in (
        ResponseRuns(disaster=ID, area=ID, level=4, document_no="潜减灾〔2018〕3号"),
        SameLevel(disaster=ID, area=ID, level=4),
        NoGroundForResponse(disaster=ID, area=ID, level=4),
    ):
        assert "四级" in refusal.sentence("zh")
        assert "level IV" in refusal.sentence("en")


def test_rulebooks_programmes_and_fields_have_words() -> None:
    missing = NotFound(kind="Rulebook standards", id=ID)
    assert missing.sentence("zh") == "找不到这个规则救助标准，或不在您的辖区内"
    assert "应急救助" in DisasterNeeded(programme="emergency").sentence("zh")
    wrong = Malformed(field="as_of", value="", rule_zh="不能为空", rule_en="it is required")
    assert "截至时间" in wrong.sentence("zh") and "as_of" not in wrong.sentence("zh")


def test_a_name_is_said_where_it_is_known_and_no_id_where_it_is_not() -> None:
    refusal = WrongListStage(village_list=ID, stage="draft", needed="approved")
    assert refusal.sentence("zh") == "名册处于“村级办理”阶段，此步骤需要“县定”"
    assert "名册源潭村处于" in refusal.sentence("zh", {ID: ("源潭村", "Yuantan")})
    assert "Yuantan" in refusal.sentence("en", {ID: ("源潭村", "Yuantan")})
    assert NotFound(kind="Household", id=ID).sentence("zh", {ID: ("张*三", "")}).count("*") == 0


def test_a_value_that_is_not_there_leaves_no_hole() -> None:
    """It said "reason = is not acceptable", and "holds ¥0.00 net from, not ¥0.01"."""
    assert missing("reason").sentence("en") == "reason is not acceptable: it is required"
    assert missing("reason").sentence("zh") == "“理由”的值不符合要求：不能为空"
    gone = NotPassedDownFrom(fund=ID, parent=ID, wanted_fen=1, net_fen=0)
    assert "from," not in gone.sentence("en") and "由下达" not in gone.sentence("zh")


def test_an_outcome_stores_rule_and_figures_and_is_told_when_it_is_read() -> None:
    refusal = WrongListStage(village_list=ID, stage="draft", needed="approved")
    stored = encode_outcome(Outcome(7, problem=problem_of(refusal)))
    assert "名册".encode() not in stored and str(ID).encode() in stored
    read = decode_outcome(stored)
    assert read.problem is not None and read.problem.zh == refusal.sentence("zh")
    named = told(read.problem, {ID: ("源潭村", "Yuantan")})
    assert "源潭村" in named.zh and named.facts == read.problem.facts


def test_an_outcome_of_an_earlier_program_keeps_its_sentences() -> None:
    old = Problem("a-rule-of-then", 409, "当时的话", "As it was said then.", {"id": str(ID)})
    stored = encode_outcome(Outcome(7, problem=old))
    assert decode_outcome(stored).problem == old == told(old)


def test_what_is_left_out_leaves_no_gap() -> None:
    assert tidied("报告  第2版（ ）") == "报告第2版"
    assert tidied("Report  is closed: ") == "Report is closed"


def test_whatever_is_not_found_has_a_name_that_people_use() -> None:
    """Pages said 找不到这个Form."""
    pattern = re.compile(r'NotFound\(\s*kind="(\w+)"')
    rooms = ("domain", "eventstore", "projections", "intake", "api", "web")
    root = Path(__file__).parents[2]
    sources = [path for room in rooms for path in (root / room).rglob("*.py")]
    kinds = {kind for path in sources for kind in pattern.findall(path.read_text())}
    assert len(kinds) > 10
    assert kinds - KINDS.keys() == set()
