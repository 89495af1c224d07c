"""An offer to another county over HTTP: it names every case that is open."""

from typing import Any
from uuid import uuid4

from domain.world import Role
from tests.api.edge import Edge
from tests.api.test_writes import code, post


def body(edge: Edge, *cases: Any) -> dict[str, Any]:
    return {
        "village": str(edge.seeded.places["foreign_village"].area),
        "reason": "随子女迁居",
        "cases": [str(one) for one in cases],
    }


def test_c3_an_open_case_left_out_of_an_offer_is_refused_by_name(own_edge: Edge) -> None:
    place = own_edge.seeded.places["yuantan_1"]
    path = f"/v1/households/{place.ids['household']}/move-offers"
    with own_edge.client(Role.COUNTY_APPROVER, "county") as county:
        key = uuid4()
        answer = post(county, path, body(own_edge), key)
        assert (answer.status_code, code(answer)) == (409, "open-cases-left-out")
        assert answer.json()["facts"]["cases"] == [str(place.ids["case"])]
        assert "1 件" in answer.json()["zh"] and str(place.ids["case"]) not in answer.json()["zh"]
        given = body(own_edge, place.ids["case"])
        answer = post(county, path, given, key)
        assert answer.status_code == 200 and answer.json()["result"]["cases"] == 1
        again = post(county, path, given, key)
        assert again.headers["idempotent-replay"] == "true"
        other = f"/v1/households/{place.ids['other_household']}/move-offers"
        assert post(county, other, body(own_edge)).status_code == 200
    with own_edge.client(Role.COUNTY_APPROVER, "foreign_county") as foreign:
        assert post(foreign, path, body(own_edge)).status_code == 404
