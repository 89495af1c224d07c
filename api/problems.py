"""Every answer that is not a success: RFC 9457 problem details, in Chinese and English.

``type`` is stable per rule (``/problems/stock-exhausted``); ``title`` is the sentence in the
reader's language, ``zh`` and ``en`` are both there; ``facts`` are ids and figures; ``errors``
name fields. Of a rule about one field ``name_zh`` and ``name_en`` say what its sentences call it,
so that a form may call it as it does.
"""

import re
from http import HTTPStatus
from typing import Any
from uuid import uuid4

import msgspec
import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from api.language import language_of
from api.observing import route_of
from domain.field_names import field_name
from eventstore.errors import CommandIdReused, StoreError
from eventstore.invitations import InvitationOver, InvitationUnknown
from eventstore.limiter import LimitReached
from eventstore.limits_reached import limit_reached
from eventstore.outcomes import Problem
from eventstore.passwords import PasswordRefused
from eventstore.patience import LoginLocked, LoginRefused, PasswordNotEnough
from eventstore.second_factor import (
    NoFactorBegun,
    SecondFactorNeeded,
    SecondFactorRefused,
    SecondFactorThere,
)
from eventstore.sql import DATABASE_ERRORS, explain

log = structlog.get_logger("relief.api")
MEDIA_TYPE = "application/problem+json"


