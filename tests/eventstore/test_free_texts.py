"""What people wrote: sealed in the log, opened in answers, gone with a person it may name."""

import sqlite3
import stat
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec
import pytest

from cli.doctor_ledger import LEDGER
from cli.plain_texts import COUNTED, plain_texts, plain_texts_of
from cli.settings import Settings
from domain.commands.households import ChangeContact
from domain.commands.officers import SuspendOfficer
from domain.commands.reports import FileInitialReport
from domain.free_texts import change_texts, free_fields, is_sealed, shortened
from domain.household import Household
from domain.officer import Officer
from domain.unit import Unit
from eventstore.free_texts import DESTROYED, seal_figures
from eventstore.log import Row
from eventstore.outcomes import Problem, Refused
from eventstore.sqlite import SQLiteLog
from eventstore.store import Store
from eventstore.vault import destroy
from tests.eventstore.erasing import HOME, erase_person, town_with_a_leaver
from tests.eventstore.support import (
    envelope,
    found_town,
    named,
    new_unit,
    off_duty,
    officer,
    open_store,
    send,
)
from tests.everything import everything, opened

AT = datetime(2018, 7, 4, 1, tzinfo=UTC)
WORDS = "因慕容建国与欧阳翠花分家"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = open_store(tmp_path / "store")
    yield store
    store.close()


def reason(store: Store, kind: type[Any]) -> str:
    """The reason of the newest fact of a kind, as it is stored."""
    found = [one.event for one in store.read(0, 10_000) if isinstance(one.event, kind)]
    text: str = found[-1].reason
    return text


def with_unit(store: Store) -> None:
    found_town(store)
    send(store, new_unit("a"), by="dispatcher")


def test_a_text_is_sealed_as_it_is_stored_and_opened_in_an_answer(store: Store) -> None:
    town_with_a_leaver(store)
    change = ChangeContact(household=named(f"household/{HOME}"), address="二组", reason=WORDS)
    send(store, change, by="reporter")
    kept = reason(store, Household.ContactChanged)
    assert is_sealed(kept) and WORDS not in kept
    answer = {"rows": [{"reason": kept}, {"detail": {"reason": f"张*：{kept}"}}], "note": "无"}
    assert store.texts.opened(answer) == {
        "rows": [{"reason": WORDS}, {"detail": {"reason": f"张*：{WORDS}"}}],
        "note": "无",
    }
    assert store.texts.opened([shortened(kept, 4)]) == ["因慕容…"]


def test_it_goes_with_the_person_it_may_name(store: Store, tmp_path: Path) -> None:
    """Also before the vault has followed the fact; what others wrote of others stays."""
    gone = town_with_a_leaver(store)
    left = reason(store, Household.MemberLeft)
    assert store.texts.opened([left]) == ["外迁"]
    change = ChangeContact(household=named(f"household/{HOME}"), address="二组", reason=WORDS)
    send(store, change, by="reporter")
    later = reason(store, Household.ContactChanged)
    erase_person(store, gone)
    for _ in ("before the vault has followed", "after"):
        assert store.texts.opened([left, later]) == [DESTROYED, WORDS]
        while store.effects.step():
            pass
    assert store.vault.keys_of([gone]) == {}


def test_one_key_of_several_is_enough_to_destroy(store: Store) -> None:
    town_with_a_leaver(store)
    joined = reason(store, Household.MemberAdded)  # written while both were there
    assert store.texts.opened([joined]) == ["投靠"]
    erase_person(store, store.history(named(f"household/{HOME}"))[1].event.member.person)  # type: ignore[attr-defined]
    assert store.texts.opened([joined]) == [DESTROYED]


def test_a_later_key_of_the_same_thing_does_not_open_and_does_not_break(store: Store) -> None:
    with_unit(store)
    send(store, off_duty("a", WORDS), by="dispatcher")
    kept = reason(store, Unit.WentOffDuty)
    assert store.texts.opened([kept]) == [WORDS]
    store.vault.db.execute("DELETE FROM keys")
    store.vault._ciphers.clear()
    assert store.texts.opened([kept]) == [DESTROYED]
    store.vault.seal(named("unit/a"), named("unit/a"), "name", "新")
    store.vault.commit()
    assert store.texts.opened([kept]) == [DESTROYED]


def outcomes(store: Store) -> str:
    """The stored answers as they lie in the log: JSON, which has Chinese as it is."""
    return b"".join(row[0] for row in store.log.fetch("SELECT outcome FROM outcomes", ())).decode()


