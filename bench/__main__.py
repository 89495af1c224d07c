"""`python -m bench NAME [--json]`, `python -m bench all`."""

import argparse
import importlib
import json
import sys

from bench.base import Result

NAMES = {
    "commands": "bench.commands",
    "http": "bench.over_http",
    "rebuild": "bench.rebuild",
    "demo": "bench.demo",
    "import": "bench.import_list",
    "boards": "bench.boards",
    "http-cluster": "bench.http_cluster",
    "hot-stock": "bench.hot_stock",
    "worker-kafka": "bench.worker_kafka",
    "worker-views": "bench.worker_views",
}


def run(name: str, *, tiny: bool = False) -> Result:
    """One benchmark. ``tiny`` is for the test that it runs at all: its figures mean nothing."""
    made: Result = importlib.import_module(NAMES[name]).run(tiny=tiny)
    return made


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("name", choices=[*NAMES, "all"])
    parser.add_argument("--json", action="store_true", help="one JSON object (a list for all)")
    parser.add_argument("--tiny", action="store_true", help="only to see that it runs")
    given = parser.parse_args(arguments)
    results = []
    for name in NAMES if given.name == "all" else [given.name]:
        print(f"measuring {name} …", file=sys.stderr, flush=True)
        result = run(name, tiny=given.tiny)
        results.append(result.as_object())
        if not given.json:
            print("\n".join(result.lines()), flush=True)
    if given.json:
        print(json.dumps(results if given.name == "all" else results[0], ensure_ascii=False))


if __name__ == "__main__":
    main()
