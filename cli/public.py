"""Under which address people reach the pages: what is set, else this machine's own."""

from api.invitations import page_of
from cli.settings import Settings

# compared with, not listened on
EVERYWHERE = ("0.0.0.0", "::", "")  # noqa: S104  # nosec B104


def public_url(settings: Settings) -> str:
    """Without a slash at its end."""
    if settings.public_url:
        return settings.public_url.rstrip("/")
    host = "127.0.0.1" if settings.host in EVERYWHERE else settings.host
    return f"http://{host}:{settings.port}"


def invitation_url(settings: Settings, code: str) -> str:
    """The page on which the code of an invitation is accepted."""
    return public_url(settings) + page_of(code)
