"""Beginning a store of one's own: each step once, resumable from anywhere, one county for ever."""

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from uuid import UUID

import pytest
import time_machine

from api.app import readiness
from api.beginning import Administrator
from api.begun import BEGINNING, DemoStore, OtherAdministrator, OtherDivision, not_set_up
from api.choosing import choice_of, county_of
from domain.area import Area, AreaLevel
from domain.ids import client_made
from domain.officer import Officer
from domain.refusal import Malformed
from domain.rules.base import CHINA
from domain.situation_report import SituationReport
from eventstore.lineage import seat_recorded_or_found
from eventstore.store import Store
from projections.areas import by_code
from tests.api.beginnings import ADMIN, REGISTER, Own, own_store
from tests.clusters import Founded

ROOT = Path(__file__).parents[2]
POINTS = ["before-load", "in-transaction", "after-commit", "between-vault-and-log", "rehearsing"]


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Own]:
    with own_store(tmp_path / "own") as found:
        yield found


def areas(store: Store) -> list[Area]:
    rows = store.log.fetch("SELECT stream FROM events WHERE topic LIKE 'Area.Established%'")
    return [store.load(UUID(bytes=row[0])) for row in rows]  # type: ignore[misc]


def facts(store: Store) -> list[tuple[str, str]]:
    """Every fact without what is made anew in each store: who, when, command, keys."""
    told = []
    for recorded in store.read(0, 10_000):
        event = recorded.event
        stream = str(event.originator_id) if isinstance(event, Area.Established) else ""
        about = getattr(event, "code", "")
        told.append((f"{event.topic()} {about}", stream))
    return told


def codes_above(store: Store, id: UUID | None) -> list[str]:
    found = []
    while id is not None:
        area = store.load(id)
        assert isinstance(area, Area)
        found.append(area.code)
        id = area.parent
    return found


CODES_ABOVE = {
    "621224": ["621224", "621200", "620000", "000000"],  # 康县
    "429004": ["429004", "420000", "000000"],  # 仙桃市, right under its province
    "500103": ["500103", "500000", "000000"],  # 渝中区 of 重庆
    "441900": ["441900", "440000", "000000"],  # 东莞市, a city without counties
}


def a_village(county: str) -> str:
    """The first village that people live in."""
    below = REGISTER.below(county)
    return next(one.key for one in below if one.level is AreaLevel.VILLAGE and not one.virtual)


@pytest.mark.parametrize("county", CODES_ABOVE)
def test_a_county_begins_and_comes_to_an_accepted_report_with_a_death(
    own: Own, county: str
) -> None:
    begun = own.begin(county)
    store = own.system.store
    seat = own.area(county)
    assert codes_above(store, seat) == CODES_ABOVE[county]
    assert seat_recorded_or_found(store) == seat == UUID(store.log.mark("seat") or "")
    levels = Counter(area.level for area in areas(store))
    assert levels["county"] == 1 and levels["nation"] == levels["province"] == 1
    assert (levels["township"], levels["village"]) == (
        begun.divided.townships,
        begun.divided.villages,
    )
    assert begun.divided.divisions == 1 + levels["township"] + levels["village"]
    assert begun.divided.added == begun.divided.divisions and begun.divided.known == 0
    assert all(client_made(area.id) and area.id.version == 4 for area in areas(store))
    report = store.load(own.accepted_death(a_village(county)))
    assert isinstance(report, SituationReport) and report.accepted is not None
    assert own.system.boards.wait_for(store.head(), 20)
    with own.system.reader() as db:
        assert by_code(db, county) == seat


def test_the_figures_of_the_register_are_those_of_the_store(own: Own) -> None:
    divided = own.begin("康县").divided
    assert (divided.townships, divided.villages, divided.divisions) == (21, 355, 377)


