"""The API as a page: a vendored viewer over the product's own OpenAPI document (decision 0073)."""

from functools import cache

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from api.fast import OPENAPI
from web.i18n import Language, catalog
from web.render import language_of, render
from web.session import put_shell

router = APIRouter(include_in_schema=False)

VIEWER = "viewer.word_"


@router.get("/docs")
async def docs(request: Request) -> Response:
    """For whoever may read the document itself: it is open, and so is this page."""
    await run_in_threadpool(put_shell, request, counted=True)
    words = viewer_words(language_of(request))
    return render(request, "docs.html", document=OPENAPI, viewer_words=words)


@cache
def viewer_words(language: Language) -> dict[str, str]:
    """What the viewer says, which is English, and what it says here."""
    own, t = catalog("en").sentences, catalog(language).t
    names = [key.removeprefix(VIEWER) for key in own if key.startswith(VIEWER)]
    return {own[VIEWER + name]: t("viewer.word_" + name) for name in names}
