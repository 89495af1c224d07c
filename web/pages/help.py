"""Help: what each post does here, task by task, the reader's own first."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from web.help_steps import doors_of, steps_of
from web.helping import POSTS, TASKS, tasks_by_post
from web.i18n import catalog
from web.parts import AtDesk
from web.render import language_of

router = APIRouter(include_in_schema=False)


@router.get("/help")
async def help_page(request: Request, desk: AtDesk) -> Response:
    """Every task once, so that every anchor is there: own posts, everybody, the other posts."""
    words = catalog(language_of(request))
    own = [role for role in POSTS if role in desk.caller.roles()]
    doors = doors_of(own)
    steps = {task: steps_of(task, words, doors) for task in TASKS}
    return await desk.show(
        request,
        "help.html",
        own=own,
        posts=dict(tasks_by_post(own)),
        everybody=[task for task, who in TASKS.items() if who == POSTS],
        steps=steps,
    )
