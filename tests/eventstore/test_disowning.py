"""A row that somebody has put into the log by hand is disowned: its stream goes on without it."""

from contextlib import closing
from pathlib import Path
from uuid import UUID

import pytest

from audit.relief_verify import checkpoint_of
from cli.audit_examining import examine
from domain.refusal import AlreadyExists
from domain.store import ForgedRow
from domain.store import Store as Ledger
from eventstore.copying import Place as End
from eventstore.copying import copy
from eventstore.errors import CopyRefused, LogForged, StreamForged
from eventstore.lineage import disown_row
from eventstore.outcomes import Refused
from eventstore.proofs import NoFact, facts_of, proof_of
from eventstore.store import Store
from tests.eventstore.conftest import place
from tests.eventstore.support import (
    Place,
    loaded,
    named,
    new_unit,
    off_duty,
    on_duty,
    open_store,
    send,
)
from tests.eventstore.test_seals import PUT, Do, owner, what
from tests.eventstore.test_trust import forge, next_of

__all__ = ["owner", "place"]


def disown(store: Store, position: int) -> ForgedRow:
    """As `relief audit disown` does it."""
    store.trust.look(store.head())
    row = store.trust.disownable(position)
    assert row is not None
    disown_row(store, row, "夜里有人直接写库，已核实", "keeper")
    return row


def test_a_disowned_row_is_passed_over_and_its_stream_goes_on_behind_it(
    town: Store, owner: Do, place: Place
) -> None:
    unit = named("unit/0队")
    at = forge(town, owner)
    with pytest.raises(StreamForged):
        send(town, on_duty("0队"), "dispatcher")
    row = disown(town, at)
    assert not town.trust.forged and town.trust.disowned[at].row == row
    assert loaded(town, unit).on_duty
    send(town, off_duty("0队"), "dispatcher")
    assert not loaded(town, unit).on_duty and loaded(town, unit).version == row.version + 1
    assert [fact.position for fact in town.history(unit)] == [
        found[0] for found in town.log.stream_rows(unit) if found[0] != at
    ]
    with closing(open_store(place)) as another:
        send(another, on_duty("0队"), "dispatcher")
        assert loaded(another, unit).version == row.version + 2
    send(town, off_duty("0队"), "dispatcher")
    read = examine(town, town.head(), ())
    assert read.examined.bad is None and read.seals.disowned == 1
    assert read.seals.unsealed_batches == 0


def test_a_process_that_hears_of_it_from_the_log_passes_it_over_too(
    town: Store, owner: Do, place: Place
) -> None:
    with closing(open_store(place)) as another:
        send(another, off_duty("2队"), "dispatcher")
        at = forge(town, owner)
        send(another, on_duty("2队"), "dispatcher")
        with pytest.raises(StreamForged):
            send(another, off_duty("0队"), "dispatcher")
        disown(town, at)
        send(another, off_duty("0队"), "dispatcher")
        assert at in another.trust.disowned and not another.trust.forged


def test_what_was_to_begin_a_thing_is_no_beginning(town: Store, owner: Do) -> None:
    (*_, like) = [row for row in town.log.rows(0, 10_000) if row[3].startswith("Unit.Registered")]
    unit = named("unit/new")
    owner(PUT, *next_of(town, unit, like))
    at = town.head()
    with pytest.raises(StreamForged):
        send(town, new_unit("new"), "dispatcher")
    disown(town, at)
    assert town.load(unit) is None
    send(town, new_unit("new"), "dispatcher")
    assert [row[2] for row in town.log.stream_rows(unit)] == [1, 2]
    send(town, off_duty("new"), "dispatcher")
    assert loaded(town, unit).version == 3
    town.writer.cache.forget()
    send(town, on_duty("new"), "dispatcher")
    with pytest.raises(Refused) as refused:
        send(town, new_unit("new"), "dispatcher")
    assert refused.value.problem.code == AlreadyExists.code()
    assert what(town) is None


