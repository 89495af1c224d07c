"""Pages out of templates: a Jinja environment a language, strict and escaped; strict headers."""

import hashlib
import json
import pickle
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, Final

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import (
    ChoiceLoader,
    Environment,
    FileSystemBytecodeCache,
    FileSystemLoader,
    StrictUndefined,
    Template,
)
from jinja2 import __version__ as jinja_version
from jinja2.bccache import Bucket
from starlette.responses import Response, StreamingResponse

from api.language import LANGUAGE_COOKIE, as_language
from api.language import language_of as language_of
from web.assets import asset, integrity, vendored
from web.did import did_at
from web.formats import UNKNOWN, Formats, iso, mask
from web.helping import help_at
from web.i18n import LANGUAGES, TAGS, Language, catalog
from web.shell import STRANGER, Shell

TEMPLATES = Path(__file__).parent / "templates"
COMPILED = TEMPLATES / "__pycache__"
YEAR_SECONDS: Final = 365 * 24 * 3600
PIECES: Final = 500
"""Parts of a template that go out together."""

CONTENT_POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "font-src 'self'",
        "connect-src 'self'",
        "manifest-src 'self'",
        "worker-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS: Final[Mapping[str, str]] = {
    "Content-Security-Policy": CONTENT_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "geolocation=(self), camera=(self), microphone=()",
    # Pages show people in need, on computers that others use after you.
    "Cache-Control": "no-store",
    "Vary": "Cookie, Accept-Language",
}

HTMX_CONFIG: Final = json.dumps(
    {
        "allowEval": False,
        "allowScriptTags": False,
        "includeIndicatorStyles": False,
        # It would carry a style over to what is exchanged, as an attribute, which the policy
        # refuses: a field drawn larger on a live page was a complaint at each change.
        "attributesToSettle": ["class"],
        "selfRequestsOnly": True,
        "historyCacheSize": 0,  # its cache would leave names in sessionStorage
        "refreshOnHistoryMiss": True,
        "timeout": 15_000,
    }
)

ERROR_KEYS: Final = {
    401: "error.unauthorized",
    403: "error.forbidden",
    404: "error.not_found",
    409: "error.refused",
    410: "error.gone",
    412: "error.stale",
    422: "error.malformed",
    429: "error.too_many",
    503: "error.unavailable",
}

PASSING: Final = frozenset({429, 500, 503})
"""What may be well a moment later."""


class Compiled(FileSystemBytecodeCache):
    """Templates as bytecode, kept beside them as Python keeps that of modules.

    To compile one takes longer than to fill it in a hundred times, and each is needed in both
    languages, by every process.
    """

    def __init__(self, folder: Path = COMPILED) -> None:
        by = jinja_version.encode() + Path(__file__).read_bytes()  # how they are read stands here
        super().__init__(str(folder), f"{hashlib.sha256(by).hexdigest()[:16]}-%s.j2c")

    def load_bytecode(self, bucket: Bucket) -> None:
        try:
            super().load_bytecode(bucket)
        except (OSError, pickle.UnpicklingError):  # such as half a file, after a power cut
            bucket.reset()

    def dump_bytecode(self, bucket: Bucket) -> None:
        if sys.dont_write_bytecode:
            return
        with suppress(OSError):  # a folder of the system, or a full disk: it is compiled each time
            Path(self.directory).mkdir(exist_ok=True)
            super().dump_bytecode(bucket)


