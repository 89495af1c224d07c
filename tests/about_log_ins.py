"""What the small demo leaves out about log-ins: their codes and passwords are no facts."""

from domain.commands import logins
from domain.login_name import PasswordWay
from tests.everything import Desk

LOGIN = "yuantan-doutang-a"


def about_log_ins(desk: Desk) -> None:
    """A reporter who has forgotten the password is invited again, and loses a phone."""
    officer = desk.names.officer(LOGIN)
    desk.do(logins.InviteOfficer(officer=officer, login=LOGIN), "administrator")
    way = PasswordWay.INVITATION
    desk.do(logins.RecordPassword(officer=officer, login=LOGIN, way=way), None)
    desk.do(logins.RecordSessionsEnded(officer=officer, login=LOGIN, sessions=1), None)
