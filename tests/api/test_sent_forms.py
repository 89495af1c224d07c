"""A form with a list in it stays in memory, and is counted while it comes."""

import asyncio
from typing import Any

import pytest
from starlette.requests import Request

from api.bodies import HeldBodies
from api.problems import ApiProblem
from api.sent_forms import file_of, plain_file_name, sent_form

MOST = 4 * 1024 * 1024


def form(content: bytes, **headers: str) -> Request:
    """A request with one file, announced as it is."""
    head = b'--relief\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'
    body = head + content + b"\r\n--relief--\r\n"
    given = {
        "content-type": "multipart/form-data; boundary=relief",
        "content-length": str(len(body)),
        **headers,
    }

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    raw = [(name.encode(), value.encode()) for name, value in given.items()]
    return Request({"type": "http", "method": "POST", "headers": raw}, receive)


def sent(request: Request, held: HeldBodies) -> Any:
    async def whole() -> Any:
        with held.holding() as holding:
            found = await sent_form(request, MOST, "bulk_body_bytes", holding, fields=3)
            return found, held.now, await file_of(found)

    return asyncio.run(whole())


def test_a_file_of_several_megabytes_never_comes_onto_the_disk() -> None:
    content = b"x" * (3 * 1024 * 1024)
    held = HeldBodies(MOST)
    found, during, (name, read) = sent(form(content), held)
    assert (name, read) == ("a.csv", content)
    assert not found["file"].file._rolled
    assert during >= len(content) and held.now == 0


@pytest.mark.parametrize(
    ("headers", "held", "status"),
    [
        ({"content-length": str(MOST + 1)}, MOST, 413),
        ({"content-length": ""}, MOST, 413),
        ({"content-type": "application/json"}, MOST, 415),
        ({"content-type": "multipart/form-data"}, MOST, 400),
        ({}, 100 * 1024, 503),
    ],
)
def test_what_cannot_be_taken_is_told(headers: dict[str, str], held: int, status: int) -> None:
    with pytest.raises(ApiProblem) as refused:
        sent(form(b"x" * 200_000, **headers), HeldBodies(held))
    assert refused.value.problem.status == status


@pytest.mark.parametrize(
    ("sent_as", "shown"),
    [
        ("x\u202evsc.exe.csv", "xvsc.exe.csv"),
        ("../../etc/a.csv", "a.csv"),
        ("C:\\名单\\a.csv", "a.csv"),
        ("a\x7f\u200b.csv", "a.csv"),
        ("/", ""),
    ],
)
def test_a_name_of_a_file_is_shown_without_folders_and_without_what_nobody_sees(
    sent_as: str, shown: str
) -> None:
    """A mark of direction in it turned round what stands beside it on the page."""
    assert plain_file_name(sent_as) == shown
