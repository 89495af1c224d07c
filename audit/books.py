"""Books kept from raw facts, for `check_grants.py`: rules, officers, money and goods.

Only the standard library and msgspec: nothing of the program that wrote the facts is imported, so
that a mistake in it cannot hide here as well.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

CHINA = timedelta(hours=8)
Body = dict[str, Any]
Note = Callable[[int, str], None]
"""Takes a violation: the position of the fact, and what is wrong."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One row of the log as it lies there; ``body`` is its JSON without the envelope's meta."""

    position: int
    stream: str
    topic: str
    body: Body
    meta: Body

    @property
    def at(self) -> datetime:
        return moment(self.meta["recorded_at"])


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def units_of(picks: list[Body]) -> int:
    return sum(pick["quantity"] for pick in picks)


def value_of(picks: list[Body]) -> int:
    return sum(pick["quantity"] * pick["unit_value_fen"] for pick in picks)


class Rules:
    """Areas and the rulebooks in force in them."""

    def __init__(self) -> None:
        self.parent: dict[str, str | None] = {}
        self.codes: dict[str, str] = {}
        self._books: dict[str, tuple[str, str]] = {}
        self._editions: dict[tuple[str, str], list[Body]] = defaultdict(list)

    def take(self, fact: Fact) -> None:
        body = fact.body
        if fact.topic == "Area.Established":
            self.parent[fact.stream] = body["parent"]
            self.codes[fact.stream] = body["code"]
        elif fact.topic == "Area.CodeChanged":
            self.codes[fact.stream] = body["code"]
        elif fact.topic == "Rulebook.Opened":
            self._books[fact.stream] = (body["area"], body["kind"])
        elif fact.topic == "Rulebook.Adopted":
            self._editions[self._books[fact.stream]].append(dict(body))
        elif fact.topic == "Rulebook.Confirmed":
            for edition in self._editions[self._books[fact.stream]]:
                if edition["version"] == body["version"]:
                    edition["waits"] = False

    def _upward(self, area: str) -> Iterator[str]:
        at: str | None = area
        while at is not None:
            yield at
            at = self.parent.get(at)

    def in_force(self, kind: str, area: str, at: datetime) -> Body | None:
        """Content of the nearest area's book, the one adopted last that covers the day.

        What nobody had confirmed by then counts only where nothing confirmed does. Facts of before
        confirmations were asked for do not say ``waits``.
        """
        day = (at + CHINA).date().isoformat()
        covering: list[Body] = []
        for place in self._upward(area):
            for edition in reversed(self._editions.get((place, kind), [])):
                until = edition["valid_to"]
                if edition["valid_from"] <= day and (until is None or day <= until):
                    covering.append(edition)
        sure = [edition for edition in covering if not edition.get("waits")]
        found: Body | None = next(iter(sure or covering), None)
        return found["content"] if found is not None else None


class Officers:
    """Which natural persons count when an officer acts."""

    def __init__(self) -> None:
        self.persons: dict[str, set[str]] = {}
        self.allowed: dict[tuple[str, str], set[str]] = defaultdict(set)

    def take(self, fact: Fact) -> None:
        body = fact.body
        if fact.topic == "Officer.Registered":
            self.persons[fact.stream] = {body["person"]}
        elif fact.topic == "Officer.TookOver":
            self.persons[fact.stream] |= set(body["persons"])
        elif fact.topic == "Dispensation.Granted":
            self.allowed[body["matter"], body["step"]] |= self.persons[body["officer"]]

    def behind(self, meta: Body) -> set[str]:
        """Everybody who must be named as having done what this meta did."""
        found = set(self.persons.get(meta["actor"], ()))
        return found | self.persons.get(meta.get("standing_for") or "", set())


@dataclass(slots=True)
class Purse:
    """One fund: what is free, what is promised, what went out by batch."""

    earmark: tuple[str, ...] = ()
    free: int = 0
    promised: dict[str, int] = field(default_factory=dict)
    batches: dict[str, int] = field(default_factory=dict)
    passed: dict[str, int] = field(default_factory=lambda: Counter[str]())