def refused_twice(store: Store) -> list[tuple[str, str]]:
    """The same officer suspended again, and trying something: code and sentence of both."""
    told = []
    for command, by in (
        (SuspendOfficer(officer=officer("reporter"), reason="再次停职"), "admin"),
        (ChangeContact(household=named(f"household/{HOME}"), reason="换了号码"), "reporter"),
    ):
        with pytest.raises(Refused) as refused:
            send(store, command, by=by)
        assert WORDS not in str(refused.value), "what is logged of it stays sealed"
        told.append((refused.value.problem.code, refused.value.problem.zh))
    return told


def test_a_refusal_tells_the_words_and_stores_the_seal(store: Store, tmp_path: Path) -> None:
    """Before a restart, while the aggregate is kept in memory, and after it."""
    town_with_a_leaver(store)
    send(store, SuspendOfficer(officer=officer("reporter"), reason=WORDS), by="admin")
    wanted = [
        ("already-suspended", f"该人员已处于停职状态（{WORDS}）"),
        ("officer-suspended", f"您已被停职（{WORDS}），不能办理任何事项"),
    ]
    assert refused_twice(store) == wanted
    store.close()
    again = open_store(tmp_path / "store")
    assert refused_twice(again) == wanted
    kept = outcomes(again)
    assert kept.count("already-suspended") == 2 and kept.count("\\u0002") == 4
    assert WORDS not in kept and "慕容" not in kept
    again.close()


def test_what_stands_plain_in_an_older_fact_is_not_copied_into_an_outcome(store: Store) -> None:
    town_with_a_leaver(store)
    send(store, SuspendOfficer(officer=officer("reporter"), reason="停职调查"), by="admin")
    topic, state = "Officer.Suspended", "SELECT state FROM events WHERE topic = ?"
    ((stored,),) = store.log.fetch(state, (topic,))
    plain = msgspec.json.encode(msgspec.json.decode(stored) | {"reason": WORDS})
    store.log.writer.execute("UPDATE events SET state = ? WHERE topic = ?", (plain, topic))
    store.writer.cache.kept.clear()
    assert [zh for _, zh in refused_twice(store)] == [
        f"该人员已处于停职状态（{WORDS}）",
        f"您已被停职（{WORDS}），不能办理任何事项",
    ]
    assert WORDS not in outcomes(store)


def test_what_was_typed_in_place_of_a_figure_or_a_code_is_stored_sealed(store: Store) -> None:
    """A refusal repeats it: to who sent it in words, in the log never plain."""
    town_with_a_leaver(store)

    def report(hazard: str = "flood", **figures: Any) -> FileInitialReport:
        return FileInitialReport(
            report=uuid4(),
            area=named("village"),
            occurred_at=AT,
            as_of=AT,
            hazard=hazard,
            figures=figures,
        )

    for command in (report(dead=WORDS), report(**{WORDS: 1}), report(hazard=WORDS, affected=1)):
        again = uuid4()
        for _ in range(2):  # decided, and then told once more from what is stored
            with pytest.raises(Refused) as refused:
                store.run(envelope(command, "reporter", again))
            assert WORDS in refused.value.problem.zh and WORDS in refused.value.problem.en
    kept = outcomes(store)
    assert WORDS not in kept and "慕容" not in kept and kept.count("\\u0002") >= 7
    for name in ("item", "programme", "key", "value"):
        for typed in (WORDS, "murongxue", "xuemurong@example.cn", "13800001111", "34082619900101"):
            told = Problem("unknown", 409, "", "", {name: typed})
            stored = seal_figures(store.vault, told, officer("reporter"))
            assert is_sealed(stored.facts[name]) and store.texts.told(stored).facts == {name: typed}
        for plain in ("winter_spring", "quilt", "dead", "-12.5", "320000", AT.isoformat(), ""):
            code = Problem("unknown", 409, "", "", {name: plain})
            assert seal_figures(store.vault, code, officer("reporter")) is code, plain


def test_a_refusal_is_told_without_its_words_once_they_are_destroyed(store: Store) -> None:
    town_with_a_leaver(store)
    send(store, SuspendOfficer(officer=officer("reporter"), reason=WORDS), by="admin")
    with store.vault.aside() as db:
        destroy(db, [officer("reporter")])
    assert [zh for _, zh in refused_twice(store)] == [
        f"该人员已处于停职状态（{DESTROYED}）",
        f"您已被停职（{DESTROYED}），不能办理任何事项",
    ]


def test_what_is_kept_in_memory_is_what_a_replay_gives(store: Store) -> None:
    town_with_a_leaver(store)
    send(store, SuspendOfficer(officer=officer("reporter"), reason=WORDS), by="admin")
    held = store.writer.cache.kept[officer("reporter")]
    read = store.load(officer("reporter"))
    assert isinstance(held, Officer) and is_sealed(held.suspended or "")
    assert (held.suspended, held.version) == (read.suspended, read.version)


