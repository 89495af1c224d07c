"""A receipt 回执: what one command did (money paid, goods signed for, anything else), to be printed
or handed on with its proof, which is signed when it is asked for.

Its address names a position of the log: ``/receipts?at=1234``.
"""

from pathlib import Path
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import FileResponse, Response

from api.known_at import moment_asked, refuse_in_the_past
from api.problems import ApiProblem
from api.proofs import PROVERS, Received, proof_answer, proof_for, received_at
from api.words import words_of
from domain.relief_case import ReliefCase
from eventstore.proofs import SAYS, as_file
from web.officials import name_officials
from web.pages.timeline import PAGES
from web.parts import AtDesk, Desk
from web.render import language_of
from web.slips import drawing
from web.story import Teller

router = APIRouter(include_in_schema=False)

At = Annotated[int, Query(ge=1, le=2**53)]
SHOWN: Final = 100
"""Facts of a receipt that the page tells; its proof has them all."""
HANDED_OUT: Final = frozenset(
    (ReliefCase.Paid.topic().partition("/")[0], ReliefCase.GoodsSigned.topic().partition("/")[0])
)
"""The facts that a grant has been given: of these a household's page leads to the receipt."""

VERIFIER: Final = Path(__file__).parents[2] / "audit" / "relief_verify.py"
"""The one file that a stranger needs. It is handed out, never imported here."""


def may_prove(desk: Desk) -> bool:
    """Whether the reader hands out proofs."""
    return not PROVERS.isdisjoint(desk.caller.roles())


def receipts_of(desk: Desk, story: list[dict[str, Any]]) -> dict[tuple[str, int], int]:
    """Case and number of a grant → the position at which it was given, for who hands out proofs."""
    if not may_prove(desk):
        return {}
    return {
        (row["stream"], row["detail"]["number"]): row["position"]
        for row in story
        if row["topic"].partition("/")[0] in HANDED_OUT and "number" in row["detail"]
    }


def _meant(desk: Desk, at: int, whole: bool) -> tuple[Received, int]:
    """The facts of a receipt, and how many its step has. What one household was given stands on
    its receipt alone, without what others were given by the same step, unless that is asked for."""
    found = received_at(desk.caller, at)
    given = any(
        one["position"] == at and one["topic"].partition("/")[0] in HANDED_OUT
        for one in found.items
    )
    return (found.alone(at) if given and not whole else found), len(found.rows)


@router.get("/receipts")
async def receipt(request: Request, desk: AtDesk, at: At, whole: bool = False) -> Response:
    """What was done, and the code of a checkpoint that stands for the whole log until now."""
    found, of_step = await run_in_threadpool(_meant, desk, at, whole)
    proof, why = None, None
    if moment_asked() is None:
        try:
            proof = await run_in_threadpool(proof_for, desk.caller, found)
        except ApiProblem as problem:
            why = problem
    shown = await run_in_threadpool(_told, request, desk, found)
    answer = await desk.show(
        request,
        "receipt.html",
        at=at,
        whole=whole,
        found=found,
        of_step=of_step,
        story=shown,
        code=drawing(proof["checkpoint"]) if proof else "",
        why=why.problem if why else None,
        says=SAYS,
        of_the_past=moment_asked() is not None,
    )
    refresh = (why.headers or {}).get("Refresh") if why else None
    if refresh:
        answer.headers["Refresh"] = refresh
    return answer


def _told(request: Request, desk: Desk, found: Received) -> list[dict[str, Any]]:
    rows = found.items[:SHOWN]
    name_officials(desk.caller, rows)
    language = language_of(request)
    told = Teller(language, words_of(desk.caller, desk.now, language)).tell(rows)
    return [row | {"page": _page(row)} for row in told]


def _page(row: dict[str, Any]) -> str:
    """The page of what the fact is about, or ""."""
    page = PAGES.get(row["kind"])
    return page.format(row["stream"]) if page else ""


@router.get("/receipts/proof")
async def proof(desk: AtDesk, at: At, whole: bool = False) -> Response:
    """The proof as a file, for who checks it without us."""
    refuse_in_the_past()

    def made() -> str:
        return as_file(proof_for(desk.caller, _meant(desk, at, whole)[0]))

    return proof_answer(await run_in_threadpool(made), str(at))


@router.get("/receipts/relief_verify.py")
async def verifier(desk: AtDesk) -> Response:
    """The program that checks a proof, as it is: one file that needs a bare Python."""
    del desk
    return FileResponse(VERIFIER, media_type="text/x-python", filename=VERIFIER.name)
