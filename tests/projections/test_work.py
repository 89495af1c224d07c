"""Work lists of the store in which everything happens: counted to the last, placed by post."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Connection

from domain.area import AreaLevel
from domain.commands.grant_corrections import RetryPayment
from domain.commands.households import RecordCard, RemoveMember
from domain.commands.logins import InviteOfficer, RecordPassword
from domain.commands.officers import OpenAccount, SuspendOfficer
from domain.commands.payments import FailureInput, PayList
from domain.household_members import Relation
from domain.login_name import PasswordWay
from domain.world import Role
from projections.asking.scope import Scope
from projections.asking.work import MATTERS, Asked, Post, work_counts, work_items, work_page
from projections.asking.work_awaited import AFTERWARDS, work_awaited
from projections.folding.reader import ViewsReader
from tests.domain.ledger import (
    Ledger,
    confirming,
    contest,
    dying,
    family,
    member,
    objection,
    paying,
    settling,
)
from tests.everything import everything
from tests.id_numbers import id_number
from tests.projections.asking import Asking
from tests.projections.desks import MOST, POSTED, Desks, scope_of
from tests.projections.plans import explained


@pytest.fixture(scope="module")
def db() -> Iterator[Connection]:
    reader = ViewsReader(everything() / "views.sqlite")
    with reader() as found:
        yield found
    reader.close()


def everybody(db: Connection) -> list[Asked]:
    """The first officer of every role, three months after the last fact: much is late then."""
    asking = Asking(db)
    return [replace(one, at=asking.moments[-1]) for one in asking.workers]


def paged(db: Connection, asked: Asked, matter: str) -> list[dict[str, Any]]:
    """All that waits of a matter, by pages of two."""
    rows: list[dict[str, Any]] = []
    cursor: str | None = None
    while True:
        scope = scope_of(asked)
        found = work_page(db, scope, asked=asked, matter=matter, cursor=cursor, limit=2)
        rows += found.items
        cursor = found.next
        if cursor is None:
            return rows


def test_counts_are_those_of_all_rows_however_few_are_shown(db: Connection) -> None:
    seen: set[str] = set()
    for asked in everybody(db):
        for whole in (False, True):
            one = replace(asked, whole=whole)
            counts = work_counts(db, scope_of(one), asked=one)
            rows = work_items(db, scope_of(one), asked=one, each=MOST)
            by = {m: [row for row in rows if row["matter"] == m] for m in counts}
            assert {m: c["count"] for m, c in counts.items()} == {m: len(r) for m, r in by.items()}
            for matter, counted in counts.items():
                assert counted["overdue"] == sum(row["overdue"] for row in by[matter])
            if counts:
                matter = next(iter(counts))
                alone = paged(db, one, matter)
                assert [r["subject"] for r in alone] == [r["subject"] for r in by[matter]]
            first = work_items(db, scope_of(one), asked=one, each=1)
            assert sorted(row["matter"] for row in first) == sorted(counts)
            seen |= set(counts)
    assert {"report_review", "incident_assign", "consignment_order"} <= seen, seen
    assert len(seen) > 7, seen


def test_a_post_is_shown_only_what_its_role_may_send(db: Connection) -> None:
    for asked in everybody(db):
        one = replace(asked, whole=True)
        for row in work_items(db, scope_of(one), asked=one, each=MOST):
            role = one.posts[row["post"]].role
            assert role in MATTERS[row["matter"]].command.roles, (role, row["matter"])


def test_what_is_mine_is_part_of_what_my_area_may_do(db: Connection) -> None:
    for asked in everybody(db):
        mine = work_items(db, scope_of(asked), asked=asked, each=MOST)
        whole = replace(asked, whole=True)
        all_ = work_items(db, scope_of(whole), asked=whole, each=MOST)
        steps = {(row["matter"], row["subject"]) for row in all_}
        assert {(row["matter"], row["subject"]) for row in mine} <= steps


def test_graver_things_stand_first_then_what_is_overdue(db: Connection) -> None:
    for asked in everybody(db):
        rows = work_items(db, scope_of(asked), asked=asked, each=MOST)
        keys = [(row["rank"], -row["overdue"], row["due_at"] or "~") for row in rows]
        assert keys == sorted(keys)


def test_nobody_waits_for_what_is_their_own_to_do(db: Connection) -> None:
    seen: set[str] = set()
    for asked in everybody(db):
        counts, rows = work_awaited(db, scope_of(asked), asked=asked, each=MOST)
        assert sum(counts.values()) == len(rows)
        roles = {str(post.role) for post in asked.posts}
        for row in rows:
            own_report = row["matter"].startswith("report_")
            assert row["who_role"] not in roles or row["ready_at"] or own_report, row
        seen |= set(counts)
    assert "report_review" in seen, seen


def test_who_waits_for_a_list_stands_before_its_step() -> None:
    assert "review" not in AFTERWARDS[Role.TOWNSHIP_REVIEWER]
    assert "approve" not in AFTERWARDS[Role.COUNTY_APPROVER]


OTHERS = {"village_list_begin"}
"""What waits in the villages of the season beside the one that is walked."""
LIST_STEPS: dict[str, dict[str, set[str]]] = {
    "applied": {"village": {"village_list_appraise"}},
    "listed": {"village": {"village_list_post"}},
    "posted": {"township": {"village_list_review"}},
    "reviewed": {"county": {"village_list_approve"}},
    "approved": {"county": {"village_list_allocate"}},
    "allocated": {"village": {"village_list_post_second"}},
    "posted_again": {},
    "payable": {
        "payer": {"village_list_pay", "village_list_sign"},
        "storekeeper": {"village_list_sign"},
    },
    "paid": {"payer": {"village_list_sign"}, "storekeeper": {"village_list_sign"}},
    "signed": {"county": {"village_list_close"}},
    "closed": {},
}
"""Whose step a village's list is at each stage of a winter, first of all."""


