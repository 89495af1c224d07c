"""What is said on the page that follows a step, for each command: a sentence in both languages.

A form that knows more says more (`Form.done`, or a ``data-done`` of its own): whose, where, what
comes next.
"""

import re
from collections.abc import Callable
from functools import cache
from typing import Final

from api.routes_writes import WRITES
from domain.commands.connecting import BindProvider, UnbindProvider
from domain.world import Command
from web.i18n import Language, catalog

BESIDE: Final[dict[str, type[Command]]] = {
    "/v1/officers/{officer}/provider-bindings": BindProvider,
    "/v1/officers/{officer}/provider-unbindings": UnbindProvider,
}
"""Steps whose routes take more than their command does (`api.provider_routes`)."""
CAPITAL = re.compile(r"(?<!^)(?=[A-Z])")
IN_PATH = re.compile(r"\{[a-z_]+\}")


def did(command: type[Command], t: Callable[..., str]) -> str:
    """The sentence of a command. ``t`` says messages in the reader's language."""
    return t("did." + key_of(command.__name__))


def did_at(language: Language) -> Callable[[str], str]:
    """For a form written by hand: the sentence of the command that its address takes."""

    def said(address: str) -> str:
        for path, command in _paths():
            if path.fullmatch(address.partition("?")[0]):
                return did(command, catalog(language).t)
        raise LookupError(f"no command is sent to {address}")

    return said


def key_of(command: str) -> str:
    """TriageIncident → triage_incident: the key of its words."""
    return CAPITAL.sub("_", command).lower()


@cache
def _paths() -> tuple[tuple[re.Pattern[str], type[Command]], ...]:
    """The address of each command; what stands for a part of it may be left to the script."""
    found = []
    sent = {write.path: write.command for write in WRITES} | BESIDE
    for path, command in sent.items():
        parts = (re.escape(part) for part in IN_PATH.split(path))
        found.append((re.compile("[^/]*".join(parts)), command))
    return tuple(found)
