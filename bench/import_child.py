"""The importing process of `bench.import_list`: one import, the views folded behind it."""

import json
import sys
import time
from datetime import date
from pathlib import Path

from bench import county
from bench.import_list import own_peak_mb
from cli.compose import running
from cli.settings import Settings
from domain.rulebook import Rulebook
from domain.rules.household_kinds import HouseholdKinds
from domain.world import Role
from intake.runner import Importer, Places, plain_name


def main(folder: Path, file: Path) -> None:
    with running(Settings(data=folder)) as system:
        book = system.store.load(Rulebook.id_of(county.id_of("county"), HouseholdKinds.KIND))
        book = book or system.store.load(
            Rulebook.id_of(county.id_of("nation"), HouseholdKinds.KIND)
        )
        assert book is not None
        kinds = book.in_force(HouseholdKinds, system.store.clock.now()).rule
        names = {plain_name(f"第{n + 1}村"): [county.village(n)] for n in range(county.VILLAGES)}
        importer = Importer(
            system.store,
            county.officer_of(Role.TOWNSHIP_REVIEWER),
            Places({}, names, None),
            kinds,
            default_category=kinds.kinds[0].key,
        )
        began = time.perf_counter()
        report = importer.run(file, date.today())  # noqa: DTZ011 - as the command does
        head = system.store.head()
        reached = system.boards.wait_for(head, 600)
        took = time.perf_counter() - began
        if not reached or report.faults:
            raise SystemExit(f"views reached: {reached}; faults: {report.faults[:3]}")
        said = {
            "seconds": took,
            "peak_mb": own_peak_mb(),
            "households": report.registered,
            "facts": head,
        }
        print(json.dumps(said))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
