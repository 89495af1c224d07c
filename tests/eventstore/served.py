"""The real server process for the kill tests: what `relief serve` runs, without its pages.

``python -m tests.eventstore.served`` serves ``RELIEF_DATA`` on a free port and prints it.
"""

from api.app import create_app
from cli.compose import running
from cli.logging import configure
from cli.serving import bind, serve
from cli.settings import Settings


def main() -> None:
    configure("ERROR", "served")
    sock, _ = bind("127.0.0.1", 0)
    with running(Settings()) as system:
        serve(
            create_app(system),
            sock,
            log_level="error",
            started=lambda: print(sock.getsockname()[1], flush=True),
        )


if __name__ == "__main__":
    main()
