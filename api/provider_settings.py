"""The settings of log-ins over an identity provider, and what can go wrong with it.

Apart from what speaks to it (`api.oidc`), whose libraries only those load who have a provider.
"""

from dataclasses import dataclass

import msgspec

from domain.world import Role

RETURN_PATH = "/login/provider/return"
"""Where the provider sends a browser back to, below the address of the pages."""
LOOPBACK = ("http://localhost:", "http://127.0.0.1:", "http://[::1]:")
"""A provider on this very machine is spoken to without TLS: for a trial, and for the tests."""


@dataclass(frozen=True, slots=True)
class ProviderSettings:
    """One provider. All of it is said, or there is none (`provider_settings`).

    ``authoritative``: whom the claim ``login_claim`` names is connected by it. ``only_roles``:
    posts whose log-ins are the provider's alone. ``second_factors``: values of ``acr`` or ``amr``
    that stand for our second step.
    """

    issuer: str
    client_id: str
    client_secret: str
    return_url: str
    name_zh: str
    name_en: str
    login_claim: str = "preferred_username"
    authoritative: bool = False
    only_roles: frozenset[Role] = frozenset()
    second_factors: frozenset[str] = frozenset()


def may_be_asked(address: str, issuer: str) -> bool:
    """Whether we speak to this address of a provider: over TLS, or on this very machine."""
    if address.startswith("https://"):
        return True
    return issuer.startswith(LOOPBACK) and address.startswith(LOOPBACK)


class ProviderDown(Exception):
    """It does not answer, or says what no provider says. ``detail`` is for the log."""

    zh = "统一身份认证暂时无法使用，请稍后再试，或用密码登录"
    en = "The identity provider cannot be reached just now. Try again later, or use your password."

    def __init__(self, detail: str) -> None:
        super().__init__(self.en)
        self.detail = detail


class ProviderNotBelieved(Exception):
    """What came back proves nothing. ``detail`` is for the log."""

    zh = "统一身份认证的答复未通过核验，请重新登录；如再次出现，请联系管理员"
    en = (
        "What the identity provider answered could not be verified. Log in again; if it happens "
        "again, tell your administrator."
    )

    def __init__(self, detail: str) -> None:
        super().__init__(self.en)
        self.detail = detail


class Asked(msgspec.Struct, frozen=True):
    """A question to the provider: its browser keeps this sealed until the answer comes."""

    state: str
    nonce: str
    verifier: str
    at: float
