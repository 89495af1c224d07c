"""One seal a batch, and no facts without one in a log that has begun to seal."""

from alembic import op

from eventstore.sql import UNSEALED

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

LOG = """
CREATE TABLE log.seals (
    n        bigint PRIMARY KEY,
    first    bigint NOT NULL,
    last     bigint NOT NULL,
    commands bytea NOT NULL,
    outcomes bytea NOT NULL,
    marks    text COLLATE "C" NOT NULL,
    mac      bytea NOT NULL,
    leaves   bytea NOT NULL
);
CREATE INDEX seals_by_last ON log.seals (last);
"""
GUARD = f"""
CREATE FUNCTION log.events_are_sealed() RETURNS trigger LANGUAGE plpgsql AS $guard$
BEGIN
    IF (SELECT max(position) FROM put) > (SELECT last FROM log.seals ORDER BY n DESC LIMIT 1) THEN
        RAISE EXCEPTION '{UNSEALED} are refused 账本只收有封印的记录：请用新版程序写入'
            USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
    RETURN NULL;
END
$guard$;
CREATE TRIGGER events_are_sealed AFTER INSERT ON log.events REFERENCING NEW TABLE AS put
    FOR EACH STATEMENT EXECUTE FUNCTION log.events_are_sealed();
"""  # noqa: S608
"""A process of an older program that goes on writing is turned away by it."""


def upgrade() -> None:
    """Rights are given by `eventstore.founding`; old facts are sealed by the first start."""
    op.execute(LOG)
    op.execute(GUARD)
