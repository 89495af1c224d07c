"""Imports that officers send over HTTP, as jobs: what state each is in, kept in the vault.

    checking → checked → confirmed → running → done
        └────────┴───────────┴──────────┴──→ failed, cancelled

A list names people with their ID numbers, so it waits sealed under a key of its own, and that key
is destroyed with it: when the job ends, or a day after the list came. The rows that were refused
lie beside it for that day, to be mended and sent again. All processes of a store share the table;
one holds a job at a time, and what it has not kept is done again, once, by the next
(`intake.job_work`).
"""

import os
import socket
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Final
from uuid import UUID

import msgspec

from domain.refusal import NotFound, Refusal
from eventstore.keyfile import KEY_BYTES
from eventstore.limits_reached import limit_reached
from eventstore.randomness import random_bytes, random_uuid
from eventstore.sql import Sql, transaction
from eventstore.vault import Vault
from eventstore.wrapping import Wrapping
from intake.job import (
    IN_HAND,
    MADE_ROOM,
    OPEN,
    TOO_LATE,
    UNDER_WAY,
    ImportNotChecked,
    ImportOver,
    Job,
    Part,
    State,
    TooManyImports,
    Why,
)

KEPT_SECONDS: Final = 24 * 3600.0
"""How long a list waits for its confirmation, and its refused rows to be fetched."""
TOLD_SECONDS: Final = 30 * 24 * 3600.0
"""How long the figures of a job can be seen."""
HELD_SECONDS: Final = 180.0
"""How long a process that is not heard of holds a job; longer than a batch, or a check, takes."""
LYING: Final = 5
"""So many times as many lists as may be in hand wait for a confirmation; then the oldest goes."""
PIECE: Final = 256 * 1024
SECRET: Final = "import-files"  # noqa: S105 - the name of a secret


class JobLost(Exception):
    """Somebody cancelled the job, or another process has it now."""


