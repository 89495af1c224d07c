"""What may be done to a subject, as forms that a page shows.

``await acts_of(request, desk, "incidents", id, one=row)`` asks what is open (`api.actions`) and
draws each open command by its `web.forms.Form`; ``{{ acts(made) }}`` of ``acting.html`` shows them:
the step that comes next first, the others folded, and below them what cannot be done now and why.
`begin_of` draws the form of a command that begins something new.
"""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache, partial
from typing import Any, Final
from uuid import UUID

from fastapi import Request
from starlette.concurrency import run_in_threadpool

from api.actions import actions_of, as_told
from api.auth import Caller
from api.known_at import moment_asked
from api.routes_writes import WRITES
from api.writes import Write, takes_version
from domain.commands.subjects import SUBJECTS
from domain.world import Command
from web.asking import UNSEEN, Ask, Asker
from web.did import did, key_of
from web.forms import FORMS
from web.forms.form import Finder, Form, Matter, Option
from web.i18n import catalog
from web.parts import Desk
from web.render import language_of

PLACE: Final = re.compile(r"{(\w+)}")


class NotDrawn(LookupError):
    """A page asks for the form of a command that has none, or whose address it does not fill."""


@dataclass(frozen=True)
class Act:
    """One form. ``key``: of its words, ``act.<key>``. ``press``: the field whose options are its
    buttons. ``undo``: what takes it back, in words. ``at``: the page that has the form."""

    command: str
    key: str
    id: str
    subject: str
    state: str
    address: str
    asks: tuple[Ask, ...]
    press: Ask | None = None
    none: Mapping[str, str] | None = None
    undo: str = ""
    hint: str = ""
    done: str = ""
    next: str = ""
    booked: str = ""
    version: str = ""
    at: str = ""
    first: bool = False

    @property
    def shown(self) -> bool:
        """Whether there is anything to fill in or to choose."""
        return self.press is not None or any(one.draw not in UNSEEN for one in self.asks)

    @property
    def lacks(self) -> Ask | None:
        """The field that nothing can be picked for: then there is nothing to send yet."""
        needed = (self.press, *self.asks) if self.press else self.asks
        return next((one for one in needed if one.required and one.is_bare), None)


@dataclass(frozen=True)
class Before:
    """A step that comes before one that is closed, and the roles that take it."""

    key: str
    roles: tuple[str, ...]


@dataclass(frozen=True)
class NotNow:
    """What cannot be done at present: why, until when, and what comes ``first`` (any of these);
    ``over``: nothing does, the matter has gone on."""

    command: str
    key: str
    why: str
    until: datetime | None
    first: tuple[Before, ...] = ()
    over: bool = False


@dataclass(frozen=True)
class Acts:
    """All that one officer may do to one subject, and what the subject's state forbids."""

    kind: str
    subject: str
    state: str
    open: tuple[Act, ...] = ()
    closed: tuple[NotNow, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.open or self.closed)


@cache
def commands_by_name() -> dict[str, Write]:
    return {write.command.__name__: write for write in WRITES}


