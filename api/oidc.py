"""Speaking OpenID Connect with one provider: authorization code with PKCE, and what comes back.

What the provider says is believed only as far as it is signed for us: the discovery document is
that of the issuer set here, keys are public ones, the ID token is for this client, of now, and
answers this very question. Whoever the token is about is not looked up here (`api.provider`).

Calls go out over authlib's client on the event loop, none of which waits for it: they have a few
places of their own, one deadline over all they do, bounded answers, and follow no redirect.
"""

import asyncio
import json
import secrets
import time
from collections.abc import AsyncIterator, Callable
from typing import Any, Final

import httpx2
import msgspec
from authlib.integrations.base_client import OAuthError
from authlib.integrations.httpx_client import AsyncOAuth2Client
from authlib.oidc.core import CodeIDToken
from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey

from api.provider_settings import (
    Asked,
    ProviderDown,
    ProviderNotBelieved,
    ProviderSettings,
    may_be_asked,
)

ALGORITHMS: Final = frozenset(
    ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA")
)
"""Signatures by a key that the provider alone has. What is not here is refused: "none", and
everything signed by a secret that both sides have."""
KINDS: Final = {"RSA": RSAKey, "EC": ECKey, "OKP": OKPKey}
LEAST_RSA_BITS: Final = 2048
SKEW_SECONDS: Final = 60
"""How far the provider's clock may be from ours."""
CALL_SECONDS: Final = 5.0
"""One call, from waiting for a place to the last byte of its answer."""
LARGEST_ANSWER: Final = 256 * 1024
LONGEST_TOKEN: Final = 16 * 1024
MOST_KEYS: Final = 50
PLACES: Final = 8
"""Calls at a time."""
KEPT_SECONDS: Final = 3600.0
"""How long discovery document and keys are good."""
AGAIN_SECONDS: Final = 5.0
"""A provider that did not answer is not asked again before."""
NEW_KEY_SECONDS: Final = 30.0
"""Keys are fetched for an unknown key id at most so often."""
SCOPE: Final = "openid profile"


