"""Invitations, and sessions that say since when and on which device they run."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

VAULT = """
DROP TABLE vault.sessions;
CREATE TABLE vault.sessions (
    token   bytea PRIMARY KEY,
    officer bytea NOT NULL,
    login   text COLLATE "C" NOT NULL,
    kind    text NOT NULL,
    csrf    text NOT NULL,
    expires double precision NOT NULL,
    begun   double precision NOT NULL,
    device  text NOT NULL
);
CREATE TABLE vault.invitations (
    code    bytea PRIMARY KEY,
    login   text COLLATE "C" NOT NULL,
    officer bytea NOT NULL,
    expires double precision NOT NULL,
    used    integer NOT NULL
);
CREATE INDEX invitations_by_login ON vault.invitations (login);
"""
"""Sessions begin anew: officers log in once more after the upgrade."""


def upgrade() -> None:
    """Rights are given by `eventstore.founding`."""
    op.execute(VAULT)
