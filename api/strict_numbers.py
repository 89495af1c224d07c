"""Numbers in the bodies of commands: pydantic would take the text "100000" or true for one."""

import re
from functools import cache
from typing import Any, get_type_hints

WHOLE = (int, int | None)
COUNT = re.compile(r"\d{1,18}", re.ASCII)


def strict_numbers(schema: Any) -> Any:
    """The same schema, with each number strict: a text or a truth value is none."""
    if isinstance(schema, dict):
        found = {name: strict_numbers(item) for name, item in schema.items()}
        return found | {"strict": True} if found.get("type") in ("int", "float") else found
    if isinstance(schema, list | tuple):
        return type(schema)(strict_numbers(item) for item in schema)
    return schema


def counts_of(command: type[Any], texts: dict[str, str]) -> dict[str, Any]:
    """Fields of a command out of an address or a header, which hold nothing but text: whole numbers
    as numbers, all else, and what is none, as it is."""
    counted = _counted(command)  # type: ignore[arg-type]  # a class can be hashed
    return {
        name: int(text) if name in counted and COUNT.fullmatch(text) else text
        for name, text in texts.items()
    }


@cache
def _counted(command: type[Any]) -> frozenset[str]:
    return frozenset(name for name, hint in get_type_hints(command).items() if hint in WHOLE)