@pytest.mark.parametrize("version", [0, 40])
def test_it_may_have_any_version(town: Store, owner: Do, version: int) -> None:
    unit = named("unit/0队")
    send(town, off_duty("1队"), "dispatcher")
    (*_, like) = town.log.rows(0, 10_000)
    row, known = next_of(town, unit, like), loaded(town, unit).version
    owner(PUT, row[0], row[1], version, *row[3:])
    disown(town, row[0])
    send(town, off_duty("0队"), "dispatcher")
    assert loaded(town, unit).version == max(version, known) + 1
    assert what(town) is None


def test_a_sealed_row_is_a_fact_and_cannot_be_disowned(
    town: Store, owner: Do, place: Place
) -> None:
    """Nor one that was changed, or taken away and replaced: its fact has to be restored."""
    at = send(town, off_duty("1队"), "dispatcher").position
    assert town.trust.disownable(at) is None
    owner("UPDATE events SET topic = 'Unit.PutOnDuty' WHERE position = ?", at)
    town.trust.begins_anew(0)
    with closing(open_store(place)) as again:
        again.trust.begins_anew(0)
        again.trust.look(at)
        assert at in again.trust.forged and again.trust.disownable(at) is None


def test_who_disowns_a_row_that_is_none_changes_nothing(town: Store) -> None:
    """The command alone cannot tell; the store does."""
    send(town, off_duty("0队"), "dispatcher")
    (*_, newest) = town.log.rows(0, 10_000)
    row = ForgedRow(newest[0], UUID(bytes=newest[1]), newest[2], newest[3], "00" * 32)
    disown_row(town, row, "试一下看看行不行", "keeper")
    assert not town.trust.disowned and not loaded(town, named("unit/0队")).on_duty
    assert what(town) is None


def test_a_fact_that_disowns_counts_only_if_it_is_sealed(town: Store, owner: Do) -> None:
    """Who can write the table could else take any fact out of every view and decision."""
    at = forge(town, owner)
    disown(town, at)
    ledger = Ledger.id_of(town.log.mark("born") or "")
    (*_, like) = town.log.stream_rows(ledger)
    send(town, on_duty("1队"), "dispatcher")
    second = forge(town, owner, "2队")
    body = {"position": second, "stream": str(named("unit/2队")), "version": 2, "topic": "Unit.x"}
    owner(PUT, *next_of(town, ledger, like, row=body | {"sha256": "00" * 32}))
    send(town, new_unit("after"), "dispatcher")
    assert second in town.trust.forged and set(town.trust.disowned) == {at}
    assert not town.trust.counts(second + 1)
    disown(town, second + 1)
    disown(town, second)
    assert set(town.trust.disowned) == {at, second, second + 1} and not town.trust.forged
    assert what(town) is None


def test_nothing_is_signed_over_a_forged_row_nor_proven_of_it(town: Store, owner: Do) -> None:
    at = forge(town, owner)
    unit = str(named("unit/0队"))
    honest = facts_of(town, unit, at)
    assert at not in [row[0] for row in honest]
    with pytest.raises(LogForged):
        proof_of(town, honest, at)
    assert proof_of(town, honest, at - 1)["entries"]
    disown(town, at)
    size = town.head()
    kept = checkpoint_of(proof_of(town, honest, size)["checkpoint"])
    assert kept.size == size, "its leaf stays in the tree, and proofs of others hold"
    with pytest.raises(NoFact):
        facts_of(town, str(at), size)
    assert examine(town, size, [kept]).examined.bad is None


@pytest.mark.parametrize("place", ["SQLite"], indirect=True)
def test_a_copy_that_ends_earlier_seals_nothing_that_nobody_wrote(
    town: Store, owner: Do, place: Place, tmp_path: Path
) -> None:
    """It is sealed anew: whatever went into it would count from then on."""
    assert isinstance(place, Path)
    at = forge(town, owner)
    source, target = End.folder(place), End.folder(tmp_path / "copy")
    with pytest.raises(CopyRefused, match=f"Record {at} "):
        copy(source, target, until=at)
    disown(town, at)
    said_at = town.head()
    with pytest.raises(CopyRefused, match=f"Record {at} .* {said_at}"):
        copy(source, target, until=at)
    copy(source, target, until=said_at)
    with closing(open_store(tmp_path / "copy")) as copied:
        assert set(copied.trust.disowned) == {at} and not copied.trust.forged
        send(copied, off_duty("0队"), "dispatcher")
        assert what(copied) is None
