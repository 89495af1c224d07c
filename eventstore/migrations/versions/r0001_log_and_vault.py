"""Log, relay's positions and vault: the first tables."""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

LOG = """
CREATE TABLE log.events (
    position bigint PRIMARY KEY,
    stream   bytea NOT NULL,
    version  integer NOT NULL,
    topic    text COLLATE "C" NOT NULL,
    state    bytea NOT NULL,
    UNIQUE (stream, version)
);
CREATE TABLE log.outcomes (
    command     bytea PRIMARY KEY,
    actor       bytea NOT NULL,
    fingerprint bytea NOT NULL,
    outcome     bytea NOT NULL
);
CREATE TABLE log.marks (key text COLLATE "C" PRIMARY KEY, value text NOT NULL);
CREATE TABLE log.relay (
    topic    text COLLATE "C" PRIMARY KEY,
    topic_id text NOT NULL,
    epoch    bigint NOT NULL,
    position bigint NOT NULL,
    sent     text NOT NULL
);
CREATE TABLE log.leaders (
    name   text COLLATE "C" PRIMARY KEY,
    epoch  bigint NOT NULL,
    holder text,
    at     timestamptz
);
"""
VAULT = """
CREATE TABLE vault.keys (person bytea PRIMARY KEY, wrapped bytea NOT NULL);
CREATE TABLE vault.tokens (token bytea PRIMARY KEY, person bytea NOT NULL);
CREATE INDEX tokens_by_person ON vault.tokens (person);
CREATE TABLE vault.names (
    person   bytea PRIMARY KEY,
    name     text COLLATE "C" NOT NULL,
    pinyin   text COLLATE "C" NOT NULL,
    initials text COLLATE "C" NOT NULL
);
CREATE INDEX names_by_name ON vault.names (name);
CREATE INDEX names_by_pinyin ON vault.names (pinyin);
CREATE INDEX names_by_initials ON vault.names (initials);
CREATE TABLE vault.secrets (name text COLLATE "C" PRIMARY KEY, value bytea NOT NULL);
CREATE TABLE vault.accounts (
    login        text COLLATE "C" PRIMARY KEY,
    officer      bytea NOT NULL,
    password     text NOT NULL,
    failures     integer NOT NULL DEFAULT 0,
    locked_until double precision NOT NULL DEFAULT 0
);
CREATE TABLE vault.sessions (
    token   bytea PRIMARY KEY,
    officer bytea NOT NULL,
    login   text COLLATE "C" NOT NULL,
    kind    text NOT NULL,
    csrf    text NOT NULL,
    expires double precision NOT NULL
);
CREATE TABLE vault.erasures (n bigint NOT NULL);
INSERT INTO vault.erasures VALUES (0);
"""


def upgrade() -> None:
    """Make them; who may do what with them is said in `eventstore.founding`."""
    op.execute(LOG)
    op.execute(VAULT)
