"""Second factors of log-ins, and their recovery codes."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

VAULT = """
CREATE TABLE vault.second_factors (
    login        text COLLATE "C" PRIMARY KEY,
    factor       bytea NOT NULL,
    secret       bytea NOT NULL,
    confirmed    integer NOT NULL,
    step         bigint NOT NULL,
    failures     integer NOT NULL,
    locked_until double precision NOT NULL
);
CREATE TABLE vault.recovery_codes (
    code  bytea PRIMARY KEY,
    login text COLLATE "C" NOT NULL
);
CREATE INDEX recovery_codes_by_login ON vault.recovery_codes (login);
"""


def upgrade() -> None:
    """Rights are given by `eventstore.founding`."""
    op.execute(VAULT)