class Jobs:
    """The imports of one store. ``inside``: whether an area lies in another or is it."""

    def __init__(
        self,
        vault: Vault,
        inside: Callable[[UUID, UUID], bool],
        *,
        an_officer: int,
        waiting: int,
        clock: Callable[[], float] | None = None,
    ) -> None:
        self._vault = vault
        self._inside = inside
        self._an_officer, self._waiting = an_officer, waiting
        self._clock = clock or vault.seconds
        self.me = f"{socket.gethostname()}/{os.getpid()}/{random_uuid().hex}"

    def now(self) -> float:
        return self._clock()

    def _secret(self) -> bytes:
        return self._vault.secret(SECRET)

    # -- coming and going ---------------------------------------------------------------------

    def offer(self, job: Job, content: bytes) -> Job:
        """Take a list in. The same one twice is one. Raises `TooManyImports`.

        A list that nobody has confirmed bars nobody: not from sending one of the same area, and
        not from a place in the queue. Of those that wait for a word, the oldest makes room.

        It is put down first and withdrawn when others were before it: so two that come at once,
        even to two processes, cannot both pass.
        """
        before = self.find(job.id)
        if before is None:
            job.begun = job.changed = self._clock()
            self._put(job, content)
            try:
                self._require_room(job)
            except Refusal:
                with self._writing() as db:
                    _forget(db, job.id)
                raise
            before = job
        return before

    def _require_room(self, job: Job) -> None:
        first = [
            one
            for one in self.all()
            if one.state in OPEN and (one.begun, one.id) < (job.begun, job.id)
        ]
        mine = sum(one.officer == job.officer for one in first)
        if mine >= self._an_officer:
            limit_reached("imports_an_officer")
            raise TooManyImports(most=self._an_officer)
        if sum(one.state in IN_HAND for one in first) >= self._waiting:
            limit_reached("imports_waiting")
            raise TooManyImports(most=self._waiting)
        lying = [one for one in first if one.state is State.CHECKED]
        for one in lying[self._waiting * LYING - 1 :]:  # the newest come first
            self._fail(one, MADE_ROOM)

    def _put(self, job: Job, content: bytes) -> None:
        key = random_bytes(KEY_BYTES)
        wrapped = Wrapping(self._secret()).wrap(key, job.id.bytes)
        row = (job.id.bytes, job.state, job.begun, self._sealed(job), wrapped)
        with self._writing() as db:
            db.execute(
                "INSERT INTO imports (id, state, begun, job, file_key, holder, held_until)"
                " VALUES (?,?,?,?,?,'',0)",
                row,
            )
            _put_part(db, job.id, "file", Wrapping(key), content)

    def all(self) -> list[Job]:
        """Every job there is, the newest first."""
        rows = self._vault.fetch("SELECT job, holder FROM imports ORDER BY begun DESC, id")
        return [self._opened(box, holder) for box, holder in rows]

    def find(self, id: UUID) -> Job | None:
        rows = self._vault.fetch("SELECT job, holder FROM imports WHERE id=?", (id.bytes,))
        return self._opened(*rows[0]) if rows else None

    def get(self, id: UUID) -> Job:
        found = self.find(id)
        if found is None:
            raise NotFound(kind="Import", id=id)
        return found

    def confirm(self, id: UUID, by: UUID) -> Job:
        """Let it be written. Raises `ImportNotChecked`, `ImportOver`. Twice is once."""
        job = self.get(id)
        if job.state is State.CHECKED:
            job.state, job.confirmed_by, job.batches, job.rows = State.CONFIRMED, by, 0, 0
            job.confirmed = self._clock()
            if not self._change(job, State.CHECKED):
                job = self.get(id)
        if job.state is State.CHECKING:
            raise ImportNotChecked()
        if job.state in (State.FAILED, State.CANCELLED):
            raise ImportOver()
        return job

    def cancel(self, id: UUID) -> Job:
        """End it; what is registered stays. Raises `ImportOver` when it is done or has failed."""
        while (job := self.get(id)).state is not State.CANCELLED:
            if job.state not in OPEN:
                raise ImportOver()
            before, job.state = job.state, State.CANCELLED
            if self._change(job, before):
                with self._writing() as db:
                    _destroy(db, id)
        return job

    def _change(self, job: Job, before: State) -> bool:
        job.changed = self._clock()
        with self._writing() as db:
            changed = db.execute(
                "UPDATE imports SET state=?, job=?, holder='', held_until=0"
                " WHERE id=? AND state=? RETURNING 1",
                (job.state, self._sealed(job), job.id.bytes, before),
            ).fetchall()
        return bool(changed)

    def _fail(self, job: Job, why: Why) -> None:
        """End what waits, unless somebody has decided about it meanwhile."""
        before, job.state, job.why = job.state, State.FAILED, why
        if self._change(job, before):
            with self._writing() as db:
                _destroy(db, job.id)

    # -- who works on them --------------------------------------------------------------------

    def behind(self, job: Job) -> bool:
        """Whether a confirmed list has to wait for another one of its area, or of one above or
        below it: for the one that is being written, or was confirmed before it."""
        return self._behind(job, self.all())

    def _behind(self, job: Job, others: Iterable[Job]) -> bool:
        if job.state is not State.CONFIRMED:
            return False
        return any(
            one.state in UNDER_WAY
            and one.id != job.id
            and (self._inside(one.area, job.area) or self._inside(job.area, one.area))
            and (one.state is State.RUNNING or (one.confirmed, one.id) < (job.confirmed, job.id))
            for one in others
        )

    def claim(self) -> Job | None:
        """The oldest job that nobody has in hand and that is behind none, from now on held by this
        process."""
        now = self._clock()
        marks = ",".join("?" * len(IN_HAND))
        sql = f"SELECT job, holder FROM imports WHERE state IN ({marks}) ORDER BY begun, id"  # noqa: S608
        jobs = [self._opened(*row) for row in self._vault.fetch(sql, IN_HAND)]
        for job in jobs:
            if job.waits_until > now or self._behind(job, jobs):
                continue
            free = job.holder in ("", self.me) or _is_dead(job.holder)
            with self._writing() as db:
                mine = db.execute(
                    "UPDATE imports SET holder=?, held_until=? WHERE id=? AND state=? AND holder=?"
                    " AND (held_until<=? OR ?=1) RETURNING 1",
                    (
                        *(self.me, now + HELD_SECONDS, job.id.bytes, job.state),
                        *(job.holder, now, int(free)),
                    ),
                ).fetchall()
            if mine:
                return job
        return None

    def keep(self, job: Job, *parts: tuple[Part, int, bytes], release: bool = False) -> None:
        """Write down how far the job has come, together with parts. Raises `JobLost`."""
        job.changed = now = self._clock()
        holder, until = ("", 0.0) if release else (self.me, now + HELD_SECONDS)
        with self._writing() as db:
            kept = db.execute(
                "UPDATE imports SET state=?, job=?, holder=?, held_until=?"
                " WHERE id=? AND holder=? RETURNING file_key",
                (job.state, self._sealed(job), holder, until, job.id.bytes, self.me),
            ).fetchall()
            if not kept:
                raise JobLost
            cipher = self._file_key(job.id, kept[0][0])
            for part, number, content in parts:
                assert cipher is not None
                db.execute(
                    "DELETE FROM import_parts WHERE job=? AND part=? AND number=?",
                    (job.id.bytes, part, number),
                )
                _put_one(db, job.id, part, number, cipher, content)

    def end(self, job: Job, *, faults: bytes | None = None, workbook: bytes | None = None) -> None:
        """A step of the job has ended: with its faults and refused rows, or it has failed. What is
        not needed any more is destroyed. Raises `JobLost`."""
        job.changed = self._clock()
        with self._writing() as db:
            kept = db.execute(
                "UPDATE imports SET state=?, job=?, holder='', held_until=0"
                " WHERE id=? AND holder=? RETURNING file_key",
                (job.state, self._sealed(job), job.id.bytes, self.me),
            ).fetchall()
            if not kept:
                raise JobLost
            if job.state is State.FAILED:
                _destroy(db, job.id)
                return
            cipher = self._file_key(job.id, kept[0][0])
            _drop(db, job.id, ("faults", "refused-rows", "reasons-checked"))
            if job.state is State.DONE:
                _drop(db, job.id, ("file", "ran", "reasons-ran"))
            for part, content in (("faults", faults), ("refused-rows", workbook)):
                if content is not None and cipher is not None:
                    _put_part(db, job.id, part, cipher, content)

    def drop(self, job: Job, *parts: Part) -> None:
        with self._writing() as db:
            _drop(db, job.id, parts)

    def pieces(self, id: UUID, part: Part) -> list[bytes] | None:
        """What was put there, in its order; None when nothing was, or it is destroyed."""
        keys = self._vault.fetch("SELECT file_key FROM imports WHERE id=?", (id.bytes,))
        cipher = self._file_key(id, keys[0][0]) if keys else None
        rows = self._vault.fetch(
            "SELECT number, box FROM import_parts WHERE job=? AND part=? ORDER BY number",
            (id.bytes, part),
        )
        if cipher is None or not rows:
            return None
        return [cipher.unwrap(box, _bound(id, part, number)) for number, box in rows]

    def whole(self, id: UUID, part: Part) -> bytes | None:
        pieces = self.pieces(id, part)
        return None if pieces is None else b"".join(pieces)

    def sweep(self) -> None:
        """Destroy what has lain for a day, and forget what nobody asks for any more. What was
        confirmed goes on: a long list may wait some days for its officer's quota."""
        now = self._clock()
        sql = "SELECT job, holder, length(file_key) FROM imports WHERE begun < ?"
        for box, holder, lies in self._vault.fetch(sql, (now - KEPT_SECONDS,)):
            job = self._opened(box, holder)
            if job.state in (State.CONFIRMED, State.RUNNING) and job.begun + TOLD_SECONDS > now:
                continue
            if job.state in OPEN:
                self._fail(job, TOO_LATE)
            if lies or job.begun + TOLD_SECONDS < now:
                with self._writing() as db:
                    (_destroy if job.begun + TOLD_SECONDS > now else _forget)(db, job.id)

    # -- sealing ------------------------------------------------------------------------------

    def _sealed(self, job: Job) -> bytes:
        text = msgspec.msgpack.encode(job)
        return Wrapping(self._secret()).wrap(text, b"job")

    def _opened(self, box: bytes, holder: str) -> Job:
        job = msgspec.msgpack.decode(Wrapping(self._secret()).unwrap(box, b"job"), type=Job)
        job.holder = holder
        return job

    def _file_key(self, id: UUID, wrapped: bytes) -> Wrapping | None:
        """What seals the parts of a job; None once it is destroyed."""
        return Wrapping(Wrapping(self._secret()).unwrap(wrapped, id.bytes)) if wrapped else None

    @contextmanager
    def _writing(self) -> Iterator[Sql]:
        with self._vault.lock, transaction(self._vault.db) as db:
            yield db


