"""A list that a command must bring has rows: nothing is booked that says nothing of anybody."""

import typing
from dataclasses import MISSING, fields
from functools import cache
from typing import Any

from domain.hints import classes_in
from domain.refusal import missing


@cache
def lists_of(kind: type[Any]) -> tuple[str, ...]:
    """Fields of a command that hold rows and may not be left out. Plain texts are no rows: an
    appropriation that is earmarked for nothing in particular brings none of them."""
    hints = typing.get_type_hints(kind)
    return tuple(
        one.name
        for one in fields(kind)
        if one.default is MISSING
        and one.default_factory is MISSING
        and typing.get_origin(hints[one.name]) is tuple
        and str not in classes_in(hints[one.name])
    )


def check_rows(command: object) -> None:
    """`Malformed` if a list that the command must bring is empty. A command of which nobody is to
    be asked whether it may be sent at all says so (``empty_list_refused``)."""
    if not getattr(command, "empty_list_refused", True):
        return
    for name in lists_of(type(command)):  # type: ignore[arg-type]  # classes are hashable
        if not getattr(command, name):
            raise missing(name)