class _Document(msgspec.Struct, frozen=True):
    """What we need of a discovery document."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)
    code_challenge_methods_supported: tuple[str, ...] = ("S256",)
    authorization_response_iss_parameter_supported: bool = False


class _Bounded(httpx2.AsyncBaseTransport):  # type: ignore[misc, unused-ignore]
    """Answers of a bounded size, counted as they come; packed ones are refused."""

    def __init__(self, inner: httpx2.AsyncBaseTransport) -> None:
        self._inner = inner

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        request.headers["Accept-Encoding"] = "identity"
        found = await self._inner.handle_async_request(request)
        if found.headers.get("content-encoding", "identity") != "identity":
            await found.aclose()
            raise ProviderDown("a packed answer")
        stream = found.stream
        assert isinstance(stream, httpx2.AsyncByteStream)
        return httpx2.Response(
            found.status_code,
            headers=found.headers,
            stream=_Counted(stream),
            extensions=found.extensions,
        )

    async def aclose(self) -> None:
        await self._inner.aclose()


class _Counted(httpx2.AsyncByteStream):  # type: ignore[misc, unused-ignore]
    def __init__(self, inner: httpx2.AsyncByteStream) -> None:
        self._inner = inner

    async def __aiter__(self) -> AsyncIterator[bytes]:
        size = 0
        async for chunk in self._inner:
            size += len(chunk)
            if size > LARGEST_ANSWER:
                raise ProviderDown("an answer that is too large")
            yield chunk

    async def aclose(self) -> None:
        await self._inner.aclose()


class OidcClient:
    """One provider, as this process knows it. ``seconds``: now, by the store's guarded clock."""

    def __init__(self, settings: ProviderSettings, seconds: Callable[[], float]) -> None:
        self.settings, self._seconds = settings, seconds
        self._places = asyncio.Semaphore(PLACES)
        self._turn = asyncio.Lock()
        self._document: tuple[_Document, float] | None = None
        self._keys: tuple[list[Key], float] = ([], 0.0)
        self._unknown_at = -NEW_KEY_SECONDS
        self._down_until = 0.0
        self._tls = httpx2.create_ssl_context()

    async def reach(self) -> None:
        """Whether it answers as a provider that we can use: else `ProviderDown`."""
        document = await self._known()
        if not _keys_of(await self._called(self._json(document.jwks_uri))):
            raise ProviderDown("keys: none that we can use")

    async def ask(self) -> tuple[str, Asked]:
        """Where to send a browser, and what it is to keep. Raises `ProviderDown`."""
        document = await self._known()
        asked = Asked(
            state=secrets.token_urlsafe(24),
            nonce=secrets.token_urlsafe(24),
            verifier=secrets.token_urlsafe(48),
            at=self._seconds(),
        )
        async with self._client(document) as client:
            address, _ = client.create_authorization_url(
                document.authorization_endpoint,
                state=asked.state,
                nonce=asked.nonce,
                code_verifier=asked.verifier,
            )
        return address, asked

    async def answered(self, asked: Asked, code: str, issuer: str | None) -> dict[str, Any]:
        """The claims of the ID token that a code stands for. ``issuer``: who says that it answers.

        Raises `ProviderNotBelieved` and `ProviderDown`.
        """
        document = await self._known()
        named = issuer is not None or document.authorization_response_iss_parameter_supported
        if named and issuer != self.settings.issuer:
            raise ProviderNotBelieved("an answer of another issuer")
        token = await self._called(self._token(document, asked, code))
        text = token.get("id_token")
        if not isinstance(text, str) or len(text) > LONGEST_TOKEN:
            raise ProviderNotBelieved("no ID token")
        return await self._verified(text, asked, token.get("access_token"))

    # -- the ID token --------------------------------------------------------------------------

    async def _verified(self, text: str, asked: Asked, access_token: Any) -> dict[str, Any]:
        try:
            header = jws.extract_compact(text.encode()).headers()
            if header.get("alg") not in ALGORITHMS:
                raise ProviderNotBelieved(f"signed by {header.get('alg')!r}")
            key = await self._key(header.get("kid"), str(header["alg"]))
            found = jwt.decode(text, key, algorithms=[str(header["alg"])])
            claims = CodeIDToken(
                found.claims,
                found.header,
                options={
                    "iss": {"essential": True, "value": self.settings.issuer},
                    "aud": {"essential": True, "value": self.settings.client_id},
                },
                params={
                    "nonce": asked.nonce,
                    "client_id": self.settings.client_id,
                    "access_token": access_token,
                },
            )
            claims.validate(now=int(self._seconds()), leeway=SKEW_SECONDS)
            json.dumps(found.claims, ensure_ascii=False).encode()  # half a character is no text
        except (JoseError, ValueError, TypeError) as problem:
            raise ProviderNotBelieved(f"{type(problem).__name__}: {problem}") from problem
        subject = claims["sub"]
        if not isinstance(subject, str) or not 0 < len(subject) <= 255:
            raise ProviderNotBelieved("no subject")
        if claims["iat"] < asked.at - SKEW_SECONDS:
            raise ProviderNotBelieved("issued before it was asked for")
        return dict(claims)

    async def _key(self, kid: Any, algorithm: str) -> Key:
        """The key of this id; fetched anew for one that nobody has seen, for keys change."""
        kept, at = self._keys
        found, now = _fitting(kept, kid, algorithm), time.monotonic()
        old = not kept or now - at > KEPT_SECONDS
        if old or (found is None and now - self._unknown_at > NEW_KEY_SECONDS):
            self._unknown_at = self._unknown_at if old else now
            async with self._turn:
                if self._keys[1] == at:  # nobody else has fetched them meanwhile
                    document = await self._known_now()
                    said = await self._called(self._json(document.jwks_uri))
                    self._keys = _keys_of(said), time.monotonic()
            found = _fitting(self._keys[0], kid, algorithm)
        if found is None:
            raise ProviderNotBelieved("signed by an unknown key")
        return found

    # -- the provider --------------------------------------------------------------------------

    async def _known(self) -> _Document:
        async with self._turn:
            return await self._known_now()

    async def _known_now(self) -> _Document:
        kept, now = self._document, time.monotonic()
        if kept is not None and now < kept[1]:
            return kept[0]
        if now < self._down_until:
            raise ProviderDown("it did not answer a moment ago")
        address = f"{self.settings.issuer.rstrip('/')}/.well-known/openid-configuration"
        try:
            found = self._checked(await self._called(self._json(address)))
        except ProviderDown:
            self._down_until = time.monotonic() + AGAIN_SECONDS
            raise
        self._document = found, time.monotonic() + KEPT_SECONDS
        return found

    def _checked(self, said: dict[str, Any]) -> _Document:
        try:
            found = msgspec.convert(said, _Document)
        except msgspec.ValidationError as problem:
            raise ProviderDown(f"discovery: {problem}") from problem
        issuer = self.settings.issuer
        if found.issuer != issuer:
            raise ProviderDown("discovery: of another issuer")
        addresses = (found.authorization_endpoint, found.token_endpoint, found.jwks_uri)
        if not all(may_be_asked(one, issuer) for one in addresses):
            raise ProviderDown("discovery: an address without TLS")
        if "S256" not in found.code_challenge_methods_supported:
            raise ProviderDown("discovery: no PKCE with S256")
        return found

    def _client(self, document: _Document) -> AsyncOAuth2Client:
        ways = document.token_endpoint_auth_methods_supported
        way = "client_secret_basic" if "client_secret_basic" in ways else "client_secret_post"
        return AsyncOAuth2Client(
            client_id=self.settings.client_id,
            client_secret=self.settings.client_secret or None,
            token_endpoint_auth_method=way if self.settings.client_secret else "none",
            code_challenge_method="S256",
            redirect_uri=self.settings.return_url,
            scope=SCOPE,
            transport=self._transport(),
            timeout=CALL_SECONDS,
        )

    def _transport(self) -> httpx2.AsyncBaseTransport:
        return _Bounded(httpx2.AsyncHTTPTransport(verify=self._tls, limits=ONE_CALL))

    async def _token(self, document: _Document, asked: Asked, code: str) -> dict[str, Any]:
        async with self._client(document) as client:
            try:
                found = await client.fetch_token(
                    document.token_endpoint,
                    grant_type="authorization_code",
                    code=code,
                    code_verifier=asked.verifier,
                )
            except OAuthError as problem:
                raise ProviderNotBelieved(f"no token: {problem.error}") from problem
            except ValueError as problem:
                raise ProviderDown(f"token: {problem}") from problem
        return dict(found)

    async def _json(self, address: str) -> dict[str, Any]:
        async with httpx2.AsyncClient(transport=self._transport(), timeout=CALL_SECONDS) as client:
            answer = await client.get(address)
        if answer.status_code != 200:
            raise ProviderDown(f"{address}: {answer.status_code}")
        try:
            return msgspec.json.decode(answer.content, type=dict[str, Any])
        except msgspec.MsgspecError as problem:
            raise ProviderDown(f"{address}: no JSON") from problem

    async def _called(self, call: Any) -> dict[str, Any]:
        """One call in its place and time. Raises `ProviderDown` if it comes to nothing."""
        try:
            async with asyncio.timeout(CALL_SECONDS):
                async with self._places:
                    found: dict[str, Any] = await call
                    return found
        except (TimeoutError, httpx2.HTTPError) as problem:
            raise ProviderDown(f"{type(problem).__name__}: {problem}") from problem
        finally:
            call.close()  # if its turn never came


