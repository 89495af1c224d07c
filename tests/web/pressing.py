"""Pressing a button of a rendered page without a browser, as its scripts would.

    desk = Desk(server, "dispatcher")
    page = desk.open(f"/dispatch/incidents/{incident}")
    page = page.form(TriageIncident, incident).press(note="河水上涨", priority="1")

Fields are named as in the body of the command; what is picked is said as the page says it (its
words), what is ticked as a list of words; rows of a table are added as the button does; of a file
its bytes are said. A count in a column of its own has a name with a colon, and is given in a dict:
``press(**{"grants.0.goods:quilt": 2})``. What a browser makes of the fields says
`web/static/js/fields.js`: here it is again in Python. Nobody can type into what is hidden.
"""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlencode
from uuid import UUID, uuid4

from fastapi.testclient import TestClient
from httpx import Response

from domain.world import Command
from tests.web.test_relief_pages import enter
from web.formats import NO_BREAK

PLACE = re.compile(r"{(\w+)}")
"""What of an address is a field of the form."""
ROW = re.compile(r"\.(\d+)\.")


@dataclass
class Input:
    """An input, list, text or button. ``options``: words → value, for lists. ``group``: the group
    that it stands in, if that may be empty. ``row``: it stands in a row that is only sent if
    something is said there (rows.js)."""

    tag: str
    of: dict[str, str]
    value: str = ""
    words: str = ""
    options: dict[str, str] = field(default_factory=dict)
    checked: bool = False
    group: str = ""
    row: bool = False

    @property
    def name(self) -> str:
        return self.of.get("name", "")

    @property
    def type(self) -> str:
        return self.of.get("data-type", "text")


@dataclass
class Form:
    """One form with a command. ``spare``: the inputs of a row that can be added, by table."""

    desk: "Desk"
    page: "Page"
    of: dict[str, str]
    inputs: list[Input] = field(default_factory=list)
    spare: list[Input] = field(default_factory=list)

    def is_about(self, subject: object) -> bool:
        """Whether it is of this subject; every form is, of none."""
        return not subject or str(subject) in self.of["data-subject"].split()

    def send(self, **typed: Any) -> Response:
        """What the server answers when it is filled in so and sent."""
        body = self._body({name.replace("__", "."): value for name, value in typed.items()})
        headers = {"Idempotency-Key": str(uuid4()), "X-CSRF-Token": self.page.token}
        if version := self.of.get("data-if-match"):
            headers["If-Match"] = version
        address = PLACE.sub(lambda place: str(body.pop(place[1])), self.of["action"])
        return self.desk.server.post(address, json=body, headers=headers)

    def press(self, **typed: Any) -> "Page":
        """The page that follows, once the command is booked."""
        answer = self.send(**typed)
        assert answer.status_code == 200, answer.text
        told = answer.json()
        there = self.of.get("data-next", self.page.address)
        for name, value in (told["result"] or {}).items():
            there = there.replace(f"{{{name}}}", str(value))
        return self.desk.open(there, after=told["position"])

    def _body(self, typed: dict[str, Any]) -> dict[str, Any]:
        self._grow(typed)
        body: dict[str, Any] = {}
        left = dict(typed)
        said_in = {".".join(name.split(".")[:2]) for name in typed}
        for one in self.inputs:
            name = one.name if one.type == "spread" else one.name.split(":")[0]
            blank = one.row and ".".join(name.split(".")[:2]) not in said_in
            if not name or name == "csrf_token" or blank or self._is_empty(one, typed):
                continue
            said = left.pop(name, None) if one.type != "many" else typed.get(name)
            if "data-digested" in one.of:
                said = None if said is None else sha256(said).hexdigest()
            else:
                assert said is None or one.of.get("type") != "hidden", f"{name} is hidden"
            if one.tag == "button":
                if said is not None and said in (one.value, one.words):
                    _put(body, name, _read(one, one.value))
                elif said is not None:
                    left[name] = said  # another button of that name
                continue
            if one.of.get("type") == "radio":
                wanted = typed.get(name)  # a choice is not undone by what stood there at first
                if (wanted is None and one.checked) or wanted in (one.value, one.words):
                    _put(body, name, _read(one, one.value))
                elif said is not None:
                    left[name] = said
                continue
            _fill(body, one, name, said)
        ticked = {one.name.split(":")[0] for one in self.inputs if one.type == "many"}
        assert not left.keys() - ticked, f"no field for {sorted(left)}: {self.names()}"
        lists = {name: rows for name, rows in body.items() if isinstance(rows, list)}
        return body | {name: [row for row in rows if row != {}] for name, rows in lists.items()}

    def _is_empty(self, one: Input, typed: dict[str, Any]) -> bool:
        """Whether it stands in a group that may be empty, of which nothing is said."""
        return one.group != "" and not any(name.startswith(f"{one.group}.") for name in typed)

    def _grow(self, typed: dict[str, Any]) -> None:
        """Rows for what is typed into tables: ``lines.1.item`` adds a second row."""
        known = {one.name for one in self.inputs}
        for name in typed:
            found = ROW.search(name)
            if name in known or found is None:
                continue
            for one in self.spare:
                made = one.name.replace(".N.", f".{found[1]}.")
                if made not in known and made.split(".")[0] == name.split(".")[0]:
                    of = {**one.of, "name": made}
                    self.inputs.append(Input(one.tag, of, one.value, one.words, one.options))
                    known.add(made)

    def names(self) -> list[str]:
        return sorted({one.name for one in self.inputs if one.of.get("type") != "hidden"})

    def options(self, name: str) -> list[str]:
        """The words that a field or the buttons of that name offer; in a row that can be added
        too."""
        found = [one for one in self.inputs if one.name.split(":")[0] == name]
        found += [one for one in self.spare if not found and one.name == ROW.sub(".N.", name)]
        return [words for one in found for words in (one.options or {one.words: one.value})]


