"""Every form of the program on one page, as it is drawn from its command."""

from collections import defaultdict
from dataclasses import replace
from datetime import datetime
from types import SimpleNamespace
from typing import Any

from api.routes_writes import WRITES
from domain.world import Command
from web.acting import Act
from web.asking import Asker
from web.did import key_of
from web.forms import FORMS
from web.forms.form import Matter, Option
from web.i18n import Language, catalog

PATHS = {write.command: write.in_path for write in WRITES}
COMMANDS = sorted(FORMS, key=lambda one: one.__name__)


def all_forms(now: datetime, language: Language) -> list[Act]:
    """Each asks for all that it may ever ask for; whatever is picked has two options."""
    return [_form(command, now, language) for command in COMMANDS]


def _form(command: type[Command], now: datetime, language: Language) -> Act:
    form = replace(FORMS[command], without=None)  # whatever of it does not fit what is there
    desk: Any = SimpleNamespace(now=now)
    known: Any = defaultdict(lambda: "1", dict.fromkeys(form.told.values(), "1"))
    matter = Matter(desk, catalog(language).t, language, "", None, "", known)
    rows = {table: [{head: "1"}] for table, head in form.heads.items()}
    some = [Option("1", "one"), Option("2", "two")]
    asker = Asker(form, matter, dict.fromkeys(form.picks, some), rows)
    in_path = [one for one in PATHS[command] if one not in form.picks]
    key = key_of(command.__name__)
    return Act(
        command=command.__name__,
        key=key,
        id=key.replace("_", "-"),
        subject=key,
        state="",
        address="/reports",
        asks=asker.asks(command, in_path),
        press=asker.press(command),
        none={},
    )
