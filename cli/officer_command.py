"""`relief officer …`: who is in post, and their log-ins. Run by whoever keeps the machine."""

import secrets
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import Annotated, Any, NamedTuple
from uuid import UUID, uuid4

import msgspec
import typer
from rich.console import Console
from rich.table import Table
from sqlalchemy import Connection, select

from api.system import System
from cli.beside import settings_here
from cli.compose import running
from cli.divisions import required
from cli.public import invitation_url
from cli.saying import failed
from cli.settings import Settings
from domain.commands.appointing import IdNumberNeeded, takes_number
from domain.commands.connecting import UnbindProvider
from domain.commands.id_numbers import ExcuseIdNumber
from domain.commands.logins import RecordPassword, ResetSecondFactor
from domain.commands.officers import (
    AppointOfficer,
    HandOver,
    OpenAccount,
    RegisterOfficer,
    SuspendOfficer,
)
from domain.commands.recovering import RecoverAdministrator
from domain.identity import normalize_id
from domain.late_number import LateNumber
from domain.login_name import LoginName, PasswordWay, as_typed
from domain.officer import Officer
from domain.posts import Post
from domain.rules.base import china_day
from domain.world import Command, Role
from eventstore.invitations import Invitation, Invitations
from eventstore.lineage import seat_recorded_or_found
from eventstore.outcomes import Envelope, Receipt, Refused
from eventstore.passwords import PasswordRefused, check_password
from projections.areas import AREAS
from projections.officers import LOGINS

app = typer.Typer(no_args_is_help=True, help="Officers, their posts and log-ins.")
out = Console()
Login = Annotated[str, typer.Argument(help="Log-in name")]


def run(system: System, command: Command) -> Receipt:
    """Run a command as the machine's keeper; a refusal ends the program with its sentences."""
    try:
        return system.store.run(Envelope(id=uuid4(), officer=None, command=command))
    except Refused as refused:
        raise failed(refused.problem.zh, refused.problem.en) from None


class Holder(NamedTuple):
    """Whose a log-in name is, and the name as it was opened."""

    officer: UUID
    login: str


def _known(system: System, login: str) -> Holder | None:
    """The holder of a log-in name, however its letters are typed, with a password or not yet."""
    name = system.store.load(LoginName.id_of(as_typed(login)))
    if isinstance(name, LoginName):
        return Holder(name.officer, name.login)
    officer = system.accounts.officer_of(login)  # a store made before names had streams
    return Holder(officer, system.accounts.spelled(login)) if officer is not None else None


def holder_of(system: System, login: str) -> Holder:
    """As `_known`; the command ends with a sentence if there is no such log-in name."""
    found = _known(system, login)
    if found is None:
        raise failed(f"没有登录名 {login}", f"There is no log-in {login}.")
    return found


@app.command("add")
def add(
    login: Login,
    name: Annotated[str, typer.Option(help="Full name")],
    role: Annotated[Role, typer.Option(help="Post")],
    area: Annotated[str, typer.Option(help="Code of the division: 6, 9 or 12 digits")],
    post: Annotated[Post, typer.Option(help="A or B, for reporters")] = Post.NONE,
    certificate: Annotated[str, typer.Option(help="Certificate number")] = "",
    id_number: Annotated[str | None, typer.Option(help="18-digit ID number")] = None,
    no_number: Annotated[
        str | None, typer.Option(help="Why the ID number cannot be had; on record for ever")
    ] = None,
    password: Annotated[str | None, typer.Option(help="Made up and printed if not given")] = None,
) -> None:
    """Register an officer, appoint them and open a log-in.

    An officer whose ID number is known already is given a further post and log-in. Posts that four
    eyes count on take the number, or the reason why it cannot be had.
    """
    chosen = password or secrets.token_urlsafe(9)
    _check(login, chosen)
    with running(settings_here(), make=False) as system:
        unnumbered = id_number is None and no_number is None
        if unnumbered and takes_number(role, training=system.store.training):
            refused = IdNumberNeeded(role=role)
            raise failed(refused.sentence("zh"), refused.sentence("en"))
        with _up_to_date(system) as db:
            place = required(system.store, db, area, code=1)
        if _known(system, login) is not None:
            raise failed(f"登录名 {login} 已被使用", f"The log-in {login} is taken.")
        officer = _registered(system, id_number)
        if officer is None:
            command = RegisterOfficer(
                person=uuid4(), full_name=name, area=place, id_number=id_number
            )
            officer = UUID(str(run(system, command).result["officer"]))
            if id_number is None and no_number is not None:
                run(system, ExcuseIdNumber(officer=officer, reason=no_number))
        today = china_day(system.store.clock.now())
        run(system, _appointment(officer, role, place, post, certificate, today))
        run(system, OpenAccount(officer=officer, login=login))
        run(system, RecordPassword(officer=officer, login=login, way=PasswordWay.KEEPER))
        system.accounts.set_password(login, officer, chosen)
    out.print(f"{login}  {'' if password else chosen}", highlight=False, markup=False)


