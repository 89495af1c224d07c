"""By HTTP: a village's death through the township to the county that issues it and sends it up."""

from uuid import uuid4

import httpx
import pytest

from domain.commands.store import RecordStore
from domain.world import Role
from eventstore.outcomes import Envelope
from tests.api.edge import Edge
from tests.api.seed import id_of
from tests.api.test_writes import MOMENT, REPORTS, post, report


@pytest.fixture
def seated(own_edge: Edge) -> Edge:
    store = own_edge.system.store
    command = RecordStore(born=store.log.mark("born") or "", seat=id_of("county"))
    store.run(Envelope(id=uuid4(), officer=None, command=command))
    return own_edge


def refused(answer: httpx.Response) -> str:
    return str(answer.json()["type"]).rsplit("/", 1)[-1]


def test_a_villages_death_becomes_official_at_the_county(seated: Edge) -> None:
    day = {"occurred_at": "2018-06-21T15:00:00+08:00", "as_of": MOMENT, "hazard": "wind_hail"}
    dead = {"affected": 9, "dead": 1, "missing": 0}
    below = report(area=str(id_of("yuantan_1")), figures=dead, **day)
    own = report(area=str(id_of("county")), figures=dead, **day)
    at = f"{REPORTS}/{own['report']}/versions/1"
    with seated.client(Role.VILLAGE_REPORTER, "yuantan_1") as village:
        assert post(village, REPORTS, below).status_code == 200
    with seated.client(Role.TOWNSHIP_REVIEWER, "yuantan") as township:
        path = f"{REPORTS}/{below['report']}/versions/1/acceptances"
        assert post(township, path, {}).status_code == 200
        assert refused(post(township, f"{at}/issues", {})) == "not-found"
    called = report(area=str(id_of("county")), figures=dead, called_at=MOMENT, **day)
    with seated.client(Role.DISPATCHER, "county") as dispatcher:
        assert post(dispatcher, "/v1/phoned-reports", called).status_code == 200
    with seated.client(Role.COUNTY_APPROVER, "county") as county:
        assert post(county, REPORTS, own).status_code == 200
        answer = post(county, f"{at}/issues", {})
        assert (answer.status_code, refused(answer)) == (409, "issues-own-report")
        taken = f"{REPORTS}/{called['report']}/versions/1"
        sent = {"sent_at": MOMENT, "receipt_no": "17"}
        assert refused(post(county, f"{taken}/sent-upward", sent)) == "not-issued-yet"
        answer = post(county, f"{taken}/issues", {})
        assert answer.status_code == 200, answer.text
        assert {"upward_due_at", "flags"} <= answer.json()["result"].keys()
        early = post(
            county, f"{taken}/sent-upward", sent | {"sent_at": "2018-06-21T15:01:00+08:00"}
        )
        assert refused(early) == "sent-before-filed"
        told = post(county, f"{taken}/sent-upward", sent)
        assert told.status_code == 200, told.text
        told_at = told.headers.get("X-Position") or told.json()["position"]
        one = county.get(f"{REPORTS}/{called['report']}?after={told_at}").json()
        assert (one["review"], one["accepted_how"], one["receipt_no"]) == ("issued", "issued", "17")
        queue = county.get("/v1/reviews?step=issue").json()["items"]
        assert own["report"] in {row["subject"] for row in queue}
