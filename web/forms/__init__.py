"""How commands are asked for on pages: one file a desk, each with its forms by command.

A desk's file holds ``FORMS: Mapping[type[Command], Form]`` and is named in `ALL`. What a form does
not say is derived from the command's fields (`web.asking`).
"""

from collections.abc import Mapping

from domain.world import Command
from web.forms import (
    cases,
    disasters,
    dispatch,
    goods,
    households,
    lists,
    money,
    officers,
    reports,
    revealing,
    rosters,
)
from web.forms.form import Form

ALL = (
    cases,
    disasters,
    dispatch,
    goods,
    households,
    lists,
    money,
    officers,
    reports,
    revealing,
    rosters,
)
"""The desks' files."""

FORMS: Mapping[type[Command], Form] = {
    command: form for desk in ALL for command, form in desk.FORMS.items()
}
"""Every command that pages draw from its fields."""