def _check(login: str, password: str) -> None:
    """The command ends with a sentence if a stranger would try this password soon."""
    try:
        check_password(login, password)
    except PasswordRefused as refused:
        raise failed(refused.zh, refused.en) from None


def _registered(system: System, id_number: str | None) -> UUID | None:
    """The officer who is the natural person of this ID number already."""
    person = system.store.vault.find_person(normalize_id(id_number)) if id_number else None
    if person is None:
        return None
    if system.officer(Officer.id_of(person)) is not None:
        return Officer.id_of(person)
    late = system.store.load(LateNumber.id_of(person))
    return late.officer if isinstance(late, LateNumber) else None


def _appointment(
    officer: UUID, role: Role, area: UUID, post: Post, certificate: str, today: date
) -> AppointOfficer:
    return AppointOfficer(
        id=uuid4(),
        officer=officer,
        role=role,
        area=area,
        post=post,
        certificate=certificate,
        starts_on=today,
        ends_on=None,
    )


@app.command("list")
def list_officers(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON array")] = False,
) -> None:
    """All log-ins with their posts."""
    rows: list[dict[str, Any]] = []
    with running(settings_here(), make=False) as system, _up_to_date(system) as db:
        areas = db.execute(select(AREAS.c.id, AREAS.c.name))
        names = {str(row[0]): str(row[1]) for row in areas}
        for officer, logins in sorted(_logins(system, db).items(), key=lambda one: one[1]):
            found = system.officer(officer)
            if found is None:
                continue
            held = [
                {"role": p.role.value, "area": names.get(str(p.area), str(p.area)), "post": p.post}
                for p in found.appointments.values()
            ]
            rows.append(
                {
                    "officer": officer,
                    "logins": logins,
                    "posts": held,
                    "suspended": found.suspended,
                }
            )
        system.store.texts.opened(rows)
    if as_json:
        typer.echo(msgspec.json.encode(rows, enc_hook=str).decode())
        return
    table = Table("log-in", "posts", "suspended")
    for row in rows:
        posts = "; ".join(f"{p['role']} {p['area']} {p['post']}".strip() for p in row["posts"])
        table.add_row(", ".join(row["logins"]), posts, row["suspended"] or "")
    out.print(table)


@contextmanager
def _up_to_date(system: System) -> Iterator[Connection]:
    """The views, with what is in the log by now, if they come to it in half a minute."""
    system.boards.wait_for(system.store.head(), 30)
    with system.reader() as db:
        yield db


def _logins(system: System, db: Connection) -> dict[UUID, list[str]]:
    """All log-in names by officer: those that have a password, and those that are invited to it."""
    found = defaultdict(set, {id: set(names) for id, names in system.accounts.logins().items()})
    for login, officer in db.execute(select(LOGINS.c.login, LOGINS.c.officer)):
        found[UUID(officer)].add(login)
    return {officer: sorted(names) for officer, names in found.items()}


@app.command("invite")
def invite(login: Login) -> None:
    """Print a new code by which an officer sets the password of a log-in name, within 72 hours.

    For whoever has none yet, has lost the code, or forgot the password. An earlier code is void.
    """
    settings = settings_here()
    with running(settings, follow=False, make=False) as system:
        officer, name = holder_of(system, login)
        try:
            made = Invitations(system.store).invite(name, officer)
        except Refused as refused:
            raise failed(refused.problem.zh, refused.problem.en) from None
    _show(made, settings)


