"""`relief doctor` about the identity provider: is all of it set, and does it answer as one?"""

import asyncio
import time
from collections.abc import Iterator

from api.checkup import Finding
from api.provider_settings import ProviderDown, ProviderSettings
from cli.identity_provider import provider_lacks, provider_settings
from cli.settings import Settings


def provider(settings: Settings) -> Iterator[Finding]:
    """Nothing, and nobody is asked, where no provider is set."""
    if not (settings.oidc_issuer or settings.oidc_client_id or settings.oidc_only_roles):
        return
    found = provider_settings(settings)
    if found is None:
        names = provider_lacks(settings)
        yield Finding(
            "provider",
            False,
            f"统一身份认证未启用，请设置 {'、'.join(names)}（地址须以 https:// 开头）",
            f"Log-ins by the identity provider are off: set {', '.join(names)} (an issuer begins "
            "with https://).",
        )
        return
    problem = _reached(found)
    only = bool(settings.oidc_only_roles)
    yield Finding(
        "provider",
        problem is None or not only,
        f"统一身份认证 {found.issuer} 应答正常"
        if problem is None
        else f"统一身份认证 {found.issuer} 不能使用：{problem.detail}",
        f"The identity provider {found.issuer} answers."
        if problem is None
        else f"The identity provider {found.issuer} cannot be used: {problem.detail}.",
        warn=problem is not None,
    )


def _reached(found: ProviderSettings) -> ProviderDown | None:
    from api.oidc import OidcClient

    try:
        asyncio.run(OidcClient(found, time.time).reach())
    except ProviderDown as problem:
        return problem
    return None
