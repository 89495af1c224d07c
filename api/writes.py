"""Commands over HTTP: one endpoint for all of them, one row a command in `api.routes`.

The body is the command without what the path names. It is validated whole (all errors at once),
run through the one writer, and answered with the log position once it is durable.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, fields
from functools import cached_property
from inspect import getdoc
from typing import Any
from uuid import UUID

import msgspec
from fastapi import APIRouter, Request
from fastapi.routing import APIRoute
from pydantic import TypeAdapter, ValidationError
from pydantic_core import SchemaValidator
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from api.auth import Caller, caller_of, check_parameters, system_of, writing_session
from api.bodies import SMALL_BODY, Holding, read_body
from api.calendar_days import check_days
from api.cases import wants, with_wanted
from api.examples import example_of
from api.limits import DEFAULT_LIMITS, EdgeLimits, Taken, too_many_rows
from api.made_ids import wrongly_made
from api.observing import correlation_of
from api.permitting import not_allowed, roles_held
from api.plain_json import MAX_NUMBER, check_plain, error_of, in_lines, object_of, too_many
from api.problems import ApiProblem, field_errors, malformed
from api.readings import note_opened
from api.strict_numbers import counts_of, strict_numbers
from api.system import System
from domain.ids import client_made
from domain.world import Command, Role
from eventstore.limiter import LimitReached
from eventstore.limits_reached import limit_reached
from eventstore.outcomes import Envelope, Receipt, Refused
from eventstore.store import Store

PART = "#/components/schemas/{model}"
"""Where the OpenAPI document keeps what bodies refer to (`api.described`)."""
LIFE_SAVING = frozenset({"situation-reports", "rosters", "dispatch"})
"""Tags of commands that may never be stopped by what else an officer did."""
NEW_ID = (
    "新事项的编号应随机生成，请重新打开页面后再填",
    "The id of something new should be a UUID made at random (version 4 or 7).",
)
_parsing = ThreadPoolExecutor(1, "parsing")


@dataclass(frozen=True)
class Write:
    """A route that runs a command. ``example`` is a body for the documentation.

    ``bulk``: brings many rows and may need more than the usual bytes. ``shown``: what the first
    answer shows besides the receipt; it is neither stored, cached nor repeated. ``asks``: what the
    boards know about it once they have its facts; added to each answer, repeated ones too.
    """

    path: str
    command: type[Command]
    tag: str
    example: dict[str, Any] = field(default_factory=dict)
    bulk: bool = False
    shown: Callable[[Store, Command], dict[str, Any]] | None = None
    asks: Callable[[Caller, Command, int], Awaitable[dict[str, Any]]] | None = None

    method = "POST"

    @cached_property
    def in_path(self) -> tuple[str, ...]:
        return tuple(re.findall(r"{(\w+)}", self.path))

    @property
    def saves_lives(self) -> bool:
        """Whether it is counted by the quota of what may never be stopped."""
        return self.tag in LIFE_SAVING

    @property
    def body_limit(self) -> str:
        """The setting that limits its body."""
        return "bulk_body_bytes" if self.bulk else "body_bytes"

    @cached_property
    def adapter(self) -> TypeAdapter[Any]:
        return TypeAdapter(self.command)

    @cached_property
    def validator(self) -> SchemaValidator:
        """As the adapter's, but a whole number is a number: the text "100000" is refused."""
        return SchemaValidator(strict_numbers(self.adapter.core_schema))

    def body_schema(self) -> dict[str, Any]:
        """JSON schema of the body: the command without what the path names."""
        schema = self.adapter.json_schema(ref_template=PART)
        schema.pop("$defs", None)
        for name in self.in_path:
            schema.get("properties", {}).pop(name, None)
        schema["required"] = [n for n in schema.get("required", []) if n not in self.in_path]
        if not schema["required"]:
            schema.pop("required")
        schema["example"] = self.body_example()
        return schema

    def body_example(self) -> dict[str, Any]:
        """A realistic body: the one given, else made from the fields."""
        made = self.example or example_of(self.command)
        return {name: value for name, value in made.items() if name not in self.in_path}

    def definitions(self) -> dict[str, Any]:
        schema = self.adapter.json_schema(ref_template=PART)
        found: dict[str, Any] = schema.get("$defs", {})
        return found

    def parse(self, body: bytes, path: dict[str, str], rows: int = DEFAULT_LIMITS.rows) -> Command:
        """The command, or an `ApiProblem` naming every field that is wrong.

        413 when a list has more than ``rows`` entries.
        """
        values = object_of(body)
        if too_many_rows(values, rows):
            limit_reached("rows")
            raise too_many(rows)
        errors = [
            error_of(name, "extra_forbidden", "已在地址中给出", "It is in the path.")
            for name in path
            if name in values
        ]
        check_plain(values, "", errors)
        if errors:
            raise malformed(errors)
        try:
            command: Command = self.validator.validate_python(
                {**in_lines(values), **counts_of(self.command, path)}
            )
        except ValidationError as problem:
            raise malformed(field_errors(problem)) from problem
        wrong = wrongly_made(command)
        if wrong:
            raise malformed([error_of(thing.field, "new_id", *NEW_ID) for thing in wrong])
        check_days(command)
        return command


