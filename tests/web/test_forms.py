"""Every form can be drawn from its command: nobody is asked for what a person cannot know."""

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, get_args, get_type_hints
from uuid import UUID

import pytest

import web
from api.routes_writes import WRITES
from domain.world import Command
from web.asking import Ask, Asker, CannotAsk
from web.did import BESIDE, did, did_at, key_of
from web.forms import FORMS
from web.forms.form import Form, Matter, Option
from web.forms.pages import NO_PAGE
from web.i18n import LANGUAGES, Language, catalog, read_messages

SENTENCE = re.compile(r"\{[a-z_]+\}")
PATHS = {write.command: write.in_path for write in WRITES}
COMMANDS = sorted(FORMS, key=lambda one: one.__name__)


def drawn(command: type[Any], form: Form, in_path: tuple[str, ...], language: Any) -> list[Ask]:
    """Its fields, flat, where everything that is picked has two options."""
    desk: Any = SimpleNamespace(now=datetime(2018, 7, 3, 6, tzinfo=UTC))
    known: Any = defaultdict(lambda: "1", dict.fromkeys(form.told.values(), "1"))
    matter = Matter(desk, catalog(language).t, language, "", None, "", known)
    some = [Option("1", "one"), Option("2", "two")]
    whole = replace(form, without=None)  # whatever of it does not fit what is there
    asker = Asker(whole, matter, dict.fromkeys(form.picks, some), {})
    in_address = [one for one in in_path if one not in form.picks]
    found = [*asker.asks(command, in_address), *filter(None, [asker.press(command)])]
    return [part for one in found for part in flat(one)]


def flat(ask: Ask) -> Iterator[Ask]:
    yield ask
    for part in ask.parts:
        yield from flat(part)


def names_in(kind: Any, before: str = "") -> Iterator[str]:
    """Dotted names of a command's fields and of the structs in them."""
    hints = get_type_hints(kind)
    for one in fields(kind):
        yield before + one.name
        for part in structs(hints[one.name]):
            yield from names_in(part, f"{before}{one.name}.")


def structs(hint: Any) -> Iterator[Any]:
    if isinstance(hint, type) and is_dataclass(hint):
        yield hint
    for part in get_args(hint):
        yield from structs(part)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda one: one.__name__)
def test_every_form_can_be_drawn_and_asks_for_nothing_a_person_cannot_know(
    command: type[Command],
) -> None:
    form = FORMS[command]
    for language in ("zh", "en"):
        asks = drawn(command, form, PATHS[command], language)
        assert all(one.label and not one.label.endswith("_fen") for one in asks)
        assert catalog(language).t(f"act.{key_of(command.__name__)}")
    names = set(names_in(command))
    said = {*form.fields, *form.left_out, *form.told, *form.picks, *form.words, *form.radio}
    said |= {*form.none, *form.long, *form.short, *form.now, *form.today, *form.heads}
    said |= {*form.needed, *form.some}
    said |= {*form.hints, *form.labels, *filter(None, [form.press])}
    assert said - names == set(), "its form speaks of fields that it does not have"


def test_an_id_that_nobody_finds_options_for_is_no_field() -> None:
    @dataclass(frozen=True, kw_only=True)
    class Nameless:
        warehouse: UUID

    with pytest.raises(CannotAsk, match="warehouse"):
        drawn(Nameless, Form(), (), "zh")


NUMBERS = {
    "RegisterHousehold": {"members.N.id_number"},
    "AddMember": {"member.id_number"},
    "IdentifyMember": {"member.id_number"},
    "RecordCard": {"number"},
    "RecordCasualty": {"id_number"},
    "RecordHouseDamage": {"owner_id_number"},
}
"""Where a person's ID number or an account is typed."""


def test_no_browser_keeps_an_id_number_or_an_account() -> None:
    """A county's computers are shared: draft.js and instance.js leave out what is data-unkept."""
    found: dict[str, set[str]] = {}
    for command in COMMANDS:
        for one in drawn(command, FORMS[command], PATHS[command], "zh"):
            if one.unkept:
                found.setdefault(command.__name__, set()).add(one.name)
    assert found == NUMBERS


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("path", "command"),
    [*((write.path, write.command) for write in WRITES), *BESIDE.items()],
    ids=lambda one: getattr(one, "__name__", ""),
)
def test_what_is_said_after_each_command_is_a_sentence(
    path: str, command: type[Command], language: Language
) -> None:
    """It said "Done: Send: Initial report"; and an officer's page broke where an account at an
    identity provider could be connected, for that address was no command's."""
    form = FORMS.get(command)
    if command in NO_PAGE and path not in BESIDE:
        return
    if form is not None and form.done:
        said = SENTENCE.sub("X", read_messages()[form.done][language])
        first, _, _ = said.partition("下一步：" if language == "zh" else "Next: ")
        assert first.strip().endswith("。" if language == "zh" else "."), said
        assert said.endswith(("。", ".")) and "：" not in first, said
        return
    said = did(command, catalog(language).t)
    if language == "zh":
        assert re.fullmatch(r"[\u4e00-\u9fff][^。：]*。", said), said
    else:
        assert re.fullmatch(r"[A-Z].*\b(is|are|has|have|may|now|went|goes|belongs)\b.*\.", said), (
            said
        )
    address = re.sub(r"\{[a-z_]+\}", "1", path)
    assert did_at(language)(address) == said


def test_every_form_that_is_written_by_hand_says_what_it_did() -> None:
    folder = Path(web.__file__).parent / "templates"
    for file in sorted(folder.glob("*.html")):
        for tag in re.findall(r"<form\b[^\n]*(?:\n[^\n]*){0,6}", file.read_text(encoding="utf-8")):
            head = tag.split("problem()")[0]
            if " data-form" in head and file.name != "design.html":
                assert "sends(" in head or "data-done" in head, (file.name, head[:160])