async def acts_of(
    request: Request,
    desk: Desk,
    kind: str,
    id: UUID | str,
    *,
    leave_out: Collection[type[Command]] = (),
    only: Collection[type[Command]] | None = None,
    each: bool = False,
    part: str = "",
    of: object = "",
    first: type[Command] | None = None,
    **known: Any,
) -> Acts:
    """What the visitor may do to one subject. 404 outside the jurisdiction.

    ``leave_out``: what the page shows otherwise; ``only``: nothing but these, with their forms also
    if a page has them (``Form.at``): this one. ``each``: one of many subjects of the page;
    ``part``: the id of a part of it that these acts are about, likewise.
    ``of``: what else the forms are about here (a case of the list, a page of it): what was typed
    for one is never another's.
    ``first``: the step that comes next, where the state alone does not tell.
    ``known``: what finders and forms go by (`Matter.known`); ``version`` is the one a person saw
    if it is not how many facts the page knows of, ``said`` what the sentences of forms name.
    """
    if moment_asked() is not None:  # nothing is done in the past
        return Acts(kind, str(id), "")
    told = await run_in_threadpool(_told, desk.caller, kind, UUID(str(id)), only)
    subject = told["subject"]
    if "version" not in known and any(one["open"] and _guarded(one) for one in told["actions"]):
        known["version"] = await run_in_threadpool(_version_seen, desk, UUID(str(id)))
    matter = matter_of(request, desk, kind, UUID(str(id)), str(subject["state"]), known)
    drawing, closed = list[Callable[[], Act]](), []
    hidden = {one.__name__ for one in leave_out}
    options = PageOptions(matter)
    for action in told["actions"]:
        name = action["command"]
        form = FORMS.get(commands_by_name()[name].command)
        if form is None or name in hidden:
            continue
        if action["open"] and form.at and only is None:
            drawing.append(partial(_elsewhere, matter, name, form))
        elif action["open"]:
            among = part or (str(id) if each else "")
            path = _path(form, commands_by_name()[name], action["path"], kind, matter)
            undo = action["undo"][matter.language]
            draw = await _drawing(options, name, form, path, among=among, of=of, undo=undo)
            drawing.append(draw)
        else:
            closed.append(_not_now(name, action["why"], matter.language))
    drawn = await run_in_threadpool(lambda: [draw() for draw in drawing])
    ordered = _next_first(drawn, matter.state, first)
    return Acts(kind, str(id), matter.state, ordered, tuple(closed))


def _not_now(command: str, why: Mapping[str, Any], language: str) -> NotNow:
    first = tuple(Before(key_of(one["command"]), tuple(one["roles"])) for one in why["first"])
    return NotNow(command, key_of(command), why[language], why["until"], first, why["over"])


def _guarded(action: Mapping[str, Any]) -> bool:
    """Whether it is refused if its subject has changed since the page was made."""
    return takes_version(commands_by_name()[action["command"]].command)


def _version_seen(desk: Desk, id: UUID) -> int:
    """How many facts the page tells of it: what the log got since, nobody has seen on it."""
    return desk.caller.system.store.log.version_at(id, desk.position)


def _told(
    caller: Caller, kind: str, id: UUID, only: Collection[type[Command]] | None
) -> dict[str, Any]:
    return as_told(caller, actions_of(caller, kind, id, only))


def _elsewhere(matter: Matter, name: str, form: Form) -> Act:
    """A command whose form stands on a page of its own."""
    key, at = key_of(name), form.at.format(id=matter.id)
    id = key.replace("_", "-")
    return Act(name, key, id, str(matter.id), matter.state, "", (), at=at)


async def begin_of(
    request: Request,
    desk: Desk,
    command: type[Command],
    *,
    part: str = "",
    of: object = "",
    **known: Any,
) -> Act | None:
    """The form of a command that begins something; None for who may not send it anywhere.

    What its address names must be in ``known``. ``part``: which of several such forms of a page.
    ``of``: what the form is about besides what it is told (`about`); a form that
    goes by anything that the page knows must be about something.
    """
    if not desk.caller.areas(command.roles) or moment_asked() is not None:
        return None
    form, write = FORMS[command], commands_by_name()[command.__name__]
    matter = matter_of(request, desk, "", None, "", {"roles": command.roles, **known})
    draw = await _drawing(PageOptions(matter), command.__name__, form, write.path, among=part)
    act = await run_in_threadpool(draw)
    subject = _joined(part, act.subject, of)
    if not subject and any(known.values()):
        raise NotDrawn(f"{act.command}: nothing says what its form is about")
    return replace(act, first=True, subject=subject)


SEEN = "seen_"
"""Begins the fields that say what a thing was when it was looked at: the form stays the same."""


def about(matter: Matter, form: Form, in_path: Sequence[str]) -> str:
    """What a form is about: its subject, and all else that it says though nobody typed it, but for
    what was seen. What was typed for one household, village or report then never stands in the form
    of another, and stays in its own when somebody has changed the thing meanwhile."""
    said = [name for field, name in form.told.items() if not field.startswith(SEEN)]
    told = [matter.known.get(name) for name in (*said, *in_path)]
    return _joined(matter.id, *told)


def _joined(*ids: object) -> str:
    """The words of ``data-subject``."""
    said = (str(one) for one in ids if one)
    return " ".join(dict.fromkeys(said))


