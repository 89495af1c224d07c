"""A server process of one of the peers: ``python -m bench.peer_child each|mutable URL FD``.

``each`` is our own API, with `bench.peers.each` in place of the store's writer; it needs the
settings of an API process. Prints a line once it listens on the socket that was handed down.
"""

import socket
import sys

from api.app import create_app
from bench.peers import each, mutable
from cli.compose import running
from cli.serving import serve
from cli.settings import Settings
from domain.incident import Incident


def main(kind: str, url: str, fd: int) -> None:
    sock = socket.socket(fileno=fd)

    def started() -> None:
        print("ready", flush=True)

    if kind == "mutable":
        serve(mutable.app(url), sock, log_level="error", started=started)
        return
    app = each.application(url)
    with running(Settings(), follow=False) as system:
        one = each.EachByItself(system.store, app, (Incident,))
        system.store.arun = one.arun  # type: ignore[method-assign]
        serve(create_app(system), sock, log_level="error", started=started)
    app.close()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