class Walk(Desks):
    """A winter's list as far as a test asks."""

    def __init__(self, folder: Path) -> None:
        self.ledger = Ledger()
        super().__init__(folder, self.ledger.scenario)


def test_each_stage_of_a_list_waits_for_those_whose_step_it_is(tmp_path: Path) -> None:
    walk = Walk(tmp_path)
    for stage, waits in LIST_STEPS.items():
        getattr(walk.ledger, f"_{stage}")()
        walk.catch_up()
        found = {name: set(walk.work(name)) for name in POSTED if name != "village2"}
        assert {name: told for name, told in found.items() if told} == waits, stage
        if stage == "applied":
            told = set(walk.work("county", whole=True))
            assert told == OTHERS, "only the village appraises"
        if stage == "listed":
            assert set(walk.work("township", whole=True)) == {"village_list_post"} | OTHERS
        if stage == "posted":
            (told,) = walk.awaited("village")
            assert (told["who_role"], told["who_area"]) == ("township_reviewer", "源潭镇")
            assert told["ready_at"] is None, "the notice hung its days"
        if stage == "posted_again":
            (told,) = walk.awaited("payer")
            assert told["ready_at"] is not None, "the payer's own step, once the notice is over"


def test_what_an_absent_one_did_is_the_stand_ins_in_that_post_only(tmp_path: Path) -> None:
    """A township's reviewer who stood in for a reporter did not see the village's list to review,
    although the domain lets them."""
    walk = Walk(tmp_path)
    walk.ledger.until("posted")
    walk.catch_up()
    village, township = walk.asked("village"), walk.asked("township")

    def told(asked: Asked, *posts: Post) -> set[str]:
        scopes = tuple(Scope((post.area,)) for post in posts)
        one = replace(asked, posts=posts, scopes=scopes)
        with walk.folded.reading() as db:
            return set(work_counts(db, scope_of(one), asked=one))

    own, absent = township.posts[0], village.posts[0]
    assert told(township, own) == {"village_list_review"}
    standing_in = replace(absent, standing_for=village.officer)
    assert told(township, own, standing_in) == {"village_list_review"}
    as_reviewer = replace(own, standing_for=township.officer)
    assert told(village, absent, as_reviewer) == set(), "who drew it up does not review it"


