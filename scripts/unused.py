"""Say which functions, methods, classes and properties nothing uses any more (vulture).

python scripts/unused.py

Looked for in the rooms, `bench` and `scripts`. Tests do not count as users, templates of pages
do. Exit 1 if something is found that is not in `CALLED_FROM_OUTSIDE`.
"""

import re
import sys
from pathlib import Path

from vulture import Vulture

ROOT = Path(__file__).resolve().parents[1]
ROOMS = [
    "domain",
    "eventstore",
    "projections",
    "streams",
    "intake",
    "api",
    "web",
    "demo",
    "cli",
    "audit",
    "bench",
    "scripts",
]
KINDS = {"function", "method", "class", "property", "import"}
DECORATORS = [
    "@router.*",
    "@app.*",
    "@*.command*",
    "@*.callback*",
    "@event*",
    "@compiles*",
    "@*.exception_handler*",
]

CALLED_FROM_OUTSIDE = {
    "check_together": "holds rules/ together, in the tests",
    "collect": "prometheus-client asks a collector",
    "connection_lost": "asyncio calls a protocol",
    "connection_made": "asyncio calls a protocol",
    "conserved": "the equation that the tests hold every store to",
    "consumer": "how this system is read by others: by tests, as an example",
    "data_received": "asyncio calls a protocol",
    "do_GET": "http.server calls a handler",
    "format_field": "string.Formatter asks it how a value is said",
    "get_base_class_hook": "mypy asks a plugin",
    "get_route_handler": "FastAPI asks a route",
    "insert_events": "the library's recorder interface",
    "log_message": "http.server calls a handler",
    "max_notification_id": "the library's recorder interface",
    "money_broken": "the equation of money, likewise",
    "name_at": "a report names its area as of its day; asked by the import's tests",
    "next_moves": "the county's run over its village lists (design §4), by program",
    "plugin": "mypy asks for it by name",
    "restart": "of a server that a test has started",
    "select_events": "the library's recorder interface",
    "select_notifications": "the library's recorder interface",
    "self_group": "SQLAlchemy asks an expression",
    "send_400_response": "httptools' protocol in uvicorn calls it",
    "settings_customise_sources": "pydantic-settings asks the settings",
    "subscribe": "the library's recorder interface",
    "trigger_event": "overrides the library's, which the events' plugin calls",
}


def main() -> None:
    templates = " ".join(p.read_text(encoding="utf-8") for p in (ROOT / "web").rglob("*.html"))
    said = set(re.findall(r"\w+", templates))
    vulture = Vulture(ignore_decorators=DECORATORS)
    vulture.scavenge([ROOT / room for room in ROOMS])
    found = [
        item
        for item in vulture.get_unused_code(min_confidence=60)
        if item.typ in KINDS and item.name not in said | CALLED_FROM_OUTSIDE.keys()
    ]
    for item in found:
        where = item.filename.relative_to(ROOT)
        print(f"{where}:{item.first_lineno}: nothing uses the {item.typ} {item.name}")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
