"""Names and numbers in full: by a reason, to its officer, for fifteen minutes."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from uuid import UUID, uuid4

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from api.unsealing import HOLDS, RunningLooks, unsealed_household, unsealed_objection
from domain.commands.households import RevealHousehold
from domain.commands.incidents import OpenIncident
from domain.commands.revealing import RevealCaller, RevealObjection
from domain.household import Household
from domain.store import Hold, HoldCause
from eventstore.clock import SimulatedClock
from projections.households import HOUSEHOLDS
from projections.lists import OBJECTIONS
from tests.web.pressing import Desk
from tests.web.relief_desk import RunningDemo, running_demo


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDemo]:
    with running_demo(tmp_path_factory.mktemp("in-full")) as one:
        yield one


@pytest.fixture
def clock(demo: RunningDemo) -> SimulatedClock:
    found = demo.system.store.clock
    assert isinstance(found, SimulatedClock)
    return found


def household_of(demo: RunningDemo) -> tuple[UUID, str, str]:
    """A household, and the name and number of its head."""
    h = HOUSEHOLDS.c
    with demo.system.reader() as db:
        ids = db.execute(select(h.id).where(h.card_masked.is_not(None), h.size > 2)).scalars()
        for id in map(UUID, ids):
            texts = unsealed_household(demo.system.store, RevealHousehold(household=id, reason=""))
            head = texts["members"][0]
            if head["id_number"]:
                return id, head["name"], head["id_number"]
    raise AssertionError("the demo registers households with cards")


def test_names_are_open_after_a_reason_to_its_officer_alone_and_for_a_quarter_of_an_hour(
    server: TestClient, demo: RunningDemo, clock: SimulatedClock
) -> None:
    id, name, number = household_of(demo)
    address = f"/households/{id}/in-full"
    desk = Desk(server, "county-approver")
    page = desk.open(f"/households/{id}")
    assert name not in page.text and number not in page.text
    assert number not in desk.open(address).text, "without a reason it leads back"

    form = page.form(RevealHousehold, id)
    assert form.send().status_code == 422, "a reason is needed"
    assert "核对身份证号" in form.options("reason")
    form.press(reason="核对身份证号")
    answer = server.get(address)
    assert name in answer.text and number in answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    page = desk.open(f"/households/{id}")
    assert name not in page.text and address in page.links, "elsewhere they stay masked"

    for _ in range(3):
        desk.open(address)
    facts = [one.event for one in demo.system.store.history(id)]
    revealed = [one for one in facts if isinstance(one, Household.Revealed)]
    assert len(revealed) == 1, "one reason for the matter, however often it is looked at"
    assert demo.system.store.texts.opened({"reason": revealed[0].reason}) == {
        "reason": "核对身份证号"
    }

    other = Desk(server, "yuantan-reviewer-new")
    assert number not in other.open(address).text, "somebody else's reason is not theirs"

    desk = Desk(server, "county-approver")
    clock.move_to(clock.now() + HOLDS - timedelta(seconds=30))
    assert number in desk.open(address).text
    clock.move_to(clock.now() + timedelta(seconds=30))
    assert number not in desk.open(address).text
    assert address not in desk.open(f"/households/{id}").links


@dataclass
class Boot:
    """Seconds since a machine's start, set by the test."""

    seconds: float = 1_000.0

    def __call__(self) -> float:
        return self.seconds


