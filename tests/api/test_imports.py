"""Household lists over HTTP: sent, checked, confirmed, written by a job that can be broken off."""

import io
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
import python_calamine
from fastapi.testclient import TestClient

from domain.household import Household
from tests.id_numbers import id_number
from tests.intake.make import HEADER, household, workbook
from tests.web.desk import PASSWORD, LivingCounty, living_county

ROWS = 100


@pytest.fixture(scope="module")
def county(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LivingCounty]:
    with living_county(
        tmp_path_factory.mktemp("imports"), import_bytes=100_000, import_rows=ROWS
    ) as made:
        yield made


@pytest.fixture(scope="module")
def app(county: LivingCounty) -> Iterator[TestClient]:
    with TestClient(county.app(), base_url="http://test") as client:
        yield client


class Desk:
    """One officer with a token."""

    def __init__(self, app: TestClient, name: str) -> None:
        self._app = app
        asked = {"login": name, "password": PASSWORD}
        token = app.post("/v1/tokens", json=asked).json()["token"]
        self._headers = {"Authorization": f"Bearer {token}"}

    def get(self, path: str) -> Any:
        return self._app.get(path, headers=self._headers)

    def post(self, path: str, **given: Any) -> Any:
        key = given.pop("key", None) or uuid4()
        headers = {**self._headers, "Idempotency-Key": str(key)}
        return self._app.post(path, headers=headers, **given)

    def send(self, file: bytes, area: UUID, name: str = "名单.xlsx", **more: Any) -> Any:
        key = more.pop("key", None)
        data = {"area": str(area), **more}
        return self.post("/v1/imports", data=data, files={"file": (name, file)}, key=key)

    def until(self, id: str, *states: str) -> Any:
        over = time.monotonic() + 30
        while time.monotonic() < over:
            job = self.get(f"/v1/imports/{id}").json()
            if job["state"] in states:
                return job
            time.sleep(0.05)
        raise AssertionError(job)

    def checked(self, file: bytes, area: UUID, **more: Any) -> Any:
        sent = self.send(file, area, **more)
        assert sent.status_code == 202, sent.text
        return self.until(sent.json()["id"], "checked", "failed")

    def confirmed(self, id: str) -> Any:
        answer = self.post(f"/v1/imports/{id}/confirmations")
        assert answer.status_code == 202, answer.text
        return self.until(id, "done", "failed")


def row(number: int, village: str = "源潭居委会", **changed: Any) -> list[Any]:
    made = household(number, **changed)
    made[1] = village
    made[5] = f"154{number:08}"
    made[6] = f"99990012345{number:05}"
    return made


def content(path: Path, *rows: list[Any]) -> bytes:
    return workbook(path / "list.xlsx", [HEADER, *rows]).read_bytes()


def listed(rows: int, more: int = 0) -> bytes:
    """A CSV of so many bad rows, and columns besides."""
    return ("户主姓名,户主身份证号,家庭人口" + ",x" * more + "\n" + "张三,,1\n" * rows).encode()


def cells(xlsx: bytes) -> list[list[Any]]:
    book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(xlsx))
    return list(book.get_sheet_by_index(0).to_python())


def test_a_list_is_checked_confirmed_mended_and_sent_again(
    county: LivingCounty, app: TestClient, tmp_path: Path
) -> None:
    desk, area = Desk(app, "village"), county.id("yuantan_1")
    head = county.system.store.head()
    rows = [row(1), row(2), row(3, c3="340824199001019010"), row(4, c4="三四"), row(5)]
    job = desk.checked(content(tmp_path, *rows), area)
    found = job["checked"]
    assert (found["rows"], found["new"], found["refused_rows"]) == (5, 3, 2)
    assert {one["cell"] for one in job["faults"]} == {"D4", "E5"}
    assert "Sheet1!户主姓名（C）：户主姓名" in found["columns"]
    assert county.system.store.head() == head, "nothing is written before somebody confirms"

    done = desk.confirmed(job["id"])
    assert (done["done"]["new"], done["refused_rows"]) == (3, 2)
    assert done["progress"] == {"rows": 5, "of": 5}
    registered = [
        one.event
        for one in county.system.store.read(head, 1000)
        if isinstance(one.event, Household.Registered)
    ]
    assert len(registered) == 3
    assert {one.meta.actor for one in registered} == {county.officers["village"]}
    assert {one.meta.correlation for one in registered} == {UUID(job["id"])}

    refused = desk.get(f"/v1/imports/{job['id']}/refused-rows.xlsx")
    assert refused.headers["cache-control"] == "no-store"
    top, *wrong = cells(refused.content)
    assert top == [*HEADER, "未导入原因"] and [one[2] for one in wrong] == [rows[2][2], rows[3][2]]
    assert wrong[0][3] == "340824199001019010" and "身份证号有误" in wrong[0][-1]
    again = desk.checked(refused.content, area)
    assert (again["checked"]["rows"], again["checked"]["refused_rows"]) == (2, 2)
    assert desk.post(f"/v1/imports/{again['id']}/cancellations").json()["state"] == "cancelled"

    rows[2][3], rows[3][4] = id_number(903), 3
    rows[0][5] = "13900000000"
    mended = desk.checked(content(tmp_path, *rows), area)
    figures = mended["checked"]
    assert [figures[name] for name in ("new", "changed", "same", "refused_rows")] == [2, 1, 2, 0]
    (other,) = mended["differences"]
    was, now = "154******01", "139******00"
    assert (other["cell"], other["stored"], other["value"]) == ("F2", was, now)
    assert desk.confirmed(mended["id"])["done"]["new"] == 2
    assert desk.get(f"/v1/imports/{mended['id']}/refused-rows.xlsx").status_code == 404