def idempotency_key(request: Request) -> UUID:
    """The client-made command id. Required on every write."""
    given = request.headers.get("idempotency-key")
    if given is None:
        raise ApiProblem(
            400,
            "idempotency-key-missing",
            "缺少 Idempotency-Key 请求头（UUID）",
            "Send an Idempotency-Key header with a UUID of your own.",
        )
    try:
        key = UUID(given)
    except ValueError:
        key = None
    if key is None or not client_made(key):
        raise ApiProblem(
            400,
            "idempotency-key-malformed",
            "Idempotency-Key 应为随机生成的 UUID（第4版或第7版）",
            "The Idempotency-Key should be a UUID made at random (version 4 or 7).",
        )
    return key


def endpoint_of(write: Write) -> Callable[[Request], Coroutine[Any, Any, Response]]:
    """The endpoint: who, may they, which command, run, answer."""
    if_match = takes_version(write.command)

    async def endpoint(request: Request) -> Response:
        system = system_of(request)
        with system.bodies.holding() as holding:
            envelope = await _sent(request, write, holding, if_match=if_match)
            has_run = system.store.log.has_run
            told = not wants(envelope.command) or await run_in_threadpool(has_run, envelope.id)
            if not told:
                envelope = await with_wanted(await run_in_threadpool(caller_of, request), envelope)
            roles, lives = write.command.roles, write.saves_lives
            receipt = await run_counted(system, envelope, roles, saves_lives=lives)
            return await _answer(request, write, envelope, receipt)

    return endpoint


async def _sent(request: Request, write: Write, holding: Holding, *, if_match: bool) -> Envelope:
    """What was sent, by whom and under which key. What is wrong with a command is told only to who
    may send it."""
    session = await writing_session(request)
    check_parameters(request)
    key = idempotency_key(request)
    system = system_of(request)
    path = dict(request.path_params)
    bulk_on = path.get("village_list") if write.bulk else None
    refused = await not_allowed(system, session.officer, write.command.roles, bulk_on)
    most = getattr(system.limits, write.body_limit)
    body = await read_body(request, most, refused, write.body_limit, holding)
    if if_match and (seen := request.headers.get("if-match")) is not None:
        path["expected_version"] = seen.strip().removeprefix("W/").strip('"')
    try:
        command = await _parsed(write, body, path, system.limits)
    except ApiProblem as problem:
        raise refused or problem from problem
    return Envelope(
        id=key, officer=session.officer, command=command, correlation=correlation_of(request)
    )


def receipt_told(receipt: Receipt) -> tuple[dict[str, Any], dict[str, str]]:
    """What every command is answered with: the body, and its headers."""
    body = {
        "command": receipt.command,
        "position": receipt.position,
        "facts": receipt.facts,
        "result": receipt.result,
    }
    headers = {"Relief-Position": str(receipt.position)}
    if receipt.repeated:
        headers["Idempotent-Replay"] = "true"
    return body, headers


async def _answer(request: Request, write: Write, envelope: Envelope, receipt: Receipt) -> Response:
    """The receipt, and what this route's answers have besides."""
    answer, headers = receipt_told(receipt)
    command = envelope.command
    if write.shown is not None and not receipt.repeated:
        system = system_of(request)
        assert envelope.officer is not None
        await asyncio.to_thread(note_opened, system, envelope.officer, command)
        answer["shown"] = await asyncio.to_thread(write.shown, system.store, command)
        headers["Cache-Control"] = "no-store"
    if write.asks is not None:
        caller = await run_in_threadpool(caller_of, request)
        answer |= await write.asks(caller, command, receipt.position)
    return Response(
        msgspec.json.encode(answer, enc_hook=str), 200, headers, media_type="application/json"
    )


