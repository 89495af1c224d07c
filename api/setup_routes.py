"""`/v1/setup`: the steps of a beginning for programs. The pages of `/setup` do the same."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from api.auth import CSRF_HEADER, check_parameters, parameters_of
from api.beginning import Administrator
from api.choosing import choice_of, city_of, county_of
from api.login import documented, taking
from api.problems import ApiProblem
from api.setup import Setup, invited, setup_over
from api.writes import RESPONSES
from domain.area import AreaLevel
from intake.register import Division

SETUP_COOKIE = "relief_setup"
MOST_LEFT_OUT = 2_000
BEGIN_BYTES = 64 * 1024
SETUP: dict[int | str, dict[str, Any]] = {
    **{code: RESPONSES[code] for code in (400, 401, 403, 409, 413, 415, 422)},
    410: {
        **RESPONSES[404],
        "description": "Set up: there is an administrator, or the code is used",
    },
}
router = APIRouter(tags=["setup"])


def setup_of(request: Request) -> Setup:
    found: Setup = request.app.state.setup
    return found


def open_setup(request: Request) -> Setup:
    """410 once there is an administrator: asked before a body is read."""
    setup = setup_of(request)
    if setup.ended():
        raise setup_over()
    return setup


def entered(request: Request) -> Setup:
    """The setup, for who has entered the code. 401 or 410 otherwise."""
    setup = setup_of(request)
    setup.session(token_of(request))
    return setup


def writing(request: Request) -> Setup:
    """`entered` for a write: 403 without the session's form token."""
    setup = setup_of(request)
    require_form(setup, request, request.headers.get(CSRF_HEADER, ""))
    return setup


def require_form(setup: Setup, request: Request, token: str) -> None:
    """403 unless a form (or a program) brings the token of the session it is in."""
    csrf = setup.session(token_of(request))
    if token != csrf:
        raise ApiProblem(
            403, "csrf-token-missing", "页面已过期，请刷新后重试", "Reload the page and try again."
        )


def token_of(request: Request) -> str:
    """The secret of the session, as the browser keeps it; "" without one."""
    return request.cookies.get(SETUP_COOKIE, "")


Open = Annotated[Setup, Depends(open_setup)]
Entered = Annotated[Setup, Depends(entered)]
Writing = Annotated[Setup, Depends(writing)]


class Code(BaseModel):
    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"code": "K7QD-3M9X"}})
    code: str = Field(min_length=1, max_length=40)


class Begin(BaseModel):
    """``county``, or ``city`` with some of its ``counties``; ``left_out``: villages by code, null
    for those that only statistics know. ``browser_time``: what the sender's clock says; refused
    where the server's says something else, unless ``clock_confirmed``. ``exercise``: a training
    store, for ever."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"example": {"county": "621224", "login": "admin", "full_name": "张三"}},
    )
    county: str | None = Field(None, max_length=100)
    city: str | None = Field(None, max_length=100)
    counties: list[Annotated[str, Field(max_length=100)]] = Field([], max_length=50)
    left_out: list[Annotated[str, Field(max_length=12)]] | None = Field(
        None, max_length=MOST_LEFT_OUT
    )
    login: str = Field(min_length=1, max_length=100)
    full_name: str = Field(min_length=1, max_length=100)
    browser_time: AwareDatetime | None = None
    clock_confirmed: bool = False
    exercise: bool = False


class Nothing(BaseModel):
    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {}})


def keep_setup(response: Response, token: str, *, secure: bool) -> None:
    """Let the browser keep the session's secret until it is closed."""
    response.set_cookie(SETUP_COOKIE, token, httponly=True, samesite="strict", secure=secure)


@router.post(
    "/v1/setup/sessions",
    summary="Enter the code that relief serve printed: sets a cookie",
    responses=SETUP,
    openapi_extra=documented(Code),
)
def enter(
    setup: Open, body: Annotated[Code, Depends(taking(Code))], response: Response
) -> dict[str, str]:
    token = setup.enter(body.code)
    keep_setup(response, token, secure=setup.system.secure_cookies)
    return {"csrf": setup.session(token)}


@router.get("/v1/setup", summary="How far the setting up has come", responses=SETUP)
def state(request: Request, setup: Entered) -> dict[str, Any]:
    check_parameters(request)
    return setup.state(token_of(request))


@router.get(
    "/v1/setup/divisions",
    summary="The register: `q` by code, name or pinyin, or what lies right under a code",
    responses=SETUP,
)
def divisions(
    request: Request, setup: Entered, q: str = "", within: str = "", under: str = ""
) -> dict[str, Any]:
    check_parameters(request, parameters_of(request.scope["route"]))
    register = setup.register
    if under:
        over = register.find(under)
        found = register.children(over.key) if over is not None else []
    else:
        inside = register.find(within) if within else None
        found = register.search(q, within=inside.key if inside is not None else "")
    return {"items": [_told(one) for one in found]}


@router.post(
    "/v1/setup/beginnings",
    summary="Establish the divisions and the first administrator; goes on beside this answer",
    status_code=202,
    responses=SETUP,
    openapi_extra=documented(Begin),
)
async def begin(
    request: Request, setup: Writing, body: Annotated[Begin, Depends(taking(Begin, BEGIN_BYTES))]
) -> dict[str, Any]:
    token = token_of(request)
    await run_in_threadpool(start, setup, body, token)
    return await run_in_threadpool(setup.state, token)


def start(setup: Setup, wanted: Begin, token: str) -> None:
    """Begin what was asked for. Raises a `Refusal`."""
    register = setup.register
    if wanted.city is not None:
        seat, counties = city_of(register, wanted.city, wanted.counties)
    else:
        seat = county_of(register, wanted.county or "")
        counties = (seat,)
    choice = choice_of(register, seat, counties, wanted.left_out, training=wanted.exercise)
    if not wanted.clock_confirmed:
        setup.check_clock(wanted.browser_time)
    setup.begin(choice, Administrator(wanted.login, wanted.full_name), token)


@router.post(
    "/v1/setup/invitations",
    summary="Another invitation for the administrator, in place of a lost one",
    responses=SETUP,
    openapi_extra=documented(Nothing),
)
async def renew(
    request: Request, setup: Writing, body: Annotated[Nothing, Depends(taking(Nothing))]
) -> dict[str, Any]:
    made = await run_in_threadpool(setup.renew, token_of(request))
    return {"login": made.login, **invited((made.code, made.expires))}


def _told(one: Division) -> dict[str, Any]:
    return {
        "code": one.code,
        "name": one.name,
        "level": one.level,
        "path": one.path,
        "begins": one.level in (AreaLevel.CITY, AreaLevel.COUNTY),
        "virtual": one.virtual,
    }
