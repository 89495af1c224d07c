"""Persons who exist nowhere: wherever their data turns up besides the vault, it should not be."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote
from uuid import UUID, uuid4

import httpx

from domain.identity import check_character
from domain.world import Role
from eventstore.accounts import Accounts
from eventstore.store import Store
from tests.api.seed import NOW, id_of, name_of, officer_of, seed

PASSWORD = "canary battery staple"
VILLAGE = "yuantan_1"
TAIL = "3408241961040427"
NAME, CHILD = "欧阳金丝雀", "欧阳小雀"
ID_NUMBER = f"{TAIL}1{check_character(TAIL + '1')}"
OTHER_ID = f"{TAIL}2{check_character(TAIL + '2')}"
PHONE = "13987650421"
CARD = "6228480012345670421"
ADDRESS = "金丝雀巷 42 号"
OFFICER = "司徒百灵"
LOGIN = "siku-canary"
CANARIES = (NAME, CHILD, ID_NUMBER, OTHER_ID, PHONE, CARD, ADDRESS, OFFICER, LOGIN)
HOSTILE = f"{NAME}\r\n\x1b[31m{ID_NUMBER}\u2028"


def forms(canary: str) -> Iterator[bytes]:
    """A text as it may be written: plainly, escaped for JSON or Python, in an address."""
    yield canary.encode()
    yield json.dumps(canary).strip('"').encode()
    yield quote(canary).encode()
    yield canary.encode("utf-16-le")


def canaries_in(output: bytes) -> list[str]:
    return [one for one in CANARIES if any(form in output for form in forms(one))]


def seed_canary_place(store: Store) -> None:
    """The areas and officers of the edge's tests, and log-ins for two of them."""
    store.begin_simulated(NOW)
    seed(store)
    accounts = Accounts(store.vault)
    for role, area in ((Role.VILLAGE_REPORTER, VILLAGE), (Role.ADMINISTRATOR, "county")):
        accounts.set_password(name_of(role, area), officer_of(role, area), PASSWORD)


class Visitor:
    """Somebody who types personal data wherever it fits, and wherever it does not."""

    def __init__(self, base: str) -> None:
        fresh = httpx.Limits(max_keepalive_connections=0)  # a failure closes its connection
        self._http = httpx.Client(base_url=base, timeout=30, limits=fresh)
        self.problems: list[bytes] = []
        """Bodies of all answers that were not a success."""
        self.statuses: list[int] = []
        self.correlations: list[str] = []

    def close(self) -> None:
        self._http.close()

    def ask(self, method: str, path: str, *, token: str = "", **more: Any) -> httpx.Response:
        headers = {"Idempotency-Key": str(uuid4()), **more.pop("headers", {})}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        found = self._http.request(method, path, headers=headers, **more)
        self.statuses.append(found.status_code)
        self.correlations.append(found.headers["x-correlation-id"])
        if not found.is_success:
            self.problems.append(found.content + repr(found.headers).encode())
        return found

    def log_in(self, role: Role, area: str) -> str:
        body = {"login": name_of(role, area), "password": PASSWORD}
        token: str = self.ask("POST", "/v1/tokens", json=body).json()["token"]
        return token

    def visit(self) -> None:
        """Everything that may be typed, rightly and wrongly."""
        token = self.log_in(Role.VILLAGE_REPORTER, VILLAGE)
        household = uuid4()
        body = household_of(household)
        assert self.ask("POST", "/v1/households", token=token, json=body).status_code == 200
        again = {**household_of(uuid4()), "village": str(id_of("far_village"))}
        assert self.ask("POST", "/v1/households", token=token, json=again).status_code == 404
        for spoiled in (
            {"members": []},
            {"members": [{**body["members"][0], "id_number": ID_NUMBER[:-1] + "0"}]},
            {"card": {"number": f"{CARD} {NAME}"}},
            {"phone": NAME},
            {"members": NAME},
            {"unnamed": ID_NUMBER},
            {"category": NAME},
            {"village": NAME},
        ):
            answer = self.ask(
                "POST", "/v1/households", token=token, json={**household_of(uuid4()), **spoiled}
            )
            assert 400 <= answer.status_code < 500, (spoiled, answer.text)
        self._other_ways(token, household)

    def _other_ways(self, token: str, household: UUID) -> None:
        self.ask("POST", "/v1/households", token=token, content=f'{{"name": "{HOSTILE}",')
        card = {"holder": str(uuid4()), "number": CARD, "reason": "换卡"}
        refused = self.ask("POST", f"/v1/households/{household}/cards", token=token, json=card)
        assert refused.status_code == 409, refused.text
        self.ask("POST", f"/v1/households/{NAME}/cards", token=token, json=card)
        self.ask(
            "POST",
            f"/v1/households/{household}/contacts",
            token=token,
            json={"phone": PHONE, "address": ADDRESS, "reason": f"{NAME}换号"},
        )
        self.ask("GET", f"/v1/households/{ID_NUMBER}", token=token)
        self.ask("GET", "/v1/households", token=token, params={"search": NAME, "after": CARD})
        self.ask("GET", "/v1/households", token=token, params={"search": NAME})
        self.ask("GET", f"/v1/{quote(HOSTILE)}", token=token)
        self.ask("GET", "/v1/households", headers={"X-Correlation-ID": ID_NUMBER})
        self.ask("POST", "/v1/tokens", json={"login": LOGIN, "password": f"{PHONE}{NAME}"})
        self.ask("POST", f"/v1/broken/{NAME}", token=token, json={"hostile": HOSTILE})
        admin = self.log_in(Role.ADMINISTRATOR, "county")
        person = {
            "person": str(uuid4()),
            "full_name": OFFICER,
            "area": str(id_of(VILLAGE)),
            "phone": PHONE,
            "id_number": OTHER_ID,
        }
        made = self.ask("POST", "/v1/officers", token=admin, json=person)
        assert made.status_code == 200, made.text
        self.ask("POST", "/v1/officers", token=token, json=person)


def household_of(id: UUID) -> dict[str, Any]:
    return {
        "id": str(id),
        "village": str(id_of(VILLAGE)),
        "category": "hardship",
        "group": "三组",
        "phone": PHONE,
        "address": ADDRESS,
        "card": {"number": CARD, "bank": "农商行"},
        "members": [
            {"name": NAME, "relation": "head", "id_number": ID_NUMBER},
            {"name": CHILD, "relation": "child", "id_number": OTHER_ID},
        ],
    }
