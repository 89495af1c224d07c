"""`relief init`: begin the store of one's own county, or of a city with some of its counties.

It asks in a terminal for what is not given. Whatever is killed, the same command goes on; on a
store that is set up it says so and changes nothing. The steps are those of `/setup`
(`api.beginning`).
"""

import sys
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from msgspec.structs import replace
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from api.beginning import Administrator, Beginning, Begun, checked
from api.begun import DemoStore, OtherDivision, OtherNature, begun_here
from api.choosing import Choice, choice_of, city_of, county_of
from api.rules_begun import region_of
from api.system import System
from cli.beside import settings_here
from cli.compose import running
from cli.public import invitation_url
from cli.saying import Json, failed, say_json
from cli.settings import Settings
from domain.area import AreaLevel
from domain.refusal import Refusal, missing
from eventstore.invitations import Invitation
from eventstore.outcomes import Refused
from intake.register import Division, Register

USAGE, DEMO, OTHER = 2, 3, 4
MOST_SHOWN = 20
err = Console(stderr=True)


def register(app: typer.Typer) -> None:
    app.command("init")(init)


def init(
    county: Annotated[str | None, typer.Option(help="Code (6 digits) or name of the county")] = (
        None
    ),
    city: Annotated[
        str | None, typer.Option(help="Code or name of a city that begins with its counties")
    ] = None,
    counties: Annotated[
        str | None, typer.Option(help="Codes or names of counties of that city, by commas")
    ] = None,
    regional: Annotated[
        str, typer.Option(help="Adopt the rulebooks of this folder of rules/regional as well")
    ] = "",
    admin: Annotated[str | None, typer.Option(help="Log-in name of the first administrator")] = (
        None
    ),
    admin_name: Annotated[str | None, typer.Option(help="Their full name")] = None,
    exercise: Annotated[
        bool, typer.Option("--exercise", help="A training store, for ever: nothing in it is real")
    ] = False,
    as_json: Json = False,
) -> None:
    """Begin a store: divisions from the register, the seat, the first administrator, the keys.

    May be run again: a run that was killed goes on, a store that is set up stays as it is. Exit 2:
    something is missing or wrong in what was given, 3: a demo store, 4: another division's store, a
    real one where a training store was asked for, or the other way round.
    """
    found = Register()
    try:
        chosen = replace(_chosen(found, county, city, counties), training=exercise)
        person = _administrator(admin, admin_name)
        if regional:
            region_of(regional)
        report = _begin(settings_here(), found, chosen, person, regional)
    except DemoStore as refusal:
        raise failed(refusal.sentence("zh"), refusal.sentence("en"), DEMO) from None
    except (OtherDivision, OtherNature) as refusal:
        raise failed(refusal.sentence("zh"), refusal.sentence("en"), OTHER) from None
    except Refusal as refusal:
        raise failed(refusal.sentence("zh"), refusal.sentence("en"), USAGE) from None
    except Refused as refused:
        raise failed(refused.problem.zh, refused.problem.en) from None
    _tell(report, exercise=exercise)
    if as_json or not sys.stdout.isatty():
        say_json(report)


# -- what is asked -------------------------------------------------------------------------------


def asks() -> bool:
    """Whether somebody is there who can be asked."""
    return sys.stdin.isatty()


def _chosen(found: Register, county: str | None, city: str | None, counties: str | None) -> Choice:
    """The choice that was given, or asked for in a terminal."""
    if city is not None:
        names = [one for one in (counties or "").replace("，", ",").split(",") if one.strip()]
        seat, below = city_of(found, city, [*names, *([county] if county else [])])
        return choice_of(found, seat, below)
    if counties is not None:
        raise missing("city")
    if county is None:
        if not asks():
            raise missing("county")
        one = _ask_county(found)
    else:
        one = county_of(found, county)
    return choice_of(found, one, [one])


def _ask_county(found: Register) -> Division:
    """Ask until a county is chosen, by name, pinyin or code; those of one name by their number."""
    while True:
        typed = typer.prompt(
            "县（市、区）名称、拼音或代码 · county by name, pinyin or code", err=True
        )
        hits = [one for one in found.search(typed) if one.level is AreaLevel.COUNTY][:MOST_SHOWN]
        for number, one in enumerate(hits, 1):
            err.print(f"  {number}  {one.code}  {one.path}", highlight=False, markup=False)
        if not hits:
            err.print("没有找到，请再试 · not found, try again")
            continue
        again = "序号，0 重新查找 · its number, 0 to search again"
        chosen: int = typer.prompt(again, type=int, err=True)
        if 0 < chosen <= len(hits):
            return hits[chosen - 1]


