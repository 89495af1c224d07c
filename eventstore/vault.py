"""Keys of personal data, in a file of their own (design.md §7).

One random data key a person, wrapped under the master key of ``vault.key``, and HMAC(ID number) →
the person's random id. Destroying a person's rows erases the person; the log keeps only noise and
a mask. What a batch seals commits before the log does: a key without a fact is harmless, a fact
without its key is lost. What a fact destroys is destroyed after it (`eventstore.effects`).
"""

import hmac
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from eventsourcing.persistence import IntegrityError

from domain.world import Sealed
from eventstore.errors import KeyForeign, KeyMissing, RotationBrokenOff, StoreDamaged
from eventstore.keyfile import KEY_BYTES, read_key, write_key
from eventstore.modes import private_folder
from eventstore.names import forget
from eventstore.randomness import random_bytes, random_uuid
from eventstore.sealing_pairs import FIRST_PAIR
from eventstore.sql import DATABASE_ERRORS, Sql, explain, transaction
from eventstore.sqlite import VAULT_SECONDS, OpenedFile, Readers, check_schema, connect
from eventstore.vault_tables import SCHEMA, TABLES
from eventstore.wrapping import NONCE_BYTES, Wrapping, opened

KEY_CACHE = 4096

MAKE_SECRET = "INSERT INTO secrets VALUES (?,?) ON CONFLICT DO NOTHING"  # noqa: S105
PUT_KEY = (
    "INSERT INTO keys VALUES (?,?) ON CONFLICT (person) DO UPDATE SET wrapped = excluded.wrapped"
)
PUT_NUMBER = (
    "INSERT INTO tokens VALUES (?,?) ON CONFLICT (token) DO UPDATE SET person = excluded.person"
    " WHERE tokens.person = ?"
)