class ApiProblem(Exception):
    """Said by the edge itself: malformed, unauthenticated, too large …"""

    def __init__(
        self,
        status: int,
        code: str,
        zh: str,
        en: str,
        *,
        errors: list[dict[str, Any]] | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(en)
        self.problem = Problem(code, status, zh, en)
        self.errors = errors
        self.headers = headers


def unauthenticated() -> ApiProblem:
    return ApiProblem(
        401, "not-logged-in", "请先登录", "Log in first.", headers={"WWW-Authenticate": "Bearer"}
    )


def answer(
    request: Request,
    problem: Problem,
    *,
    errors: list[dict[str, Any]] | None = None,
    headers: dict[str, str] | None = None,
    **extra: Any,
) -> Response:
    title = problem.en if language_of(request) == "en" else problem.zh
    body: dict[str, Any] = {
        "type": f"/problems/{problem.code}",
        "title": title,
        "status": problem.status,
        "zh": problem.zh,
        "en": problem.en,
        **extra,
    }
    if problem.facts:
        body["facts"] = problem.facts
    if isinstance(field := problem.facts.get("field"), str):
        body |= {"name_zh": field_name(field, "zh"), "name_en": field_name(field, "en")}
    if errors:
        body["errors"] = errors
    return Response(
        msgspec.json.encode(body), problem.status, media_type=MEDIA_TYPE, headers=headers
    )


FIELD_RULES = {
    "missing": ("缺少此项", "This field is required."),
    "extra_forbidden": ("没有此项", "There is no such field."),
    "uuid_parsing": ("应从所列选项中选择", "This should be one of those listed, by its UUID."),
    "int_parsing": ("应为整数", "This should be a whole number."),
    "int_type": ("应为整数", "This should be a whole number."),
    "figure_type": ("应为数字", "This should be a number."),
    "float_type": ("应为数字", "This should be a number."),
    "int_from_float": ("应为整数", "This should be a whole number."),
    "string_type": ("应为文字", "This should be text."),
    "bool_parsing": ("应为 true 或 false", "This should be true or false."),
    "json_invalid": ("不是合法的 JSON", "This is not valid JSON."),
    "enum": ("不在允许的取值之内", "This is not one of the allowed values."),
    "timezone_aware": ("时间须带时区", "A time needs its zone."),
    **dict.fromkeys(
        ("datetime_parsing", "datetime_from_date_parsing", "datetime_type"),
        ("应为日期和时间", "This should be a date and a time."),
    ),
    **dict.fromkeys(
        ("date_parsing", "date_from_datetime_parsing", "date_type"),
        ("应为日期", "This should be a date."),
    ),
}


FIGURE_TYPES = frozenset({"int", "float", "str"})
"""What a figure may be: pydantic names each of them, behind its place, for what is none."""


def field_errors(problem: ValidationError | RequestValidationError) -> list[dict[str, Any]]:
    """One entry a field: where it is, and what is wrong, in both languages. Values not repeated."""
    found: list[dict[str, Any]] = []
    for error in problem.errors():
        *places, last = error["loc"] or ("",)
        if last in FIGURE_TYPES and places:
            error = {**error, "loc": tuple(places), "type": "figure_type"}
        elif error["input"] is None:
            error = {**error, "type": "missing"}  # a form sends null for what was left empty
        where = ".".join(str(step) for step in error["loc"])
        zh, en = FIELD_RULES.get(error["type"], ("此项不符合要求", str(error["msg"])))
        if all(one["field"] != where or one["rule"] != error["type"] for one in found):
            found.append({"field": where, "rule": error["type"], "zh": zh, "en": en})
    return found


def malformed(errors: list[dict[str, Any]]) -> ApiProblem:
    """Each error gets what people call its field: for a page that has no input of that name."""
    named = [
        error
        | {"name_zh": field_name(error["field"], "zh"), "name_en": field_name(error["field"], "en")}
        for error in errors
    ]
    return ApiProblem(
        422,
        "malformed",
        "提交的内容有误，请按提示修改",
        "Some fields need correcting.",
        errors=named,
    )


FACTOR_STATUS: dict[type[Exception], int] = {
    SecondFactorNeeded: 401,
    SecondFactorRefused: 401,
    SecondFactorThere: 409,
    NoFactorBegun: 409,
    PasswordNotEnough: 403,
}
"""What a log-in is refused with whose password was right."""


def _install_limits(app: FastAPI) -> None:
    """What is refused before any rule is asked: log-ins, and too much of anything."""

    @app.exception_handler(LoginRefused)
    async def login_refused(request: Request, problem: LoginRefused) -> Response:
        return answer(request, Problem("login-refused", 401, problem.zh, problem.en))

    @app.exception_handler(LoginLocked)
    async def login_locked(request: Request, problem: LoginLocked) -> Response:
        headers = {"Retry-After": str(problem.retry_after)}
        return answer(
            request, Problem("login-locked", 429, problem.zh, problem.en), headers=headers
        )

    async def second_step(request: Request, problem: Any) -> Response:
        code = error_code(problem)
        return answer(request, Problem(code, FACTOR_STATUS[type(problem)], problem.zh, problem.en))

    for kind in FACTOR_STATUS:
        app.exception_handler(kind)(second_step)

    @app.exception_handler(LimitReached)
    async def too_much(request: Request, problem: LimitReached) -> Response:
        # counted here and not in the limiter: a repeat is answered although nothing is left
        limit_reached(problem.limit.name)
        facts = {"limit": problem.limit.name, "retry_after": problem.retry_after}
        said = Problem("limit-reached", 429, problem.zh, problem.en, facts)
        return answer(request, said, headers={"Retry-After": str(problem.retry_after)})

    @app.exception_handler(PasswordRefused)
    async def password_refused(request: Request, problem: PasswordRefused) -> Response:
        return answer(request, Problem("password-refused", 422, problem.zh, problem.en))

    @app.exception_handler(InvitationUnknown)
    async def invitation_unknown(request: Request, problem: InvitationUnknown) -> Response:
        return answer(request, Problem("invitation-unknown", 404, problem.zh, problem.en))

    @app.exception_handler(InvitationOver)
    async def invitation_over(request: Request, problem: InvitationOver) -> Response:
        return answer(request, Problem("invitation-over", 410, problem.zh, problem.en))


def error_code(problem: Exception) -> str:
    """For example ``store-full``: what `Refusal.code` is for a rule."""
    return re.sub(r"(?<!^)(?=[A-Z])", "-", type(problem).__name__).lower()


def install(app: FastAPI) -> None:
    """Register the handlers. The last resort logs with a correlation id and tells nothing more."""
    _install_limits(app)

    @app.exception_handler(ApiProblem)
    async def api_problem(request: Request, problem: ApiProblem) -> Response:
        return answer(request, problem.problem, errors=problem.errors, headers=problem.headers)

    @app.exception_handler(StoreError)
    async def store_error(request: Request, problem: StoreError) -> Response:
        wait = problem.retry_after
        headers = {"Retry-After": str(wait)} if wait is not None else None
        log.warning("store-unavailable", kind=type(problem).__name__, detail=problem.detail)
        said = Problem(error_code(problem), 503, problem.zh, problem.en)
        return answer(request, said, headers=headers)

    async def database_error(request: Request, problem: Exception) -> Response:
        return await store_error(request, explain(problem))

    for kind in DATABASE_ERRORS:
        app.exception_handler(kind)(database_error)

    @app.exception_handler(CommandIdReused)
    async def reused(request: Request, problem: CommandIdReused) -> Response:
        return answer(request, Problem(error_code(problem), 409, problem.zh, problem.en))

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, problem: RequestValidationError) -> Response:
        said = malformed(field_errors(problem))
        return answer(request, said.problem, errors=said.errors)

    @app.exception_handler(HTTPException)
    async def http(request: Request, problem: HTTPException) -> Response:
        phrase = HTTPStatus(problem.status_code).phrase
        zh = {404: "没有这个地址", 405: "该地址不支持这种操作"}.get(problem.status_code, phrase)
        said = Problem(phrase.lower().replace(" ", "-"), problem.status_code, zh, phrase)
        return answer(request, said, headers=dict(problem.headers or {}))

    @app.exception_handler(ClientDisconnect)
    async def gone(request: Request, problem: ClientDisconnect) -> Response:
        """Nobody reads this answer, and nothing is wrong with the program."""
        log.debug("client-gone", route=route_of(request.scope))
        return Response(status_code=400)

    @app.exception_handler(Exception)
    async def unexpected(request: Request, problem: Exception) -> Response:
        incident = str(uuid4())
        log.error("unexpected", incident=incident, route=route_of(request.scope), exc_info=problem)
        said = Problem(
            "internal-error", 500, "系统内部错误，已记录", "An internal error; it is logged."
        )
        return answer(request, said, incident=incident)
