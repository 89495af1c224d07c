"""Whoever gives a reason says something: one rule for every command that carries one."""

import pkgutil
from importlib import import_module
from typing import Any, get_type_hints
from uuid import UUID, uuid4

import msgspec
import pytest

import domain.commands
from api.examples import example_of
from domain.hints import classes_in
from domain.reasons import REASONS, reason_fields, says_something
from domain.refusal import Malformed, Refusal
from domain.world import Command
from eventstore import deciding
from tests.domain.scenario import MemoryVault, Scenario


def commands() -> list[type[Command]]:
    """Every command that somebody can send."""
    for module in pkgutil.iter_modules(domain.commands.__path__):
        import_module(f"domain.commands.{module.name}")
    found: list[type[Command]] = []
    waiting: list[type[Command]] = [Command]
    while waiting:
        kind = waiting.pop()
        waiting += kind.__subclasses__()
        if kind.decide is not Command.decide:
            found.append(kind)
    return found


CARRYING = sorted(
    {one.__name__: one for one in commands() if reason_fields(one) and "roles" in dir(one)}.items()
)
STOPPED = [(name, kind) for name, kind in CARRYING if kind.idle_reason_refused]
NEVER_STOPPED = [(name, kind) for name, kind in CARRYING if not kind.idle_reason_refused]


def with_reason(kind: type[Any], reason: str) -> Any:
    """The command of the API's example, its reasons said like this."""
    said = example_of(kind)
    for name in reason_fields(kind):
        if name in REASONS:
            said[name] = reason
            continue
        (part,) = filter(reason_fields, classes_in(get_type_hints(kind)[name]))
        said[name] = [example_of(part) | {"reason": reason}]
    return msgspec.convert(said, kind, strict=False)


def decided(command: Command, monkeypatch: pytest.MonkeyPatch) -> Refusal | None:
    """What the store's own way of deciding says, to one who may do everything, in an empty log."""
    monkeypatch.setattr(deciding, "authorized", lambda *_: None)
    empty = Scenario()
    world = deciding.DecisionWorld(empty.load, MemoryVault(), empty.now, uuid4())
    try:
        deciding.decide(world, command, UUID(int=1))
    except Refusal as refusal:
        return refusal
    except AttributeError:  # it asked who acts: nobody does here
        return None
    return None


@pytest.mark.parametrize(("name", "kind"), STOPPED)
def test_no_command_takes_a_reason_that_says_nothing(
    name: str, kind: type[Command], monkeypatch: pytest.MonkeyPatch
) -> None:
    for empty in ("x", "……", "哈哈哈哈", "aaaa", "1234"):
        refusal = decided(with_reason(kind, empty), monkeypatch)
        assert isinstance(refusal, Malformed) and refusal.field.endswith("reason"), name
        assert "汉字" in refusal.rule_zh and empty not in refusal.sentence("zh")
    honest = decided(with_reason(kind, "外迁"), monkeypatch)
    assert not (isinstance(honest, Malformed) and honest.field.endswith("reason")), name


@pytest.mark.parametrize(("name", "kind"), NEVER_STOPPED)
def test_no_report_of_harm_is_stopped_by_its_reason(
    name: str, kind: type[Command], monkeypatch: pytest.MonkeyPatch
) -> None:
    refusal = decided(with_reason(kind, "x"), monkeypatch)
    assert not (isinstance(refusal, Malformed) and refusal.field == "reason"), name


def test_the_walk_meets_every_command_whose_source_has_a_reason() -> None:
    assert len(CARRYING) > 70
    assert {"WithdrawReport", "DetachReport", "PayList", "AppraiseList"} <= dict(CARRYING).keys()
    assert dict(NEVER_STOPPED).keys() == {
        "FileFollowUp",
        "FileInitialReport",
        "FileVerifiedOnBehalf",
        "FileVerifiedReport",
        "MakeUpReport",
        "PhoneInFollowUp",
        "PhoneInReport",
        "ResubmitReport",
    }


@pytest.mark.parametrize("text", ["轮休", "外迁", "换卡", "moved", "bank: no", "退休。", "𠀀𠀁"])
def test_a_short_honest_reason_is_one(text: str) -> None:
    assert says_something(text)


@pytest.mark.parametrize("text", ["x", "哈哈", "啊", "abc", "aaab", "....", "1234567", "误1"])
def test_what_says_nothing_is_none(text: str) -> None:
    assert not says_something(text)
