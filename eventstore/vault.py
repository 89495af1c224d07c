"""Keys and the erasable index of personal data, in a file of their own (design.md §7).

One random data key a person, wrapped under the master key of ``vault.key``. The index maps
HMAC(ID number) to the person's random id and holds what people search by (name, pinyin,
initials). Destroying a person's rows erases the person; the log keeps only noise and a mask.
Commits before the log does: a key without a fact is harmless, a fact without its key is lost.
"""

import hmac
import os
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from eventsourcing.persistence import IntegrityError

from domain.world import Sealed
from eventstore.errors import StoreDamaged, StoreLocked
from eventstore.keyfile import KEY_BYTES, read_key, write_key
from eventstore.modes import private_folder
from eventstore.randomness import random_bytes, random_uuid
from eventstore.sql import DATABASE_ERRORS, Sql, explain
from eventstore.sqlite import VAULT_SECONDS, check_schema, connect

SCHEMA = 1
NONCE_BYTES = 12
KEY_CACHE = 4096

TABLES = """
CREATE TABLE IF NOT EXISTS keys (person BLOB PRIMARY KEY, wrapped BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS tokens (token BLOB PRIMARY KEY, person BLOB NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS tokens_by_person ON tokens (person);
CREATE TABLE IF NOT EXISTS names (
    person BLOB PRIMARY KEY, name TEXT NOT NULL, pinyin TEXT NOT NULL, initials TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS names_by_name ON names (name);
CREATE INDEX IF NOT EXISTS names_by_pinyin ON names (pinyin);
CREATE INDEX IF NOT EXISTS names_by_initials ON names (initials);
CREATE TABLE IF NOT EXISTS secrets (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS accounts (
    login TEXT PRIMARY KEY, officer BLOB NOT NULL, password TEXT NOT NULL,
    failures INTEGER NOT NULL DEFAULT 0, locked_until REAL NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS sessions (
    token BLOB PRIMARY KEY, officer BLOB NOT NULL, login TEXT NOT NULL, kind TEXT NOT NULL,
    csrf TEXT NOT NULL, expires REAL NOT NULL
) WITHOUT ROWID;
"""

MAKE_SECRET = "INSERT INTO secrets VALUES (?,?) ON CONFLICT DO NOTHING"  # noqa: S105
PUT = {
    "keys": "INSERT INTO keys VALUES (?,?) ON CONFLICT (person) DO UPDATE SET"
    " wrapped = excluded.wrapped",
    "tokens": "INSERT INTO tokens VALUES (?,?) ON CONFLICT DO NOTHING",
    "names": "INSERT INTO names VALUES (?,?,?,?) ON CONFLICT (person) DO UPDATE SET"
    " name = excluded.name, pinyin = excluded.pinyin, initials = excluded.initials",
}


@lru_cache(maxsize=8192)
def _syllable(character: str) -> tuple[str, str]:
    from pypinyin import Style, lazy_pinyin  # its dictionary takes a third of a second to load

    full = lazy_pinyin(character, style=Style.NORMAL)[0].lower()
    return full, full[:1]


def spell(name: str) -> tuple[str, str]:
    """Pinyin and initials of a name: 张小三 → (zhangxiaosan, zxs)."""
    pairs = [_syllable(c) for c in name if not c.isspace()]
    return "".join(p[0] for p in pairs), "".join(p[1] for p in pairs)


def _unwrapped(master: AESGCM, wrapped: bytes, bound_to: bytes) -> bytes:
    try:
        return master.decrypt(wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], bound_to)
    except InvalidTag as problem:
        raise StoreDamaged("vault.key does not belong to this vault") from problem


def _opened(cipher: AESGCM, sealed: Sealed, stream: UUID, field: str) -> str:
    nonce, box = sealed.box[:NONCE_BYTES], sealed.box[NONCE_BYTES:]
    try:
        return cipher.decrypt(nonce, box, stream.bytes + field.encode()).decode()
    except InvalidTag as problem:
        raise StoreDamaged(f"a sealed {field} does not belong to {stream}") from problem


def check_key(db: Sql, path: Path) -> None:
    """That this key file opens this vault. Raises `StoreDamaged`."""
    if not path.exists():
        raise StoreDamaged(f"{path.name} is missing; without it the vault cannot be read")
    master = AESGCM(read_key(path))
    for name, wrapped in db.execute("SELECT name, value FROM secrets"):
        _unwrapped(master, wrapped, name.encode())


