"""What a version of a view stands for: a fingerprint of its tables, handlers and their helpers.

A handler that changes while the version stays would leave stores with rows that no rebuild makes.
So `projections/fingerprints.toml` keeps for each view its version and fingerprint; a test holds
the code to it, and `make fingerprints` writes it again.

Covered is all that the ``VIEW`` of a module names, followed through the functions, classes and
constants of `projections` and the functions and constants of `domain`: as parsed, so that layout,
comments, docstrings and annotations do not count. Not covered are the machine that folds (its tests
compare rows) and the classes of `domain`, which change by addition only.
"""

import ast
import hashlib
import sys
import tomllib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

from projections.folding.base import View

FILE = Path(__file__).parents[1] / "fingerprints.toml"
HEAD = "# Version and fingerprint of each view. Written by `make fingerprints`.\n"
ROOMS = ("projections", "domain")
ONLY_FUNCTIONS = ("domain", "projections.folding")
"""Of these rooms classes are not followed."""
NOT_ROWS = ("version", "ignored", "by_stream")
"""Arguments of a `View` that change no row."""
NO_MATTER = frozenset(("annotation", "returns", "ctx", "kind", "type_comment", "type_params"))


class Print(NamedTuple):
    """What the file keeps of a view."""

    version: int
    sha256: str


@dataclass
class _Module:
    name: str
    defined: dict[str, list[ast.stmt]] = field(default_factory=dict)
    imported: dict[str, tuple[str, str | None]] = field(default_factory=dict)


def _of_our_rooms(name: str) -> bool:
    return name.partition(".")[0] in ROOMS


@lru_cache
def _file_of(name: str) -> Path | None:
    """The source of a module of our rooms, which is not imported for it."""
    room, *rest = name.split(".")
    if room not in ROOMS:
        return None
    for folder in import_module(room).__path__:
        path = Path(folder).joinpath(*rest)
        for file in (path / "__init__.py", path.with_suffix(".py")):
            if file.is_file():
                return file
    return None


@lru_cache
def _parsed(name: str) -> _Module:
    """What a module defines and imports at its top."""
    module = _Module(name)
    file = _file_of(name)
    for statement in ast.parse(file.read_bytes()).body if file else ():
        if isinstance(statement, ast.ImportFrom) and statement.module:
            for one in statement.names:
                module.imported[one.asname or one.name] = (statement.module, one.name)
        elif isinstance(statement, ast.Import):
            for one in statement.names:
                module.imported[one.asname or one.name] = (one.name, None)
        else:
            for defined in _names_defined(statement):
                module.defined.setdefault(defined, []).append(statement)
    return module


def _names_defined(statement: ast.stmt) -> Iterator[str]:
    if isinstance(statement, ast.FunctionDef | ast.ClassDef):
        yield statement.name
    elif isinstance(statement, ast.Assign | ast.AnnAssign | ast.AugAssign):
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        for target in targets:
            yield from (node.id for node in ast.walk(target) if isinstance(node, ast.Name))


def _found(module: str, name: str) -> tuple[str, str | None] | None:
    """Where a name that stands in a module comes from: module and name, or a module and None."""
    known = _parsed(module)
    if name in known.defined:
        return module, name
    if name not in known.imported:
        return None
    origin, attribute = known.imported[name]
    if not _of_our_rooms(origin):
        return None
    if attribute is None or _file_of(f"{origin}.{attribute}"):
        return (origin if attribute is None else f"{origin}.{attribute}"), None
    return _found(origin, attribute)


def _names_in(node: ast.AST) -> Iterator[tuple[str, str | None]]:
    """Names that a statement uses, each with the attribute that is asked of it.

    A function's own variables are left out, though something at the top may be called the same.
    """
    own: set[str] = set()
    if isinstance(node, ast.FunctionDef):
        own = {inner.arg for inner in ast.walk(node) if isinstance(inner, ast.arg)}
        own |= {
            inner.id
            for inner in ast.walk(node)
            if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store)
        }
    for inner in ast.walk(node):
        if isinstance(inner, ast.Name) and inner.id in own:
            continue
        if isinstance(inner, ast.Attribute) and isinstance(inner.value, ast.Name):
            yield inner.value.id, inner.attr
        elif isinstance(inner, ast.Name):
            yield inner.id, None


