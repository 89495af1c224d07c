"""A table that writers lock in place of an advisory key, which every role may take."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

LOG = "CREATE TABLE log.turn ();"
"""It never has a row: whose turn it is to write is said by the lock on it."""


def upgrade() -> None:
    """Rights are given by `eventstore.founding`."""
    op.execute(LOG)
