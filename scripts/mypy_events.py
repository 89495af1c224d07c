"""A mypy plugin: shows the event classes that ``@event("Name")`` makes at run time.

The library builds ``Stockpile.Shipped`` from the decorated method's parameters; this tells the
type checker so, with the same fields, so that handlers and tests are checked against them.
"""

from collections.abc import Callable

from mypy.nodes import (
    ARG_NAMED,
    MDEF,
    Argument,
    CallExpr,
    Decorator,
    FuncDef,
    NameExpr,
    StrExpr,
    SymbolTableNode,
    TypeInfo,
    Var,
)
from mypy.plugin import ClassDefContext, Plugin
from mypy.plugins.common import add_method_to_class
from mypy.types import CallableType, Instance, NoneType, Type

AGGREGATES = ("domain.base.Aggregate", "domain.report_versions.Versions")
"""The bases of classes with facts."""
EVENT = "domain.base.Event"


def event_name(decorator: Decorator) -> str | None:
    """The name in ``@event("Name")``, else None."""
    for expression in decorator.original_decorators:
        if (
            isinstance(expression, CallExpr)
            and isinstance(expression.callee, NameExpr)
            and expression.callee.name == "event"
            and expression.args
            and isinstance(expression.args[0], StrExpr)
        ):
            return expression.args[0].value
    return None


def fields_of(method: FuncDef, context: ClassDefContext) -> list[tuple[str, Type]] | None:
    """Names and types of the method's parameters, or None when a type isn't ready yet."""
    signature = method.type
    found: list[tuple[str, Type]] = []
    assert isinstance(signature, CallableType)
    pairs = zip(signature.arg_names, signature.arg_types, strict=True)
    for name, unanalyzed in list(pairs)[1:]:
        if name is None or (name == "id" and method.name == "__init__"):
            continue
        analyzed = context.api.anal_type(unanalyzed)
        if analyzed is None:
            return None
        found.append((name, analyzed))
    return found


def declare_events(context: ClassDefContext) -> bool:
    """Add a nested event class for each decorated method. False: come again."""
    base = context.api.lookup_fully_qualified_or_none(EVENT)
    if base is None or not isinstance(base.node, TypeInfo):
        return False
    owner = context.cls.info
    for statement in context.cls.defs.body:
        if not isinstance(statement, Decorator):
            continue
        name = event_name(statement)
        if name is None or name in owner.names:
            continue
        fields = fields_of(statement.func, context)
        if fields is None:
            return False
        info = context.api.basic_new_typeinfo(
            f"{owner.name}.{name}", Instance(base.node, []), statement.line
        )
        info._fullname = f"{owner.fullname}.{name}"
        info.defn.fullname = info._fullname
        for field, kind in fields:
            variable = Var(field, kind)
            variable.info = info
            variable.is_property = True
            variable._fullname = f"{info.fullname}.{field}"
            info.names[field] = SymbolTableNode(MDEF, variable)
        owner.names[name] = SymbolTableNode(MDEF, info, plugin_generated=True)
        arguments = [Argument(Var(f, kind), kind, None, ARG_NAMED) for f, kind in fields]
        add_method_to_class(context.api, info.defn, "__init__", arguments, NoneType())
    return True


class EventsPlugin(Plugin):
    def get_base_class_hook(self, fullname: str) -> Callable[[ClassDefContext], None] | None:
        if fullname in AGGREGATES:
            return _declare
        return None


def _declare(context: ClassDefContext) -> None:
    if not declare_events(context) and not context.api.final_iteration:
        context.api.defer()


def plugin(version: str) -> type[Plugin]:
    return EventsPlugin
