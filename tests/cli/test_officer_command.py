"""`relief officer …`: people, posts and log-ins by the machine's keeper."""

import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import pyotp
import pytest
from typer.testing import CliRunner, Result

from cli.officer_command import app
from domain.commands.connecting import RecordProvider
from domain.commands.engaging import EngageOfficer
from domain.commands.logins import RecordSecondFactor
from domain.login_name import LoginName, ProviderWay
from domain.world import Role
from eventstore.invitations import Invitations, InvitationUnknown
from eventstore.lineage import settle_epoch
from eventstore.outcomes import Envelope
from eventstore.patience import LoginRefused
from tests.eventstore.support import named
from tests.id_numbers import id_number
from tests.intake.town import COUNTY, VILLAGE, county, make_county


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return make_county(tmp_path / "var")


def relief(data: Path, *args: str, typed: str | None = None) -> Result:
    return CliRunner().invoke(app, list(args), input=typed, env={"RELIEF_DATA": str(data)})


def add(data: Path, login: str, *more: str, role: str = "dispatcher", area: str = COUNTY) -> Result:
    return relief(data, "add", login, "--name", "王新", "--role", role, "--area", area, *more)


def listed(data: Path) -> dict[str, dict[str, Any]]:
    result = relief(data, "list", "--json")
    assert result.exit_code == 0, result.output
    return {login: row for row in json.loads(result.stdout) for login in row["logins"]}


def can_log_in(data: Path, login: str, password: str) -> bool:
    with county(data) as town:
        try:
            town.system.accounts.log_in(login, password)
        except LoginRefused:
            return False
        return True


def test_add_appoints_and_opens_a_log_in(data: Path) -> None:
    result = add(data, "wang", "--password", "a long password")
    assert result.exit_code == 0, result.output
    assert "a long password" not in result.stdout
    assert listed(data)["wang"]["posts"] == [{"role": "dispatcher", "area": "潜山市", "post": ""}]
    assert can_log_in(data, "wang", "a long password")


def test_a_password_made_up_is_printed_and_works(data: Path) -> None:
    login, password = add(data, "wang").stdout.split()
    assert login == "wang" and can_log_in(data, "wang", password)


def test_a_person_known_already_gets_a_further_post_not_a_second_self(data: Path) -> None:
    number = id_number(901)
    assert add(data, "wang", "--id-number", number).exit_code == 0
    more = ("--id-number", number, "--post", "B")
    result = add(data, "wang2", *more, role="village_reporter", area=VILLAGE)
    assert result.exit_code == 0, result.output
    rows = listed(data)
    assert rows["wang"] == rows["wang2"]
    assert [post["role"] for post in rows["wang"]["posts"]] == ["dispatcher", "village_reporter"]


def test_a5_the_command_line_asks_for_the_id_number_as_everybody_does(data: Path) -> None:
    """Two officers without one may be one person, who files and accepts."""
    refused = add(data, "wang", role="village_reporter", area=VILLAGE)
    assert refused.exit_code == 1 and "须登记本人身份证号" in refused.output
    assert "wang" not in listed(data)
    idle = add(data, "wang", "--no-number", "x", role="village_reporter", area=VILLAGE)
    assert idle.exit_code == 1 and "请写明理由" in idle.output
    reason = ("--no-number", "户籍未迁入，派出所已出具证明")
    assert add(data, "li", *reason, role="village_reporter", area=VILLAGE).exit_code == 0
    with county(data) as town:
        name = town.store.load(LoginName.id_of("li"))
        assert town.store.load(name.officer).number_excused_by == ()


def test_a_lost_administrator_is_made_again_on_the_server(data: Path) -> None:
    why = ("--reason", "唯一的管理员调离", "--operator", "值班员")
    lost = relief(data, "recover", "boss", *why, "--area", COUNTY)
    assert lost.exit_code == 1 and "不能为空" in lost.output
    made = relief(data, "recover", "boss", *why, "--area", COUNTY, "--name", "王新")
    assert made.exit_code == 0, made.output
    assert listed(data)["boss"]["posts"][0]["role"] == "administrator"
    login, code = made.stdout.split()[:2]
    again = relief(data, "recover", "boss", *why)
    assert again.exit_code == 0 and again.stdout.split()[1] != code
    with county(data) as town, pytest.raises(InvitationUnknown):
        Invitations(town.store).find(code)
    assert login == "boss"


@pytest.mark.parametrize(
    ("login", "more", "area", "said"),
    [
        ("village", (), COUNTY, "登录名 village 已被使用"),
        ("wang", (), "999999", "没有区划代码 999999"),
        ("wang", ("--password", "short"), COUNTY, "密码至少 8 位"),
        ("wang", ("--id-number", "340824196504129013"), COUNTY, "校验"),
    ],
)
def test_what_cannot_be_added_is_said_and_leaves_nothing(
    data: Path, login: str, more: tuple[str, ...], area: str, said: str
) -> None:
    before = listed(data)
    with county(data) as town:
        settle_epoch(town.store)  # what the first start of a system writes is not the command's
        head = town.store.head()
    result = add(data, login, *more, area=area)
    assert result.exit_code == 1 and said in result.output, result.output
    with county(data) as town:
        assert town.store.head() == head
    assert listed(data) == before