def test_a_reason_ends_by_running_time_while_the_store_s_time_stands(
    server: TestClient, demo: RunningDemo, clock: SimulatedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While a clock was held the quarter of an hour went on for as long as that took."""
    id, _, number = household_of(demo)
    boot = Boot()
    monkeypatch.setattr(demo.system, "looks", RunningLooks(demo.system.store, boot))
    desk = Desk(server, "county-payer")
    desk.open(f"/households/{id}").form(RevealHousehold, id).press(reason="核对身份证号")
    address = f"/households/{id}/in-full"
    stands = clock.now()
    boot.seconds += HOLDS.total_seconds() - 30
    clock.move_to(stands)
    assert number in desk.open(address).text
    boot.seconds += 31
    assert number not in desk.open(address).text
    assert clock.now() - stands < HOLDS, "by the store's time it would still be open"


@dataclass
class Told:
    """What is asked of a store's clock: what time it is, and whether that is to be believed."""

    at: datetime
    held: Hold | None = None

    def now(self) -> datetime:
        return self.at


def test_a_reason_of_an_earlier_run_does_not_hold_while_the_clock_is_held() -> None:
    """A machine that started again goes on from the last good moment: the night is not counted."""
    at = datetime(2018, 7, 3, 6, tzinfo=UTC)
    hold = Hold(at, at, 0.0, "", HoldCause.BEHIND)
    held, sure = SimpleNamespace(clock=Told(at, hold)), SimpleNamespace(clock=Told(at))
    before, after = at - timedelta(minutes=1), at + timedelta(minutes=1)
    assert RunningLooks(held).left(7, before, at) == timedelta(0)  # type: ignore[arg-type]
    assert RunningLooks(held).left(7, after, after) > timedelta(0)  # type: ignore[arg-type]
    assert RunningLooks(sure).left(7, before, at) > timedelta(0)  # type: ignore[arg-type]


def test_one_may_say_why_in_one_s_own_words(server: TestClient, demo: RunningDemo) -> None:
    id, _, number = household_of(demo)
    desk = Desk(server, "auditor")
    form = desk.open(f"/households/{id}").form(RevealHousehold, id)
    form.press(reason="省厅抽查第三组，逐户核对")
    assert number in desk.open(f"/households/{id}/in-full").text


def test_who_may_not_look_is_shown_no_form_and_no_name(
    server: TestClient, demo: RunningDemo
) -> None:
    id, _, number = household_of(demo)
    desk = Desk(server, "city-reviewer")
    page = desk.open(f"/households/{id}")
    assert "RevealHousehold" not in page.offers()
    assert number not in desk.open(f"/households/{id}/in-full").text
    assert server.get(f"/households/{uuid4()}/in-full").status_code == 404
    taihu = Desk(server, "taihu-approver")
    assert taihu.server.get(f"/households/{id}/in-full").status_code == 404


def test_the_number_of_who_called_is_opened_from_the_incident(
    server: TestClient, demo: RunningDemo
) -> None:
    desk = Desk(server, "dispatcher")
    form = desk.open("/dispatch/new").form(OpenIncident)
    form.press(place="深山坳", kind="人员失联", severity="严重", reporter_phone="13955550123")
    found = [link for link in desk.open("/dispatch").links if "/dispatch/incidents/" in link]
    pages = [desk.open(link) for link in found]
    page = next(one for one in pages if "深山坳</h1>" in one.text)
    assert "13955550123" not in page.text
    page = page.form(RevealCaller).press(reason="回电核实险情")
    assert "13955550123" in page.text and page.address.endswith("/in-full")
    assert "13955550123" not in desk.open(page.address.removesuffix("/in-full")).text


def test_the_words_of_an_objection_are_opened_by_who_settles_it(
    server: TestClient, demo: RunningDemo
) -> None:
    with demo.system.reader() as db:
        row = db.execute(select(OBJECTIONS.c.village_list, OBJECTIONS.c.objection)).first()
    assert row is not None, "the demo has objections"
    ids = {"village_list": UUID(row[0]), "objection": UUID(row[1])}
    text = unsealed_objection(demo.system.store, RevealObjection(reason="", **ids))["text"]
    desk = Desk(server, "county-approver")
    address = f"/lists/{row[0]}/objections/{row[1]}/in-full"
    page = desk.open(f"/lists/{row[0]}")
    assert address in page.links and text not in page.text
    page = desk.open(address)
    assert text not in page.text
    page = page.form(RevealObjection).press(reason="办理这件异议")
    assert page.address == address and text in page.text
    assert server.get(f"/lists/{row[0]}/objections/{uuid4()}/in-full").status_code == 404
    village = Desk(server, "yuantan-shuangfeng-a")
    assert village.server.get(address).status_code == 404, "it may be against the village"
