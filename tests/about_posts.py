"""What the small demo leaves out about posts: what superiors propose, and numbers given later."""

from datetime import date
from uuid import UUID

from demo.naming import demo_id
from domain.commands import proposing
from domain.commands.id_numbers import GiveIdNumber
from domain.commands.officers import RegisterOfficer
from domain.ids import seeded_id
from domain.posts import Post
from domain.world import Role
from tests.everything import Desk

VILLAGE = "yuantan-doutang-a"


def about_posts(desk: Desk) -> None:
    """Somebody new is proposed and engaged, a suspension is not; an ID number comes late."""
    names = desk.names
    officer = names.officer(VILLAGE)
    wanted, halted = (seeded_id("everything/proposal", n) for n in (1, 2))
    newcomer = proposing.ProposeEngagement(
        id=wanted,
        full_name="（演示）韩梅",
        role=Role.VILLAGE_REPORTER,
        area=desk.load(officer).home,
        post=Post.B,
        starts_on=date(2018, 9, 4),
        reason="原 B 岗外出务工",
    )
    desk.do(newcomer, "yuantan-reviewer-new")
    engaged = proposing.EngageProposed(
        proposal=wanted,
        person=demo_id("person", "proposed"),
        id=demo_id("appointment", "proposed"),
        full_name="（演示）韩梅梅",
        login="yuantan-hanmei",
        id_number="340824198103040013",
    )
    desk.do(engaged, "administrator")
    suspension = proposing.ProposeSuspension(id=halted, officer=officer, reason="多次脱岗")
    desk.do(suspension, "county-approver")
    declined = proposing.DeclineProposal(proposal=halted, reason="已谈话提醒，留任观察")
    desk.do(declined, "administrator")
    late = RegisterOfficer(
        person=demo_id("person", "numbered-late"),
        full_name="（演示）李晚",
        area=desk.load(officer).home,
    )
    registered = UUID(str(desk.do(late, "administrator")["officer"]))
    number = GiveIdNumber(officer=registered, id_number="34082419810304003X")
    desk.do(number, "administrator")