def _said(node: Any) -> Any:
    """A parsed statement without what makes no row; the same for every version of Python."""
    if isinstance(node, list):
        return [_said(one) for one in node]
    if not isinstance(node, ast.AST):
        return repr(node)
    fields = {name: value for name, value in ast.iter_fields(node) if name not in NO_MATTER}
    if isinstance(node, ast.FunctionDef | ast.ClassDef) and ast.get_docstring(node) is not None:
        fields["body"] = fields["body"][1:]
    return [type(node).__name__, *([n, _said(v)] for n, v in fields.items() if v not in (None, []))]


def _bare(node: ast.stmt) -> ast.stmt:
    """Without annotations and docstrings, whose names are not followed either."""
    for inner in ast.walk(node):
        if isinstance(inner, ast.FunctionDef):
            inner.returns = None
        elif isinstance(inner, ast.arg):
            inner.annotation = None
        elif isinstance(inner, ast.AnnAssign):
            inner.annotation = ast.Constant(None)
        elif isinstance(inner, ast.Call) and getattr(inner.func, "id", None) == "View":
            inner.keywords = [one for one in inner.keywords if one.arg not in NOT_ROWS]
    return node


def reached(module: str) -> dict[tuple[str, str], list[ast.stmt]]:
    """All statements that the module's ``VIEW`` depends on, by module and name."""
    found: dict[tuple[str, str], list[ast.stmt]] = {}
    todo: list[tuple[str, str]] = [(module, "VIEW")]
    while todo:
        where, name = todo.pop()
        if (where, name) in found:
            continue
        statements = _parsed(where).defined.get(name, [])
        if where.startswith(ONLY_FUNCTIONS):
            statements = [one for one in statements if not isinstance(one, ast.ClassDef)]
        found[where, name] = [_bare(one) for one in statements]
        for statement in found[where, name]:
            for used, attribute in _names_in(statement):
                origin = _found(where, used)
                if origin is not None and origin[1] is None and attribute is not None:
                    origin = _found(origin[0], attribute)
                if origin is not None and origin[1] is not None:
                    todo.append((origin[0], origin[1]))
    return found


def fingerprint(module: str) -> str:
    """SHA-256 of tables, handlers and helpers of the view of a module."""
    said = sorted(repr(_said(one)) for found in reached(module).values() for one in found)
    return hashlib.sha256("\n".join(said).encode()).hexdigest()


def module_of(view: View) -> str:
    """The module whose ``VIEW`` it is."""
    for name, module in sys.modules.copy().items():
        if name.startswith("projections.") and getattr(module, "VIEW", None) is view:
            return name
    raise LookupError(view.name)


def prints_of(views: Sequence[View]) -> dict[str, Print]:
    """What the code says now, by view."""
    return {view.name: Print(view.version, fingerprint(module_of(view))) for view in views}


def kept(file: Path = FILE) -> dict[str, Print]:
    """What the file says."""
    if not file.exists():
        return {}
    return {name: Print(**found) for name, found in tomllib.loads(file.read_text()).items()}


def written(prints: dict[str, Print]) -> str:
    """The file."""
    lines = [
        f'{name} = {{ version = {found.version}, sha256 = "{found.sha256}" }}\n'
        for name, found in sorted(prints.items())
    ]
    return "".join([HEAD, *lines])


def complaints(
    now: dict[str, Print], before: dict[str, Print], same: Collection[str] = ()
) -> list[str]:
    """A sentence for each view whose code has changed and whose version has not risen.

    ``same``: views of which somebody says that every row stays as it was.
    """
    return [
        f"Tables or handlers of the view {name} have changed, but its version {found.version} has "
        "not risen. Raise it where the VIEW is made, so that stores rebuild the view, and run "
        "`make fingerprints`. Only if every row stays as it was (code was moved or renamed): "
        f"`make fingerprints SAME={name}`."
        for name, found in now.items()
        if name in before
        and name not in same
        and found != before[name]
        and found.version <= before[name].version
    ]
