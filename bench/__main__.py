"""`python -m bench NAME [--json]`, `python -m bench all`."""

import argparse
import importlib
import json
import sys
from pathlib import Path

from bench.base import Result
from bench.plot import plotted

NAMES = {
    "commands": "bench.commands",
    "http": "bench.over_http",
    "rebuild": "bench.rebuild",
    "demo": "bench.demo",
    "import": "bench.import_list",
    "officers": "bench.officers",
    "boards": "bench.boards",
    "http-cluster": "bench.http_cluster",
    "hot-stock": "bench.hot_stock",
    "worker-kafka": "bench.worker_kafka",
    "worker-views": "bench.worker_views",
    "rebuild-postgres": "bench.rebuild_postgres",
    "latency": "bench.latency",
    "province": "bench.province",
    "scale": "bench.scale",
    "search": "bench.search",
    "snapshots": "bench.snapshots",
    "protections": "bench.protections",
    "tasks": "bench.tasks",
    "pages": "bench.pages",
    "asof": "bench.asof",
}


SCALED = ("province", "scale", "search")


def run(name: str, *, tiny: bool = False, scale: float | None = None) -> Result:
    """One benchmark. ``tiny`` is for the test that it runs at all: its figures mean nothing."""
    more = {"scale": scale} if scale is not None else {}
    made: Result = importlib.import_module(NAMES[name]).run(tiny=tiny, **more)
    return made


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("name", choices=[*NAMES, "all"])
    parser.add_argument("--json", action="store_true", help="one JSON object (a list for all)")
    parser.add_argument(
        "--small", "--tiny", dest="tiny", action="store_true", help="only to see that it runs"
    )
    parser.add_argument(
        "--scale",
        type=float,
        help="the share of a province, of a million persons; of scale: times as many",
    )
    parser.add_argument("--plot", type=Path, help="for scale: write an SVG there too")
    given = parser.parse_args(arguments)
    if given.scale is not None and given.name not in SCALED:
        parser.error(f"--scale is for {' and '.join(SCALED)}")
    results = []
    for name in NAMES if given.name == "all" else [given.name]:
        print(f"measuring {name} …", file=sys.stderr, flush=True)
        result = run(name, tiny=given.tiny, scale=given.scale)
        results.append(result.as_object())
        if given.plot is not None:
            given.plot.write_text(plotted(result))
        if not given.json:
            print("\n".join(result.lines()), flush=True)
    if given.json:
        print(json.dumps(results if given.name == "all" else results[0], ensure_ascii=False))


if __name__ == "__main__":
    main()
