"""The tables of the vault, on SQLite, and which of them a backup and a copy carry.

On PostgreSQL the same tables are made by `eventstore.migrations`.
"""

SCHEMA = 6

TABLES = """
DROP TABLE IF EXISTS names;
DROP TABLE IF EXISTS sessions;
CREATE TABLE IF NOT EXISTS keys (person BLOB PRIMARY KEY, wrapped BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS tokens (token BLOB PRIMARY KEY, person BLOB NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS tokens_by_person ON tokens (person);
CREATE TABLE IF NOT EXISTS secrets (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS accounts (
    login TEXT PRIMARY KEY, officer BLOB NOT NULL, password TEXT NOT NULL,
    failures INTEGER NOT NULL DEFAULT 0, locked_until REAL NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS sessions (
    token BLOB PRIMARY KEY, officer BLOB NOT NULL, login TEXT NOT NULL, kind TEXT NOT NULL,
    csrf TEXT NOT NULL, expires REAL NOT NULL, begun REAL NOT NULL, device TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS invitations (
    code BLOB PRIMARY KEY, login TEXT NOT NULL, officer BLOB NOT NULL, expires REAL NOT NULL,
    used INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS invitations_by_login ON invitations (login);
CREATE TABLE IF NOT EXISTS second_factors (
    login TEXT PRIMARY KEY, factor BLOB NOT NULL, secret BLOB NOT NULL, confirmed INTEGER NOT NULL,
    step INTEGER NOT NULL, failures INTEGER NOT NULL, locked_until REAL NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS recovery_codes (
    code BLOB PRIMARY KEY, login TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS recovery_codes_by_login ON recovery_codes (login);
CREATE TABLE IF NOT EXISTS imports (
    id BLOB PRIMARY KEY, state TEXT NOT NULL, begun REAL NOT NULL, job BLOB NOT NULL,
    file_key BLOB NOT NULL, holder TEXT NOT NULL, held_until REAL NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS import_parts (
    job BLOB NOT NULL, part TEXT NOT NULL, number INTEGER NOT NULL, box BLOB NOT NULL,
    PRIMARY KEY (job, part, number)
);
CREATE TABLE IF NOT EXISTS erasures (n INTEGER NOT NULL);
INSERT INTO erasures SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM erasures);
CREATE TABLE IF NOT EXISTS effects (
    name TEXT PRIMARY KEY, position INTEGER NOT NULL, fact TEXT NOT NULL, terms INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS name_homes (
    household BLOB PRIMARY KEY, village BLOB NOT NULL, exercise INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS name_homes_by_village ON name_homes (village);
CREATE TABLE IF NOT EXISTS name_entries (
    household BLOB NOT NULL, person BLOB NOT NULL, name TEXT NOT NULL,
    PRIMARY KEY (household, person)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS name_entries_by_person ON name_entries (person);
CREATE TABLE IF NOT EXISTS name_terms (
    village BLOB NOT NULL, exercise INTEGER NOT NULL, term TEXT NOT NULL, household BLOB NOT NULL,
    person BLOB NOT NULL, PRIMARY KEY (village, exercise, term, household, person)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS access_log (
    n INTEGER PRIMARY KEY, at TEXT NOT NULL, officer BLOB NOT NULL, kind TEXT NOT NULL,
    what TEXT NOT NULL, found INTEGER NOT NULL, shown BLOB NOT NULL, sought BLOB NOT NULL,
    mac BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS access_log_by_officer ON access_log (officer, n);
CREATE TRIGGER IF NOT EXISTS access_log_kept BEFORE UPDATE ON access_log
BEGIN SELECT RAISE(ABORT, 'readings are not changed'); END;
CREATE TRIGGER IF NOT EXISTS access_log_stays BEFORE DELETE ON access_log
BEGIN SELECT RAISE(ABORT, 'readings are not taken out'); END;
CREATE TABLE IF NOT EXISTS access_shown (
    subject BLOB NOT NULL, n INTEGER NOT NULL, PRIMARY KEY (subject, n)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS access_shown_by_n ON access_shown (n);
"""
"""Schema 1 had ``names``, one row a person whatever household claimed them: the index of today is
built from the log when an older vault is opened. Schema 2 knew of no session since when and on
which device it runs. Schema 3 knew of no second factor, schema 4 of no imports, schema 5 noted
no readings. Sessions do not outlive an upgrade: officers log in anew."""

CARRIED_BY_SCHEMA_3 = {
    "keys": "person",
    "tokens": "token",
    "secrets": "name",
    "accounts": "login",
}
"""For the manifests of backups made before there were second factors."""

CARRIED_BY_SCHEMA_5 = CARRIED_BY_SCHEMA_3 | {"second_factors": "login", "recovery_codes": "code"}
"""For the manifests of backups made before readings were noted."""

CARRIED = CARRIED_BY_SCHEMA_5 | {"access_log": "n"}
"""What backups and copies count and hash, each table in the order of its key."""

CARRIED_BY_SCHEMA_1 = {
    "keys": "person",
    "tokens": "token",
    "names": "person",
    "secrets": "name",
    "accounts": "login",
}
"""For the manifests of backups made before."""

GROWING = frozenset({"access_log"})
"""Of these a copy takes what it has not yet: nobody may take anything out of them."""

LEFT_BEHIND = {
    "sessions": "who could write into a backup must not be logged in by it",
    "invitations": "who could write into a backup must not be let in by it",
    "imports": "a list that waits holds ID numbers, and backups are kept: it is sent again",
    "import_parts": "as `imports`",
    "erasures": "a counter that tells running processes to forget keys",
    "effects": "how far the index and the erasures are: found again from the log",
    "name_homes": "made from the log",
    "name_entries": "made from the log",
    "name_terms": "made from the log",
    "access_shown": "made from `access_log`",
}
"""What backups and copies leave behind, and why nothing is lost by it."""


def carried_at(schema: int) -> dict[str, str]:
    """The tables that a vault of this schema is counted and hashed by."""
    if schema < 2:
        return CARRIED_BY_SCHEMA_1
    if schema < 4:
        return CARRIED_BY_SCHEMA_3
    return CARRIED_BY_SCHEMA_5 if schema < 6 else CARRIED