class Money:
    """All funds. Never overdrawn; what one passes down another has received."""

    def __init__(self, wrong: Note) -> None:
        self.wrong = wrong
        self.funds: dict[str, Purse] = defaultdict(Purse)
        self.moved: Counter[tuple[str, str, str]] = Counter()
        self.shares: Counter[tuple[str, str, str]] = Counter()
        self.committed_at: dict[str, int] = {}
        self.paid_at: dict[str, int] = {}

    def take(self, fact: Fact) -> None:
        kind, body, fund = fact.topic.partition(".")[2], fact.body, self.funds[fact.stream]
        fen = body.get("amount_fen", 0)
        if kind == "Opened":
            fund.earmark = tuple(body["earmark"])
            return
        if fen <= 0:
            self.wrong(fact.position, f"{fact.topic} of {fen} fen")
        if kind in ("Appropriated", "Received", "GotBack"):
            fund.free += fen
        elif kind in ("PassedDown", "Returned"):
            fund.free -= fen
        elif kind == "Committed":
            fund.free -= fen
            fund.promised[body["commitment"]] = fen
            self.committed_at[body["commitment"]] = fact.position
            if body["programme"] not in fund.earmark:
                self.wrong(fact.position, f"money earmarked for {fund.earmark} was committed")
        elif kind == "Released":
            fund.free += fen
            self._change(fund.promised, body["commitment"], -fen)
        else:
            self._paid(fact, kind, fund, fen)
        self._pair(fact, kind, fen)
        self._never_negative(fact, fund)

    def _paid(self, fact: Fact, kind: str, fund: Purse, fen: int) -> None:
        batch = fact.body["payment"]
        if kind == "Paid":
            self._change(fund.promised, fact.body["commitment"], -fen)
            self._change(fund.batches, batch, fen)
            self.paid_at[batch] = fact.position
        elif kind == "Failed":
            self._change(fund.promised, fact.body["commitment"], fen)
            self._change(fund.batches, batch, -fen)
        else:
            assert kind == "Refunded", kind
            fund.free += fen
            self._change(fund.batches, batch, -fen)

    @staticmethod
    def _change(sums: dict[str, int], key: str, by: int) -> None:
        sums[key] = sums.get(key, 0) + by

    def _pair(self, fact: Fact, kind: str, fen: int) -> None:
        """Both sides of what goes from fund to fund lie in one commit: amount, matching share."""
        body = fact.body
        gives = kind in ("PassedDown", "Returned")
        if not gives and kind not in ("Received", "GotBack"):
            return
        other = body["child"] if kind in ("PassedDown", "GotBack") else body["parent"]
        pair = (fact.stream, other) if gives else (other, fact.stream)
        key, sign = (fact.meta["command"], *pair), 1 if gives else -1
        self.moved[key] += sign * fen
        self.shares[key] += sign * (body.get("matching_fen") or 0)

    def _never_negative(self, fact: Fact, fund: Purse) -> None:
        if fund.free < 0:
            self.wrong(fact.position, f"fund {fact.stream} is overdrawn by {-fund.free} fen")
        for name in ("commitment", "payment"):
            key = fact.body.get(name)
            sums = fund.promised if name == "commitment" else fund.batches
            if key is not None and sums.get(key, 0) < 0:
                self.wrong(fact.position, f"{name} {key} is overdrawn by {-sums[key]} fen")

    def close(self, last: int) -> None:
        for (_, giver, taker), fen in self.moved.items():
            if fen:
                self.wrong(last, f"{fen} fen left fund {giver} and did not reach {taker}")
        for (_, giver, taker), fen in self.shares.items():
            if fen:
                self.wrong(last, f"{fen} fen of matching left {giver} and did not reach {taker}")


@dataclass(slots=True)
class Shelf:
    """One stockpile: units by lot, free and set aside."""

    item: str = ""
    free: Counter[str] = field(default_factory=Counter)
    aside: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))