def _show(made: Invitation, settings: Settings) -> None:
    """The code, once, with the address where it is entered and its last day."""
    until = china_day(datetime.fromtimestamp(made.expires, UTC))
    out.print(f"{made.login}  {made.code}", highlight=False, markup=False)
    out.print(invitation_url(settings, made.code), highlight=False, markup=False, soft_wrap=True)
    out.print(f"有效期 72 小时，至 {until} · valid for 72 hours, until {until}", highlight=False)


@app.command("recover")
def recover(
    login: Login,
    reason: Annotated[str, typer.Option(help="Why nobody in office can do it, in writing")],
    operator: Annotated[str, typer.Option(help="Who keeps the machine, by name")],
    name: Annotated[str, typer.Option(help="Full name, for a log-in name nobody has")] = "",
    area: Annotated[str, typer.Option(help="Code of the division; the seat if not given")] = "",
) -> None:
    """Make an administrator again where none is left: invite the one of LOGIN, or a new one.

    It is a fact with reason and operator, and a finding that stays on the auditor's list. Where an
    administrator is left, they invite and appoint: then this is not needed.
    """
    settings = settings_here()
    with running(settings, make=False) as system:
        if area:
            with _up_to_date(system) as db:
                place = required(system.store, db, area, code=1)
        else:
            place = seat_recorded_or_found(system.store)
        command = RecoverAdministrator(
            person=uuid4(),
            id=uuid4(),
            login=login,
            area=place,
            reason=reason,
            operator=operator,
            full_name=name,
        )
        told = run(system, command).result
        officer = UUID(str(told["officer"]))
        made = Invitations(system.store).begin(str(told["login"]), officer)
    _show(made, settings)


@app.command("suspend")
def suspend(login: Login, reason: Annotated[str, typer.Option(help="Why, in writing")]) -> None:
    """Suspend an officer: effective with the next command anybody sends in their name."""
    with running(settings_here(), follow=False, make=False) as system:
        run(system, SuspendOfficer(officer=holder_of(system, login).officer, reason=reason))
    out.print(f"{login}: 已停职 · suspended")


@app.command("handover")
def handover(
    login: Login,
    to: Annotated[str, typer.Option(help="The successor's log-in")],
    reason: Annotated[str, typer.Option(help="Why, in writing")],
) -> None:
    """Hand all of an officer's posts and open matters over to a successor."""
    with running(settings_here(), follow=False, make=False) as system:
        successor = holder_of(system, to).officer
        officer = holder_of(system, login).officer
        run(system, HandOver(officer=officer, successor=successor, reason=reason))
    out.print(f"{login} → {to}: 已移交 · handed over")


@app.command("password")
def password(
    login: Login,
    new: Annotated[str, typer.Option(prompt=True, hide_input=True, confirmation_prompt=True)],
) -> None:
    """Set a new password; the log-in's open sessions end."""
    with running(settings_here(), follow=False, make=False) as system:
        officer, name = holder_of(system, login)
        _check(name, new)
        run(system, RecordPassword(officer=officer, login=name, way=PasswordWay.KEEPER))
        system.accounts.set_password(name, officer, new)
    out.print(f"{login}: 密码已更新 · password changed")


@app.command("reset-factor")
def reset_factor(
    login: Login, reason: Annotated[str, typer.Option(help="Why, in writing")]
) -> None:
    """Take the second factor from who has lost it, an only administrator above all."""
    with running(settings_here(), follow=False, make=False) as system:
        officer, name = holder_of(system, login)
        run(system, ResetSecondFactor(officer=officer, login=name, reason=reason))
        system.store.effects.end_log_ins()
    out.print(f"{login}: 两步验证已重置 · second factor reset")


@app.command("disconnect")
def disconnect(login: Login, reason: Annotated[str, typer.Option(help="Why, in writing")]) -> None:
    """Let an account at the identity provider open a log-in name no longer; its sessions end."""
    with running(settings_here(), follow=False, make=False) as system:
        officer, name = holder_of(system, login)
        run(system, UnbindProvider(officer=officer, login=name, reason=reason))
        system.store.effects.end_log_ins()
    out.print(f"{login}: 已解除统一身份绑定 · no account of the provider opens it any more")