def test_a_refused_command_leaves_no_key(store: Store) -> None:
    with_unit(store)
    before = store.vault.counts()["keys"]
    send(store, off_duty("a", WORDS), by="dispatcher")
    assert store.vault.counts()["keys"] == before + 1, "the unit's own"


def test_no_free_text_of_the_whole_log_stands_plain_and_every_one_opens() -> None:
    """Every fact that occurs, through every command of the demo and what it leaves out."""
    seen: Counter[str] = Counter()
    with opened(everything()) as (store, _):
        for recorded in store.read(0, 1_000_000):
            fact = recorded.event
            if not free_fields(type(fact)):
                continue
            texts: list[str] = []
            change_texts(fact, lambda path, text, to=texts: to.append(text) or text)  # type: ignore[misc]
            assert all(map(is_sealed, texts)), fact.topic()
            seen.update([fact.topic()] * bool(texts))
    assert len(seen) > 80, "nearly every class that can hold one"


def test_the_doctor_counts_what_stands_plain_in_older_facts(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    with_unit(store)
    send(store, off_duty("a", WORDS), by="dispatcher")
    check = dict(LEDGER)["free-texts"]
    (well,) = check(Settings(data=tmp_path))
    assert well.ok and "均已加密" in well.zh
    store.close()
    log = SQLiteLog(tmp_path / "log.sqlite")
    with log.transaction() as db:
        (state,) = db.execute("SELECT state FROM events WHERE topic='Unit.WentOffDuty'").fetchone()
    log.close()
    assert plain_texts(store.mapper, "Unit.WentOffDuty", state) == []
    old = msgspec.json.encode(msgspec.json.decode(state) | {"reason": WORDS})
    assert plain_texts(store.mapper, "Unit.WentOffDuty", old) == ["reason"]


class Watched(SQLiteLog):
    """A log that says which positions were read."""

    read: list[int]

    def rows(self, after: int, limit: int, upto: int | None = None) -> list[Row]:
        found = super().rows(after, limit, upto)
        self.read += [row[0] for row in found]
        return found


def made_plain(folder: Path) -> None:
    """As a program before texts were sealed had stored them."""
    db = sqlite3.connect(folder / "log.sqlite")
    rows = db.execute("SELECT position, state FROM events WHERE topic='Unit.WentOffDuty'")
    for position, state in rows.fetchall():
        old = msgspec.json.encode(msgspec.json.decode(state) | {"reason": WORDS})
        db.execute("UPDATE events SET state=? WHERE position=?", (old, position))
    db.commit()
    db.close()


def counted(folder: Path) -> tuple[Counter[str], list[int]]:
    """What doctor counts as plain, and which facts it read for that."""
    log = Watched(folder / "log.sqlite")
    log.read = []
    found = plain_texts_of(log, folder)
    log.close()
    return found, log.read


def test_the_doctor_reads_each_fact_once_and_answers_the_same(tmp_path: Path) -> None:
    """It read and decoded the whole log anew at each look: 3 s and 214 MB of 190,000 facts."""
    store = open_store(tmp_path)
    with_unit(store)
    send(store, off_duty("a", WORDS), by="dispatcher")
    head = store.head()
    store.close()
    made_plain(tmp_path)
    first, read = counted(tmp_path)
    assert first == {"Unit.WentOffDuty reason": 1} and read == list(range(1, head + 1))
    assert stat.S_IMODE((tmp_path / COUNTED).stat().st_mode) == 0o600
    again, read = counted(tmp_path)
    assert again == first and read == [head], "only whether it is the same log"
    store = open_store(tmp_path)
    send(store, new_unit("b"), by="dispatcher")
    behind = list(range(head + 1, store.head() + 1))
    store.close()
    after, read = counted(tmp_path)
    assert after == first and read == [head, *behind]
    (tmp_path / COUNTED).unlink()
    assert counted(tmp_path)[0] == after, "as if it had never looked before"


@pytest.mark.parametrize("change", ["another log", "other fields", "damaged", "fewer facts"])
def test_a_count_of_something_else_is_no_answer(tmp_path: Path, change: str) -> None:
    store = open_store(tmp_path)
    with_unit(store)
    send(store, off_duty("a", WORDS), by="dispatcher")
    head = store.head()
    store.close()
    made_plain(tmp_path)
    right, _ = counted(tmp_path)
    kept = msgspec.json.decode((tmp_path / COUNTED).read_bytes())
    changes = {"another log": {"last": "0" * 64}, "other fields": {"fields": ""}}
    changes |= {"fewer facts": {"position": head + 5}}
    told = msgspec.json.encode(kept | {"plain": {}} | changes.get(change, {}))
    (tmp_path / COUNTED).write_bytes(b"{" if change == "damaged" else told)
    assert counted(tmp_path)[0] == right
