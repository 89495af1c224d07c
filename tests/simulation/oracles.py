"""What must hold of a world that has healed (reliability.md §3.1). Each raises `Violation`.

O7, the chain of proofs, belongs to a later issue: until then dense positions and versions (O4).
"""

from collections import Counter, defaultdict
from contextlib import closing
from itertools import pairwise
from typing import Any
from uuid import UUID

from domain.base import Event
from domain.conservation import conserved
from domain.consignment import Consignment
from domain.fund import Fund
from domain.incident import Incident
from domain.rulebook import Rulebook
from domain.stockpile import Stockpile
from domain.unit import Unit
from domain.world import Sealed
from eventstore.outcomes import decode_outcome
from projections.folding.engine import ViewsDatabase
from projections.folding.fold import STRICT
from tests.oracles import tables_of
from tests.simulation import api
from tests.simulation.chance import Violation
from tests.simulation.memory import MemoryVault, MemoryViews, copied
from tests.simulation.tally import SEEN, TALLY
from tests.simulation.town import PARTITIONS, template
from tests.simulation.working import MAPPER
from tests.simulation.world import World

Rows = list[tuple[int, bytes, int, str, bytes]]
YEAR_SECONDS = 365 * 86_400
UNSTAMPED = ("_pending_events", "_created_on", "_modified_on")


def judge(world: World) -> None:
    """All oracles, in their order."""
    rows: Rows = world.disk.log.execute("SELECT * FROM events ORDER BY position").fetchall()
    facts = [(row[0], api.MAPPER.decode(row[3], row[4])) for row in rows]
    commands_once(world, facts)
    streams = replayed(facts)
    nothing_is_made_or_lost(streams)
    in_order(world, rows)
    rebuilt_alike(world, rows)
    each_effect_once(world, rows)
    kept_as_replayed(world)
    nothing_sealed_for_ever(world, facts)


def must(holds: object, oracle: str, *found: object) -> None:
    if not holds:
        raise Violation(f"{oracle}: {' '.join(map(str, found))}")


def commands_once(world: World, facts: list[tuple[int, Event]]) -> None:
    """O1, O2: what was acknowledged is stored once as it was told; nothing is there twice."""
    stored = dict(world.disk.log.execute("SELECT command, outcome FROM outcomes"))
    by_command: defaultdict[UUID, list[int]] = defaultdict(list)
    for position, fact in facts:
        by_command[fact.meta.command].append(position)
    for command, told in world.clients.acknowledged.items():
        must(command.bytes in stored, "O1 durability", command, "was", told[0], "and is not stored")
    for command in world.clients.commands:
        positions = by_command.get(command, [])
        encoded = stored.get(command.bytes)
        must(encoded or not positions, "O2 ghosts", command, positions, "without an outcome")
        if encoded is None:
            continue
        outcome = decode_outcome(encoded)
        must(len(positions) == outcome.facts, "O2 doubled", command, positions, outcome.facts)
        if positions:
            dense = positions[-1] - positions[0] == len(positions) - 1
            must(dense, "O2 torn", command, positions)
            must(positions[-1] == outcome.position, "O1 position", command, outcome.position)
        heard = world.clients.decided.get(command)
        must(heard is None or heard[1] == outcome.position, "O1 told", command, heard, outcome)


def replayed(facts: list[tuple[int, Event]]) -> dict[UUID, Any]:
    """All aggregates, from the first fact on."""
    streams: dict[UUID, Any] = {}
    for position, fact in facts:
        try:
            streams[fact.originator_id] = fact.mutate(streams.get(fact.originator_id))
        except Exception as problem:
            raise Violation(f"replay: {fact.topic()} at {position}: {problem!r}") from problem
    return streams


