"""A relief season for the tests of the ledger's heart, all by commands, on `make_county`.

``Ledger()`` opens winter 2017–18 of the county, a fund and a depot full of quilts, and walks
``yuantan_1``'s list as far as a test asks: ``ledger.until("approved")``. Households are made up.
"""

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from domain.commands.funds import AppropriateFund
from domain.commands.grant_corrections import CorrectGrant
from domain.commands.handing_out import SignatureInput, SignGoods
from domain.commands.held_grants import DecideHeldGrants
from domain.commands.households import RecordDeath, RegisterHousehold
from domain.commands.notices import PostNotice, PostSecondNotice
from domain.commands.payments import AllocateList, FailureInput, GoodsInput, GrantInput, PayList
from domain.commands.relief_cases import ApplicationInput, ApplyForRelief, ApplyVillage, NeedInput
from domain.commands.sealing import CardInput, MemberInput
from domain.commands.seasons import OpenSeason
from domain.commands.stock import ReceiveGoods
from domain.commands.village_lists import (
    AppraiseList,
    ApproveList,
    CloseList,
    MinutesInput,
    OpenVillageList,
    RaiseObjection,
    ReviewList,
    SettleObjection,
    VerdictInput,
)
from domain.fund import Fund
from domain.grants import HoldDecision
from domain.household import Household
from domain.household_members import Relation
from domain.money import Source
from domain.need import Cause, NeedKind
from domain.notice import ObjectionKind
from domain.relief_case import ReliefCase
from domain.season import Season
from domain.village_list import VillageList
from tests.domain.county import make_county
from tests.domain.scenario import Scenario
from tests.id_numbers import id_number

HASH = "ab" * 32
DOCUMENT = "潜财〔2017〕88号"
STEPS = (
    "applied",
    "listed",
    "posted",
    "reviewed",
    "approved",
    "allocated",
    "posted_again",
    "payable",
    "paid",
    "signed",
    "closed",
)


def member(serial: int, relation: Relation = Relation.HEAD, name: str = "张小三") -> MemberInput:
    return MemberInput(name=name, relation=relation, id_number=id_number(serial))


def family(
    scenario: Scenario,
    name: str,
    serial: int,
    size: int = 2,
    village: str = "yuantan_1",
    **more: Any,
) -> RegisterHousehold:
    """The command that registers a household of ``size`` with ID numbers from ``serial`` on."""
    members = [member(serial)]
    members += [member(serial + n, Relation.CHILD, f"张小{n}") for n in range(1, size)]
    values: dict[str, Any] = {
        "id": scenario.id(name),
        "village": scenario.id(village),
        "members": tuple(members),
        "category": "hardship",
        "card": CardInput(number="6217 0000 1234 5678", bank="农商行"),
    }
    return RegisterHousehold(**(values | more))