def _administrator(login: str | None, name: str | None) -> Administrator:
    """The first administrator as given, or asked for in a terminal."""
    if login is None and asks():
        login = typer.prompt("管理员登录名 · the administrator's log-in name", err=True)
    if name is None and asks():
        name = typer.prompt("管理员姓名 · the administrator's full name", err=True)
    return checked(Administrator(login or "", name or ""))


# -- what is done --------------------------------------------------------------------------------


def _begin(
    settings: Settings, found: Register, chosen: Choice, person: Administrator, regional: str
) -> dict[str, Any]:
    with running(settings, follow=False) as system:
        beginning = Beginning(system, found)
        with Progress(
            TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), console=err
        ) as bar:
            task = bar.add_task("建立区划 · divisions", total=None, visible=False)

            def told(done: int, of: int) -> None:
                bar.update(task, completed=done, total=of, visible=True)

            begun = beginning.run(chosen, person, regional=regional, told=told)
        _tell_keys(beginning)
        return _report(settings, system, beginning, begun)


def _tell_keys(beginning: Beginning) -> None:
    """Which keys there are, and that a backup was put back with them."""
    keys, done = beginning.key_file(), beginning.rehearsed()
    lines = [
        f"密钥 · key: {keys['file']}",
        f"指纹 · fingerprint: {keys['fingerprint']}",
        f"手机加密公钥的指纹 · fingerprint of the key that phones seal with: "
        f"{beginning.sealing_fingerprint()}",
        "密钥须复制到另一处，与备份分开保管：没有它，姓名、证件号和卡号再也读不出来；"
        "和备份放在一起，拿到备份的人就能读出。抄下指纹，以便核对",
        "Copy the key to another place, apart from the backups: without it no name, ID number or "
        "card can be read again, and whoever finds both can read all. Write its fingerprint down, "
        "to compare copies with it.",
    ]
    if done is not None:
        lines.append(
            f"已演练恢复：备份恢复到临时目录，第 {done.head} 条记录和两个指纹一致，"
            "临时目录已删除 · "
            f"a restore was rehearsed: put back into a temporary folder, a backup had the same "
            f"{done.head} facts and both fingerprints; the folder is gone"
        )
    for line in lines:
        err.print(line, highlight=False, markup=False, soft_wrap=True)


def _report(
    settings: Settings, system: System, beginning: Beginning, begun: Begun
) -> dict[str, Any]:
    """What `relief init --json` says; its keys are fixed."""
    choice = begun_here(system.store.log)
    assert choice is not None
    seat, divided = beginning.seat(choice), begun.divided
    steps = beginning.steps()
    return {
        "store": {
            "kind": "sqlite" if settings.database_url is None else "postgresql",
            "data": str(settings.data.absolute()),
            "id": beginning.store_id(),
        },
        "county": {"code": seat.code, "name": seat.name, "level": seat.level},
        "divisions": divided.divisions,
        "areas": {
            "townships": divided.townships,
            "villages": divided.villages,
            "added": divided.added,
            "known": divided.known,
        },
        "rulebooks": beginning.rulebooks(choice),
        "admin": {"login": beginning.login(), **_invited(settings, begun.invitation)},
        "keys": beginning.key_file(),
        "steps": steps,
        "ready": all(step["done"] for step in steps),
    }


def _invited(settings: Settings, made: Invitation | None) -> dict[str, Any]:
    """The code is told by the run that made it, and never again."""
    if made is None:
        return {"invitation": None, "url": None, "expires_at": None}
    return {
        "invitation": made.code,
        "url": invitation_url(settings, made.code),
        "expires_at": datetime.fromtimestamp(made.expires, UTC),
    }


def _tell(report: dict[str, Any], *, exercise: bool) -> None:
    """The same for people, on stderr: stdout is the report's."""
    areas, county = report["areas"], report["county"]
    lines = [
        f"{county['code']} {county['name']}：{areas['townships']} 个乡镇（街道），"
        f"{areas['villages']} 个村（社区） · {areas['townships']} townships, "
        f"{areas['villages']} villages",
    ]
    if exercise:
        lines.insert(0, "演练账本：其中一切都是演练，永远不能改作正式账本")
        lines.insert(1, "A training store: nothing in it is real, and it never becomes a real one.")
    admin = report["admin"]
    if admin["invitation"] is None:
        lines.append("账本此前已建好，未作改动 · this store was set up before; nothing was changed")
        lines.append(
            f"邀请码遗失或过期 · an invitation that was lost or expired: "
            f"relief officer invite {admin['login']}"
        )
    else:
        lines += [
            f"管理员 · administrator: {admin['login']}",
            f"邀请码 · invitation: {admin['invitation']}（72 小时内有效 · valid for 72 hours）",
            f"启动 relief serve 后打开 · start relief serve, then open: {admin['url']}",
        ]
    for line in lines:
        err.print(line, highlight=False, markup=False, soft_wrap=True)