class Goods:
    """All stockpiles and consignments, by item: nothing comes from nowhere, nothing vanishes."""

    def __init__(self, wrong: Note) -> None:
        self.wrong = wrong
        self.shelves: dict[str, Shelf] = defaultdict(Shelf)
        self.given: Counter[tuple[str, str]] = Counter()
        self.came_in: Counter[str] = Counter()
        self.went_out: Counter[str] = Counter()
        self.road: Counter[tuple[str, str]] = Counter()
        self.items: dict[str, str] = {}

    def take(self, fact: Fact) -> None:
        name, _, kind = fact.topic.partition(".")
        if name == "Stockpile":
            self._stock(fact, kind)
        elif kind in ("Arrived", "TurnedBack"):
            for count in fact.body["counts"]:
                self.went_out[count["item"]] += count["missing"]
                self.road[fact.stream, count["lot"]] -= count["missing"]
        elif kind == "DamagedWrittenOff":
            for count in fact.body["counts"]:
                self.went_out[count["item"]] += count["damaged"]
                self.road[fact.stream, count["lot"]] -= count["damaged"]
        for (load, lot), units in list(self.road.items()):
            if units < 0:
                self.wrong(fact.position, f"consignment {load} has {units} units of lot {lot}")
                self.road[load, lot] = 0

    def _stock(self, fact: Fact, kind: str) -> None:
        body, shelf = fact.body, self.shelves[fact.stream]
        if kind == "Opened":
            shelf.item = body["item"]
        elif kind == "Received":
            self._received(fact, shelf)
        elif kind == "Recounted":
            self._recounted(fact, shelf)
        else:
            for pick in body["picks"]:
                self._moved(fact, kind, shelf, pick["lot"], pick["quantity"])

    def _received(self, fact: Fact, shelf: Shelf) -> None:
        for lot in fact.body["lots"]:
            shelf.free[lot["lot"]] += lot["quantity"]
            self.items[lot["lot"]] = shelf.item
            if fact.body["consignment"] is None:
                self.came_in[shelf.item] += lot["quantity"]
            else:
                self.road[fact.body["consignment"], lot["lot"]] -= lot["quantity"]

    def _recounted(self, fact: Fact, shelf: Shelf) -> None:
        for count in fact.body["counts"]:
            aside = sum(kept[count["lot"]] for kept in shelf.aside.values())
            if shelf.free[count["lot"]] + aside != count["booked"]:
                self.wrong(fact.position, f"lot {count['lot']}: booked otherwise")
            difference = count["found"] - count["booked"]
            shelf.free[count["lot"]] += difference
            self.came_in[shelf.item] += difference

    def _moved(self, fact: Fact, kind: str, shelf: Shelf, lot: str, units: int) -> None:
        body = fact.body
        if kind == "Reserved":
            shelf.free[lot] -= units
            shelf.aside[body["reservation"]][lot] += units
        elif kind == "Released":
            shelf.aside[body["reservation"]][lot] -= units
            shelf.free[lot] += units
        elif kind == "Shipped":
            shelf.aside[body["consignment"]][lot] -= units
            self.road[body["consignment"], lot] += units
        elif kind == "Given":
            shelf.aside[body["reservation"]][lot] -= units
            self.given[body["case"], lot] += units
            self.went_out[shelf.item] += units
        elif kind == "ReturnedIn":
            shelf.free[lot] += units
            if body["source"] == "household":
                self.came_in[shelf.item] += units
            else:
                self.road[body["subject"], lot] -= units
        else:
            assert kind == "WrittenOff", kind
            shelf.free[lot] -= units
            self.went_out[shelf.item] += units
        key = body.get("reservation") or body.get("consignment") or ""
        if units <= 0 or shelf.free[lot] < 0 or shelf.aside[key][lot] < 0:
            self.wrong(fact.position, f"{fact.topic}: more of lot {lot} than there is")

    def close(self, last: int) -> None:
        there: Counter[str] = Counter()
        for shelf in self.shelves.values():
            there[shelf.item] += sum(shelf.free.values())
            there[shelf.item] += sum(sum(kept.values()) for kept in shelf.aside.values())
        for (_, lot), units in self.road.items():
            there[self.items[lot]] += units
        for item in sorted(self.came_in.keys() | there.keys()):
            came, gone = self.came_in[item], there[item] + self.went_out[item]
            if came != gone:
                self.wrong(last, f"{item}: {came} units came in, {gone} are accounted for")
