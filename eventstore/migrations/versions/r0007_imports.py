"""Imports that officers send, and the lists that wait in them, sealed."""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

VAULT = """
CREATE TABLE vault.imports (
    id         bytea PRIMARY KEY,
    state      text NOT NULL,
    begun      double precision NOT NULL,
    job        bytea NOT NULL,
    file_key   bytea NOT NULL,
    holder     text NOT NULL,
    held_until double precision NOT NULL
);
CREATE TABLE vault.import_parts (
    job    bytea NOT NULL,
    part   text COLLATE "C" NOT NULL,
    number integer NOT NULL,
    box    bytea NOT NULL,
    PRIMARY KEY (job, part, number)
);
"""


def upgrade() -> None:
    """Rights are given by `eventstore.founding`."""
    op.execute(VAULT)
