"""The page of the system: what is wrong appears there and at home, and goes when it is mended."""

import re
import stat
from collections.abc import Iterator
from dataclasses import fields
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec
import pytest
from fastapi.testclient import TestClient

from api.backing_up import _alone
from api.checkup import Finding
from api.limits import EdgeLimits
from api.watched import WATCH
from cli import doctor, doctor_cluster, examining
from cli.audit_watch import look
from cli.bounded import HttpLimits
from cli.compose import NO_LIMITS, limits_of
from cli.doctor_ledger import LEDGER
from cli.examining import looks_of
from cli.settings import Settings
from domain.commands.logins import EndOfficerSessions
from domain.commands.seasons import OpenSeason
from eventstore import backup as files
from eventstore.backups_known import BACKED_UP, TRIED, Made, Tried, last_backup, note
from eventstore.clock import machine_now
from eventstore.limits_reached import limit_reached
from eventstore.lineage import disown_row
from eventstore.sql import begun
from eventstore.vault_tables import SCHEMA
from projections.catalog import VIEWS
from projections.folding.parking import park
from tests.eventstore.test_seals import PUT, owner_of
from tests.eventstore.test_trust import next_of
from tests.projections.folding import unread
from tests.web.desk import LivingCounty, living_county
from tests.web.officer_forms import ask, enter, token_in
from web.i18n import read_messages
from web.paging import ROWS

OTHERS = (
    "/system/backups",
    "/system/process",
    "/system/limits",
    "/v1/system",
    "/v1/system/backups",
    "/v1/system/limits",
    "/system/sessions",
    "/v1/system/sessions",
)
ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("system")


@pytest.fixture(scope="module")
def county(folder: Path) -> Iterator[LivingCounty]:
    with living_county(folder, checkup_seconds=0.001) as made:
        yield made


@pytest.fixture
def browser(county: LivingCounty) -> Iterator[TestClient]:
    with TestClient(county.app(), base_url="http://test", follow_redirects=False) as client:
        yield client


def looked_at(county: LivingCounty, browser: TestClient) -> str:
    """The page after another look, in Chinese."""
    form = {"csrf_token": token_in(ask(browser, "/system"))}
    assert county.system.checkup.wait(30)  # else one that goes on would be joined
    assert browser.post("/system/checkups", data=form).headers["location"] == "/system"
    assert county.system.checkup.wait(30)
    return ask(browser, "/system")


def state(browser: TestClient) -> dict[str, Any]:
    answer = browser.get("/v1/system/checkup")
    assert answer.status_code == 200
    return {one["name"]: one for one in answer.json()["findings"]}


def state_anew(county: LivingCounty, browser: TestClient) -> dict[str, Any]:
    looked_at(county, browser)
    return state(browser)


def test_what_is_wrong_appears_and_goes_when_it_is_mended(
    county: LivingCounty, browser: TestClient, folder: Path
) -> None:
    enter(browser, "admin")
    assert "项系统问题须处理" not in ask(browser, "/")
    (folder / "vault.key").chmod(0o644)
    row = county.system.store.log.rows(0, 1)[0]
    views = county.system.views
    with views.lock, begun(views.db):
        park(views.db, [("stock", unread(row), "KeyError: 'x'")])
    page = looked_at(county, browser)
    assert page.index("chmod 600") < page.index("搁置 1 条") < page.index("没有本机备份的记录")
    assert "请从保管处取回密钥文件" in page
    assert '<span class="count">3</span> 项系统问题须处理' in ask(browser, "/")
    assert {name for name, one in state(browser).items() if one["level"] == "fail"} == {
        "key",
        "modes",
        "parked",
    }
    english = ask(browser, "/system", lang="en")
    assert "1 fact is parked" in english and "Act" in english
    ask(browser, "/system", lang="zh")
    (folder / "vault.key").chmod(0o600)
    with views.lock, begun(views.db):
        views.db.execute("DELETE FROM parked")
    page = looked_at(county, browser)
    assert "chmod 600" not in page and "搁置 1 条" not in page
    assert "项系统问题须处理" not in ask(browser, "/")
    assert not ID.search(page.partition("<main")[2])
    told = browser.get("/v1/system/checkup").json()
    assert told["only_by_doctor"] == ["databases", "counts", "erasures", "free-texts"]
    assert told["checked_at"] and not told["running"]


