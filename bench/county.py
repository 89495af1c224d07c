"""A small county to measure in: a nation down to villages, the rulebooks, four officers."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

from domain.area import AreaLevel
from domain.commands.areas import AreaPlan, EstablishAreas
from domain.commands.officers import AppointOfficer, RegisterOfficer
from domain.commands.rulebooks import AdoptRulebook
from domain.ids import seeded_id
from domain.officer import Officer
from domain.rules.loading import NATION, parse_rulebook
from domain.world import Command, Role
from eventstore.accounts import Accounts
from eventstore.outcomes import Envelope, Receipt
from eventstore.store import Store

RULES = Path(__file__).parents[1] / "rules"
VILLAGES = 20
SINCE = date(2016, 1, 1)
PASSWORD = "bench-2018-pass"
CODES = {"340000": "province", "340882": "county", NATION: "nation"}

LEVELS = (
    ("nation", "000000", "全国", AreaLevel.NATION),
    ("province", "340000", "安徽省", AreaLevel.PROVINCE),
    ("city", "340800", "安庆市", AreaLevel.CITY),
    ("county", "340882", "潜山市", AreaLevel.COUNTY),
    ("township", "340882101000", "源潭镇", AreaLevel.TOWNSHIP),
)


def id_of(name: str) -> UUID:
    return seeded_id("bench", name)


def village(n: int) -> UUID:
    return id_of(f"village{n % VILLAGES}")


def officer_of(role: Role) -> UUID:
    return Officer.id_of(id_of(f"person/{role.value}"))


def an_hour_ago() -> datetime:
    return datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)


def build(store: Store, villages: int = VILLAGES) -> None:
    """Areas, national and county rulebooks, and four officers' posts."""
    plans = []
    above: UUID | None = None
    for name, code, zh, level in LEVELS:
        plans.append(AreaPlan(id=id_of(name), code=code, name=zh, level=level, parent=above))
        above = id_of(name)
    for n in range(villages):
        plan = AreaPlan(
            id=id_of(f"village{n}"),
            code=f"340882101{n + 1:03d}",
            name=f"第{n + 1}村",
            level=AreaLevel.VILLAGE,
            parent=id_of("township"),
        )
        plans.append(plan)
    commands: list[Command] = [
        EstablishAreas(areas=tuple(plans), established_on=SINCE, document_no="测〔2016〕1号")
    ]
    commands += _rulebooks()
    for role, area in (
        (Role.DISPATCHER, "county"),
        (Role.COUNTY_APPROVER, "county"),
        (Role.TOWNSHIP_REVIEWER, "township"),
        (Role.STOREKEEPER, "county"),
    ):
        person = id_of(f"person/{role.value}")
        commands.append(RegisterOfficer(person=person, full_name="张测量", area=id_of(area)))
        appoint = AppointOfficer(
            id=id_of(f"appointment/{role.value}"),
            officer=officer_of(role),
            role=role,
            area=id_of(area),
            starts_on=SINCE,
        )
        commands.append(appoint)
    send(store, [Envelope(id=uuid4(), officer=None, command=command) for command in commands])


def _rulebooks() -> list[Command]:
    found: list[Command] = []
    for path in sorted(RULES.rglob("*.toml")):
        book = parse_rulebook(path.name, path.read_text(encoding="utf-8"))
        if book.area_code in CODES:
            adopt = AdoptRulebook(
                area=id_of(CODES[book.area_code]),
                kind=book.kind,
                version=book.version,
                document_no=book.document_no,
                valid_from=book.valid_from,
                valid_to=book.valid_to,
                content=book.content,
            )
            found.append(adopt)
    return found


def send(store: Store, envelopes: list[Envelope]) -> None:
    """Run them; anything but a receipt is a fault of the benchmark."""
    for answer in store.run_many(envelopes):
        if not isinstance(answer, Receipt):
            raise answer


def token(store: Store, role: Role) -> str:
    """A bearer token of the officer of that role."""
    accounts = Accounts(store.vault)
    accounts.set_password(role.value, officer_of(role), PASSWORD)
    return accounts.log_in(role.value, PASSWORD, "token")[0]
