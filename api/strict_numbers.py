"""Whole numbers in the bodies of commands: pydantic would take the text "100000" for one."""

from typing import Any


def strict_numbers(schema: Any) -> Any:
    """The same schema, with each whole number strict."""
    if isinstance(schema, dict):
        found = {name: strict_numbers(item) for name, item in schema.items()}
        return found | {"strict": True} if found.get("type") == "int" else found
    if isinstance(schema, list | tuple):
        return type(schema)(strict_numbers(item) for item in schema)
    return schema