def _bound(id: UUID, part: str, number: int) -> bytes:
    return id.bytes + f"{part}/{number}".encode()


def _put_one(db: Sql, id: UUID, part: str, number: int, cipher: Wrapping, content: bytes) -> None:
    box = cipher.wrap(content, _bound(id, part, number))
    sql = "INSERT INTO import_parts (job, part, number, box) VALUES (?,?,?,?)"
    db.execute(sql, (id.bytes, part, number, box))


def _put_part(db: Sql, id: UUID, part: str, cipher: Wrapping, content: bytes) -> None:
    for number, start in enumerate(range(0, max(1, len(content)), PIECE)):
        _put_one(db, id, part, number, cipher, content[start : start + PIECE])


def _drop(db: Sql, id: UUID, parts: Iterable[str]) -> None:
    for part in parts:
        db.execute("DELETE FROM import_parts WHERE job=? AND part=?", (id.bytes, part))


def _destroy(db: Sql, id: UUID) -> None:
    """The key goes, so that what lay under it is noise wherever a copy of it is left."""
    db.execute("UPDATE imports SET file_key=? WHERE id=?", (b"", id.bytes))
    db.execute("DELETE FROM import_parts WHERE job=?", (id.bytes,))


def _forget(db: Sql, id: UUID) -> None:
    _destroy(db, id)
    db.execute("DELETE FROM imports WHERE id=?", (id.bytes,))


def _is_dead(holder: str) -> bool:
    """Whether a process of this machine has ended. Of another machine nothing is known."""
    host, pid, *_ = holder.split("/")
    if host != socket.gethostname() or int(pid) == os.getpid():
        return False
    with suppress(PermissionError):
        try:
            os.kill(int(pid), 0)
        except ProcessLookupError:
            return True
    return False
