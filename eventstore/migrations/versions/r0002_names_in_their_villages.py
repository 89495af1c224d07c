"""The index of names with jurisdiction in its key, and how far effects on the vault have got."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

VAULT = """
DROP TABLE vault.names;
CREATE TABLE vault.effects (
    name     text COLLATE "C" PRIMARY KEY,
    position bigint NOT NULL,
    fact     text NOT NULL,
    terms    integer NOT NULL
);
CREATE TABLE vault.name_homes (
    household bytea PRIMARY KEY,
    village   bytea NOT NULL,
    exercise  smallint NOT NULL
);
CREATE INDEX name_homes_by_village ON vault.name_homes (village);
CREATE TABLE vault.name_entries (
    household bytea NOT NULL,
    person    bytea NOT NULL,
    name      text COLLATE "C" NOT NULL,
    PRIMARY KEY (household, person)
);
CREATE INDEX name_entries_by_person ON vault.name_entries (person);
CREATE TABLE vault.name_terms (
    village   bytea NOT NULL,
    exercise  smallint NOT NULL,
    term      text COLLATE "C" NOT NULL,
    household bytea NOT NULL,
    person    bytea NOT NULL,
    PRIMARY KEY (village, exercise, term, household, person)
);
"""
"""Names are put in again from the log by the first process that starts."""


def upgrade() -> None:
    """Rights are given by `eventstore.founding`."""
    op.execute(VAULT)
