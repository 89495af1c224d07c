"""What grows with the log: 10,000, 100,000 and 1,000,000 facts (``--scale 10``: to 10^7).

The same city's facts and copies of it (`bench.copies`). At each size: a rebuild of all views with
its memory, durable commands a second on top of that log (64 at once in one process), the folding
of their facts into tables of that size, and what people ask, of one county and of the province.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from bench.base import Reach, Result, machine
from bench.cluster import ROOT, Place, place, postgres
from bench.copies import Template
from bench.questions import asked
from bench.rebuild_postgres import filled

SIZES = (10_000, 100_000, 1_000_000)
TINY = (1_000, 3_000)
LIVES = 1_000
RATES = ("rebuild_facts_per_second", "commands_per_second", "folded_per_second")


def measured(here: Place, template: Template, facts: int, lives: int) -> dict[str, Any]:
    """One size."""
    filled(here, template, facts)
    city = template.city
    first = city.counties[0]
    officer = template.id_of(city.officer(first.dispatcher))
    village = template.id_of(city.area(first.villages[0].key))
    given = {
        "log": here.urls.database,
        "vault": here.urls.vault,
        "views": here.urls.views,
        "key": str(here.folder / "vault.key"),
        "officer": str(officer),
        "village": str(village),
        "lives": lives,
    }
    done = subprocess.run(
        [sys.executable, "-m", "bench.scale_child"],
        cwd=ROOT,
        check=True,
        text=True,
        input=json.dumps(given),
        stdout=subprocess.PIPE,
    )
    said: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    here.server.execute("VACUUM ANALYZE", here.name)
    county = asked(here.urls.views, template.id_of(city.area(first.key)))
    province = asked(here.urls.views, template.id_of(city.area("province")))
    said["slowest_question_of_a_county_ms"] = max(county.values())
    said["slowest_question_of_a_province_ms"] = max(province.values())
    said["all_questions_of_a_county_ms"] = round(sum(county.values()), 1)
    said["all_questions_of_a_province_ms"] = round(sum(province.values()), 1)
    return said


def run(*, tiny: bool = False, scale: float = 1.0) -> Result:
    about = machine()
    sizes = TINY if tiny else tuple(round(size * min(scale, 1)) for size in SIZES)
    if scale > 1:
        sizes += (round(SIZES[-1] * scale),)
    template = Template(1 if tiny else 4 if scale <= 1 else max(4, round(4 * scale)))
    grown: dict[int, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory(prefix="bench-") as name, postgres(Path(name)) as server:
        for facts in sizes:
            here = place(server, Path(name) / str(facts), f"facts{facts}")
            grown[facts] = measured(here, template, facts, 20 if tiny else LIVES)
    first, last = grown[sizes[0]], grown[sizes[-1]]
    figures = {f"{facts}_{k}": v for facts, found in grown.items() for k, v in found.items()}
    ratios = {f"{name}_last_over_first": round(last[name] / first[name], 3) for name in RATES}
    return Result("scale", figures, ratios, about, {name: Reach(at_least=0.5) for name in ratios})
