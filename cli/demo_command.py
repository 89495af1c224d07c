"""`relief demo`: the demo county, built once through the real commands on a simulated clock."""

from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from api.begun import BEGINNING
from api.system import System
from cli.compose import running
from cli.saying import failed
from cli.settings import Settings
from demo import driver
from demo.naming import Names
from demo.plan import DemoPlan, build_plan
from eventstore.outcomes import Envelope, Receipt, Refused
from projections.folding import rebuild
from web.i18n import catalog

PASSWORD = "yanshi-2018"  # noqa: S105 - printed on every start; the store is marked a demo
DONE = "demo-done"
BATCH = 256
FIRST_WALK = ("yuantan-shuangfeng-a", "yuantan-reviewer-new", "county-approver")
out = Console()
err = Console(stderr=True)


def register(app: typer.Typer) -> None:
    app.command("demo")(demo)


def demo(
    small: Annotated[bool, typer.Option("--small", help="One township, for tests")] = False,
) -> None:
    """Build the demo county 潜山市 (made-up people, published totals), or finish it."""
    settings = Settings()
    with running(settings, follow=False) as system:
        size = "small" if small else "full"
        begun = system.store.log.mark("demo")
        taken = system.store.head() or system.store.log.mark(BEGINNING) is not None
        if begun is None and taken:
            raise failed(
                f"{settings.data} 已有账本，演示数据须装入空的数据目录",
                f"{settings.data} holds a store already; the demo needs an empty data folder.",
                code=2,
            )
        if system.store.log.mark(DONE) is None:
            load(system, build_plan(small=(begun or size) == "small"), begun or size)
        show_logins(system)


def load(system: System, plan: DemoPlan, size: str) -> None:
    """Run all commands of the plan that are not stored yet, then fold the views."""
    store = system.store
    store.begin_simulated(plan.steps[0].at)
    store.log.set_mark("demo", size)
    names = Names(plan, store.vault.person_for)
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=err,
    ) as bar:
        task = bar.add_task("装入演示县 · loading the demo county", total=driver.count(plan))
        batch: list[Envelope] = []
        for deed in driver.deeds(plan, names, store.log.has_run):
            batch.append(
                Envelope(id=deed.command_id, officer=deed.officer, command=deed.command, at=deed.at)
            )
            if len(batch) == BATCH:
                bar.advance(task, send(system, batch))
                batch.clear()
        bar.advance(task, send(system, batch))
        folding = bar.add_task("生成看板 · folding the boards", total=store.head())

        def folded(position: int) -> None:
            bar.update(folding, completed=position)

        rebuild.rebuild(store.log.source, system.views, progress=folded)
        folded(store.head())
    for login in driver.logins(plan, names):
        system.accounts.set_password(login.login, login.officer, PASSWORD)
    store.run_clock()
    store.log.set_mark(DONE, msgspec.json.encode(driver.logins(plan, names)).decode())


def send(system: System, batch: list[Envelope]) -> int:
    """Run a batch; a refusal that the plan did not foresee is a fault of the demo."""
    for envelope, answer in zip(batch, system.store.run_many(batch), strict=True):
        if isinstance(answer, Refused):
            name = type(envelope.command).__name__
            raise RuntimeError(f"demo: {name} at {envelope.at} was refused: {answer.problem}")
        if not isinstance(answer, Receipt):
            raise answer
    return len(batch)


def show_logins(system: System) -> None:
    """Print a log-in for every role; those of the first walk in bold."""
    known = msgspec.json.decode(system.store.log.mark(DONE) or "[]", type=list[driver.Login])
    say = catalog("zh").t, catalog("en").t
    table = Table("岗位 · role", "登录名 · log-in", "辖区 · division")
    for login in known:
        zh, en = (words(f"role.{login.role}") for words in say)
        style = "bold green" if login.login in FIRST_WALK else None
        table.add_row(f"{zh} · {en}", login.login, login.division, style=style)
    out.print(table)
    out.print(f"密码 · password: [bold]{PASSWORD}[/bold]", highlight=False)
    out.print("先试绿色三个：村里报、乡镇审、县里看 · try the green three first", style="green")
    out.print("户和人均为虚构 · households and people are made up", style="yellow")
