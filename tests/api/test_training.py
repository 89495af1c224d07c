"""A training store: one's own divisions, nothing real in it, for ever (decision 0061)."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest
from fastapi.testclient import TestClient
from openpyxl import load_workbook  # type: ignore[import-untyped]

from api.app import create_app
from api.begun import BEGINNING, IsReal, IsTraining
from api.choosing import choice_of, county_of
from api.routes import WRITES
from domain.commands.appointing import IdNumberNeeded
from domain.commands.engaging import EngageOfficer
from domain.commands.officers import AppointOfficer, RegisterOfficer
from domain.commands.seasons import OpenSeason
from domain.exercise import AS_THE_STORE
from domain.officer import Officer
from domain.posts import Post
from domain.rulebook import RulesUnconfirmed
from domain.rules.base import china_day
from domain.season import Season
from domain.situation_report import SituationReport
from domain.store import Store as Ledger
from domain.world import Role
from eventstore.backup import backup, restore
from eventstore.copying import Place, copy
from eventstore.outcomes import Refused
from streams.keeping import advance_clock
from tests.api.beginnings import ADMIN, REGISTER, Own, own_store
from web.app import mount_pages

COUNTY, VILLAGE = "340882", "340882101002"
PASSWORD = "correct horse battery"


@pytest.fixture(scope="module")
def school(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Own]:
    """The training store of 潜山, with that region's examples of rules."""
    with own_store(tmp_path_factory.mktemp("training") / "own") as own:
        begin(own, training=True)
        yield own


def begin(own: Own, *, training: bool) -> None:
    county = county_of(REGISTER, COUNTY)
    choice = choice_of(REGISTER, county, [county], training=training)
    own.beginning.run(choice, ADMIN, regional="qianshan")


def engage(own: Own, role: Role, code: str, login: str) -> UUID:
    """Somebody new in that post, of whom no ID number is known."""
    engaged = EngageOfficer(
        person=uuid4(),
        id=uuid4(),
        full_name="李四",
        login=login,
        role=role,
        area=own.area(code),
        post=Post.A if role is Role.VILLAGE_REPORTER else Post.NONE,
    )
    officer: str = own.run(engaged, own.beginning.officer).result["officer"]
    own.system.accounts.set_password(login, UUID(str(officer)), PASSWORD)
    return UUID(str(officer))


@contextmanager
def at_desk(own: Own, login: str) -> Iterator[TestClient]:
    with TestClient(create_app(own.system, mount=mount_pages)) as client:
        answer = client.post("/v1/sessions", json={"login": login, "password": PASSWORD})
        client.headers["X-CSRF-Token"] = answer.json()["csrf"]
        yield client


def filed(own: Own, client: TestClient, **more: Any) -> Any:
    at = (own.system.store.clock.now() - timedelta(minutes=20)).isoformat()
    body = {
        "report": str(uuid4()),
        "area": str(own.area(VILLAGE)),
        "occurred_at": at,
        "as_of": at,
        "hazard": "flood",
        "figures": {"affected": 12, "dead": 1},
        **more,
    }
    headers = {"Idempotency-Key": str(uuid4())}
    return client.post("/v1/situation-reports", json=body, headers=headers)


def test_what_is_done_there_is_an_exercise_and_the_boards_show_it(school: Own) -> None:
    engage(school, Role.VILLAGE_REPORTER, VILLAGE, "village")
    engage(school, Role.TOWNSHIP_REVIEWER, VILLAGE[:9], "township")
    with at_desk(school, "village") as client:
        answer = filed(school, client)
        assert answer.status_code == 200, answer.text
        report = school.system.store.load(UUID(answer.json()["result"]["report"]))
        assert isinstance(report, SituationReport) and report.exercise is True
        refused = filed(school, client, exercise=False)
        assert refused.status_code == 409 and "演练账本" in refused.json()["zh"], refused.text
        assert refused.json()["type"].endswith("training-only")
        assert filed(school, client, exercise=True).status_code == 200
        assert school.system.boards.wait_for(school.system.store.head(), 20)
        ready = client.get("/ready").json()
        assert (ready["status"], ready["exercise"]) == ("ready", True)
        reports = client.get("/v1/situation-reports").json()["items"]
        assert len(reports) == 2 and all(one["exercise"] for one in reports)
        real = client.get("/v1/situation-reports", params={"exercise": False}).json()
        assert real["items"] == []
    with at_desk(school, "township") as client:
        assert len(client.get("/v1/reviews").json()["items"]) == 2
        page = client.get("/review").text
        assert page.count('href="/report/') >= 2
        assert "演练账本：一切均非真实灾情" in page and 'href="/review?exercise' not in page
        twins = client.get("/v1/findings", params={"kind": "likely_same"}).json()["items"]
        counts = client.get("/v1/finding-counts").json()["counts"]
        assert len(twins) == counts["likely_same"] > 0, "findings are about exercises here"
        form = client.get("/report/new").text
        assert 'name="exercise"' not in form, "there is nothing to choose"
        table = client.get("/v1/findings", headers={"Accept": "text/csv"})
        lines = table.text.lstrip("\ufeff").splitlines()
        assert len(lines) > 1 and all(line.startswith("演练,") for line in lines), lines
        book = load_workbook(io.BytesIO(client.get("/sheets/findings?form=xlsx").content)).active
        assert [row[0] for row in book.values] == ["演练"] * len(lines)
    accounts = school.system.accounts
    reviewer = accounts.officer_of("township")
    accounts.set_password(ADMIN.login, school.beginning.officer, PASSWORD)
    with at_desk(school, ADMIN.login) as client:
        waits = client.get(f"/officers/{reviewer}").text.split("data-handed>")[1]
        assert "2 灾情待审核" in waits.split("</ul>")[0], (
            "what waits for the post is counted here too"
        )