def test_what_bounced_waits_to_be_paid_again_and_an_objection_to_be_settled(
    tmp_path: Path,
) -> None:
    walk = Walk(tmp_path)
    walk.ledger.until("posted")
    walk.ledger.scenario.given(objection(walk.ledger), by="village")
    walk.catch_up()
    assert set(walk.work("township")) == {"village_list_settle"}
    assert set(walk.work("county")) == set()
    assert set(walk.work("county", whole=True)) == {"village_list_settle"} | OTHERS
    walk.ledger.scenario.given(settling(walk.ledger), by="township")
    for stage in ("reviewed", "approved", "allocated", "posted_again", "payable"):
        getattr(walk.ledger, f"_{stage}")()
    failed = PayList(
        village_list=walk.ledger.list,
        document_no="支1号",
        failures=(FailureInput(case=walk.ledger.case("b"), reason="账号不存在"),),
    )
    walk.ledger.scenario.given(failed, by="payer")
    walk.catch_up()
    told = walk.work("payer")
    assert told["grant_retry"]["count"] == 1
    assert "village_list_pay" not in told and "village_list_close" not in walk.work("county")


def test_a_village_knows_of_what_bounced_and_waits_for_it_to_be_paid_again(tmp_path: Path) -> None:
    """Its home said nothing, though the right number of the card is known there alone."""
    walk = Walk(tmp_path)
    county = walk.ledger.until("payable").scenario
    county.given(paying(walk.ledger, "b"), by="payer").wait(minutes=5)
    walk.catch_up()
    assert walk.work("village")["household_bounced"]["count"] == 1
    (one,) = walk.items("village", "household_bounced")
    assert UUID(one["subject"]) == county.id("b")
    awaited = {"village": 1, "township": 1, "county": 1, "payer": 0}
    for name, many in awaited.items():
        told = [one for one in walk.awaited(name) if one["matter"] == "grant_retry"]
        assert len(told) == many, name
        assert all(one["who_role"] == "county_payer" for one in told)
        assert all(one["who_area"] == "潜山市" for one in told)
    card = RecordCard(
        household=county.id("b"),
        holder=county.vault.tokens[id_number(11)],
        number="6217 0000 1234 5678",
        reason="原账号已注销",
    )
    county.given(card, by="village")
    walk.catch_up()
    assert "household_bounced" not in walk.work("village"), "it is recorded anew"
    assert [one for one in walk.awaited("village") if one["matter"] == "grant_retry"]
    again = RetryPayment(case=walk.ledger.case("b"), number=1, document_no="支2号")
    county.given(again, by="payer")
    walk.catch_up()
    assert not [one for one in walk.awaited("village") if one["matter"] == "grant_retry"]


def test_a_loss_goes_to_the_county_and_after_its_decision_the_payer_has_the_list_again(
    tmp_path: Path,
) -> None:
    """The approver was led to cases that no decision settles, and nobody told the payer."""
    walk = Walk(tmp_path)
    county = walk.ledger.until("payable").scenario
    county.given(dying(walk.ledger, "a", 2), by="village")
    walk.catch_up()
    assert walk.work("county")["grant_decide"]["count"] == 1, "before the payment order too"
    county.given(paying(walk.ledger), by="payer")
    walk.catch_up()
    assert "village_list_pay" not in walk.work("payer")
    county.given(confirming(walk.ledger, "a"), by="county")
    walk.catch_up()
    assert "grant_decide" not in walk.work("county")
    assert walk.work("payer")["village_list_pay"]["count"] == 1


def test_a_contest_is_no_held_grant_for_the_county_to_decide(tmp_path: Path) -> None:
    walk = Walk(tmp_path)
    walk.ledger.until("payable")
    contest(walk.ledger)
    walk.ledger.scenario.given(paying(walk.ledger), by="payer")
    walk.catch_up()
    assert "grant_decide" not in walk.work("county")
    assert "village_list_pay" not in walk.work("payer"), "a superior decides first"
    assert "contest_resolve" in walk.work("county")


