"""What the type of a field says of its values."""

import typing
from collections.abc import Iterator
from typing import Any


def is_text(hint: Any) -> bool:
    """Whether it is a text, or may be one."""
    return hint is str or str in typing.get_args(hint)


def classes_in(hint: Any) -> Iterator[type[Any]]:
    """The classes of a type: itself, and those of a union or a container, however deep."""
    if isinstance(hint, type):
        yield hint
    for one in typing.get_args(hint):
        yield from classes_in(one)
