"""Steps, notices, standards and deliveries of every grant, for `check_grants.py`."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from audit.books import Body, Fact, Goods, Money, Officers, Rules, moment, units_of, value_of

COUNTY, PROGRAMME, YEAR = "340882", "winter_spring", 2017
LIST_STEPS = {
    "CasesListed": "report",
    "Reviewed": "review",
    "Approved": "approve",
    "Allocated": "approve",
    "PaymentMade": "pay",
    "GoodsHandedOut": "pay",
}
CASE_STEPS = {
    "Applied": "report",
    "GrantCorrected": "approve",
    "HoldDecided": "approve",
    "Paid": "pay",
    "PaymentFailed": "pay",
    "GoodsSigned": "pay",
    "Refunded": "pay",
}
OPEN = ("granted", "failed")
Steps = dict[str, set[str]]


@dataclass(slots=True)
class Roll:
    """A village list."""

    season: str
    village: str
    minutes: bool = False
    reviewed: bool = False
    approved: bool = False
    allocated: bool = False
    cases: set[str] = field(default_factory=set)
    ends: dict[str, datetime] = field(default_factory=dict)
    objections: set[str] = field(default_factory=set)
    steps: Steps = field(default_factory=lambda: defaultdict(set))


@dataclass(slots=True)
class Case:
    """A relief case: its stage, and its grants with what became of each."""

    season: str
    household: str
    need: Body
    stage: str = "applied"
    roll: str = ""
    grants: dict[int, Body] = field(default_factory=dict)
    status: dict[int, str] = field(default_factory=dict)
    excused: bool = False
    known_died: int | None = None
    steps: Steps = field(default_factory=lambda: defaultdict(set))


class Audit:
    """Goes through the log once. ``problems`` are (position, what is wrong)."""

    def __init__(self) -> None:
        self.problems: list[tuple[int, str]] = []
        self.rules, self.officers = Rules(), Officers()
        self.money, self.goods = Money(self.wrong), Goods(self.wrong)
        self.seasons: dict[str, Body] = {}
        self.rolls: dict[str, Roll] = {}
        self.cases: dict[str, Case] = {}
        self.died: Counter[str] = Counter()
        self.signed: Counter[tuple[str, str]] = Counter()
        self.batches: Counter[str] = Counter()
        self.last = self.grants = 0

    def wrong(self, position: int, text: str) -> None:
        self.problems.append((position, text))

    def take(self, fact: Fact) -> None:
        """One fact; a fact that lacks what it must have is a violation itself."""
        self.last = fact.position
        try:
            self._take(fact)
        except (KeyError, TypeError, ValueError, AttributeError) as problem:
            self.wrong(fact.position, f"{fact.topic} does not fit what came before: {problem!r}")

    def _take(self, fact: Fact) -> None:
        name, _, kind = fact.topic.partition(".")
        if name in ("Area", "Rulebook"):
            self.rules.take(fact)
        elif name in ("Officer", "Dispensation"):
            self.officers.take(fact)
        elif name == "Fund":
            self.money.take(fact)
        elif name in ("Stockpile", "Consignment"):
            self.goods.take(fact)
        elif name == "Season":
            self._season(fact, kind)
        elif name == "VillageList":
            self._list(fact, kind)
        elif name == "ReliefCase":
            self._case(fact, kind)
        elif fact.topic == "Household.MemberDied":
            self.died[fact.stream] += 1

    # Seasons and their terms

    def _season(self, fact: Fact, kind: str) -> None:
        if kind not in ("Opened", "StandardChanged"):
            return
        season = self.seasons.setdefault(fact.stream, dict(fact.body))
        season["terms"] = fact.body["terms"]
        found = self.rules.in_force("standards", season["area"], fact.at)
        programmes = found["programmes"] if found else []
        adopted: Body = next((p for p in programmes if p["key"] == season["programme"]), {})
        for key in ("steps", "first_notice_days", "second_notice_days"):
            if season["terms"][key] != adopted.get(key):
                self.wrong(fact.position, f"the season's {key} are not those of the rulebook")
        rates = [(r["key"], r["ceiling_fen"]) for r in adopted.get("rates", [])]
        if rates != [(r["key"], r["ceiling_fen"]) for r in season["terms"]["rates"]]:
            self.wrong(fact.position, "the season's ceilings are not those of the rulebook")

    def _terms(self, season: str) -> Body:
        terms: Body = self.seasons[season]["terms"]
        return terms

    # Who did it

    def _hands(self, fact: Fact, step: str, steps: Steps) -> None:
        hands = set(fact.body["hands"])
        missing = self.officers.behind(fact.meta) - hands
        if missing or not hands:
            self.wrong(fact.position, f"{fact.topic} does not name everybody who did it")
        steps[step] |= hands
        self._apart(fact, [steps], [fact.stream])

    def _apart(self, fact: Fact, all_steps: list[Steps], matters: list[str]) -> None:
        """Reporter, reviewer, approver and payer of one matter are different persons."""
        done: Steps = defaultdict(set)
        for steps in all_steps:
            for step, hands in steps.items():
                done[step] |= hands
        names = sorted(done)
        for n, one in enumerate(names):
            for other in names[n + 1 :]:
                both = done[one] & done[other]
                for matter in matters:
                    both -= self.officers.allowed.get((matter, one), set())
                    both -= self.officers.allowed.get((matter, other), set())
                if both:
                    self.wrong(fact.position, f"one person did {one} and {other}: {min(both)}")

    # Lists: notices, objections, decisions

    def _list(self, fact: Fact, kind: str) -> None:
        body = fact.body
        if kind == "Opened":
            self.rolls[fact.stream] = Roll(body["season"], body["village"])
            return
        roll = self.rolls[fact.stream]
        step = body.get("step") or LIST_STEPS.get(kind)
        if step is not None:
            self._hands(fact, step, roll.steps)
        if kind == "MinutesRecorded":
            roll.minutes = True
        elif kind == "CasesListed":
            roll.cases |= set(body["on"])
            roll.cases -= set(body["off"])
            roll.ends.clear()
        elif kind == "Posted":
            self._posted(fact, roll)
        elif kind == "Withdrawn":
            if fact.at < roll.ends.get(body["notice"], fact.at):
                roll.ends.pop(body["notice"])
        elif kind == "NoticeVoided":
            roll.ends.pop(body["notice"], None)
        elif kind == "ObjectionRaised":
            roll.objections.add(body["objection"])
        elif kind == "ObjectionSettled":
            self._settled(body, roll)
        elif kind == "Returned":
            roll.minutes = roll.reviewed = False
            roll.ends.clear()
        elif kind in ("Reviewed", "Approved", "Allocated"):
            self._decided(fact, kind, roll)

    def _posted(self, fact: Fact, roll: Roll) -> None:
        body = fact.body
        days = self._terms(roll.season)[f"{body['notice']}_notice_days"]
        notices = self.rules.in_force("notices", roll.village, fact.at)
        days = max(days, notices["minimum_days"] if notices else 0)
        posted = moment(body["posted_at"])
        if posted != fact.at:
            self.wrong(fact.position, "a notice was not posted at the time the log took it")
        roll.ends[body["notice"]] = fact.at + timedelta(days=days)
        if moment(body["ends_at"]) < roll.ends[body["notice"]]:
            self.wrong(fact.position, f"the {body['notice']} notice is shorter than {days} days")

    @staticmethod
    def _settled(body: Body, roll: Roll) -> None:
        roll.objections.discard(body["objection"])
        if body["added"] is not None:
            roll.cases.add(body["added"])
            roll.ends.clear()
        if body["struck"] is not None:
            roll.cases.discard(body["struck"])

    def _decided(self, fact: Fact, kind: str, roll: Roll) -> None:
        steps = self._terms(roll.season)["steps"]
        roll.cases -= set(fact.body.get("struck", ()))
        if kind == "Allocated":
            if not roll.approved:
                self.wrong(fact.position, "amounts were set on a list that was not approved")
            roll.allocated = True
            roll.ends.pop("second", None)
            return
        if "appraisal" in steps and not roll.minutes:
            self.wrong(fact.position, "the list has no minutes of an appraisal")
        self._notice_over(fact, roll, "first", steps)
        if kind == "Approved":
            if "township_review" in steps and not roll.reviewed:
                self.wrong(fact.position, "the list was approved and not reviewed")
            roll.approved = True
        else:
            roll.reviewed = True

    def _notice_over(self, fact: Fact, roll: Roll, notice: str, steps: list[str]) -> None:
        if f"{notice}_notice" not in steps:
            return
        ends = roll.ends.get(notice)
        if ends is None or fact.at < ends:
            self.wrong(fact.position, f"{fact.topic} before the {notice} notice was over")
        if roll.objections:
            self.wrong(fact.position, f"{fact.topic} over an open objection")

    # Cases: stages, grants, what became of them

    def _case(self, fact: Fact, kind: str) -> None:
        body = fact.body
        if kind == "Applied":
            self.cases[fact.stream] = Case(body["season"], body["household"], body["need"])
        case = self.cases[fact.stream]
        step = body.get("step") if "hands" in body else None
        step = step or CASE_STEPS.get(kind)
        if step is not None:
            self._hands(fact, step, case.steps)
        before = {"Appraised": ("applied", "on_list", "reviewed"), "Reviewed": ("on_list",)}
        before["Listed"] = ("applied", "appraised")
        before["Approved"] = ("on_list", "reviewed")
        if kind in before and case.stage not in before[kind]:
            self.wrong(fact.position, f"{kind} after {case.stage}")
        stages = {"Appraised": "appraised", "Listed": "on_list", "Reviewed": "reviewed"}
        stages |= {"Approved": "approved", "Refused": "refused", "Reopened": "applied"}
        if kind == "Corrected":
            case.need = body["need"]
        elif kind == "Closed":
            if any(status in OPEN for status in case.status.values()):
                self.wrong(fact.position, "the case was closed over a grant that did not arrive")
            case.stage = "closed"
        elif kind in stages:
            case.stage = stages[kind]
            case.roll = body.get("village_list", case.roll)
        elif kind not in ("Applied", "VillageChanged"):
            self._grant(fact, kind, case)

    def _grant(self, fact: Fact, kind: str, case: Case) -> None:
        body = fact.body
        if body.get("losses") is not None:
            case.known_died = body["losses"]["died"]
        if kind == "Granted":
            self._granted(fact, case)
        if kind in ("Granted", "HoldDecided"):
            return
        number = body["number"] if "number" in body else body["grant"]["number"]
        if kind == "GrantCorrected":
            case.excused = case.excused or bool(body["reason"])
            case.grants[number] = {**body["grant"], "roll": case.grants[number]["roll"]}
            empty = not body["grant"].get("cash_fen") and not body["grant"].get("picks")
            case.status[number] = "void" if empty else case.status[number]
            self._standard(fact, case)
        elif kind == "PaymentFailed":
            if case.status[number] == "paid":
                self.batches[body["batch"]] -= body["amount_fen"]
            case.status[number] = "failed"
        elif kind == "Refunded":
            if case.grants[number].get("fund"):
                self.batches[case.grants[number]["batch"]] -= body["amount_fen"]
        else:
            self._delivered(fact, kind, case, number)

    def _granted(self, fact: Fact, case: Case) -> None:
        self.grants += 1
        grant, roll = fact.body["grant"], self.rolls[case.roll]
        if case.stage != "approved" or fact.stream not in roll.cases or not roll.allocated:
            self.wrong(fact.position, f"granted at stage {case.stage}, or off the list")
        needed = {"report", "approve"}
        if "township_review" in self._terms(case.season)["steps"]:
            needed.add("review")
        for step in sorted(needed):
            if not (roll.steps[step] | case.steps[step]):
                self.wrong(fact.position, f"granted, and nobody did the step {step}")
        if grant["number"] != len(case.grants) + 1 or not grant["document_no"]:
            self.wrong(fact.position, "a grant without its number or document")
        self._apart(fact, [roll.steps, case.steps], [case.roll, fact.stream])
        self._part(fact, case, grant.get("part", 0))
        case.excused = case.excused or bool(fact.body["reason"])
        case.grants[grant["number"]] = {**grant, "roll": case.roll}
        case.status[grant["number"]] = "granted"
        self._standard(fact, case)

    def _part(self, fact: Fact, case: Case, part: int) -> None:
        """A month, ten days or a milestone is granted once."""
        standing = {
            grant.get("part", 0)
            for number, grant in case.grants.items()
            if case.status[number] not in ("void", "refunded")
        }
        if part and part in standing:
            self.wrong(fact.position, f"part {part} was granted twice")

    def _standard(self, fact: Fact, case: Case) -> None:
        terms, need = self._terms(case.season), case.need
        wanted = need.get("rate") or terms["rates"][0]["key"]
        rate = next(r for r in terms["rates"] if r["key"] == wanted)
        days = min(need.get("days", 1), rate.get("max_days", 1))
        by_basis = {
            "person": need["persons"],
            "person_day": need["persons"] * days,
            "person_ten_days": need["persons"] * -(-days // 10),
            "household": 1,
        }
        ceiling = rate["ceiling_fen"] * by_basis.get(rate["basis"], need.get("count", 1))
        total, items = 0, Counter[str]()
        for grant in case.grants.values():
            picks = grant.get("picks", [])
            total += grant.get("cash_fen", 0)
            total += value_of(picks) if terms.get("goods_count", True) else 0
            items[grant.get("item", "")] += units_of(picks)
        if total > ceiling and not case.excused:
            self.wrong(fact.position, f"{total} fen is over the ceiling of {ceiling}, no reason")
        allowed = {goods["item"]: goods["per_person"] for goods in terms["goods"]}
        for item, units in items.items():
            if units > allowed.get(item, 0) * need["persons"] and not case.excused:
                self.wrong(fact.position, f"{units} of {item} is over the allowance, no reason")

    def _delivered(self, fact: Fact, kind: str, case: Case, number: int) -> None:
        body, grant = fact.body, case.grants[number]
        roll = self.rolls[grant["roll"]]
        if case.status[number] not in OPEN:
            self.wrong(fact.position, f"grant {number} was delivered twice")
        self._notice_over(fact, roll, "second", self._terms(case.season)["steps"])
        if case.known_died is not None and self.died[case.household] > case.known_died:
            self.wrong(fact.position, "delivered after a death on which nobody has decided")
        self._apart(fact, [roll.steps, case.steps], [grant["roll"], fact.stream])
        if kind == "Paid":
            if body["amount_fen"] != grant.get("cash_fen", 0):
                self.wrong(fact.position, f"paid {body['amount_fen']} fen of another grant")
            self.batches[body["batch"]] += body["amount_fen"]
            case.status[number], grant["batch"] = "paid", body["batch"]
            return
        if units_of(body["picks"]) != units_of(grant.get("picks", [])):
            self.wrong(fact.position, "signed for another number of units than were granted")
        for pick in body["picks"]:
            self.signed[fact.stream, pick["lot"]] += pick["quantity"]
        grant["picks"] = body["picks"]
        case.status[number] = "signed"

    # At the end

    def close(self) -> None:
        """What only shows over the whole log: sums of funds, batches, lots."""
        self.money.close(self.last)
        self.goods.close(self.last)
        paid: Counter[str] = Counter()
        for fund in self.money.funds.values():
            paid.update(fund.batches)
        for batch in sorted(paid.keys() | self.batches.keys()):
            of_fund, of_cases = paid[batch], self.batches[batch]
            if of_fund != of_cases:
                at = self.money.paid_at.get(batch, self.last)
                self.wrong(at, f"batch {batch}: fund {of_fund} fen, cases {of_cases} fen")
        promised: Counter[str] = Counter()
        for case in self.cases.values():
            for number, grant in case.grants.items():
                if grant.get("fund") and case.status[number] in OPEN:
                    promised[grant["source"]] += grant["cash_fen"]
        for fund in self.money.funds.values():
            for commitment, fen in fund.promised.items():
                if fen != promised[commitment]:
                    at = self.money.committed_at.get(commitment, self.last)
                    self.wrong(at, f"{fen} fen committed, {promised[commitment]} fen granted")
        for key in sorted(self.signed.keys() | self.goods.given.keys()):
            if self.signed[key] != self.goods.given[key]:
                text = f"case {key[0]}: {self.signed[key]} of lot {key[1]} signed for, "
                self.wrong(self.last, f"{text}{self.goods.given[key]} given out")

    def totals(self) -> Body:
        """What the county granted in the season, as the published figures count it."""
        found: Counter[str] = Counter(households=0, persons=0, cash_fen=0)
        for case in self.cases.values():
            season = self.seasons[case.season]
            code = self.rules.codes.get(season["area"], "")
            if (code[:6], season["programme"], season["year"]) != (COUNTY, PROGRAMME, YEAR):
                continue
            standing = [g for n, g in case.grants.items() if case.status[n] != "void"]
            if not standing or season["exercise"]:
                continue
            found["households"] += 1
            found["persons"] += case.need["persons"]
            found["cash_fen"] += sum(grant.get("cash_fen", 0) for grant in standing)
            for grant in standing:
                if grant.get("item"):
                    found[f"{grant['item']}s"] += units_of(grant["picks"])
        return dict(found)
