"""How long whoever guesses has to wait: longer and longer, but never for long."""

from domain.plurals import counted

FREE_TRIES = 5
LONGEST_DELAY = 60.0
"""Seconds that a log-in name rests at most, for devices that never logged in under it."""
FORGIVEN_SECONDS = 3600.0
"""After so long without a further try the failures of a name are forgotten."""


class LoginRefused(Exception):
    """Wrong name or password: which of the two is not told."""

    zh = "用户名或密码不正确"
    en = "Wrong user name or password."


class PasswordNotEnough(Exception):
    """The password is right, and the identity provider alone opens this log-in name."""

    zh = "您的岗位须通过统一身份认证登录，不能使用密码"
    en = "Your post logs in by the identity provider: a password does not open it."


class LoginLocked(Exception):
    """Too many failures; try again in ``retry_after`` seconds."""

    def __init__(self, retry_after: int) -> None:
        self.zh = f"连续失败次数过多，请在 {retry_after} 秒后再试"
        self.en = f"Too many failures. Try again in {counted(retry_after, 'second|seconds')}."
        super().__init__(self.en)
        self.retry_after = retry_after


def delay_after(failures: int) -> float:
    """Seconds to wait after so many failures in a row: none at first, then 2, 4, 8 … a minute."""
    return 0.0 if failures < FREE_TRIES else min(LONGEST_DELAY, 2.0 ** (failures - FREE_TRIES + 1))