ONE_CALL: Final = httpx2.Limits(max_connections=1, max_keepalive_connections=0)


def _keys_of(said: dict[str, Any]) -> list[Key]:
    """The public keys of a JWK set that may sign. Others that it holds are left alone."""
    listed = said.get("keys")
    if not isinstance(listed, list):
        raise ProviderDown("keys: no list")
    found: list[Key] = []
    for one in listed[:MOST_KEYS]:
        kind: Any = KINDS.get(str(one.get("kty"))) if isinstance(one, dict) else None
        if kind is None or one.get("use", "sig") != "sig" or "d" in one:
            continue
        if one["kty"] == "RSA" and len(str(one.get("n", ""))) * 6 < LEAST_RSA_BITS:
            continue
        try:
            found.append(kind.import_key(one))
        except (JoseError, ValueError, TypeError, KeyError):
            continue
    return found


def _fitting(keys: list[Key], kid: Any, algorithm: str) -> Key | None:
    """The key of this id; without one, the only key of the provider that makes such signatures."""
    kinds = {"R": "RSA", "P": "RSA", "E": "OKP" if algorithm == "EdDSA" else "EC"}
    fit = [
        key
        for key in keys
        if key.key_type == kinds[algorithm[0]]
        and (kid is None or key.kid == kid)
        and key.get("alg", algorithm) == algorithm
    ]
    return fit[0] if len(fit) == 1 or (fit and kid is not None) else None