@dataclass
class Page:
    """A page as it was answered. ``closed``: what cannot be done now → why."""

    desk: "Desk"
    address: str
    text: str
    token: str = ""
    forms: list[Form] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    closed: dict[str, str] = field(default_factory=dict)

    def form(self, command: type[Command], subject: object = "") -> Form:
        """The form of a command, for a subject if there are several."""
        name = command.__name__
        found = [
            one
            for one in self.forms
            if one.of.get("data-command") == name and one.is_about(subject)
        ]
        assert len(found) == 1, f"{len(found)} forms of {name} on {self.address}: {self.offers()}"
        return found[0]

    def seen_by(self, login: str) -> "Page":
        """The same page as somebody else sees it, who logs in for that."""
        return Desk(self.desk.server, login).open(self.address)

    def offers(self, subject: object = "") -> list[str]:
        """The commands that have a form here."""
        return [
            one.of["data-command"]
            for one in self.forms
            if "data-command" in one.of and one.is_about(subject)
        ]

    @property
    def state(self) -> str:
        """The state of the subject whose actions stand here."""
        found = re.search(r'data-acts="[^"]*" data-state="([^"]*)"', self.text)
        assert found is not None, "no actions on this page"
        return found[1]


@dataclass
class Desk:
    """Somebody logged in."""

    server: TestClient
    login: str

    def __post_init__(self) -> None:
        enter(self.server, self.login)

    def open(self, address: str, after: int | None = None) -> Page:
        """A page, with this officer's own last write in it."""
        there = address.split("#")[0]
        if after is not None:
            there += ("&" if "?" in there else "?") + urlencode({"after": after})
        answer = self.server.get(there)
        assert answer.status_code == 200, f"{there}: {answer.status_code} {answer.text[:500]}"
        page = Page(self, address, answer.text.replace(NO_BREAK, " ").replace("&nbsp;", " "))
        _Reader(page).feed(answer.text)
        return page


