"""The same tables and queries on SQLite and PostgreSQL: what SQLAlchemy writes for PostgreSQL.

Importing this module is enough. Integers are 64 bits wide and text is ordered by its bytes, as
on SQLite; a sum of integers stays an integer. Functions that both have by other names are below.
"""

from typing import Any, ClassVar, Self

from sqlalchemy import Boolean, Column, Float, Integer, String
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler, TypeCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.sql.functions import sum as Sum


@compiles(Integer, "postgresql")
def _integer(kind: Integer, compiler: TypeCompiler, **given: Any) -> str:
    return "BIGINT"


@compiles(Float, "postgresql")
def _float(kind: Float[Any], compiler: TypeCompiler, **given: Any) -> str:
    return "DOUBLE PRECISION"


@compiles(String, "postgresql")
def _string(kind: String, compiler: TypeCompiler, **given: Any) -> str:
    """Text of a column is compared by its bytes (UTF-8, so by code point), whatever the locale."""
    of_column = isinstance(given.get("type_expression"), Column)
    return 'TEXT COLLATE "C"' if of_column else "TEXT"


@compiles(Sum, "postgresql")
def _sum(element: Sum[Any], compiler: SQLCompiler, **given: Any) -> str:
    """The sum of 64-bit integers is ``numeric`` there and would arrive as a Decimal."""
    total = compiler.visit_function(element, **given)
    return f"CAST({total} AS BIGINT)" if isinstance(element.type, Integer) else total


class TextFunction(FunctionElement[str]):
    """A function that both databases have, each by a form of its own."""

    type = String()
    name: str  # of the column
    sqlite: ClassVar[str]
    postgresql: ClassVar[str]


class JsonPairs(TextFunction):
    """The members of a JSON object as rows of ``key`` and ``value``; see ``table_valued``."""

    inherit_cache = True
    name = "json_pairs"
    sqlite = "json_each({0})"
    postgresql = "jsonb_each_text(CAST({0} AS JSONB))"


class JsonMember(TextFunction):
    """``JsonMember(object, key)``: null if it is not there. A number may come as one or as text."""

    inherit_cache = True
    name = "json_member"
    sqlite = "json_extract({0}, '$.' || {1})"
    postgresql = "(CAST({0} AS JSONB) ->> {1})"


class JoinedText(TextFunction):
    """An aggregate: the texts of a group with commas between, sorted if their rows are."""

    inherit_cache = True
    name = "joined_text"
    sqlite = "group_concat({0})"
    postgresql = "string_agg({0}, ',' ORDER BY {0} COLLATE \"C\")"


class ByBytes(TextFunction):
    """Text that is no column, to be ordered as columns are."""

    inherit_cache = True
    name = "by_bytes"
    sqlite = "{0}"
    postgresql = '({0} COLLATE "C")'


class IsOneOf(FunctionElement[bool]):
    """``IsOneOf(column, subquery)``: one by one by the column's index, if there is one.

    PostgreSQL takes IN for a join, and would rather read the whole table than guess wrong how
    many rows a recursive query finds; an array it looks up.
    """

    inherit_cache = True
    type = Boolean()
    name = "is_one_of"
    sqlite: ClassVar[str] = "({0} IN {1})"
    postgresql: ClassVar[str] = "({0} = ANY(ARRAY{1}))"

    def self_group(self, against: Any = None) -> Self:
        """As it is: SQLAlchemy would write ``= 1`` for SQLite, which then reads every row."""
        del against
        return self


@compiles(IsOneOf)
@compiles(TextFunction)
def _either(element: TextFunction | IsOneOf, compiler: SQLCompiler, **given: Any) -> str:
    form: str = getattr(element, compiler.dialect.name)
    return form.format(*[compiler.process(part, **given) for part in element.clauses])
