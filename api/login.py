"""Logging in and out, and who I am."""

import time
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.concurrency import run_in_threadpool

from api.auth import COOKIE, Asking, Running, writing_session
from api.problems import field_errors, malformed
from api.writes import RESPONSES, check_plain, object_of, read_body
from domain.access import posts_at
from domain.posts import post_of


class Credentials(BaseModel):
    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"login": "county", "password": "········"}}
    )
    login: str = Field(min_length=1, max_length=100)
    password: str = Field(min_length=1, max_length=200)


SESSIONS: dict[int | str, dict[str, Any]] = {
    code: RESPONSES[code] for code in (400, 401, 403, 413, 415, 422, 429)
}
BODY = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": Credentials.model_json_schema()}},
    }
}
router = APIRouter(tags=["log-in"])


async def credentials_of(request: Request) -> Credentials:
    """Name and password, as strictly read as any other body. JSON only: no form can send it."""
    values = object_of(await read_body(request, 4096))
    errors: list[dict[str, Any]] = []
    check_plain(values, "", errors)
    if errors:
        raise malformed(errors)
    try:
        return Credentials.model_validate(values)
    except ValidationError as problem:
        raise malformed(field_errors(problem)) from problem


Given = Annotated[Credentials, Depends(credentials_of)]


@router.post(
    "/v1/sessions",
    summary="Log in for pages: sets a cookie",
    responses=SESSIONS,
    openapi_extra=BODY,
)
async def log_in(body: Given, system: Running, response: Response) -> dict[str, str]:
    token, session = await run_in_threadpool(system.accounts.log_in, body.login, body.password)
    response.set_cookie(
        COOKIE,
        token,
        httponly=True,
        samesite="strict",
        secure=system.secure_cookies,
        max_age=int(session.expires - time.time()),
    )
    return {"csrf": session.csrf}


@router.delete("/v1/sessions/current", summary="Log out", responses=SESSIONS)
async def log_out(request: Request, system: Running, response: Response) -> dict[str, str]:
    await writing_session(request)
    token = (
        request.cookies.get(COOKIE) or request.headers["authorization"].partition(" ")[2].strip()
    )
    await run_in_threadpool(system.accounts.log_out, token)
    response.delete_cookie(COOKIE)
    return {"status": "logged out"}


@router.post(
    "/v1/tokens",
    summary="A short bearer token for a program",
    responses=SESSIONS,
    openapi_extra=BODY,
)
async def token(body: Given, system: Running) -> dict[str, Any]:
    secret, session = await run_in_threadpool(
        system.accounts.log_in, body.login, body.password, "token"
    )
    return {"token": secret, "token_type": "Bearer", "expires_at": session.expires}


@router.get("/v1/me", summary="Who I am, and my posts", responses=SESSIONS)
async def me(caller: Asking) -> dict[str, Any]:
    now = caller.system.store.clock.now()
    posts = []
    for held in posts_at(caller.officer, now):
        post = post_of(held)
        absent = getattr(held, "absent", None)
        posts.append(
            {"role": post.role, "area": post.area, "post": post.post, "standing_for": absent}
        )
    return {"officer": caller.id, "login": caller.session.login, "posts": posts}
