"""Names of tables and indexes are such that both databases take them."""

import re

from sqlalchemy.dialects import postgresql

from projections.catalog import VIEWS
from projections.folding.base import LONGEST_NAME, create_statements

GENERATION = 999_999


def test_postgresql_takes_every_name_and_no_two_are_the_same() -> None:
    """A longer one was refused when the tables were made, and no board could begin there."""
    names: list[str] = []
    for view in VIEWS:
        for table in view.tables:
            made, indexes = create_statements(table, GENERATION, postgresql.dialect())  # type: ignore[no-untyped-call]
            names += re.findall(r"CREATE TABLE (\S+)", made)
            names += [found for one in indexes for found in re.findall(r"INDEX (\S+) ON", one)]
    assert len(names) > 100
    assert len(set(names)) == len(names)
    assert [name for name in names if len(name.encode()) > LONGEST_NAME] == []