def test_refused_rows_are_for_who_sent_or_confirmed_the_list(
    county: LivingCounty, app: TestClient, tmp_path: Path
) -> None:
    """Whoever else registers there would have read every ID number, and no fact would say so."""
    village = Desk(app, "village")
    file = content(tmp_path, row(31), row(32, c3="340824199001019010"))
    path = f"/v1/imports/{village.checked(file, county.id('yuantan_1'))['id']}"
    township = Desk(app, "township")
    assert township.get(path).json()["refused_rows"] == 1
    answer = township.get(f"{path}/refused-rows.xlsx")
    assert answer.status_code == 403
    assert answer.json()["type"].endswith("refused-rows-of-others")
    assert village.get(f"{path}/refused-rows.xlsx").status_code == 200
    township.confirmed(path.rpartition("/")[2])
    for name, status in (("village", 200), ("township", 200), ("county", 403)):
        assert Desk(app, name).get(f"{path}/refused-rows.xlsx").status_code == status


def test_who_may_see_and_decide(county: LivingCounty, app: TestClient, tmp_path: Path) -> None:
    village, area = Desk(app, "village"), county.id("yuantan_1")
    file = content(tmp_path, row(11))
    job = village.checked(file, area)
    path = f"/v1/imports/{job['id']}"
    for name, status in (
        *(("village_b", 200), ("township", 200), ("county", 200)),
        *(("village2", 404), ("township2", 404), ("payer", 403), ("auditor", 403)),
    ):
        other = Desk(app, name)
        assert other.get(path).status_code == status, name
        listed = [one["id"] for one in other.get("/v1/imports").json().get("items", ())]
        assert (job["id"] in listed) == (status == 200), name
        if status != 200:
            assert other.get(f"{path}/refused-rows.xlsx").status_code == status
            assert other.post(f"{path}/confirmations").status_code == status
            assert other.post(f"{path}/cancellations").status_code == status
    assert village.get(f"/v1/imports/{uuid4()}").status_code == 404
    assert village.send(file, county.id("yuantan_2")).status_code == 404
    assert Desk(app, "payer").send(file, area).status_code == 403

    # what nobody has confirmed bars nobody, of the same village, above or below it
    for name, place in (("village_b", "yuantan_1"), ("township", "yuantan"), ("county", "county")):
        free = Desk(app, name).send(file, county.id(place))
        assert free.status_code == 202
        Desk(app, name).post(f"/v1/imports/{free.json()['id']}/cancellations")
    file = content(tmp_path, row(12, "双峰居委会"))
    other = Desk(app, "village2").send(file, county.id("yuantan_2"))
    assert other.status_code == 202
    Desk(app, "township").post(f"/v1/imports/{other.json()['id']}/cancellations")

    assert Desk(app, "county").post(f"{path}/cancellations").status_code == 202
    assert village.post(f"{path}/cancellations").json()["state"] == "cancelled"
    assert village.post(f"{path}/confirmations").status_code == 410
    assert village.get(f"{path}/refused-rows.xlsx").status_code == 410


