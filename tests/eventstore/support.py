"""A small town in a real store: areas, officers and rules, put there by commands."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from eventsourcing.persistence import StoredEvent

from domain.area import AreaLevel
from domain.catalog import AGGREGATES
from domain.commands.areas import AreaPlan, ChangeAreaCodes, CodeChange, EstablishAreas
from domain.commands.households import RegisterHousehold
from domain.commands.officers import AppointOfficer, RegisterOfficer
from domain.commands.rulebooks import AdoptRulebook
from domain.commands.sealing import CardInput, MemberInput
from domain.commands.units import PutUnitOffDuty, PutUnitOnDuty, RegisterUnit
from domain.household_members import Relation
from domain.ids import seeded_id
from domain.officer import Officer
from domain.rules.loading import NATION, parse_rulebook
from domain.unit import UnitKind
from domain.world import Command, Role
from eventstore.log import Row
from eventstore.outcomes import Envelope, Receipt
from eventstore.postgres import PostgresLog, PostgresVault
from eventstore.store import Store
from eventstore.vault import destroy

ROOT = Path(__file__).parents[2]
SINCE = date(2016, 1, 1)
DOCUMENT = "测试〔2016〕1号"
AREAS: dict[str, tuple[str, str, AreaLevel, str | None]] = {
    "nation": ("000000", "全国", AreaLevel.NATION, None),
    "province": ("340000", "安徽省", AreaLevel.PROVINCE, "nation"),
    "city": ("340800", "安庆市", AreaLevel.CITY, "province"),
    "county": ("340882", "潜山市", AreaLevel.COUNTY, "city"),
    "township": ("340882101000", "源潭镇", AreaLevel.TOWNSHIP, "county"),
    "village": ("340882101001", "源潭居委会", AreaLevel.VILLAGE, "township"),
    "village2": ("340882101002", "双峰居委会", AreaLevel.VILLAGE, "township"),
}
OFFICERS = {
    "dispatcher": (Role.DISPATCHER, "county"),
    "dispatcher2": (Role.DISPATCHER, "county"),
    "reporter": (Role.VILLAGE_REPORTER, "village"),
    "admin": (Role.ADMINISTRATOR, "county"),
}


def named(name: str) -> UUID:
    """A stable id for a readable name."""
    return seeded_id(name)


def officer(name: str) -> UUID:
    return Officer.id_of(named(f"person/{name}"))


def envelope(command: Command, by: str | None = None, id: UUID | None = None) -> Envelope:
    return Envelope(id=id or uuid4(), officer=officer(by) if by else None, command=command)


def send(store: Store, command: Command, by: str | None = None, id: UUID | None = None) -> Receipt:
    return store.run(envelope(command, by, id))


def loaded(store: Store, stream: UUID, **at: int) -> Any:
    """An aggregate that must be there."""
    found = store.load(stream, **at)
    assert found is not None, stream
    return found


def founding() -> list[Command]:
    """The commands of the system that make the town."""
    plans = tuple(
        AreaPlan(id=named(k), code=code, name=name, level=level, parent=named(up) if up else None)
        for k, (code, name, level, up) in AREAS.items()
    )
    commands: list[Command] = [
        EstablishAreas(areas=plans, established_on=SINCE, document_no=DOCUMENT)
    ]
    for name, (role, area) in OFFICERS.items():
        person = named(f"person/{name}")
        commands.append(RegisterOfficer(person=person, full_name=f"赵{name}", area=named(area)))
        commands.append(
            AppointOfficer(
                id=named(f"appointment/{name}"),
                officer=officer(name),
                role=role,
                area=named(area),
                starts_on=SINCE,
            )
        )
    for path in sorted((ROOT / "rules").rglob("*.toml")):
        book = parse_rulebook(path.name, path.read_text(encoding="utf-8"))
        if book.area_code == NATION and "kinds" in book.kind:
            commands.append(
                AdoptRulebook(
                    area=named("nation"),
                    kind=book.kind,
                    version=book.version,
                    document_no=book.document_no,
                    valid_from=book.valid_from,
                    valid_to=book.valid_to,
                    content=book.content,
                )
            )
    return commands


def found_town(store: Store) -> Store:
    for answer in store.run_many([envelope(command) for command in founding()]):
        assert isinstance(answer, Receipt), answer
    return store


def put(store: Store, *facts: StoredEvent) -> list[int]:
    """Facts as no command makes them, sealed as the writer seals; their positions."""
    rows: list[Row] = []
    with store.log.transaction() as db:
        head = db.execute("SELECT coalesce(max(position), 0) FROM events").fetchone()[0]
        for n, one in enumerate(facts, start=head + 1):
            assert isinstance(one.originator_id, UUID)
            rows.append((n, one.originator_id.bytes, one.originator_version, one.topic, one.state))
        store.seals.put(db, rows)
    return [row[0] for row in rows]


def new_unit(name: str, *, size: int = 5, area: str = "county") -> RegisterUnit:
    return RegisterUnit(
        unit=named(f"unit/{name}"),
        area=named(area),
        name=name,
        kind=next(iter(UnitKind)),
        size=size,
    )


def off_duty(name: str, reason: str = "轮休") -> PutUnitOffDuty:
    return PutUnitOffDuty(unit=named(f"unit/{name}"), reason=reason)


def on_duty(name: str) -> PutUnitOnDuty:
    return PutUnitOnDuty(unit=named(f"unit/{name}"))


def new_codes(*changes: tuple[str, str], on: date = date(2018, 1, 1)) -> ChangeAreaCodes:
    return ChangeAreaCodes(
        changes=tuple(CodeChange(area=named(area), code=code) for area, code in changes),
        effective_on=on,
        document_no=DOCUMENT,
    )


def new_household(
    name: str, number: str, *, key: str | None = None, phone: str = "13812345678"
) -> RegisterHousehold:
    return RegisterHousehold(
        id=named(f"household/{key or name}"),
        village=named("village"),
        members=(MemberInput(name=name, relation=Relation.HEAD, id_number=number),),
        category="ordinary",
        card=CardInput(number="6217001820012345678", bank="农商行"),
        phone=phone,
        address="源潭居委会金鸡岭组九十九号",
    )


@dataclass(frozen=True)
class Cluster:
    """A store on PostgreSQL: addresses of log and vault, and the folder of the vault's key."""

    log: str
    vault: str
    folder: Path

    def __str__(self) -> str:
        return f"{self.log} {self.vault} {self.folder}"

    def open(self, log: str | None = None) -> Store:
        """Opened, by another address of its log if one is given."""
        there = PostgresLog(log or self.log)
        try:
            vault = PostgresVault(self.vault, self.folder / "vault.key")
        except BaseException:
            there.close()
            raise
        return Store(there, vault, AGGREGATES)


