"""A real store with the tests' county in it, and short words to import lists into it."""

import atexit
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any
from uuid import UUID, uuid4

from api.system import System
from cli.compose import running
from cli.settings import Settings
from domain.commands.areas import AreaPlan, EstablishAreas
from domain.commands.officers import AppointOfficer, RegisterOfficer
from domain.commands.rulebooks import AdoptRulebook
from domain.officer import Officer
from domain.rules.loading import parse_rulebook
from domain.world import Command
from eventstore.outcomes import Envelope, Receipt
from eventstore.store import Recorded
from intake.known_places import kinds_in_force, places_below
from intake.results import Report, RowReport
from intake.runner import Importer
from projections.areas import by_code
from projections.asking.scope import Scope
from tests.domain.county import AREAS, DOCUMENT, OFFICERS, RULES, SINCE
from tests.eventstore.support import named
from tests.intake.reading import TODAY

VILLAGE, TOWNSHIP, COUNTY, FOREIGN = "340882101001", "340882101000", "340882", "340825"
PEOPLE = ("village", "township", "county", "storekeeper", "foreign_county")


def officer(name: str) -> UUID:
    return Officer.id_of(named(f"person/{name}"))


def founding() -> list[Command]:
    """The commands of the system that make the county, its officers and its household kinds."""
    plans = tuple(
        AreaPlan(id=named(k), code=code, name=name, level=level, parent=named(up) if up else None)
        for k, (code, name, level, up) in AREAS.items()
    )
    more = AreaPlan(
        id=named("same_name"),
        code="340882106202",
        name="双峰村",
        level=AREAS["yuantan_1"][2],
        parent=named("shuihou"),
    )
    commands: list[Command] = [
        EstablishAreas(areas=(*plans, more), established_on=SINCE, document_no=DOCUMENT)
    ]
    for name in PEOPLE:
        role, area, post = OFFICERS[name]
        person = named(f"person/{name}")
        commands.append(RegisterOfficer(person=person, full_name=f"赵{name}", area=named(area)))
        commands.append(
            AppointOfficer(
                id=named(f"appointment/{name}"),
                officer=officer(name),
                role=role,
                area=named(area),
                post=post,
                starts_on=SINCE,
            )
        )
    path = RULES / "regional/qianshan/household-kinds.toml"
    book = parse_rulebook(path.name, path.read_text(encoding="utf-8"))
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


@lru_cache(maxsize=1)
def _template() -> Path:
    folder = Path(mkdtemp(prefix="relief-county-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    with running(Settings(data=folder), follow=False) as system:
        for command in founding():
            answer = system.store.run(Envelope(id=uuid4(), officer=None, command=command))
            assert isinstance(answer, Receipt)
        for name in PEOPLE:
            system.accounts.set_password(name, officer(name), "long enough")
        while system.boards.step():
            pass
    return folder


def make_county(folder: Path) -> Path:
    """A data folder with the county in it."""
    shutil.copytree(_template(), folder)
    return folder


@contextmanager
def county(folder: Path) -> Iterator["County"]:
    with running(Settings(data=folder), follow=False) as system:
        yield County(system)


class County:
    """The running county of one test."""

    def __init__(self, system: System) -> None:
        self.system = system
        self.store = system.store
        self.rows: list[RowReport] = []

    def importer(
        self, by: str = "county", area: str = COUNTY, *, ignore_columns: bool = False
    ) -> Importer:
        self.rows = []
        with self.system.reader() as db:
            root = by_code(db, area)
            assert root is not None
            places = places_below(self.store, db, Scope((root,)), root)
        return Importer(
            self.store,
            officer(by),
            places,
            kinds_in_force(self.store, self.system.tree.lineage(root)),
            default_category="ordinary",
            sink=self.rows.append,
            ignore_columns=ignore_columns,
        )

    def run(self, path: Path, **how: Any) -> Report:
        return self.importer(**how).run(path, TODAY)

    def check(self, path: Path, **how: Any) -> Report:
        return self.importer(**how).check(path, TODAY)

    def outcomes(self) -> list[str]:
        return [row.outcome for row in self.rows]

    def facts(self, topic: str, after: int = 0) -> list[Recorded]:
        found = self.store.read(after, 100_000)
        return [one for one in found if one.event.topic() == topic]
