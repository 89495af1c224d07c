"""An identity provider of our own for the tests: a real OpenID Connect server on a port.

It shows keys, asks who somebody is (``who``), hands out codes that are good once, and signs ID
tokens for whoever shows the code's PKCE verifier and the client's secret. ``spoil`` makes it
misbehave in one way.
"""

import base64
import gzip
import hashlib
import hmac
import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import msgspec
import uvicorn
from joserfc import jws, jwt
from joserfc.jwk import ECKey, RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from cli.serving import bind

CLIENT_ID = "relief-county"
CLIENT_SECRET = "a secret of the client: 100%"
SLOW_SECONDS = 30.0
LARGE = 2 * 1024 * 1024
Key = RSAKey | ECKey


def new_key(name: str, *, curve: bool = False) -> Key:
    parameters = {"kid": name, "use": "sig", "alg": "ES256" if curve else "RS256"}
    if curve:
        return ECKey.generate_key("P-256", parameters)
    return RSAKey.generate_key(2048, parameters)


STRANGER = new_key("first")
"""Somebody else's key, under the name of the provider's."""


def _base64(text: bytes) -> str:
    return base64.urlsafe_b64encode(text).decode().rstrip("=")


@dataclass
class CityProvider:
    """``asks``: whether a person has to agree on a page before they are sent back."""

    port: int
    host: str = "127.0.0.1"
    who: dict[str, Any] = field(default_factory=lambda: {"sub": "83692"})
    spoil: str = ""
    asks: bool = False
    key: Key = field(default_factory=lambda: new_key("first"))
    asked: Counter[str] = field(default_factory=Counter)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    open: threading.Event = field(default_factory=threading.Event)

    @property
    def issuer(self) -> str:
        return f"http://{self.host}:{self.port}/realm"

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/realm/.well-known/openid-configuration", self.discovery),
                Route("/realm/keys", self.keys),
                Route("/realm/authorize", self.authorize, methods=["GET", "POST"]),
                Route("/realm/token", self.token, methods=["POST"]),
            ]
        )

    def discovery(self, request: Request) -> Response:
        self.asked["discovery"] += 1
        other = "https://elsewhere.example" if self.spoil == "another-issuer" else self.issuer
        said = {
            "issuer": other,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "response_types_supported": ["code"],
            "authorization_response_iss_parameter_supported": True,
        }
        if self.spoil == "plain-address":
            said["token_endpoint"] = "http://elsewhere.example/token"
        return JSONResponse(said)

    def keys(self, request: Request) -> Response:
        self.asked["keys"] += 1
        odd = [{"kty": "oct", "k": _base64(b"s" * 32), "kid": "first"}, {"kty": "SM2"}, 7]
        return JSONResponse({"keys": [*odd, self.key.as_dict(private=False)]})

    async def authorize(self, request: Request) -> Response:
        given = dict(request.query_params)
        assert given["response_type"] == "code" and given["code_challenge_method"] == "S256"
        assert given["client_id"] == CLIENT_ID and "openid" in given["scope"]
        if self.asks and request.method == "GET":
            return HTMLResponse("<form method=post><button>Agree</button></form>")
        answer = {"state": given["state"], "iss": self.issuer}
        if self.spoil == "cancelled":
            answer["error"] = "access_denied"
        else:
            code = f"code-{len(self.codes)}"
            self.codes[code] = given
            answer["code"] = code
        if self.spoil == "mixed-up":
            answer["iss"] = "https://elsewhere.example"
        return RedirectResponse(f"{given['redirect_uri']}?{urlencode(answer)}", 303)

    async def token(self, request: Request) -> Response:
        self.asked["token"] += 1
        if self.spoil == "slow":
            self.open.wait(SLOW_SECONDS)
        if self.spoil == "redirect":
            return RedirectResponse("http://127.0.0.1:9/token", 307)
        if self.spoil == "html":
            return HTMLResponse("<h1>Gateway</h1>", 200)
        form = dict((await request.form()).items())
        basic = base64.b64encode(self._credentials().encode()).decode()
        assert request.headers["authorization"] == f"Basic {basic}"
        asked = self.codes.pop(str(form["code"]), None)
        proof = _base64(hashlib.sha256(str(form["code_verifier"]).encode()).digest())
        if (
            asked is None
            or proof != asked["code_challenge"]
            or form["redirect_uri"] != asked["redirect_uri"]
        ):
            return JSONResponse({"error": "invalid_grant"}, 400)
        said = {"access_token": "opaque", "token_type": "Bearer", "id_token": self._signed(asked)}
        if self.spoil == "huge":
            said["more"] = "x" * LARGE
        if self.spoil == "packed":
            packed = gzip.compress(msgspec.json.encode(said))
            return Response(packed, headers={"Content-Encoding": "gzip"})
        return JSONResponse(said)

    def _credentials(self) -> str:
        return f"{CLIENT_ID}:{CLIENT_SECRET}"

    def _signed(self, asked: dict[str, str]) -> str:
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": CLIENT_ID,
            "iat": now,
            "exp": now + 300,
            "nonce": asked["nonce"],
            **self.who,
        }
        claims |= self._wrong(now).get(self.spoil, {})
        for gone in {"without-nonce": ["nonce"], "without-subject": ["sub"]}.get(self.spoil, []):
            claims.pop(gone)
        header = {"alg": self.key.get("alg"), "kid": self.key.kid}
        by_hand: dict[str, Callable[[bytes], bytes]] = {"none": lambda _: b"", "hs256": self._mac}
        if self.spoil in by_hand:
            header["alg"] = "none" if self.spoil == "none" else "HS256"
            parts = [_base64(msgspec.json.encode(one)) for one in (header, claims)]
            signed = ".".join(parts)
            return f"{signed}.{_base64(by_hand[self.spoil](signed.encode()))}"
        key = STRANGER if self.spoil in ("stranger", "unknown-kid") else self.key
        if self.spoil == "unknown-kid":
            header["kid"] = f"never-seen-{self.asked['token']}"
        header["alg"] = key.get("alg")
        if self.spoil == "half-character":
            text = json.dumps(claims | {"sub": "\ud800"})
            return jws.serialize_compact(header, text, key, algorithms=[header["alg"]])
        return jwt.encode(header, claims, key, algorithms=[header["alg"]])

    def _mac(self, signed: bytes) -> bytes:
        """By the public key as the secret that everybody knows."""
        return hmac.new(self.key.as_pem(private=False), signed, hashlib.sha256).digest()

    def _wrong(self, now: int) -> dict[str, dict[str, Any]]:
        return {
            "nonce": {"nonce": "another"},
            "aud": {"aud": "another-client"},
            "aud-for-us": {"aud": "another-client", "azp": CLIENT_ID},
            "azp": {"aud": [CLIENT_ID, "another"], "azp": "another"},
            "iss": {"iss": "https://elsewhere.example"},
            "expired": {"iat": now - 100, "exp": now - 90},
            "future": {"iat": now + 600, "exp": now + 900},
            "old": {"iat": now - 3600},
            "at-hash": {"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"},
        }


@contextmanager
def city_provider(host: str = "127.0.0.1") -> Iterator[CityProvider]:
    """The provider on a free port, in a thread of this process."""
    sock, _ = bind("127.0.0.1", 0)
    made = CityProvider(sock.getsockname()[1], host)
    config = uvicorn.Config(made.app(), log_level="error", lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [sock]}, name="provider")
    thread.start()
    try:
        yield made
    finally:
        made.open.set()
        server.should_exit = True
        thread.join(20)
        assert not thread.is_alive(), "the provider did not stop"