class Vault:
    """The vault of one store. Sealing happens in the writer's batch; `commit` makes it durable."""

    def __init__(self, db: Sql, key: Path) -> None:
        self._db = db
        self.key_file = key
        self.seconds: Callable[[], float] = time.time
        """Now, in seconds since 1970: by the store's guarded clock, once a store has the vault."""
        self.lock = self._lock = threading.RLock()
        self.wrapping = Wrapping(self._master_key(key))
        self._ciphers: dict[UUID, AESGCM] = {}
        self._new: dict[bytes, UUID] = {}
        self._fresh: set[UUID] = set()
        self._rows: dict[str, list[tuple[Any, ...]]] = {"keys": [], "tokens": []}
        self._seen = -1
        self.doubted = True  # set as a batch begins: `refresh` before a cached key is used
        try:
            secret = self.secret("token-hmac")
        except StoreDamaged as problem:
            if key.with_name(f"{key.name}.new").exists():
                raise RotationBrokenOff(str(problem)) from problem
            raise KeyForeign(str(key)) from problem
        self.secret(FIRST_PAIR)  # a vault of before gets its sealing pair when it is opened first
        self._tokens = hmac.new(secret, digestmod="sha256")
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
            raise KeyMissing(str(path))
        return write_key(path, os.urandom(KEY_BYTES))

    def secret(self, name: str) -> bytes:
        """A named random 32-byte secret, made at first use."""
        with self._lock:
            found = self._db.execute("SELECT value FROM secrets WHERE name=?", (name,)).fetchone()
            if found is None:
                wrapped = self.wrapping.wrap(os.urandom(32), name.encode())
                self._write(MAKE_SECRET, [(name, wrapped)])
                return self.secret(name)
            return self.wrapping.unwrap(found[0], name.encode())

    def has_secret(self, name: str) -> bool:
        """Whether a secret of this name was made. Makes nothing."""
        return bool(self.fetch("SELECT 1 FROM secrets WHERE name=?", (name,)))

    def birth_mark(self) -> str | None:
        """The mark this vault shares with its log; None in a new vault."""
        with self._lock:
            sql = "SELECT value FROM secrets WHERE name='born'"
            row = self._db.execute(sql).fetchone()
        return None if row is None else self.wrapping.unwrap(row[0], b"born").decode()

    def set_birth_mark(self, mark: str) -> str:
        """Set the mark if there is none; answers the one that is there."""
        row = ("born", self.wrapping.wrap(mark.encode(), b"born"))
        with self._lock:
            self._write(MAKE_SECRET, [row])
        return self.birth_mark() or mark

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

    def fetch(self, sql: str, args: Sequence[Any] = ()) -> list[Any]:
        """All rows of a query over what is durable, from any thread; no writer waits for it."""
        with self._lock:
            return self._db.execute(sql, args).fetchall()

    @contextmanager
    def aside(self) -> Iterator[Sql]:
        """A transaction for effects of facts, one at a time over all processes.

        It may be lost in a power cut with all it wrote: effects are taken up again.
        """
        with self._lock, transaction(self._db) as db:
            yield db

    def scrub(self) -> bool:
        """Leave nothing on the disk of what was destroyed; False: somebody read, try again."""
        return True

    @contextmanager
    def _unhurried(self) -> Iterator[None]:
        """Around writes that become durable with the next `commit`."""
        yield

    # -- the domain's port --------------------------------------------------------------------

    def person_for(self, id_number: str, instead_of: UUID | None = None) -> UUID:
        """The person of this ID number, known or new; a new one in place of an erased person."""
        token = self._token(id_number)
        known = self._new.get(token)
        if known is None:
            with self._lock:
                row = self._db.execute(
                    "SELECT person FROM tokens WHERE token=?", (token,)
                ).fetchone()
            known = None if row is None else UUID(bytes=row[0])
        if known is not None and known != instead_of:
            return known
        made = random_uuid()
        self._new[token] = made
        self._fresh.add(made)
        self._rows["tokens"].append((token, made.bytes, (instead_of or made).bytes))
        return made

    def is_fresh(self, person: UUID) -> bool:
        """Whether the person was made in this batch: no fact can tell of them yet."""
        return person in self._fresh

    def is_person(self, id: UUID) -> bool:
        """Whether this is the id of a person with an ID number."""
        if id in self._fresh:
            return True
        with self._lock:
            sql = "SELECT 1 FROM tokens WHERE person=?"
            return self._db.execute(sql, (id.bytes,)).fetchone() is not None

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
        cipher = self._cipher(person, make=True)
        assert cipher is not None
        return Sealed(person, nonce + cipher.encrypt(nonce, text.encode(), bound_to))

    def seal_under(self, owners: Sequence[UUID], bound_to: bytes, text: bytes) -> bytes:
        """Seal under all these keys, one around the other: without any one of them it is noise."""
        if self.doubted:
            self.refresh()
        for owner in owners:
            cipher = self._cipher(owner, make=True)
            assert cipher is not None
            nonce = random_bytes(NONCE_BYTES)
            text = nonce + cipher.encrypt(nonce, text, bound_to)
        return text

    def unseal(self, sealed: Sealed, stream: UUID, field: str) -> str | None:
        self.refresh()
        cipher = self._cipher(sealed.person, make=False)
        return None if cipher is None else opened(cipher, sealed, stream, field)

    def reveal(self, sealed: Sealed, stream: UUID, field: str) -> str | None:
        """`unseal` for every thread: by durable keys only, past the writer's unfinished batch.

        Whoever shows the text to people asks `Store.reveal`, which asks the log first.
        """
        keys = self.keys_of([sealed.person])
        key = keys.get(sealed.person)
        return None if key is None else opened(key, sealed, stream, field)

    def keys_of(self, persons: Iterable[UUID]) -> dict[UUID, AESGCM]:
        """The durable keys of those of these persons (at most some thousands) who have one."""
        asked = tuple({person.bytes for person in persons})
        if not asked:
            return {}
        marks = ",".join("?" * len(asked))
        rows = self.fetch(f"SELECT person, wrapped FROM keys WHERE person IN ({marks})", asked)  # noqa: S608
        return {
            UUID(bytes=person): AESGCM(self.wrapping.unwrap(wrapped, person))
            for person, wrapped in rows
        }

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
            cipher = AESGCM(self.wrapping.unwrap(row[0], person.bytes))
        elif make:
            key = random_bytes(KEY_BYTES)
            self._rows["keys"].append((person.bytes, self.wrapping.wrap(key, person.bytes)))
            cipher = AESGCM(key)
        if cipher is not None:
            if len(self._ciphers) >= KEY_CACHE and not self._rows["keys"]:
                self._ciphers.clear()
            self._ciphers[person] = cipher
        return cipher

    # -- the writer's side --------------------------------------------------------------------

    def refresh(self) -> None:
        """Forget cached keys when some were destroyed since, here or by another process."""
        with self._lock:
            seen = self._version()
            self.doubted = False
            if seen != self._seen:
                self._seen = seen
                held = {UUID(bytes=row[0]) for row in self._rows["keys"]}
                self._ciphers = {p: c for p, c in self._ciphers.items() if p in held}

    def _version(self) -> int:
        """Changes whenever somebody was erased."""
        return int(self._db.execute("SELECT n FROM erasures").fetchone()[0])

    def mark(self) -> dict[str, int]:
        """Where the batch stands, for `undo`."""
        return {table: len(rows) for table, rows in self._rows.items()}

    def undo(self, mark: dict[str, int]) -> None:
        """Forget what was sealed and named since the mark: that command was refused."""
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
                if keys := self._rows["keys"]:
                    self._db.executemany(PUT_KEY, keys)
                if tokens := self._rows["tokens"]:
                    written = self._db.executemany(PUT_NUMBER, tokens).rowcount
                    if written < len(tokens):
                        self.rollback()
                        raise IntegrityError("an ID number was given a person meanwhile")
                self._db.execute("COMMIT")
            except DATABASE_ERRORS as problem:
                self.rollback()
                raise explain(problem) from problem
            self._forget()

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
        """How many keys, known ID numbers and log-ins there are."""
        tables = ("keys", "tokens", "accounts")
        return {
            table: int(self.fetch(f"SELECT count(*) FROM {table}")[0][0])  # noqa: S608
            for table in tables
        }

    def close(self) -> None:
        with self._lock:
            self._db.close()


