"""The identity provider that the settings name, and what they lack of one."""

from api.provider_settings import RETURN_PATH, ProviderSettings, may_be_asked
from cli.settings import Settings


def provider_settings(settings: Settings) -> ProviderSettings | None:
    """The identity provider, if all is set that it takes; `relief doctor` tells what is missing."""
    if provider_lacks(settings):
        return None
    return ProviderSettings(
        issuer=settings.oidc_issuer,
        client_id=settings.oidc_client_id,
        client_secret=settings.oidc_client_secret or "",
        return_url=settings.public_url.rstrip("/") + RETURN_PATH,
        name_zh=settings.oidc_name,
        name_en=settings.oidc_name_en,
        login_claim=settings.oidc_login_claim,
        authoritative=settings.oidc_login_claim_trusted,
        only_roles=settings.oidc_only_roles,
        second_factors=settings.oidc_second_factors,
    )


def provider_lacks(settings: Settings) -> tuple[str, ...]:
    """Which settings are missing or wrong before officers can log in by a provider."""
    issuer = settings.oidc_issuer
    right = {
        "RELIEF_OIDC_ISSUER": bool(issuer) and may_be_asked(issuer, issuer),
        "RELIEF_OIDC_CLIENT_ID": bool(settings.oidc_client_id),
        "RELIEF_PUBLIC_URL": settings.public_url.startswith(("https://", "http://")),
    }
    return tuple(name for name, is_so in right.items() if not is_so)