class _Reader(HTMLParser):
    """Finds the forms of a page, with what stands in their fields."""

    def __init__(self, page: Page) -> None:
        super().__init__()
        self.page = page
        self.form: Form | None = None
        self.open: Input | None = None  # whose text follows: a button, an option, a textarea
        self.list: Input | None = None
        self.option = ""
        self.label: Input | None = None
        self.spare = False
        self.group = ""
        self.kept = False
        self.row = False
        self.closed = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        of = {name: value or "" for name, value in attrs}
        if tag == "meta" and of.get("name") == "csrf-token":
            self.page.token = of["content"]
        if tag == "a" and of.get("href", "").startswith("/"):
            self.page.links.append(of["href"])
        if "data-closed" in of:
            self.closed = of["data-closed"]
            self.page.closed[self.closed] = ""
        if tag == "form":
            self.form = Form(self.page.desk, self.page, of)
            self.page.forms.append(self.form)
        if tag == "template":
            self.spare = True
        if tag == "fieldset" and "data-may-be-empty" in of:
            self.group = of["data-field"]
        if "data-rows" in of:
            self.kept = "data-kept" in of
        if "data-acting-row" in of:
            self.row = not self.kept and "data-begun" not in of
        if self.form is None:
            return
        if tag == "option" and self.list is not None:
            self.option = of.get("value", "")
            self.list.options[""] = self.option
            if "selected" in of or not self.list.words:
                self.list.value, self.list.words = self.option, "chosen"
        if tag in ("input", "select", "textarea", "button"):
            one = Input(
                tag,
                of,
                of.get("value", ""),
                checked="checked" in of,
                group=self.group,
                row=self.row,
            )
            (self.form.spare if self.spare else self.form.inputs).append(one)
            if tag == "select":
                self.list = one
            elif tag != "input":
                self.open = one
            elif of.get("type") in ("radio", "checkbox"):
                self.label = one

    def handle_data(self, data: str) -> None:
        said = " ".join(data.split())
        if self.closed:
            self.page.closed[self.closed] += said
        if self.open is not None:
            if self.open.tag == "textarea":
                self.open.value += data
            else:
                self.open.words = self.open.words or said
        elif self.list is not None and said:
            value = self.list.options.pop("", self.option)
            self.list.options[said.split(" · ")[0]] = value
        elif self.label is not None and said:
            self.label.words = self.label.words or said

    def handle_endtag(self, tag: str) -> None:
        if tag in ("li", "p"):
            self.closed = ""
        if tag == "form":
            self.form = None
        if tag == "tr":
            self.row = False
        if tag == "template":
            self.spare = False
        if tag == "fieldset":
            self.group = ""
        if tag == "select":
            self.list = None
        if tag == "label":
            self.label = None
        if self.open is not None and tag == self.open.tag:
            self.open = None


def _fill(body: dict[str, Any], one: Input, name: str, said: Any) -> None:
    """One input that is no button and no radio."""
    if one.type == "many":
        on = one.checked if said is None else one.words in said or one.value in said
        _put(body, name, [one.value] if on else [], more=True)
    elif one.type == "spread":
        what, number = one.of["data-spread"].split(" ")
        units = int(said if said is not None else one.value or 0)
        table, _, option = name.partition(":")
        _put(body, table, [{what: option, number: units}] if units else [], more=True)
    elif one.of.get("type") == "checkbox":
        _put(body, name, one.checked if said is None else bool(said))
    elif said is None and "data-now" in one.of:
        _put(body, name, _read(one, one.value))
    else:
        value = one.value if said is None else str(said)
        if one.tag == "select" and said is not None:
            assert value in {*one.options, *one.options.values()}, f"{value}: {list(one.options)}"
            value = one.options.get(value, value)
        if one.of.get("data-empty") == "omit" and not value.strip():
            return
        _put(body, name, _read(one, value))


def _read(one: Input, value: str) -> Any:
    """As fields.js reads it."""
    if one.type == "uuid":
        return value or str(uuid4())
    if one.type == "now":
        return datetime.now(UTC).isoformat()
    if one.type == "int":
        return int(value) if value else None
    if one.type == "money":
        return round(float(value) * 100) if value else None
    if one.type in ("decimal", "date", "pick"):
        return value or None
    if one.type == "datetime":
        return f"{value}:00+08:00" if value else None
    return value


def _put(body: dict[str, Any], name: str, value: Any, *, more: bool = False) -> None:
    """Dots nest; digits make a list."""
    *steps, last = name.split(".")
    target: Any = body
    for at, step in enumerate(steps):
        inner: Any = [] if (steps[at + 1 :] or [last])[0].isdecimal() else {}
        if isinstance(target, list):
            while len(target) <= int(step):
                target.append(type(inner)())
            target = target[int(step)]
        else:
            target = target.setdefault(step, inner)
    if more:
        target.setdefault(last, []).extend(value)
    else:
        target[last] = value


def uuid_in(address: str) -> UUID:
    """The id of the subject that an address names."""
    found = re.search(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", address)
    assert found is not None, address
    return UUID(found[0])
