"""What goods and kinds of households are called, for whoever finds options."""

from collections.abc import Callable
from typing import TypeVar

from starlette.concurrency import run_in_threadpool

from api.words import Words, words_of
from web.forms.form import Matter

T = TypeVar("T")


async def in_words(matter: Matter, tell: Callable[[Words], T]) -> T:
    """What is told by the words in force where the officer is, in the reader's language. On one
    thread: for a word that is not among them the rules of areas below are asked."""
    desk = matter.desk

    def told() -> T:
        return tell(words_of(desk.caller, desk.now, matter.language))

    return await run_in_threadpool(told)