def test_a_city_begins_with_some_of_its_counties(own: Own) -> None:
    begun = own.begin_city("621200", "621224", "成县")
    store = own.system.store
    by_code = {area.code: area for area in areas(store)}
    assert seat_recorded_or_found(store) == own.area("6212")
    assert {code for code, area in by_code.items() if area.level == "county"} == {
        "621221",
        "621224",
    }
    assert codes_above(store, own.area("621221")) == ["621221", "621200", "620000", "000000"]
    assert begun.divided.divisions == len(by_code) - 2
    admin = store.load(own.beginning.officer)
    assert isinstance(admin, Officer)
    assert [post.area for post in admin.appointments.values()] == [own.area("6212")]
    for county in ("621224", "621221"):
        report = store.load(own.accepted_death(a_village(county)))
        assert isinstance(report, SituationReport) and report.accepted is not None


def test_villages_that_only_statistics_know_are_left_out(own: Own) -> None:
    """And so is what somebody unticked; nothing but a village can be."""
    found = county_of(REGISTER, "340882")
    proposed = choice_of(REGISTER, found, [found])
    virtual = [one.key for one in REGISTER.below("340882") if one.virtual]
    assert virtual and set(proposed.left_out) == set(virtual)
    village = a_village("340882")
    own.beginning.run(choice_of(REGISTER, found, [found], [*virtual, village]), ADMIN)
    there = {area.code for area in areas(own.system.store)}
    assert not there & {village, *virtual} and len(there) > 150
    with pytest.raises(Malformed):
        choice_of(REGISTER, found, [found], ["340882100"])
    with pytest.raises(Malformed):
        choice_of(REGISTER, found, [found], ["621224100001"])


def test_a_second_run_changes_nothing(own: Own) -> None:
    own.begin("621224")
    head = own.system.store.head()
    again = own.begin("康县")
    assert own.system.store.head() == head
    assert (again.divided.added, again.divided.known) == (0, 377)


def test_another_county_is_refused_from_the_first_step_on(own: Own) -> None:
    chosen = county_of(REGISTER, "621224")
    own.beginning.mark(choice_of(REGISTER, chosen, [chosen]))
    assert own.system.store.head() == 0
    with pytest.raises(OtherDivision) as refused:
        own.begin("340882")
    assert "康县" in refused.value.sentence("zh")
    with pytest.raises(OtherDivision):
        own.begin_city("621200", "621224")
    other = county_of(REGISTER, "340882")
    with pytest.raises(OtherDivision):  # whoever looked before the first one noted it
        own.beginning.mark(choice_of(REGISTER, other, [other]))
    own.begin("621224")
    with pytest.raises(OtherDivision):
        own.begin("340882")


def test_a_demo_store_is_refused_and_a_store_of_another_making(own: Own) -> None:
    own.system.store.log.set_mark("demo", "small")
    with pytest.raises(DemoStore):
        own.begin("621224")
    assert own.system.store.head() == 0 and own.system.store.log.mark(BEGINNING) is None


def test_the_first_administrator_is_named_once(own: Own) -> None:
    chosen = county_of(REGISTER, "621224")
    choice = choice_of(REGISTER, chosen, [chosen])
    beginning = own.beginning
    beginning.mark(choice)
    beginning.establish(choice)
    beginning.appoint(choice, ADMIN)
    head = own.system.store.head()
    with pytest.raises(OtherAdministrator) as refused:
        own.begin("621224", Administrator("other", "王五"))
    assert refused.value.login == "admin"
    assert own.system.store.head() == head
    own.begin("621224", Administrator(" admin ", "张三 "))


def test_a_name_that_was_refused_may_be_given_again(own: Own) -> None:
    with pytest.raises(Malformed):
        own.begin("621224", Administrator("admin", "张\u200b三"))
    assert own.system.store.log.mark(BEGINNING) is None, "the county is not noted for ever yet"
    own.begin("621224")
    assert own.beginning.login() == "admin"
    officer = own.system.officer(own.beginning.officer)
    assert officer is not None and len(officer.appointments) == 1


@pytest.mark.parametrize("login", ["", "  ", "a b", "张\n三", "x" * 101])
def test_a_log_in_name_is_one_word(own: Own, login: str) -> None:
    with pytest.raises(Malformed):
        own.begin("621224", Administrator(login, "张三"))
    with pytest.raises(Malformed):
        own.begin("621224", Administrator("admin", "  "))
    assert own.system.store.head() == 0 and own.system.store.log.mark(BEGINNING) is None


