"""Under which address people reach the pages: what is set, else this machine's own."""

from api.invitations import page_of
from cli.settings import Settings

# compared with, not listened on
EVERYWHERE = ("0.0.0.0", "::", "")  # noqa: S104  # nosec B104


def public_url(settings: Settings) -> str:
    """Without a slash at its end."""
    return reached_at(settings, settings.host, settings.port)


def reached_at(settings: Settings, host: str, port: int) -> str:
    """What start prints: the address that is set, else where it listens, as a browser takes it."""
    if settings.public_url:
        return settings.public_url.rstrip("/")
    return f"http://{'127.0.0.1' if host in EVERYWHERE else host}:{port}"


def invitation_url(settings: Settings, code: str) -> str:
    """The page on which the code of an invitation is accepted."""
    return public_url(settings) + page_of(code)
