"""What people type into search boxes stands in no address.

They look for people by name, and an address stays in the history of a machine that others use, and
in the logs of whatever proxy stands before us. So a search is posted, and the page that it leads to
carries the words sealed in its address: ``/ledger?search=~Zm9v…``. Back, reload, further pages and
sheets go on working; another session cannot open the words, and shows the whole list. It gives no
sheet of it: nobody sees in a file that it holds more than was on the page.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Final
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import RedirectResponse
from starlette.responses import Response

from api.problems import ApiProblem
from eventstore.accounts import Session
from eventstore.url_text import bytes_of, text_of
from web.parts import url
from web.session import Visitor, read_form, require_token

router = APIRouter(include_in_schema=False)

SEALED: Final = "~"
NONCE_BYTES: Final = 12
LONGEST: Final = 100
"""Characters of what is typed; sealed they take more."""
BOXES: Final = {
    "/households/{id}": {"search"},
    "/ledger": {"search"},
    "/officers": {"search", "place"},
    "/officers/new": {"q"},
    "/officers/proposals/new": {"q"},
    "/officers/{id}": {"q"},
    "/search": {"q"},
    "/timeline": {"subject"},
}
"""Pages on which people are looked for, and the boxes that are typed into."""

Said = Annotated[str, Query(max_length=1000, pattern=r"^[^\x00]*$")]


@dataclass(frozen=True)
class Typed:
    """``text`` as it was typed; ``sealed`` as it stands in addresses of this session. ``over``:
    words were sealed, and not by this session."""

    text: str = ""
    sealed: str = ""
    over: bool = False


NOTHING_TYPED: Final = Typed()
TYPED_ELSEWHERE: Final = Typed(over=True)
ASKED: Final = "Relief-Asked"
"""The address of the page with what a form asked for (search.js puts it into the location)."""


def id_of(text: str) -> UUID | None:
    """The id of a form's field, or None where it says nothing."""
    try:
        return UUID(text)
    except ValueError:
        return None


def day_in(text: str) -> date | None:
    """The day of a form's field, or None where it says nothing."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def typed(session: Session, text: str) -> Typed:
    text = text.strip()[:LONGEST]
    return Typed(text, seal(session, text)) if text else NOTHING_TYPED


def seal(session: Session, text: str) -> str:
    nonce = secrets.token_bytes(NONCE_BYTES)
    sealed = nonce + _cipher(session).encrypt(nonce, text.encode(), None)
    return SEALED + text_of(sealed)


def opened(session: Session, said: str) -> Typed:
    """The words of an address. One written by hand has them plain: its links have them sealed."""
    if not said.startswith(SEALED):
        return typed(session, said)
    try:
        raw = bytes_of(said[1:])
        text = _cipher(session).decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], None).decode()
    except (ValueError, InvalidTag):
        return TYPED_ELSEWHERE
    return Typed(text, said)


def require_open(words: Typed) -> None:
    """Raises 410 where a file would hold the whole list in place of what was searched for."""
    if words.over:
        raise ApiProblem(
            410,
            "search-over",
            "此前的登录已结束，查询条件已失效：请回到页面重新查询，再导出",
            "The log-in in which this was searched for has ended: search again on the page, then "
            "take the sheet.",
        )


def _cipher(session: Session) -> AESGCM:
    return AESGCM(hashlib.sha256(b"words typed into a search box" + session.csrf.encode()).digest())


def _search(caller: Visitor, search: Said = "") -> Typed:
    return opened(caller.session, search)


def _q(caller: Visitor, q: Said = "") -> Typed:
    return opened(caller.session, q)


def _place(caller: Visitor, place: Said = "") -> Typed:
    return opened(caller.session, place)


def _subject(caller: Visitor, subject: Said = "") -> Typed:
    return opened(caller.session, subject)


TypedSearch = Annotated[Typed, Depends(_search)]
TypedQ = Annotated[Typed, Depends(_q)]
TypedPlace = Annotated[Typed, Depends(_place)]
TypedSubject = Annotated[Typed, Depends(_subject)]


@router.post("/households/{id}")
@router.post("/ledger")
@router.post("/officers")
@router.post("/officers/new")
@router.post("/officers/proposals/new")
@router.post("/officers/{id}")
@router.post("/search")
@router.post("/timeline")
async def asked(request: Request, caller: Visitor) -> Response:
    """To the page with what its form asks for, the words sealed."""
    form = await read_form(request)
    require_token(caller.session, form, acts=False)
    form.pop("csrf_token")
    for box in BOXES[request.scope["route"].path] & form.keys():
        form[box] = typed(caller.session, form[box]).sealed
    return RedirectResponse(url(request.url.path, **form), 303)
