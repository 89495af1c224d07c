"""Logging in and out, and who I am."""

import time
from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from api.auth import COOKIE, Asking, Running, session_of
from api.writes import RESPONSES
from domain.access import posts_at
from domain.posts import post_of


class Credentials(BaseModel):
    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"login": "county", "password": "········"}}
    )
    login: str = Field(min_length=1, max_length=100)
    password: str = Field(min_length=1, max_length=200)


SESSIONS: dict[int | str, dict[str, Any]] = {code: RESPONSES[code] for code in (401, 403, 422, 429)}
router = APIRouter(tags=["log-in"])


@router.post("/v1/sessions", summary="Log in for pages: sets a cookie", responses=SESSIONS)
async def log_in(body: Credentials, system: Running, response: Response) -> dict[str, str]:
    token, session = await run_in_threadpool(system.accounts.log_in, body.login, body.password)
    response.set_cookie(
        COOKIE, token, httponly=True, samesite="strict", secure=system.secure_cookies,
        max_age=int(session.expires - time.time()),
    )  # fmt: skip
    return {"csrf": session.csrf}


@router.delete("/v1/sessions/current", summary="Log out", responses=SESSIONS)
async def log_out(request: Request, system: Running, response: Response) -> dict[str, str]:
    session_of(request, writing=True)
    token = (
        request.cookies.get(COOKIE) or request.headers["authorization"].partition(" ")[2].strip()
    )
    system.accounts.log_out(token)
    response.delete_cookie(COOKIE)
    return {"status": "logged out"}


@router.post("/v1/tokens", summary="A short bearer token for a program", responses=SESSIONS)
async def token(body: Credentials, system: Running) -> dict[str, Any]:
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
