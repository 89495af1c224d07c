"""Log-in names: which one may have, and whose they are."""

from dataclasses import replace

import pytest

from domain.commands.officers import OpenAccount
from domain.login_name import LONGEST, LoginTaken
from domain.refusal import AlreadyExists, Malformed, NotFound
from tests.domain.scenario import Scenario
from tests.domain.test_officers import county

__all__ = ["county"]


def test_an_officer_has_accounts_but_each_login_once(county: Scenario) -> None:
    command = OpenAccount(officer=county.officers["new"], login="new")
    county.when(command, by="admin").then("Officer.AccountOpened", "LoginName.Taken")
    county.when(command, by="admin").then(AlreadyExists)
    second = replace(command, login="second")
    county.when(second, by="admin").then("Officer.AccountOpened", "LoginName.Taken")
    county.when(replace(command, login=" ")).then(Malformed)
    county.when(command, by="foreign_admin").then(NotFound)


def test_a_login_is_one_officer_s(county: Scenario) -> None:
    """G9: two officers had the same log-in name in the log."""
    county.given(OpenAccount(officer=county.officers["new"], login="wang"), by="admin")
    for login in ("wang", "Wang", " wang", "ｗａｎｇ", "wang\n"):  # as people type it
        other = OpenAccount(officer=county.officers["village"], login=login)
        county.when(other, by="admin").then(LoginTaken)


@pytest.mark.parametrize(
    "login", ["yuantan-wang", "王小三", "wang.2@源潭", "a", "7", "x" * LONGEST]
)
def test_a_log_in_name_has_what_every_keyboard_has(county: Scenario, login: str) -> None:
    county.given(OpenAccount(officer=county.officers["new"], login=login), by="admin")


@pytest.mark.parametrize(
    "login",
    [
        *("我要登录系统。", "wang xiao", "wаng", "-wang", "@", ""),
        *("王\u200b小", "x" * (LONGEST + 1), "wang/../admin", "<b>"),
    ],
)
def test_a_sentence_or_a_look_alike_is_no_log_in_name(county: Scenario, login: str) -> None:
    command = OpenAccount(officer=county.officers["new"], login=login)
    county.when(command, by="admin").then(Malformed)