class Vault:
    """The vault of one store. Writing happens in the writer's batch; `commit` makes it durable."""

    def __init__(self, db: Sql, key: Path) -> None:
        self._db = db
        self.lock = self._lock = threading.RLock()
        self._master = AESGCM(self._master_key(key))
        self._ciphers: dict[UUID, AESGCM] = {}
        self._new: dict[bytes, UUID] = {}
        self._fresh: set[UUID] = set()
        tables = ("keys", "tokens", "names", "erased")
        self._rows: dict[str, list[tuple[Any, ...]]] = {table: [] for table in tables}
        self._seen = -1
        self.doubted = True  # set as a batch begins: `refresh` before a cached key is used
        self._tokens = hmac.new(self.secret("token-hmac"), digestmod="sha256")
        # copied for each use: unlike one-shot digests this keeps the interpreter's lock
        self._fingerprint = hmac.new(self.secret("command-fingerprint"), digestmod="sha256")

    def _master_key(self, path: Path) -> bytes:
        """The key file's 32 bytes; made with the vault, and only then."""
        if path.exists():
            return read_key(path)
        made = self._db.execute("SELECT count(*) FROM secrets").fetchone()[0]
        if made and path.exists():  # by a process that started with this one
            return read_key(path)
        if made:
            raise StoreDamaged(f"{path.name} is missing; without it the vault cannot be read")
        return write_key(path, os.urandom(KEY_BYTES))

    def secret(self, name: str) -> bytes:
        """A named random 32-byte secret, made at first use."""
        with self._lock:
            found = self._db.execute("SELECT value FROM secrets WHERE name=?", (name,)).fetchone()
            if found is None:
                wrapped = self._wrap(os.urandom(32), name.encode())
                self._write(MAKE_SECRET, [(name, wrapped)])
                return self.secret(name)
            return self._unwrap(found[0], name.encode())

    def birth_mark(self) -> str | None:
        """The mark this vault shares with its log; None in a new vault."""
        with self._lock:
            sql = "SELECT value FROM secrets WHERE name='born'"
            row = self._db.execute(sql).fetchone()
        return None if row is None else self._unwrap(row[0], b"born").decode()

    def set_birth_mark(self, mark: str) -> str:
        """Set the mark if there is none; answers the one that is there."""
        row = ("born", self._wrap(mark.encode(), b"born"))
        with self._lock:
            self._write(MAKE_SECRET, [row])
        return self.birth_mark() or mark

    def _wrap(self, key: bytes, bound_to: bytes) -> bytes:
        nonce = random_bytes(NONCE_BYTES)
        return nonce + self._master.encrypt(nonce, key, bound_to)

    def _unwrap(self, wrapped: bytes, bound_to: bytes) -> bytes:
        return _unwrapped(self._master, wrapped, bound_to)

    def _write(self, sql: str, rows: Iterable[tuple[Any, ...]]) -> None:
        try:
            self._db.execute("BEGIN IMMEDIATE")
            self._db.executemany(sql, rows)
            self._db.execute("COMMIT")
        except DATABASE_ERRORS as problem:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise explain(problem) from problem

    # -- what back ends do in their own way ---------------------------------------------------

    def _version(self) -> int:
        """Changes when another process may have erased somebody."""
        raise NotImplementedError

    def _announce(self) -> None:
        """Inside a transaction that erases: let `_version` change."""

    def _scrub(self) -> None:
        """After a commit that erased: leave nothing on the disk."""

    @contextmanager
    def _unhurried(self) -> Iterator[None]:
        """Around writes that become durable with the next `commit`."""
        yield

    # -- the domain's port --------------------------------------------------------------------

    def person_for(self, id_number: str) -> UUID:
        token = self._token(id_number)
        known = self._new.get(token)
        if known is None:
            with self._lock:
                row = self._db.execute(
                    "SELECT person FROM tokens WHERE token=?", (token,)
                ).fetchone()
            if row is not None:
                return UUID(bytes=row[0])
            known = random_uuid()
            self._new[token] = known
            self._fresh.add(known)
            self._rows["tokens"].append((token, known.bytes))
        return known

    def find_person(self, id_number: str) -> UUID | None:
        """The person of this ID number if known. Makes nothing."""
        with self._lock:
            row = self._db.execute(
                "SELECT person FROM tokens WHERE token=?", (self._token(id_number),)
            ).fetchone()
        return UUID(bytes=row[0]) if row else None

    def find_persons(self, id_numbers: Sequence[str]) -> dict[str, UUID]:
        """Those of these ID numbers (at most some hundreds) whose person is known."""
        tokens = {self._token(number): number for number in id_numbers}
        marks = ",".join("?" * len(tokens))
        sql = f"SELECT token, person FROM tokens WHERE token IN ({marks})"  # noqa: S608
        with self._lock:
            rows = self._db.execute(sql, tuple(tokens)).fetchall()
        return {tokens[token]: UUID(bytes=person) for token, person in rows}

    def reserve_persons(self, id_numbers: Sequence[str]) -> dict[str, UUID]:
        """The persons of these ID numbers; those that are new are made, for all processes.

        For who needs the id before a command is decided (a list's import). Durable with the next
        `commit`, whose sync of the WAL covers it: one sync less a batch, and nothing is lost that
        a fact relies on.
        """
        rows = [(self._token(number), random_uuid().bytes) for number in id_numbers]
        with self._lock:
            with self._unhurried():
                self._write("INSERT INTO tokens VALUES (?,?) ON CONFLICT DO NOTHING", rows)
            return self.find_persons(id_numbers)

    def new_person(self) -> UUID:
        made = random_uuid()
        self._fresh.add(made)
        return made

    def seal(self, person: UUID, stream: UUID, field: str, text: str) -> Sealed:
        if self.doubted:
            self.refresh()
        nonce = random_bytes(NONCE_BYTES)
        bound_to = stream.bytes + field.encode()
        if (person.bytes,) in self._rows["erased"]:
            raise StoreLocked(f"person {person} is being erased")
        cipher = self._cipher(person, make=True)
        assert cipher is not None
        return Sealed(person, nonce + cipher.encrypt(nonce, text.encode(), bound_to))

    def unseal(self, sealed: Sealed, stream: UUID, field: str) -> str | None:
        self.refresh()
        cipher = self._cipher(sealed.person, make=False)
        return None if cipher is None else _opened(cipher, sealed, stream, field)

    def reveal(self, sealed: Sealed, stream: UUID, field: str) -> str | None:
        """`unseal` for every thread: by durable keys only, past the writer's unfinished batch."""
        with self._lock:
            row = self._db.execute(
                "SELECT wrapped FROM keys WHERE person=?", (sealed.person.bytes,)
            ).fetchone()
        if row is None:
            return None
        return _opened(AESGCM(self._unwrap(row[0], sealed.person.bytes)), sealed, stream, field)

    def index_name(self, person: UUID, name: str) -> None:
        self._rows["names"].append((person.bytes, name, *spell(name)))

    def erase(self, person: UUID) -> None:
        """Destroy key and index rows with the next `commit`, beyond what a disk keeps of old pages.

        Waiting for the batch lets a command that is refused after this erase nobody.
        """
        self._rows["erased"].append((person.bytes,))

    def _token(self, id_number: str) -> bytes:
        keyed = self._tokens.copy()
        keyed.update(id_number.encode())
        return keyed.digest()

    def _cipher(self, person: UUID, *, make: bool) -> AESGCM | None:
        cipher = self._ciphers.get(person)
        if cipher is not None:
            return cipher
        row = None
        if person not in self._fresh:  # who was made in this batch has no stored key
            with self._lock:
                row = self._db.execute(
                    "SELECT wrapped FROM keys WHERE person=?", (person.bytes,)
                ).fetchone()
        if row is not None:
            cipher = AESGCM(self._unwrap(row[0], person.bytes))
        elif make:
            key = random_bytes(KEY_BYTES)
            self._rows["keys"].append((person.bytes, self._wrap(key, person.bytes)))
            cipher = AESGCM(key)
        if cipher is not None:
            if len(self._ciphers) >= KEY_CACHE and not self._rows["keys"]:
                self._ciphers.clear()
            self._ciphers[person] = cipher
        return cipher

    # -- the writer's side --------------------------------------------------------------------

    def refresh(self) -> None:
        """Forget cached keys when another process changed the vault: it may have erased."""
        with self._lock:
            seen = self._version()
            self.doubted = False
            if seen != self._seen:
                self._seen = seen
                held = {UUID(bytes=row[0]) for row in self._rows["keys"]}
                self._ciphers = {p: c for p, c in self._ciphers.items() if p in held}

    def mark(self) -> dict[str, int]:
        """Where the batch stands, for `undo`."""
        return {table: len(rows) for table, rows in self._rows.items()}

    def undo(self, mark: dict[str, int]) -> None:
        """Forget what was sealed and indexed since the mark: that command was refused."""
        for row in self._rows["keys"][mark["keys"] :]:
            self._ciphers.pop(UUID(bytes=row[0]), None)
        for row in self._rows["tokens"][mark["tokens"] :]:
            self._new.pop(row[0], None)
        for table, length in mark.items():
            del self._rows[table][length:]

    def commit(self) -> None:
        """Make what this batch sealed durable. Called before the log's commit.

        Raises `IntegrityError` when a list's import has given one of its ID numbers a person, which
        it does outside the order lock: then the batch is decided again.
        """
        if not any(self._rows.values()):
            return
        with self._lock:
            try:
                self._db.execute("BEGIN IMMEDIATE")
                for table, sql in PUT.items():
                    if rows := self._rows[table]:
                        written = self._db.executemany(sql, rows).rowcount
                        if table == "tokens" and written < len(rows):
                            self.rollback()
                            raise IntegrityError("an ID number was given a person meanwhile")
                if self._rows["erased"]:
                    self._erase()
                self._db.execute("COMMIT")
                if self._rows["erased"]:
                    self._scrub()
            except DATABASE_ERRORS as problem:
                self.rollback()
                raise explain(problem) from problem
            for row in self._rows["erased"]:
                self._ciphers.pop(UUID(bytes=row[0]), None)
            self._forget()

    def _erase(self) -> None:
        for table in ("keys", "names", "tokens"):
            sql = f"DELETE FROM {table} WHERE person=?"  # noqa: S608
            self._db.executemany(sql, self._rows["erased"])
        self._announce()

    def rollback(self) -> None:
        """Forget what was sealed and not committed."""
        with self._lock:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            for row in self._rows["keys"]:
                self._ciphers.pop(UUID(bytes=row[0]), None)
            self._forget()

    def _forget(self) -> None:
        for rows in self._rows.values():
            rows.clear()
        self._new.clear()
        self._fresh.clear()
        if len(self._ciphers) > KEY_CACHE:  # while a batch made keys, none could be let go
            self._ciphers.clear()

    # -- searching ----------------------------------------------------------------------------

    def search(self, text: str, limit: int = 200) -> list[UUID]:
        """Persons whose name contains the text, or whose pinyin or initials begin with it."""
        text = text.strip().lower().replace(" ", "")
        if not text:
            return []
        if text.isascii():
            sql = (
                "SELECT person FROM names WHERE pinyin >= ? AND pinyin < ? UNION "
                "SELECT person FROM names WHERE initials >= ? AND initials < ? LIMIT ?"
            )
            args: tuple[Any, ...] = (text, text + "\x7f", text, text + "\x7f", limit)
        else:
            escaped = text.replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_")
            sql = r"SELECT person FROM names WHERE name LIKE ? ESCAPE '\' LIMIT ?"
            args = (f"%{escaped}%", limit)
        with self._lock:
            return [UUID(bytes=row[0]) for row in self._db.execute(sql, args)]

    def fingerprint(self, body: bytes) -> bytes:
        """Under a vault key, so that the log side holds no derivative of personal data."""
        keyed = self._fingerprint.copy()
        keyed.update(body)
        return keyed.digest()

    @property
    def db(self) -> Sql:
        """The vault's connection, for accounts and sessions (`eventstore.accounts`)."""
        return self._db

    def counts(self) -> dict[str, int]:
        with self._lock:
            return {
                table: int(self._db.execute(f"SELECT count(*) FROM {table}").fetchone()[0])  # noqa: S608
                for table in ("keys", "tokens", "names", "accounts")
            }

    def close(self) -> None:
        with self._lock:
            self._db.close()


class SQLiteVault(Vault):
    """The vault as a file of its own, its key file beside it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        private_folder(path.parent)
        db = connect(path, wait=VAULT_SECONDS)
        db.execute("PRAGMA secure_delete=ON")
        check_schema(db, path, SCHEMA, TABLES)
        super().__init__(db, path.with_suffix(".key"))

    def _version(self) -> int:
        return int(self._db.execute("PRAGMA data_version").fetchone()[0])

    def _scrub(self) -> None:
        self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    @contextmanager
    def _unhurried(self) -> Iterator[None]:
        self._db.execute("PRAGMA synchronous=NORMAL")
        try:
            yield
        finally:
            self._db.execute("PRAGMA synchronous=FULL")
