"""Imports being done: what a job says when its officer can no longer do it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from api.importing import Importing
from domain.commands.officers import SuspendOfficer
from domain.officer import OfficerSuspended
from intake.job import Job, State
from tests.web.desk import LivingCounty, living_county


@pytest.fixture
def county(tmp_path: Path) -> Iterator[LivingCounty]:
    with living_county(tmp_path / "importing") as made:
        yield made


def test_why_somebody_was_suspended_is_not_told_to_who_sees_the_job(county: LivingCounty) -> None:
    """All who register households there see it; the reason is between officer and superior."""
    importing = Importing(county.system)
    job = Job(
        id=county.id("job"),
        officer=county.officers["village"],
        area=county.id("yuantan_1"),
        file="list.csv",
        category="ordinary",
        begun=0.0,
        digest="",
    )
    importing.jobs.offer(job, "户主姓名".encode())
    county.run(SuspendOfficer(officer=job.officer, reason="涉嫌冒领"), by="admin")
    taken = importing.jobs.claim()
    assert taken is not None
    importing._do(taken)
    ended = importing.jobs.get(job.id)
    assert ended.state is State.FAILED and ended.why is not None
    assert ended.why.rule == OfficerSuspended.code()
    assert "冒领" not in ended.why.zh + ended.why.en and "您" not in ended.why.zh
