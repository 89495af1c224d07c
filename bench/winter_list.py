"""A village's winter in the small demo county, up to the moment at which its amounts are set."""

import sqlite3
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from cli.compose import open_store
from cli.settings import Settings
from domain.commands.funds import AppropriateFund, Source
from domain.commands.notices import PostNotice
from domain.commands.relief_cases import ApplicationInput, ApplyVillage, NeedInput
from domain.commands.seasons import OpenSeason
from domain.commands.village_lists import (
    AppraiseList,
    ApproveList,
    MinutesInput,
    OpenVillageList,
    ReviewList,
    VerdictInput,
)
from domain.rules.base import china_day
from domain.world import Command
from eventstore.accounts import Accounts
from eventstore.outcomes import Envelope, Receipt
from eventstore.store import Store
from streams.keeping import advance_clock

PROGRAMME = "winter_spring"
VILLAGE, TOWNSHIP, COUNTY = "yuantan-shuangfeng-a", "yuantan-reviewer-new", "county-approver"
NOTICE = timedelta(days=8)
AMOUNT_FEN = 10_000_000


class Sender:
    """Sends commands to the log of a demo county that nobody serves meanwhile."""

    def __init__(self, store: Store) -> None:
        self.store, self._accounts = store, Accounts(store.vault)

    def send(self, command: Command, by: str) -> dict[str, Any]:
        """What the command answers. Anything but a receipt is a fault of the benchmark."""
        officer = self._accounts.officer_of(by)
        answer = self.store.run(Envelope(id=uuid4(), officer=officer, command=command))
        assert isinstance(answer, Receipt), answer
        return dict(answer.result)

    def day(self) -> date:
        return china_day(self.store.clock.now())


def approved(folder: Path) -> int:
    """Take the winter list of 双峰居委会 to the county's decision. Answers the households on it.

    The store must have its demo county, and no server meanwhile.
    """
    county, village, households = _places(folder)
    store = open_store(Settings(data=folder))
    try:
        _decide(Sender(store), county, village, households)
    finally:
        store.close()
    return len(households)


def _places(folder: Path) -> tuple[UUID, UUID, list[UUID]]:
    """The county, the village, and its households, as the boards have them."""
    views = sqlite3.connect(folder / "views.sqlite")
    try:
        (county,) = views.execute("SELECT id FROM areas WHERE name = '潜山市'").fetchone()
        (village,) = views.execute(
            "SELECT id FROM areas WHERE name = '双峰居委会' AND abolished_on IS NULL"
        ).fetchone()
        rows = views.execute(
            "SELECT id FROM households WHERE area = ? AND head IS NOT NULL "
            "AND merged_into IS NULL AND NOT exercise ORDER BY id",
            (village,),
        ).fetchall()
    finally:
        views.close()
    return UUID(county), UUID(village), [UUID(id) for (id,) in rows]


def _decide(winter: Sender, county: UUID, village: UUID, households: list[UUID]) -> None:
    """From the season opened to 县定, each step by whose it is, with the days of the notice."""
    opened = OpenSeason(area=county, programme=PROGRAMME, year=winter.day().year)
    season = UUID(winter.send(opened, COUNTY)["season"])
    winter.send(
        AppropriateFund(
            holder=county,
            document_no="潜财〔2018〕88号",
            amount_fen=AMOUNT_FEN,
            source=Source.NATION,
            source_document_no="财建〔2018〕1号",
            earmark=(PROGRAMME,),
        ),
        COUNTY,
    )
    applications = tuple(
        ApplicationInput(household=one, need=NeedInput(persons=1), applied_on=winter.day())
        for one in households
    )
    applied = ApplyVillage(season=season, village=village, applications=applications)
    cases = map(UUID, winter.send(applied, VILLAGE)["cases"])
    drawn_up = OpenVillageList(season=season, village=village)
    village_list = UUID(winter.send(drawn_up, VILLAGE)["village_list"])
    minutes = MinutesInput(held_on=winter.day(), attendees=31, document_sha256="0" * 64)
    winter.send(
        AppraiseList(
            village_list=village_list,
            verdicts=tuple(VerdictInput(case=case) for case in cases),
            minutes=minutes,
        ),
        VILLAGE,
    )
    winter.send(PostNotice(village_list=village_list, photo_sha256="0" * 64), VILLAGE)
    advance_clock(winter.store, by=NOTICE, rate=1, operator="bench")
    winter.send(ReviewList(village_list=village_list, opinion="情况属实"), TOWNSHIP)
    winter.send(ApproveList(village_list=village_list, document_no="潜应急〔2018〕31号"), COUNTY)
