"""Putting somebody in post: what every way to a post asks before it gives one (decision 0058).

Four eyes are two persons. The ledger tells persons apart by their ID numbers alone, so a post that
four eyes count on takes one, whichever way it is come by: an appointment, the engagement of a
list's row, a hand-over, a substitute. Where a number cannot be had, a superior says so first.
"""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from domain.area import Area
from domain.commands.checked import Checked
from domain.late_number import LateNumber
from domain.login_name import LoginName, opens_post
from domain.officer import Officer
from domain.posts import Appointment, OwnPosts
from domain.refusal import Refusal
from domain.rules.base import china_day
from domain.seat import makes_seat, move_seat_up
from domain.world import About, Role, Vault, World

OFFICER = About("officers", Officer, "officer")

WITHOUT_NUMBER = frozenset({Role.DISPATCHER, Role.AUDITOR, Role.ADMINISTRATOR})
"""Posts on which no second pair of eyes depends: two of them may be one person unharmed."""


@dataclass(eq=False)
class IdNumberNeeded(Refusal):
    """Two officers without an ID number may be one person, who then files and accepts alone."""

    status: ClassVar[int] = 422
    zh: ClassVar[str] = (
        "岗位“{role}”须登记本人身份证号：没有身份证号无法保证经办和审核不是同一人。"
        "已登记的人员请先在其人员页补登；"
        "确实无法取得的，先登记人员，由上级管理员说明原因并登记“无法取得身份证号”后再任命"
    )
    en: ClassVar[str] = (
        "The post of {role} takes the officer's ID number: without it nobody can tell that who "
        "files and who reviews are two persons. Give it on the page of an officer who is "
        "registered already. Where it cannot be had, register the officer, let an administrator "
        "above record why, and appoint them then."
    )
    role: str


@dataclass(eq=False)
class ExcusedByYou(Refusal):
    """One administrator alone never brings somebody without an ID number into such a post."""

    zh: ClassVar[str] = "该人员“无法取得身份证号”由您本人登记，岗位“{role}”须由另一名管理员任命"
    en: ClassVar[str] = (
        "You recorded that this officer's ID number cannot be had: another administrator gives "
        "the post of {role}."
    )
    officer: UUID
    role: str


class OnOfficer(Checked):
    """What every step of an officer shares: what it asks of the officer and of who takes it.

    By nobody for themselves, unless `check` says otherwise.
    """

    __slots__ = ()
    about: ClassVar[About] = OFFICER

    @classmethod
    def check(cls, world: World, officer: Officer) -> None:
        not_oneself(world, officer)


def not_oneself(world: World, officer: Officer) -> None:
    """`OwnPosts` if the officer is the one who asks, or whom they stand in for."""
    if officer.id in (world.actor.officer, world.actor.standing_for):
        raise OwnPosts(officer=officer.id)


def has_number(vault: Vault, officer: Officer) -> bool:
    """Whether the officer has an ID number: no second officer can be the same person."""
    return officer.numbered_as is not None or vault.is_person(officer.person)


def officer_with(world: World, person: UUID) -> Officer | None:
    """The officer of an ID number's person, also if the number came after the officer."""
    known = world.find(Officer, Officer.id_of(person))
    if known is not None:
        return known
    late = world.find(LateNumber, LateNumber.id_of(person))
    return None if late is None else world.get(Officer, late.officer)


def takes_number(role: Role, *, training: bool) -> bool:
    """Whether a post takes its officer's ID number. In a training store none does: nothing that is
    done there is in earnest (decision 0061)."""
    return role not in WITHOUT_NUMBER and not training


def require_number(world: World, officer: Officer, role: Role) -> None:
    """`IdNumberNeeded` for a post that four eyes count on, and `ExcusedByYou`.

    The program itself is not asked: it appoints the first administrator and the made-up officers
    of the demo. People who use it so (`relief officer add`) are asked before.
    """
    asked = world.actor.role is not Role.SYSTEM and takes_number(role, training=world.training)
    if not asked or has_number(world.vault, officer):
        return
    if officer.number_excused_by is None:
        raise IdNumberNeeded(role=role)
    if set(world.actor.persons) & set(officer.number_excused_by):
        raise ExcusedByYou(officer=officer.id, role=role)


def require_number_of_heir(world: World, heir: Officer, holder: Officer, role: Role) -> None:
    """As `require_number`, for a post that passes from one to another, for days or for good.

    A holder without a number was in post before numbers were asked: their post stays as it is, in
    whose hands it may be. Who is excused is so for themselves: two administrators said so of them,
    and of nobody who comes after.
    """
    if has_number(world.vault, holder) or holder.number_excused_by is not None:
        require_number(world, heir, role)


def posts_opened(world: World, officer: Officer) -> tuple[Appointment, ...]:
    """The posts that whoever logs in as the officer holds, now or later, also for others."""
    today = china_day(world.now)
    stand_ins = (one.appointment for one in officer.stand_ins.values() if one.ends_on >= today)
    return (*officer.posts_from(today), *stand_ins)


def outgrown(world: World, officer: Officer, name: LoginName) -> Appointment | None:
    """A post that lies neither where the officer was in office when invited, nor below."""
    for post in posts_opened(world, officer):
        if not opens_post(name.invited_areas, world.lineage(post.area)):
            return post
    return None


def void_invitations(world: World, officer: Officer) -> list[str]:
    """The log-in names whose open code is void since the officer has come to a further post:
    told in the answer, so that the administrator invites again (decision 0052)."""
    names = (world.look(LoginName, LoginName.id_of(login)) for login in sorted(officer.logins))
    return [
        name.login
        for name in names
        if name is not None and name.is_invited(world.now) and outgrown(world, officer, name)
    ]


def put_in_post(world: World, officer: Officer, post: Appointment) -> None:
    """Give the officer a post. From its first day on the seat lies no lower than its area."""
    not_oneself(world, officer)
    area = world.get(Area, post.area)
    area.require_living()
    require_number(world, officer, post.role)
    officer.appoint(post, area.level)
    if makes_seat(post, china_day(world.now)):
        move_seat_up(world, area.id)