def matter_of(
    request: Request,
    desk: Desk,
    kind: str,
    id: UUID | None,
    state: str,
    known: Mapping[str, Any],
) -> Matter:
    language = language_of(request)
    return Matter(desk, catalog(language).t, language, kind, id, state, known)


class PageOptions:
    """The options of a page's forms: what several forms offer is found once."""

    def __init__(self, matter: Matter) -> None:
        self.matter = matter
        self._found: dict[Finder, Sequence[Option]] = {}

    async def of(self, form: Form) -> dict[str, Sequence[Option]]:
        found = {}
        for field, finder in form.picks.items():
            if form.told.get(field) in self.matter.known:
                continue
            if finder not in self._found:
                self._found[finder] = await finder(self.matter)
            found[field] = self._found[finder]
        return found


async def _drawing(
    options: PageOptions,
    name: str,
    form: Form,
    path: str,
    *,
    among: str,
    of: object = "",
    undo: str = "",
) -> Callable[[], Act]:
    """What draws one command as a form, on a thread that may wait: a form may ask the store what
    there is to fill in. ``among``: which one it is, where a page has several."""
    begun = await form.begins(options.matter) if form.begins else {}
    asker = Asker(form, options.matter, await options.of(form), begun)
    return partial(_drawn, asker, name, path, among, of, undo)


def _drawn(asker: Asker, name: str, path: str, among: str, of: object, undo: str) -> Act:
    form, matter = asker.form, asker.matter
    command = commands_by_name()[name].command
    in_path = [one for one in commands_by_name()[name].in_path if one not in form.picks]
    id = key_of(name).replace("_", "-")
    t = matter.t
    said = matter.known.get("said", {})
    return Act(
        command=name,
        key=key_of(name),
        id=f"{id}-{among}" if among else id,
        subject=_joined(about(matter, form, in_path), of),
        state=matter.state,
        address=_address(path, matter, form),
        asks=asker.asks(command, in_path),
        press=asker.press(command),
        none={field: t(key) for field, key in form.none.items()},
        undo=undo,
        hint=_hint(form, matter),
        done=t(form.done, **said) if form.done else did(command, t),
        next=PLACE.sub(_known_or_left(matter), form.next),
        booked=form.booked,
        version=str(matter.known.get("version", "")) if takes_version(command) else "",
    )


def _hint(form: Form, matter: Matter) -> str:
    """What to know before pressing; first what the press would undo."""
    warned = form.warns(matter) if form.warns else ""
    said = matter.known.get("said", {})
    hint = matter.t(form.hint, **said) if form.hint else ""
    return ("" if matter.language == "zh" else " ").join(one for one in (warned, hint) if one)


def _path(form: Form, write: Write, told: str, kind: str, matter: Matter) -> str:
    """Where the command is sent: as told, but what the form lets one pick is still open there."""
    if form.picks.keys().isdisjoint(write.in_path):
        return told
    return write.path.replace(f"{{{SUBJECTS[kind].about.field}}}", str(matter.id))


def _address(path: str, matter: Matter, form: Form) -> str:
    """The address of a command, with what the page knows in its places; a part that is picked in
    the form is put in when it is sent (form.js)."""

    def known(place: re.Match[str]) -> str:
        name = place[1]
        if name in form.picks:
            return place[0]
        if name not in matter.known:
            raise NotDrawn(f"{path}: the page must tell {name}")
        return str(matter.known[name])

    return PLACE.sub(known, path)


def _known_or_left(matter: Matter) -> Callable[[re.Match[str]], str]:
    """What the page knows in the places of an address; what only the result tells stays."""
    known = {**matter.known, "id": matter.id} if matter.id else matter.known
    return lambda place: str(known.get(place[1], place[0]))


def _next_first(acts: list[Act], state: str, told: type[Command] | None) -> tuple[Act, ...]:
    """The next step before the others, which stay in the order of the life cycle: the one that the
    page told, or that of this state."""

    def comes_next(one: Act) -> bool:
        command = commands_by_name()[one.command].command
        return issubclass(command, told) if told is not None else state in FORMS[command].next_in

    nexts = [one for one in acts if comes_next(one)]
    if not nexts:
        return tuple(acts)
    first = nexts[0]
    return (replace(first, first=True), *(one for one in acts if one is not first))