def test_money_without_a_card_waits_for_whoever_records_it(tmp_path: Path) -> None:
    walk = Walk(tmp_path)
    county = walk.ledger.until("payable").scenario
    household = county.id("b")
    walk.catch_up()
    assert "household_card" not in walk.work("village")
    leave = RemoveMember(
        household=household,
        person=county.vault.tokens[id_number(11)],
        new_head=county.vault.tokens[id_number(12)],
        on=date(2017, 11, 20),
        reason="迁出",
    )
    county.given(leave, by="village")
    walk.catch_up()
    assert walk.work("village")["household_card"]["count"] == 1
    assert set(walk.work("payer")) == {"village_list_pay", "village_list_sign"}
    card = RecordCard(
        household=household,
        holder=county.vault.tokens[id_number(12)],
        number="6217 0000 1234 5678",
        reason="新开户",
    )
    county.given(card, by="village")
    walk.catch_up()
    assert "household_card" not in walk.work("village")


def test_the_township_has_the_work_of_a_village_with_nobody_in_post(tmp_path: Path) -> None:
    """Such a village's lists were in nobody's work."""
    walk = Walk(tmp_path)
    county = walk.ledger.until("applied").scenario
    for name in ("village", "village_b"):
        walk.catch_up()
        assert set(walk.work("township")) == set(), "somebody is in post"
        suspend = SuspendOfficer(officer=county.officers[name], reason="停职检查")
        county.given(suspend, by="admin")
    walk.catch_up()
    assert set(walk.work("township")) == {"village_list_appraise_for"}


def test_the_township_has_the_work_of_a_village_whose_reporters_never_came(tmp_path: Path) -> None:
    """They had been invited, and counted as in post for ever (decision 0076)."""
    walk = Walk(tmp_path)
    county = walk.ledger.until("applied").scenario
    for name in ("village", "village_b"):
        officer, login = county.officers[name], f"login-{name}"
        county.given(OpenAccount(officer=officer, login=login), by="admin")
        walk.catch_up()
        assert set(walk.work("township")) == set(), "no invitation is out"
        county.given(InviteOfficer(officer=officer, login=login), by="admin")
    walk.catch_up()
    assert set(walk.work("township")) == {"village_list_appraise_for"}
    came = {"officer": county.officers["village"], "login": "login-village"}
    county.given(RecordPassword(**came, way=PasswordWay.KEEPER))
    walk.catch_up()
    assert set(walk.work("township")) == set()


def test_a_contest_of_a_drill_leads_to_the_person_and_not_to_the_drills_stream(
    tmp_path: Path,
) -> None:
    walk = Walk(tmp_path)
    county = walk.ledger.scenario
    for name, serial, who in (("x", 60, "village"), ("y", 70, "village2")):
        members = (member(serial), member(61, Relation.OTHER))
        village = "yuantan_1" if who == "village" else "yuantan_2"
        command = family(county, name, serial, village=village, members=members, exercise=True)
        county.given(command, by=who)
    walk.catch_up()
    asked = walk.asked("county", exercise=True)
    with walk.folded.reading() as db:
        (row,) = work_items(db, scope_of(asked), asked=asked)
    assert row["matter"] == "contest_resolve"
    assert row["subject"] == str(county.vault.tokens[id_number(61)])


def test_what_is_outstanding_is_added_up_once_however_many_steps_ask_for_it(
    db: Connection,
) -> None:
    """Five steps of a list each read and joined all open grants of a county."""
    asked = everybody(db)[0]
    with explained(db) as plans:
        work_counts(db, scope_of(asked), asked=asked)
        work_items(db, scope_of(asked), asked=asked)
    asking = [plan for plan in plans if "outstanding" in plan]
    assert len(asking) == 2
    for plan in asking:
        assert plan.count("MATERIALIZE outstanding") == 1, plan
        assert plan.count("MATERIALIZE told") == 1, plan


def test_contests_are_looked_for_where_they_are_and_not_in_every_household(db: Connection) -> None:
    county = next(one for one in everybody(db) if one.posts[0].level == AreaLevel.COUNTY)
    with explained(db) as plans:
        work_counts(db, scope_of(county), asked=county)
    (plan,) = (plan for plan in plans if "person_contests" in plan)
    by_contest = plan[plan.index("person_contests") :]
    assert "SCAN households" not in plan
    assert "SEARCH households__g1 USING INDEX sqlite_autoindex" in by_contest, plan
