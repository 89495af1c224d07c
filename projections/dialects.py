"""The same tables and queries on SQLite and PostgreSQL: what SQLAlchemy writes for PostgreSQL.

Importing this module is enough. Integers are 64 bits wide and text is ordered by its bytes, as
on SQLite; a sum of integers stays an integer.
"""

from typing import Any

from sqlalchemy import Column, Float, Integer, String
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler, TypeCompiler
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