def destroy(db: Sql, persons: Sequence[UUID]) -> None:
    """Inside `Vault.aside`: destroy key, token and index rows of these persons. Idempotent."""
    if not persons:
        return
    rows = [(person.bytes,) for person in persons]
    db.executemany("DELETE FROM keys WHERE person=?", rows)
    db.executemany("DELETE FROM tokens WHERE person=?", rows)
    for person in persons:
        forget(db, person)
    db.execute("UPDATE erasures SET n = n + 1")


class SQLiteVault(Vault):
    """The vault as a file of its own, its key file beside it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        private_folder(path.parent)
        self._beside: sqlite3.Connection | None = None
        db = connect(path, wait=VAULT_SECONDS)
        db.execute("PRAGMA secure_delete=ON")
        check_schema(db, path, SCHEMA, TABLES)
        self._opened = OpenedFile(path)
        self._reading = Readers(path, self._opened)
        super().__init__(db, path.with_suffix(".key"))

    def fetch(self, sql: str, args: Sequence[Any] = ()) -> list[Any]:
        return self._reading.fetch(sql, args)

    def commit(self) -> None:
        self._opened.check()
        super().commit()

    @contextmanager
    def aside(self) -> Iterator[Sql]:
        """On a connection of its own. Threads of this process take turns by the lock, since
        SQLite's own way of waiting for a write lock is to sleep and look again."""
        with self._lock:
            self._opened.check()
            if self._beside is None:
                self._beside = connect(self.path, synchronous="NORMAL")
                self._beside.execute("PRAGMA secure_delete=ON")
            with transaction(self._beside) as db:
                yield db

    def scrub(self) -> bool:
        """Move the WAL into the file and empty it: old pages lie in it."""
        with self._lock:
            try:
                busy, *_ = self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            except sqlite3.Error as problem:
                raise explain(problem) from problem
        return not busy

    @contextmanager
    def _unhurried(self) -> Iterator[None]:
        self._db.execute("PRAGMA synchronous=NORMAL")
        try:
            yield
        finally:
            self._db.execute("PRAGMA synchronous=FULL")

    def close(self) -> None:
        with self._lock:
            self._reading.close()
            if self._beside is not None:
                self._beside.close()
        super().close()
