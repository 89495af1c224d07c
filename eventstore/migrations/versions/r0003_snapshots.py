"""States of aggregates beside the log, so that long streams are not replayed from the start."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

LOG = """
CREATE TABLE log.snapshots (
    stream  bytea PRIMARY KEY,
    version integer NOT NULL,
    epoch   text COLLATE "C" NOT NULL,
    program bytea NOT NULL,
    fact    bytea NOT NULL,
    mac     bytea NOT NULL,
    state   bytea NOT NULL
);
"""
"""A cache: it may be emptied at any time."""


def upgrade() -> None:
    """Rights are given by `eventstore.founding`."""
    op.execute(LOG)