async def run_counted(
    system: System, envelope: Envelope, roles: frozenset[Role], *, saves_lives: bool = False
) -> Receipt:
    """Run a command within its officer's quota. A repeat is answered even if nothing is left."""
    assert envelope.officer is not None
    taken: Taken | None = None
    try:
        posts = await roles_held(system, envelope.officer, roles)
        taken = system.quotas.take(
            envelope.officer, envelope.command, posts, saves_lives=saves_lives
        )
    except LimitReached:
        if not await run_in_threadpool(system.store.log.has_run, envelope.id):
            raise
    kept = False
    try:
        receipt = await system.store.arun(envelope)
        kept = not receipt.repeated
        if kept:
            system.quotas.contested(envelope.officer, receipt)
    except Refused as refused:
        system.quotas.contested(envelope.officer, refused)
        raise
    finally:
        if taken is not None and not kept:
            taken.give_back()
    return receipt


async def _parsed(write: Write, body: bytes, path: dict[str, str], limits: EdgeLimits) -> Command:
    """The command of a body; a large one is parsed beside the event loop, one at a time."""
    if len(body) <= SMALL_BODY:
        return write.parse(body, path, limits.rows)
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(_parsing, write.parse, body, path, limits.rows)


class CommandRoute(APIRoute):
    """A route whose endpoint takes the request as it is: FastAPI documents it, and adds nothing."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handler: Callable[[Request], Coroutine[Any, Any, Response]] = self.endpoint
        return handler


def router_of(writes: tuple[Write, ...]) -> APIRouter:
    """All command routes, with their OpenAPI descriptions."""
    router = APIRouter(route_class=CommandRoute)
    for write in writes:
        summary = (write.command.__doc__ or write.command.__name__).strip().splitlines()[0]
        endpoint = endpoint_of(write)
        endpoint.__name__ = write.command.__name__
        router.add_api_route(
            write.path,
            endpoint,
            methods=["POST"],
            tags=[write.tag],
            summary=summary,
            description=_describe(write.command),
            operation_id=write.command.__name__,
            response_class=Response,
            openapi_extra=_openapi(write, if_match=takes_version(write.command)),
            responses=RESPONSES,
        )
    return router


def takes_version(command: type[Command]) -> bool:
    """Whether the command can be told which version a person saw."""
    return any(one.name == "expected_version" for one in fields(command))  # type: ignore[arg-type]


def _describe(command: type[Command]) -> str:
    roles = ", ".join(sorted(role.value for role in command.roles))
    return f"{getdoc(command)}\n\nRoles: {roles}."


def _problem(text: str) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Problem"}
    return {"description": text, "content": {"application/problem+json": {"schema": schema}}}


RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Durable. The position is what `after=` of a query takes.",
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Receipt"}}},
    },
    400: _problem("The request itself is malformed"),
    401: _problem("Not logged in"),
    403: _problem("Your jurisdiction, but not your role"),
    404: _problem("No such thing, or outside your jurisdiction"),
    409: _problem("A rule refuses"),
    412: _problem("Changed since you saw it"),
    413: _problem("Too large"),
    415: _problem("Not JSON"),
    422: _problem("Fields need correcting"),
    429: _problem("Too many tries"),
    503: _problem("The store is not available"),
}


def _openapi(write: Write, *, if_match: bool) -> dict[str, Any]:
    parameters: list[dict[str, Any]] = [
        {
            "name": "Idempotency-Key",
            "in": "header",
            "required": True,
            "schema": {"type": "string", "format": "uuid"},
            "description": "Made by you; the same key and body get the first answer again.",
        }
    ]
    for name in write.in_path:
        schema: dict[str, Any] = {"type": "string", "format": "uuid"}
        annotation = write.command.__dataclass_fields__[name].type  # type: ignore[attr-defined]
        if annotation is int:
            schema = {"type": "integer", "minimum": 0, "maximum": MAX_NUMBER}
        elif annotation is str:
            schema = {"type": "string", "minLength": 1}
        parameters.append({"name": name, "in": "path", "required": True, "schema": schema})
    if if_match:
        parameters.append(
            {"name": "If-Match", "in": "header", "required": False, "schema": {"type": "string"}}
        )
    body = {"required": True, "content": {"application/json": {"schema": write.body_schema()}}}
    return {"parameters": parameters, "requestBody": body}