def test_suspend_needs_a_reason_and_shows_in_the_list(data: Path) -> None:
    assert relief(data, "suspend", "township").exit_code == 2
    result = relief(data, "suspend", "township", "--reason", "接受调查")
    assert result.exit_code == 0, result.output
    assert listed(data)["township"]["suspended"] == "接受调查"
    again = relief(data, "suspend", "township", "--reason", "接受调查")
    assert again.exit_code == 1


def test_handover_moves_the_posts_to_the_successor(data: Path) -> None:
    add(data, "wang", role="auditor")
    result = relief(data, "handover", "county", "--to", "wang", "--reason", "退休")
    assert result.exit_code == 0, result.output
    roles = {post["role"] for post in listed(data)["wang"]["posts"]}
    assert roles == {"auditor", "county_approver"}


def test_a_new_password_ends_the_old_one_and_open_sessions(data: Path) -> None:
    with county(data) as town:
        token, _ = town.system.accounts.log_in("village", "long enough")
    typed = "another one\nanother one\n"
    result = relief(data, "password", "village", typed=typed)
    assert result.exit_code == 0 and "another one" not in result.output
    assert can_log_in(data, "village", "another one")
    assert not can_log_in(data, "village", "long enough")
    with county(data) as town:
        assert town.system.accounts.session(token, "session") is None


@pytest.mark.parametrize(
    "args",
    [
        ("suspend", "nobody", "--reason", "记错了"),
        ("handover", "village", "--to", "nobody", "--reason", "记错了"),
        ("password", "nobody", "--new", "long enough"),
    ],
)
def test_an_unknown_log_in_is_a_sentence(data: Path, args: tuple[str, ...]) -> None:
    result = relief(data, *args)
    assert result.exit_code == 1 and "没有登录名 nobody" in result.output


def engaged(data: Path, login: str) -> None:
    """An officer who is in post and invited, and has not logged in yet."""
    with county(data) as town:
        command = EngageOfficer(
            person=uuid4(),
            id=uuid4(),
            full_name="李新",
            login=login,
            role=Role.DISPATCHER,
            area=named("county"),
        )
        town.store.run(Envelope(id=uuid4(), officer=None, command=command))


def test_who_is_invited_and_has_no_password_yet_is_known_by_the_log_in_name(data: Path) -> None:
    """Such officers were not listed, and could be neither suspended nor given a password."""
    engaged(data, "li")
    assert listed(data)["li"]["posts"] == [{"role": "dispatcher", "area": "潜山市", "post": ""}]
    taken = add(data, "LI")
    assert taken.exit_code == 1 and "登录名 LI 已被使用" in taken.output
    given = relief(data, "password", "li", "--new", "another one")
    assert given.exit_code == 0 and can_log_in(data, "li", "another one")
    suspended = relief(data, "suspend", "li", "--reason", "接受调查")
    assert suspended.exit_code == 0 and listed(data)["li"]["suspended"] == "接受调查"


def test_the_keeper_types_a_log_in_name_as_people_type(data: Path) -> None:
    assert add(data, "wang", "--password", "a long password").exit_code == 0
    invited = relief(data, "invite", " ＷＡＮＧ ")
    assert invited.exit_code == 0 and invited.stdout.startswith("wang "), invited.output


def test_the_list_for_people_names_posts(data: Path) -> None:
    assert "village_reporter" in relief(data, "list").stdout


def test_the_keeper_of_the_machine_resets_a_lost_second_factor(data: Path) -> None:
    with county(data) as town:
        accounts = town.system.accounts
        officer = accounts.officer_of("village")
        assert officer is not None
        secret = accounts.factors.begin("village")
        factor = accounts.factors.prove_new("village", pyotp.TOTP(secret).now())
        given = RecordSecondFactor(officer=officer, login="village", factor=factor)
        town.system.store.run(Envelope(id=uuid4(), officer=None, command=given))
        accounts.factors.confirm("village", factor)
    reset = ("reset-factor", "village", "--reason", "手机丢失")
    assert relief(data, *reset).exit_code == 0
    assert can_log_in(data, "village", "long enough")
    again = relief(data, *reset)
    assert again.exit_code == 1 and "没有设置两步验证" in again.output


def test_the_keeper_of_the_machine_ends_a_connection_to_the_identity_provider(data: Path) -> None:
    with county(data) as town:
        officer = town.system.accounts.officer_of("village")
        assert officer is not None
        given = RecordProvider(
            officer=officer,
            login="village",
            subject="ab" * 32,
            provider="https://id.example.gov.cn",
            way=ProviderWay.OWN,
        )
        town.system.store.run(Envelope(id=uuid4(), officer=None, command=given))
    gone = ("disconnect", "village", "--reason", "账号被盗")
    assert relief(data, *gone).exit_code == 0
    again = relief(data, *gone)
    assert again.exit_code == 1 and "没有绑定统一身份账号" in again.output
