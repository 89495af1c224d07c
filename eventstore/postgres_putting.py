"""How a batch is put into the log on PostgreSQL: outcomes, facts, seal and the news of it in one
statement, because sending each costs the most."""

from collections.abc import Sequence

from eventstore.log import Row, SealRow
from eventstore.postgres_journey import BYTEA, INT4, INT8, TEXT, array, int4, int8

CHANNEL = "relief_log"
"""On which other processes hear of new facts."""
PUT_OUTCOMES = """
INSERT INTO outcomes (command, actor, fingerprint, outcome)
SELECT * FROM unnest($1::bytea[], $2::bytea[], $3::bytea[], $4::bytea[])
"""
PUT_FACTS = """
INSERT INTO events (position, stream, version, topic, state)
SELECT * FROM unnest($5::int8[], $6::bytea[], $7::int4[], $8::text[], $9::bytea[])
"""
PUT = f"""
WITH answers AS ({PUT_OUTCOMES}), facts AS ({PUT_FACTS})
SELECT pg_notify('{CHANNEL}', $10::text)
"""
SEAL_VALUES = (
    "VALUES (${0}::int8, ${1}::int8, ${2}::int8, ${3}::bytea, ${4}::bytea, ${5}::text,"
    " ${6}::bytea, ${7}::bytea)"
)
PUT_SEALED = f"""
WITH sealed AS (
    INSERT INTO seals (n, first, last, commands, outcomes, marks, mac, leaves)
    {SEAL_VALUES.format(*range(11, 19))}
), answers AS ({PUT_OUTCOMES}), facts AS ({PUT_FACTS})
SELECT pg_notify('{CHANNEL}', $10::text)
"""
PUT_SEALED_OUTCOMES = f"""
WITH sealed AS (
    INSERT INTO seals (n, first, last, commands, outcomes, marks, mac, leaves)
    {SEAL_VALUES.format(*range(5, 13))}
) {PUT_OUTCOMES}
"""


def sealed_values(seal: SealRow) -> list[bytes]:
    """Of a seal, in the order of its marks in the statements."""
    numbers = [int8(number) for number in seal[:3]]
    return [*numbers, seal.commands, seal.outcomes, seal.marks.encode(), seal.mac, seal.leaves]


def columns_of(rows: Sequence[Row]) -> list[bytes]:
    """Of facts, an array each column."""
    positions, streams, versions, topics, states = zip(*rows, strict=True)
    return [
        array(INT8, [int8(position) for position in positions]),
        array(BYTEA, streams),
        array(INT4, [int4(version) for version in versions]),
        array(TEXT, [topic.encode() for topic in topics]),
        array(BYTEA, states),
    ]
