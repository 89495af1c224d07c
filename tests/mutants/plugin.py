"""``pytest -p tests.mutants.plugin --mutant NAME …``: the tests run on a wrong program."""

from collections.abc import Iterator

import pytest

from tests.mutants.registry import MUTANTS


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--mutant", choices=list(MUTANTS), help="a known-bad variant")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    name = item.config.getoption("--mutant")
    if name is None:
        return (yield)
    with MUTANTS[name].patch():
        return (yield)
