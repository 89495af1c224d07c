"""What was relayed, kept beside the log: position, topic, and how far each partition has come.

Only the newest leader may write it (``epoch``). If some of it is lost, frames are only sent again,
and repeated frames have no effect. So its commits need not wait for the disk.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

from eventstore.sql import DATABASE_ERRORS, Sql, explain


class Fenced(Exception):
    """A newer leader has taken over."""


class Sent(msgspec.Struct, frozen=True, array_like=True):
    """The newest frame of a partition: its last position, and its offset in the topic."""

    position: int
    offset: int = -1


@dataclass(frozen=True, slots=True)
class Relayed:
    """Facts of the log of this lineage, up to ``position``, are in the topic with this id."""

    position: int = 0
    topic_id: str = ""
    sent: Mapping[int, Sent] = field(default_factory=dict)
    lineage: str = ""
    """"" in a row that was stored before logs had one."""


_read_sent = msgspec.json.Decoder(dict[int, Sent]).decode


class RelayedRow:
    """The row of one topic in ``log.relay``, over a connection of its own.

    The column ``topic_id`` holds the lineage too, after a space. An older relay that takes over
    sees a topic that it does not know, and sends again: more than needed, and nothing wrong.
    """

    def __init__(self, db: Sql, topic: str) -> None:
        self._db, self._topic = db, topic

    def take(self, epoch: int) -> Relayed:
        """What is stored, from now on writable by this epoch alone. Raises `Fenced`."""
        try:
            self._db.execute(
                "INSERT INTO relay (topic, topic_id, epoch, position, sent)"
                " VALUES (?, '', ?, 0, '{}') ON CONFLICT (topic) DO NOTHING",
                (self._topic, epoch),
            )
            row = self._db.execute(
                "UPDATE relay SET epoch = ? WHERE topic = ? AND epoch <= ?"
                " RETURNING position, topic_id, sent",
                (epoch, self._topic, epoch),
            ).fetchone()
        except DATABASE_ERRORS as problem:
            raise explain(problem) from problem
        if row is None:
            raise Fenced
        topic_id, _, lineage = row[1].partition(" ")
        return Relayed(row[0], topic_id, _read_sent(row[2]), lineage)

    def store(self, epoch: int, relayed: Relayed) -> None:
        """Raises `Fenced`, and then has changed nothing."""
        sent = msgspec.json.encode(dict(relayed.sent)).decode()
        what = f"{relayed.topic_id} {relayed.lineage}".rstrip()
        try:
            row = self._db.execute(
                "UPDATE relay SET position = ?, topic_id = ?, sent = ?"
                " WHERE topic = ? AND epoch = ? RETURNING epoch",
                (relayed.position, what, sent, self._topic, epoch),
            ).fetchone()
        except DATABASE_ERRORS as problem:
            raise explain(problem) from problem
        if row is None:
            raise Fenced

    def close(self) -> None:
        self._db.close()
