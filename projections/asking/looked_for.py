"""Rows of a list by what one calls them: names as they are read, document numbers, known words.

A database compares letters; how a name is read in pinyin, and that 〔2018〕12 号 and [2018]12号
are one number, only `eventstore.spelling` knows. So the names that stand in the rows of a list are
read, each once; those that fit are picked here; and the list is asked for their rows. What stands
in no row that the reader may see has no name here either.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar

from sqlalchemy import ColumnElement, Connection, Select, false, or_

from domain.refusal import Refusal
from eventstore import spelling

Meant = Callable[[str], Collection[str]]
"""Keys of rulebooks and of the program that a word is the name of: 洪涝, honglao, hl → flood."""

MOST_WORDS = 4
"""Words between spaces, each of which has to fit; what stands behind the third is one word."""
MOST_NAMES = 1_000
"""Names of one kind that a word may fit. Both databases limit what a question may carry."""

_terms = lru_cache(maxsize=50_000)(spelling.terms)
"""Of names of places and events, of document numbers and of masks; never of persons."""


@dataclass(eq=False)
class SaysTooLittle(Refusal):
    status: ClassVar[int] = 422
    zh: ClassVar[str] = "“{search}”对应的名称太多，请多输入几个字"
    en: ClassVar[str] = "Too many names fit {search}: type some more letters."
    search: str


@dataclass(frozen=True)
class Source:
    """Names and whose they are: ``pairs`` selects a value of the list's column ``key``, and a
    name that rows with that value are found by."""

    key: Any
    pairs: Select[Any]


def names_in(query: Select[Any], *columns: Any) -> Iterator[Source]:
    """The names that stand in these columns of a list."""
    for column in columns:
        said = (column, column.label("said"))
        yield Source(column, query.with_only_columns(*said, maintain_column_froms=True).distinct())


def numbers_in(text: str, *sources: Source) -> tuple[Source, ...]:
    """Document numbers that stand in other tables: read only for a text with a figure in it."""
    return sources if any(c.isdigit() for c in text) else ()


def goods_in(*lines: Any) -> Callable[[list[str]], ColumnElement[bool]]:
    """Rows that hold one of some goods in these columns, which have lines of goods as JSON."""

    def holds(items: list[str]) -> ColumnElement[bool]:
        named = [f'"item":"{item}"' for item in items]
        return or_(*[column.contains(one, autoescape=True) for column in lines for one in named])

    return holds


def spelled(name: str, text: str) -> bool:
    """Whether a part of the name is written so, or it or a part between dots is read so, whole or
    by its initials. Nothing that could be a name fits nothing."""
    wanted = spelling.asked(text)
    return bool(wanted) and any(term.startswith(wanted) for term in _terms(name))


def looked_for(
    db: Connection,
    text: str,
    sources: Iterable[Source],
    *,
    codes: Iterable[Any] = (),
    years: Iterable[Any] = (),
    keys: Iterable[Callable[[list[str]], ColumnElement[bool]]] = (),
    meant: Meant | None = None,
) -> ColumnElement[bool]:
    """That a row is called so: the text fits one of its names, or each of its words does.

    ``codes``: columns of division codes, found by how they begin. ``years``: columns of years.
    ``keys``: which rows hold one of some keys (``column.in_``), found by what ``meant`` says that
    keys are called. Raises `SaysTooLittle`.
    """
    known = [(source.key, _read(db, source)) for source in sources]
    codes, years, keys = tuple(codes), tuple(years), tuple(keys)

    def fits(word: str) -> ColumnElement[bool]:
        found = [key.in_(_fitting(pairs, word)) for key, pairs in known]
        if word.isascii() and word.isdigit():
            found += [code.like(f"{word}%") for code in codes]
        year = word.removesuffix("年")
        if len(year) == 4 and year.isascii() and year.isdigit():
            found += [column == int(year) for column in years]
        called = sorted(meant(word)) if meant is not None and keys else []
        found += [holds(called) for holds in keys if called]
        return or_(false(), *found)

    words = text.split(maxsplit=MOST_WORDS - 1)
    each = [fits(word) for word in words]
    if len(each) < 2:
        return each[0] if each else false()
    every = each[0]
    for one in each[1:]:
        every &= one
    return fits(text) | every


def _read(db: Connection, source: Source) -> list[tuple[Any, str]]:
    return [(key, said) for key, said in db.execute(source.pairs) if said]


def _fitting(pairs: list[tuple[Any, str]], word: str) -> list[Any]:
    wanted = spelling.asked(word)
    if not wanted:
        return []
    fit = {key for key, said in pairs if any(t.startswith(wanted) for t in _terms(said))}
    if len(fit) > MOST_NAMES:
        raise SaysTooLittle(search=word)
    return sorted(fit)
