"""The reporting side over HTTP: answered within the jurisdiction, at the clock's now."""

import httpx
import pytest

from api.reads import Read
from api.routes_reports import READS
from domain.world import Role
from tests.api.edge import Edge

LISTS = [read for read in READS if "{" not in read.path and read.tag != "officers"]


@pytest.mark.parametrize("read", LISTS, ids=lambda read: read.path)
def test_a_list_is_answered_to_whoever_is_in_post(village: httpx.Client, read: Read) -> None:
    answer = village.get(read.path, params={"limit": 2} if "limit" in read.parameters else {})
    assert answer.status_code == 200, answer.text
    assert answer.json()["position"] > 0


def test_deadlines_are_asked_at_a_moment_with_a_zone_or_now(county: httpx.Client) -> None:
    assert county.get("/v1/deadlines").status_code == 200
    given = county.get("/v1/deadlines", params={"at": "9999-12-31T23:59:59+00:00", "done": True})
    assert given.status_code == 200, given.text
    assert county.get("/v1/deadlines", params={"at": "2018-07-05T00:00:00"}).status_code == 422


def test_one_report_is_found_from_the_board_and_has_its_timeline(county: httpx.Client) -> None:
    report = county.get("/v1/situation-reports").json()["items"][0]["report"]
    one = county.get(f"/v1/situation-reports/{report}")
    assert one.status_code == 200 and one.headers["etag"] == f'"{one.json()["number"]}"'
    told = county.get(f"/v1/timeline/{report}").json()["items"]
    assert told[-1]["topic"].startswith("SituationReport.")


def test_an_administrator_sees_officers_and_no_business(edge: Edge) -> None:
    with edge.client(Role.ADMINISTRATOR, "county") as admin:
        assert admin.get("/v1/officers").status_code == 200
        assert admin.get("/v1/situation").status_code == 403
    with edge.client(Role.VILLAGE_REPORTER, "yuantan_1") as village:
        assert village.get("/v1/officers").status_code == 403
