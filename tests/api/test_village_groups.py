"""Villagers' groups over HTTP: named by the township, referred to by households, told in lists."""

from datetime import date
from uuid import uuid4

from domain.world import Role
from tests.api.edge import Edge
from tests.api.seed import Place
from tests.api.test_writes import code, post

DAY = date(2018, 7, 1).isoformat()


def test_a_village_s_groups_from_their_naming_to_the_list_of_households(own_edge: Edge) -> None:
    place: Place = own_edge.seeded.places["yuantan_1"]
    groups = f"/v1/areas/{place.area}/groups"
    household = f"/v1/households/{place.ids['household']}"
    with own_edge.client(Role.TOWNSHIP_REVIEWER, "yuantan") as township:
        said = {"groups": [{"name": "第三村民小组"}, {"name": "柳树组"}], "effective_on": DAY}
        key = uuid4()
        answer = post(township, groups, said, key)
        assert answer.status_code == 200 and answer.json()["result"] == {"codes": ["03", "01"]}
        assert post(township, groups, said, key).json() == answer.json()
        taken = post(township, groups, said)
        assert (taken.status_code, code(taken)) == (409, "group-name-taken")
        assert "代码 03" in taken.json()["zh"] and str(place.area) not in taken.json()["zh"]
        wrong = post(township, f"{groups}/3/ends", {"effective_on": DAY})
        assert (wrong.status_code, code(wrong)) == (422, "malformed")
        unknown = post(township, f"{groups}/07/ends", {"effective_on": DAY})
        assert (unknown.status_code, code(unknown)) == (409, "no-such-group")
    with own_edge.client(Role.VILLAGE_REPORTER, "yuantan_1") as village:
        assert post(village, groups, said).status_code == 404
        put = post(village, f"{household}/groups", {"group_code": "03", "reason": "新编小组"})
        assert put.json()["result"] == {"group": "第三村民小组", "group_code": "03"}
        others = [str(place.ids["other_household"])]
        many = {"households": others, "reason": "新编小组"}
        answer = post(village, f"{groups}/03/households", many)
        assert answer.json()["result"] == {"households": 1}
        after = answer.headers["relief-position"]
        found = village.get(f"{groups}?after={after}").json()["items"]
        assert [(one["code"], one["name"], one["households"]) for one in found] == [
            ("01", "柳树组", 0),
            ("03", "第三村民小组", 2),
        ]
        listed = village.get(f"/v1/households?area={place.area}&group=03").json()["items"]
        assert {one["id"] for one in listed} == {str(place.ids["household"]), *others}
        assert village.get(f"/v1/households?area={place.area}&group=01").json()["items"] == []
        titles = village.get("/v1/search?q=第三村民").json()["items"]
        assert {one["area"] for one in titles} == {"源潭镇源潭居委会 第三村民小组"}
        sheet = village.get(f"/v1/households?area={place.area}", headers={"Accept": "text/csv"})
        assert "第三村民小组" in sheet.text