def test_a_run_may_go_on_on_another_day(own: Own) -> None:
    """The day of a fact is that of the register, or the day on which it is decided first."""
    chosen = county_of(REGISTER, "621224")
    choice = choice_of(REGISTER, chosen, [chosen])
    own.beginning.mark(choice)
    own.beginning.establish(choice)
    own.beginning.appoint(choice, ADMIN)
    with time_machine.travel(datetime(2027, 3, 1, 9, tzinfo=CHINA)):
        again = own.begin("621224")
    assert again.divided.added == 0
    assert not not_set_up(own.system.store.log)


def test_readiness_says_that_nobody_can_log_in_yet(own: Own) -> None:
    assert readiness(own.system).status == "not-set-up"
    chosen = county_of(REGISTER, "621224")
    choice = choice_of(REGISTER, chosen, [chosen])
    own.beginning.mark(choice)
    own.beginning.establish(choice)
    assert own.system.boards.wait_for(own.system.store.head(), 20)
    assert readiness(own.system).status == "not-set-up"
    own.begin("621224")
    assert own.system.boards.wait_for(own.system.store.head(), 20)
    assert readiness(own.system).status == "ready"


def killed_at(folder: Path, point: str, nth: int) -> bool:
    env = {**os.environ, "RELIEF_KILL_AT": f"{point}:{nth}"}
    command = [sys.executable, "-m", "tests.api.beginnings", str(folder), "621224"]
    done = subprocess.run(command, cwd=ROOT, env=env, timeout=120, capture_output=True)
    assert done.returncode in (0, -signal.SIGKILL), done.stderr.decode()
    return done.returncode != 0


@pytest.mark.parametrize("point", POINTS)
def test_a_beginning_that_was_killed_goes_on_and_gives_the_same_store(
    tmp_path: Path, point: str
) -> None:
    """Killed at the first, the second and the third commit of one folder, then run to its end."""
    folder = tmp_path / "own"
    killed = [killed_at(folder, point, nth) for nth in (1, 2, 1)]
    assert any(killed)
    with own_store(folder) as own:
        assert not_set_up(own.system.store.log)
        own.begin("621224")
        found = facts(own.system.store)
        assert Counter(topic for topic, _ in found).most_common(1)[0][1] == 1, "nothing twice"
        secret = own.beginning.area_id("621224")
    with own_store(tmp_path / "whole") as whole:
        whole.begin("621224")
        undisturbed = facts(whole.system.store)
    assert [topic for topic, _ in found] == [topic for topic, _ in undisturbed]
    assert str(secret) in {stream for _, stream in found}
    assert not {stream for _, stream in found if stream} & {s for _, s in undisturbed if s}


def test_a_restore_is_rehearsed_elsewhere_where_the_data_folder_takes_no_folders(
    own: Own, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a container, where only the key is mounted there."""

    def refused(folder: Path) -> None:
        raise PermissionError(str(folder))

    monkeypatch.setattr("api.rehearsing.private_folder", refused)
    own.begin("621224")
    done = own.beginning.rehearsed()
    assert done is not None and done.head > 380
    assert done.key == own.beginning.key_file()["fingerprint"]


def test_two_who_begin_at_once_make_one_store(tmp_path: Path) -> None:
    """By a page and by a command, say."""
    command = [sys.executable, "-m", "tests.api.beginnings", str(tmp_path / "own"), "621224"]
    running = [
        subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) for _ in range(2)
    ]
    for one in running:
        _, err = one.communicate(timeout=200)
        assert one.returncode == 0, err
    with own_store(tmp_path / "own") as own:
        found = Counter(topic for topic, _ in facts(own.system.store))
        assert found.pop("LoginName.Invited ") in (1, 2), "each may make a code; the last counts"
        assert max(found.values()) == 1 and len(found) == 385


def test_a_store_on_postgresql_begins_like_one_on_files(cluster: Founded, tmp_path: Path) -> None:
    with own_store(tmp_path / "own", **cluster.settings) as own:
        assert own.begin("621224").divided.divisions == 377
        assert own.begin("621224").divided.added == 0
        report = own.system.store.load(own.accepted_death(a_village("621224")))
        assert isinstance(report, SituationReport) and report.accepted is not None
