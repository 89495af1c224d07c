"""Who read what of people, in a table that only grows; and which readings showed whom."""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

VAULT = """
CREATE TABLE vault.access_log (
    n       bigint PRIMARY KEY,
    at      text COLLATE "C" NOT NULL,
    officer bytea NOT NULL,
    kind    text NOT NULL,
    what    text NOT NULL,
    found   bigint NOT NULL,
    shown   bytea NOT NULL,
    sought  bytea NOT NULL,
    mac     bytea NOT NULL
);
CREATE INDEX access_log_by_officer ON vault.access_log (officer, n);
CREATE TABLE vault.access_shown (
    subject bytea NOT NULL,
    n       bigint NOT NULL,
    PRIMARY KEY (subject, n)
);
CREATE INDEX access_shown_by_n ON vault.access_shown (n);
"""


def upgrade() -> None:
    """Rights are given by `eventstore.founding`."""
    op.execute(VAULT)