def test_rules_that_nobody_confirmed_work_there_and_officers_need_no_number(school: Own) -> None:
    approver = engage(school, Role.COUNTY_APPROVER, COUNTY, "approver")
    payer = uuid4()
    area, admin = school.area(COUNTY), school.beginning.officer
    school.run(RegisterOfficer(person=payer, full_name="王五", area=area), admin)
    appointed = AppointOfficer(
        id=uuid4(),
        officer=Officer.id_of(payer),
        role=Role.COUNTY_PAYER,
        area=area,
        starts_on=china_day(school.system.store.clock.now()),
    )
    school.run(appointed, admin)
    opened = OpenSeason(area=school.area(COUNTY), programme="winter_spring", year=2025)
    season = school.system.store.load(UUID(str(school.run(opened, approver).result["season"])))
    assert isinstance(season, Season)
    assert season.exercise is True and season.standards.unconfirmed is True


def test_a_real_store_asks_for_both_and_is_never_for_training(tmp_path: Path) -> None:
    with own_store(tmp_path / "own") as own:
        begin(own, training=False)
        before = own.system.store.head()
        with pytest.raises(IsReal):
            begin(own, training=True)
        assert own.system.store.head() == before and own.system.store.training is False
        with pytest.raises(Refused) as refused:
            engage(own, Role.COUNTY_APPROVER, COUNTY, "approver")
        assert refused.value.problem.code == IdNumberNeeded.code()
        approver = own.officer(Role.COUNTY_APPROVER, COUNTY)
        opened = OpenSeason(area=own.area(COUNTY), programme="winter_spring", year=2025)
        with pytest.raises(Refused) as refused:
            own.run(opened, approver)
        assert refused.value.problem.code == RulesUnconfirmed.code()


def test_a_training_store_stays_one_through_a_backup(school: Own, tmp_path: Path) -> None:
    store = school.system.store
    with pytest.raises(IsTraining):
        begin(school, training=False)
    fact = store.load(Ledger.id_of(store.log.mark("born") or ""))
    assert fact.exercise is True and fact.simulated is True
    assert abs(store.clock.now() - store.real.now()) < timedelta(minutes=1), "1× from birth"
    backup(store.vault.key_file.parent, tmp_path / "backup")
    restore(tmp_path / "backup", tmp_path / "again")
    with own_store(tmp_path / "again") as again:
        assert again.system.store.training is True and again.system.store.simulated is True
        with pytest.raises(IsTraining):
            begin(again, training=False)
    copy(Place.folder(tmp_path / "again"), Place.folder(tmp_path / "copied"))
    with own_store(tmp_path / "copied") as copied:
        assert copied.system.store.training is True and copied.system.store.simulated is True


def test_a_run_that_was_killed_before_its_first_fact_goes_on_for_training(tmp_path: Path) -> None:
    county = county_of(REGISTER, COUNTY)
    choice = choice_of(REGISTER, county, [county], training=True)
    with own_store(tmp_path / "own") as own:
        log = own.system.store.log
        log.set_mark(BEGINNING, msgspec.json.encode(choice).decode(), keep=True)
        begin(own, training=True)
        assert own.system.store.training is True and own.system.store.simulated is True


def test_every_command_that_marks_its_facts_is_as_the_store_unless_it_says_so() -> None:
    kinds = {write.command for write in WRITES}
    marking = [fields for kind in kinds if "exercise" in (fields := kind.__dataclass_fields__)]  # type: ignore[attr-defined]
    assert len(marking) >= 12
    assert all(fields["exercise"].default is AS_THE_STORE for fields in marking)


def test_a_clock_that_was_advanced_is_told_on_every_page(school: Own) -> None:
    by = timedelta(days=7, hours=3)
    advance_clock(school.system.store, by=by, rate=1, operator="li")
    with at_desk(school, "village") as client:
        for path in ("/", "/report/new", "/me"):
            page = client.get(path).text
            assert "模拟时钟：" in page and "，比实际时间快 7 天 3 小时</strong>" in page, path
        english = client.get("/?lang=en").text
        assert ", 7 days 3 hours ahead of real time</strong>" in english
        stranger = TestClient(create_app(school.system, mount=mount_pages)).get("/login").text
        assert "比实际时间快 7 天 3 小时" in stranger