class Ledger:
    """One season over three households of one village: a (3 persons), b (2), c (1)."""

    SIZES = {"a": 3, "b": 2, "c": 1}

    def __init__(
        self,
        programme: str = "winter_spring",
        disaster: UUID | None = None,
        scenario: Scenario | None = None,
        exercise: bool = False,
    ) -> None:
        self.scenario = scenario or make_county()
        self.scenario.now = datetime(2017, 11, 6, 1, tzinfo=UTC)
        s = self.scenario
        county = s.id("county")
        opened = OpenSeason(
            area=county, programme=programme, year=2017, disaster=disaster, exercise=exercise
        )
        s.given(opened, by="county")
        self.programme = programme
        self.exercise = exercise
        self.season = Season.id_of(county, programme, 2017, disaster, exercise)
        self.list = VillageList.id_of(self.season, s.id("yuantan_1"), 1)
        self.fund = Fund.id_of(DOCUMENT, county, exercise)
        s.given(
            AppropriateFund(
                holder=county,
                document_no=DOCUMENT,
                amount_fen=10_000_000_00,
                source=Source.NATION,
                source_document_no="财建〔2017〕1号",
                earmark=(programme,),
                exercise=exercise,
            ),
            by="county",
        )
        s.given(
            ReceiveGoods(
                warehouse=county,
                item="quilt",
                lot=s.id("lot"),
                document_no="入〔2017〕1号",
                owner="潜山市",
                received_on=date(2017, 10, 1),
                quantity=100,
                unit_value_fen=12_000,
                exercise=exercise,
            ),
            by="storekeeper",
        )
        for serial, (name, size) in enumerate(self.SIZES.items()):
            s.given(family(s, name, serial * 10 + 1, size, exercise=exercise), by="village")

    def case(self, name: str) -> UUID:
        return ReliefCase.id_of(self.season, self.scenario.id(name))

    def load_case(self, name: str) -> ReliefCase:
        found = self.scenario.load(ReliefCase, self.case(name))
        assert isinstance(found, ReliefCase)
        return found

    def load_list(self) -> VillageList:
        found = self.scenario.load(VillageList, self.list)
        assert isinstance(found, VillageList)
        return found

    def load_fund(self) -> Fund:
        found = self.scenario.load(Fund, self.fund)
        assert isinstance(found, Fund)
        return found

    def household(self, name: str) -> Household:
        found = self.scenario.load(Household, self.scenario.id(name))
        assert isinstance(found, Household)
        return found

    def application(self, name: str, **need: Any) -> ApplicationInput:
        values: dict[str, Any] = {"persons": self.SIZES.get(name, 1)} | need
        return ApplicationInput(
            household=self.scenario.id(name),
            need=NeedInput(**values),
            applied_on=date(2017, 10, 9),
        )

    def apply(self, **need: Any) -> "Ledger":
        s = self.scenario
        applications = tuple(self.application(name, **need) for name in self.SIZES)
        s.given(
            ApplyVillage(season=self.season, village=s.id("yuantan_1"), applications=applications),
            OpenVillageList(season=self.season, village=s.id("yuantan_1")),
            by="village",
        )
        return self

    def appraisal(self, **verdicts: bool) -> AppraiseList:
        names = verdicts or dict.fromkeys(self.SIZES, True)
        return AppraiseList(
            village_list=self.list,
            verdicts=tuple(
                VerdictInput(case=self.case(name), accepted=yes, reason="" if yes else "家境尚可")
                for name, yes in names.items()
            ),
            minutes=MinutesInput(held_on=date(2017, 11, 1), attendees=31, document_sha256=HASH),
        )

    def allocation(self, *grants: GrantInput, **more: Any) -> AllocateList:
        """By default 135 yuan a person, and a quilt for household a."""
        default = tuple(
            GrantInput(
                case=self.case(name),
                cash_fen=13_500 * size,
                goods=(GoodsInput(item="quilt", units=1),) if name == "a" else (),
            )
            for name, size in self.SIZES.items()
        )
        values: dict[str, Any] = {
            "village_list": self.list,
            "document_no": "潜民救〔2017〕9号",
            "grants": grants or default,
            "fund": self.fund,
            "warehouse": self.scenario.id("county"),
        }
        return AllocateList(**(values | more))

    def until(self, step: str) -> "Ledger":
        """Walk the list up to and including that step, each by the post whose step it is."""
        for one in STEPS[: STEPS.index(step) + 1]:
            getattr(self, f"_{one}")()
        return self

    def _applied(self) -> None:
        self.apply()

    def _listed(self) -> None:
        self.scenario.given(self.appraisal(), by="village")

    def _posted(self) -> None:
        self.scenario.given(PostNotice(village_list=self.list), by="village").wait(days=7)

    def _reviewed(self) -> None:
        self.scenario.given(ReviewList(village_list=self.list), by="township")

    def _approved(self) -> None:
        self.scenario.given(ApproveList(village_list=self.list, document_no="县定1号"), by="county")

    def _allocated(self) -> None:
        self.scenario.given(self.allocation(), by="county")

    def _posted_again(self) -> None:
        self.scenario.given(PostSecondNotice(village_list=self.list), by="village")

    def _payable(self) -> None:
        self.scenario.wait(days=7)

    def _paid(self) -> None:
        self.scenario.given(PayList(village_list=self.list, document_no="支1号"), by="payer")

    def _signed(self) -> None:
        self.scenario.given(self.signing("a"), by="storekeeper")

    def _closed(self) -> None:
        self.scenario.given(CloseList(village_list=self.list), by="county")

    def signing(self, *names: str) -> SignGoods:
        return SignGoods(
            village_list=self.list,
            signatures=tuple(
                SignatureInput(
                    case=self.case(name), signed_by="张小三", relation="本人", photo_sha256=HASH
                )
                for name in names
            ),
        )

    def correction(self, name: str, number: int = 1, **more: Any) -> CorrectGrant:
        return CorrectGrant(case=self.case(name), number=number, reason="录入错误", **more)


