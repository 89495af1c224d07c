"""What the small demo leaves out about officers: log-ins, certificates, who has no ID number, and
(in `tests.about_posts`) what superiors propose.

Codes and passwords are no facts.
"""

from datetime import date

from demo.divisions import COUNTY
from demo.naming import demo_id
from domain.commands import connecting, id_numbers, logins, recovering
from domain.commands.renewing import RecordCertificate
from domain.ids import seeded_id
from domain.login_name import PasswordWay
from tests.about_posts import about_posts
from tests.everything import Desk

LOGIN = "yuantan-doutang-a"


def about_log_ins(desk: Desk) -> None:
    """A reporter who has forgotten the password is invited again, loses a phone, was trained;
    another one has no ID number."""
    officer = desk.names.officer(LOGIN)
    excused = id_numbers.ExcuseIdNumber(
        officer=desk.names.officer("yuantan-yongji-b"), reason="户籍未迁入，暂未办理居民身份证"
    )
    desk.do(excused, "administrator")
    recovered = recovering.RecoverAdministrator(
        person=demo_id("person", "recovered"),
        id=demo_id("appointment", "recovered"),
        login="administrator-2",
        area=desk.names.area(COUNTY),
        reason="唯一的管理员调离，无人可以办理",
        operator="县信息中心值班员",
        full_name="（演示）新管理员",
    )
    desk.do(recovered, None)
    desk.do(logins.InviteOfficer(officer=officer, login=LOGIN), "administrator")
    way = PasswordWay.INVITATION
    desk.do(logins.RecordPassword(officer=officer, login=LOGIN, way=way), None)
    desk.do(logins.RecordSessionsEnded(officer=officer, login=LOGIN, sessions=1), None)
    trained = RecordCertificate(
        officer=officer,
        certificate="皖灾信 0107",
        issued_on=date(2016, 10, 1),
        valid_until=date(2018, 9, 30),
    )
    desk.do(trained, "administrator")
    desk.do(logins.EndOfficerSessions(officer=officer, reason="手机丢失"), "administrator")
    factor = seeded_id(LOGIN, "second factor")
    desk.do(logins.RecordSecondFactor(officer=officer, login=LOGIN, factor=factor), None)
    lost = logins.ResetSecondFactor(officer=officer, login=LOGIN, reason="更换手机")
    desk.do(lost, "administrator")
    about_posts(desk)
    at_provider = {
        "officer": officer,
        "login": LOGIN,
        "subject": "5e" * 32,
        "provider": "https://id.example.gov.cn",
    }
    for _ in range(2):
        shown = connecting.RecordProvider(**at_provider, way=connecting.ProviderWay.OWN)
        desk.do(shown, None)
        gone = connecting.UnbindProvider(officer=officer, login=LOGIN, reason="账号停用")
        desk.do(gone, "administrator")