def test_the_page_asks_again_while_somebody_looks(
    county: LivingCounty, browser: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And who asks for another look meanwhile joins the one that goes on."""
    enter(browser, "admin")
    seen: list[str] = []

    def slow(_: Settings) -> Iterator[Finding]:
        seen.append(ask(browser, "/system/checkup"))
        seen.append(msgspec.json.encode(browser.get("/v1/system/checkup").json()).decode())
        form = {"csrf_token": token_in(ask(browser, "/system"))}
        seen.append(str(browser.post("/system/checkups", data=form).status_code))
        yield Finding("disk", True, "好", "fine")

    monkeypatch.setattr(examining, "OUTSIDE", (("disk", slow),))
    assert county.system.checkup.begin() and county.system.checkup.wait(30)
    assert 'hx-get="/system/checkup"' in seen[0] and 'aria-label="正在检查"' in seen[0]
    assert '"running":true' in seen[1] and seen[2] == "303"
    assert "hx-get" not in ask(browser, "/system/checkup")


def backed_up(county: LivingCounty, browser: TestClient) -> str:
    """The page after a backup that the server made on demand."""
    form = {"csrf_token": token_in(ask(browser, "/system"))}
    assert browser.post("/system/backups", data=form).headers["location"] == "/system#backups"
    assert county.system.backups.errand.wait(60)
    return ask(browser, "/system")


def test_a_backup_is_made_by_a_button_and_can_be_put_back(
    county: LivingCounty, browser: TestClient, folder: Path, tmp_path: Path
) -> None:
    enter(browser, "admin")
    assert "没有备份的记录" in ask(browser, "/system")
    assert state_anew(county, browser)["backup"]["level"] != "ok"
    assert "没有本机备份的记录" in ask(browser, "/system")
    (folder / "backups" / "2001-01-01-000000.unfinished").mkdir(parents=True)
    page = backed_up(county, browser)
    (made,) = (folder / "backups").iterdir()
    assert made.name in page and "没有备份的记录" not in page and str(folder) not in page
    assert county.system.checkup.wait(30)
    assert "没有本机备份的记录" not in ask(browser, "/system"), (
        "looked again, for the page said both"
    )
    told = browser.get("/v1/system/backups").json()
    assert (
        told["last"]["head"]
        == county.system.store.head()
        == files.restore(made, tmp_path / "again").head
    )
    assert told["last"]["bytes"] == sum(one.stat().st_size for one in made.iterdir())
    assert not told["too_old"] and told["kept"] == 1 and not told["running"]
    assert state_anew(county, browser)["backup"]["level"] == "ok"
    note(folder, BACKED_UP, Made(machine_now() - timedelta(days=8), 3, 5, "old"))
    assert state_anew(county, browser)["backup"]["level"] == "fail"
    assert "已超过 7 天" in ask(browser, "/system")
    backed_up(county, browser)
    assert state_anew(county, browser)["backup"]["level"] == "ok"
    assert "已超过 7 天" not in ask(browser, "/system")
    note(folder, TRIED, Tried(machine_now(), False, 9, "some"))
    assert "不能恢复" in ask(browser, "/system")


def test_a_backup_that_finds_no_room_leaves_nothing_and_says_so(
    county: LivingCounty, browser: TestClient, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    enter(browser, "admin")
    before = sorted((folder / "backups").iterdir()) if (folder / "backups").exists() else []
    monkeypatch.setattr(county.system.backups, "_left", 10**18)
    assert "磁盘空间不够再放一份备份" in backed_up(county, browser)
    assert sorted((folder / "backups").iterdir()) == before
    monkeypatch.setattr(county.system.backups, "_left", 0)
    with _alone(folder / "backups"):
        assert "另一个进程正在备份" in backed_up(county, browser)


def test_a_folder_that_others_use_stays_as_it_is(
    folder: Path, county: LivingCounty, browser: TestClient, tmp_path: Path
) -> None:
    """RELIEF_BACKUPS may name a disk on which somebody keeps what is theirs."""
    theirs = tmp_path / "thesis.unfinished"
    theirs.mkdir()
    (tmp_path / "theirs.sqlite").touch()
    (tmp_path / "theirs.sqlite").chmod(0o644)
    tmp_path.chmod(0o755)
    before, county.system.backups.into = county.system.backups.into, tmp_path
    try:
        enter(browser, "admin")
        backed_up(county, browser)
    finally:
        county.system.backups.into = before
    assert theirs.is_dir() and stat.S_IMODE(tmp_path.stat().st_mode) == 0o755
    assert stat.S_IMODE((tmp_path / "theirs.sqlite").stat().st_mode) == 0o644
    (made,) = tmp_path.glob("20*")
    assert stat.S_IMODE(made.stat().st_mode) == 0o700
    assert {stat.S_IMODE(one.stat().st_mode) for one in made.iterdir()} == {0o600}


def test_a_folder_that_cannot_be_used_is_told_and_the_page_stays(
    county: LivingCounty, browser: TestClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "backups"
    file.touch()
    monkeypatch.setattr(county.system.backups, "into", file)
    enter(browser, "admin")
    assert "无法使用存放备份的文件夹" in backed_up(county, browser)

    def closed(_: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(county.system.backups, "into", tmp_path)
    with monkeypatch.context() as made:
        made.setattr(Path, "iterdir", closed)
        assert browser.get("/system").status_code == 200


def test_where_the_server_makes_none_it_says_by_what_means(
    county: LivingCounty, browser: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(county.system.backups, "into", None)
    enter(browser, "admin")
    page = ask(browser, "/system")
    assert "立即备份" not in page and "本账在 PostgreSQL 上" in page
    csrf = {"csrf_token": token_in(page)}
    assert browser.post("/system/backups", data=csrf).status_code == 409


def test_a_note_in_the_log_is_known_where_there_is_no_file(
    county: LivingCounty, tmp_path: Path
) -> None:
    """On PostgreSQL: whoever made the backup has another data folder than the server."""
    log = county.system.store.log
    made = Made(machine_now(), 3, 5, "elsewhere")
    assert last_backup(tmp_path, log) is None
    note(tmp_path / "none", BACKED_UP, made, log)
    assert last_backup(tmp_path, log) == made


@pytest.mark.parametrize("login", ["county", "auditor", "dispatcher", "city"])
def test_nobody_else_sees_it(browser: TestClient, county: LivingCounty, login: str) -> None:
    enter(browser, login)
    before = county.system.checkup.standing
    assert 'href="/system"' not in ask(browser, "/")
    for path in ("/system", "/system/checkup", "/v1/system/checkup", *OTHERS):
        assert browser.get(path).status_code == 403, path
    csrf = token_in(browser.get("/me").text)
    assert browser.post("/system/checkups", data={"csrf_token": csrf}).status_code == 403
    assert browser.post("/system/backups", data={"csrf_token": csrf}).status_code == 403
    for path in ("/v1/system/checkups", "/v1/system/backups"):
        assert browser.post(path, headers={"X-CSRF-Token": csrf}).status_code == 403
    assert county.system.checkup.standing is before


def test_a_look_too_soon_is_refused_with_when_to_come_again(
    county: LivingCounty, browser: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    enter(browser, "admin")
    page = looked_at(county, browser)
    monkeypatch.setattr(county.system.checkup, "_least", 1000.0)
    answer = browser.post("/system/checkups", data={"csrf_token": token_in(page)})
    assert answer.status_code == 429 and "刚刚做过一次" in answer.text
    asked = browser.post("/v1/system/checkups", headers={"X-CSRF-Token": token_in(page)})
    assert asked.status_code == 429 and int(asked.headers["Retry-After"]) > 900


def test_each_limit_is_told_in_words_with_its_setting_and_whether_it_was_reached(
    county: LivingCounty, browser: TestClient
) -> None:
    enter(browser, "admin")
    assert "次，最近" not in ask(browser, "/system/limits")
    limit_reached("searches_a_minute")  # of a flood the last seconds are not written at once
    page = ask(browser, "/system/limits")
    first = page.partition('id="limit-')[2]
    assert first.startswith("searches_a_minute") and "1 次，最近" in first[:900]
    assert "RELIEF_SEARCHES_A_MINUTE" in first[:900] and "灾害信息员 2,000" in page
    assert "64.0 MiB" in page and "7 天" in page and "4 KiB/s" in page
    told = {one["name"]: one for one in browser.get("/v1/system/limits").json()["items"]}
    assert told["searches_a_minute"]["reached"] == 1 and told["rows"]["last_at"] is None
    assert told["rows"]["value"] == Settings().rows
    kept = {one.name for kind in (EdgeLimits, HttpLimits) for one in fields(kind)} - NO_LIMITS
    assert kept <= told.keys() == limits_of(Settings()).keys()
    assert {f"limit.{name}" for name in told} <= read_messages().keys()


def test_what_runs_here_is_told_with_each_views_lag_and_what_is_parked(
    county: LivingCounty, browser: TestClient, folder: Path
) -> None:
    enter(browser, "admin")
    store, views = county.system.store, county.system.views
    row = store.log.rows(0, 1)[0]
    with views.lock, begun(views.db):
        park(views.db, [("ledger", unread(row), "KeyError: 'x'")])
    told = browser.get("/v1/system").json()
    assert told["log"]["head"] == store.head() and told["store"] == "sqlite"
    assert told["log"]["bytes"] >= (folder / "log.sqlite").stat().st_size > 0
    assert told["schemas"] == {"log": 2, "vault": SCHEMA} and told["clock"]["state"] == "fine"
    assert told["version"] and told["disk_left_bytes"] > 0
    of = {one["name"]: one for one in told["views"]}
    assert list(of) == [view.name for view in VIEWS]
    assert {(one["position"], one["lag"]) for one in of.values()} == {(store.head(), 0)}
    assert of["ledger"]["parked"] == 1 and of["ledger"]["parked_since"]
    page = ask(browser, "/system/process")
    assert "1 条，最早自" in page and "时钟正常" in page and str(folder) not in page
    assert "救助台账" in ask(browser, "/system/process", lang="zh")
    assert "the first since" in ask(browser, "/system/process", lang="en")
    ask(browser, "/", lang="zh")
    with views.lock, begun(views.db):
        views.db.execute("DELETE FROM parked")
    assert "最早自" not in ask(browser, "/system/process")
    assert {f"system.view_{view.name}" for view in VIEWS} <= read_messages().keys()


def test_who_is_logged_in_is_listed_of_ones_own_areas_page_by_page(
    county: LivingCounty, browser: TestClient
) -> None:
    accounts = county.system.accounts
    for login in ("village", "foreign_village"):
        accounts.begin(county.officers[login], login, agent="手机")
    accounts.begin(county.officers["dispatcher"], "dispatcher", "half")
    enter(browser, "admin")
    told = browser.get("/v1/system/sessions", params={"limit": 200}).json()
    assert {"village", "admin"} <= {one["login"] for one in told["items"]}
    assert "foreign_village" not in {one["login"] for one in told["items"]}
    assert told["total"] == len(told["items"]) and told["next"] is None
    assert told["officers"] == len({one["officer"] for one in told["items"]})
    begun = [one["begun"] for one in told["items"]]
    assert begun == sorted(begun, reverse=True)
    first = browser.get("/v1/system/sessions", params={"limit": 1}).json()
    second = browser.get("/v1/system/sessions", params={"limit": 1, "skip": first["next"]}).json()
    assert [*first["items"], *second["items"]] == told["items"][:2]
    for _ in range(ROWS):
        accounts.begin(county.officers["village"], "village", "token")
    page = ask(browser, "/system/sessions", lang="zh")
    assert f"{told['total'] + ROWS} 处登录" in page and page.count("data-row>") == ROWS
    assert f'href="/system/sessions?skip={ROWS}"' in page
    rest = ask(browser, "/system/sessions", skip=ROWS)
    assert "手机" in rest and 'rel="prev"' in rest
    command = EndOfficerSessions(officer=county.officers["village"], reason="手机丢失")
    county.run(command, by="admin")
    assert "手机" not in ask(browser, "/system/sessions", skip=0)


def test_seasons_are_listed_with_who_opened_them_and_by_which_rules(
    county: LivingCounty, browser: TestClient
) -> None:
    enter(browser, "admin")
    assert "还没有开启救助年度" in ask(browser, "/system/seasons")
    opening = OpenSeason(area=county.id("county"), programme="winter_spring", year=2025)
    county.run(opening, by="county")
    page = ask(browser, "/system/seasons")
    assert "2025 冬春" in page and "进行中" in page and "张" in page
    assert 'href="/ledger?season=' not in page, "an administrator has no business right"
    (told,) = browser.get("/v1/season-openings").json()["items"]
    assert told["opened_by"] == str(county.officers["county"]) and not told["unconfirmed"]
    assert told["standards_document_no"] in page
    enter(browser, "auditor")
    assert 'href="/ledger?season=' in ask(browser, "/system/seasons")
    enter(browser, "dispatcher")
    assert browser.get("/system/seasons").status_code == 403


def test_each_check_has_a_name_and_says_what_to_do() -> None:
    """Of both ways to run: the page of a cluster must not fail on a name that has no words."""
    said = {key.removeprefix("system.") for key in read_messages() if key.startswith("system.")}
    names = {name for name, _ in (*doctor.OUTSIDE, *doctor.INSIDE, *doctor.LAST, *LEDGER)}
    names |= {name for name, _ in doctor_cluster.CHECKS}
    sources = (Path(doctor.__file__).parent / f"{one}.py" for one in SOURCES)
    found = re.compile(r'Finding\(\s*"([a-z-]+)"')
    yielded = {name for file in sources for name in found.findall(file.read_text("utf-8"))}
    keys = {name.replace("-", "_") for name in names | yielded}
    assert {f"of_{key}" for key in keys} - said == set()
    left = {name.replace("-", "_") for name in examining.WHOLE}
    assert {f"advice_{key}" for key in keys - left} - said == set()


SOURCES = ("doctor", "doctor_cluster", "doctor_ledger", "doctor_topics", "budget")


def test_a_server_leaves_what_reads_the_whole_log_to_the_command(folder: Path) -> None:
    files, cluster = (
        looks_of(Settings(data=folder)),
        looks_of(Settings(data=folder, database_url="postgresql://nowhere/relief")),
    )
    assert {"files", "key", "views", "backup"} <= {name for name, _ in files.checks}
    assert {"log", "vault", "topics", "backup"} <= {name for name, _ in cluster.checks}
    for looks in (files, cluster):
        assert not {name for name, _ in looks.checks} & examining.WHOLE
        assert {"counts", "erasures", "free-texts"} <= set(looks.left_out)


def test_a_record_that_was_disowned_stays_told_and_raises_no_alarm(
    county: LivingCounty, browser: TestClient
) -> None:
    system = county.system
    store, data = system.store, system.house.data
    (*_, like) = store.log.rows(0, 10_000)
    row = next_of(store, uuid4(), like)
    owner_of(data)(PUT, *row)
    assert look(store, data / WATCH) is not None
    enter(browser, "admin")
    assert f"第 {row[0]} 条，" in ask(browser, "/system"), "on every page"

    store.trust.look(store.head())
    forged = store.trust.disownable(row[0])
    assert forged is not None
    disown_row(store, forged, "审计局核对时发现，查无此事", "keeper")
    assert look(store, data / WATCH) is None
    page = ask(browser, "/system")
    assert f"第 {row[0]} 条，" not in page and "不计入的记录（1 条）" in page
    assert f"第 {row[0]} 条不是程序写入的，keeper 于" in page
    english = ask(browser, "/system", lang="en")
    assert "1 record disowned" in english and f"Record {row[0]} was put in by hand." in english
    (told,) = browser.get("/v1/system").json()["watched"]["disowned"]
    assert told["position"] == row[0] and told["operator"] == "keeper"
    enter(browser, "auditor")
    assert "不计入的记录（1 条）" in ask(browser, "/", lang="zh")
