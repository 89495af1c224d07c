"""An offer to another county: it names every case that is open."""

from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from domain.commands.household_moves import OfferHouseholdMove
from domain.commands.officers import SuspendOfficer
from domain.world import Role
from eventstore.outcomes import Envelope, Refused
from eventstore.told_by_log import cases_in, officers_in
from tests.api.edge import Edge
from tests.api.seed import officer_of
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
        assert post(county, path, body(own_edge), key).json() == answer.json()
        given, key = body(own_edge, place.ids["case"]), uuid4()
        answer = post(county, path, given, key)
        assert answer.status_code == 200 and answer.json()["result"]["cases"] == 1
        again = post(county, path, given, key)
        assert again.headers["idempotent-replay"] == "true"
        other = f"/v1/households/{place.ids['other_household']}/move-offers"
        assert post(county, other, body(own_edge)).status_code == 200
    with own_edge.client(Role.COUNTY_APPROVER, "foreign_county") as foreign:
        assert post(foreign, path, body(own_edge)).status_code == 404


def test_c3_the_rule_holds_for_who_sends_without_the_edge(own_edge: Edge) -> None:
    """Only the HTTP edge knew it: the command line and the demo could leave a case out."""
    place, store = own_edge.seeded.places["yuantan_1"], own_edge.system.store
    household, case = place.ids["household"], place.ids["case"]
    assert store.cases_of(household) == cases_in(store._facts(), household) == (case,)
    officer = officer_of(Role.COUNTY_APPROVER, "county")
    village = own_edge.seeded.places["foreign_village"].area
    offer = OfferHouseholdMove(household=household, village=village, reason="随子女迁居")
    with pytest.raises(Refused) as refused:
        store.run(Envelope(id=uuid4(), officer=officer, command=offer))
    assert refused.value.problem.code == "open-cases-left-out"
    (answer,) = store.run_many([Envelope(id=uuid4(), officer=officer, command=offer)])
    assert isinstance(answer, Refused) and answer.problem.code == "open-cases-left-out"
    named = replace(offer, cases=(case,))
    assert store.run(Envelope(id=uuid4(), officer=officer, command=named)).facts == 1


def test_a_township_applies_for_a_village_only_while_nobody_is_in_post_there(
    own_edge: Edge,
) -> None:
    """Here, since it is the other command that is told of what lies beside its streams."""
    place, store = own_edge.seeded.places["yuantan_2"], own_edge.system.store
    reporter = officer_of(Role.VILLAGE_REPORTER, "yuantan_2")
    assert reporter in store.posts_in(place.area)
    assert set(store.posts_in(place.area)) <= set(officers_in(store._facts()))
    path = "/v1/relief-applications-on-behalf"
    given = {
        "season": str(place.ids["season"]),
        "village": str(place.area),
        "applications": [
            {
                "household": str(place.ids["other_household"]),
                "need": {"persons": 1},
                "applied_on": "2018-07-01",
            }
        ],
    }
    with own_edge.client(Role.TOWNSHIP_REVIEWER, "yuantan") as township:
        answer = post(township, path, given)
        assert (answer.status_code, code(answer)) == (409, "village-in-post")
        assert answer.json()["facts"]["officer"] == str(reporter)
        assert str(reporter) not in answer.json()["zh"] + answer.json()["en"]
        away = SuspendOfficer(officer=reporter, reason="停职检查")
        admin = officer_of(Role.ADMINISTRATOR, "county")
        store.run(Envelope(id=uuid4(), officer=admin, command=away))
        answer = post(township, path, given)
        assert answer.status_code == 200, answer.text
        (case,) = answer.json()["result"]["cases"]
        shown = township.get(
            f"/v1/relief-cases/{case}", params={"after": answer.json()["position"]}
        )
        assert shown.json()["on_behalf"] is True
        ours = township.get(f"/v1/relief-cases/{place.ids['case']}").json()
        assert ours["on_behalf"] is False
