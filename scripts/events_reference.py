"""Write docs/events.md from the code: each fact that can stand in the log, its fields and readers.

python scripts/events_reference.py          write docs/events.md
python scripts/events_reference.py --check  exit 1 if docs/events.md is not current
"""

import re
import sys
import tomllib
import types
import typing
from enum import Enum
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from domain.base import Aggregate, Event, Meta  # noqa: E402
from domain.catalog import AGGREGATES  # noqa: E402
from projections.catalog import IGNORED, VIEWS  # noqa: E402

TARGET = ROOT / "docs" / "events.md"
WORDS = ROOT / "web" / "messages"

INTRODUCTION = """# Events reference

Generated from `domain/` by `scripts/events_reference.py`: change the code, not this page.

A fact is in the past tense, is never edited, and stays readable for ever: `tests/golden/facts`
keeps one stored example of each. Money is integer fen, quantities are whole units, moments are
UTC. A sealed field is encrypted under the person's own key (decision 0004). Beside its own fields
every fact carries `originator_id` (the stream), `originator_version`, and what the store stamped
as it committed (decision 0002), `meta`: {meta}.
"""


def snake(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()


def words(name: str) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = tomllib.loads((WORDS / name).read_text(encoding="utf-8"))
    return found


def shown(kind: Any) -> str:
    """A type as a reader says it: ``uuid``, ``tuple of LotPick``, ``text or none``."""
    plain = {str: "text", int: "integer", bool: "yes/no", type(None): "none"}
    if kind in plain:
        return plain[kind]
    origin, parts = typing.get_origin(kind), typing.get_args(kind)
    if origin in (types.UnionType, typing.Union):
        return " or ".join(shown(part) for part in parts)
    if origin is tuple:
        return "list of " + " × ".join(shown(part) for part in parts if part is not Ellipsis)
    if origin in (dict, frozenset, list):
        return f"{origin.__name__} of " + " → ".join(shown(part) for part in parts)
    if origin is typing.Literal:
        return " / ".join(str(part) for part in parts)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return (
            " / ".join(str(one.value) or "none" for one in kind)
            if len(kind) <= 4
            else kind.__name__
        )
    return {"UUID": "uuid", "datetime": "moment", "date": "day"}.get(kind.__name__, kind.__name__)


def readers() -> dict[type[Event], str]:
    """Which views fold an event, or why none does."""
    found: dict[type[Event], list[str]] = {}
    for view in VIEWS:
        for event_class in view.routes:
            found.setdefault(event_class, []).append(view.name)
    said = {one: f"none: {reason}" for one, reason in IGNORED.items()}
    return said | {one: ", ".join(sorted(names)) for one, names in found.items()}


def events_of(aggregate: type[Aggregate]) -> list[type[Event]]:
    """The named facts of an aggregate, in the order of its life."""
    return [
        value
        for name, value in vars(aggregate).items()
        if isinstance(value, type) and issubclass(value, Event) and name not in ("Event", "Created")
    ]


def section(aggregate: type[Aggregate], read_by: dict[type[Event], str]) -> list[str]:
    names, kinds = words("event.toml"), words("timeline.toml")
    noun = snake(aggregate.__name__)
    said = (aggregate.__doc__ or "").strip().split("\n\n")[0]
    lines = [f"## {aggregate.__name__} {kinds[f'kind_{noun}']['zh']}", "", " ".join(said.split())]
    lines += ["", "| fact | 中文 | fields | views that read it |", "|---|---|---|---|"]
    for one in events_of(aggregate):
        own = one.__name__
        hints = typing.get_type_hints(one)
        fields = [f"`{key}` {shown(hints[key])}" for key in one.__annotations__]
        version = getattr(one, "class_version", 1)
        title = f"`{own}`" + (f" /{version}" if version > 1 else "")
        zh = names[f"{noun}_{snake(own)}"]["zh"]
        cells = (title, zh, ", ".join(fields) or "–", read_by.get(one, "none"))
        lines.append("| " + " | ".join(cells) + " |")
    return [*lines, ""]


def page() -> str:
    stamped = ", ".join(f"`{name}`" for name in Meta.__struct_fields__)
    read_by = readers()
    count = sum(len(events_of(one)) for one in AGGREGATES)
    lines = [INTRODUCTION.format(meta=stamped), f"{count} facts of {len(AGGREGATES)} nouns.", ""]
    for aggregate in AGGREGATES:
        lines += section(aggregate, read_by)
    return "\n".join(lines).rstrip() + "\n"


def main() -> None:
    wanted = page()
    if "--check" not in sys.argv[1:]:
        TARGET.write_text(wanted, encoding="utf-8")
    elif not TARGET.exists() or TARGET.read_text(encoding="utf-8") != wanted:
        sys.exit("docs/events.md is not current: run make docs")


if __name__ == "__main__":
    main()