def make_environment(language: Language, *more: Path) -> Environment:
    """The environment of a language; ``more`` are folders searched after our own templates."""
    words = catalog(language)
    formats = Formats(words)
    env = Environment(
        loader=ChoiceLoader([FileSystemLoader(folder) for folder in (TEMPLATES, *more)]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        bytecode_cache=Compiled(),
    )
    env.policies["json.dumps_kwargs"] = {"ensure_ascii": False, "sort_keys": True}
    env.globals |= {
        "t": words.t,
        "did": did_at(language),
        "lang": language,
        "lang_tag": TAGS[language],
        "browser_messages": words.for_browser(),
        "htmx_config": HTMX_CONFIG,
        "asset": asset,
        "vendored": vendored,
        "integrity": integrity,
        "number": formats.number,
        "fen": formats.fen,
        "when": formats.when,
        "clock": formats.clock,
        "day": formats.day,
        "lasting": formats.lasting,
        "iso": iso,
        "mask": mask,
        "UNKNOWN": UNKNOWN,
    }
    return env


class Pages:
    """Renders templates in the language of the request."""

    def __init__(self, *more: Path) -> None:
        self._environments = {lang: make_environment(lang, *more) for lang in LANGUAGES}

    def render(
        self, request: Request, name: str, /, *, status: int = 200, **context: Any
    ) -> HTMLResponse:
        """A page (or a fragment) with its headers. ``shell`` comes from ``request.state``.

        ``?lang=en`` answers in English and remembers it in a cookie.
        """
        made, context = self._begin(request, name, context)
        response = HTMLResponse(made.render(context), status_code=status, headers=dict(HEADERS))
        _remember_language(request, response)
        return response

    def stream(self, request: Request, name: str, /, **context: Any) -> StreamingResponse:
        """The same page, sent in pieces while it is made."""
        made, context = self._begin(request, name, context)
        pieces = made.stream(context)
        pieces.enable_buffering(PIECES)
        response = StreamingResponse(pieces, headers=dict(HEADERS), media_type="text/html")
        _remember_language(request, response)
        return response

    def _begin(
        self, request: Request, name: str, context: dict[str, Any]
    ) -> tuple[Template, dict[str, Any]]:
        language = language_of(request)
        shell: Shell = getattr(request.state, "shell", STRANGER)
        around = {
            "shell": shell,
            "path": request.url.path,
            "help_address": help_at(getattr(request.scope.get("route"), "path", ""), shell.roles),
            "other_language": str(request.url.include_query_params(lang=_other(language)).query),
        }
        return self._environments[language].get_template(name), {**around, **context}


def _remember_language(request: Request, response: Response) -> None:
    """What ``?lang=`` says, in a cookie."""
    asked = as_language(request.query_params.get(LANGUAGE_COOKIE))
    if asked is not None:
        response.set_cookie(
            LANGUAGE_COOKIE,
            asked,
            max_age=YEAR_SECONDS,
            httponly=True,
            samesite="lax",
            secure=request.url.scheme == "https",
        )


def _other(language: Language) -> Language:
    return "en" if language == "zh" else "zh"


@cache
def _pages() -> Pages:
    return Pages()


def render(request: Request, name: str, /, *, status: int = 200, **context: Any) -> HTMLResponse:
    """`Pages.render` with the product's own templates."""
    return _pages().render(request, name, status=status, **context)


def stream(request: Request, name: str, /, **context: Any) -> StreamingResponse:
    """`Pages.stream` with the product's own templates."""
    return _pages().stream(request, name, **context)


def _same_address(request: Request) -> str:
    """Where the reader wanted to go, to be tried again; "" for what was sent, not asked for."""
    asked = f"?{request.url.query}" if request.url.query else ""
    return request.url.path + asked if request.method == "GET" else ""


def render_error(
    request: Request,
    status: int,
    *,
    sentence: str = "",
    reference: str = "",
    errors: Sequence[Mapping[str, Any]] = (),
    again: str = "",
) -> HTMLResponse:
    """A page that says what went wrong and what to do next.

    ``sentence`` is a rule's own words; ``reference`` the correlation id to read out on the phone;
    ``errors`` what is wrong with which parameter; ``again`` the list without what was refused.
    """
    key = ERROR_KEYS.get(status, "error.broken")
    return render(
        request,
        "error.html",
        status=status,
        code=status,
        key=key,
        sentence=sentence,
        reference=reference,
        errors=errors,
        again=again,
        retry=_same_address(request) if status in PASSING else "",
    )