def nothing_is_made_or_lost(streams: dict[UUID, Any]) -> None:
    """O3: goods and money are somewhere and never negative; a unit is where one incident is."""

    def of(kind: type[Any]) -> list[Any]:
        return [one for one in streams.values() if type(one) is kind]

    books = conserved(of(Stockpile), of(Consignment), exercise=False)
    must(not books.broken, "O3 goods", books.broken, dict(books.units))
    for pile in of(Stockpile):
        held = [n for lots in (pile.available, *pile.reserved.values()) for n in lots.values()]
        must(min(held, default=0) >= 0, "O3 oversold", pile.id, held)
    funds = of(Fund)
    must(all(fund.available_fen >= 0 for fund in funds), "O3 overdrawn", [f.id for f in funds])
    came = sum(fund.appropriated_fen for fund in funds)
    there = sum(fund.available_fen for fund in funds)
    must(came == there, "O3 money", came, there)
    sent = Counter(unit for one in of(Incident) for unit in one.units)
    for unit in of(Unit):
        busy = unit.incident is not None
        must(sent[unit.id] == busy, "O3 units", unit.id, sent[unit.id], unit.incident)


def in_order(world: World, rows: Rows) -> None:
    """O4: versions 1..n, positions without gaps, time never back; a reader saw every position."""
    must([row[0] for row in rows] == list(range(1, len(rows) + 1)), "O4 positions", len(rows))
    versions: Counter[bytes] = Counter()
    for position, stream, version, *_ in rows:
        versions[stream] += 1
        must(version == versions[stream], "O4 versions", position, version, versions[stream])
    must(world.followed == [row[0] for row in rows], "O4 reader", len(world.followed), len(rows))
    times = [api.MAPPER.decode(row[3], row[4]).meta.recorded_at for row in rows]
    must(all(a <= b for a, b in pairwise(times)), "O4 time", "recorded_at goes back")


def rebuilt_alike(world: World, rows: Rows) -> None:
    """O5: the live tables equal those folded from zero in one go; nothing was parked."""
    parked = world.views.parked()
    must(not parked, "parked", parked[0].view if parked else "", parked[0].reason if parked else "")
    with closing(copied(template().views)) as empty:
        fresh = ViewsDatabase(MemoryViews(empty), SEEN, PARTITIONS)
        vars(fresh)["mapper"] = MAPPER
        if rows:
            fresh.apply_frame(0, 0, rows[-1][0], rows, STRICT)
        wanted, live = tables_of(fresh), tables_of(world.views)
    other = [name for name in wanted if wanted[name] != live[name]]
    must(not other, "O5 determinism", "tables differ from a rebuild:", *other)


def each_effect_once(world: World, rows: Rows) -> None:
    """O6: the tally of every stream is what the log has."""
    counted: defaultdict[str, list[int]] = defaultdict(list)
    for position, stream, *_ in rows:
        counted[str(UUID(bytes=stream))].append(position)
    found = world.views.db.execute(f"SELECT stream, facts, positions FROM {TALLY.name}")
    tally = {stream: (facts, positions) for stream, facts, positions in found}
    wanted = {stream: (len(at), sum(at)) for stream, at in counted.items()}
    other = [stream for stream in {*tally, *wanted} if tally.get(stream) != wanted.get(stream)]
    must(not other, "O6 effects", *[(tally.get(s), wanted.get(s)) for s in other[:3]])


def kept_as_replayed(world: World) -> None:
    """What a process keeps in memory is what one that starts a year later would read."""
    world.time.go_on(YEAR_SECONDS)
    for process in world.apis:
        for stream, kept in process.store.writer.cache.kept.items():
            if kept is not None and not isinstance(kept, Rulebook):  # which keeps what it parsed
                known = process.store.load(stream, version=kept.version)
                same = known is not None and _state(kept) == _state(known)
                must(same, "replay", type(kept).__name__, stream, kept.version)


def _state(aggregate: Any) -> dict[str, Any]:
    """What it decides by; the library's own times are set when a fact is stamped."""
    return {name: value for name, value in vars(aggregate).items() if name not in UNSTAMPED}


def nothing_sealed_for_ever(world: World, facts: list[tuple[int, Event]]) -> None:
    """What callers said can be unsealed by a process that starts now."""
    vault = MemoryVault(world.disk, template().key)
    for _, fact in facts:
        phone = world.people.phones.get(fact.originator_id)
        if phone is not None and isinstance(fact, Incident.Opened):
            sealed: Sealed = vars(fact)["reporter_phone"]
            said = vault.unseal(sealed, fact.originator_id, "reporter_phone")
            must(said == phone, "sealed", fact.originator_id, "cannot be read any more")