Place = Path | Cluster


def place_of(text: str) -> Place:
    """Of what `str` makes of a place."""
    log, *rest = text.split(" ")
    return Cluster(log, rest[0], Path(rest[1])) if rest else Path(log)


def open_store(place: Place) -> Store:
    return Store.at(place, AGGREGATES) if isinstance(place, Path) else place.open()


@contextmanager
def elsewhere(task: str, *args: object, env: dict[str, str] | None = None) -> Iterator[Any]:
    """A second process of ours (`tests.eventstore.elsewhere`) doing a task; ended at the end.

    It prints one line when it is ready; that line has been read when the block begins.
    """
    command = [sys.executable, "-m", "tests.eventstore.elsewhere", task, *map(str, args)]
    process = subprocess.Popen(
        command, cwd=ROOT, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.strip() == "ready", f"{task}: {line!r}"
        yield process
    finally:
        process.kill()
        process.communicate()


def people(store: Store, text: str) -> list[UUID]:
    """Who is found by a text, wherever they live, once the index has heard of every fact."""
    store.effects.until(store.head(), 20)
    return [hit.person for hit in store.find(text)]


def destroy_person(store: Store, person: UUID) -> None:
    """What an erasure does to the vault, without its fact."""
    with store.vault.aside() as db:
        destroy(db, [person])
    assert store.vault.scrub()