def test_the_same_list_under_the_same_key_is_one_import(
    county: LivingCounty, app: TestClient, tmp_path: Path
) -> None:
    desk, area, key = Desk(app, "village3"), county.id("shuihou_1"), uuid4()
    file = content(tmp_path, row(21, "水吼村"))
    first = desk.send(file, area, key=key).json()["id"]
    assert desk.send(file, area, key=key).json()["id"] == first
    assert desk.send(b"x" + file, area, key=key).status_code == 409
    desk.until(first, "checked")
    for _ in range(2):
        assert desk.post(f"/v1/imports/{first}/confirmations").status_code == 202
    assert desk.until(first, "done")["done"]["new"] == 1
    assert desk.post(f"/v1/imports/{first}/confirmations").json()["state"] == "done"
    assert desk.post(f"/v1/imports/{first}/cancellations").status_code == 410


@pytest.mark.parametrize(
    ("name", "file", "rule"),
    [
        ("照片.png", b"\x89PNG\r\n", "file-type-unknown"),
        ("照片.xlsx", b"\x89PNG\r\n", "file-wrong-magic"),
        ("旧.xls", b"\xd0\xcf\x11\xe0", "file-old-or-encrypted"),
        ("空.csv", b"", "file-empty"),
        ("别的.csv", "甲,乙\n1,2\n".encode(), "list-missing"),
        ("多.csv", listed(ROWS + 40), "too-many-rows"),
        ("多.csv", listed(ROWS + 39), None),  # 40 lines of titles
        ("宽.csv", listed(1, 254), "too-many-columns"),
        ("宽.csv", listed(1, 253), None),
    ],
)
def test_a_wrong_file_says_what_to_do(
    county: LivingCounty, app: TestClient, name: str, file: bytes, rule: str | None
) -> None:
    desk = Desk(app, "village4")
    job = desk.checked(file, county.id("shuihou_2"), name=name)
    if rule is None:
        assert job["state"] == "checked"
        desk.post(f"/v1/imports/{job['id']}/cancellations")
        return
    assert (job["state"], job["why"]["rule"]) == ("failed", rule) and job["why"]["zh"]
    assert desk.post(f"/v1/imports/{job['id']}/confirmations").status_code == 410


def test_limits_of_bytes_and_of_lists_under_way(
    county: LivingCounty, app: TestClient, tmp_path: Path
) -> None:
    desk = Desk(app, "county")
    missing = desk.post("/v1/imports", data={"area": str(county.id("county"))})
    assert missing.status_code == 422
    assert desk.send(b"x", county.id("county"), category="没有").status_code == 422
    assert desk.send(b"x", county.id("county"), hidden_rows="no").status_code == 422
    assert desk.send(b"x" * 101_000, county.id("county")).status_code == 413
    places = ("shuihou_1", "shuihou_2", "yuantan_2", "yuantan_1")
    file = content(tmp_path, row(31))
    sent = [desk.send(file, county.id(place)) for place in places]
    assert [one.status_code for one in sent] == [202, 202, 202, 429]
    for one in sent[:3]:
        desk.post(f"/v1/imports/{one.json()['id']}/cancellations")
    last = desk.send(file, county.id("yuantan_1"))
    assert last.status_code == 202
    desk.post(f"/v1/imports/{last.json()['id']}/cancellations")


def test_nothing_of_a_list_lies_anywhere_in_plain_and_it_goes_after_a_day(
    county: LivingCounty, app: TestClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk, area = Desk(app, "village"), county.id("yuantan_1")
    number = "340824199001019010"
    job = desk.checked(content(tmp_path, row(41, c3=number)), area)
    data = county.system.house.data
    for file in (one for one in data.rglob("*") if one.is_file()):
        assert number.encode() not in file.read_bytes(), file
    importing = app.app.state.importing  # type: ignore[attr-defined]
    jobs = importing.jobs
    now = jobs.now()
    monkeypatch.setattr(jobs, "_clock", lambda: now + 24 * 3600 - 60)
    jobs.sweep()
    assert jobs.pieces(UUID(job["id"]), "file") is not None
    monkeypatch.setattr(jobs, "_clock", lambda: now + 24 * 3600 + 60)
    jobs.sweep()
    told = desk.get(f"/v1/imports/{job['id']}").json()
    assert (told["state"], told["why"]["rule"], told["faults"]) == ("failed", "import-too-late", [])
    assert desk.get(f"/v1/imports/{job['id']}/refused-rows.xlsx").status_code == 410
    with sqlite3.connect(data / "vault.sqlite") as vault:
        assert vault.execute("SELECT count(*) FROM import_parts").fetchone() == (0,)
    monkeypatch.setattr(jobs, "_clock", lambda: now + 31 * 24 * 3600)
    jobs.sweep()
    assert desk.get(f"/v1/imports/{job['id']}").status_code == 404
