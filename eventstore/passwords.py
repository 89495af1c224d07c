"""Which passwords are taken: eight characters, not a common one, without the log-in name.

Nothing else is asked for: rules about kinds of characters make people write passwords down.
"""

from functools import cache

MIN_PASSWORD = 8
LONGEST_PASSWORD = 200
FEWEST_CHARACTERS = 3
"""Of different ones: 88888888 and abababab are among the first that anybody tries."""
SHORTEST_NAME = 3
"""A log-in name of one or two characters is in too many passwords by chance."""


class PasswordRefused(Exception):
    """This password is not taken; ``zh`` and ``en`` say why."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(en)
        self.zh, self.en = zh, en


def check_password(login: str, password: str) -> None:
    """`PasswordRefused` if a stranger would try it soon."""
    if len(password) < MIN_PASSWORD:
        raise PasswordRefused(
            f"密码至少 {MIN_PASSWORD} 位", f"A password has at least {MIN_PASSWORD} characters."
        )
    if len(password) > LONGEST_PASSWORD:
        raise PasswordRefused(
            f"密码不能超过 {LONGEST_PASSWORD} 位",
            f"A password has at most {LONGEST_PASSWORD} characters.",
        )
    small = password.casefold()
    name = login.strip().casefold()
    if len(name) >= SHORTEST_NAME and name in small:
        raise PasswordRefused(
            "密码中不能含有登录名", "A password does not contain the log-in name."
        )
    if len(set(small)) < FEWEST_CHARACTERS or small in _common():
        raise PasswordRefused(
            "这个密码太常见，别人很容易猜到，请换一个",
            "This password is a common one that anybody would try: choose another.",
        )


@cache
def _common() -> frozenset[str]:
    """The 30,000 most used passwords of leaked lists. Read at its first use: it takes a second."""
    from zxcvbn.frequency_lists import FREQUENCY_LISTS

    return frozenset(FREQUENCY_LISTS["passwords"])