def objection(ledger: Ledger, name: str = "o1", **more: Any) -> RaiseObjection:
    values: dict[str, Any] = {
        "village_list": ledger.list,
        "id": ledger.scenario.id(name),
        "kind": ObjectionKind.AGAINST,
        "text": "他家有小汽车",
        "household": ledger.scenario.id("b"),
    }
    return RaiseObjection(**(values | more))


def settling(ledger: Ledger, **more: Any) -> SettleObjection:
    values: dict[str, Any] = {
        "village_list": ledger.list,
        "objection": ledger.scenario.id("o1"),
        "upheld": False,
        "reason": "经重新评议，异议不能成立",
    }
    return SettleObjection(**(values | more))


def late_applicant(ledger: Ledger) -> Any:
    """Household d applied, and the meeting forgot it."""
    county = ledger.scenario
    county.given(family(county, "d", 70, 1), by="village")
    apply = ApplyForRelief(
        season=ledger.season,
        household=county.id("d"),
        need=NeedInput(persons=1),
        applied_on=date(2017, 11, 1),
    )
    county.given(apply, by="village")
    return ledger.case("d")


def application(ledger: Ledger, name: str, **more: Any) -> ApplyForRelief:
    values: dict[str, Any] = {
        "season": ledger.season,
        "household": ledger.scenario.id(name),
        "need": NeedInput(persons=1, kinds=(NeedKind.FOOD,), cause=Cause.CROP_LOSS),
        "applied_on": date(2017, 10, 9),
    }
    return ApplyForRelief(**(values | more))


def paying(ledger: Ledger, *failed: str) -> PayList:
    failures = tuple(FailureInput(case=ledger.case(name), reason="账号已销户") for name in failed)
    return PayList(village_list=ledger.list, document_no="支1号", failures=failures)


def contest(ledger: Ledger, serial: int = 11) -> None:
    """A household of another village claims the head of household b too."""
    command = family(
        ledger.scenario,
        "other",
        90,
        village="yuantan_2",
        members=(member(90), member(serial, Relation.OTHER)),
    )
    ledger.scenario.given(command, by="village2")


def dying(ledger: Ledger, name: str, serial: int, **more: Any) -> RecordDeath:
    """The member of that serial number of household ``name`` has died."""
    values: dict[str, Any] = {
        "household": ledger.scenario.id(name),
        "person": ledger.scenario.vault.tokens[id_number(serial)],
        "on": date(2017, 11, 20),
        "reason": "病故",
    }
    return RecordDeath(**(values | more))


def deciding(ledger: Ledger, name: str, decision: HoldDecision, **more: Any) -> DecideHeldGrants:
    values = {"case": ledger.case(name), "decision": decision, "reason": "经入户核实"}
    return DecideHeldGrants(**(values | more))


def confirming(ledger: Ledger, name: str) -> DecideHeldGrants:
    return deciding(ledger, name, HoldDecision.CONFIRMED)
