"""What goods and kinds of households are called, for whoever finds options."""

from starlette.concurrency import run_in_threadpool

from api.words import Words, words_of
from web.forms.form import Matter


async def words_for(matter: Matter) -> Words:
    """The words in force where the officer is, in the reader's language."""
    desk = matter.desk
    return await run_in_threadpool(words_of, desk.caller, desk.now, matter.language)
